//! The policies that are part of the program.

use std::path::Path;

/// Name and text of every shipped policy, the default one first.
pub const SHIPPED: [(&str, &str); 4] = [
    ("default", include_str!("../../policies/default.toml")),
    ("strict", include_str!("../../policies/strict.toml")),
    ("admission", include_str!("../../policies/admission.toml")),
    ("cis-docker", include_str!("../../policies/cis-docker.toml")),
];

/// The text of a shipped policy.
pub(super) fn text(name: &str) -> Option<&'static str> {
    SHIPPED.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// What places in a shipped policy are called.
pub(super) fn file_name(name: &str) -> String {
    format!("policies/{name}.toml")
}

/// Whether a word names a shipped policy, there or not, and not a file.
pub(super) fn is_name(word: &str) -> bool {
    !word.contains(['/', '\\']) && Path::new(word).extension().is_none_or(|ending| ending != "toml")
}
