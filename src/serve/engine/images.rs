//! Where the engine gets images from.

use std::time::Duration;

use crate::report::model::Report;
use crate::serve::verdict::{Ask, Outcome};
use crate::source;

/// What can be asked of registries. Calls block; each is bounded by the source's own timeouts.
pub trait Images: Send + Sync {
    /// The digest that the question's subject names now, and how much there is to read. Not asked for manifests at hand.
    fn resolve(&self, ask: &Ask) -> Result<Resolved, Problem>;

    /// What is to be verified for the manifest `digest`: never another one, whatever the tag names by now.
    fn open(&self, ask: &Ask, digest: &str) -> Result<Opened, Problem>;
}

/// A manifest that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// `sha256:...`
    pub digest: String,
    /// Compressed bytes of all its layers; None when that takes more requests to know.
    pub bytes: Option<u64>,
}

/// What is verified.
#[derive(Debug)]
pub enum Opened {
    /// Something that the conductor can open.
    Request(Box<source::Request>),
    /// It was verified elsewhere.
    Report(Box<Report>),
}

/// Why there is nothing to verify.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The registry refuses, or has no such image.
    #[error("{reason}")]
    Refused {
        /// One clause: which reference, which credential source.
        reason: String,
    },
    /// The registry cannot be asked now.
    #[error("{reason}")]
    Unavailable {
        /// One clause.
        reason: String,
        /// What the registry asked for.
        retry_after: Option<Duration>,
    },
}

impl From<Problem> for Outcome {
    fn from(problem: Problem) -> Self {
        match problem {
            Problem::Refused { reason } => Self::Refused { reason },
            Problem::Unavailable { reason, retry_after } => Self::Unavailable { reason, retry_after },
        }
    }
}
