//! Two trees compared, path by path.

use super::node::{Inode, InodeKind, NodeId, Rootfs};
use super::upper::what;
use crate::limits::{LimitHit, Limits};
use crate::oci::escape;

/// A path on which the trees differ.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// Absolute path, raw.
    pub path: Vec<u8>,
    /// What the stacked tree has there, such as `file 0755 0:0 12 bytes` or `nothing`.
    pub stacked: String,
    /// What the sequential tree has there.
    pub sequential: String,
}

/// Every path whose type, mode, owner, size, target, device or content differs, sorted. The root's own metadata is the
/// runtime's, and is not compared.
pub(super) fn compare(stacked: &Rootfs, sequential: &Rootfs) -> Vec<Difference> {
    let mut differences = Vec::new();
    let mut directories = vec![(Vec::new(), Some(stacked.root()), Some(sequential.root()))];
    while let Some((path, left, right)) = directories.pop() {
        for (name, left, right) in pairs(stacked, left, sequential, right) {
            let (one, other) = (left.map(|id| stacked.inode(id)), right.map(|id| sequential.inode(id)));
            let path = || [&path, &b"/"[..], name].concat();
            if !is_same(one, other) {
                differences.push(describe(path(), one, other));
            }
            if [one, other].into_iter().flatten().any(Inode::is_directory) {
                directories.push((path(), left, right));
            }
        }
    }
    differences.sort_unstable();
    differences
}

type Pair<'a> = (&'a [u8], Option<NodeId>, Option<NodeId>);

/// The names of two directories, each once.
fn pairs<'a>(one: &'a Rootfs, left: Option<NodeId>, other: &'a Rootfs, right: Option<NodeId>) -> Vec<Pair<'a>> {
    let mut lefts = left.into_iter().flat_map(|id| one.children(id)).peekable();
    let mut rights = right.into_iter().flat_map(|id| other.children(id)).peekable();
    let mut pairs = Vec::new();
    loop {
        let order = match (lefts.peek(), rights.peek()) {
            (Some((left, _)), Some((right, _))) => left.cmp(right),
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (None, None) => return pairs,
        };
        let left = lefts.next_if(|_| order.is_le());
        let right = rights.next_if(|_| order.is_ge());
        if let Some((name, _)) = left.or(right) {
            pairs.push((name, left.map(|(_, id)| id), right.map(|(_, id)| id)));
        }
    }
}

fn is_same(one: Option<&Inode>, other: Option<&Inode>) -> bool {
    let (Some(one), Some(other)) = (one, other) else { return false };
    let is_same_content = !one.is_file() || (one.layer, one.entry) == (other.layer, other.entry);
    one.kind == other.kind && (one.mode, one.uid, one.gid) == (other.mode, other.uid, other.gid) && is_same_content
}

fn describe(path: Vec<u8>, one: Option<&Inode>, other: Option<&Inode>) -> Difference {
    let (mut stacked, mut sequential) = (description(one), description(other));
    if stacked == sequential {
        // the same but for the bytes
        stacked.push_str(&origin(one));
        sequential.push_str(&origin(other));
    }
    Difference { path, stacked, sequential }
}

fn description(inode: Option<&Inode>) -> String {
    let Some(inode) = inode else { return "nothing".to_owned() };
    let own = format!("{} {:04o} {}:{}", what(inode), inode.mode, inode.uid, inode.gid);
    match &inode.kind {
        InodeKind::File { size } => format!("{own} {size} bytes"),
        InodeKind::Symlink { target } => format!("{own} to {}", escape(target)),
        InodeKind::CharDevice { device: (major, minor) } | InodeKind::BlockDevice { device: (major, minor) } => {
            format!("{own} {major}:{minor}")
        }
        InodeKind::Directory | InodeKind::Fifo => own,
    }
}

fn origin(inode: Option<&Inode>) -> String {
    let (layer, entry) = inode.map_or((0, None), |inode| (inode.layer, inode.entry));
    format!(" from layer {layer}, entry {}", entry.unwrap_or_default())
}

/// Err when a path is deeper than allowed, or all paths together are longer: links make short entries land deep.
pub(super) fn check_paths(tree: &Rootfs, limits: &Limits) -> Result<(), LimitHit> {
    let mut directories = vec![(tree.root(), 0_u64, 0_u64)];
    let mut bytes = 0_u64;
    while let Some((directory, depth, length)) = directories.pop() {
        for (name, child) in tree.children(directory) {
            let depth = depth.saturating_add(1);
            let name_bytes = u64::try_from(name.len()).unwrap_or(u64::MAX);
            let length = length.saturating_add(name_bytes).saturating_add(1);
            bytes = bytes.saturating_add(length);
            limits.path_depth(depth)?;
            limits.tree_path_bytes(bytes)?;
            if tree.inode(child).is_directory() {
                directories.push((child, depth, length));
            }
        }
    }
    Ok(())
}
