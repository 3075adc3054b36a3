//! One file per check; here the type of a check and the list.
//!
//! A check observes and nothing else: it does no I/O, reads no clock, returns no error, knows no policy and no other check.

use crate::facts::Image;
use crate::finding::{Observation, Severity};

/// One rule, with all that is said about it anywhere: reports, `plimsoll explain`, `docs/checks.md`.
#[derive(Debug)]
pub struct Check {
    /// Kebab-case, names the bad thing, for ever.
    pub id: &'static str,
    /// A few words, as a heading.
    pub title: &'static str,
    /// The section of the catalogue.
    pub family: Family,
    /// The default severity.
    pub severity: Severity,
    /// When it fires, in one or two sentences of Markdown.
    pub what: &'static str,
    /// Why it matters, in one to three sentences of Markdown.
    pub why: &'static str,
    /// How to mend it: one sentence.
    pub fix: &'static str,
    /// A Dockerfile fragment that shows the fix.
    pub example: &'static str,
    /// CIS Docker Benchmark, NIST SP 800-190, OWASP, CWE: name and address.
    pub references: &'static [Reference],
    /// The release that brought it.
    pub since: &'static str,
    /// Looks at an image.
    pub run: fn(&Image) -> Vec<Observation>,
}

/// A published rule or text that a check follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reference {
    /// Such as `CIS Docker 4.1` or `CWE-250`.
    pub name: &'static str,
    /// Where it can be read.
    pub url: &'static str,
}

/// Sections of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// Programs that build programs.
    Toolchain,
    /// Package managers, their lists and caches.
    Packages,
    /// Users, set-id bits.
    Privilege,
    /// The image config.
    Config,
    /// The form of layers, manifests and archives.
    Layers,
}

impl Family {
    /// All families, in the order of the catalogue.
    pub const ALL: [Self; 5] = [Self::Toolchain, Self::Packages, Self::Privilege, Self::Config, Self::Layers];

    /// The lower-case name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Toolchain => "toolchain",
            Self::Packages => "packages",
            Self::Privilege => "privilege",
            Self::Config => "config",
            Self::Layers => "layers",
        }
    }
}

/// Every check, sorted by id.
pub const ALL: &[&Check] = &[];

/// The check called `id`.
#[must_use]
pub fn find(id: &str) -> Option<&'static Check> {
    ALL.iter().copied().find(|check| check.id == id)
}

/// Remarks of tier info: worth knowing, judged by nobody.
#[must_use]
pub fn notes(image: &Image) -> Vec<Observation> {
    let _ = image;
    Vec::new()
}
