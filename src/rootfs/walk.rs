//! Going down a path by its names, through symbolic links, never above the root.

use std::borrow::Cow;

use super::node::{Inode, InodeKind, NodeId, Rootfs};
use crate::limits::{LimitHit, Limits};

/// The work that making one tree may take.
#[derive(Debug)]
pub(super) struct Budget<'a> {
    pub(super) limits: &'a Limits,
    steps: u64,
    nodes: u64,
}

impl<'a> Budget<'a> {
    pub(super) fn new(limits: &'a Limits) -> Self {
        Self { limits, steps: 0, nodes: 0 }
    }

    /// Counts `count` names that were looked at.
    pub(super) fn spend(&mut self, count: usize) -> Result<(), LimitHit> {
        self.steps = self.steps.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        self.limits.merge_steps(self.steps)
    }

    /// Counts a name that was made: implied directories cost no entry, so entries alone do not bound a tree.
    pub(super) fn add_node(&mut self) -> Result<(), LimitHit> {
        self.nodes = self.nodes.saturating_add(1);
        self.limits.image_entries(self.nodes)
    }
}

/// The names of a path that are still to come; symbolic links on the way are spliced in.
#[derive(Debug)]
pub(super) struct Names<'p> {
    rest: Cow<'p, [u8]>,
    at: usize,
    /// How many bytes at the end of `rest` are the path's own, not a link's.
    own: usize,
    hops: u64,
}

impl<'p> Names<'p> {
    pub(super) fn of(path: &'p [u8]) -> Self {
        Self { rest: Cow::Borrowed(path), at: 0, own: path.len(), hops: 0 }
    }

    /// The next name, and whether it comes from a link's target.
    pub(super) fn next_name(&mut self) -> Option<(Vec<u8>, bool)> {
        loop {
            let left = self.rest.get(self.at..)?;
            let length = left.iter().position(|byte| *byte == b'/').unwrap_or(left.len());
            let (name, is_linked) = (left.get(..length)?, left.len() > self.own);
            if left.is_empty() {
                return None;
            }
            self.at = self.at.saturating_add(length).saturating_add(1);
            if !name.is_empty() && name != b"." {
                return Some((name.to_vec(), is_linked));
            }
        }
    }

    /// Puts a link's target before the names still to come. Err when these were more links than `limits` allow.
    pub(super) fn follow(&mut self, target: &[u8], limits: &Limits) -> Result<(), LimitHit> {
        self.hops = self.hops.saturating_add(1);
        limits.symlink_hops(self.hops)?;
        let left = self.rest.get(self.at..).unwrap_or_default();
        self.own = self.own.min(left.len());
        self.rest = Cow::Owned([target, b"/", left].concat());
        self.at = 0;
        Ok(())
    }

    fn len(&self) -> usize {
        self.rest.len().saturating_sub(self.at)
    }
}

/// What to do about a name that does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    /// Make an implied directory, for an entry of this layer.
    Create(usize),
    /// Stop.
    Stop,
}

/// The directory at a path's end, and how it was reached.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reached {
    pub(super) directory: u32,
    /// The first link that was followed.
    pub(super) link: Option<u32>,
    /// A directory that only a link's target names was missing, and was made.
    pub(super) is_dangling: bool,
    /// `..` above the root; clamped.
    pub(super) is_escape: bool,
}

/// Why there is no directory at a path's end.
#[derive(Debug)]
pub(super) enum Obstacle {
    /// A name does not exist.
    Missing,
    /// This name is no directory.
    NotADirectory(u32),
    /// More links than are followed.
    Loop,
    /// The work is more than allowed.
    Limit(LimitHit),
}

impl From<LimitHit> for Obstacle {
    fn from(hit: LimitHit) -> Self {
        Self::Limit(hit)
    }
}

/// Finds the directory `path`, following links in every name.
pub(super) fn walk(tree: &mut Rootfs, path: &[u8], missing: Missing, budget: &mut Budget<'_>) -> Result<Reached, Obstacle> {
    let mut names = Names::of(path);
    let mut reached = Reached { directory: 0, link: None, is_dangling: false, is_escape: false };
    while let Some((name, is_linked)) = names.next_name() {
        budget.spend(1)?;
        if name == b".." {
            reached.is_escape |= reached.directory == 0;
            reached.directory = tree.parent(reached.directory);
            continue;
        }
        let Some(child) = tree.child(NodeId(reached.directory), &name) else {
            let Missing::Create(layer) = missing else { return Err(Obstacle::Missing) };
            reached.is_dangling |= is_linked;
            reached.directory = add_implied(tree, reached.directory, &name, layer, budget)?;
            continue;
        };
        match &tree.inode(child).kind {
            InodeKind::Directory => reached.directory = child.0,
            InodeKind::Symlink { target } => {
                names.follow(target, budget.limits).map_err(|_| Obstacle::Loop)?;
                reached.link = reached.link.or(Some(child.0));
                if target.first() == Some(&b'/') {
                    reached.directory = 0;
                }
                // copying the names is work, too
                budget.spend(names.len())?;
            }
            _ => return Err(Obstacle::NotADirectory(child.0)),
        }
    }
    Ok(reached)
}

fn add_implied(tree: &mut Rootfs, parent: u32, name: &[u8], layer: usize, budget: &mut Budget<'_>) -> Result<u32, LimitHit> {
    budget.add_node()?;
    let inode = Inode { is_implied: true, ..Inode::new(InodeKind::Directory, 0o755, layer) };
    let number = tree.add_inode(inode);
    Ok(tree.put(parent, name, number))
}

/// A clean absolute path as its parent's path and its last name; None for the root.
pub(super) fn split(path: &[u8]) -> Option<(&[u8], &[u8])> {
    let cut = path.iter().rposition(|byte| *byte == b'/');
    let (parent, name) = match cut {
        Some(cut) => (path.get(..cut)?, path.get(cut.saturating_add(1)..)?),
        None => (&[][..], path),
    };
    (!name.is_empty()).then_some((parent, name))
}
