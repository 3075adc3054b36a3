//! One entry of a layer, and the inode it makes.

use std::sync::Arc;

use super::node::{Inode, InodeKind};
use crate::layer::{Change, ChangeKind, LayerIndex, Xattr};

/// The device number that overlayfs takes for a whiteout.
pub(super) const WHITEOUT: InodeKind = InodeKind::CharDevice { device: (0, 0) };

/// A change with what its spans point into.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry<'a> {
    pub(super) layer: usize,
    pub(super) number: u32,
    pub(super) index: &'a LayerIndex,
    pub(super) change: &'a Change,
}

impl<'a> Entry<'a> {
    /// All entries of a layer, in the order of the tar.
    pub(super) fn all(layer: usize, index: &'a LayerIndex) -> impl Iterator<Item = Self> {
        (0..).zip(&index.changes).map(move |(number, change)| Self { layer, number, index, change })
    }

    pub(super) fn path(&self) -> &'a [u8] {
        self.index.name(&self.change.path)
    }

    pub(super) fn link(&self) -> &'a [u8] {
        self.index.name(&self.change.link)
    }

    /// The inode that the entry makes; a directory for the kinds that make none.
    pub(super) fn inode(&self) -> Inode {
        let change = self.change;
        let kind = match change.kind {
            ChangeKind::File => InodeKind::File { size: change.size },
            ChangeKind::Symlink => InodeKind::Symlink { target: self.link().into() },
            ChangeKind::CharDevice => InodeKind::CharDevice { device: change.device },
            ChangeKind::BlockDevice => InodeKind::BlockDevice { device: change.device },
            ChangeKind::Fifo => InodeKind::Fifo,
            ChangeKind::Directory | ChangeKind::HardLink | ChangeKind::Whiteout | ChangeKind::Opaque | ChangeKind::PaxGlobal => {
                InodeKind::Directory
            }
        };
        // Linux has no mode of its own for links
        let mode = if change.kind == ChangeKind::Symlink { 0o777 } else { change.mode };
        Inode {
            kind,
            mode,
            uid: change.uid,
            gid: change.gid,
            xattrs: change.xattrs.clone(),
            content: change.content.clone(),
            layer: self.layer,
            entry: Some(self.number),
            is_implied: false,
        }
    }

    /// Gives `inode` the metadata of this hard link entry, as runtimes do, and says whether that changed anything.
    /// Attributes that the entry does not list stay: writers need not repeat them.
    pub(super) fn apply_metadata(&self, inode: &mut Inode) -> bool {
        let change = self.change;
        let old = (inode.mode, inode.uid, inode.gid);
        if inode.target().is_none() {
            inode.mode = change.mode;
        }
        (inode.uid, inode.gid) = (change.uid, change.gid);
        let mut is_changed = old != (inode.mode, inode.uid, inode.gid);
        if change.xattrs.is_some() && change.xattrs != inode.xattrs {
            inode.xattrs.clone_from(&change.xattrs);
            is_changed = true;
        }
        is_changed
    }
}

/// What containerd sets of an entry's attributes: overlayfs's own would hide or redirect directories, and it drops them.
pub(super) fn without_overlay(xattrs: Option<&Arc<[Xattr]>>) -> Option<Arc<[Xattr]>> {
    let is_overlay = |xattr: &Xattr| xattr.name.starts_with(b"trusted.overlay.");
    let xattrs = xattrs?;
    if !xattrs.iter().any(is_overlay) {
        return Some(Arc::clone(xattrs));
    }
    let kept: Arc<[Xattr]> = xattrs.iter().filter(|xattr| !is_overlay(xattr)).cloned().collect();
    (!kept.is_empty()).then_some(kept)
}
