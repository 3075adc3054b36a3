//! What mending a finding alone would change: the score again, as if its evidence were gone.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::Image;
use crate::finding::Finding;
use crate::policy::Measure;

use super::ballast::{Ballast, Class, class_of_check, node_at};
use super::{Measurements, Pair};
use crate::policy::ScoreRule;

/// What mending a finding would change.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Gain {
    /// Tenths of points of the score.
    pub tenths: u64,
    /// Bytes of the final filesystem.
    pub bytes: u64,
}

/// What mending `finding` would change; points are 0 where there is no score.
#[must_use]
pub fn gain(
    image: &Image,
    finding: &Finding,
    ballast: &Ballast,
    measured: &Measurements,
    scored: Option<(&Pair, &ScoreRule)>,
) -> Gain {
    let (without, bytes) = without(image, finding, ballast, measured);
    let points = |measured: &Measurements| {
        let (pair, rule) = scored?;
        super::points(measured, &pair.single.measurements, &pair.multi.measurements, rule).map(|points| points.tenths)
    };
    let tenths = points(&without).unwrap_or(0).saturating_sub(points(measured).unwrap_or(0));
    Gain { tenths, bytes }
}

/// The measurements as if a finding's evidence were gone, and the bytes that go.
fn without(image: &Image, finding: &Finding, ballast: &Ballast, measured: &Measurements) -> (Measurements, u64) {
    let mut after = measured.clone();
    match finding.check.as_str() {
        "root-user" => after.set(Measure::Root, 0),
        "missing-healthcheck" => after.set(Measure::HealthcheckMissing, 0),
        // the bit goes, the file stays
        "setuid-file" | "setgid-file" | "file-capability" => {
            after.lower(Measure::SetuidFiles, count(inodes(image, finding).len()));
            return (after, 0);
        }
        "compiler" => after.lower(Measure::Compilers, 1),
        "os-package-manager" | "language-package-manager" => after.lower(Measure::PackageManagers, 1),
        _ => {}
    }
    let mut bytes = 0_u64;
    let listed = listed(image, finding);
    for evidence in finding.observation.evidence.iter().filter(|evidence| evidence.bytes > 0) {
        let node = evidence.path.as_deref().and_then(|path| node_at(&image.rootfs, path));
        // under a name that the finding does not speak of, the file stays
        let number = node.map(|node| image.rootfs.inode_number(node));
        let told = number.and_then(|number| listed.get(&number)).copied().unwrap_or(0);
        if node.is_some_and(|node| ballast.names_of(image, node) > told) {
            continue;
        }
        bytes = bytes.saturating_add(evidence.bytes);
        // what is buried is not the file that has its name now
        let node = node.filter(|_| finding.check != "buried-files");
        let class = node.and_then(|node| ballast.class_of(image, node)).or_else(|| class_of_check(&finding.check));
        if let Some(measure) = class.and_then(measure_of) {
            after.lower(measure, evidence.bytes);
        }
        after.lower(Measure::Executables, u64::from(evidence.on_path.is_some()));
    }
    after.lower(Measure::FileBytes, bytes);
    after.lower(Measure::ShippedBytes, bytes);
    (after, bytes)
}

fn measure_of(class: Class) -> Option<Measure> {
    match class {
        Class::Toolchain => Some(Measure::ToolchainBytes),
        Class::Cache => Some(Measure::CacheBytes),
        Class::Documentation => Some(Measure::DocumentationBytes),
        Class::Buried => Some(Measure::BuriedBytes),
        _ => None,
    }
}

fn inodes(image: &Image, finding: &Finding) -> BTreeSet<u32> {
    let paths = finding.observation.evidence.iter().filter_map(|evidence| evidence.path.as_deref());
    paths.filter_map(|path| node_at(&image.rootfs, path)).map(|node| image.rootfs.inode_number(node)).collect()
}

/// How many names of each inode a finding lists.
fn listed(image: &Image, finding: &Finding) -> BTreeMap<u32, u32> {
    let paths = finding.observation.evidence.iter().filter_map(|evidence| evidence.path.as_deref());
    let mut listed: BTreeMap<u32, u32> = BTreeMap::new();
    for node in paths.filter_map(|path| node_at(&image.rootfs, path)) {
        let count = listed.entry(image.rootfs.inode_number(node)).or_default();
        *count = count.saturating_add(1);
    }
    listed
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
