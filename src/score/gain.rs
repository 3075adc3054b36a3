//! What mending a finding alone would change: the score again, as if its evidence were gone.

use std::collections::BTreeSet;

use crate::facts::Image;
use crate::finding::Finding;
use crate::policy::Measure;
use crate::rootfs::NodeId;

use super::ballast::{Ballast, Class, class_of_check, node_at};
use super::{Measurements, Pair};
use crate::policy::ScoreRule;

/// What mending a finding would change.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Gain {
    /// Tenths of points of the score; below zero when a file keeps a name by which it weighs more.
    pub tenths: i64,
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
    let tenths = |measured: &Measurements| i64::try_from(points(measured).unwrap_or(0)).unwrap_or(i64::MAX);
    let tenths = tenths(&without).saturating_sub(tenths(measured));
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
    let listed: BTreeSet<NodeId> = nodes(image, finding).collect();
    for evidence in finding.observation.evidence.iter().filter(|evidence| evidence.bytes > 0) {
        // what is buried is not the file that has its name now
        let path = evidence.path.as_deref().filter(|_| finding.check != "buried-files");
        let node = path.and_then(|path| node_at(&image.rootfs, path));
        if node.is_some_and(|node| is_kept(image, node, &listed)) {
            continue;
        }
        bytes = bytes.saturating_add(evidence.bytes);
        let class = node.and_then(|node| ballast.class_of(image, node)).or_else(|| class_of_check(&finding.check));
        if let Some(measure) = class.and_then(measure_of) {
            after.lower(measure, evidence.bytes);
        }
        after.lower(Measure::Executables, u64::from(evidence.on_path.is_some()));
    }
    shift(image, ballast, &listed, &mut after);
    after.lower(Measure::FileBytes, bytes);
    after.lower(Measure::ShippedBytes, bytes);
    (after, bytes)
}

/// A file that keeps a name may be ballast of another class by that name: its bytes then count there.
fn shift(image: &Image, ballast: &Ballast, listed: &BTreeSet<NodeId>, after: &mut Measurements) {
    for (number, classes) in &ballast.mixed {
        let names = image.several_names.get(number).map_or(&[][..], Vec::as_slice);
        let gone = names.iter().filter(|name| is_told(image, **name, listed)).count();
        let Some(node) = names.first().filter(|_| (1..names.len()).contains(&gone)) else { continue };
        let (bytes, own) = (image.rootfs.inode(*node).size(), ballast.class_of(image, *node));
        if let Some(measure) = own.and_then(measure_of) {
            after.lower(measure, bytes);
        }
        for measure in classes.iter().filter(|class| Some(**class) != own).filter_map(|class| measure_of(*class)) {
            after.raise(measure, bytes);
        }
    }
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
    nodes(image, finding).map(|node| image.rootfs.inode_number(node)).collect()
}

/// The names that a finding lists.
fn nodes<'i>(image: &'i Image, finding: &'i Finding) -> impl Iterator<Item = NodeId> + 'i {
    let paths = finding.observation.evidence.iter().filter_map(|evidence| evidence.path.as_deref());
    paths.filter_map(|path| node_at(&image.rootfs, path))
}

/// Whether a file stays under a name that is not listed and lies in no folder that is.
fn is_kept(image: &Image, node: NodeId, listed: &BTreeSet<NodeId>) -> bool {
    let names = image.several_names.get(&image.rootfs.inode_number(node)).map_or(&[][..], Vec::as_slice);
    names.iter().any(|name| !is_told(image, *name, listed))
}

/// Whether a name is listed, or lies in a folder that is.
fn is_told(image: &Image, name: NodeId, listed: &BTreeSet<NodeId>) -> bool {
    let folders = std::iter::successors(Some(name), |at| Some(image.rootfs.folder_of(*at)));
    folders.take_while(|at| *at != image.rootfs.root()).any(|at| listed.contains(&at))
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
