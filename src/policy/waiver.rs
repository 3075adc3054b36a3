//! Waivers: findings that somebody accepted, for a reason and until a day.

use super::Date;

/// An accepted finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiver {
    /// Id of the check or rule.
    pub check: String,
    /// Glob over the paths of the evidence; None: whatever the evidence.
    pub path: Option<String>,
    /// Glob over the image's name; None: every image.
    pub image: Option<String>,
    /// Manifest or config digest; None: every image.
    pub digest: Option<String>,
    /// Why.
    pub reason: String,
    /// The last day on which it holds.
    pub expires: Date,
    /// Who answers for it.
    pub owner: Option<String>,
    /// Where it stands: file name and line, for messages.
    pub place: String,
}
