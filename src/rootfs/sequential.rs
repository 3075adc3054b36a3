//! All layers applied in order to one tree, as umoci and the vfs and native drivers do.

use super::entry::Entry;
use super::node::{NodeId, Rootfs, index};
use super::walk::{Budget, Missing, Obstacle, split, walk};
use crate::layer::{ChangeKind, LayerIndex};
use crate::limits::LimitHit;

/// The names of aufs's own entries begin with it; opaque whiteouts are other changes here.
const AUFS: &[u8] = b"/.wh..wh.";

/// What one layer says that only this tree shows.
#[derive(Debug, Default)]
pub(super) struct Notes {
    /// Opaque whiteouts that removed what their own layer had put below an implied directory.
    pub(super) opaque_after_implied: Vec<u32>,
    /// Global headers whose name existed.
    pub(super) removed_by_global: Vec<u32>,
}

/// The one tree. Entries that cannot be applied are left out: the stacked tree tells why, or shows them.
#[derive(Debug, Default)]
pub(super) struct Sequential {
    pub(super) tree: Rootfs,
    /// For every node, one more than the index of the last layer that has an entry of this very path.
    named_by: Vec<usize>,
}

impl Sequential {
    /// Applies one layer. Err when the work is more than allowed.
    pub(super) fn apply(&mut self, layer: usize, changes: &LayerIndex, budget: &mut Budget<'_>) -> Result<Notes, LimitHit> {
        let mut notes = Notes::default();
        let mut aufs = Vec::new();
        for entry in Entry::all(layer, changes) {
            let Some((parent, name)) = split(entry.path()) else {
                self.apply_root(entry, budget, &mut notes)?;
                continue;
            };
            match entry.change.kind {
                ChangeKind::Opaque => {
                    if let Some(directory) = self.reach(entry.path(), Missing::Create(layer), budget)? {
                        self.empty(directory, entry, budget, &mut notes)?;
                    }
                }
                ChangeKind::Whiteout | ChangeKind::PaxGlobal => {
                    let Some(directory) = self.reach(parent, Missing::Stop, budget)? else { continue };
                    let Some(old) = self.tree.child(NodeId(directory), name) else { continue };
                    if entry.change.kind == ChangeKind::PaxGlobal {
                        notes.removed_by_global.push(entry.number);
                    } else if self.is_named_by(old, layer) {
                        // a whiteout speaks of lower layers only
                        continue;
                    }
                    self.tree.unlink(directory, name);
                }
                kind => {
                    let Some(directory) = self.reach(parent, Missing::Create(layer), budget)? else { continue };
                    let made = match kind {
                        ChangeKind::HardLink => self.link(entry, directory, name, budget)?,
                        _ => Some(self.make(entry, directory, name, budget)?),
                    };
                    let Some(node) = made else { continue };
                    self.set_named_by(node, layer);
                    if entry.path().starts_with(AUFS) && kind != ChangeKind::Directory {
                        aufs.push((directory, name));
                    }
                }
            }
        }
        // vfs keeps aufs's files only while the layer is read, as targets of its hard links
        for (directory, name) in aufs {
            self.tree.unlink(directory, name);
        }
        Ok(notes)
    }

    fn apply_root(&mut self, entry: Entry<'_>, budget: &mut Budget<'_>, notes: &mut Notes) -> Result<(), LimitHit> {
        match entry.change.kind {
            ChangeKind::Opaque => self.empty(0, entry, budget, notes),
            ChangeKind::Directory => {
                let number = self.tree.add_inode(entry.inode());
                self.tree.set_inode(0, number);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn make(&mut self, entry: Entry<'_>, directory: u32, name: &[u8], budget: &mut Budget<'_>) -> Result<u32, LimitHit> {
        let inode = entry.inode();
        let number = self.tree.add_inode(inode);
        let old = self.tree.child(NodeId(directory), name).filter(|id| self.tree.inode(*id).is_directory());
        if let Some(id) = old.filter(|_| entry.change.kind == ChangeKind::Directory) {
            self.tree.set_inode(id.0, number);
            return Ok(id.0);
        }
        budget.add_node()?;
        Ok(self.tree.put(directory, name, number))
    }

    fn link(&mut self, entry: Entry<'_>, directory: u32, name: &[u8], budget: &mut Budget<'_>) -> Result<Option<u32>, LimitHit> {
        self.tree.unlink(directory, name);
        let Some((target_parent, target_name)) = split(entry.link()) else { return Ok(None) };
        let Some(target_parent) = self.reach(target_parent, Missing::Stop, budget)? else { return Ok(None) };
        let target = self.tree.child(NodeId(target_parent), target_name);
        let Some(target) = target.filter(|id| !self.tree.inode(*id).is_directory()) else { return Ok(None) };
        budget.add_node()?;
        let node = self.tree.put(directory, name, self.tree.inode_number(target));
        if let Some(inode) = self.tree.inode_mut(node) {
            entry.apply_metadata(inode);
        }
        Ok(Some(node))
    }

    /// Removes what lower layers left below `directory`. What this layer named is kept, and looked into; what it only
    /// implied is not remembered, and goes with all below it.
    fn empty(&mut self, directory: u32, entry: Entry<'_>, budget: &mut Budget<'_>, notes: &mut Notes) -> Result<(), LimitHit> {
        let mut kept = vec![directory];
        let mut removed = Vec::new();
        while let Some(directory) = kept.pop() {
            let children: Vec<_> = self.tree.children(NodeId(directory)).map(|(name, id)| (name.to_vec(), id)).collect();
            budget.spend(children.len())?;
            for (name, id) in children {
                if self.is_named_by(id, entry.layer) {
                    kept.push(id.0);
                } else {
                    self.tree.unlink(directory, &name);
                    removed.push(id);
                }
            }
        }
        let mut is_own = false;
        while let Some(id) = removed.pop() {
            budget.spend(1)?;
            is_own |= self.is_named_by(id, entry.layer);
            removed.extend(self.tree.children(id).map(|(_, id)| id));
        }
        if is_own {
            notes.opaque_after_implied.push(entry.number);
        }
        Ok(())
    }

    fn reach(&mut self, path: &[u8], missing: Missing, budget: &mut Budget<'_>) -> Result<Option<u32>, LimitHit> {
        match walk(&mut self.tree, path, missing, budget) {
            Ok(reached) => Ok(Some(reached.directory)),
            Err(Obstacle::Limit(hit)) => Err(hit),
            Err(Obstacle::Missing | Obstacle::NotADirectory(_) | Obstacle::Loop) => Ok(None),
        }
    }

    fn is_named_by(&self, id: NodeId, layer: usize) -> bool {
        self.named_by.get(index(id.0)).is_some_and(|named_by| *named_by == layer.saturating_add(1))
    }

    fn set_named_by(&mut self, node: u32, layer: usize) {
        if self.named_by.len() <= index(node) {
            self.named_by.resize(self.tree.nodes.len(), 0);
        }
        if let Some(named_by) = self.named_by.get_mut(index(node)) {
            *named_by = layer.saturating_add(1);
        }
    }
}
