//! All names of a tree, sorted by path.

use std::cmp::Ordering;

use super::{NodeId, Rootfs};

/// A child of a folder, or what lies below it.
#[derive(Debug, Clone, Copy)]
struct Item<'t> {
    name: &'t [u8],
    is_below: bool,
    node: NodeId,
}

impl Item<'_> {
    /// The order of the paths that begin with it: what lies below `d` comes after `d-x`, as a slash comes after a hyphen.
    fn order(&self, other: &Self) -> Ordering {
        let shared = self.name.len().min(other.name.len());
        match (self.name.get(..shared)).cmp(&other.name.get(..shared)) {
            Ordering::Equal => self.after(shared).cmp(&other.after(shared)),
            order => order,
        }
    }

    /// The byte at `at` of its path; None at its end.
    fn after(&self, at: usize) -> Option<u8> {
        self.name.get(at).copied().or_else(|| self.is_below.then_some(b'/'))
    }
}

impl Rootfs {
    /// At least as many as there are names, and seldom more.
    #[must_use]
    pub fn most_names(&self) -> usize {
        self.nodes.len()
    }

    /// Every name but the root with its absolute path, sorted by path bytes.
    #[must_use]
    pub fn entries(&self) -> Vec<(Vec<u8>, NodeId)> {
        let mut entries = Vec::with_capacity(self.nodes.len());
        let mut path = Vec::new();
        let mut open = vec![(0, self.in_path_order(self.root()).into_iter())];
        while let Some((length, items)) = open.last_mut() {
            path.truncate(*length);
            let Some(item) = items.next() else {
                open.pop();
                continue;
            };
            path.push(b'/');
            path.extend_from_slice(item.name);
            if item.is_below {
                open.push((path.len(), self.in_path_order(item.node).into_iter()));
            } else {
                entries.push((path.clone(), item.node));
            }
        }
        entries
    }

    /// The children of a folder, those that are folders a second time for what lies below them: `d`, `d-x`, and then `d/a`.
    fn in_path_order(&self, folder: NodeId) -> Vec<Item<'_>> {
        let mut items = Vec::new();
        for (name, node) in self.children(folder) {
            items.push(Item { name, is_below: false, node });
            if self.inode(node).is_directory() {
                items.push(Item { name, is_below: true, node });
            }
        }
        items.sort_unstable_by(Item::order);
        items
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Inode, InodeKind};
    use super::*;

    proptest! {
        #[test]
        fn entries_are_sorted_by_the_bytes_of_their_paths(paths in proptest::collection::btree_set("(/[d.\\-x]{1,2}){1,4}", 0..30)) {
            let mut tree = Rootfs::default();
            for path in &paths {
                tree.insert(path.as_bytes(), Inode::new(InodeKind::Directory, 0o755, 0));
            }
            tree.insert(b"/d/file", Inode::new(InodeKind::File { size: 1 }, 0o644, 0));
            let entries = tree.entries();
            let found: Vec<&[u8]> = entries.iter().map(|(path, _)| path.as_slice()).collect();
            prop_assert!(found.is_sorted_by(|a, b| a < b), "{found:?}");
            prop_assert!(paths.iter().all(|path| found.contains(&path.as_bytes())));
            prop_assert!(entries.iter().all(|(path, node)| tree.path(*node) == *path));
        }
    }
}
