//! `plimsoll policy`: look at policies before images are judged by them.

use clap::Subcommand;

use super::output::{self, Format};
use super::{Context, DONE, USAGE, text_file};
use crate::limits::{Limits, MIB};
use crate::oci::escape_text;
use crate::policy::{self, Loaded, PolicyError, SHIPPED};
use crate::report::policy_page;
use crate::rules;

/// Bytes of one policy file; those that are shipped have less than 12,000.
const MOST_BYTES: u64 = MIB;
/// Characters of one error.
const MOST_SHOWN: usize = 500;

const AFTER_HELP: &str = "\
Examples:
  plimsoll policy list                 the policies that are part of plimsoll
  plimsoll policy show strict          all that one of them says
  plimsoll policy check ./policy.toml  whether a file of yours is in order

A first policy.toml; docs/policy.md describes every key:
  extends = \"default\"
  fail_on = \"medium\"

  [checks.missing-healthcheck]
  enabled = false";

const CHECK_AFTER_HELP: &str = "\
Examples:
  plimsoll policy check ./policy.toml
  plimsoll policy check ci/policy.toml && git commit ci/policy.toml

Everything that the file extends is read too. Each error names file, line and
column, and what was probably meant.

Exit codes:
  0  in order    2  not in order, or not readable";

const SHOW_AFTER_HELP: &str = "\
Examples:
  plimsoll policy show
  plimsoll policy show ./policy.toml
  plimsoll policy show cis-docker > policy.toml   a copy to start from
  plimsoll policy show strict --format json | jq -r '.checks[] | .id, .severity'

The text is TOML, and itself a policy file that means the same.

Exit codes:
  0  shown    2  not in order, or not readable";

/// Check, show and list policies
///
/// A policy says which findings fail an image, which are accepted, and what an
/// image must fulfil. It is a TOML file that extends a shipped policy.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Check(CheckArgs),
    Show(ShowArgs),
    List(ListArgs),
}

/// Say whether a policy file is in order
#[derive(Debug, clap::Args)]
#[command(after_help = CHECK_AFTER_HELP)]
struct CheckArgs {
    /// The policy file; without .toml at its end, with a slash: ./policy
    #[arg(value_name = "FILE")]
    file: String,
}

/// Show a policy with everything that it extends, and where each value comes from
#[derive(Debug, clap::Args)]
#[command(after_help = SHOW_AFTER_HELP)]
struct ShowArgs {
    /// A shipped policy, or a file, whose name ends with .toml or holds a slash
    #[arg(value_name = "NAME|FILE", default_value = "default")]
    policy: String,

    /// How to write it; text is TOML
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

/// List the policies that are part of plimsoll
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  plimsoll policy list")]
struct ListArgs {}

pub(super) fn run(args: &Args, context: Context) -> u8 {
    let look = output::look(context.color);
    let written = match &args.command {
        Command::Check(args) => open(&args.file).map(|loaded| policy_page::summary(&loaded, look)),
        Command::Show(args) => open(&args.policy).map(|loaded| match args.format {
            Format::Text => policy_page::toml(&loaded, look),
            Format::Json => policy_page::json(&loaded),
        }),
        Command::List(_) => list().map(|policies| policy_page::list(&policies, look)),
    };
    match written {
        Ok(text) => output::to_stdout(DONE, |out| out.write_all(text.as_bytes())),
        Err(errors) => {
            output::complain(&told(&errors));
            USAGE
        }
    }
}

/// A shipped policy, or that of a file, with everything that it extends.
pub(super) fn open(name_or_path: &str) -> Result<Loaded, Vec<PolicyError>> {
    let compile = |rule: &policy::Rule| match rules::compile(rule, &Limits::default()) {
        Ok(_) => Ok(()),
        Err(error) => Err(format!("line {}, column {} of `when`: {}", error.line, error.column, error.reason)),
    };
    policy::load(name_or_path, &mut |path| text_file::read(path, MOST_BYTES), compile)
}

fn list() -> Result<Vec<Loaded>, Vec<PolicyError>> {
    SHIPPED.iter().map(|(name, _)| open(name)).collect()
}

/// One line for each error, cut where somebody's key is longer than anybody reads.
pub(super) fn told(errors: &[PolicyError]) -> String {
    let line = |error: &PolicyError| {
        let text = escape_text(&error.to_string());
        let cut: String = text.chars().take(MOST_SHOWN).collect();
        format!("error: {cut}{}\n", if cut.len() < text.len() { " ..." } else { "" })
    };
    errors.iter().map(line).collect::<Vec<_>>().concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_extend_files_next_to_them() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("team")).unwrap();
        std::fs::write(folder.path().join("org.toml"), "extends = 'strict'\n").unwrap();
        let path = folder.path().join("team/shop.toml");
        std::fs::write(&path, "extends = '../org.toml'\n").unwrap();
        let loaded = open(path.to_str().unwrap()).unwrap();
        assert_eq!((loaded.policy.name.as_str(), loaded.policy.fail_on), ("shop.toml", policy::Severity::Medium));
    }

    #[test]
    fn errors_are_one_line_each_whatever_the_file_holds() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.toml");
        std::fs::write(&path, "[checks.\"a\\nb\\u001b\"]\n[checks.compilr]\n").unwrap();
        let text = told(&open(path.to_str().unwrap()).unwrap_err());
        assert!(text.lines().count() == 2 && text.contains("p.toml:1:9: unknown check 'a\\x0ab\\x1b'"), "{text}");
        assert!(text.contains("p.toml:2:9: unknown check 'compilr'; did you mean compiler?"), "{text}");
        std::fs::write(&path, format!("{} = 1", "k".repeat(100_000))).unwrap();
        let text = told(&open(path.to_str().unwrap()).unwrap_err());
        assert!(text.len() < 600 && text.ends_with(" ...\n"), "{text}");
    }
}
