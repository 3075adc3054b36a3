//! One layer unpacked alone onto an empty tree, as overlay runtimes do before they mount it: an overlayfs upper directory.

use std::collections::BTreeSet;

use super::Error;
use super::entry::{Entry, WHITEOUT, without_overlay};
use super::node::{Inode, NodeId, Rootfs};
use super::walk::{Budget, Missing, Obstacle, Reached, split, walk};
use crate::layer::{ChangeKind, LayerIndex};
use crate::limits::LimitHit;
use crate::oci::{Code, Place, Remark, escape};

/// What the merge says besides its trees.
#[derive(Debug, Default)]
pub(super) struct Sayings {
    pub(super) remarks: Vec<Remark>,
    pub(super) errors: Vec<Error>,
}

impl Sayings {
    pub(super) fn remark(&mut self, code: Code, layer: usize, path: &[u8], detail: &str) {
        self.remarks.push(Remark { code, place: Place::path(path).in_layer(layer), detail: detail.to_owned() });
    }

    pub(super) fn refuse(&mut self, code: Code, layer: usize, path: &[u8], detail: &str) {
        self.errors.push(Error::Entry { code, layer, path: path.to_vec(), detail: detail.to_owned() });
    }
}

/// A layer's own directory. Whiteouts are 0:0 character devices, as on disk; those that `.wh.` names made have no entry.
#[derive(Debug, Default)]
pub(super) struct Upper {
    pub(super) tree: Rootfs,
    /// Directories with overlayfs's opaque mark.
    pub(super) opaque: BTreeSet<u32>,
    /// Directories that took the place of a whiteout of their own layer, without an opaque mark.
    pub(super) recreated: BTreeSet<u32>,
}

/// Unpacks one layer alone. Err when the work is more than allowed; entries that cannot be are errors in `sayings`.
pub(super) fn unpack(
    layer: usize,
    index: &LayerIndex,
    budget: &mut Budget<'_>,
    sayings: &mut Sayings,
) -> Result<Upper, LimitHit> {
    let mut unpacker = Unpacker { upper: Upper::default(), links: BTreeSet::new(), budget, sayings };
    for entry in Entry::all(layer, index) {
        match unpacker.apply(entry) {
            Err(Refused::Limit(hit)) => return Err(hit),
            Err(Refused::Entry(code, detail)) => unpacker.sayings.refuse(code, layer, entry.path(), &detail),
            Ok(()) => {}
        }
    }
    Ok(unpacker.upper)
}

/// Why an entry makes nothing.
enum Refused {
    Entry(Code, String),
    Limit(LimitHit),
}

impl From<LimitHit> for Refused {
    fn from(hit: LimitHit) -> Self {
        Self::Limit(hit)
    }
}

struct Unpacker<'a, 'l> {
    upper: Upper,
    /// Links that were remarked on.
    links: BTreeSet<u32>,
    budget: &'a mut Budget<'l>,
    sayings: &'a mut Sayings,
}

impl Unpacker<'_, '_> {
    fn apply(&mut self, entry: Entry<'_>) -> Result<(), Refused> {
        let kind = entry.change.kind;
        let Some((parent, name)) = split(entry.path()) else {
            return self.apply_root(entry);
        };
        match kind {
            ChangeKind::Opaque => self.mark_opaque(entry),
            ChangeKind::PaxGlobal => self.remove_named_by_global(entry, parent, name),
            ChangeKind::Whiteout => match self.directory(entry, parent)? {
                Some(directory) => self.white_out(entry, directory, name),
                None => Ok(()),
            },
            _ => match self.directory(entry, parent)? {
                Some(directory) if kind == ChangeKind::HardLink => self.link(entry, directory, name),
                Some(directory) => self.make(entry, directory, name),
                None => Ok(()),
            },
        }
    }

    /// A mount's root keeps the runtime's own metadata, and the kernel ignores an opaque mark there.
    fn apply_root(&mut self, entry: Entry<'_>) -> Result<(), Refused> {
        match entry.change.kind {
            ChangeKind::Directory | ChangeKind::PaxGlobal => Ok(()),
            ChangeKind::Opaque => {
                self.remark(Code::OpaqueRoot, entry, "");
                Ok(())
            }
            ChangeKind::Whiteout => Err(Refused::Entry(Code::WhiteoutInvalidName, "a whiteout of the root".to_owned())),
            _ => Err(Refused::Entry(Code::RootNotDirectory, "the root as something else than a directory".to_owned())),
        }
    }

