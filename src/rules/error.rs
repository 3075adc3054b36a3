//! Why a rule is refused before any image is read, and why it cannot be decided on one image.

use crate::oci::escape_text;
use crate::policy::likest;

/// Characters of a policy's or an image's own words that a message repeats.
const SHOWN: usize = 60;

/// What is wrong, and at which byte of the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) at: u32,
    pub(super) reason: String,
}

impl Fault {
    pub(super) fn new(at: u32, reason: impl Into<String>) -> Self {
        Self { at, reason: reason.into() }
    }
}

/// Why an expression has no value on an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// The steps are used up: nothing can make up for that.
    Steps,
    /// The image lacks what is asked for. `||`, `&&`, `exists` and `all` get over it where the other side decides, as CEL says.
    Lacking(Fault),
}

impl Failure {
    pub(super) fn new(at: u32, reason: impl Into<String>) -> Self {
        Self::Lacking(Fault::new(at, reason))
    }
}

/// A word of the policy or the image, in quotes, escaped and cut.
pub(super) fn quoted(word: &str) -> String {
    let cut: String = word.chars().take(SHOWN).collect();
    let more = if cut.len() < word.len() { "..." } else { "" };
    format!("\"{}{more}\"", escape_text(&cut))
}

/// Line and column, from 1, of the character at a byte of the source.
pub(super) fn place(source: &str, at: u32) -> (usize, usize) {
    let at = usize::try_from(at).unwrap_or(usize::MAX);
    let (mut line, mut column) = (1_usize, 1_usize);
    for (_, character) in source.char_indices().take_while(|(byte, _)| *byte < at) {
        if character == '\n' {
            line = line.saturating_add(1);
            column = 1;
        } else {
            column = column.saturating_add(1);
        }
    }
    (line, column)
}

/// `; did you mean "x"?`, or which names there are.
pub(super) fn suggestion<'n>(word: &str, names: impl Iterator<Item = &'n str>) -> String {
    let names: Vec<&str> = names.collect();
    match likest(word, names.iter().copied()).first() {
        Some(name) => format!("; did you mean \"{name}\"?"),
        None => format!("; there are {}", names.join(", ")),
    }
}
