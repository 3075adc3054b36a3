//! `plimsoll checks`: the table of checks.

use super::{Context, DONE, output};
use crate::report::explain;

/// List the checks
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  plimsoll checks\n  plimsoll explain compiler")]
pub(super) struct Args {}

pub(super) fn run(_: &Args, context: Context) -> u8 {
    output::to_stdout(DONE, |out| out.write_all(explain::table(output::look(context.color)).as_bytes()))
}
