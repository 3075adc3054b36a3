//! Layers from plain data, and trees as one line of text, for the tests of this room.

use std::sync::Arc;

use super::{InodeKind, Merged, Rootfs, merge};
use crate::layer::{Change, ChangeKind, LayerIndex, Xattr};
use crate::limits::Limits;

/// An entry as a test writes it: owned by root, with the mode that its kind usually has.
#[derive(Debug, Clone)]
pub(super) struct Plain {
    pub(super) kind: ChangeKind,
    path: Vec<u8>,
    link: Vec<u8>,
    mode: u16,
    owner: (u32, u32),
    size: u64,
    device: (u32, u32),
    xattrs: Option<Arc<[Xattr]>>,
}

impl Plain {
    pub(super) fn new(kind: ChangeKind, path: &str, link: &str) -> Self {
        let mode = if kind == ChangeKind::Directory { 0o755 } else { 0o644 };
        let (path, link) = (format!("/{path}").into_bytes(), link.as_bytes().to_vec());
        Self { kind, path, link, mode, owner: (0, 0), size: 0, device: (0, 0), xattrs: None }
    }

    pub(super) fn mode(self, mode: u16) -> Self {
        Self { mode, ..self }
    }

    pub(super) fn owner(self, uid: u32, gid: u32) -> Self {
        Self { owner: (uid, gid), ..self }
    }

    pub(super) fn xattr(self, name: &str) -> Self {
        let xattr = Xattr { name: name.as_bytes().to_vec(), value: b"y".to_vec() };
        Self { xattrs: Some(Arc::from([xattr])), ..self }
    }
}

pub(super) fn dir(path: &str) -> Plain {
    Plain::new(ChangeKind::Directory, path, "")
}

/// A file; its size stands for its content.
pub(super) fn file(path: &str, size: u64) -> Plain {
    Plain { size, ..Plain::new(ChangeKind::File, path, "") }
}

pub(super) fn symlink(path: &str, target: &str) -> Plain {
    Plain::new(ChangeKind::Symlink, path, target)
}

pub(super) fn hardlink(path: &str, target: &str) -> Plain {
    Plain::new(ChangeKind::HardLink, path, &format!("/{target}"))
}

pub(super) fn whiteout(path: &str) -> Plain {
    Plain::new(ChangeKind::Whiteout, path, "")
}

pub(super) fn opaque(path: &str) -> Plain {
    Plain::new(ChangeKind::Opaque, path, "")
}

pub(super) fn device(path: &str, major: u32, minor: u32) -> Plain {
    Plain { device: (major, minor), ..Plain::new(ChangeKind::CharDevice, path, "") }
}

pub(super) fn global(path: &str) -> Plain {
    Plain::new(ChangeKind::PaxGlobal, path, "")
}

pub(super) fn layer(entries: &[Plain]) -> LayerIndex {
    let mut index = LayerIndex::default();
    for plain in entries {
        let (path, link) = (index.intern(&plain.path), index.intern(&plain.link));
        let Plain { kind, mode, owner: (uid, gid), size, device, .. } = *plain;
        let xattrs = plain.xattrs.clone();
        index.changes.push(Change { kind, mode, uid, gid, size, device, path, link, xattrs, content: None });
    }
    index
}

pub(super) fn merged_with(layers: &[Vec<Plain>], limits: &Limits) -> Merged {
    let layers: Vec<_> = layers.iter().map(|entries| layer(entries)).collect();
    merge(&layers.iter().collect::<Vec<_>>(), limits)
}

pub(super) fn merged(layers: &[Vec<Plain>]) -> Merged {
    merged_with(layers, &Limits::default())
}

/// A tree as names in order: `d/` a directory, `d/?` an implied one, `f=3` a file of 3 bytes, `s->t` a symlink, `n=c1:3`
/// a device, `p=p` a fifo; then `:mode:uid:gid` where that is not the usual.
pub(super) fn line(tree: &Rootfs) -> String {
    let mut words = Vec::new();
    for (path, id) in tree.entries() {
        let inode = tree.inode(id);
        let (kind, usual) = match &inode.kind {
            InodeKind::Directory if inode.is_implied => ("/?".to_owned(), 0o755),
            InodeKind::Directory => ("/".to_owned(), 0o755),
            InodeKind::File { size } => (format!("={size}"), 0o644),
            InodeKind::Symlink { target } => (format!("->{}", target.escape_ascii()), 0o777),
            InodeKind::CharDevice { device: (major, minor) } => (format!("=c{major}:{minor}"), 0o644),
            InodeKind::BlockDevice { device: (major, minor) } => (format!("=b{major}:{minor}"), 0o644),
            InodeKind::Fifo => ("=p".to_owned(), 0o644),
        };
        let is_usual = (inode.mode, inode.uid, inode.gid) == (usual, 0, 0);
        let own = if is_usual { String::new() } else { format!(":{:o}:{}:{}", inode.mode, inode.uid, inode.gid) };
        words.push(format!("{}{kind}{own}", path[1..].escape_ascii()));
    }
    words.join(" ")
}

/// The codes of all remarks and errors, each once, sorted by name.
pub(super) fn codes(merged: &Merged) -> String {
    let remarks = merged.remarks.iter().map(|remark| remark.code);
    let mut names: Vec<_> = remarks.chain(merged.errors.iter().map(|error| error.code())).map(|code| code.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    names.join(" ")
}
