//! Names that a policy may speak of.

use crate::checks;

/// What a policy may ask of the image as a whole; each is the id of a finding.
pub const REQUIREMENTS: [&str; 4] = ["image-too-large", "required-label", "score-too-low", "unapproved-base"];

/// Measurements that a score may weigh: those that every image has, under the names of the report.
pub const MEASUREMENTS: [&str; 15] = [
    "shipped_bytes",
    "file_bytes",
    "final_bytes",
    "toolchain_bytes",
    "cache_bytes",
    "documentation_bytes",
    "buried_bytes",
    "entries",
    "compilers",
    "package_managers",
    "os_packages",
    "executables",
    "setuid_files",
    "root",
    "healthcheck_missing",
];

/// Ids of built-in checks and of requirements.
pub(super) fn built_in() -> impl Iterator<Item = &'static str> {
    checks::ALL.iter().map(|check| check.id).chain(REQUIREMENTS)
}
