//! Folders that loaders look in: each path is followed once, every name that is looked up is counted.

use std::collections::HashMap;

use crate::facts::links::Links;
use crate::limits::{LimitHit, Limits};
use crate::rootfs::{NodeId, Rootfs};

/// Folders whose ends are remembered: real images name some dozens.
const MOST_KNOWN: usize = 16 * 1024;

/// So many bytes of a path are walked in the time of one look.
const BYTES_OF_A_STEP: u64 = 64;

/// The tree as a loader opens files in it.
#[derive(Debug)]
pub(super) struct Folders<'a, 'l> {
    pub(super) rootfs: &'a Rootfs,
    links: &'l mut Links<'a>,
    limits: &'a Limits,
    working_dir: &'a [u8],
    known: HashMap<Vec<u8>, Option<NodeId>>,
    steps: u64,
}

impl<'a, 'l> Folders<'a, 'l> {
    pub(super) fn new(rootfs: &'a Rootfs, links: &'l mut Links<'a>, working_dir: &'a [u8], limits: &'a Limits) -> Self {
        Self { rootfs, links, limits, working_dir, known: HashMap::new(), steps: 0 }
    }

    /// Counts one name that is looked up, or one of so many bytes; Err when there were too many in the image.
    pub(super) fn step(&mut self, bytes: usize) -> Result<(), LimitHit> {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX) / BYTES_OF_A_STEP;
        self.steps = self.steps.saturating_add(bytes).saturating_add(1);
        self.limits.linking_steps(self.steps)
    }

    /// Bytes that a path may have.
    pub(super) fn most_bytes(&self) -> usize {
        usize::try_from(self.limits.path_bytes).unwrap_or(usize::MAX)
    }

    /// A path from the working directory, unless it is absolute.
    pub(super) fn absolute(&self, path: &[u8]) -> Vec<u8> {
        if path.starts_with(b"/") { path.to_vec() } else { [b"/", self.working_dir, b"/", path].concat() }
    }

    /// The regular file that a path ends at.
    pub(super) fn open(&mut self, path: &[u8]) -> Option<NodeId> {
        let path = self.absolute(path);
        if path.len() > self.most_bytes() {
            return None;
        }
        self.links.resolve(&path).filter(|node| self.rootfs.inode(*node).is_file())
    }

    /// The file called `name` in a folder, links followed.
    pub(super) fn look(&mut self, folder: &[u8], name: &[u8]) -> Option<NodeId> {
        let folder = self.folder(folder)?;
        self.child(folder, name)
    }

    /// The file called `name` in a folder of what only some processors can run, below this one.
    pub(super) fn look_for_processors(&mut self, folder: &[u8], name: &[u8]) -> Option<NodeId> {
        let below = self.folder(&[folder, b"/glibc-hwcaps"].concat())?;
        let rootfs = self.rootfs;
        rootfs.children(below).map(|(_, child)| child).find_map(|child| self.child(child, name))
    }

    fn child(&mut self, folder: NodeId, name: &[u8]) -> Option<NodeId> {
        let child = self.rootfs.child(folder, name)?;
        let end = if self.rootfs.inode(child).target().is_some() { self.links.end(child)? } else { child };
        self.rootfs.inode(end).is_file().then_some(end)
    }

    fn folder(&mut self, path: &[u8]) -> Option<NodeId> {
        if let Some(known) = self.known.get(path) {
            return *known;
        }
        let absolute = self.absolute(path);
        let is_path = absolute.len() <= self.most_bytes();
        let found = if is_path { self.links.resolve(&absolute) } else { None };
        let found = found.filter(|node| self.rootfs.inode(*node).is_directory());
        if self.known.len() < MOST_KNOWN {
            self.known.insert(path.to_vec(), found);
        }
        found
    }

    /// The body of a file that loaders read; None when there is none. Err says why it was not read.
    pub(super) fn body(&mut self, path: &[u8]) -> Option<Result<&'a [u8], String>> {
        let inode = self.rootfs.inode(self.open(path)?);
        if let Err(hit) = self.limits.linker_file_bytes(inode.size()) {
            return Some(Err(hit.to_string()));
        }
        let body = inode.content.as_deref().and_then(|content| content.body.as_deref());
        Some(match body {
            Some(body) => Ok(body),
            None if inode.size() == 0 => Ok(&[]),
            None => Err("its content was not kept".to_owned()),
        })
    }

    /// Why a file that is there was not read: one clause.
    pub(super) fn why_unread(&mut self, path: &[u8]) -> Option<String> {
        let reason = self.body(path)?.err()?;
        Some(format!("{} was not read: {reason}", crate::oci::escape(path)))
    }
}
