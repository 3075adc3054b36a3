//! One image: its layers against their names, the tree, the facts, the checks.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::judgement::{self, Judgement};
use super::layers::LayerStore;
use super::{Progress, Request, Stage};
use crate::archive::compression::Compression;
use crate::build;
use crate::checks;
use crate::facts::{self, Image, NotExamined, Parts};
use crate::finding::Observation;
use crate::layer::{self, Content, LayerIndex};
use crate::limits::Limits;
use crate::oci::{Code, Date, ImageConfig, Place, Remark};
use crate::rootfs::{self, Merged, Rootfs};
use crate::source::{ImageRecord, LayerRecord, Source};

/// Why no verdict about an image is possible.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) code: Code,
    pub(super) message: String,
    pub(super) place: Place,
    pub(super) limit: Option<crate::limits::LimitHit>,
}

/// Everything that is known of one image.
#[derive(Debug, Default)]
pub(super) struct Examined {
    /// None when the layers could not be read or merged.
    pub(super) image: Option<Image>,
    /// The other tree.
    pub(super) sequential: Rootfs,
    /// Indexes of the layers that were read, by position.
    pub(super) layers: Vec<Option<Arc<LayerIndex>>>,
    /// What was made of it.
    pub(super) judgement: Judgement,
    /// Remarks of tier info.
    pub(super) notes: Vec<(&'static str, Observation)>,
    /// Per layer.
    pub(super) buried_bytes: Vec<u64>,
    /// The biggest files that are shipped and not shown.
    pub(super) buried: Vec<rootfs::Buried>,
    pub(super) unseen: Vec<NotExamined>,
    pub(super) problems: Vec<Problem>,
}

impl Examined {
    /// An image that was not looked at, because those before it took all that is allowed.
    pub(super) fn not_reached(hit: crate::limits::LimitHit) -> Self {
        let problem = Problem::new(Code::LimitExceeded, &hit, Place::default());
        Self { problems: vec![Problem { limit: Some(hit), ..problem }], ..Self::default() }
    }

    /// Entries of all its layers.
    pub(super) fn entries(&self) -> u64 {
        let count = |index: &Arc<LayerIndex>| u64::try_from(index.changes.len()).unwrap_or(u64::MAX);
        self.layers.iter().flatten().map(count).fold(0, u64::saturating_add)
    }

    /// Sum of the uncompressed layers.
    pub(super) fn shipped_bytes(&self) -> u64 {
        self.layers.iter().flatten().fold(0, |sum, layer| sum.saturating_add(layer.uncompressed_bytes))
    }

