//! What lies beside a path: the other files of its layer, and those of a folder.

use std::cmp::Reverse;

use super::Asking;
use crate::facts::weights::{Part, Weight, by_layer, by_package, part};
use crate::oci::{escape, escape_text};
use crate::report::model::why::{FolderReport, LayerShareReport, PartReport, ShareReport, SizedFile};
use crate::rootfs::{NodeId, Rootfs};

/// Owners of files of a folder that are listed.
const OWNERS: usize = 10;

impl Asking<'_> {
    /// What the final tree shows of a layer.
    pub(super) fn layer_files(&self, layer: usize) -> PartReport {
        let rootfs = &self.image.rootfs;
        report(&part(rootfs, rootfs.root(), |_, inode| inode.layer == layer))
    }

    /// What is in a folder, and who owns it. Of a tree that is not the final one the owners are not known.
    pub(super) fn folder(&self, tree: &Rootfs, node: NodeId) -> FolderReport {
        let is_final = std::ptr::eq(tree, &raw const self.image.rootfs);
        let packages = &self.image.packages;
        let mut owners: Vec<ShareReport> = Vec::new();
        if is_final {
            for (owner, weight) in by_package(tree, node, packages) {
                let Some(package) = owner.and_then(|owner| packages.list.get(owner)) else { continue };
                owners.push(ShareReport { package: escape_text(&package.name), files: weight.files, bytes: weight.bytes });
            }
        }
        let owner_count = u64::try_from(owners.len()).unwrap_or(u64::MAX);
        owners.sort_by(|a, b| (Reverse(a.bytes), &a.package).cmp(&(Reverse(b.bytes), &b.package)));
        owners.truncate(OWNERS);
        let is_unowned = |number: u32| !is_final || !packages.owned.contains_key(&number);
        let share = |(layer, weight): (usize, Weight)| LayerShareReport {
            written_by: self.writer(layer, None, None),
            files: weight.files,
            bytes: weight.bytes,
        };
        let mut layers: Vec<LayerShareReport> = by_layer(tree, node).into_iter().map(share).collect();
        layers.sort_by_key(|share| (Reverse(share.bytes), share.written_by.layer));
        FolderReport {
            files: report(&part(tree, node, |_, _| true)),
            layers,
            owners,
            owner_count,
            unowned: report(&part(tree, node, |number, _| is_unowned(number))),
        }
    }
}

/// A part as it is published.
pub(super) fn report(part: &Part) -> PartReport {
    let sized = |(path, bytes): &(Vec<u8>, u64)| SizedFile { path: escape(path), bytes: *bytes };
    PartReport { files: part.weight.files, bytes: part.weight.bytes, biggest: part.biggest.iter().map(sized).collect() }
}
