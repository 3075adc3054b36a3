//! Which findings decide the verdict.

use crate::finding::Finding;
pub use crate::finding::Severity;

/// What fails an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Findings of this severity and above fail.
    pub fail_on: Severity,
    /// Whether content that could not be examined may pass.
    pub allow_incomplete: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self { fail_on: Severity::High, allow_incomplete: false }
    }
}

impl Policy {
    /// Whether this finding fails the image.
    #[must_use]
    pub fn fails(&self, finding: &Finding) -> bool {
        finding.severity >= self.fail_on
    }
}
