//! Files summed by the folder that is evidence of them, and whose they are: of others' modules, of packages.

use std::collections::{BTreeMap, BTreeSet};

use super::{tools, wording};
use crate::facts::Image;
use crate::finding::Evidence;
use crate::rootfs::{NodeId, Rootfs};

/// Folders whose content third parties packed as a whole: nobody here chose its files one by one.
const MODULES: &[&[u8]] = &[
    b"node_modules",
    b"site-packages",
    b"dist-packages",
    b"gems",
    b"vendor",
    b"bower_components",
    b"_bundled",
    b"python-wheels",
];

/// Parts of paths below which lie downloads of a language's package manager.
const DOWNLOADS: &[&[u8]] = &[b"/pkg/mod/", b"/cargo/registry/", b"/.cargo/", b"/cargo/git/"];

/// Files and bytes by place and layer.
#[derive(Debug, Default)]
pub(super) struct Contents {
    /// Files, each name counted.
    pub(super) files: u64,
    /// Bytes, each inode counted once.
    pub(super) bytes: u64,
    places: BTreeMap<(Vec<u8>, usize), Evidence>,
    counted: BTreeSet<u32>,
    /// Names met so far of those inodes that have several.
    names: BTreeMap<u32, BTreeSet<NodeId>>,
}

impl Contents {
    /// Adds a file for which `place`, a folder above it or the file itself, is evidence. The bytes of evidence are those that go with
    /// what is found: a file that keeps a name elsewhere has none.
    pub(super) fn add(&mut self, image: &Image, place: &[u8], node: NodeId) {
        let (inode, number) = (image.rootfs.inode(node), image.rootfs.inode_number(node));
        let is_first = self.counted.insert(number);
        self.files = self.files.saturating_add(1);
        self.bytes = self.bytes.saturating_add(if is_first { inode.size() } else { 0 });
        // taking out a file frees its bytes only with the last of its names
        let is_freed = image.several_names.get(&number).map_or(is_first, |all| {
            let names = self.names.entry(number).or_default();
            names.insert(node) && names.len() == all.len()
        });
        let evidence = self.places.entry((place.to_vec(), inode.layer)).or_insert_with(|| Evidence {
            path: Some(place.to_vec()),
            layer: Some(inode.layer),
            history: image.steps.get(inode.layer).and_then(|step| step.history),
            ..Evidence::default()
        });
        evidence.bytes = evidence.bytes.saturating_add(if is_freed { inode.size() } else { 0 });
    }

    /// `3 files, 1.5 MiB`.
    pub(super) fn size(&self) -> String {
        format!("{}, {}", wording::counted(self.files, "file"), wording::bytes(self.bytes))
    }

    /// The places, by path and layer.
    pub(super) fn evidence(self) -> Vec<Evidence> {
        self.places.into_values().collect()
    }
}

/// Whether a path lies in modules of third parties or among the system's own files.
pub(super) fn is_of_others(path: &[u8]) -> bool {
    let system: [&[u8]; 8] = [
        b"/usr/lib/",
        b"/usr/share/",
        b"/usr/local/lib/",
        b"/usr/local/share/",
        b"/usr/local/go/",
        b"/lib/",
        b"/usr/lib64/",
        b"/opt/conda/",
    ];
    system.iter().any(|folder| path.starts_with(folder)) || is_of_modules(path)
}

/// Whether a path lies in modules of third parties.
pub(super) fn is_of_modules(path: &[u8]) -> bool {
    let mut folders = path.split(|byte| *byte == b'/').rev().skip(1);
    folders.any(|folder| MODULES.contains(&folder))
        || DOWNLOADS.iter().any(|part| path.windows(part.len()).any(|window| window == *part))
}

/// Whether a file came with a package of the system.
pub(super) fn is_owned(image: &Image, node: NodeId) -> bool {
    tools::owner(image, node).is_some()
}

/// Regular files below a folder.
pub(super) fn files_below(rootfs: &Rootfs, folder: NodeId) -> Vec<NodeId> {
    let (mut files, mut open) = (Vec::new(), vec![folder]);
    while let Some(folder) = open.pop() {
        for (_, node) in rootfs.children(folder) {
            let inode = rootfs.inode(node);
            if inode.is_directory() {
                open.push(node);
            } else if inode.is_file() {
                files.push(node);
            }
        }
    }
    files
}

/// The last component of a path.
pub(super) fn base_name(path: &[u8]) -> &[u8] {
    path.rsplit(|byte| *byte == b'/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::testing::Builder;
    use super::*;

    #[test]
    fn bytes_count_once_and_files_by_name() {
        let mut builder = Builder::default();
        builder.file("/a/x", 2048).hard_link("/a/y", "/a/x").file("/a/z", 1);
        let image = builder.image();
        let mut contents = Contents::default();
        for node in files_below(&image.rootfs, image.rootfs.root()) {
            contents.add(&image, b"/a", node);
        }
        assert_eq!(contents.size(), "3 files, 2.0 KiB");
        assert_eq!(contents.evidence().iter().map(|one| one.bytes).collect::<Vec<_>>(), [2049]);
    }

    #[test]
    fn what_keeps_a_name_elsewhere_is_counted_and_not_freed() {
        let mut builder = Builder::default();
        builder.file("/a/x", 2048).hard_link("/b/x", "/a/x").file("/a/z", 1).hard_link("/a/y/z", "/a/z");
        let image = builder.image();
        let folder = |path: &[u8]| tools::entry(&image.rootfs, path).unwrap();
        let mut contents = Contents::default();
        for node in files_below(&image.rootfs, folder(b"/a")) {
            contents.add(&image, b"/a", node);
            contents.add(&image, b"/a", node);
        }
        assert_eq!(contents.bytes, 2049);
        assert_eq!(contents.evidence()[0].bytes, 1);
    }

    #[test]
    fn modules_are_told_by_a_folder_above() {
        assert!(is_of_modules(b"/app/node_modules/x/Dockerfile") && is_of_others(b"/usr/share/x"));
        assert!(!is_of_modules(b"/app/node_modules") && !is_of_others(b"/app/Dockerfile"));
    }
}
