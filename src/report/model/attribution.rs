//! Where in the source a finding comes from: lines of the Dockerfile, as they are published.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The Dockerfile that an image was built from, as far as known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DockerfileReport {
    /// Its path from the root of the repository, parts joined by `/`, escaped; with confidence `none`, that of the one that comes
    /// closest.
    pub file: String,
    /// `provenance` (BuildKit's attestation in the image), `given` (--dockerfile) or `source-root` (found below --source-root).
    pub found_by: String,
    /// The stage that the image is: its name, or its number from 0; null when it is not known.
    pub target: Option<String>,
    /// How its lines are known: as the `confidence` of a location; `given` or `none` when they are not.
    pub confidence: String,
    /// Why, one clause.
    pub detail: String,
}

/// One line of the source, and how sure it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LocationReport {
    /// The file's path from the root of the repository, parts joined by `/`, escaped.
    pub file: String,
    /// The line to show, from 1.
    pub line: usize,
    /// The first line of the instruction.
    pub start_line: usize,
    /// The last line of the instruction.
    pub end_line: usize,
    /// `exact` (the builder's provenance says so), `aligned` (the history and the Dockerfile agree instruction by instruction),
    /// `stage` (of one layer that holds a whole stage, or of the image as a whole), `base` (what the base image brought: the FROM),
    /// `given` (the Dockerfile was named, and does not agree with the image).
    pub confidence: String,
    /// The instruction on one line, values that look like secrets taken out, escaped.
    pub instruction: String,
    /// The line's hash as code scanning computes it (`primaryLocationLineHash`); absent when the file is not at hand.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub line_hash: Option<String>,
    /// Where what the line brings was made: for COPY --from, the instructions of that stage.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub related: Vec<RelatedReport>,
}

/// A line that belongs to a location.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RelatedReport {
    /// The file's path from the root of the repository, parts joined by `/`, escaped.
    pub file: String,
    /// The first line of the instruction, from 1.
    pub start_line: usize,
    /// The last line of the instruction.
    pub end_line: usize,
    /// The instruction on one line, values that look like secrets taken out, escaped.
    pub instruction: String,
}
