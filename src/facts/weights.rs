//! What parts of a tree weigh: every file once, whatever number of names it has.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap, HashSet};

use super::Packages;
use crate::rootfs::{Inode, NodeId, Rootfs};

/// Files that are named of a part.
const NAMED: usize = 5;

/// Files and their bytes. What is no directory counts as a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Weight {
    /// How many.
    pub files: u64,
    /// Logical bytes of the regular ones.
    pub bytes: u64,
}

impl Weight {
    fn add(&mut self, inode: &Inode) {
        self.files = self.files.saturating_add(1);
        self.bytes = self.bytes.saturating_add(inode.size());
    }

    /// The sum of both.
    #[must_use]
    pub fn with(&self, other: &Self) -> Self {
        Self { files: self.files.saturating_add(other.files), bytes: self.bytes.saturating_add(other.bytes) }
    }
}

/// A part of a tree: its weight, and its biggest files, heaviest first, then by path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Part {
    /// The weight.
    pub weight: Weight,
    /// Path and bytes of the biggest.
    pub biggest: Vec<(Vec<u8>, u64)>,
}

/// Weighs the files below `from` that `is_meant` (by inode number), each once, under the first name that is come upon.
pub fn part(rootfs: &Rootfs, from: NodeId, mut is_meant: impl FnMut(u32, &Inode) -> bool) -> Part {
    let mut seen = HashSet::new();
    let mut weight = Weight::default();
    let mut heaviest: BinaryHeap<Reverse<(u64, Reverse<Vec<u8>>)>> = BinaryHeap::new();
    each_name(rootfs, from, |node| {
        let (number, inode) = (rootfs.inode_number(node), rootfs.inode(node));
        if !is_meant(number, inode) || !seen.insert(number) {
            return;
        }
        weight.add(inode);
        let size = inode.size();
        // a path is made only of what may be named
        let may_be_named =
            size > 0 && (heaviest.len() < NAMED || heaviest.peek().is_some_and(|Reverse((least, _))| size >= *least));
        if may_be_named {
            heaviest.push(Reverse((size, Reverse(rootfs.path(node)))));
        }
        if heaviest.len() > NAMED {
            heaviest.pop();
        }
    });
    let named = |Reverse((bytes, Reverse(path)))| (path, bytes);
    Part { weight, biggest: heaviest.into_sorted_vec().into_iter().map(named).collect() }
}

/// Files of the tree by the package that owns them, by index into [`Packages::list`]; None: those that no package owns.
#[must_use]
pub fn by_package(rootfs: &Rootfs, from: NodeId, packages: &Packages) -> BTreeMap<Option<usize>, Weight> {
    by(rootfs, from, |number, _| packages.owned.get(&number).map(|owned| owned.package))
}

/// Files of the tree by the layer that wrote them.
#[must_use]
pub fn by_layer(rootfs: &Rootfs, from: NodeId) -> BTreeMap<usize, Weight> {
    by(rootfs, from, |_, inode| inode.layer)
}

fn by<K: Ord>(rootfs: &Rootfs, from: NodeId, key: impl Fn(u32, &Inode) -> K) -> BTreeMap<K, Weight> {
    let mut seen = HashSet::new();
    let mut weights: BTreeMap<K, Weight> = BTreeMap::new();
    each_name(rootfs, from, |node| {
        let (number, inode) = (rootfs.inode_number(node), rootfs.inode(node));
        if seen.insert(number) {
            weights.entry(key(number, inode)).or_default().add(inode);
        }
    });
    weights
}

/// Bytes of the files that are gone when everything at and below `from` is: a file with a name elsewhere stays.
#[must_use]
pub fn freed(rootfs: &Rootfs, from: NodeId) -> u64 {
    let mut names: HashMap<u32, (u64, u64)> = HashMap::new();
    let mut count = |node| {
        let entry = names.entry(rootfs.inode_number(node)).or_insert_with(|| (0, rootfs.inode(node).size()));
        entry.0 = entry.0.saturating_add(1);
    };
    if rootfs.inode(from).is_directory() {
        each_name(rootfs, from, &mut count);
    } else {
        count(from);
    }
    each_name(rootfs, rootfs.root(), |node| {
        if let Some(entry) = names.get_mut(&rootfs.inode_number(node)) {
            // names below are counted again here: what is left over is elsewhere
            entry.0 = entry.0.wrapping_sub(1);
        }
    });
    names.values().filter(|(left, _)| *left == 0).fold(0, |sum, (_, bytes)| sum.saturating_add(*bytes))
}

