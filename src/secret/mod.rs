//! What a secret looks like: private keys, tokens of known formats, names whose values are secrets, files that hold credentials.
//!
//! Text in, [`Secret`]s out, and a secret's value never leaves this room: what is kept of it are its kind, its place, its length, at
//! most four characters, and sixteen bits that tell two of one form apart. One automaton looks for all formats; what follows a
//! format's start is then held against the format: its length, its alphabet, its checksum where it has one. How random a value
//! looks is only ever a second condition.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod alphabet;
mod assigned;
mod files;
mod formats;
mod kind;
mod names;
mod pem;
mod shapes;

pub use assigned::{Assigned, assigned};
pub use files::CredentialFile;
pub use formats::{Hit, tokens};
pub use kind::{Group, Kind};
pub use names::{is_placeholder, is_secret_name};
pub use pem::Keys;

use std::ops::Range;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Secrets of one text that are kept; further ones are counted.
pub const MOST_KEPT: usize = 16;

/// Characters of a value that are shown.
const SHOWN: usize = 4;
/// Of a value shorter than this, none is shown: four characters would be too much of it.
const SHORT: usize = 16;
/// Characters of a name that are kept.
const NAME: usize = 64;

/// A secret without its value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Secret {
    /// What it is.
    pub kind: Kind,
    /// The line it starts on, from 1.
    pub line: u32,
    /// Bytes of the value.
    pub length: u32,
    /// The value's first characters, at most four, printable; empty for short values and for keys.
    pub preview: Box<str>,
    /// What the text calls it, such as the name of a variable; raw, at most 64 characters.
    pub name: Option<Box<str>>,
    /// A key that a passphrase protects.
    pub is_encrypted: bool,
    /// Sixteen bits of the value's digest: too few to guess by, enough to tell whether a copy is the same.
    mark: u16,
}

impl Secret {
    /// The secret `value`, which starts on `line`.
    #[must_use]
    pub fn new(kind: Kind, line: u32, value: &[u8]) -> Self {
        let digest = Sha256::digest(value);
        let mark = digest.first_chunk().map_or(0, |bytes| u16::from_be_bytes(*bytes));
        Self {
            kind,
            line,
            length: u32::try_from(value.len()).unwrap_or(u32::MAX),
            preview: if kind.group() == Group::Key { Box::default() } else { preview(value) },
            name: None,
            is_encrypted: false,
            mark,
        }
    }

    /// The same with the name that the text gives it.
    #[must_use]
    pub fn called(self, name: &[u8]) -> Self {
        let name: String = String::from_utf8_lossy(name).chars().take(NAME).collect();
        Self { name: Some(name.into()), ..self }
    }

    /// Whether this is the same secret as another, as far as what is kept of both tells.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        (self.kind, self.length, self.mark) == (other.kind, other.length, other.mark)
    }
}

fn preview(value: &[u8]) -> Box<str> {
    if value.len() < SHORT {
        return Box::default();
    }
    let shown = value.iter().take(SHOWN).take_while(|byte| byte.is_ascii_graphic() && **byte != b'\\');
    shown.map(|byte| char::from(*byte)).collect::<String>().into()
}

/// The secrets of one file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secrets {
    /// In the order of the text, at most [`MOST_KEPT`].
    pub found: Vec<Secret>,
    /// How many more there are.
    pub more: u32,
}

impl Secrets {
    /// Keeps a secret, or counts it.
    pub fn push(&mut self, secret: Secret) {
        if self.found.len() < MOST_KEPT {
            self.found.push(secret);
        } else {
            self.more = self.more.saturating_add(1);
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }
}

/// All secrets of a text; `file` when its path says that it holds credentials. False when there were so many beginnings of secrets
/// that not every one was looked at.
#[must_use]
pub fn search(text: &[u8], file: Option<CredentialFile>) -> (Secrets, bool) {
    let mut secrets = Secrets::default();
    let mut lines = Lines::new(text);
    let of_file = file.map_or((Kind::NamedSecret, Vec::new()), |file| (file.kind(), file.credentials(text)));
    let mut of_file_lines = Lines::new(text);
    for credential in &of_file.1 {
        let secret = Secret::new(of_file.0, of_file_lines.of(credential.at), credential.value.as_bytes());
        secrets.push(if credential.name.is_empty() { secret } else { secret.called(credential.name.as_bytes()) });
    }
    // a file of credentials is one cause: its tokens are not said again
    let is_said = |hit: &Hit| hit.kind.group() == Group::Token && !of_file.1.is_empty();
    let is_whole = formats::each(text, &mut |hit| {
        if !is_said(&hit) {
            let value = text.get(hit.range.clone()).unwrap_or_default();
            let secret = Secret::new(hit.kind, lines.of(hit.range.start), value);
            secrets.push(Secret { is_encrypted: hit.is_encrypted, ..secret });
        }
    });
    (secrets, is_whole)
}

/// Numbers of lines, for offsets that grow.
#[derive(Debug)]
struct Lines<'t> {
    text: &'t [u8],
    at: usize,
    line: u32,
}

impl<'t> Lines<'t> {
    fn new(text: &'t [u8]) -> Self {
        Self { text, at: 0, line: 1 }
    }

    /// The line of an offset that is not before those asked for earlier.
    fn of(&mut self, offset: usize) -> u32 {
        let passed = self.text.get(self.at..offset).unwrap_or_default();
        let ends = memchr::memchr_iter(b'\n', passed).count();
        self.line = self.line.saturating_add(u32::try_from(ends).unwrap_or(u32::MAX));
        self.at = self.at.max(offset);
        self.line
    }
}

/// A range of bytes in a text.
type Span = Range<usize>;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
