//! The report as it is published: the structs that the JSON schema is generated from. Field names are for ever.
//!
//! Paths are absolute in the image and escaped: `\xNN` where bytes are not printable UTF-8, a backslash doubled.

mod attribution;
mod comparison;
mod component;
mod entry;
mod filesystem;
mod place;
mod policy;
mod reach;
mod score;
pub mod why;

pub use attribution::{DockerfileReport, LocationReport, RelatedReport};
pub use comparison::{Comparison, FindingRow, Row, Side};
pub use component::ComponentReport;
pub use entry::EntryReport;
pub use filesystem::{FilesystemPart, FilesystemReport};
pub use place::{LimitReport, PlaceReport};
pub use policy::{ControlReport, LeftOutReport, PolicyReport, RuleReport, WaivedReport, WaiverReport};
pub use reach::{ReachReport, UnreachedReport};
pub use score::{
    BallastReport, BaselineReport, CapReport, Gain, Measurements, OffenderReport, PairReport, PartReport, ScoreReport,
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The report of one `plimsoll check`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// Version and address of this format.
    pub schema: Schema,
    /// The program that wrote the report.
    pub tool: Tool,
    /// What was read.
    pub source: SourceReport,
    /// What it was judged by.
    #[serde(default)]
    pub policy: PolicyReport,
    /// One for every image manifest that was verified, in the order of the index; empty when the source was refused.
    pub images: Vec<ImageReport>,
    /// Why the source as a whole could not be verified; empty otherwise.
    pub errors: Vec<ErrorReport>,
    /// The worst verdict of all images.
    pub verdict: Verdict,
}

/// Version and address of the report's format.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Schema {
    /// `MODEL.REVISION.ADDITION`: readers of the same MODEL can read the report.
    pub version: String,
    /// Where the JSON Schema is published.
    pub url: String,
}

/// The program that wrote the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tool {
    /// Always `plimsoll`.
    pub name: String,
    /// The program's version.
    pub version: String,
}

/// What was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SourceReport {
    /// `docker-archive`, `oci-archive`, `oci-layout`, `registry`; null when it was not recognised.
    pub kind: Option<String>,
    /// File or folder name without its folder, escaped; `-` for standard input; of a registry, the reference as it was asked for.
    pub name: String,
}

/// How an image was judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Everything was examined and nothing fails the policy.
    Pass,
    /// A finding fails the policy.
    Fail,
    /// The image could not be verified wholly; never a pass.
    Unverifiable,
}

/// One image.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ImageReport {
    /// Name as asked or annotated, escaped; null when there is none.
    pub reference: Option<String>,
    /// From the image config; null when it could not be read.
    pub platform: Option<PlatformReport>,
    /// Digest of the image manifest; null for archives without one.
    pub manifest_digest: Option<String>,
    /// Digest of the image config; null when it could not be read.
    pub config_digest: Option<String>,
    /// What the image says it is (`PRETTY_NAME` of os-release), escaped; null when it does not say.
    pub distribution: Option<String>,
    /// Layers, base first.
    pub layers: Vec<LayerReport>,
    /// The base image, as far as known; null when nothing tells it.
    pub base: Option<BaseReport>,
    /// The Dockerfile that it was built from; null when none is known.
    #[serde(default)]
    pub dockerfile: Option<DockerfileReport>,
    /// Who the container runs as; null when the tree is not known.
    pub user: Option<UserReport>,
    /// The health check; null when the config could not be read.
    pub healthcheck: Option<HealthcheckReport>,
    /// Numbers read off the image; null when the tree is not known.
    pub measurements: Option<Measurements>,
    /// Bytes that the application does not need at run time; null when the tree is not known.
    pub ballast: Option<BallastReport>,
    /// The folders and files of the final filesystem that weigh most; null when the tree is not known.
    #[serde(default)]
    pub filesystem: Option<FilesystemReport>,
    /// Which packages of the operating system the start-up path needs; null when the tree is not known.
    #[serde(default)]
    pub reach: Option<ReachReport>,
    /// What is installed beside the packages of the system, sorted by kind, name, version and path; empty when the tree is not known.
    #[serde(default)]
    pub components: Vec<ComponentReport>,
    /// Where the image lies between two baselines; null when the tree is not known.
    pub score: Option<ScoreReport>,
    /// Findings, most severe first, then by what mending them gains, check, code and evidence. Waived ones are among them.
    pub findings: Vec<FindingReport>,
    /// Findings that the policy leaves out: how many of which check, and why; sorted.
    #[serde(default)]
    pub left_out: Vec<LeftOutReport>,
    /// Items of benchmarks that the policy maps, in its order; empty for policies without.
    #[serde(default)]
    pub controls: Vec<ControlReport>,
    /// Findings of tier info: worth knowing, judged by nobody.
    pub notes: Vec<FindingReport>,
    /// Paths on which the tree of overlay runtimes and that of sequential unpackers differ, sorted.
    pub trees_differ: Vec<DifferenceReport>,
    /// The verdict on this image.
    pub verdict: Verdict,
    /// Why it could not be verified; empty otherwise.
    pub errors: Vec<ErrorReport>,
    /// What was read and what was not.
    pub examined: Examined,
}

/// A platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlatformReport {
    /// GOOS value, escaped.
    pub os: String,
    /// GOARCH value, escaped.
    pub architecture: String,
    /// Variant of the architecture, escaped.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub variant: Option<String>,
}

