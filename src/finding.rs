//! What is said of an image: observations made by checks, and the findings they become.

use crate::oci::Code;

/// How much a finding matters; the order is the order of weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub enum Severity {
    /// Worth knowing; seldom worth a release.
    Low,
    /// Should be mended in the next round.
    Medium,
    /// Should not be shipped.
    High,
    /// Must not be shipped.
    Critical,
}

impl Severity {
    /// All severities, lightest first.
    pub const ALL: [Self; 4] = [Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The lower-case name used in reports and arguments.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// Who brought what a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// Layers of the base image alone.
    Inherited,
    /// At least one of the image's own layers, or its config.
    Yours,
}

impl Origin {
    /// The lower-case name used in reports and policies.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Inherited => "inherited",
            Self::Yours => "yours",
        }
    }
}

/// Where an observation was made. All fields are optional: a config fault has no path, a file has no history line.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Evidence {
    /// Absolute path in the image, raw bytes.
    pub path: Option<Vec<u8>>,
    /// Index of the layer that wrote it, base first.
    pub layer: Option<usize>,
    /// Index into the config's history.
    pub history: Option<usize>,
    /// The config field, such as `config.User`.
    pub config: Option<String>,
    /// For a link: what it points to, raw bytes.
    pub linkname: Option<Vec<u8>>,
    /// Name of the package that owns the path.
    pub package: Option<String>,
    /// For an executable: whether it lies in a folder of PATH.
    pub on_path: Option<bool>,
    /// Bytes that removing this path alone would save (0 for links and further names of an inode).
    pub bytes: u64,
}

impl Evidence {
    /// Evidence that is a field of the image's config.
    #[must_use]
    pub fn of_config(field: &str) -> Self {
        Self { config: Some(field.to_owned()), ..Self::default() }
    }
}

/// What one run of a check saw: one cause, however many paths.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observation {
    /// Overrides the check's severity, where the catalogue says that a case weighs more or less.
    pub severity: Option<Severity>,
    /// The code of `docs/findings.md`, for findings about the image's form and its user.
    pub code: Option<Code>,
    /// What sets this observation apart from others of its check and code: a family of tools, a path. Raw, free of counts and sizes,
    /// so that the same cause has the same subject in the next build; empty where the check has one thing to say.
    pub subject: String,
    /// One sentence, without a full stop; names from the image already escaped.
    pub message: String,
    /// Where, sorted and without doubles once it leaves the conductor.
    pub evidence: Vec<Evidence>,
    /// A fix for this very case, when the check's general one can be bettered.
    pub fix: Option<String>,
}

/// An observation stamped with its check's id and its severity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The id of the check, of the policy's requirement, or of the policy's own rule.
    pub check: String,
    /// How much it matters.
    pub severity: Severity,
    /// What was seen.
    pub observation: Observation,
    /// Who brought it; None when the base image is not known.
    pub origin: Option<Origin>,
    /// Whether that is certain: the base's layers are known by their diff_ids, not by what the image's maker wrote of them.
    pub is_origin_certain: bool,
    /// Index of the policy's waiver that accepts it.
    pub waiver: Option<usize>,
    /// Places of evidence that the policy's allow list took out.
    pub allowed: usize,
}

impl Finding {
    /// An observation as it comes from a check, before a policy looks at it.
    #[must_use]
    pub fn new(check: &str, severity: Severity, observation: Observation) -> Self {
        Self { check: check.to_owned(), severity, observation, origin: None, is_origin_certain: false, waiver: None, allowed: 0 }
    }
}

impl Finding {
    /// Bytes of all its evidence.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.observation.evidence.iter().fold(0, |sum, evidence| sum.saturating_add(evidence.bytes))
    }
}
