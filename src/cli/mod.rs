//! The command line: one file per subcommand. The only room that prints.
#![expect(clippy::disallowed_methods, reason = "arguments, environment, terminal and clock are looked at here alone")]

mod base;
mod baseline;
mod cache;
mod cat;
mod check;
mod checks;
mod compare;
mod completions;
mod convert;
mod dockerfiles;
mod explain;
mod input;
mod judging;
mod limits;
mod ls;
mod man;
mod output;
mod outputs;
mod policy;
mod progress;
mod reference;
mod registry;
mod saved;
#[cfg(feature = "server")]
mod serve;
#[cfg(test)]
mod tests;
mod text_file;
mod timings;
mod why;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use output::ColorChoice;

/// The verdict is pass, or the command did what it was asked.
const DONE: u8 = 0;
/// The verdict is fail.
const FAILED: u8 = 1;
/// Wrong use.
const USAGE: u8 = 2;
/// The image could not be verified, or its report not written.
const UNVERIFIABLE: u8 = 3;

const ABOUT: &str = "Reads a built container image offline, rebuilds the filesystem a runtime would mount, \
                     and says what is wrong with it";

const AFTER_HELP: &str = "\
Examples:
  docker save shop:1.4 | plimsoll check -  check what docker just built
  plimsoll check image.tar                 check a file that a builder wrote
  plimsoll check ghcr.io/org/shop:1.4      check an image in a registry
  plimsoll explain setuid-file             what a finding means, and the fix
  plimsoll compare old.tar new.tar         what became better, and what worse
  plimsoll convert a.json --format junit   a saved report in another format
  plimsoll policy show                     what images are judged by
  plimsoll ls image.tar                    list the final filesystem
  plimsoll cat image.tar /etc/passwd       write one file of it
  plimsoll why image.tar /usr/bin/gcc      who put it there, and who needs it

Exit codes:
  0  pass    1  fail    2  wrong use    3  the image could not be verified";

#[derive(Debug, Parser)]
#[command(name = "plimsoll", version, about = ABOUT, after_help = AFTER_HELP, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,

    /// When to use colour; NO_COLOR, CLICOLOR, CLICOLOR_FORCE and FORCE_COLOR are honoured
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value = "auto")]
    color: ColorChoice,

    /// Show no progress
    #[arg(short, long, global = true)]
    quiet: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    Check(check::Args),
    Ls(ls::Args),
    Cat(cat::Args),
    Why(why::Args),
    Checks(checks::Args),
    Compare(compare::Args),
    Convert(convert::Args),
    Baseline(baseline::Args),
    Explain(explain::Args),
    Policy(policy::Args),
    Limits(limits::Args),
    Base(base::Args),
    Completions(completions::Args),
    Man(man::Args),
    Cache(cache::Args),
    #[cfg(feature = "server")]
    Serve(serve::Args),
}

/// What every subcommand may need to know.
#[derive(Debug, Clone, Copy)]
struct Context {
    color: ColorChoice,
    quiet: bool,
}

/// Runs the program.
#[must_use]
pub fn run() -> ExitCode {
    match Cli::try_parse() {
        Ok(cli) => ExitCode::from(dispatch(&cli)),
        Err(error) => {
            let said = error.render().to_string();
            let harmless = output::harmless(&said);
            if error.use_stderr() && (harmless != said || said.contains('\u{1b}')) {
                output::complain(&harmless.replace('\u{1b}', r"\x1b"));
            } else {
                // in colour where that is wanted; nothing is left to do when even this cannot be written
                let _ = error.print();
            }
            ExitCode::from(if error.use_stderr() { USAGE } else { DONE })
        }
    }
}

fn dispatch(cli: &Cli) -> u8 {
    let context = Context { color: cli.color, quiet: cli.quiet };
    match &cli.command {
        Command::Check(args) => check::run(args, context),
        Command::Ls(args) => ls::run(args, context),
        Command::Cat(args) => cat::run(args, context),
        Command::Why(args) => why::run(args, context),
        Command::Checks(args) => checks::run(args, context),
        Command::Compare(args) => compare::run(args, context),
        Command::Convert(args) => convert::run(args, context),
        Command::Baseline(args) => baseline::run(args, context),
        Command::Explain(args) => explain::run(args, context),
        Command::Policy(args) => policy::run(args, context),
        Command::Limits(args) => limits::run(args, context),
        Command::Base(args) => base::run(args, context),
        Command::Completions(args) => completions::run(args),
        Command::Man(args) => man::run(args),
        Command::Cache(args) => cache::run(args, context),
        #[cfg(feature = "server")]
        Command::Serve(args) => serve::run(args, context),
    }
}
