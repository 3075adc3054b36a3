//! What the programs that start the container load, and what of it is not there.

use std::collections::{BTreeMap, BTreeSet};

use super::loader::CACHE;
use super::{Linker, MissingLibrary, MissingVersion, PRELOAD_FILE, elf_of, machine};
use crate::facts::NotExamined;
use crate::facts::links::Links;
use crate::oci::Place;
use crate::rootfs::{NodeId, Rootfs};

/// Files of the name of a missing library that are told.
const MOST_ELSEWHERE: usize = 8;

/// The dynamic linking of the programs on the start-up path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StartupLinking {
    /// Programs, loaders and libraries that are loaded, each once, in the order of loading.
    pub objects: Vec<NodeId>,
    /// Libraries that are needed and found nowhere, sorted by name.
    pub missing: Vec<MissingLibrary>,
    /// Versions that are needed and not defined, sorted.
    pub versions: Vec<MissingVersion>,
    /// Programs of which nothing more is known, and why: their loader is absent, or none that is known.
    pub unknown: Vec<(NodeId, String)>,
}

/// Links those of `started` that are ELF files. What could not be looked at is told apart.
pub(in crate::facts) fn of(linker: &mut Linker<'_, '_>, started: &[NodeId]) -> (StartupLinking, Vec<NotExamined>) {
    let rootfs = linker.folders.rootfs;
    let mut linking = StartupLinking::default();
    let mut not_examined = Vec::new();
    let mut seen = BTreeSet::new();
    for root in started.iter().filter(|node| elf_of(rootfs.inode(**node)).is_some()) {
        let closure = linker.closure(*root);
        linking.objects.extend(closure.objects.into_iter().filter(|node| seen.insert(rootfs.inode_number(*node))));
        linking.missing.extend(closure.missing);
        linking.versions.extend(closure.versions);
        linking.unknown.extend(closure.unknown.map(|reason| (*root, reason)));
        if let Some(reason) = closure.not_examined {
            not_examined.push((Place::path(rootfs.path(*root)), format!("its shared libraries: {reason}")));
        }
    }
    linking.missing.sort_by(|a, b| a.name.cmp(&b.name));
    linking.missing.dedup_by(|later, first| {
        let is_same = later.name == first.name;
        if is_same {
            first.needed_by.append(&mut later.needed_by);
            first.needed_by.dedup();
        }
        is_same
    });
    linking.versions.sort_unstable();
    linking.versions.dedup();
    find_elsewhere(rootfs, &mut linking.missing);
    (linking, not_examined)
}

/// Looks for files of the names that are missing, in one walk through the tree.
fn find_elsewhere(rootfs: &Rootfs, missing: &mut [MissingLibrary]) {
    if missing.is_empty() {
        return;
    }
    let mut by_name: BTreeMap<Vec<u8>, Vec<NodeId>> = missing.iter().map(|one| (one.name.clone(), Vec::new())).collect();
    let mut stack = vec![rootfs.root()];
    while let Some(folder) = stack.pop() {
        for (name, child) in rootfs.children(folder) {
            if rootfs.inode(child).is_directory() {
                stack.push(child);
            } else if let Some(found) = by_name.get_mut(name).filter(|_| rootfs.inode(child).is_file()) {
                found.push(child);
            }
        }
    }
    for one in missing {
        let needs = one.needed_by.first().and_then(|node| elf_of(rootfs.inode(*node)));
        let found = by_name.get(&one.name).map(Vec::as_slice).unwrap_or_default();
        let fitting = found.iter().copied().filter(|node| {
            elf_of(rootfs.inode(*node)).zip(needs).is_some_and(|(library, program)| machine::fits(program, library))
        });
        one.elsewhere = fitting.take(MOST_ELSEWHERE).collect();
        one.elsewhere.sort_by_key(|node| rootfs.path(*node));
    }
}

/// Paths of files whose bodies loaders read.
pub(in crate::facts) fn wanted(rootfs: &Rootfs, links: &mut Links<'_>) -> Vec<Vec<u8>> {
    let mut paths = vec![CACHE.to_vec(), PRELOAD_FILE.to_vec()];
    if let Some(folder) = links.resolve(b"/etc") {
        let is_path_file = |name: &&[u8]| name.starts_with(b"ld-musl-") && name.ends_with(b".path");
        paths.extend(rootfs.children(folder).map(|(name, _)| name).filter(is_path_file).map(|name| [b"/etc/", name].concat()));
    }
    paths
}
