//! Keys of entries: what an entry is about, who made it, and the name it is kept under.

use std::fmt;
use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

/// Counts the forms of what is written. To be raised whenever the same bytes would be written otherwise, or mean something else: a
/// test compares the written form of a fixture with a recorded digest, and fails until both are changed.
pub(super) const FORMAT: u32 = 5;

/// What is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Layer indexes.
    Layer,
    /// Bodies of files, read again.
    Bodies,
    /// Reports.
    Verdict,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Layer, Self::Bodies, Self::Verdict];

    /// The name of its folder.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Layer => "layers",
            Self::Bodies => "bodies",
            Self::Verdict => "verdicts",
        }
    }
}

/// Names one entry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    kind: Kind,
    text: Box<str>,
    name: Box<str>,
}

impl Key {
    /// The key of what this program keeps of `kind` about `subject`, a text that says everything the entry depends on.
    #[must_use]
    pub fn new(kind: Kind, subject: &str) -> Self {
        let text = format!("plimsoll {} format {FORMAT}\n{}\n{subject}", engine(), kind.as_str());
        let name = hex(&Sha256::digest(text.as_bytes()));
        Self { kind, text: text.into(), name: name.into() }
    }

    /// What is kept.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Everything that the entry depends on, in words. It stands inside the entry, and is compared.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// 64 lower-case hex digits, the SHA-256 of the text.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.kind.as_str(), self.name)
    }
}

/// The version, and what else of the build decides what can be read.
fn engine() -> String {
    let zstd = if cfg!(feature = "zstd-c") { "+zstd" } else { "" };
    format!("{}{zstd}", env!("CARGO_PKG_VERSION"))
}

/// Lower-case hex digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len().saturating_mul(2)), |mut text, byte| {
        // writing to a String cannot fail
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kind_and_subject_tell_keys_apart() {
        let key = |kind, subject| Key::new(kind, subject).name().to_owned();
        assert_eq!(key(Kind::Layer, "a"), key(Kind::Layer, "a"));
        assert_ne!(key(Kind::Layer, "a"), key(Kind::Layer, "b"));
        assert_ne!(key(Kind::Layer, "a"), key(Kind::Verdict, "a"));
        assert_eq!(key(Kind::Layer, "a").len(), 64);
    }

    #[test]
    fn the_version_of_the_program_is_part_of_every_key() {
        assert!(Key::new(Kind::Verdict, "x").text().starts_with(&format!("plimsoll {}", env!("CARGO_PKG_VERSION"))));
    }
}
