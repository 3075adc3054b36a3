//! Measurements, ballast and score, as they are published.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::policy::Measure;
use crate::score;

/// Numbers read off the image, without judgement and whatever the policy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Measurements {
    /// Sum of the uncompressed layers, buried bytes included.
    pub shipped_bytes: u64,
    /// Sum of the layer blobs as stored; null when no layer is compressed.
    pub compressed_bytes: Option<u64>,
    /// Bytes of regular files in all layers: `final_bytes` and `buried_bytes`. What the score weighs as size, since it does not
    /// depend on how files are spread over layers.
    #[serde(default)]
    pub file_bytes: u64,
    /// Bytes of regular files in the final filesystem, each inode once.
    pub final_bytes: u64,
    /// Bytes of compilers, build tools, debuggers, version control, headers and static libraries in the final filesystem.
    #[serde(default)]
    pub toolchain_bytes: u64,
    /// Bytes of package lists, package caches and temporary files in the final filesystem.
    #[serde(default)]
    pub cache_bytes: u64,
    /// Bytes of doc, man, info and locale in the final filesystem.
    #[serde(default)]
    pub documentation_bytes: u64,
    /// Bytes of regular files that are shipped and not in the final filesystem.
    pub buried_bytes: u64,
    /// Entries of the final filesystem, without the root.
    pub entries: u64,
    /// Distinct toolchains that can be run.
    #[serde(default)]
    pub compilers: u64,
    /// Distinct package managers, of the operating system and of languages, that can be run.
    #[serde(default)]
    pub package_managers: u64,
    /// Packages in the databases of the operating system.
    pub os_packages: u64,
    /// Regular files that some user may execute.
    pub executables: u64,
    /// Regular files with a setuid bit, a setgid bit or a file capability.
    #[serde(default)]
    pub setuid_files: u64,
    /// 1 when the container runs as uid 0.
    #[serde(default)]
    pub root: u64,
    /// 1 when there is no health check that is run.
    #[serde(default)]
    pub healthcheck_missing: u64,
}

impl Measurements {
    /// The numbers as the score takes them.
    #[must_use]
    pub fn numbers(&self) -> score::Measurements {
        let mut numbers = score::Measurements::default();
        for measure in Measure::ALL {
            let number = match measure {
                Measure::ShippedBytes => self.shipped_bytes,
                Measure::FileBytes => self.file_bytes,
                Measure::ToolchainBytes => self.toolchain_bytes,
                Measure::CacheBytes => self.cache_bytes,
                Measure::DocumentationBytes => self.documentation_bytes,
                Measure::BuriedBytes => self.buried_bytes,
                Measure::Compilers => self.compilers,
                Measure::PackageManagers => self.package_managers,
                Measure::OsPackages => self.os_packages,
                Measure::Executables => self.executables,
                Measure::SetuidFiles => self.setuid_files,
                Measure::Root => self.root,
                Measure::HealthcheckMissing => self.healthcheck_missing,
            };
            numbers.set(*measure, number);
        }
        numbers
    }
}

/// Bytes that the application does not need at run time. Every byte of the layers is in exactly one class.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BallastReport {
    /// Bytes of all classes that are ballast.
    pub bytes: u64,
    /// By class: `toolchain`, `cache`, `documentation`, `buried`, `package-manager`, `test-dependency` are ballast; `system` (owned by
    /// a package), `application` (all other files) and `archive` (headers and padding of the layers' tars) are not. The sum is
    /// `shipped_bytes`, but for sparse files, whose holes are not shipped.
    pub by_class: BTreeMap<String, u64>,
    /// The folders and files that weigh most, heaviest first.
    pub biggest: Vec<OffenderReport>,
}

/// A folder or file that is ballast.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OffenderReport {
    /// Its class.
    pub class: String,
    /// Absolute path, escaped; a folder ends with a slash.
    pub path: String,
    /// Index of the layer that wrote it (of a folder: most of its bytes).
    pub layer: usize,
    /// Bytes of ballast of this class in it.
    pub bytes: u64,
    /// Files of this class in it.
    pub files: u64,
}

/// Where an image lies between a single-stage and a multi-stage baseline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ScoreReport {
    /// 0 (the single-stage baseline, or worse) to 100 (the multi-stage one, or better), with one decimal.
    pub value: f64,
    /// `A`, `B`, `C`, `D` or `F`, capped.
    pub grade: String,
    /// The grade by points alone, when a cap made it worse.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cap: Option<CapReport>,
    /// What it was compared with.
    pub baseline: PairReport,
    /// One for each measurement that the policy weighs, in the policy's order. Their points add up to the value.
    pub parts: Vec<PartReport>,
}

/// Why a grade is not what the points say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CapReport {
    /// The grade by points alone.
    pub uncapped: String,
    /// Ids of the checks whose findings cap it, sorted.
    pub checks: Vec<String>,
    /// Why, one clause.
    pub reason: String,
}

/// A pair of baselines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PairReport {
    /// Such as `python`; `own` for the user's own images or files.
    pub name: String,
    /// Why this one, one clause.
    pub chosen_by: String,
    /// The end with 0 points.
    pub single: BaselineReport,
    /// The end with 100 points.
    pub multi: BaselineReport,
}

/// A baseline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BaselineReport {
    /// What was recorded: recipe or image, escaped.
    pub recipe: String,
    /// Config digest of the image that was recorded.
    pub digest: String,
    /// The day it was recorded.
    pub date: String,
}

/// What one measurement adds to the score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PartReport {
    /// The measurement.
    pub measurement: String,
    /// The policy's group.
    pub group: String,
    /// `bytes`, `count` or `yes-no`.
    pub unit: String,
    /// The policy's weight.
    pub weight: f64,
    /// Whether it counts: it does not where the multi-stage baseline is not better than the single-stage one.
    pub counts: bool,
    /// Of the single-stage baseline.
    pub single: u64,
    /// Of the multi-stage baseline.
    pub multi: u64,
    /// Of this image.
    pub image: u64,
    /// 0 (as the single-stage baseline, or worse) to 1 (as the multi-stage one, or better), three decimals.
    pub position: f64,
    /// Points of the 100, one decimal.
    pub points: f64,
    /// The most it can add, one decimal.
    pub most: f64,
}

/// What mending a finding alone would change.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Gain {
    /// Points of the score, one decimal; below zero when a file keeps another name by which it weighs more.
    pub points: f64,
    /// Bytes of the final filesystem.
    pub bytes: u64,
}
