//! `plimsoll ls IMAGE`: the final tree.

use std::io::{self, Write};

use super::cache::{self, Caching};
use super::input::Input;
use super::output::{self, Format};
use super::{Context, DONE, UNVERIFIABLE, progress};
use crate::policy::glob::{self, Globs, Slash};
use crate::report::model::EntryReport;
use crate::report::{json, listing, text};
use crate::verify::{self, Request, Tree};

const AFTER_HELP: &str = "\
Examples:
  plimsoll ls shop.tar
  docker save shop:1.4 | plimsoll ls -
  plimsoll ls shop.tar '/etc/**' '**/*.pem'
  plimsoll ls shop.tar --layer 0
  plimsoll ls shop.tar --format json | jq -r 'select(.mode[0:1] == \"4\") | .path'
  diff <(plimsoll ls shop.tar) <(plimsoll ls shop.tar --sequential)

Columns: type and mode, owner and group, bytes (major, minor of a device), the
layer that last wrote it (the base is 0), path.

Exit codes:
  0  listed    2  wrong use    3  the tree is not known";

/// List the final filesystem of an image
///
/// The tree that a runtime would mount, sorted by path, each entry with the
/// layer that last wrote it.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Args {
    #[command(flatten)]
    input: Input,

    /// Only entries whose path fits one of these globs: `*` stops at a slash, `**` does not
    #[arg(value_name = "GLOB", value_parser = glob)]
    globs: Vec<String>,

    /// Only entries that this layer wrote; the base is 0
    #[arg(long, value_name = "NUMBER")]
    layer: Option<usize>,

    #[command(flatten)]
    caching: Caching,

    /// How to write the entries; json gives one object a line, with the digests of files
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "text")]
    format: Format,

    /// The tree of runtimes that unpack layers one after the other, not that of overlay mounts
    #[arg(long)]
    sequential: bool,
}

fn glob(text: &str) -> Result<String, String> {
    glob::check(text).map(|()| text.to_owned())
}

pub(super) fn run(args: &Args, context: Context) -> u8 {
    let cache = args.caching.open(context);
    let request = Request { source: args.input.request(), limits: args.input.limits(), cache, ..Request::default() };
    let tree = if args.sequential { Tree::Sequential } else { Tree::Stacked };
    let listing = progress::shown(!context.quiet, |progress| verify::list(&request, tree, args.format == Format::Json, progress));
    cache::tell(&request.cache, context);
    let Some(entries) = &listing.entries else {
        output::complain(&text::render_errors(&listing.report, output::look_of_errors(context.color)));
        return UNVERIFIABLE;
    };
    let globs = Globs::new(args.globs.iter().map(String::as_str).enumerate(), Slash::Separates);
    let is_asked = |entry: &&EntryReport| {
        args.layer.is_none_or(|layer| layer == entry.layer) && (args.globs.is_empty() || globs.is_match(entry.path.as_bytes()))
    };
    let asked: Vec<&EntryReport> = entries.iter().filter(is_asked).collect();
    output::to_stdout(DONE, |out| write(&asked, args.format, out))
}

fn write(entries: &[&EntryReport], format: Format, out: &mut dyn Write) -> io::Result<()> {
    if format == Format::Text {
        writeln!(out, "{}", listing::HEADER)?;
    }
    for entry in entries {
        match format {
            Format::Text => writeln!(out, "{}", listing::line(entry))?,
            Format::Json => json::write_entry(entry, out)?,
        }
    }
    Ok(())
}
