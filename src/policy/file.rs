//! A policy file as TOML has it, one file by itself: every field may be absent, since another file may give it.
//!
//! These structs say which keys there are and of which kind; the published JSON Schema is made from their documentation.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::words::{Day, Degree, Letter, OneOrMany, Ordered, Size, Whose};

/// A policy of plimsoll: which findings fail an image, which are accepted, and what an image must fulfil.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PolicyFile {
    /// What reports call the policy; the file's name when absent. Not inherited.
    pub name: Option<String>,
    /// What the policy is for, in a sentence or two. Not inherited.
    pub description: Option<String>,
    /// What this policy is laid over: names of shipped policies (`default`, `strict`, `admission`, `cis-docker`) or paths of files,
    /// relative to this one. Of several, the later lies over the earlier.
    pub extends: Option<OneOrMany>,
    /// Findings of this severity and above fail the image, unless a waiver accepts them.
    pub fail_on: Option<Degree>,
    /// Whose findings fail: `all`, or `yours` alone, which leaves out what the base image brought.
    pub fail_on_origin: Option<Whose>,
    /// Whether an image may pass although some content could not be examined.
    pub allow_incomplete: Option<bool>,
    /// The least that the score must be; below it is a finding of `score-too-low`.
    pub floors: Option<FloorsTable>,
    /// What the policy says of single checks, by id: built-in checks, requirements and own rules.
    pub checks: BTreeMap<String, CheckTable>,
    /// Labels that the image must have, by name; a missing one is a finding of `required-label`.
    pub labels: BTreeMap<String, LabelTable>,
    /// What the image may be built on; another base is a finding of `unapproved-base`.
    pub base: Option<BaseTable>,
    /// The most that the image may weigh; above it is a finding of `image-too-large`.
    pub sizes: Option<SizesTable>,
    /// Accepted findings. Those of an extended policy stay.
    pub waivers: Vec<WaiverTable>,
    /// Rules of the policy's own. Those of an extended policy stay.
    pub rules: Vec<RuleTable>,
    /// Every number of the score.
    pub score: Option<ScoreTable>,
    /// Items of published benchmarks, and the checks that answer them. Those of an extended policy stay.
    pub controls: Vec<ControlTable>,
}

/// The least that the score must be.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FloorsTable {
    /// Points, 0 to 100.
    #[schemars(range(min = 0.0, max = 100.0))]
    pub score: Option<f64>,
    /// The worst grade that passes: `A`, `B`, `C`, `D` or `F`.
    pub grade: Option<Letter>,
}

/// What a policy says of one check.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CheckTable {
    /// `false` switches the check off: its findings are left out, and counted.
    pub enabled: Option<bool>,
    /// Instead of the check's own severity, in every case.
    pub severity: Option<Degree>,
    /// Findings whose evidence weighs less are left out, and counted.
    pub min_bytes: Option<Size>,
    /// Globs of paths that are accepted for good, such as `/usr/bin/python3*`. Evidence that matches is taken out; a finding
    /// with none left is left out, and counted. Replaces the list of an extended policy.
    pub allow: Option<Vec<String>>,
}

/// What a label must be.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LabelTable {
    /// `false` takes back what an extended policy requires.
    pub required: Option<bool>,
    /// A glob that the whole value must match; without it, any value but the empty one will do.
    pub value: Option<String>,
}

/// What an image may be built on.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BaseTable {
    /// Whether an image must be built on one of the allowed bases.
    pub required: Option<bool>,
    /// Base images, known by their layers. Those of an extended policy stay.
    pub allowed: Vec<KnownBaseTable>,
}

/// A base image that is known by its layers.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KnownBaseTable {
    /// What people call it, such as `debian:13.2-slim`.
    pub name: String,
    /// The diff_ids of its layers (`sha256:` and 64 hex digits), base first, as `docker image inspect` shows them under `RootFS`.
    #[schemars(length(min = 1))]
    pub diff_ids: Vec<String>,
}

