//! Which packages of the operating system the start-up path needs, as it is published.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Packages that the start-up path needs, told by static analysis: nothing was run, and what application code starts or loads under
/// names that it makes up is not seen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReachReport {
    /// Packages of the operating system, in all databases.
    pub packages: usize,
    /// How many of them are reached from the start-up path; null when that cannot be told.
    pub reached: Option<usize>,
    /// Bytes of the files of the others in the final filesystem, each inode once; null with `reached`.
    pub unreached_bytes: Option<u64>,
    /// Why `reached` is null, one clause, escaped; null when it is not.
    pub unknown: Option<String>,
    /// Whether more may be needed than `reached` says, for the reasons in `not_known`.
    pub at_least: bool,
    /// What of the start-up path, of the health check and of their libraries could not be followed, each one clause, escaped.
    pub not_known: Vec<String>,
    /// The packages that are not reached and weigh most, heaviest first; at most 500.
    pub biggest: Vec<UnreachedReport>,
}

/// A package that nothing on the start-up path needs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UnreachedReport {
    /// Its name, escaped.
    pub name: String,
    /// Its version, escaped.
    pub version: String,
    /// Bytes of its files in the final filesystem, each inode once.
    pub bytes: u64,
    /// Index of the layer that wrote most of them; null when it has no files.
    pub layer: Option<usize>,
}
