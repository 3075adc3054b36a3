//! Recorded measurements of reference images, and the pairs that images are compared with.
//!
//! The shipped ones lie in `policies/baselines`, each with the recipe that it was built from. A file is TOML:
//!
//! ```toml
//! family = "python"
//! stage = "single"
//! recipe = "policies/baselines/python/Dockerfile.single-stage"
//! date = "2026-11-21"
//! digest = "sha256:..."            # of the image config
//! packages = ["python3 3.11.2-1"]  # of the operating system, with versions
//!
//! [measurements]
//! shipped_bytes = 123
//! ```

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::facts::Language;
use crate::policy::{Date, Measure};

use super::Measurements;

/// A recorded image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Baseline {
    /// Such as `python`.
    pub family: String,
    /// `single` or `multi`.
    pub stage: String,
    /// The recipe, or the image's name.
    pub recipe: String,
    /// The day it was recorded, `YYYY-MM-DD`; empty when it was measured just now.
    pub date: String,
    /// Digest of the image config.
    pub digest: String,
    /// Packages of the operating system with their versions, sorted.
    pub packages: Vec<String>,
    /// The numbers.
    pub measurements: Measurements,
}

/// The two ends of the scale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// Such as `python`; `own` for the user's own.
    pub name: String,
    /// 0 points.
    pub single: Baseline,
    /// 100 points.
    pub multi: Baseline,
}

/// Why a baseline cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BaselineError {
    /// The text is not what `plimsoll baseline record` writes.
    #[error("{file}: {reason}; a baseline is recorded with `plimsoll baseline record`")]
    Malformed {
        /// The file.
        file: String,
        /// What is wrong, with line and column where known.
        reason: String,
    },
    /// There is no such pair.
    #[error("there is no baseline pair {name}; there are {known}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    family: String,
    stage: String,
    recipe: String,
    date: String,
    digest: String,
    #[serde(default)]
    packages: Vec<String>,
    measurements: BTreeMap<String, u64>,
}

impl Baseline {
    /// Reads a recorded baseline; `file` is what messages call it.
    pub fn parse(text: &str, file: &str) -> Result<Self, BaselineError> {
        let malformed = |reason: String| BaselineError::Malformed { file: file.to_owned(), reason };
        let parsed: File = toml::from_str(text).map_err(|error| malformed(error.to_string().trim_end().to_owned()))?;
        if !["single", "multi"].contains(&parsed.stage.as_str()) {
            return Err(malformed(format!("stage is {:?}, and must be \"single\" or \"multi\"", parsed.stage)));
        }
        if Date::parse(&parsed.date).is_none() {
            return Err(malformed(format!("date is {:?}, and must be a day such as 2026-11-21", parsed.date)));
        }
        let mut measurements = Measurements::default();
        for measure in Measure::ALL {
            let number = parsed.measurements.get(measure.as_str());
            let number = number.ok_or_else(|| malformed(format!("the measurement {} is missing", measure.as_str())))?;
            measurements.set(*measure, *number);
        }
        if let Some(name) = parsed.measurements.keys().find(|name| Measure::parse(name).is_none()) {
            return Err(malformed(format!("there is no measurement {name}")));
        }
        let File { family, stage, recipe, date, digest, packages, .. } = parsed;
        Ok(Self { family, stage, recipe, date, digest, packages, measurements })
    }

    /// The text that [`Baseline::parse`] reads.
    #[must_use]
    pub fn write(&self) -> String {
        let mut text = String::from("# Written by `plimsoll baseline record`; policies/baselines/README.md tells how.\n");
        let fields = [
            ("family", &self.family),
            ("stage", &self.stage),
            ("recipe", &self.recipe),
            ("date", &self.date),
            ("digest", &self.digest),
        ];
        for (name, value) in fields {
            // a text that cannot fail: it is written to a string
            let _ = writeln!(text, "{name} = {}", quoted(value));
        }
        text.push_str("packages = [\n");
        for package in &self.packages {
            let _ = writeln!(text, "    {},", quoted(package));
        }
        text.push_str("]\n\n[measurements]\n");
        for measure in Measure::ALL {
            let _ = writeln!(text, "{} = {}", measure.as_str(), self.measurements.of(*measure));
        }
        text
    }
}

/// A TOML basic string: JSON's escapes are among TOML's.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}

macro_rules! shipped {
    ($($family:literal)+) => {
        /// Family, single-stage text, multi-stage text.
        const SHIPPED: &[(&str, &str, &str)] = &[$((
            $family,
            include_str!(concat!("../../policies/baselines/", $family, "/single-stage.toml")),
            include_str!(concat!("../../policies/baselines/", $family, "/multi-stage.toml")),
        )),+];
    };
}

shipped!("generic" "go" "java" "node" "python" "rust");

impl Pair {
    /// Names of the shipped pairs.
    pub fn names() -> impl Iterator<Item = &'static str> {
        SHIPPED.iter().map(|(name, ..)| *name)
    }

    /// A shipped pair by its name.
    pub fn shipped(name: &str) -> Result<Self, BaselineError> {
        let Some((name, single, multi)) = SHIPPED.iter().find(|(known, ..)| *known == name) else {
            let known = Self::names().collect::<Vec<_>>().join(", ");
            return Err(BaselineError::Unknown { name: name.to_owned(), known });
        };
        let file = |stage: &str| format!("policies/baselines/{name}/{stage}-stage.toml");
        Ok(Self {
            name: (*name).to_owned(),
            single: Baseline::parse(single, &file("single"))?,
            multi: Baseline::parse(multi, &file("multi"))?,
        })
    }

    /// The shipped pair for a kind of application.
    pub fn of_language(language: Language) -> Result<Self, BaselineError> {
        Self::shipped(match language {
            Language::Python => "python",
            Language::Node => "node",
            Language::Java => "java",
            Language::Go => "go",
            Language::Rust => "rust",
            Language::Other => "generic",
        })
    }
}
