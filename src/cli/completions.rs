//! `plimsoll completions SHELL`: what a shell needs to complete our arguments.

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::{Cli, DONE, output};

const AFTER_HELP: &str = "\
Examples:
  plimsoll completions bash > ~/.local/share/bash-completion/completions/plimsoll
  plimsoll completions zsh > ~/.zfunc/_plimsoll
  plimsoll completions fish > ~/.config/fish/completions/plimsoll.fish
  plimsoll completions powershell >> $PROFILE
  plimsoll completions elvish >> ~/.config/elvish/rc.elv";

/// Write a completion script for a shell
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Args {
    /// The shell
    #[arg(value_enum, value_name = "SHELL")]
    shell: Shell,
}

pub(super) fn run(args: &Args) -> u8 {
    output::to_stdout(DONE, |out| out.write_all(&script(args.shell)))
}

fn script(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "plimsoll", &mut script);
    script
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_script_knows_every_subcommand() {
        for shell in <Shell as clap::ValueEnum>::value_variants() {
            let script = String::from_utf8(script(*shell)).unwrap();
            for subcommand in Cli::command().get_subcommands() {
                assert!(script.contains(subcommand.get_name()), "{shell}: {}", subcommand.get_name());
            }
        }
    }
}
