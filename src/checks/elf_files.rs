//! The ELF files of the application: those that no package owns.

use super::{evidence, tools};
use crate::facts::{ElfFacts, Image};
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

/// Programs and shared libraries, sorted by path, each file once: all, or those of the application alone.
fn files(image: &Image, is_wanted: impl Fn(NodeId) -> bool) -> Vec<ElfFile<'_>> {
    let mut seen = std::collections::BTreeSet::new();
    let entries = image.rootfs.entries().into_iter();
    entries
        .filter_map(|(path, node)| {
            let elf = tools::elf(image.rootfs.inode(node))?;
            let is_loaded = matches!(elf.kind, ET_EXEC | ET_DYN) && is_wanted(node);
            (is_loaded && seen.insert(image.rootfs.inode_number(node))).then_some(ElfFile { path, node, elf })
        })
        .collect()
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
