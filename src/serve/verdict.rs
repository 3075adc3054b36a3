//! What the hooks ask, and what they may be told.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::config::Profile;
use crate::oci::{Platform, Reference};
use crate::report::model::Verdict;

/// One question: what is to be said of this image under this profile?
#[derive(Debug, Clone)]
pub struct Ask {
    /// `host/repository`, without tag or digest, as the registry source takes it.
    pub repository: String,
    /// What names the manifest.
    pub subject: Subject,
    /// What the image is judged by.
    pub profile: Arc<Profile>,
    /// Platforms to judge; empty: all of an index.
    pub platforms: Vec<Platform>,
    /// With whose rights the registry is asked.
    pub access: Access,
    /// When the answer must be there.
    pub deadline: Instant,
    /// Whether work may be started and kept for later: false for dry runs.
    pub may_enqueue: bool,
}

/// What names the manifest.
#[derive(Debug, Clone)]
pub enum Subject {
    /// A tag: resolved once, and judged as the digest that it then names.
    Tag(String),
    /// A digest, `sha256:...`.
    Digest(String),
    /// The manifest itself, not pushed yet; its layers, or the manifests that it lists, are in the registry already.
    Manifest {
        /// The `Content-Type` that it was sent with.
        media_type: String,
        /// Exactly the bytes that will be forwarded.
        bytes: Arc<[u8]>,
    },
}

impl Subject {
    /// What names the manifest in a reference: a digest counts more than a tag.
    #[must_use]
    pub fn of(reference: &Reference) -> Self {
        match (reference.digest(), reference.tag()) {
            (Some(digest), _) => Self::Digest(digest.to_string()),
            (None, tag) => Self::Tag(tag.unwrap_or("latest").to_owned()),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => formatter.write_str(tag),
            Self::Digest(digest) => formatter.write_str(digest),
            Self::Manifest { bytes, .. } => write!(formatter, "a manifest of {} bytes", bytes.len()),
        }
    }
}

/// With whose rights the registry is asked.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum Access {
    /// As the configuration says for the host.
    #[default]
    Configured,
    /// With the caller's own `Authorization`, verbatim, for this request and nothing else.
    Caller(Arc<str>),
}

impl fmt::Debug for Access {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Configured => "Configured",
            // a secret never reaches a log
            Self::Caller(_) => "Caller(..)",
        })
    }
}

/// A verdict on one manifest under one policy, whatever it was asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// Digest of the manifest or index that was asked for.
    pub digest: String,
    /// The worst of its images. `Unverifiable` only for what is true of the bytes: malformed, or over a limit.
    pub verdict: Verdict,
    /// The lowest score of its images.
    pub score: Option<f64>,
    /// Ids of the checks that fail, the most severe first, each once; of an unverifiable image, codes.
    pub failing: Vec<String>,
    /// The limit that was hit, where one was.
    pub limit: Option<String>,
    /// The report, as `plimsoll check --format json` writes it.
    pub report: Arc<[u8]>,
}

/// What is known when the answer is due.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// There is a verdict.
    Judged(Arc<Judged>),
    /// There is none yet: the image is too big to be verified within the request, or time ran out.
    NotReady {
        /// After which time asking again is worth while.
        retry_after: Duration,
    },
    /// The registry refuses, or has no such image (401, 403, 404), or it is no registry that may be asked.
    Refused {
        /// One clause: which reference, which credential source.
        reason: String,
    },
    /// The registry cannot be asked now (429, 5xx, no connection, no answer in time).
    Unavailable {
        /// One clause.
        reason: String,
        /// What the registry asked for.
        retry_after: Option<Duration>,
    },
    /// A fault of ours.
    Fault {
        /// By which the log's entry is found.
        request: String,
    },
}

/// An answer that is on its way.
pub type Answering<'a> = Pin<Box<dyn Future<Output = Outcome> + Send + 'a>>;

/// Who can be asked: the engine, or a stand-in in tests.
pub trait Verdicts: Send + Sync {
    /// Looks the verdict up, verifies within the deadline where the profile allows it, and otherwise says why there is none.
    fn verdict(&self, ask: Ask) -> Answering<'_>;
}