    /// Sum of the layers as stored; None when none is compressed.
    pub(super) fn compressed_bytes(&self) -> Option<u64> {
        let is_compressed = self.layers.iter().flatten().any(|layer| layer.compression != Compression::None);
        let sum = || self.layers.iter().flatten().fold(0_u64, |sum, layer| sum.saturating_add(layer.compressed_bytes));
        is_compressed.then(sum)
    }
}

/// Reads, verifies, merges and checks one image.
pub(super) fn examine(
    record: &ImageRecord,
    source: &dyn Source,
    store: &mut LayerStore<'_>,
    request: &Request,
    progress: &Progress,
) -> Examined {
    let limits = &request.limits;
    let mut examined = Examined { problems: record.errors.iter().map(Problem::of_source).collect(), ..Examined::default() };
    progress.enter(Stage::Layers);
    for (index, error) in store.read(record, source) {
        let problem = Problem::of_source(&error);
        examined.problems.push(Problem { place: problem.place.clone().in_layer(index), ..problem });
    }
    let mut remarks = record.remarks.clone();
    let mut unread = Vec::new();
    examined.layers = record.layers.iter().map(|layer| store.get(layer)).collect();
    for (position, (layer, index)) in record.layers.iter().zip(&examined.layers).enumerate() {
        let Some(index) = index else {
            unread.push(Problem::new(Code::InputUnreadable, "the layer was not read", Place::default()).in_layer(position));
            continue;
        };
        examined.problems.extend(layer_problems(layer, index).into_iter().map(|problem| problem.in_layer(position)));
        remarks.extend(media_type_remark(layer, index));
        remarks.extend(index.remarks.iter().cloned());
        let start = remarks.len().saturating_sub(index.remarks.len());
        for remark in remarks.iter_mut().skip(start) {
            remark.place.layer = Some(position);
        }
        let place = |path: &Vec<u8>| Place::path(path.clone()).in_layer(position);
        examined.unseen.extend(index.not_examined.iter().map(|(path, reason)| (place(path), reason.clone())));
    }
    examined.problems.extend(size_problem(&examined.layers, limits));
    if examined.problems.is_empty() {
        // a layer without an index and without a reason would be a fault of ours, and still no pass
        examined.problems.append(&mut unread);
    }
    if examined.problems.is_empty() {
        understand(record, source, store, remarks, &mut examined, request, progress);
    }
    examined
}

/// From verified layers to findings.
fn understand(
    record: &ImageRecord,
    source: &dyn Source,
    store: &LayerStore<'_>,
    mut remarks: Vec<Remark>,
    examined: &mut Examined,
    request: &Request,
    progress: &Progress,
) {
    let limits = &request.limits;
    let Some(config) = record.config.clone() else { return };
    progress.enter(Stage::Merge);
    let layers: Vec<&LayerIndex> = examined.layers.iter().flatten().map(AsRef::as_ref).collect();
    let Merged { mut stacked, sequential, differences, remarks: merge_remarks, errors, buried_bytes, buried, hidden } =
        rootfs::merge(&layers, limits);
    examined.sequential = sequential;
    let shipped_only = (buried.clone(), buried_bytes.iter().copied().fold(0, u64::saturating_add));
    examined.buried_bytes = buried_bytes;
    examined.buried = buried;
    examined.problems.extend(
        errors.iter().map(|error| Problem { limit: limit_of_tree(error), ..Problem::new(error.code(), error, error.place()) }),
    );
    examined.problems.extend(fetch_bodies(&mut stacked, &config, record, source, store, limits));
    if !examined.problems.is_empty() {
        return;
    }
    remarks.extend(merge_remarks);
    let steps = build::steps(&config.history, record.layers.len());
    // the last day of all stands for nobody having said what day it is
    let as_of = Some(request.as_of).filter(|day| *day != Date::default());
    let annotations = record.annotations.clone();
    let parts = Parts { config, annotations, rootfs: stacked, differences, remarks, steps, buried: shipped_only, as_of, hidden };
    progress.enter(Stage::Facts);
    let (image, not_examined) = facts::gather(parts, limits);
    examined.unseen.extend(not_examined);
    examined.notes = checks::notes(&image);
    examined.judgement = judgement::judge(record, &image, examined, request, progress);
    for (rule, reason) in &examined.judgement.not_evaluated {
        examined.unseen.push((Place::default(), format!("the policy's rule {rule}: {reason}")));
    }
    examined.image = Some(image);
}

/// What a layer's bytes are, against what manifest and config say they are.
fn layer_problems(record: &LayerRecord, index: &LayerIndex) -> Vec<Problem> {
    let mut problems = Vec::new();
    // of what was not read to its end, size and digest say nothing: its errors do
    let was_read = index.digest.is_some();
    if let Some(size) = record.size.filter(|size| was_read && *size != index.compressed_bytes) {
        let detail = format!("the descriptor says {size} bytes, the blob has {}", index.compressed_bytes);
        problems.push(Problem::new(Code::SizeMismatch, detail, Place::default()));
    }
    if let Some(digest) = record.digest.as_ref().filter(|digest| was_read && !index.has_digest(digest)) {
        let found = index.digest.as_ref().map_or_else(|| "another one".to_owned(), ToString::to_string);
        let detail = format!("the manifest names {digest}, the blob's digest is {found}: the archive was altered or damaged");
        problems.push(Problem::new(Code::DigestMismatch, detail, Place::default()));
    }
    for error in &index.errors {
        problems.push(Problem { limit: limit_of_layer(error), ..Problem::new(error.code(), error, error.place()) });
    }
    if problems.is_empty() && !index.has_diff_id(&record.diff_id) {
        let found = index.diff_id.as_ref().map_or_else(|| "unknown".to_owned(), ToString::to_string);
        let detail =
            format!("the config names {}, the layer's tar is {found}: the config belongs to another layer", record.diff_id);
        problems.push(Problem::new(Code::DiffIdMismatch, detail, Place::default()));
    }
    problems
}

/// The compression that was found against the one that the media type says.
fn media_type_remark(record: &LayerRecord, index: &LayerIndex) -> Option<Remark> {
    let declared = match record.media_type.rsplit(['.', '+']).next()? {
        "gzip" => "gzip",
        "zstd" => "zstd",
        "tar" => "none",
        _ => return None,
    };
    let found = match index.compression {
        Compression::None => "none",
        Compression::Gzip => "gzip",
        Compression::Zstd { .. } => "zstd",
        Compression::Xz => "xz",
    };
    // Docker's plain type over gzip bytes is old practice, and everybody sniffs it
    let is_old_practice = record.media_type.starts_with("application/vnd.docker.") && (declared, found) == ("none", "gzip");
    let is_empty = index.compressed_bytes == 0;
    (declared != found && !is_empty && !is_old_practice).then(|| {
        let detail = format!("the media type says compression {declared}, the bytes say {found}");
        Remark { code: Code::LayerMediaTypeMismatch, place: Place::default(), detail }
    })
}

fn size_problem(layers: &[Option<Arc<LayerIndex>>], limits: &Limits) -> Option<Problem> {
    let sum = |count: fn(&LayerIndex) -> u64| layers.iter().flatten().fold(0, |sum: u64, index| sum.saturating_add(count(index)));
    let bytes = limits.image_bytes(sum(|index| index.uncompressed_bytes));
    let entries = limits.image_entries(sum(|index| u64::try_from(index.changes.len()).unwrap_or(u64::MAX)));
    let hit = bytes.and(entries).err()?;
    Some(Problem { limit: Some(hit.clone()), ..Problem::new(Code::LimitExceeded, hit, Place::default()) })
}

/// Reads again the bodies that facts need and that no probe kept, because their names became known with the whole tree only.
fn fetch_bodies(
    tree: &mut Rootfs,
    config: &ImageConfig,
    record: &ImageRecord,
    source: &dyn Source,
    store: &LayerStore<'_>,
    limits: &Limits,
) -> Option<Problem> {
    let mut by_layer: BTreeMap<usize, BTreeMap<u32, rootfs::NodeId>> = BTreeMap::new();
    let missing = facts::missing_bodies(tree, config, limits);
    let bytes = missing.iter().fold(0_u64, |sum, node| sum.saturating_add(tree.inode(*node).size()));
    if let Err(hit) = limits.kept_bytes(bytes) {
        let path = missing.first().map(|node| tree.path(*node)).unwrap_or_default();
        return Some(Problem { limit: Some(hit.clone()), ..Problem::new(Code::ContentNotKept, hit, Place::path(path)) });
    }
    for node in missing {
        let inode = tree.inode(node);
        if let Some(entry) = inode.entry {
            by_layer.entry(inode.layer).or_default().insert(entry, node);
        }
    }
    for (layer, nodes) in by_layer {
        let entries: Vec<u32> = nodes.keys().copied().collect();
        let read = |layer| store.bodies(layer, &entries, source);
        let bodies = match record.layers.get(layer).ok_or_else(|| "there is no such layer".to_owned()).and_then(read) {
            Ok(bodies) => bodies,
            Err(message) => {
                let path = nodes.values().next().map(|node| tree.path(*node)).unwrap_or_default();
                return Some(Problem::new(Code::ContentNotKept, message, Place::path(path).in_layer(layer)));
            }
        };
        for (entry, body) in bodies {
            let Some(node) = nodes.get(&entry) else { continue };
            let content = tree.inode(*node).content.as_deref().cloned().unwrap_or_default();
            tree.set_content(*node, Arc::new(Content { body: Some(body.into()), ..content }));
        }
    }
    None
}

impl Problem {
    fn new(code: Code, message: impl std::fmt::Display, place: Place) -> Self {
        Self { code, message: message.to_string(), place, limit: None }
    }

    fn in_layer(mut self, index: usize) -> Self {
        self.place.layer = Some(index);
        self
    }

    /// What the source said.
    pub(super) fn of_source(error: &crate::source::Error) -> Self {
        use crate::source::Error;
        let limit = match error {
            Error::Limit(hit) | Error::Archive(crate::archive::Error::Limit(hit)) => Some(hit.clone()),
            _ => None,
        };
        Self { limit, ..Self::new(error.code(), error, error.place()) }
    }
}

fn limit_of_layer(error: &layer::Error) -> Option<crate::limits::LimitHit> {
    match error {
        layer::Error::Limit(hit) | layer::Error::Archive(crate::archive::Error::Limit(hit)) => Some(hit.clone()),
        _ => None,
    }
}

fn limit_of_tree(error: &rootfs::Error) -> Option<crate::limits::LimitHit> {
    match error {
        rootfs::Error::Limit { hit, .. } => Some(hit.clone()),
        rootfs::Error::Entry { .. } => None,
    }
}
