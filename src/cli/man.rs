//! `plimsoll man`: the manual pages, made from the same definitions as the help.

use std::io;
use std::path::{Path, PathBuf};

use clap::CommandFactory as _;
use clap_mangen::Man;

use super::{Cli, DONE, UNVERIFIABLE, output};

const AFTER_HELP: &str = "\
Examples:
  plimsoll man | man -l -
  plimsoll man --out ~/.local/share/man/man1

Exit codes:
  0  written    2  wrong use    3  a page could not be written";

/// Write the manual pages
///
/// Without --out, plimsoll(1) goes to standard output.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Args {
    /// Write all pages into this folder, which must be there: plimsoll.1, and one for each subcommand
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> u8 {
    let pages = match pages() {
        Ok(pages) => pages,
        Err(error) => return failed(&error.to_string()),
    };
    let Some(folder) = &args.out else {
        let first = pages.into_iter().next().map(|(_, page)| page).unwrap_or_default();
        return output::to_stdout(DONE, |out| out.write_all(&first));
    };
    match write(folder, &pages) {
        Ok(()) => DONE,
        Err(error) => failed(&format!("{}: {error}", folder.display())),
    }
}

fn failed(reason: &str) -> u8 {
    output::refuse(&format!("cannot write the manual: {reason}"));
    UNVERIFIABLE
}

fn write(folder: &Path, pages: &[(String, Vec<u8>)]) -> io::Result<()> {
    pages.iter().try_for_each(|(name, page)| std::fs::write(folder.join(name), page))
}

/// File names and pages, that of the program first.
fn pages() -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    let mut waiting = vec![command];
    let mut pages = Vec::new();
    while let Some(command) = waiting.pop() {
        waiting.extend(command.get_subcommands().filter(|command| command.get_name() != "help").cloned());
        let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
        let mut page = Vec::new();
        // the day is left out: the same release gives the same bytes
        Man::new(command).date("").title(name.to_uppercase()).render(&mut page)?;
        pages.push((format!("{name}.1"), page));
    }
    Ok(pages)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_page_for_the_program_and_for_every_subcommand() {
        let pages = pages().unwrap();
        let names: Vec<&str> = pages.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names[0], "plimsoll.1");
        for expected in ["plimsoll-check.1", "plimsoll-convert.1", "plimsoll-policy-show.1", "plimsoll-man.1"] {
            assert!(names.contains(&expected), "{names:?}");
        }
        for (name, page) in &pages {
            let page = String::from_utf8(page.clone()).unwrap();
            assert!(page.contains(".SH NAME") && page.contains(".SH SYNOPSIS") && page.contains("Example"), "{name}: {page}");
        }
    }
}
