//! The final filesystem in the large: what is heavy enough by itself, and the rest by folder and class.
//!
//! A file is a part when it holds at least its share of all bytes. What is lighter is summed by class in its folder, and a sum that
//! is still lighter goes up to the folder above. Every part but those of the root so holds at least a share, which bounds their
//! number whatever the image; the root keeps the rest, so nothing is lost.

use std::collections::BTreeMap;

use super::{Ballast, Class};
use crate::facts::Image;
use crate::rootfs::NodeId;

/// The most parts that there are.
pub(super) const MOST_PARTS: usize = 1_500;

/// Files of one class below one folder, or one file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FilesystemPart {
    /// Absolute path, raw; a folder ends with a slash.
    pub path: Vec<u8>,
    /// What the bytes are.
    pub class: Class,
    /// The layer that wrote the file, or most of the bytes.
    pub layer: usize,
    /// Bytes, without those of other parts.
    pub bytes: u64,
    /// Files.
    pub files: u64,
}

/// Bytes and files by class and layer.
#[derive(Debug, Default)]
struct Sums(BTreeMap<(Class, usize), (u64, u64)>);

impl Sums {
    fn add(&mut self, key: (Class, usize), bytes: u64, files: u64) {
        let sum = self.0.entry(key).or_default();
        *sum = (sum.0.saturating_add(bytes), sum.1.saturating_add(files));
    }

    /// The sums of one class: all bytes, all files, and the layer with most of the bytes, the lowest of equal ones.
    fn of(&self, class: Class) -> (u64, u64, usize) {
        let range = self.0.range((class, 0)..=(class, usize::MAX));
        let (mut bytes, mut files, mut most) = (0_u64, 0_u64, (0, 0));
        for (number, ((_, layer), (of_layer, count))) in range.enumerate() {
            (bytes, files) = (bytes.saturating_add(*of_layer), files.saturating_add(*count));
            if number == 0 || *of_layer > most.0 {
                most = (*of_layer, *layer);
            }
        }
        (bytes, files, most.1)
    }
}

/// A folder whose names are being met.
struct Open<'i> {
    node: NodeId,
    names: Box<dyn Iterator<Item = NodeId> + 'i>,
    sums: Sums,
}

impl<'i> Open<'i> {
    fn new(image: &'i Image, node: NodeId) -> Self {
        Self { node, names: Box::new(image.rootfs.children(node).map(|(_, node)| node)), sums: Sums::default() }
    }
}

impl Ballast {
    /// The parts of the final filesystem, by path and class. Their bytes add up to [`Ballast::final_bytes`]; a file with several
    /// names counts at the first of them.
    #[must_use]
    pub fn parts(&self, image: &Image) -> Vec<FilesystemPart> {
        self.parts_at_most(image, MOST_PARTS)
    }

    fn parts_at_most(&self, image: &Image, most: usize) -> Vec<FilesystemPart> {
        let shares = most.saturating_sub(Class::ALL.len()).max(1);
        let share = self.final_bytes().div_ceil(u64::try_from(shares).unwrap_or(1)).max(1);
        let mut is_met = vec![false; self.classes.len()];
        let mut found = Vec::new();
        // at most as deep as the longest path allows
        let mut open = vec![Open::new(image, image.rootfs.root())];
        while let Some(folder) = open.last_mut() {
            if let Some(node) = folder.names.next() {
                if image.rootfs.inode(node).is_directory() {
                    open.push(Open::new(image, node));
                } else if let Some(class) = self.class_of(image, node).filter(|_| is_first(&mut is_met, image, node)) {
                    let inode = image.rootfs.inode(node);
                    let (bytes, layer) = (inode.size(), inode.layer);
                    if bytes >= share {
                        found.push(FilesystemPart { path: image.rootfs.path(node), class, layer, bytes, files: 1 });
                    } else {
                        folder.sums.add((class, layer), bytes, 1);
                    }
                }
            } else if let Some(done) = open.pop() {
                close(image, &done, open.last_mut(), share, &mut found);
            }
        }
        found.sort_unstable();
        found
    }
}

/// Makes parts of the sums that are heavy enough; the others go to the folder above.
fn close(image: &Image, done: &Open<'_>, above: Option<&mut Open<'_>>, share: u64, found: &mut Vec<FilesystemPart>) {
    let mut above = above;
    for class in Class::ALL {
        let (bytes, files, layer) = done.sums.of(class);
        if files == 0 {
            continue;
        }
        if let Some(above) = above.as_deref_mut().filter(|_| bytes < share) {
            for (key, (bytes, files)) in done.sums.0.range((class, 0)..=(class, usize::MAX)) {
                above.sums.add(*key, *bytes, *files);
            }
        } else {
            let mut path = image.rootfs.path(done.node);
            if path.last() != Some(&b'/') {
                path.push(b'/');
            }
            found.push(FilesystemPart { path, class, layer, bytes, files });
        }
    }
}

/// Whether no other name of the inode was met before.
fn is_first(is_met: &mut [bool], image: &Image, node: NodeId) -> bool {
    let number = usize::try_from(image.rootfs.inode_number(node)).ok();
    number.and_then(|number| is_met.get_mut(number)).is_some_and(|slot| !std::mem::replace(slot, true))
}
