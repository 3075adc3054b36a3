//! A small reader of shell scripts: which simple commands stand in a straight line, and where it cannot tell.
//!
//! It knows words, quotes, operators, redirections and where compounds end. It expands nothing: a word with a variable or a substitution
//! is cut where that begins, and a compound is one opaque item of which only the names of its commands are known.

mod lexer;
mod reader;
#[cfg(test)]
mod tests;

pub(super) use reader::{Command, Item, Kind, Link, Opaque, Reading, read};

use crate::rootfs::NodeId;

/// A word of a command line, as far as it is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Word {
    /// The text; of a cut word, what stands before the part that is not known.
    pub(super) text: Vec<u8>,
    /// How much is known.
    pub(super) form: Form,
    /// How many bytes of the text come before any quote, escape or part that is not known.
    pub(super) plain: usize,
    /// The script in the image that it was written in; None for the config.
    pub(super) script: Option<NodeId>,
    /// The file that it names, where that is known already.
    pub(super) node: Option<NodeId>,
}

/// How much of a word is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Form {
    /// All.
    #[default]
    Whole,
    /// Its start.
    Cut,
    /// It stands for the arguments: `"$@"`.
    Arguments,
}

impl Word {
    /// A word of the config.
    pub(super) fn of(text: &str) -> Self {
        Self { text: text.as_bytes().to_vec(), plain: text.len(), ..Self::default() }
    }

    /// A word that `script` says; None for the config.
    pub(super) fn said_by(text: Vec<u8>, script: Option<NodeId>) -> Self {
        Self { plain: text.len(), text, script, ..Self::default() }
    }

    /// The text when all of it is known.
    pub(super) fn whole(&self) -> Option<&[u8]> {
        (self.form == Form::Whole).then_some(&self.text)
    }

    /// The text of a word without any quote.
    fn unquoted(&self) -> Option<&[u8]> {
        self.whole().filter(|text| text.len() == self.plain)
    }

    /// The name of `NAME=value`, when the word is an assignment.
    pub(super) fn assigned(&self) -> Option<&[u8]> {
        let end = self.text.iter().position(|byte| *byte == b'=').filter(|end| *end < self.plain)?;
        let name = self.text.get(..end)?;
        let name = name.strip_suffix(b"+").unwrap_or(name);
        let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        (name.first().is_some_and(|first| !first.is_ascii_digit()) && name.iter().all(is_name)).then_some(name)
    }
}
