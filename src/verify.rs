//! The conductor: source, layers, tree, facts, checks, verdict. The only file that names every stage.

use std::sync::atomic::AtomicU64;

use crate::limits::Limits;
use crate::policy::Policy;
use crate::report::model::{EntryReport, Report};
use crate::source;

/// What to verify, and how.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The input and the choice of image and platform.
    pub source: source::Request,
    /// What fails.
    pub policy: Policy,
    /// Caps.
    pub limits: Limits,
}

/// How far the work is; counters only grow.
#[derive(Debug, Default)]
pub struct Progress {
    /// Uncompressed bytes of layers read.
    pub bytes: AtomicU64,
    /// Layers read to the end.
    pub layers_done: AtomicU64,
    /// Layers to read, as far as known.
    pub layers_total: AtomicU64,
}

/// Verifies an image. Never fails: what cannot be verified is in the report.
#[must_use]
pub fn verify(request: &Request, progress: &Progress) -> Report {
    let _ = (request, progress);
    unimplemented!()
}

/// Which of the two trees is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tree {
    /// What overlay runtimes mount.
    Stacked,
    /// What sequential unpackers make.
    Sequential,
}

/// One image's tree, for `plimsoll ls`.
#[derive(Debug)]
pub struct Listing {
    /// The entries, sorted by path bytes, and the report whose errors say what is missing.
    pub entries: Vec<EntryReport>,
    /// The report of the same run.
    pub report: Report,
}

/// Lists the final tree of the one image that `request` selects.
#[must_use]
pub fn list(request: &Request, tree: Tree, digest_files: bool, progress: &Progress) -> Listing {
    let _ = (request, tree, digest_files, progress);
    unimplemented!()
}
