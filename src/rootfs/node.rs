//! The tree: names in directories, and the inodes they name.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::layer::{Content, Xattr};

/// A name in a directory. Ids are only good for the tree they came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub(super) u32);

/// What an inode is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InodeKind {
    /// Regular file of `size` logical bytes.
    File {
        /// Logical bytes.
        size: u64,
    },
    /// Directory.
    Directory,
    /// Symbolic link to `target`, raw.
    Symlink {
        /// Target as written.
        target: Box<[u8]>,
    },
    /// Character device.
    CharDevice {
        /// Major, minor.
        device: (u32, u32),
    },
    /// Block device.
    BlockDevice {
        /// Major, minor.
        device: (u32, u32),
    },
    /// Fifo.
    Fifo,
}

/// What all names of a hard-linked file share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inode {
    /// What it is.
    pub kind: InodeKind,
    /// Permission bits with setuid, setgid and sticky.
    pub mode: u16,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Extended attributes, sorted by name.
    pub xattrs: Option<Arc<[Xattr]>>,
    /// What was learnt of a regular file's content.
    pub content: Option<Arc<Content>>,
    /// Index of the layer whose entry last set it.
    pub layer: usize,
    /// Index into that layer's changes of the entry that made it; None for implied directories.
    pub entry: Option<u32>,
    /// A directory that no entry names.
    pub is_implied: bool,
}

impl Inode {
    /// An inode that belongs to root, as entries of `layer` make it.
    #[must_use]
    pub fn new(kind: InodeKind, mode: u16, layer: usize) -> Self {
        Self { kind, mode, uid: 0, gid: 0, xattrs: None, content: None, layer, entry: None, is_implied: false }
    }

    /// Whether it is a regular file.
    #[must_use]
    pub fn is_file(&self) -> bool {
        matches!(self.kind, InodeKind::File { .. })
    }

    /// Whether it is a directory.
    #[must_use]
    pub fn is_directory(&self) -> bool {
        matches!(self.kind, InodeKind::Directory)
    }

    /// A symbolic link's target.
    #[must_use]
    pub fn target(&self) -> Option<&[u8]> {
        match &self.kind {
            InodeKind::Symlink { target } => Some(target),
            _ => None,
        }
    }

    /// Logical bytes of a regular file, else 0.
    #[must_use]
    pub fn size(&self) -> u64 {
        match self.kind {
            InodeKind::File { size } => size,
            _ => 0,
        }
    }

    /// Its kind, for people.
    pub(super) fn what(&self) -> &'static str {
        match self.kind {
            InodeKind::File { .. } => "file",
            InodeKind::Directory => "directory",
            InodeKind::Symlink { .. } => "symlink",
            InodeKind::CharDevice { .. } => "character device",
            InodeKind::BlockDevice { .. } => "block device",
            InodeKind::Fifo => "fifo",
        }
    }

    /// A regular file that some user may execute.
    #[must_use]
    pub fn is_executable_file(&self) -> bool {
        self.is_file() && self.mode & 0o111 != 0
    }
}

#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) name: Box<[u8]>,
    pub(super) parent: u32,
    pub(super) inode: u32,
    /// Only for directories; sorted by name bytes.
    pub(super) children: BTreeMap<Box<[u8]>, u32>,
}

/// A filesystem tree.
#[derive(Debug, Clone)]
pub struct Rootfs {
    pub(super) nodes: Vec<Node>,
    pub(super) inodes: Vec<Inode>,
}

impl Default for Rootfs {
    fn default() -> Self {
        let root = Inode {
            kind: InodeKind::Directory,
            mode: 0o755,
            uid: 0,
            gid: 0,
            xattrs: None,
            content: None,
            layer: 0,
            entry: None,
            is_implied: true,
        };
        let node = Node { name: Box::default(), parent: 0, inode: 0, children: BTreeMap::new() };
        Self { nodes: vec![node], inodes: vec![root] }
    }
}

impl Rootfs {
    /// The root directory.
    #[must_use]
    pub fn root(&self) -> NodeId {
        NodeId(0)
    }

    /// The name `name` in directory `directory`, not followed.
    #[must_use]
    pub fn child(&self, directory: NodeId, name: &[u8]) -> Option<NodeId> {
        self.node(directory)?.children.get(name).copied().map(NodeId)
    }

    /// The names in a directory, sorted by bytes.
    pub fn children(&self, directory: NodeId) -> impl Iterator<Item = (&[u8], NodeId)> {
        self.node(directory).into_iter().flat_map(|node| &node.children).map(|(name, id)| (&**name, NodeId(*id)))
    }

    /// The inode that a name names.
    #[must_use]
    pub fn inode(&self, id: NodeId) -> &Inode {
        // an id of another tree would be a fault of ours: answer with the root rather than stop
        self.node(id).and_then(|node| self.inodes.get(index(node.inode))).unwrap_or_else(|| self.root_inode())
    }

    /// A number that is equal for two names exactly when they are hard links of one another.
    #[must_use]
    pub fn inode_number(&self, id: NodeId) -> u32 {
        self.node(id).map_or(0, |node| node.inode)
    }

    /// The directory that a name lies in; the root lies in itself.
    #[must_use]
    pub fn folder_of(&self, id: NodeId) -> NodeId {
        self.node(id).map_or(self.root(), |node| NodeId(node.parent))
    }

