//! `plimsoll limits`: the caps, their defaults, and what they mean.

use super::{Context, DONE, output};
use crate::limits::{KIB, Limits};
use crate::report::quantity;
use crate::report::text::Look;
use crate::report::text::page::{Page, QUIET, STRONG};

/// List the limits, for --limit
///
/// Limits keep a hostile image from using up memory and time. What lies behind
/// a limit is not examined, and an image that hits one is never a pass.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  plimsoll check big.tar --limit layer-bytes=64GiB --limit layers=1000")]
pub(super) struct Args {}

pub(super) fn run(_: &Args, context: Context) -> u8 {
    output::to_stdout(DONE, |out| out.write_all(table(output::look(context.color)).as_bytes()))
}

/// Name, default and meaning of every limit.
pub(super) fn table(look: Look) -> String {
    let mut page = Page::new(look);
    let widest = Limits::ALL.iter().map(|(name, ..)| name.len()).max().unwrap_or(0);
    for (name, default, meaning) in Limits::ALL {
        let is_round = name.ends_with("-bytes") && default.is_multiple_of(KIB);
        let value = if is_round { quantity::bytes(*default) } else { quantity::count(*default) };
        page.columns(&[(name, widest, STRONG), (&format!("{value:>9}"), 9, QUIET)], meaning.trim());
    }
    page.finish()
}
