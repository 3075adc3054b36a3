//! Which findings count, how much, and what is accepted: the policy, its waivers and its own rules.
//!
//! A policy is data: TOML files that extend one another (`file`, `load`), resolved to one [`Policy`]. `judge` applies it to findings,
//! `requirement` to the image as a whole. Nothing here reads a file or a clock: both come from the caller.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod chain;
pub mod control;
pub mod effective;
mod error;
pub mod file;
pub mod glob;
mod grade;
pub mod judge;
mod likeness;
mod load;
mod measure;
mod place;
pub mod requirement;
mod resolve;
mod shipped;
mod size;
#[cfg(test)]
mod tests;
mod tree;
mod waiver;
mod words;

use std::collections::BTreeMap;

use serde::Serialize;
use sha2::{Digest as _, Sha256};

pub use crate::finding::Severity;
pub use crate::oci::Date;
pub use error::PolicyError;
pub use grade::Grade;
pub use likeness::likest;
pub use load::{Compile, Loaded, Read, load};
pub use measure::{Measure, Unit};
pub use place::Place;
pub use shipped::SHIPPED;
pub use waiver::{Waiver, WaiverState};

use crate::finding::{Finding, Origin};
use crate::oci::{Algorithm, Digest};

/// A policy with everything that it extends laid under it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Policy {
    /// Its name: that of a shipped policy, or the file's.
    pub name: String,
    /// Unwaived findings of this severity and above fail.
    pub fail_on: Severity,
    /// Whose findings fail.
    pub fail_on_origin: Scope,
    /// Whether content that could not be examined may pass.
    pub allow_incomplete: bool,
    /// The least that the score must be.
    pub floors: Floors,
    /// By id: built-in checks and own rules. A check that is not listed runs with its own severity.
    pub checks: BTreeMap<String, CheckRule>,
    /// Labels that must be there: name, and what the value must match.
    pub labels: BTreeMap<String, LabelRule>,
    /// What the image may be built on.
    pub base: BaseRule,
    /// The most that the image may weigh.
    pub sizes: SizeRule,
    /// Accepted findings.
    pub waivers: Vec<Waiver>,
    /// The policy's own rules.
    pub rules: Vec<Rule>,
    /// Every number of the score.
    pub score: ScoreRule,
    /// Items of published benchmarks, and the checks that answer them.
    pub controls: Vec<Control>,
}

/// Whose findings fail an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub enum Scope {
    /// All.
    #[default]
    All,
    /// Those that the image's own layers and config brought. Where the base is not known for certain (by diff_ids), all.
    Yours,
}

/// The least that the score must be.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Floors {
    /// 0 to 100.
    pub score: Option<f64>,
    /// The worst grade that passes.
    pub grade: Option<Grade>,
}

/// What a policy says of one check.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct CheckRule {
    /// Switched off: its findings are left out, and counted.
    pub is_off: bool,
    /// Instead of the check's own severity, whatever the check says of the case.
    pub severity: Option<Severity>,
    /// Findings whose evidence weighs less are left out, and counted.
    pub min_bytes: Option<u64>,
    /// Path globs of evidence that is accepted for good.
    pub allow: Vec<String>,
}

/// What a required label's value must be.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct LabelRule {
    /// A glob over the whole value; None: anything but the empty string.
    pub value: Option<String>,
}

/// What an image may be built on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct BaseRule {
    /// Whether an image on none of the known bases is a finding.
    pub is_required: bool,
    /// Known bases.
    pub allowed: Vec<KnownBase>,
}

/// A base image, known by its layers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KnownBase {
    /// What people call it.
    pub name: String,
    /// Its layers' diff_ids (`sha256:...`), base first.
    pub diff_ids: Vec<String>,
}

/// The most that an image may weigh, in bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct SizeRule {
    /// Sum of the uncompressed layers.
    pub shipped: Option<u64>,
    /// Sum of the stored layers.
    pub compressed: Option<u64>,
    /// Ballast.
    pub ballast: Option<u64>,
}

/// A rule that the policy brings itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// Kebab-case; no built-in check has it.
    pub id: String,
    /// A few words.
    pub title: String,
    /// How much it matters.
    pub severity: Severity,
    /// The expression: a truth value, or a list of offending paths (see docs/rules.md).
    pub when: String,
    /// One sentence that says what is wrong.
    pub message: String,
    /// How to mend it.
    pub fix: String,
}

/// Every number of the score.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct ScoreRule {
    /// Groups of measurements, for people: group name, and its measurements with their weights, in the order of the file.
    pub groups: Vec<Group>,
    /// The unit of byte measurements on the logarithmic scale.
    pub bytes_unit: u64,
    /// The unit of counts.
    pub count_unit: u64,
    /// The least score of each grade, best first; what is below the last has grade F.
    pub grades: Vec<(Grade, f64)>,
    /// What must not be averaged away.
    pub caps: Vec<Cap>,
}

/// Measurements that are weighed together.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Group {
    /// Such as `build tools`.
    pub name: String,
    /// The measurement, its weight.
    pub weights: Vec<(Measure, f64)>,
}

/// The best grade that an image with such a finding can get. Waived findings do not count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cap {
    /// The best grade.
    pub grade: Grade,
    /// Findings of these checks; empty: of all.
    pub checks: Vec<String>,
    /// Findings of this severity and above.
    pub severity: Option<Severity>,
}

/// An item of a published benchmark or guide.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Control {
    /// Such as `CIS Docker Benchmark 1.7.0`.
    pub framework: String,
    /// Its number there.
    pub id: String,
    /// What it asks, in our words.
    pub title: String,
    /// Checks, requirements and rules that answer it; empty: an image alone cannot tell.
    pub checks: Vec<String>,
    /// What an image cannot tell of it, or why it cannot tell at all.
    pub note: String,
}

impl Default for Policy {
    /// A policy that says nothing: every check with its own severity, `high` fails, no score.
    fn default() -> Self {
        Self {
            name: "none".to_owned(),
            fail_on: Severity::High,
            fail_on_origin: Scope::default(),
            allow_incomplete: false,
            floors: Floors::default(),
            checks: BTreeMap::new(),
            labels: BTreeMap::new(),
            base: BaseRule::default(),
            sizes: SizeRule::default(),
            waivers: Vec::new(),
            rules: Vec::new(),
            score: ScoreRule::default(),
            controls: Vec::new(),
        }
    }
}

impl Policy {
    /// The digest of everything that the policy says, whatever files it came from and how they were written: SHA-256 of its JSON.
    /// Names and places are part of it, since reports name them.
    #[must_use]
    pub fn digest(&self) -> Digest {
        // numbers and texts, in maps with texts as keys: nothing that JSON does not have
        let json = serde_json::to_vec(self).unwrap_or_default();
        Digest::of_bytes(Algorithm::Sha256, &Sha256::digest(json))
    }

    /// The last day of those waivers that are over. Between two such days the same waivers hold, so that what was judged on one day
    /// of such a time is judged so on all of them.
    #[must_use]
    pub fn last_expiry(&self, as_of: Date) -> Option<Date> {
        self.waivers.iter().filter(|waiver| !waiver.holds(as_of)).map(|waiver| waiver.expires).max()
    }

    /// Whether this finding fails the image.
    #[must_use]
    pub fn fails(&self, finding: &Finding) -> bool {
        // history and unsigned provenance are the image maker's word: they excuse nothing
        let is_excused =
            self.fail_on_origin == Scope::Yours && finding.origin == Some(Origin::Inherited) && finding.is_origin_certain;
        finding.severity >= self.fail_on && finding.waiver.is_none() && !is_excused
    }
}
