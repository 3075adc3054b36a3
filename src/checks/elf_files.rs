//! The ELF files of the application: those that no package owns.

use super::{evidence, tools};
use crate::facts::{ElfFacts, Image, Marker};
use crate::finding::Evidence;
use crate::rootfs::NodeId;

const ET_EXEC: u16 = 2;
const ET_DYN: u16 = 3;

/// One file by its first name.
#[derive(Debug)]
pub(super) struct ElfFile<'i> {
    /// Absolute path, raw.
    pub(super) path: Vec<u8>,
    /// That name.
    pub(super) node: NodeId,
    /// What is known of it.
    pub(super) elf: &'i ElfFacts,
}

impl ElfFile<'_> {
    /// Whether the kernel would start it.
    pub(super) fn is_program(&self, image: &Image) -> bool {
        self.elf.is_program && image.rootfs.inode(self.node).is_executable_file()
    }

    /// The file as evidence.
    pub(super) fn evidence(&self, image: &Image) -> Evidence {
        evidence::of_node(image, self.path.clone(), self.node)
    }
}

/// Programs and shared libraries that are wanted, sorted by path, each file once.
fn files(image: &Image, is_wanted: impl Fn(NodeId) -> bool) -> Vec<ElfFile<'_>> {
    let mut found: std::collections::BTreeMap<u32, ElfFile<'_>> = std::collections::BTreeMap::new();
    for (path, node) in image.rootfs.entries() {
        let inode = image.rootfs.inode(node);
        let Some(elf) = tools::elf(inode).filter(|elf| matches!(elf.kind, ET_EXEC | ET_DYN) && is_wanted(node)) else { continue };
        // `[` is the first of BusyBox' names, and says little
        let is_own_name = path.ends_with(b"/busybox") && tools::has_marker(inode, Marker::BusyBox);
        let number = image.rootfs.inode_number(node);
        if is_own_name || !found.contains_key(&number) {
            found.insert(number, ElfFile { path, node, elf });
        }
    }
    let mut files: Vec<_> = found.into_values().collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

/// Programs and shared libraries that no package owns, sorted by path, each file once.
pub(super) fn of_application(image: &Image) -> Vec<ElfFile<'_>> {
    files(image, |node| tools::owner(image, node).is_none())
}

/// The same, and what the programs on the start-up path load, whoever owns it.
pub(super) fn of_application_and_startup(image: &Image) -> Vec<ElfFile<'_>> {
    let loaded: std::collections::BTreeSet<u32> =
        image.linking.objects.iter().map(|node| image.rootfs.inode_number(*node)).collect();
    files(image, |node| tools::owner(image, node).is_none() || loaded.contains(&image.rootfs.inode_number(node)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::testing::Builder;

    #[test]
    fn a_file_with_many_names_counts_once_busybox_by_its_own() {
        let elf = || ElfFacts { kind: 3, is_program: true, ..ElfFacts::default() };
        let mut builder = Builder::default();
        builder.elf("/bin/[", 9, ElfFacts { markers: [Marker::BusyBox].into(), ..elf() });
        builder.hard_link("/bin/busybox", "/bin/[").hard_link("/bin/sh", "/bin/[");
        builder.elf("/app/b", 9, elf()).hard_link("/app/a", "/app/b").elf("/app/o", 9, ElfFacts { kind: 1, ..elf() });
        let image = builder.image();
        let paths: Vec<_> = of_application(&image).into_iter().map(|file| file.path).collect();
        assert_eq!(paths, [b"/app/a".to_vec(), b"/bin/busybox".to_vec()]);
    }
}
