//! The reach: which packages of the operating system the start-up path needs, told without running anything.
//!
//! A package is reached when a file of it is on the start-up path (or that of the health check), is a library that a program there
//! loads, lies in the folders of an interpreter there, is a plugin or data of what was reached, or when a reached package requires it.
//! Where it is not sure, a package counts as reached: what is said to be unreached is meant. What application code starts or loads under
//! names that it makes up is not seen; `docs/reach.md` has the rules and their limits.

mod search;
mod table;
#[cfg(test)]
mod tests;
mod tree;

use std::collections::BTreeMap;

use self::search::Search;
use self::table::Language;
use self::tree::Tree;
use super::executables::Executable;
use super::linking::StartupLinking;
use super::links::Links;
use super::packages::Packages;
use super::startup::{Reached, Startup};
use crate::oci::{RuntimeConfig, escape};
use crate::rootfs::Rootfs;

/// Which packages the start-up path needs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reach {
    /// Indexes of packages that are needed, sorted.
    pub reached: Vec<usize>,
    /// The others, heaviest first.
    pub unreached: Vec<Unreached>,
    /// Bytes of the others' files.
    pub unreached_bytes: u64,
    /// Why more may be needed, each reason once; empty when the start-up path could be followed to its end.
    pub not_known: Vec<String>,
}

/// A package that nothing on the start-up path needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unreached {
    /// Index into [`Packages::list`].
    pub package: usize,
    /// Bytes of its files in the stacked tree, each inode once.
    pub bytes: u64,
    /// The layer that wrote most of them; None when it has no files.
    pub layer: Option<usize>,
}

/// What the reach is read off.
pub(super) struct Ground<'g> {
    pub(super) rootfs: &'g Rootfs,
    pub(super) packages: &'g Packages,
    pub(super) executables: &'g [Executable],
    /// What the container starts, and what the health check runs.
    pub(super) starts: [Option<&'g Startup>; 2],
    pub(super) linking: &'g StartupLinking,
    pub(super) config: &'g RuntimeConfig,
}

impl<'g> Ground<'g> {
    pub(super) fn of(
        rootfs: &'g Rootfs,
        packages: &'g Packages,
        executables: &'g [Executable],
        starts: [Option<&'g Startup>; 2],
        linking: &'g StartupLinking,
        config: &'g RuntimeConfig,
    ) -> Self {
        Self { rootfs, packages, executables, starts, linking, config }
    }
}

/// Which packages are needed, or why that cannot be told, one clause.
pub(super) fn read(ground: &Ground<'_>, links: &mut Links<'_>) -> Result<Reach, String> {
    let Ground { rootfs, packages, .. } = ground;
    if let Some(reason) = obstacle(ground) {
        return Err(reason);
    }
    let tree = Tree::of(rootfs, packages);
    let mut search = Search::new(ground, &tree, links);
    for one in ground.starts.into_iter().flatten() {
        search.start(one);
    }
    search.run();
    let reached = search.finish();
    let (unreached, unreached_bytes) = unreached(packages.list.len(), &reached, &tree.bytes);
    Ok(Reach { reached, unreached, unreached_bytes, not_known: not_known(ground) })
}

/// Why nothing can be said.
fn obstacle(ground: &Ground<'_>) -> Option<String> {
    let packages = ground.packages;
    let Some(startup) = ground.starts[0] else { return Some("nothing is started".to_owned()) };
    if packages.databases.is_empty() {
        return Some("the image has no package database".to_owned());
    }
    if let Some(cut) = &packages.cut {
        return Some(format!("the package database {} was not read to its end", escape(cut)));
    }
    if packages.list.is_empty() {
        return Some("the package database lists no package".to_owned());
    }
    if packages.owned.is_empty() {
        return Some("the package database does not tell whose files are whose".to_owned());
    }
    if !startup.problems.is_empty() {
        return Some("the container does not start".to_owned());
    }
    if startup.nodes().is_empty() {
        let why = startup.not_known.first().map_or("nothing is started", String::as_str);
        return Some(format!("what the container starts is not known: {why}"));
    }
    packages.graph_problem.as_ref().map(|problem| format!("which package requires which is not known: {problem}"))
}

fn not_known(ground: &Ground<'_>) -> Vec<String> {
    let [startup, probe] = ground.starts;
    let mut reasons = startup.map(|startup| startup.not_known.clone()).unwrap_or_default();
    reasons.extend(startup.and_then(|startup| waits_for_orders(startup, ground.config)));
    reasons.extend(probe.iter().flat_map(|probe| &probe.not_known).map(|reason| format!("in the health check: {reason}")));
    for (node, reason) in &ground.linking.unknown {
        reasons.push(format!("the libraries of {}: {reason}", escape(&ground.rootfs.path(*node))));
    }
    for missing in &ground.linking.missing {
        reasons.push(format!("where {} comes from, which is needed and found nowhere", escape(&missing.name)));
    }
    let mut seen = std::collections::BTreeSet::new();
    reasons.retain(|reason| seen.insert(reason.clone()));
    reasons
}

/// Whether a shell or an interpreter is started with nothing to run: it does what it is told on its input.
fn waits_for_orders(startup: &Startup, config: &RuntimeConfig) -> Option<String> {
    let last = startup.steps.iter().rfind(|step| step.how != Reached::Loader)?;
    let name = last.word.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    let word = config.cmd.last().or(config.entrypoint.last())?;
    let is_told =
        matches!(name, b"sh" | b"bash" | b"dash" | b"ash" | b"zsh" | b"busybox") || Language::of_program(name).is_some();
    (is_told && word.as_bytes() == last.word).then(|| format!("what {} is told to run", escape(name)))
}

fn unreached(packages: usize, reached: &[usize], bytes: &BTreeMap<(usize, usize), u64>) -> (Vec<Unreached>, u64) {
    let mut unreached = Vec::new();
    let mut total = 0_u64;
    for package in (0..packages).filter(|package| reached.binary_search(package).is_err()) {
        let mut one = Unreached { package, bytes: 0, layer: None };
        let mut most = None;
        for ((_, layer), bytes) in bytes.range((package, 0)..=(package, usize::MAX)) {
            one.bytes = one.bytes.saturating_add(*bytes);
            if most.is_none_or(|most| *bytes > most) {
                (most, one.layer) = (Some(*bytes), Some(*layer));
            }
        }
        total = total.saturating_add(one.bytes);
        unreached.push(one);
    }
    unreached.sort_by(|a, b| b.bytes.cmp(&a.bytes).then(a.package.cmp(&b.package)));
    (unreached, total)
}
