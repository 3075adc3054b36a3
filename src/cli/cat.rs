//! `plimsoll cat IMAGE PATH`: the bytes of one file.

use std::ffi::OsString;
use std::io::{self, BufWriter, IsTerminal as _, Write};

use super::cache::{self, Caching};
use super::input::Input;
use super::{Context, DONE, UNVERIFIABLE, USAGE, output, progress};
use crate::oci::escape_unprintable;
use crate::report::text;
use crate::verify::{self, Cat, Request};

const AFTER_HELP: &str = "\
Examples:
  plimsoll cat shop.tar /etc/os-release
  plimsoll cat shop.tar /usr/bin/curl | sha256sum
  plimsoll cat shop.tar /app/.env --layer 2
  docker save shop:1.4 | plimsoll cat - /etc/passwd

Links are followed as in the container, and never lead out of the image. A file
that a later layer deleted or replaced is still shipped: --layer writes it;
`plimsoll why` tells which layers have one.

Exit codes:
  0  written    2  no such file, or wrong use    3  the image or the file could not be read";

/// Write the bytes of one file of an image
///
/// The image is read and verified as `ls` reads it; nothing is unpacked, and a
/// file of any size streams through. To a terminal only text is written.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Args {
    #[command(flatten)]
    input: Input,

    /// The file; a relative path starts at the root
    #[arg(value_name = "PATH")]
    path: OsString,

    /// The version that this layer wrote, also of a file that is gone; the base is 0
    #[arg(long, value_name = "NUMBER", help_heading = None)]
    layer: Option<usize>,

    /// Write to a terminal whatever the file holds: it may give the terminal orders
    #[arg(long, help_heading = None)]
    to_terminal: bool,

    #[command(flatten)]
    caching: Caching,
}

pub(super) fn run(args: &Args, context: Context) -> u8 {
    let cache = args.caching.open(context);
    let request = Request { source: args.input.request(), limits: args.input.limits(), cache, ..Request::default() };
    let is_terminal = io::stdout().is_terminal();
    let is_guarded = is_terminal && !args.to_terminal;
    let mut out = BufWriter::new(Guard { out: io::stdout().lock(), is_guarded, rest: Vec::new(), is_refused: false });
    let path = args.path.as_encoded_bytes();
    // erasing the line of progress would erase what the file ends with
    let is_watched = !context.quiet && !is_terminal;
    let outcome = progress::shown(is_watched, |progress| verify::cat(&request, path, args.layer, &mut out, progress));
    let outcome = match outcome {
        Cat::Written => out.flush().map_or_else(Cat::Output, |()| Cat::Written),
        other => other,
    };
    let is_refused = out.get_ref().is_refused;
    // what is buffered has no reader
    let _ = out.into_parts();
    cache::tell(&request.cache, context);
    ended(outcome, is_refused, context)
}

fn ended(outcome: Cat, is_refused: bool, context: Context) -> u8 {
    match outcome {
        Cat::Written => DONE,
        Cat::NoFile(reason) => {
            output::refuse(&reason);
            USAGE
        }
        Cat::Unread(reason) => {
            output::refuse(&reason);
            UNVERIFIABLE
        }
        Cat::Unverifiable(report) => {
            output::complain(&text::render_errors(&report, output::look_of_errors(context.color)));
            UNVERIFIABLE
        }
        Cat::Output(_) if is_refused => {
            let advice = "write it to a file (> FILE), or look at it with `| less`; --to-terminal writes it all the same";
            output::refuse(&format!("the file holds bytes that are no text, and a terminal may obey them: {advice}"));
            USAGE
        }
        Cat::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => DONE,
        Cat::Output(error) => {
            output::refuse(&format!("cannot write to standard output: {error}"));
            UNVERIFIABLE
        }
    }
}

/// Lets only text through to a terminal: what is printable, newlines and tabs.
struct Guard<W> {
    out: W,
    is_guarded: bool,
    /// The start of a character whose other bytes are still to come.
    rest: Vec<u8>,
    is_refused: bool,
}

impl<W: Write> Guard<W> {
    /// The bytes as text, those of a character that is cut off at the end kept for later; None when they are no text.
    fn text(&mut self, bytes: &[u8]) -> Option<String> {
        let mut all = std::mem::take(&mut self.rest);
        all.extend_from_slice(bytes);
        let whole = match std::str::from_utf8(&all) {
            Ok(_) => all.len(),
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            Err(_) => return None,
        };
        self.rest = all.split_off(whole);
        let text = String::from_utf8(all).ok()?;
        // a carriage return before a newline does no more than that
        let plain = text.replace("\r\n", "").replace(['\n', '\t'], "");
        escape_unprintable(&plain).is_none().then_some(text)
    }
}

impl<W: Write> Write for Guard<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.is_guarded {
            return self.out.write(bytes);
        }
        let text = if self.is_refused { None } else { self.text(bytes) };
        let Some(text) = text else {
            self.is_refused = true;
            return Err(io::Error::other("no text"));
        };
        self.out.write_all(text.as_bytes())?;
        Ok(bytes.len())
    }

    /// Called at the end alone: a character that was cut off then has no more bytes to come.
    fn flush(&mut self) -> io::Result<()> {
        if !self.rest.is_empty() {
            self.is_refused = true;
            return Err(io::Error::other("no text"));
        }
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes through of pieces, and whether all of it did.
    fn through(pieces: &[&[u8]], is_guarded: bool) -> (Vec<u8>, bool) {
        let mut guard = Guard { out: Vec::new(), is_guarded, rest: Vec::new(), is_refused: false };
        let is_whole = pieces.iter().all(|piece| guard.write_all(piece).is_ok()) && guard.flush().is_ok();
        assert_eq!(is_whole, !guard.is_refused);
        (guard.out, is_whole)
    }

    #[test]
    fn text_comes_to_a_terminal_as_it_is() {
        let text = "a\tb\r\nzwölf 中\n".as_bytes();
        assert_eq!(through(&[text], true), (text.to_vec(), true));
        let one_by_one: Vec<&[u8]> = text.chunks(1).collect();
        assert!(through(&one_by_one, true).0.len() <= text.len());
        let halves: Vec<&[u8]> = "zwölf 中 drei".as_bytes().chunks(1).collect();
        assert_eq!(through(&halves, true), ("zwölf 中 drei".as_bytes().to_vec(), true));
    }

    #[test]
    fn orders_to_a_terminal_do_not() {
        for bad in
            [&b"a\x1b[2J"[..], b"\x7fELF", b"a\0", b"a\rb", b"\xff", b"\xe4\xb8", "\u{202e}".as_bytes(), "\u{9b}1m".as_bytes()]
        {
            assert!(!through(&[b"first\n", bad], true).1, "{}", bad.escape_ascii());
            assert_eq!(through(&[bad], false), (bad.to_vec(), true));
        }
        assert_eq!(through(&[b"first\n", b"\x1b[2J", b"last"], true), (b"first\n".to_vec(), false));
    }
}
