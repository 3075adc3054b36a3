//! Physical lines into logical ones: directives, comments, continuations, heredoc bodies.

use std::borrow::Cow;
use std::ops::Range;

use super::{Directive, DockerfileError};
use crate::limits::{LimitHit, Limits};

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The parser directives; after any other comment or line, comments that look like one are none.
const DIRECTIVES: [&str; 3] = ["check", "escape", "syntax"];

/// A logical line.
pub(super) struct Line {
    /// The joined text.
    pub(super) text: String,
    /// Its first physical line.
    pub(super) start: usize,
}

/// The lines of one text, read once from first to last.
pub(super) struct Lines<'a> {
    left: std::vec::IntoIter<&'a [u8]>,
    read: usize,
    escape: u8,
    /// Whether the next line may still be a directive.
    at_top: bool,
    /// The directives found so far.
    pub(super) directives: Vec<Directive>,
}

impl<'a> Lines<'a> {
    /// Err when the text is too long, or has too many or too long lines.
    pub(super) fn new(text: &'a [u8], limits: &Limits) -> Result<Self, LimitHit> {
        let number = |length: usize| u64::try_from(length).unwrap_or(u64::MAX);
        limits.dockerfile_bytes(number(text.len()))?;
        let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
        let mut lines = Vec::new();
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            limits.dockerfile_line_bytes(number(line.len()))?;
            lines.push(without_end(line));
            limits.dockerfile_lines(number(lines.len()))?;
        }
        Ok(Self { left: lines.into_iter(), read: 0, escape: b'\\', at_top: true, directives: Vec::new() })
    }

    /// The number of lines read so far, which is the number of the last one.
    pub(super) fn read(&self) -> usize {
        self.read
    }

    /// What continues lines.
    pub(super) fn escape(&self) -> u8 {
        self.escape
    }

    fn next(&mut self) -> Option<&'a [u8]> {
        let line = self.left.next()?;
        self.read = self.read.saturating_add(1);
        Some(line)
    }

    /// The next instruction's text, joined; None at the end.
    pub(super) fn next_logical(&mut self) -> Result<Option<Line>, DockerfileError> {
        while let Some(line) = self.next() {
            let first = String::from_utf8_lossy(line);
            let first = first.trim_start();
            self.directive(first)?;
            if first.is_empty() || first.starts_with('#') {
                continue;
            }
            let start = self.read;
            let (mut text, mut continues) = self.continued(first);
            while continues {
                let Some(line) = self.next() else { break };
                let line: Cow<'_, str> = String::from_utf8_lossy(line);
                let shown = line.trim_start();
                if !shown.is_empty() && !shown.starts_with('#') {
                    let (more, goes_on) = self.continued(&line);
                    text.push_str(&more);
                    continues = goes_on;
                }
            }
            return Ok(Some(Line { text, start }));
        }
        Ok(None)
    }

    /// The line without what continues it, and whether it is continued: it ends with one escape character, not two, and blanks.
    fn continued(&self, line: &str) -> (String, bool) {
        let escape = char::from(self.escape);
        match line.trim_end_matches([' ', '\t']).strip_suffix(escape) {
            Some(rest) if !rest.ends_with(escape) => (rest.to_owned(), true),
            _ => (line.to_owned(), false),
        }
    }

    /// Keeps a directive; the first line that is none ends them.
    fn directive(&mut self, line: &str) -> Result<(), DockerfileError> {
        if !self.at_top {
            return Ok(());
        }
        let Some((name, value)) = directive(line) else {
            self.at_top = false;
            return Ok(());
        };
        let line = self.read;
        if self.directives.iter().any(|known| known.name == name) {
            return Err(DockerfileError::Repeated { line, name });
        }
        if name == "escape" {
            self.escape = match value {
                "\\" => b'\\',
                "`" => b'`',
                _ => return Err(DockerfileError::Escape { line }),
            };
        }
        self.directives.push(Directive { name, value: value.to_owned(), line });
        Ok(())
    }

    /// The lines up to the one that is `name`, which is read too; None when there is none.
    pub(super) fn heredoc(&mut self, name: &str, strips_tabs: bool) -> Option<Range<usize>> {
        let start = self.read.saturating_add(1);
        while let Some(mut line) = self.next() {
            while let (true, [b'\t', rest @ ..]) = (strips_tabs, line) {
                line = rest;
            }
            if line == name.as_bytes() {
                return Some(start..self.read);
            }
        }
        None
    }
}

/// `# NAME = VALUE` of a known name.
fn directive(line: &str) -> Option<(&'static str, &str)> {
    let (name, value) = line.strip_prefix('#')?.trim_start().split_once('=')?;
    let name = DIRECTIVES.into_iter().find(|known| known.eq_ignore_ascii_case(name.trim_end()))?;
    (!value.is_empty()).then_some((name, value.trim()))
}

/// A line without the line ends and carriage returns behind it.
fn without_end(mut line: &[u8]) -> &[u8] {
    while let [rest @ .., b'\r' | b'\n'] = line {
        line = rest;
    }
    line
}
