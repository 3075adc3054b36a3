//! One walk through the tree: libraries by name, what lies in folders of languages and of plugins, bytes of packages.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::super::packages::Packages;
use super::table::{Language, is_for_compiling};
use crate::rootfs::{NodeId, Rootfs};

/// What one walk found.
#[derive(Debug, Default)]
pub(super) struct Tree<'a> {
    /// Files and links whose name tells of a library, by that name.
    pub(super) libraries: HashMap<&'a [u8], Vec<NodeId>>,
    /// Files in folders of languages.
    pub(super) of_language: Vec<(Language, NodeId)>,
    /// ELF libraries that no package owns, in no language's folder.
    pub(super) loose: Vec<NodeId>,
    /// Names of folders around ELF libraries that lie at most two folders below, each once, with those libraries.
    pub(super) in_folder: BTreeMap<&'a [u8], Vec<NodeId>>,
    /// Bytes by package and layer.
    pub(super) bytes: BTreeMap<(usize, usize), u64>,
}

/// A folder that is yet to be looked into.
#[derive(Clone, Copy)]
struct Folder<'a> {
    node: NodeId,
    name: &'a [u8],
    around: [&'a [u8]; 2],
    language: Option<Language>,
}

impl<'a> Tree<'a> {
    pub(super) fn of(rootfs: &'a Rootfs, packages: &Packages) -> Self {
        let mut tree = Self::default();
        let mut counted = HashSet::new();
        let mut stack = vec![Folder { node: rootfs.root(), name: b"", around: [b"", b""], language: None }];
        while let Some(folder) = stack.pop() {
            for (name, node) in rootfs.children(folder.node) {
                let inode = rootfs.inode(node);
                if inode.is_directory() {
                    let language = match Language::of_folder(folder.name, name) {
                        _ if is_for_compiling(name) => None,
                        Some(language) => Some(language),
                        None => folder.language,
                    };
                    stack.push(Folder { node, name, around: [folder.name, folder.around[0]], language });
                    continue;
                }
                let owner = packages.owned.get(&rootfs.inode_number(node));
                tree.file(rootfs, folder, (name, node), owner.is_some());
                if let Some(owned) = owner.filter(|_| inode.is_file())
                    && counted.insert(rootfs.inode_number(node))
                {
                    let sum = tree.bytes.entry((owned.package, inode.layer)).or_default();
                    *sum = sum.saturating_add(inode.size());
                }
            }
        }
        tree
    }

    fn file(&mut self, rootfs: &Rootfs, folder: Folder<'a>, (name, node): (&'a [u8], NodeId), is_owned: bool) {
        if memchr::memmem::find(name, b".so").is_some() {
            self.libraries.entry(name).or_default().push(node);
        }
        let inode = rootfs.inode(node);
        let elf = inode.content.as_deref().and_then(|content| content.elf.as_deref());
        if let Some(language) = folder.language {
            if is_owned || elf.is_some() {
                self.of_language.push((language, node));
            }
        } else if elf.is_some_and(|elf| !elf.is_program) && !is_owned {
            self.loose.push(node);
        }
        if elf.is_some_and(|elf| !elf.is_program) {
            for around in [folder.name, folder.around[0], folder.around[1]] {
                self.in_folder.entry(around).or_default().push(node);
            }
        }
    }
}
