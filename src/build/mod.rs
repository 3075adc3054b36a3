//! Who wrote it: the instruction of the image's history that made each layer.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

pub mod attribution;
pub mod base;
pub mod dockerfile;
mod instruction;
pub mod line_hash;
pub mod provenance;
mod redact;

pub use instruction::{arguments, tidy};
pub use redact::redact;

use crate::oci::History;

/// What made one layer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Step {
    /// Index into the history.
    pub history: Option<usize>,
    /// The instruction, tidied of builder noise (`/bin/sh -c #(nop)`, `# buildkit`), raw text, not escaped.
    pub instruction: Option<String>,
}

/// Pairs layers with the non-empty history entries; all steps are unknown when their numbers differ, since the history is
/// only what the builder says.
#[must_use]
pub fn steps(history: &[History], layers: usize) -> Vec<Step> {
    let made: Vec<_> = history.iter().enumerate().filter(|(_, entry)| !entry.empty_layer).collect();
    if made.len() != layers {
        return vec![Step::default(); layers];
    }
    made.into_iter()
        .map(|(index, entry)| Step { history: Some(index), instruction: instruction::tidy(&entry.created_by) })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(created_by: &str, empty_layer: bool) -> History {
        History { created_by: created_by.to_owned(), empty_layer, ..History::default() }
    }

    #[test]
    fn layers_pair_with_the_entries_that_made_one() {
        let history = [entry("ADD x /", false), entry("ENV A=1", true), entry("RUN y # buildkit", false), entry("", false)];
        let found = steps(&history, 3);
        assert_eq!(found.iter().map(|step| step.history).collect::<Vec<_>>(), [Some(0), Some(2), Some(3)]);
        assert_eq!(found[1].instruction.as_deref(), Some("RUN y"));
        assert_eq!(found[2].instruction, None);
    }

    #[test]
    fn nothing_is_known_when_the_numbers_differ() {
        let history = [entry("ADD x /", false), entry("CMD x", true)];
        assert_eq!(steps(&history, 2), [Step::default(), Step::default()]);
        assert!(steps(&history, 0).is_empty());
        assert_eq!(steps(&[], 1), [Step::default()]);
    }
}