    /// Absolute path of a name: `/` for the root.
    #[must_use]
    pub fn path(&self, id: NodeId) -> Vec<u8> {
        let mut names = Vec::new();
        let mut at = id.0;
        while let Some(node) = self.nodes.get(index(at)).filter(|_| at != 0) {
            names.push(&node.name);
            at = node.parent;
        }
        if names.is_empty() {
            return vec![b'/'];
        }
        names.iter().rev().flat_map(|name| std::iter::once(&b'/').chain(name.iter())).copied().collect()
    }

    /// What is no directory and has more than one name in the tree: all its names, by inode number.
    #[must_use]
    pub fn several_names(&self) -> BTreeMap<u32, Vec<NodeId>> {
        let mut first: Vec<Option<NodeId>> = vec![None; self.inodes.len()];
        let mut several: BTreeMap<u32, Vec<NodeId>> = BTreeMap::new();
        let mut folders = vec![self.root()];
        while let Some(folder) = folders.pop() {
            for (_, node) in self.children(folder) {
                let number = self.inode_number(node);
                if self.inode(node).is_directory() {
                    folders.push(node);
                } else if let Some(met) = first.get_mut(index(number)) {
                    match met {
                        None => *met = Some(node),
                        Some(other) => several.entry(number).or_insert_with(|| vec![*other]).push(node),
                    }
                }
            }
        }
        several
    }

    /// Replaces what is known of the content of an inode, for all its names.
    pub fn set_content(&mut self, id: NodeId, content: Arc<Content>) {
        let number = self.inode_number(id);
        if let Some(inode) = self.inodes.get_mut(index(number)) {
            inode.content = Some(content);
        }
    }

    /// Makes a name for a new inode, and implied directories for parents that are missing; replaces what has the name.
    /// The path is absolute and clean. Parents that are no directories are replaced.
    pub fn insert(&mut self, path: &[u8], inode: Inode) -> NodeId {
        let number = self.add_inode(inode);
        self.insert_name(path, number)
    }

    /// Makes a further name for the inode that `existing` names.
    pub fn insert_hard_link(&mut self, path: &[u8], existing: NodeId) -> NodeId {
        let number = self.inode_number(existing);
        self.insert_name(path, number)
    }

    fn insert_name(&mut self, path: &[u8], number: u32) -> NodeId {
        let mut directory = 0;
        let mut names = path.split(|byte| *byte == b'/').filter(|name| !name.is_empty()).peekable();
        while let Some(name) = names.next() {
            if names.peek().is_none() {
                return NodeId(self.put(directory, name, number));
            }
            let existing = self.child(NodeId(directory), name).filter(|id| self.inode(*id).is_directory());
            directory = if let Some(id) = existing {
                id.0
            } else {
                let layer = self.inodes.get(index(number)).map_or(0, |inode| inode.layer);
                let implied = Inode { is_implied: true, ..Inode::new(InodeKind::Directory, 0o755, layer) };
                let implied = self.add_inode(implied);
                self.put(directory, name, implied)
            };
        }
        if let Some(root) = self.nodes.first_mut() {
            root.inode = number;
        }
        self.root()
    }

    pub(super) fn add_inode(&mut self, inode: Inode) -> u32 {
        let number = u32::try_from(self.inodes.len()).unwrap_or(u32::MAX);
        self.inodes.push(inode);
        number
    }

    /// Makes a node without children called `name` in `directory`, in place of what has the name.
    pub(super) fn put(&mut self, directory: u32, name: &[u8], inode: u32) -> u32 {
        let id = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        self.nodes.push(Node { name: name.into(), parent: directory, inode, children: BTreeMap::new() });
        if let Some(parent) = self.nodes.get_mut(index(directory)) {
            parent.children.insert(name.into(), id);
        }
        id
    }

    /// Takes the name out of `directory`, and with it all that lies below.
    pub(super) fn unlink(&mut self, directory: u32, name: &[u8]) {
        if let Some(parent) = self.nodes.get_mut(index(directory)) {
            parent.children.remove(name);
        }
    }

    /// Takes all names out of `directory`.
    pub(super) fn clear(&mut self, directory: u32) {
        if let Some(node) = self.nodes.get_mut(index(directory)) {
            node.children.clear();
        }
    }

    /// Makes `node` a name of another inode; its children stay.
    pub(super) fn set_inode(&mut self, node: u32, inode: u32) {
        if let Some(node) = self.nodes.get_mut(index(node)) {
            node.inode = inode;
        }
    }

    pub(super) fn inode_mut(&mut self, node: u32) -> Option<&mut Inode> {
        let number = self.nodes.get(index(node))?.inode;
        self.inodes.get_mut(index(number))
    }

    pub(super) fn parent(&self, node: u32) -> u32 {
        self.nodes.get(index(node)).map_or(0, |node| node.parent)
    }

    fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(index(id.0))
    }

    #[expect(clippy::indexing_slicing, reason = "every Rootfs is made with its root inode, and inodes are never removed")]
    fn root_inode(&self) -> &Inode {
        &self.inodes[0]
    }
}

pub(super) fn index(id: u32) -> usize {
    usize::try_from(id).unwrap_or(usize::MAX)
}