/// One layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LayerReport {
    /// Position, base is 0.
    pub index: usize,
    /// Digest of the uncompressed tar, as the config names it.
    pub diff_id: String,
    /// Digest of the stored blob; null for archives without descriptors.
    pub digest: Option<String>,
    /// Media type of the descriptor, escaped; null for archives without descriptors.
    pub media_type: Option<String>,
    /// Bytes of the uncompressed tar.
    pub uncompressed_bytes: u64,
    /// Bytes of the stored blob, when it is compressed; null when it is not.
    pub compressed_bytes: Option<u64>,
    /// The instruction that made it, as the history tells, escaped; null when the history does not match the layers.
    pub instruction: Option<String>,
    /// `inherited` from the base image or `yours`; null when the base is not known.
    pub origin: Option<String>,
    /// The line of the Dockerfile that made it; absent when it is not known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub location: Option<LocationReport>,
}

/// The base image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BaseReport {
    /// Its name, escaped; null when only its layers are known.
    pub name: Option<String>,
    /// How many of the first layers are its own.
    pub layers: usize,
    /// `given` (--base), `policy` (the list of known bases), `provenance` (BuildKit) or `history`.
    pub told_by: String,
    /// `certain` (the layers' diff_ids are equal), `likely` or `guess`.
    pub confidence: String,
    /// Why, one clause.
    pub reason: String,
}

/// The effective user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UserReport {
    /// `config.User`, escaped; empty when unset.
    pub configured: String,
    /// Effective uid; null when it does not resolve.
    pub uid: Option<u32>,
    /// Effective gid; null when it does not resolve.
    pub gid: Option<u32>,
    /// Supplementary groups, sorted.
    pub groups: Vec<u32>,
    /// Whether the user resolves in the image's own databases.
    pub resolved: bool,
}

/// The health check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HealthcheckReport {
    /// Whether there is a test that Docker runs: `CMD` or `CMD-SHELL` with a command.
    pub present: bool,
    /// The test as configured, each word escaped.
    pub test: Vec<String>,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FindingReport {
    /// The check's id.
    pub check: String,
    /// The code, for findings about the image's form and its user.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub code: Option<String>,
    /// `low`, `medium`, `high` or `critical`; null for notes.
    pub severity: Option<String>,
    /// What sets it apart from others of its check, the same from build to build, escaped; absent where the check says one thing.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub subject: String,
    /// One sentence.
    pub message: String,
    /// How to mend it.
    pub fix: String,
    /// Where, sorted.
    pub evidence: Vec<EvidenceReport>,
    /// Lines of the Dockerfile that caused it, each once: own ones before those of the base, and by line; absent when none is known.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub locations: Vec<LocationReport>,
    /// Bytes that removing all of it saves in the final filesystem; absent when none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub bytes: Option<u64>,
    /// What mending it alone would change; absent for notes, and where there is no score.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub gain: Option<Gain>,
    /// `inherited` from the base image or `yours`; absent when the base is not known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub origin: Option<String>,
    /// Places that the policy's allow list took out of the evidence; absent when none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub allowed: Option<usize>,
    /// The waiver that accepts it; absent when none does.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub waived: Option<WaivedReport>,
    /// Whether this finding alone fails the policy.
    pub fails: bool,
}

/// One place of a finding.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EvidenceReport {
    /// Absolute path in the image, escaped.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub path: Option<String>,
    /// Index of the layer that wrote it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub layer: Option<usize>,
    /// Index into the finding's locations of the line that caused it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub location: Option<usize>,
    /// Index into the config's history of the instruction that wrote it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub history: Option<usize>,
    /// The config field.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub config: Option<String>,
    /// What the link points to, escaped.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub linkname: Option<String>,
    /// The package that owns the path, escaped.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub package: Option<String>,
    /// Whether the executable lies in a folder of the PATH that the container starts with; absent for what is no executable.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub on_path: Option<bool>,
    /// Bytes of the file; absent for links and further names.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub bytes: Option<u64>,
}

/// A path on which the two trees differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DifferenceReport {
    /// Absolute path, escaped.
    pub path: String,
    /// What overlay runtimes show there.
    pub stacked: String,
    /// What sequential unpackers make there.
    pub sequential: String,
}

/// Why something could not be verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ErrorReport {
    /// The code.
    pub code: String,
    /// Place, numbers and advice, one sentence.
    pub message: String,
    /// Where; empty when it is the source as a whole.
    pub place: PlaceReport,
    /// The limit that was hit.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub limit: Option<LimitReport>,
}

/// What was read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Examined {
    /// Layers read to the last byte.
    pub layers: usize,
    /// Tar entries of all layers.
    pub entries: u64,
    /// Uncompressed bytes of all layers.
    pub bytes: u64,
    /// Regular files whose content was looked at.
    pub files_inspected: u64,
    /// What could not be looked at.
    pub not_examined: Vec<NotExaminedReport>,
}

/// Something that could not be looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NotExaminedReport {
    /// Path, escaped; null when it is not one file.
    pub path: Option<String>,
    /// Index of the layer; null when it is not one layer.
    pub layer: Option<usize>,
    /// Why.
    pub reason: String,
}
