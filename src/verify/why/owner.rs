//! The package that owns a path: who needs it, and what would go with it.

use std::collections::BTreeMap;

use super::Asking;
use super::place::report;
use crate::facts::weights::{Weight, by_package, part};
use crate::facts::{Graph, Package};
use crate::oci::escape_text;
use crate::report::model::why::{ChainReport, OwnerReport, PackageRemoval, PackageReport, PackagesReport};
use crate::rootfs::NodeId;

/// Ways up that are told.
const CHAINS: usize = 5;
/// Packages that are named of many.
const NAMES: usize = 50;

impl Asking<'_> {
    /// The package, where one owns it.
    pub(super) fn owner(&self, node: NodeId) -> Option<OwnerReport> {
        let index = self.owned_by(node)?;
        let packages = &self.image.packages;
        let package = packages.list.get(index)?;
        let (rootfs, graph) = (&self.image.rootfs, &packages.graph);
        let is_its = |number: u32| packages.owned.get(&number).is_some_and(|owned| owned.package == index);
        let mut ways = graph.chains(index, CHAINS.saturating_add(1));
        let more_chains = ways.len() > CHAINS;
        ways.truncate(CHAINS);
        let weights = by_package(rootfs, rootfs.root(), packages);
        Some(OwnerReport {
            package: PackageReport {
                name: escape_text(&package.name),
                version: escape_text(&package.version),
                architecture: escape_text(&package.architecture),
            },
            files: report(&part(rootfs, rootfs.root(), |number, _| is_its(number))),
            standing: if packages.graph_problem.is_some() {
                "unknown"
            } else {
                standing(graph, index, package, !ways.is_empty())
            }
            .to_owned(),
            chains: ways.iter().map(|way| self.chain(way)).collect(),
            more_chains,
            required_by: self.packages(graph.needed_by(index), &weights),
            problem: packages.graph_problem.clone(),
        })
    }

    /// What goes with the package that owns a path.
    pub(super) fn removal(&self, node: NodeId) -> Option<PackageRemoval> {
        let index = self.owned_by(node)?;
        let packages = &self.image.packages;
        let weights = by_package(&self.image.rootfs, self.image.rootfs.root(), packages);
        let bytes = weights.get(&Some(index)).map_or(0, |weight| weight.bytes);
        let gone = dependents(&packages.graph, index, packages.list.len());
        let orphans = packages.graph.orphans(&gone);
        let others: Vec<usize> = gone.into_iter().filter(|package| *package != index).collect();
        let (dependents, orphans) = (self.packages(&others, &weights), self.packages(&orphans, &weights));
        let total_bytes = bytes.saturating_add(dependents.bytes).saturating_add(orphans.bytes);
        Some(PackageRemoval { bytes, dependents, orphans, total_bytes })
    }

    fn chain(&self, way: &[usize]) -> ChainReport {
        let list = &self.image.packages.list;
        let last = way.last().and_then(|last| list.get(*last));
        let root = match last {
            Some(package) if package.asked_for == Some(true) => "asked-for",
            Some(package) if package.is_base => "base",
            _ => "top",
        };
        let names = way.iter().filter_map(|package| list.get(*package)).map(|package| escape_text(&package.name));
        ChainReport { packages: names.collect(), root: root.to_owned() }
    }

    fn packages(&self, packages: &[usize], weights: &BTreeMap<Option<usize>, Weight>) -> PackagesReport {
        let list = &self.image.packages.list;
        let weighed = packages.iter().filter_map(|package| weights.get(&Some(*package)));
        let names = packages.iter().filter_map(|package| list.get(*package)).map(|package| escape_text(&package.name));
        PackagesReport {
            count: u64::try_from(packages.len()).unwrap_or(u64::MAX),
            bytes: weighed.fold(Weight::default(), |sum, weight| sum.with(weight)).bytes,
            names: names.take(NAMES).collect(),
        }
    }
}

/// Why a package is there.
fn standing(graph: &Graph, index: usize, package: &Package, has_chains: bool) -> &'static str {
    match package.asked_for {
        Some(true) => "asked-for",
        _ if package.is_base => "base",
        _ if has_chains => "needed",
        None if graph.needed_by(index).is_empty() => "top",
        Some(false) if graph.needed_by(index).is_empty() => "left",
        // packages that require one another in a ring, and nothing else requires
        _ => "unknown",
    }
}

/// A package and all that require it, directly or through others; sorted.
fn dependents(graph: &Graph, package: usize, packages: usize) -> Vec<usize> {
    let mut marks = vec![false; packages];
    let mut waiting = vec![package];
    while let Some(at) = waiting.pop() {
        let Some(mark) = marks.get_mut(at).filter(|mark| !**mark) else { continue };
        *mark = true;
        waiting.extend(graph.needed_by(at).iter().filter(|needer| marks.get(**needer) == Some(&false)));
    }
    (0..packages).filter(|package| marks.get(*package) == Some(&true)).collect()
}
