//! `plimsoll limits`: the caps, their defaults, and what they mean.

use std::io::{self, Write};

use super::{Context, DONE, output};
use crate::limits::Limits;
use crate::report::quantity;

/// List the limits, for --limit
///
/// Limits keep a hostile image from using up memory and time. What lies behind
/// a limit is not examined, and an image that hits one is never a pass.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
#[command(after_help = "Example:\n  plimsoll check big.tar --limit layer-bytes=64GiB --limit image-entries=20000000")]
pub(super) struct Args {}

pub(super) fn run(_: &Args, _: Context) -> u8 {
    output::to_stdout(DONE, write)
}

/// Name, default and meaning of every limit.
pub(super) fn write(out: &mut dyn Write) -> io::Result<()> {
    let widest = Limits::ALL.iter().map(|(name, ..)| name.len()).max().unwrap_or(0);
    for (name, default, meaning) in Limits::ALL {
        let value = if name.ends_with("-bytes") { quantity::bytes(*default) } else { quantity::count(*default) };
        writeln!(out, "{name:<widest$}  {value:>10}  {}", meaning.trim())?;
    }
    Ok(())
}