    fn make(&mut self, entry: Entry<'_>, directory: u32, name: &[u8]) -> Result<(), Refused> {
        let mut inode = entry.inode();
        inode.xattrs = without_overlay(inode.xattrs.as_ref());
        if inode.kind == WHITEOUT {
            self.remark(Code::OverlayWhiteoutDevice, entry, "");
        }
        let is_directory = inode.is_directory();
        let existing = self.upper.tree.child(NodeId(directory), name);
        let was_whiteout = existing.is_some_and(|id| is_marker(self.upper.tree.inode(id)));
        if let Some(id) = existing.filter(|_| !was_whiteout) {
            let old = self.upper.tree.inode(id);
            if !(is_directory && old.is_directory() && old.is_implied) {
                let detail = format!("{} after {}", what(&inode), what(old));
                self.remark(Code::DuplicateEntry, entry, &detail);
            }
            if is_directory && self.upper.tree.inode(id).is_directory() {
                let number = self.upper.tree.add_inode(inode);
                self.upper.tree.set_inode(id.0, number);
                return Ok(());
            }
        }
        self.budget.add_node()?;
        let number = self.upper.tree.add_inode(inode);
        let node = self.upper.tree.put(directory, name, number);
        if was_whiteout && is_directory {
            self.upper.recreated.insert(node);
        }
        Ok(())
    }

    /// The name is freed before the target is looked up, so a link to itself finds nothing.
    fn link(&mut self, entry: Entry<'_>, directory: u32, name: &[u8]) -> Result<(), Refused> {
        let existing = self.upper.tree.child(NodeId(directory), name);
        let is_duplicate = existing.is_some_and(|id| !is_marker(self.upper.tree.inode(id)));
        self.upper.tree.unlink(directory, name);
        let target = self.link_target(entry)?;
        if is_duplicate {
            self.remark(Code::DuplicateEntry, entry, "a hard link after another entry");
        }
        self.budget.add_node()?;
        let number = self.upper.tree.inode_number(target);
        let node = self.upper.tree.put(directory, name, number);
        let mut is_changed = false;
        if let Some(inode) = self.upper.tree.inode_mut(node) {
            is_changed = entry.apply_metadata(inode);
            inode.xattrs = without_overlay(inode.xattrs.as_ref());
        }
        if is_changed {
            let detail = format!("now mode {:04o}, owner {}:{}", entry.change.mode, entry.change.uid, entry.change.gid);
            self.remark(Code::HardlinkMetadataDiffers, entry, &detail);
        }
        Ok(())
    }

    fn link_target(&mut self, entry: Entry<'_>) -> Result<NodeId, Refused> {
        let path = entry.link();
        let absent = || Refused::Entry(Code::HardlinkTargetNotInLayer, format!("to {}", escape(path)));
        let Some((parent, name)) = split(path) else {
            return Err(Refused::Entry(Code::HardlinkToDirectory, "to /".to_owned()));
        };
        let reached = match walk(&mut self.upper.tree, parent, Missing::Stop, self.budget) {
            Ok(reached) => reached,
            Err(Obstacle::Missing | Obstacle::NotADirectory(_)) => return Err(absent()),
            Err(Obstacle::Loop) => return Err(Refused::Entry(Code::SymlinkLoop, format!("to {}", escape(path)))),
            Err(Obstacle::Limit(hit)) => return Err(hit.into()),
        };
        self.remark_links(entry, reached)?;
        let target = self.upper.tree.child(NodeId(reached.directory), name).ok_or_else(absent)?;
        let inode = self.upper.tree.inode(target);
        if inode.is_directory() {
            return Err(Refused::Entry(Code::HardlinkToDirectory, format!("to {}", escape(path))));
        }
        if is_marker(inode) {
            return Err(absent());
        }
        Ok(target)
    }

    fn white_out(&mut self, entry: Entry<'_>, directory: u32, name: &[u8]) -> Result<(), Refused> {
        match self.upper.tree.child(NodeId(directory), name) {
            Some(id) if is_marker(self.upper.tree.inode(id)) => self.remark(Code::DuplicateEntry, entry, "a whiteout twice"),
            Some(id) => {
                let detail = format!("after {} of that name", what(self.upper.tree.inode(id)));
                return Err(Refused::Entry(Code::WhiteoutAfterSibling, detail));
            }
            None => {
                self.budget.add_node()?;
                let number = self.upper.tree.add_inode(Inode::new(WHITEOUT, 0, entry.layer));
                self.upper.tree.put(directory, name, number);
            }
        }
        Ok(())
    }

