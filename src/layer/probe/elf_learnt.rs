//! How the reading of one ELF file ends.

use super::elf_facts::ElfFacts;
use crate::limits::LimitHit;

/// What an ELF file taught.
#[derive(Debug)]
pub(super) enum Learnt {
    /// The facts, and why some may be missing.
    Facts(Box<ElfFacts>, Option<String>),
    /// No loader takes it: why.
    Broken(String),
    /// It may be fine; the facts lie where they were not looked for.
    NotExamined(String),
}

/// Why there are no facts, or not all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// No loader takes it.
    Broken(String),
    /// They lie where they were not looked for.
    NotExamined(String),
    /// Some do.
    Partly(String),
}

impl From<LimitHit> for Failure {
    fn from(hit: LimitHit) -> Self {
        Self::NotExamined(hit.to_string())
    }
}

/// As an error.
pub(super) fn broken<T>(reason: impl Into<String>) -> Result<T, Failure> {
    Err(Failure::Broken(reason.into()))
}
