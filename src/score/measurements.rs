//! The numbers of one image, and how they are read off it.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::Image;
use crate::finding::Finding;
use crate::policy::Measure;

use super::ballast::{Ballast, Class};

/// Every measurement of an image. Absent ones are 0.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Measurements {
    numbers: BTreeMap<Measure, u64>,
}

impl Measurements {
    /// The number of one measurement.
    #[must_use]
    pub fn of(&self, measure: Measure) -> u64 {
        self.numbers.get(&measure).copied().unwrap_or(0)
    }

    /// Sets one.
    pub fn set(&mut self, measure: Measure, number: u64) {
        self.numbers.insert(measure, number);
    }

    /// Adds to one.
    pub(super) fn raise(&mut self, measure: Measure, by: u64) {
        self.set(measure, self.of(measure).saturating_add(by));
    }

    /// Takes away from one, as far as there is.
    pub(super) fn lower(&mut self, measure: Measure, by: u64) {
        self.set(measure, self.of(measure).saturating_sub(by));
    }
}

/// What the layers weigh, as the conductor counted it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LayerBytes {
    /// Sum of the uncompressed tars.
    pub shipped: u64,
    /// Regular files that are shipped and not in the final filesystem.
    pub buried: u64,
}

/// Reads the numbers off an image. `findings` are those of all built-in checks, before any policy.
#[must_use]
pub fn measure(image: &Image, findings: &[Finding], ballast: &Ballast, bytes: LayerBytes) -> Measurements {
    let mut measured = Measurements::default();
    let kinds = |checks: &[&str]| -> u64 {
        let of_check = findings.iter().filter(|finding| checks.contains(&finding.check.as_str()));
        let kinds: BTreeSet<(&str, &str)> =
            of_check.map(|finding| (finding.check.as_str(), finding.observation.subject.as_str())).collect();
        count(kinds.len())
    };
    measured.set(Measure::ShippedBytes, bytes.shipped);
    measured.set(Measure::FileBytes, ballast.final_bytes().saturating_add(bytes.buried));
    measured.set(Measure::ToolchainBytes, ballast.of(Class::Toolchain));
    measured.set(Measure::CacheBytes, ballast.of(Class::Cache));
    measured.set(Measure::DocumentationBytes, ballast.of(Class::Documentation));
    measured.set(Measure::BuriedBytes, bytes.buried);
    measured.set(Measure::Compilers, kinds(&["compiler"]));
    measured.set(Measure::PackageManagers, kinds(&["os-package-manager", "language-package-manager"]));
    measured.set(Measure::OsPackages, count(image.packages.list.len()));
    measured.set(Measure::Executables, count(image.executables.len()));
    measured.set(Measure::SetuidFiles, ballast.privileged_files());
    measured.set(Measure::Root, u64::from(image.user.uid == Some(0)));
    let is_checked = image.config.runtime.healthcheck.as_ref().is_some_and(crate::oci::Healthcheck::is_run);
    measured.set(Measure::HealthcheckMissing, u64::from(!is_checked));
    measured
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