    fn mark_opaque(&mut self, entry: Entry<'_>) -> Result<(), Refused> {
        let Some(directory) = self.directory(entry, entry.path())? else { return Ok(()) };
        if directory == 0 {
            self.remark(Code::OpaqueRoot, entry, "through a symbolic link");
        } else if !self.upper.opaque.insert(directory) {
            self.remark(Code::DuplicateEntry, entry, "an opaque whiteout twice");
        }
        Ok(())
    }

    fn remove_named_by_global(&mut self, entry: Entry<'_>, parent: &[u8], name: &[u8]) -> Result<(), Refused> {
        match walk(&mut self.upper.tree, parent, Missing::Stop, self.budget) {
            Ok(reached) if self.upper.tree.child(NodeId(reached.directory), name).is_some() => {
                self.upper.tree.unlink(reached.directory, name);
                self.remark(Code::PaxGlobalNamed, entry, "");
                Ok(())
            }
            Err(Obstacle::Limit(hit)) => Err(hit.into()),
            _ => Ok(()),
        }
    }

    /// The directory `path`, with what is missing of it made. None for whiteouts in what their layer removes: podman
    /// ignores these, others fail.
    fn directory(&mut self, entry: Entry<'_>, path: &[u8]) -> Result<Option<u32>, Refused> {
        match walk(&mut self.upper.tree, path, Missing::Create(entry.layer), self.budget) {
            Ok(reached) => self.remark_links(entry, reached).map(|()| Some(reached.directory)),
            Err(Obstacle::Limit(hit)) => Err(hit.into()),
            Err(Obstacle::Loop) => Err(Refused::Entry(Code::SymlinkLoop, String::from("more links than are followed"))),
            Err(Obstacle::Missing) => Ok(None),
            Err(Obstacle::NotADirectory(node)) => {
                let inode = self.upper.tree.inode(NodeId(node));
                let is_removal = matches!(entry.change.kind, ChangeKind::Whiteout | ChangeKind::Opaque);
                if is_removal && inode.kind == WHITEOUT {
                    self.remark(Code::WhiteoutUnderWhiteout, entry, "");
                    return Ok(None);
                }
                let parent = self.upper.tree.path(NodeId(node));
                let detail = format!("{} is {}", escape(&parent), what(inode));
                Err(Refused::Entry(Code::ParentNotDirectory, detail))
            }
        }
    }

    /// Says once per link that entries go through it.
    fn remark_links(&mut self, entry: Entry<'_>, reached: Reached) -> Result<(), Refused> {
        if reached.is_escape {
            return Err(Refused::Entry(Code::PathEscapesRoot, String::from("climbs above the root through a symbolic link")));
        }
        let Some(link) = reached.link else { return Ok(()) };
        let target = self.upper.tree.inode(NodeId(link)).target().unwrap_or_default();
        let detail = format!("through {} -> {}", escape(&self.upper.tree.path(NodeId(link))), escape(target));
        if self.links.insert(link) {
            self.remark(Code::EntryThroughSymlink, entry, &detail);
        }
        if reached.is_dangling {
            self.remark(Code::SymlinkParentDangling, entry, &detail);
        }
        Ok(())
    }

    fn remark(&mut self, code: Code, entry: Entry<'_>, detail: &str) {
        self.sayings.remark(code, entry.layer, entry.path(), detail);
    }
}

/// A whiteout that a `.wh.` name made; a device entry that overlayfs takes for one has its entry.
fn is_marker(inode: &Inode) -> bool {
    inode.kind == WHITEOUT && inode.entry.is_none()
}

/// The kind of an inode, for people.
pub(super) fn what(inode: &Inode) -> &'static str {
    use super::node::InodeKind;
    match inode.kind {
        InodeKind::File { .. } => "file",
        InodeKind::Directory => "directory",
        InodeKind::Symlink { .. } => "symlink",
        _ if is_marker(inode) => "whiteout",
        InodeKind::CharDevice { .. } => "character device",
        InodeKind::BlockDevice { .. } => "block device",
        InodeKind::Fifo => "fifo",
    }
}
