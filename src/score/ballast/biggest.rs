//! The folders and files that weigh most: as large a folder as holds nothing but one class, else the file.

use crate::facts::Image;
use crate::rootfs::{Buried, Inode, NodeId};

use super::Class;

/// How many are listed.
const LISTED: usize = 20;

/// A folder or file that is ballast.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offender {
    /// What it is.
    pub class: Class,
    /// Absolute path, raw; a folder ends with a slash.
    pub path: Vec<u8>,
    /// The layer that wrote it; of a folder, that of its biggest file.
    pub layer: usize,
    /// Bytes.
    pub bytes: u64,
    /// Files.
    pub files: u64,
}

/// What files of a folder are, those of its folders included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Kind {
    #[default]
    Empty,
    Pure(Class),
    Mixed,
}

impl Kind {
    fn with(self, other: Self) -> Self {
        match (self, other) {
            (Self::Empty, kind) | (kind, Self::Empty) => kind,
            (Self::Pure(one), Self::Pure(other)) if one == other => self,
            _ => Self::Mixed,
        }
    }
}

#[derive(Debug, Default)]
struct Sum {
    parent: usize,
    name: Vec<u8>,
    kind: Kind,
    bytes: u64,
    files: u64,
    biggest_file: (u64, usize),
}

/// Sums by folder; a folder stands after its parent.
#[derive(Debug)]
pub(super) struct Folders {
    sums: Vec<Sum>,
    files: Vec<(usize, Class, NodeId)>,
}

impl Default for Folders {
    fn default() -> Self {
        Self { sums: vec![Sum::default()], files: Vec::new() }
    }
}

impl Folders {
    /// The number of the root, which is there from the start.
    pub(super) const ROOT: usize = 0;

    /// A folder in another; returns its number.
    pub(super) fn add(&mut self, parent: usize, name: &[u8]) -> usize {
        self.sums.push(Sum { parent, name: name.to_vec(), ..Sum::default() });
        self.sums.len().saturating_sub(1)
    }

    /// A file in a folder.
    pub(super) fn put(&mut self, folder: usize, class: Class, node: NodeId, inode: &Inode) {
        // empty files weigh nothing and say nothing of their folder
        if let Some(sum) = self.sums.get_mut(folder).filter(|_| inode.size() > 0) {
            sum.kind = sum.kind.with(Kind::Pure(class));
            sum.bytes = sum.bytes.saturating_add(inode.size());
            sum.files = sum.files.saturating_add(1);
            sum.biggest_file = sum.biggest_file.max((inode.size(), inode.layer));
            if class.is_ballast() {
                self.files.push((folder, class, node));
            }
        }
    }

    /// The heaviest, folders and files and buried files together; equal ones by path.
    pub(super) fn biggest(mut self, image: &Image, buried: &[Buried]) -> Vec<Offender> {
        for number in (1..self.sums.len()).rev() {
            let Some((before, sum)) =
                self.sums.split_at_mut_checked(number).and_then(|(before, rest)| Some((before, rest.first()?)))
            else {
                continue;
            };
            if let Some(parent) = before.get_mut(sum.parent) {
                parent.kind = parent.kind.with(sum.kind);
                parent.bytes = parent.bytes.saturating_add(sum.bytes);
                parent.files = parent.files.saturating_add(sum.files);
                parent.biggest_file = parent.biggest_file.max(sum.biggest_file);
            }
        }
        let mut found: Vec<Offender> = buried
            .iter()
            .map(|file| Offender {
                class: Class::Buried,
                path: file.path.clone(),
                layer: file.layer,
                bytes: file.bytes,
                files: 1,
            })
            .collect();
        found.extend((0..self.sums.len()).filter_map(|number| self.folder(number)));
        for (folder, class, node) in &self.files {
            if self.pure(*folder) != Some(*class) {
                let inode = image.rootfs.inode(*node);
                let path = image.rootfs.path(*node);
                found.push(Offender { class: *class, path, layer: inode.layer, bytes: inode.size(), files: 1 });
            }
        }
        found.sort_unstable_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| (&a.path, a.layer).cmp(&(&b.path, b.layer))));
        found.truncate(LISTED);
        found
    }

    fn pure(&self, number: usize) -> Option<Class> {
        match self.sums.get(number)?.kind {
            Kind::Pure(class) if class.is_ballast() => Some(class),
            _ => None,
        }
    }

    /// A folder of one class within one that is not.
    fn folder(&self, number: usize) -> Option<Offender> {
        let class = self.pure(number)?;
        let sum = self.sums.get(number)?;
        if number > 0 && self.pure(sum.parent) == Some(class) {
            return None;
        }
        let mut names = vec![sum];
        while let Some(next) = names.last().filter(|sum| !sum.name.is_empty()).and_then(|sum| self.sums.get(sum.parent)) {
            names.push(next);
        }
        let mut path: Vec<u8> = Vec::new();
        for sum in names.iter().rev() {
            path.extend_from_slice(&sum.name);
            path.push(b'/');
        }
        Some(Offender { class, path, layer: sum.biggest_file.1, bytes: sum.bytes, files: sum.files })
    }
}
