//! Several images side by side, as `plimsoll compare --format json` publishes it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Schema, ScoreReport, Tool, Verdict};

/// Several images side by side. The first is the one that the others are compared with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Comparison {
    /// Version and address of this format.
    pub schema: Schema,
    /// The program that wrote it.
    pub tool: Tool,
    /// The images, in the order of the command line.
    pub images: Vec<Side>,
    /// One for each measurement and each class of ballast, in a fixed order.
    pub rows: Vec<Row>,
    /// One for each finding that any of the images has, most severe first, then by check, code and subject.
    pub findings: Vec<FindingRow>,
    /// What is worse than in the first image, one clause each: new findings that fail the policy, severities that rose, lower scores.
    /// Empty when nothing is. `--no-worse` makes any of them a failure.
    pub worse: Vec<String>,
}

/// One image of a comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Side {
    /// File name of the image or of the saved report, escaped.
    pub source: String,
    /// The image's name, escaped; null when it has none.
    pub reference: Option<String>,
    /// Operating system and architecture, escaped; null when unknown.
    pub platform: Option<String>,
    /// Manifest digest, or config digest where there is no manifest.
    pub digest: Option<String>,
    /// Its verdict when it was checked.
    pub verdict: Verdict,
    /// Its score by the policy and baselines of this comparison, whatever those of a saved report were.
    pub score: Option<ScoreReport>,
    /// Findings that are not waived.
    pub findings: usize,
    /// Findings that the first image has and this one has not.
    pub fixed: usize,
    /// Findings that this image has and the first one has not.
    pub added: usize,
    /// Findings that both have.
    pub kept: usize,
}

/// One number of every image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Row {
    /// The measurement; `ballast`, or `ballast:CLASS`.
    pub name: String,
    /// A word or two for people.
    pub label: String,
    /// `bytes`, `count` or `yes-no`.
    pub unit: String,
    /// By image; null where it was not measured.
    pub values: Vec<Option<u64>>,
}

/// One finding, over all images.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FindingRow {
    /// The check's id.
    pub check: String,
    /// The code, for findings about the image's form and its user.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub code: Option<String>,
    /// What sets it apart from others of its check; absent where the check says one thing.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub subject: String,
    /// By image: its severity there, null where it is not found.
    pub severities: Vec<Option<String>>,
    /// By image: whether a waiver accepts it there.
    pub waived: Vec<bool>,
    /// Of the last image that has it.
    pub message: String,
    /// The last image compared with the first: `added`, `fixed`, `kept`, or `absent` from both.
    pub change: String,
}
