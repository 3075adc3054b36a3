//! Places in policy files: file, line, column.

use std::fmt;

/// Where something stands in a policy file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file as it was asked for; `policies/NAME.toml` of a shipped policy.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

impl Place {
    /// The first character of a file.
    #[must_use]
    pub fn start_of(file: &str) -> Self {
        Self { file: file.to_owned(), line: 1, column: 1 }
    }

    /// File name without its folder, and line: what reports say of a waiver.
    #[must_use]
    pub fn short(&self) -> String {
        let name = self.file.rsplit('/').next().unwrap_or(&self.file);
        format!("{name}:{}", self.line)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// Bytes before a column up to which characters are counted.
const LONG_LINE: usize = 4096;

/// A byte of one of the texts of a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Spot {
    /// Index of the text, in the order in which the files are laid over one another.
    pub(super) file: usize,
    /// Byte offset.
    pub(super) offset: usize,
}

/// The text of one file, and where its lines start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Text {
    /// The file as it was asked for.
    pub(super) name: String,
    content: String,
    starts: Vec<usize>,
}

impl Text {
    pub(super) fn new(name: String, content: String) -> Self {
        let newlines = content.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at.saturating_add(1));
        let starts = std::iter::once(0).chain(newlines).collect();
        Self { name, content, starts }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.content
    }

    /// The place of a byte; of one past the end, the end.
    pub(super) fn place(&self, offset: usize) -> Place {
        let line = self.line(offset);
        let start = self.starts.get(line.saturating_sub(1)).copied().unwrap_or(0);
        let before = self.content.get(start..offset.min(self.content.len())).unwrap_or_default();
        // of lines longer than anybody writes, bytes: a place must not take time in proportion to the file
        let column = if before.len() > LONG_LINE { before.len() } else { before.chars().count() };
        Place { file: self.name.clone(), line, column: column.saturating_add(1) }
    }

    /// The line of a byte, from 1.
    pub(super) fn line(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| *start <= offset.min(self.content.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_lines_and_columns_of_characters() {
        let text = Text::new("ci/team.toml".into(), "a\nüb\n".into());
        let of = |offset| {
            let place = text.place(offset);
            (place.line, place.column)
        };
        assert_eq!([of(0), of(1), of(2), of(4), of(6), of(99)], [(1, 1), (1, 2), (2, 1), (2, 2), (3, 1), (3, 1)]);
        assert_eq!(of(3), (2, 1), "the middle of a character is no place of its own");
        assert_eq!(text.place(4).to_string(), "ci/team.toml:2:2");
        assert_eq!(text.place(4).short(), "team.toml:2");
    }
}