/// Other paths of the file that `node` names, sorted, at most `most`, and how many there are.
#[must_use]
pub fn other_names(rootfs: &Rootfs, node: NodeId, most: usize) -> (Vec<Vec<u8>>, u64) {
    let number = rootfs.inode_number(node);
    let mut nodes = Vec::new();
    let mut count = 0_u64;
    each_name(rootfs, rootfs.root(), |other| {
        if other != node && rootfs.inode_number(other) == number {
            count = count.saturating_add(1);
            if nodes.len() < most {
                nodes.push(other);
            }
        }
    });
    let mut names: Vec<Vec<u8>> = nodes.into_iter().map(|other| rootfs.path(other)).collect();
    names.sort_unstable();
    (names, count)
}

/// Visits every name below a directory that is no directory itself.
fn each_name(rootfs: &Rootfs, from: NodeId, mut visit: impl FnMut(NodeId)) {
    let mut folders = vec![from];
    while let Some(folder) = folders.pop() {
        for (_, child) in rootfs.children(folder) {
            if rootfs.inode(child).is_directory() {
                folders.push(child);
            } else {
                visit(child);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::OwnedFile;
    use crate::rootfs::InodeKind;

    /// `/a/x` of 5 bytes is `/b/x` too, `/a/y` has 7, `/a/d/z` 9.
    fn tree() -> Rootfs {
        let mut tree = Rootfs::default();
        let file = |size| Inode::new(InodeKind::File { size }, 0o644, 0);
        let first = tree.insert(b"/a/x", file(5));
        tree.insert_hard_link(b"/b/x", first);
        tree.insert(b"/a/y", file(7));
        tree.insert(b"/a/d/z", file(9));
        tree.insert(b"/b/empty", file(0));
        tree
    }

    fn at(tree: &Rootfs, path: &[u8]) -> NodeId {
        tree.entries().into_iter().find(|(name, _)| name == path).unwrap().1
    }

    #[test]
    fn every_file_counts_once_and_the_heaviest_come_first() {
        let tree = tree();
        let all = part(&tree, tree.root(), |_, _| true);
        assert_eq!(all.weight, Weight { files: 4, bytes: 21 });
        let paths: Vec<String> = all.biggest.iter().map(|(path, bytes)| format!("{}={bytes}", path.escape_ascii())).collect();
        assert_eq!(paths[..2], ["/a/d/z=9", "/a/y=7"]);
        assert_eq!(paths.len(), 3);
        assert_eq!(part(&tree, at(&tree, b"/a"), |_, inode| inode.size() < 8).weight, Weight { files: 2, bytes: 12 });
    }

    #[test]
    fn many_files_are_named_by_weight_then_by_path() {
        let mut tree = Rootfs::default();
        for number in 0..40_u64 {
            tree.insert(format!("/{number:02}").as_bytes(), Inode::new(InodeKind::File { size: number / 4 }, 0o644, 0));
        }
        let found = part(&tree, tree.root(), |_, _| true).biggest;
        let paths: Vec<&[u8]> = found.iter().map(|(path, _)| path.as_slice()).collect();
        assert_eq!(paths, [b"/36", b"/37", b"/38", b"/39", b"/32"]);
    }

    #[test]
    fn a_file_with_a_name_elsewhere_stays() {
        let tree = tree();
        assert_eq!(freed(&tree, at(&tree, b"/a")), 16);
        assert_eq!(freed(&tree, at(&tree, b"/a/x")), 0);
        assert_eq!(freed(&tree, at(&tree, b"/a/y")), 7);
        assert_eq!(freed(&tree, tree.root()), 21);
        assert_eq!(other_names(&tree, at(&tree, b"/a/x"), 9), (vec![b"/b/x".to_vec()], 1));
        assert_eq!(other_names(&tree, at(&tree, b"/a/y"), 9), (vec![], 0));
    }

    #[test]
    fn files_are_weighed_by_who_owns_them() {
        let tree = tree();
        let owned = [(tree.inode_number(at(&tree, b"/a/y")), OwnedFile { package: 3, mode: None })];
        let packages = Packages { owned: owned.into(), ..Packages::default() };
        let weights = by_package(&tree, tree.root(), &packages);
        assert_eq!(weights[&Some(3)], Weight { files: 1, bytes: 7 });
        assert_eq!(weights[&None], Weight { files: 3, bytes: 14 });
        assert_eq!(by_layer(&tree, tree.root()), [(0, Weight { files: 4, bytes: 21 })].into());
    }
}
