//! The physical lines of a Dockerfile: what is shown of an instruction, and on which line of it a name stands.

use crate::build::redact;

/// Characters of an instruction that are shown.
const SHOWN: usize = 600;
/// Characters that are looked at before secrets are taken out, so that no text takes long.
const READ: usize = 4_000;

/// A text as lines, without their ends; bytes that are no UTF-8 are U+FFFD. Lines count from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Text {
    lines: Vec<String>,
    escape: char,
}

impl Text {
    pub(super) fn new(bytes: &[u8], escape: char) -> Self {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let line = |line: &[u8]| String::from_utf8_lossy(line).trim_end_matches(['\r', '\n']).to_owned();
        Self { lines: bytes.split_inclusive(|byte| *byte == b'\n').map(line).collect(), escape }
    }

    /// The lines from `start` to `end` with their numbers; comments and empty lines are left out.
    fn lines(&self, start: usize, end: usize) -> impl Iterator<Item = (usize, &str)> {
        let first = start.saturating_sub(1);
        let lines = self.lines.get(first..end.min(self.lines.len())).unwrap_or_default();
        let within = lines.iter().zip(start..).map(|(line, number)| (number, line.trim()));
        within.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
    }

    /// What stands on the lines from `start` to `end` on one line, without what continues them.
    pub(super) fn joined(&self, start: usize, end: usize) -> String {
        let mut out = String::new();
        for (_, line) in self.lines(start, end) {
            let line = line.strip_suffix(self.escape).unwrap_or(line);
            for word in line.split_whitespace() {
                if !out.is_empty() {
                    out.push(' ');
                }
                out.push_str(word);
            }
        }
        out
    }

    /// As [`Text::joined`], without secrets, cut where it is very long.
    pub(super) fn shown(&self, start: usize, end: usize) -> String {
        let whole = self.joined(start, end);
        let read = start_of(&whole, READ);
        // a token that is cut is not known any more
        let read = if read.len() < whole.len() { read.rsplit_once(' ').map_or(read, |(read, _)| read) } else { read };
        let safe = redact(read);
        let shown = start_of(&safe, SHOWN);
        if shown.len() < safe.len() || read.len() < whole.len() { format!("{shown} ...") } else { safe }
    }

    /// Bytes of the lines from `start` to `end`.
    pub(super) fn bytes(&self, start: usize, end: usize) -> usize {
        self.lines(start, end).fold(0, |sum, (_, line)| sum.saturating_add(line.len()))
    }

    /// The lines from `start` to `end` on which `word` stands by itself, not as a part of a longer name.
    pub(super) fn with(&self, start: usize, end: usize, word: &str) -> Vec<usize> {
        self.lines(start, end).filter(|(_, line)| stands_in(line, word)).map(|(number, _)| number).collect()
    }
}

fn start_of(text: &str, characters: usize) -> &str {
    text.char_indices().nth(characters).and_then(|(at, _)| text.get(..at)).unwrap_or(text)
}

/// Whether `word` is in `line` with nothing before and behind it that would make it another name.
pub(super) fn stands_in(line: &str, word: &str) -> bool {
    let goes_on = |c: char| c.is_alphanumeric() || "_-+".contains(c);
    let may_precede = |c: Option<char>| c.is_none_or(|c| !goes_on(c) && c != '/' && c != '.');
    let may_follow = |mut rest: std::str::Chars<'_>| match rest.next() {
        None => true,
        // the end of a sentence or a glob, but not a name with an ending
        Some('.') => rest.next().is_none_or(char::is_whitespace),
        Some('/') => rest.next().is_none_or(|c| c.is_whitespace() || "*;&|\"'".contains(c)),
        Some(c) => !goes_on(c),
    };
    !word.is_empty()
        && line.match_indices(word).any(|(at, _)| {
            let (before, rest) = line.split_at_checked(at).unwrap_or_default();
            may_precede(before.chars().next_back()) && may_follow(rest.get(word.len()..).unwrap_or_default().chars())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instruction_is_one_line_without_comments_and_secrets() {
        let text = Text::new(b"\xef\xbb\xbfFROM a\r\nRUN TOKEN=abc \\\r\n  # why\n\n   make  all\nUSER x\xff\n", '\\');
        assert_eq!(text.joined(2, 5), "RUN TOKEN=abc make all");
        assert_eq!(text.shown(2, 5), "RUN TOKEN=**** make all");
        assert_eq!((text.shown(1, 1).as_str(), text.shown(6, 6).as_str()), ("FROM a", "USER x\u{fffd}"));
        assert_eq!(text.shown(7, 90), "");
    }

    #[test]
    fn a_very_long_instruction_is_cut() {
        let text = Text::new("@".repeat(1 << 20).as_bytes(), '\\');
        assert_eq!(text.shown(1, 1).len(), SHOWN + 4);
    }

    #[test]
    fn a_name_stands_by_itself() {
        for line in ["gcc", "install gcc;", "gcc=4:12", "(gcc)", "\"gcc\"", "a gcc. b"] {
            assert!(stands_in(line, "gcc"), "{line}");
        }
        for line in ["gcc-12", "libgcc", "gcc/x", "/usr/bin/gcc", "gcc.c", "g++", "", "gcc_", "agcc gccb"] {
            assert!(!stands_in(line, "gcc"), "{line}");
        }
        assert!(stands_in("chmod 4755 /bin/su", "/bin/su") && stands_in("rm -r /opt/x/*", "/opt/x"));
        assert!(!stands_in("/usr/bin/su", "/bin/su") && !stands_in("x", ""));
    }
}
