//! A policy applied to what the checks saw: severities, allow lists, thresholds, waivers.

use super::{Date, Policy};
use crate::finding::Finding;

/// What a policy may know of an image besides its findings.
#[derive(Debug, Clone, Default)]
pub struct Subject {
    /// Its names: as asked or annotated.
    pub references: Vec<String>,
    /// Manifest and config digest, `sha256:...`.
    pub digests: Vec<String>,
}

/// Why a finding was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LeftOut {
    /// The check is switched off.
    Off,
    /// It weighs less than the policy's threshold.
    BelowThreshold,
    /// All its evidence is on the allow list.
    Allowed,
}

impl LeftOut {
    /// The name in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::BelowThreshold => "below-threshold",
            Self::Allowed => "allowed",
        }
    }
}

/// What became of the findings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Judged {
    /// Those that stay, with severity, allowed places and waiver filled in, in the order they came in.
    pub findings: Vec<Finding>,
    /// Check and reason of each that was left out.
    pub left_out: Vec<(String, LeftOut)>,
}

/// Applies the policy. Waivers that expired before `as_of` do nothing.
#[must_use]
pub fn judge(_policy: &Policy, findings: Vec<Finding>, _subject: &Subject, _as_of: Date) -> Judged {
    Judged { findings, left_out: Vec::new() }
}
