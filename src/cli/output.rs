//! Where text goes: colour, width, and streams that may be closed while we write.

use std::io::{self, IsTerminal, Write};

use clap::ValueEnum;

use crate::report::text::Look;

/// Columns when the output is not a terminal.
const PIPED_COLUMNS: usize = 80;
/// Lines longer than this are hard to read.
const MOST_COLUMNS: usize = 100;
/// Narrower than this, labels leave no room.
const LEAST_COLUMNS: usize = 60;

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ColorChoice {
    Auto,
    Always,
    Never,
}

/// A format that a report or a listing can be written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Text,
    Json,
}

/// How text is laid out on standard output.
pub(super) fn look(color: ColorChoice) -> Look {
    let stdout = io::stdout();
    let terminal = stdout.is_terminal();
    Look { width: width(terminal), colour: is_coloured(color, anstream::AutoStream::choice(&stdout)) }
}

/// How text is laid out on standard error.
pub(super) fn look_of_errors(color: ColorChoice) -> Look {
    let stderr = io::stderr();
    let terminal = stderr.is_terminal();
    Look { width: width(terminal), colour: is_coloured(color, anstream::AutoStream::choice(&stderr)) }
}

fn is_coloured(color: ColorChoice, detected: anstream::ColorChoice) -> bool {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    match color {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        // anstream knows all the variables but FORCE_COLOR
        ColorChoice::Auto => detected != anstream::ColorChoice::Never || (is_set("FORCE_COLOR") && !is_set("NO_COLOR")),
    }
}

fn width(terminal: bool) -> usize {
    if !terminal {
        return PIPED_COLUMNS;
    }
    let asked = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let columns = asked.or_else(|| terminal_size::terminal_size().map(|(width, _)| usize::from(width.0)));
    columns.unwrap_or(PIPED_COLUMNS).clamp(LEAST_COLUMNS, MOST_COLUMNS)
}

/// Writes to standard output and flushes. `code` is returned, or [`super::UNVERIFIABLE`] when the writing fails; a reader who
/// has seen enough (`| head`) is no failure.
pub(super) fn to_stdout(code: u8, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> u8 {
    let mut out = io::BufWriter::new(anstream::AutoStream::new(io::stdout().lock(), anstream::ColorChoice::Always));
    match write(&mut out).and_then(|()| out.flush()) {
        Ok(()) => code,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
            // what is buffered has no reader either: dropping the buffer would try again
            let _ = out.into_parts();
            code
        }
        Err(error) => {
            let _ = out.into_parts();
            complain(&format!("plimsoll: cannot write to standard output: {error}\n"));
            super::UNVERIFIABLE
        }
    }
}

/// Says on standard error why nothing is done: one error a line.
pub(super) fn refuse(reason: &str) {
    let reason = reason.trim_end();
    let start = if reason.starts_with("error: ") { "" } else { "error: " };
    complain(&harmless(&format!("{start}{reason}\n")));
}

/// Text that quotes arguments, in which no line is an order to a runner of pipelines: those arguments may come from a branch's name.
pub(super) fn harmless(text: &str) -> String {
    let line = |line: &str| match line.trim_start().strip_prefix("::") {
        Some(rest) => format!(r"\x3a:{rest}"),
        None => line.to_owned(),
    };
    let text = text.replace('\r', r"\x0d").replace("##[", r"#\x23[").replace("##vso[", r"#\x23vso[");
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

/// Writes to standard error.
pub(super) fn complain(text: &str) {
    // when standard error is closed there is nobody to tell
    let _ = anstream::AutoStream::new(io::stderr().lock(), anstream::ColorChoice::Always).write_all(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_arguments_gives_no_orders_to_a_runner() {
        let said = harmless("error: 'a\n ::stop-commands::x\r::y ##[z]' ##vso[w]\n\nFor more: a::b\n");
        assert_eq!(said, "error: 'a\n\\x3a:stop-commands::x\\x0d::y #\\x23[z]' #\\x23vso[w]\n\nFor more: a::b\n");
        assert_eq!(harmless("a\n\nb\n"), "a\n\nb\n");
    }
}
