//! Layer indexes in, the final tree out: the stacked tree that overlay runtimes mount, the sequential one, and their difference.
//!
//! Inodes, not paths: a hard link is a second name of one inode. Links resolve inside the root only.
//!
//! The stacked tree, for each layer, base first:
//!
//! ```text
//! 1. unpack the layer alone onto an empty directory, the upper one (upper.rs), in the order of the tar:
//!      .wh.NAME        makes a whiteout NAME; refused after an entry NAME
//!      .wh..wh..opq    marks its directory opaque; on the root it means nothing
//!      hard link       names an inode of this layer that is already there, and gives it its own metadata
//!      any other       replaces what has its name; a directory over a directory keeps the content
//!      parents         links of this layer are followed; what is missing is made: implied, 0755 0:0
//!
//! 2. lay it over the tree below (overlay.rs), name by name:
//!      upper           lower           merged
//!      whiteout        any             nothing
//!      directory       directory       upper's metadata (lower's when implied), both contents (upper's when opaque)
//!      directory       other, nothing  upper
//!      other           any             upper
//! ```
//!
//! A 0:0 character device is a whiteout on disk, and so here. The sequential tree (sequential.rs) has one directory for all
//! layers: whiteouts remove at once, an opaque mark removes what its layer did not name, links of any layer are followed.
//!
//! Sources: the image-spec's layer.md, the kernel's overlayfs.rst, and what containerd, Docker, podman and umoci were seen to do
//! where these are silent.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod buried;
mod difference;
mod entries;
mod entry;
mod error;
mod hidden;
mod node;
mod overlay;
mod resolve;
mod sayings;
mod sequential;
mod stages;
mod upper;
mod walk;

pub use buried::{Buried, Fate};
pub use difference::Difference;
pub use error::Error;
pub use hidden::Hidden;
pub use node::{Inode, InodeKind, NodeId, Rootfs};
pub use resolve::ResolveError;
pub use stages::each_stage;

#[cfg(test)]
mod cases;
#[cfg(test)]
mod laws;
#[cfg(test)]
mod testing;

use crate::layer::LayerIndex;
use crate::limits::{LimitHit, Limits};
use crate::oci::{Code, Remark};

use sayings::Sayings;
use sequential::{Notes, Sequential};
use walk::Budget;

/// Entries that cannot be applied, after which no more are looked for.
const MOST_ERRORS: usize = 1_000;

/// The result of merging all layers.
#[derive(Debug, Default)]
pub struct Merged {
    /// What overlay runtimes (containerd, Docker overlay2, podman) mount: the tree that is judged.
    pub stacked: Rootfs,
    /// What sequential unpackers (umoci, vfs drivers) make.
    pub sequential: Rootfs,
    /// Paths on which the two differ, sorted. Empty when there are errors.
    pub differences: Vec<Difference>,
    /// What is remarkable about the merge, with layer numbers, sorted by layer and path.
    pub remarks: Vec<Remark>,
    /// Why no tree can be made, in order; the trees are then incomplete.
    pub errors: Vec<Error>,
    /// Bytes of regular files that a layer ships and the stacked tree does not show from that layer, one number per layer.
    pub buried_bytes: Vec<u64>,
    /// The files that weigh most of these, heaviest first, at most a hundred.
    pub buried: Vec<Buried>,
    /// Files with secrets among them, by layer and entry.
    pub hidden: Vec<Hidden>,
}

/// Merges `layers`, base first.
#[must_use]
pub fn merge(layers: &[&LayerIndex], limits: &Limits) -> Merged {
    let mut stacked = Rootfs::default();
    let mut sequential = Sequential::default();
    let mut budgets = (Budget::new(limits), Budget::new(limits));
    let mut sayings = Sayings::default();
    for (layer, changes) in layers.iter().enumerate() {
        let hit = match upper::unpack(layer, changes, &mut budgets.0, &mut sayings) {
            Ok(upper) => {
                overlay::lay_over(&upper, &mut stacked, layer, &mut sayings);
                // not held while the other tree is made: the largest layers decide the memory
                drop(upper);
                sequential.apply(layer, changes, &mut budgets.1).map(|notes| remark_notes(&notes, layer, changes, &mut sayings))
            }
            Err(hit) => Err(hit),
        };
        sayings.errors.extend(hit.err().map(|hit| Error::Limit { layer, hit }));
        if sayings.errors.len() >= MOST_ERRORS || sayings.errors.iter().any(|error| matches!(error, Error::Limit { .. })) {
            break;
        }
    }
    finish(layers, stacked, sequential.tree, sayings, limits)
}

fn remark_notes(notes: &Notes, layer: usize, changes: &LayerIndex, sayings: &mut Sayings) {
    let notes = [(Code::OpaqueAfterImpliedParent, &notes.opaque_after_implied), (Code::PaxGlobalNamed, &notes.removed_by_global)];
    for (code, entries) in notes {
        for change in entries.iter().filter_map(|entry| changes.changes.get(node::index(*entry))) {
            sayings.remark(code, layer, changes.name(&change.path), "");
        }
    }
}

fn finish(layers: &[&LayerIndex], stacked: Rootfs, sequential: Rootfs, mut sayings: Sayings, limits: &Limits) -> Merged {
    let checked: Result<(), LimitHit> =
        [&stacked, &sequential].into_iter().try_for_each(|tree| difference::check_paths(tree, limits));
    if let Err(hit) = checked {
        sayings.errors.push(Error::Limit { layer: layers.len().saturating_sub(1), hit });
    }
    let differences = if sayings.errors.is_empty() { difference::compare(&stacked, &sequential) } else { Vec::new() };
    let shown = buried::shown(layers, &stacked);
    let (buried_bytes, buried) = buried::buried(layers, &shown);
    let hidden = hidden::hidden(layers, &shown);
    let (remarks, errors) = sayings.into_parts();
    Merged { stacked, sequential, differences, remarks, errors, buried_bytes, buried, hidden }
}