/// The most that an image may weigh.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SizesTable {
    /// Sum of the uncompressed layers.
    pub shipped: Option<Size>,
    /// Sum of the layers as a registry stores them.
    pub compressed: Option<Size>,
    /// Bytes that the application does not need at run time.
    pub ballast: Option<Size>,
}

/// An accepted finding.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WaiverTable {
    /// Id of the check, requirement or rule whose findings are accepted.
    pub check: String,
    /// A glob that every path of the finding's evidence must match; without it, any finding of the check is accepted.
    pub path: Option<String>,
    /// A glob over the image's name, such as `registry.example.org/shop/*`; without it, every image.
    pub image: Option<String>,
    /// The digest of the image's manifest or config; without it, every image.
    pub digest: Option<String>,
    /// Why the finding is accepted.
    #[schemars(length(min = 1))]
    pub reason: String,
    /// The last day on which the waiver holds, such as `2027-03-31`.
    pub expires: Day,
    /// Who answers for it.
    pub owner: Option<String>,
}

/// A rule of the policy's own.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleTable {
    /// Lower-case letters, digits and dashes; no built-in check has it.
    #[schemars(regex(pattern = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$"))]
    pub id: String,
    /// A few words.
    #[schemars(length(min = 1))]
    pub title: String,
    /// How much it matters.
    pub severity: Degree,
    /// The expression over the facts of the image: true, or a list of paths that offend, is a finding.
    #[schemars(length(min = 1))]
    pub when: String,
    /// One sentence that says what is wrong.
    #[schemars(length(min = 1))]
    pub message: String,
    /// How to mend it.
    #[schemars(length(min = 1))]
    pub fix: String,
}

/// Every number of the score.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ScoreTable {
    /// The unit of byte measurements on the logarithmic scale: what is well below it hardly counts.
    pub bytes_unit: Option<Size>,
    /// The unit of counts on the logarithmic scale.
    #[schemars(range(min = 1))]
    pub count_unit: Option<u64>,
    /// Measurements that are weighed together. Replaces the groups of an extended policy.
    pub groups: Option<Vec<GroupTable>>,
    /// The least score of the grades `A`, `B`, `C` and `D`; below is `F`.
    pub grades: Option<GradesTable>,
    /// Findings that limit the grade whatever the score. Replaces the caps of an extended policy.
    pub caps: Option<Vec<CapTable>>,
}

/// Measurements that are weighed together.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupTable {
    /// What reports call the group.
    #[schemars(length(min = 1))]
    pub name: String,
    /// Weights by measurement. Only their proportions matter.
    pub weights: Ordered<f64>,
}

/// The least score of each grade, 0 to 100.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GradesTable {
    /// The least score of grade A.
    #[serde(rename = "A")]
    pub a: Option<f64>,
    /// The least score of grade B.
    #[serde(rename = "B")]
    pub b: Option<f64>,
    /// The least score of grade C.
    #[serde(rename = "C")]
    pub c: Option<f64>,
    /// The least score of grade D.
    #[serde(rename = "D")]
    pub d: Option<f64>,
}

/// The best grade that an image with such a finding can get.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CapTable {
    /// The best grade.
    pub grade: Letter,
    /// Findings of these checks; without it, of all. A cap names checks, a severity, or both.
    pub checks: Option<Vec<String>>,
    /// Findings of this severity and above.
    pub severity: Option<Degree>,
}

/// An item of a published benchmark or guide.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ControlTable {
    /// The benchmark and its version.
    #[schemars(length(min = 1))]
    pub framework: String,
    /// The item's number there.
    #[schemars(length(min = 1))]
    pub id: String,
    /// What it asks, in the policy's own words.
    #[schemars(length(min = 1))]
    pub title: String,
    /// Checks, requirements and rules that answer it; an empty list when an image alone cannot tell.
    pub checks: Vec<String>,
    /// What an image cannot tell of it.
    #[serde(default)]
    pub note: String,
}
