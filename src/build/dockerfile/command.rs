//! A joined line cut into keyword, flags and arguments.

use super::DockerfileError;

/// Every instruction that BuildKit knows.
pub(in crate::build) const KEYWORDS: [&str; 18] = [
    "ADD",
    "ARG",
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "FROM",
    "HEALTHCHECK",
    "LABEL",
    "MAINTAINER",
    "ONBUILD",
    "RUN",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
];

/// Characters of an unknown keyword that are kept for the error.
const SHOWN: usize = 32;

/// What parts words: blanks and the like, but neither line ends nor the spaces of other scripts.
pub(super) fn is_blank(c: char) -> bool {
    matches!(c, '\t' | '\u{b}' | '\u{c}' | '\r' | ' ')
}

/// The parts of one instruction.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Command {
    pub(super) keyword: &'static str,
    pub(super) flags: Vec<String>,
    pub(super) arguments: String,
}

impl Command {
    /// Cuts a joined line that starts at `line`. Err when its keyword is unknown.
    pub(super) fn split(text: &str, line: usize) -> Result<Self, DockerfileError> {
        let text = text.trim();
        let (word, rest) = text.split_once(is_blank).unwrap_or((text, ""));
        let Some(keyword) = KEYWORDS.into_iter().find(|known| known.eq_ignore_ascii_case(word)) else {
            return Err(DockerfileError::Unknown { line, keyword: word.chars().take(SHOWN).collect() });
        };
        let (flags, rest) = flags(rest);
        Ok(Self { keyword, flags, arguments: rest.trim().to_owned() })
    }

    /// Whether `<<` in it may begin a heredoc: not in exec form.
    pub(super) fn may_have_heredocs(&self) -> bool {
        let is_exec = || self.arguments.starts_with('[') && serde_json::from_str::<Vec<String>>(&self.arguments).is_ok();
        ["ADD", "COPY", "RUN"].contains(&self.keyword) && !is_exec()
    }
}

/// The words that start with `--`, unquoted and unescaped (always by `\`), and what follows them; `--` alone ends them.
fn flags(text: &str) -> (Vec<String>, &str) {
    let mut found = Vec::new();
    let mut left = text.trim_start();
    while left.starts_with("--") {
        let (word, rest) = word(left);
        if word == "--" {
            return (found, rest);
        }
        found.push(word);
        left = rest.trim_start();
    }
    (found, left)
}

/// The first word without its quotes and escapes, and what follows it.
fn word(text: &str) -> (String, &str) {
    let mut word = String::new();
    let mut quote = None;
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => word.extend(chars.next().map(|(_, escaped)| escaped)),
            _ if quote == Some(c) => quote = None,
            '\'' | '"' if quote.is_none() => quote = Some(c),
            _ if quote.is_none() && c.is_whitespace() => return (word, text.get(at..).unwrap_or_default()),
            _ => word.push(c),
        }
    }
    (word, "")
}
