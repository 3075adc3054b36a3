//! Measurements, ballast, and where an image lies between a single-stage and a multi-stage baseline.
//!
//! ```text
//! Image, findings --ballast--> every byte's class --measure--> Measurements --points--> 0 to 100 --grade--> A to F
//!                                                      Pair of baselines --'                '--gain: again, without a finding
//! ```
//!
//! Every number stands in a policy ([`crate::policy::ScoreRule`]) or in a recorded baseline.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod ballast;
mod baseline;
mod gain;
mod grade;
mod measurements;
mod points;
#[cfg(test)]
mod tests;

pub use ballast::{Ballast, Class, FilesystemPart, Offender, ballast};
pub use baseline::{Baseline, BaselineError, Pair};
pub use gain::{Gain, gain};
pub use grade::{Graded, grade};
pub use measurements::{LayerBytes, Measurements, measure};
pub use points::{Part, Points, points};

/// Which baselines images are compared with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Choice {
    /// The pair of the language that the image runs.
    #[default]
    ByLanguage,
    /// This pair, whatever the image runs.
    Fixed {
        /// The pair.
        pair: Box<Pair>,
        /// Who chose it, one clause.
        chosen_by: String,
    },
}
