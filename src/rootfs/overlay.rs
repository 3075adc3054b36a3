//! A layer's upper directory laid over the tree below, as overlayfs shows the two.

use super::entry::WHITEOUT;
use super::node::{Inode, NodeId, Rootfs, index};
use super::sayings::Sayings;
use super::upper::Upper;
use crate::oci::{Code, escape};

/// Lays `upper` over `lower`.
pub(super) fn lay_over(upper: &Upper, lower: &mut Rootfs, layer: usize, sayings: &mut Sayings) {
    let mut laying = Laying { upper, numbers: vec![None; upper.tree.inodes.len()], lower, layer, sayings };
    let mut directories = vec![(upper.tree.root(), 0)];
    while let Some((above, below)) = directories.pop() {
        for (name, node) in upper.tree.children(above) {
            let inode = upper.tree.inode(node);
            if inode.kind == WHITEOUT {
                laying.lower.unlink(below, name);
            } else if inode.is_directory() {
                directories.push((node, laying.lay_directory(below, name, node)));
            } else {
                let number = laying.number(node);
                laying.lower.put(below, name, number);
            }
        }
    }
}

struct Laying<'a> {
    upper: &'a Upper,
    /// The merged tree's number of each inode of the upper one, once it has one: hard links stay links.
    numbers: Vec<Option<u32>>,
    lower: &'a mut Rootfs,
    layer: usize,
    sayings: &'a mut Sayings,
}

impl Laying<'_> {
    fn lay_directory(&mut self, below: u32, name: &[u8], node: NodeId) -> u32 {
        let is_implied = self.upper.tree.inode(node).is_implied;
        let is_opaque = self.upper.opaque.contains(&node.0);
        let Some(old) = self.lower.child(NodeId(below), name) else {
            if is_implied && is_opaque {
                self.remark(Code::OpaqueImpliedDir, node, "");
            }
            let number = self.number(node);
            return self.lower.put(below, name, number);
        };
        if !self.lower.inode(old).is_directory() {
            if is_implied {
                self.remark_replaced(old, node);
            }
            let number = self.number(node);
            return self.lower.put(below, name, number);
        }
        if is_opaque {
            self.lower.clear(old.0);
        } else if self.upper.recreated.contains(&node.0) {
            self.remark(Code::WhiteoutThenRecreateDir, node, "");
        }
        if is_implied {
            self.remark_kept(old, node);
        } else {
            let number = self.number(node);
            self.lower.set_inode(old.0, number);
        }
        old.0
    }

    /// Entries below what is no directory in the layers below: overlayfs shows the directory that was implied for them.
    fn remark_replaced(&mut self, old: NodeId, node: NodeId) {
        let inode = self.lower.inode(old);
        if let Some(target) = inode.target() {
            let detail = format!("layer {} has a link to {}", inode.layer, escape(target));
            let path = self.upper.tree.path(node);
            if climbs_above_root(target, &path) {
                self.sayings.refuse(Code::PathEscapesRoot, self.layer, &path, &detail);
            } else {
                self.remark(Code::EntryThroughLowerSymlink, node, &detail);
            }
        } else {
            let detail = format!("layer {} has a {}", inode.layer, inode.what());
            self.remark(Code::ParentIsLowerFile, node, &detail);
        }
    }

    /// containerd copies the lower directory's metadata to the implied one; Docker and podman make it 0755 0:0.
    fn remark_kept(&mut self, old: NodeId, node: NodeId) {
        let Inode { mode, uid, gid, xattrs, .. } = self.lower.inode(old);
        if (*mode, *uid, *gid, xattrs) != (0o755, 0, 0, &None) {
            let detail = format!("mode {mode:04o}, owner {uid}:{gid}");
            self.remark(Code::ImpliedParentOverLower, node, &detail);
        }
    }

    fn number(&mut self, node: NodeId) -> u32 {
        let number = self.upper.tree.inode_number(node);
        if let Some(Some(known)) = self.numbers.get(index(number)) {
            return *known;
        }
        let new = self.lower.add_inode(self.upper.tree.inode(node).clone());
        if let Some(slot) = self.numbers.get_mut(index(number)) {
            *slot = Some(new);
        }
        new
    }

    fn remark(&mut self, code: Code, node: NodeId, detail: &str) {
        self.sayings.remark(code, self.layer, &self.upper.tree.path(node), detail);
    }
}

/// Whether a link at `path` says more `..` than there are directories above it, taken literally.
fn climbs_above_root(target: &[u8], path: &[u8]) -> bool {
    let names = |path: &[u8]| path.split(|byte| *byte == b'/').filter(|name| !name.is_empty()).count();
    let mut depth = if target.starts_with(b"/") { 0 } else { names(path).saturating_sub(1) };
    for name in target.split(|byte| *byte == b'/') {
        match name {
            b"" | b"." => {}
            b".." if depth == 0 => return true,
            b".." => depth = depth.saturating_sub(1),
            _ => depth = depth.saturating_add(1),
        }
    }
    false
}
