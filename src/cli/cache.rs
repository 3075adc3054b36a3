//! The cache folder: its options for those who read images, and `plimsoll cache`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::builder::FalseyValueParser;

use super::{Context, DONE, UNVERIFIABLE, output};
use crate::cache::{Directory, Layers, Refused, Tiers};
use crate::limits::GIB;
use crate::oci::escape;
use crate::report::quantity;

/// Bytes of entries that a folder may hold, if nobody says otherwise.
const MOST_BYTES: u64 = 2 * GIB;

/// Where what was learnt from layers is kept.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Cache")]
pub(super) struct Caching {
    #[command(flatten)]
    place: Place,

    /// Most that the cache folder may hold; what was used longest ago goes first
    #[arg(long, value_name = "SIZE", value_parser = size, default_value = "2GiB")]
    cache_size: u64,

    /// Neither use nor write a cache: learn everything from the image's bytes
    #[arg(long, env = "PLIMSOLL_NO_CACHE", hide_env_values = true, value_parser = FalseyValueParser::new())]
    no_cache: bool,
}

/// Which folder.
#[derive(Debug, clap::Args)]
struct Place {
    /// Where to keep what was learnt from layers, so that no layer is taken apart twice; without it $XDG_CACHE_HOME/plimsoll or
    /// ~/.cache/plimsoll, and no cache where neither can be made
    #[arg(long, value_name = "FOLDER", env = "PLIMSOLL_CACHE_DIR", hide_env_values = true)]
    cache_dir: Option<OsString>,
}

impl Place {
    /// The folder, and whether somebody named it.
    fn folder(&self) -> Option<(PathBuf, bool)> {
        if let Some(named) = self.cache_dir.clone().filter(|named| !named.is_empty()) {
            return Some((named.into(), true));
        }
        let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let base = absolute("XDG_CACHE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".cache")))?;
        Some((base.join("plimsoll"), false))
    }
}

impl Caching {
    /// The cache that the options ask for. One that cannot be had is no error: it is done without.
    pub(super) fn open(&self, context: Context) -> Layers {
        let Some((folder, is_named)) = self.place.folder().filter(|_| !self.no_cache) else { return Layers::default() };
        match Directory::open(&folder, self.cache_size) {
            Ok(directory) => Layers::new(0, Tiers::new(vec![Box::new(directory)])),
            Err(refused) => {
                // a home that cannot be written to is nothing to tell everybody, a folder that somebody else writes to is
                if is_named || matches!(refused, Refused::Distrusted(_)) {
                    warn(&refusal(&folder, &refused), context);
                }
                Layers::default()
            }
        }
    }
}

/// Tells of what did not work, once the work is done.
pub(super) fn tell(cache: &Layers, context: Context) {
    for warning in cache.tiers().take_warnings() {
        warn(&warning, context);
    }
}

fn warn(warning: &str, context: Context) {
    if !context.quiet {
        output::complain(&format!("warning: {warning}\n"));
    }
}

fn refusal(folder: &Path, refused: &Refused) -> String {
    let folder = escape(folder.as_os_str().as_encoded_bytes());
    let advice = match refused {
        Refused::Distrusted(_) => ": choose another with --cache-dir, or make it yours alone (chown, chmod 700)",
        _ => "",
    };
    format!("the cache folder {folder} is not used: {refused}{advice}")
}

/// Reads `--cache-size`.
fn size(text: &str) -> Result<u64, String> {
    quantity::parse(text).ok_or_else(|| "write a whole number, with KiB, MiB or GiB where wanted, such as 512MiB".to_owned())
}

const AFTER_HELP: &str = "\
Examples:
  plimsoll cache dir      where the cache is
  plimsoll cache stat     how much it holds
  plimsoll cache clear    empty it";

/// Say where the cache is and how much it holds, or empty it
///
/// The cache keeps what was learnt from layers, under the digests of their
/// bytes. Nothing is ever wrong with an empty one: the next run is slower.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Print the cache folder
    #[command(after_help = "Examples:\n  plimsoll cache dir\n  du -sh \"$(plimsoll cache dir)\"")]
    Dir(Place),
    /// Count its entries and their bytes
    #[command(after_help = "Example:\n  plimsoll cache stat")]
    Stat(Place),
    /// Remove all its entries
    #[command(after_help = "Example:\n  plimsoll cache clear")]
    Clear(Place),
}

pub(super) fn run(args: &Args, _: Context) -> u8 {
    let (Command::Dir(place) | Command::Stat(place) | Command::Clear(place)) = &args.command;
    let Some((folder, _)) = place.folder() else {
        output::refuse("there is no cache folder: neither HOME nor XDG_CACHE_HOME is set; name one with --cache-dir");
        return UNVERIFIABLE;
    };
    if let Command::Dir(_) = &args.command {
        return output::to_stdout(DONE, |out| writeln!(out, "{}", folder.display()));
    }
    let directory = match Directory::open(&folder, MOST_BYTES) {
        Ok(directory) => directory,
        Err(refused) => {
            output::refuse(&refusal(&folder, &refused));
            return UNVERIFIABLE;
        }
    };
    if let Command::Clear(_) = &args.command {
        let removed = directory.clear();
        let (entries, bytes) = (quantity::count(removed.entries), quantity::bytes(removed.bytes));
        return output::to_stdout(DONE, |out| writeln!(out, "removed {entries} entries, {bytes}"));
    }
    output::to_stdout(DONE, |out| {
        for (kind, usage) in directory.usage() {
            writeln!(
                out,
                "{:<8} {:>9} entries  {:>10}",
                kind.as_str(),
                quantity::count(usage.entries),
                quantity::bytes(usage.bytes)
            )?;
        }
        Ok(())
    })
}
