//! Which of an image's first layers belong to the image that it was built on, and how sure that is.

mod cut;
mod provenance;
mod times;

use super::provenance::Provenance;
use crate::oci::{DiffId, History};

/// The base image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// What it is called, raw; None when only its layers are known.
    pub name: Option<String>,
    /// How many of the first layers are its own; at least one, and at most all.
    pub layers: usize,
    /// What tells it.
    pub told_by: ToldBy,
    /// How sure it is.
    pub confidence: Confidence,
    /// Why, one clause.
    pub reason: String,
}

/// What tells the base, strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ToldBy {
    /// The user gave the base image.
    Given,
    /// The policy's list of known bases.
    Policy,
    /// A BuildKit provenance attestation.
    Provenance,
    /// The history.
    History,
}

impl ToldBy {
    /// The name in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Given => "given",
            Self::Policy => "policy",
            Self::Provenance => "provenance",
            Self::History => "history",
        }
    }
}

/// How sure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    /// The diff_ids are equal.
    Certain,
    /// The builder says so.
    Likely,
    /// A habit of builders.
    Guess,
}

impl Confidence {
    /// The name in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Certain => "certain",
            Self::Likely => "likely",
            Self::Guess => "guess",
        }
    }
}

/// Layers that are known to make up an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// What it is called.
    pub name: String,
    /// Its layers' diff_ids, `sha256:...`, base first.
    pub diff_ids: Vec<String>,
    /// `Given` or `Policy`.
    pub told_by: ToldBy,
}

/// What an image tells of its own making.
#[derive(Debug, Clone, Copy)]
pub struct Making<'a> {
    /// The config's diff_ids, base first.
    pub diff_ids: &'a [DiffId],
    /// The layers' blob digests, where the manifest has them, `sha256:...`.
    pub layer_digests: &'a [Option<String>],
    /// The config's history.
    pub history: &'a [History],
    /// What the builder states, attached to the image.
    pub provenance: &'a [Provenance],
}

/// Finds the base: the longest known image whose layers are the first ones, else what provenance says, else what history suggests.
///
/// Only the first is proof: provenance and history are what the image's maker wrote.
#[must_use]
pub fn find(known: &[Known], making: &Making<'_>) -> Option<Base> {
    of_known(known, making).or_else(|| provenance::base(making)).or_else(|| cut::base(making))
}

/// The longest known image whose diff_ids are the image's first ones. At equal length what the user gave comes before the
/// policy, and what stands first before what follows.
fn of_known(known: &[Known], making: &Making<'_>) -> Option<Base> {
    let image: Vec<String> = making.diff_ids.iter().map(ToString::to_string).collect();
    let is_first = |known: &&Known| !known.diff_ids.is_empty() && image.starts_with(&known.diff_ids);
    // of several equal ones, min_by_key takes the first
    let found = known.iter().filter(is_first).min_by_key(|known| (std::cmp::Reverse(known.diff_ids.len()), known.told_by))?;
    let layers = found.diff_ids.len();
    Some(Base {
        name: Some(found.name.clone()),
        layers,
        told_by: found.told_by,
        confidence: Confidence::Certain,
        reason: match layers {
            1 => "the image's first diff_id is that of this base image".to_owned(),
            _ => format!("the image's first {layers} diff_ids are those of this base image"),
        },
    })
}

#[cfg(test)]
mod tests;
