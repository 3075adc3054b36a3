//! What a policy makes of findings, as it is published.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What images were judged by.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PolicyReport {
    /// A shipped policy's name, or the file's name without its folder, escaped.
    pub name: String,
    /// `low`, `medium`, `high` or `critical`: findings of this severity and above fail.
    pub fail_on: String,
    /// The day by which waivers were judged; null when the policy has none.
    pub as_of: Option<String>,
    /// Every waiver of the policy, in its order.
    pub waivers: Vec<WaiverReport>,
    /// Every rule of the policy's own, sorted by id.
    #[serde(default)]
    pub rules: Vec<RuleReport>,
}

/// A rule of the policy's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RuleReport {
    /// Its id.
    pub id: String,
    /// A few words, escaped.
    pub title: String,
    /// `low`, `medium`, `high` or `critical`.
    pub severity: String,
    /// What is wrong where it holds, escaped.
    pub message: String,
    /// How to mend it, escaped.
    pub fix: String,
}

/// A waiver, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WaiverReport {
    /// Id of the check or rule.
    pub check: String,
    /// Glob over paths; null: any.
    pub path: Option<String>,
    /// Glob over the image's name; null: any.
    pub image: Option<String>,
    /// Digest of manifest or config; null: any.
    pub digest: Option<String>,
    /// Why, escaped.
    pub reason: String,
    /// The last day on which it holds.
    pub expires: String,
    /// Who answers for it, escaped; null when nobody is named.
    pub owner: Option<String>,
    /// File name and line of the policy, escaped.
    pub place: String,
    /// `used`, `unused` or `expired`.
    pub state: String,
}

/// The waiver that accepts a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WaivedReport {
    /// Index into the policy's waivers.
    pub waiver: usize,
    /// Why, escaped.
    pub reason: String,
    /// The last day on which it holds.
    pub expires: String,
    /// Who answers for it, escaped; null when nobody is named.
    pub owner: Option<String>,
}

/// Findings that a policy leaves out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct LeftOutReport {
    /// Id of the check or rule.
    pub check: String,
    /// `off`, `below-threshold` or `allowed`.
    pub reason: String,
    /// How many findings.
    pub findings: usize,
}

/// An item of a benchmark.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ControlReport {
    /// Such as `CIS Docker Benchmark 1.7.0`.
    pub framework: String,
    /// Its number there.
    pub id: String,
    /// What it asks.
    pub title: String,
    /// `pass`, `fail`, `waived`, or `not-verifiable` from an image.
    pub status: String,
    /// Checks, requirements and rules that answer it, sorted.
    pub checks: Vec<String>,
    /// How many unwaived findings of these checks there are.
    pub findings: usize,
    /// What an image cannot tell of it; empty when there is nothing to add.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub note: String,
}
