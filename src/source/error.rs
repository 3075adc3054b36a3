//! What can be wrong with a source: malformed, over a limit, or the world failed.

use crate::limits::LimitHit;
use crate::oci::{Code, Place};

/// Why a source, or one image of it, cannot be verified. Every message says what was found and, where it helps, what to type.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Not an image, or not one that can be read.
    #[error("{found}{}{advice}", if advice.is_empty() { "" } else { ": " })]
    NotAnImage {
        /// The document or member.
        place: Place,
        /// What was found.
        found: String,
        /// What to do.
        advice: String,
    },
    /// A document or blob of the graph is wrong in a way that has a code of its own.
    #[error("{detail}")]
    Graph {
        /// The code.
        code: Code,
        /// The document.
        place: Place,
        /// Place and numbers, one clause.
        detail: String,
    },
    /// The name or platform asked for is not there, or one must be chosen.
    #[error("{detail}; choose with {option}: {}", choices.join(", "))]
    Choice {
        /// `archive-several-images` or `image-not-found`.
        code: Code,
        /// What was asked for and found.
        detail: String,
        /// The option to type, `--image` or `--platform`.
        option: &'static str,
        /// The values that would work, escaped and sorted.
        choices: Vec<String>,
    },
    /// A registry could not be asked, or does not give what it was asked for.
    #[error("{detail}{}{advice}", if advice.is_empty() { "" } else { ": " })]
    Registry {
        /// `registry-unreachable`, `registry-unauthorized`, `registry-not-found` or `registry-error`.
        code: Code,
        /// The registry's host.
        place: Place,
        /// What happened, with the registry's own words, escaped and cut; no secret.
        detail: String,
        /// What to type.
        advice: String,
    },
    /// The outer archive.
    #[error(transparent)]
    Archive(#[from] crate::archive::Error),
    /// A limit was hit.
    #[error(transparent)]
    Limit(#[from] LimitHit),
    /// The world failed.
    #[error("cannot read {what}: {cause}")]
    Io {
        /// File, folder or member, escaped.
        what: String,
        /// The system's reason.
        cause: std::io::Error,
    },
}

impl Error {
    /// The finding code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::NotAnImage { .. } => Code::NotAnImage,
            Self::Graph { code, .. } | Self::Choice { code, .. } | Self::Registry { code, .. } => *code,
            Self::Archive(error) => error.code(),
            Self::Limit(_) => Code::LimitExceeded,
            Self::Io { .. } => Code::InputUnreadable,
        }
    }

    /// Where.
    #[must_use]
    pub fn place(&self) -> Place {
        match self {
            Self::NotAnImage { place, .. } | Self::Graph { place, .. } | Self::Registry { place, .. } => place.clone(),
            Self::Io { what, .. } => Place::document(what.clone()),
            Self::Choice { .. } | Self::Archive(_) | Self::Limit(_) => Place::default(),
        }
    }
}
