//! One walk of the tree for all places that something may be told by.

use std::collections::BTreeSet;

use crate::rootfs::{NodeId, Rootfs};

/// Where something may be told of components.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// `.dist-info` folders, `.egg-info` folders and files, `.egg` folders.
    pub(super) distributions: Vec<NodeId>,
    /// `pyvenv.cfg`.
    pub(super) environments: Vec<NodeId>,
    /// Folders of modules in byte code without sources, each without one around it.
    pub(super) bytecode: Vec<NodeId>,
    /// What lies in `node_modules`: folders, and links.
    pub(super) npm: Vec<NodeId>,
    /// `release`, of Java and of others.
    pub(super) releases: Vec<NodeId>,
    /// `libjvm.so`.
    pub(super) virtual_machines: Vec<NodeId>,
    /// `.jar`, `.war`, `.ear`.
    pub(super) archives: Vec<NodeId>,
    /// Programs, each inode once.
    pub(super) programs: Vec<NodeId>,
    /// `shared/NAME/VERSION` of .NET.
    pub(super) frameworks: Vec<NodeId>,
    /// `sdk/VERSION` of .NET.
    pub(super) sdks: Vec<NodeId>,
    /// `.deps.json`.
    pub(super) dependencies: Vec<NodeId>,
    /// `specifications/*.gemspec`.
    pub(super) gems: Vec<NodeId>,
    /// `composer/installed.json`.
    pub(super) composer: Vec<NodeId>,
}

/// A folder that is still to be looked at.
#[derive(Debug, Clone, Copy)]
struct Folder<'a> {
    node: NodeId,
    name: &'a [u8],
    parent: &'a [u8],
    /// It lies in a tree of byte code.
    is_bytecode: bool,
}

impl Places {
    pub(super) fn of(rootfs: &Rootfs) -> Self {
        let mut places = Self::default();
        let mut programs = BTreeSet::new();
        let mut folders = vec![Folder { node: rootfs.root(), name: b"", parent: b"", is_bytecode: false }];
        while let Some(folder) = folders.pop() {
            let is_bytecode = places.sees_bytecode(rootfs, folder);
            for (name, node) in rootfs.children(folder.node) {
                let inode = rootfs.inode(node);
                if inode.is_directory() {
                    folders.push(Folder { node, name, parent: folder.name, is_bytecode });
                    places.folder(rootfs, folder, name, node);
                } else if inode.is_file() {
                    places.file(folder, name, node);
                    let elf = inode.content.as_ref().and_then(|content| content.elf.as_deref());
                    let is_program = elf.is_some_and(|elf| elf.is_program || elf.go.is_some());
                    if is_program && programs.insert(rootfs.inode_number(node)) {
                        places.programs.push(node);
                    }
                }
                if is_of_node(folder) && !name.starts_with(b".") {
                    places.npm.push(node);
                }
            }
        }
        places
    }

    fn folder(&mut self, rootfs: &Rootfs, folder: Folder<'_>, name: &[u8], node: NodeId) {
        if [&b".dist-info"[..], b".egg-info", b".egg"].iter().any(|end| name.ends_with(end)) {
            self.distributions.push(node);
        } else if folder.parent == b"shared" && rootfs.child(node, &[folder.name, b".deps.json"].concat()).is_some() {
            self.frameworks.push(node);
        } else if folder.name == b"sdk" && rootfs.child(node, b"dotnet.dll").is_some() {
            self.sdks.push(node);
        }
    }

    fn file(&mut self, folder: Folder<'_>, name: &[u8], node: NodeId) {
        match name {
            b"pyvenv.cfg" => self.environments.push(node),
            b"release" => self.releases.push(node),
            b"libjvm.so" => self.virtual_machines.push(node),
            b"installed.json" if folder.name == b"composer" => self.composer.push(node),
            name if name.ends_with(b".egg-info") => self.distributions.push(node),
            name if [&b".jar"[..], b".war", b".ear"].iter().any(|end| name.ends_with(end)) => self.archives.push(node),
            name if name.ends_with(b".deps.json") => self.dependencies.push(node),
            name if name.ends_with(b".gemspec") => {
                let is_default = folder.name == b"default" && folder.parent == b"specifications";
                if folder.name == b"specifications" || is_default {
                    self.gems.push(node);
                }
            }
            _ => {}
        }
    }

    /// Whether what lies in a folder belongs to a tree of byte code; notes where one begins.
    fn sees_bytecode(&mut self, rootfs: &Rootfs, folder: Folder<'_>) -> bool {
        // packages that are installed are trees of their own, and what is beside sources in `__pycache__` is a cache
        let is_site = matches!(folder.name, b"site-packages" | b"dist-packages");
        if is_site || folder.name == b"__pycache__" || folder.is_bytecode {
            return folder.is_bytecode && !is_site;
        }
        let mut has_bytecode = false;
        for (name, node) in rootfs.children(folder.node) {
            if name.ends_with(b".py") {
                return false;
            }
            has_bytecode |= name.ends_with(b".pyc") && rootfs.inode(node).is_file();
        }
        if has_bytecode {
            self.bytecode.push(folder.node);
        }
        has_bytecode
    }
}

/// Where Node.js looks for packages: `node_modules`, and Debian's folders for all.
fn is_of_node(folder: Folder<'_>) -> bool {
    folder.name == b"node_modules" || folder.name == b"nodejs" && matches!(folder.parent, b"share" | b"lib")
}
