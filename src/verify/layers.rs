//! Which layers are read, when, and by how many threads: largest first, one active layer per core.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::num::NonZero;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::{Progress, Reading, Request};
use crate::cache::{Layers, Shape};
use crate::layer::{self, BodyError, Digesting, LayerIndex, NamedBodies, Options, WantedBody};
use crate::limits::{LimitHit, Limits};
use crate::oci::{Algorithm, BlobDigest};
use crate::source::{BlobId, BlobVisitor, Error, ImageRecord, LayerRecord, Source};

/// Indexes by blob. A blob is read once, however many layers and images name it.
pub(super) struct LayerStore<'a> {
    limits: &'a Limits,
    reading: &'a Reading,
    cache: &'a Layers,
    progress: &'a Progress,
    /// Bytes of file bodies that the layers of the image at hand keep.
    kept: AtomicU64,
    indexes: BTreeMap<BlobId, Arc<LayerIndex>>,
    /// How many of the source's images still want a blob.
    wanted: BTreeMap<BlobId, usize>,
    streamed: Streamed,
    /// Bodies that were kept as their layers streamed by, because of their names.
    passed: BTreeMap<BlobId, NamedBodies>,
    /// Bytes of these.
    named: AtomicU64,
}

/// What passed by as a stream so far: all of it is kept until the documents say what of it is wanted.
#[derive(Debug, Default)]
struct Streamed {
    bytes: u64,
    entries: u64,
}

impl Streamed {
    fn check(&self, limits: &Limits) -> Result<(), LimitHit> {
        limits.image_bytes(self.bytes)?;
        limits.source_entries(self.entries)
    }

    fn add(&mut self, index: &LayerIndex) {
        self.bytes = self.bytes.saturating_add(index.uncompressed_bytes);
        self.entries = self.entries.saturating_add(u64::try_from(index.changes.len()).unwrap_or(u64::MAX));
    }
}

/// A blob to read.
struct Job {
    id: BlobId,
    algorithm: Algorithm,
    bytes: u64,
    /// Digests that its bytes may have: under these, the cache is asked. Claims, all of them.
    hints: Vec<BlobDigest>,
    /// A descriptor names the first hint.
    is_pinned: bool,
}

impl<'a> LayerStore<'a> {
    pub(super) fn new(request: &'a Request, reading: &'a Reading, progress: &'a Progress) -> Self {
        Self {
            limits: &request.limits,
            reading,
            cache: &request.cache,
            progress,
            kept: AtomicU64::new(0),
            indexes: BTreeMap::new(),
            wanted: BTreeMap::new(),
            streamed: Streamed::default(),
            passed: BTreeMap::new(),
            named: AtomicU64::new(0),
        }
    }

    /// Notes which blobs the source's images want, so that their indexes are kept as long as that and no longer.
    pub(super) fn expect(&mut self, source: &dyn Source) {
        for record in source.images() {
            for id in distinct_blobs(record) {
                let count = self.wanted.entry(id.clone()).or_default();
                *count = count.saturating_add(1);
            }
        }
        let wanted = &self.wanted;
        self.indexes.retain(|id, _| wanted.contains_key(id));
        self.progress.layers_total.store(u64::try_from(wanted.len()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Drops what only this image wanted.
    pub(super) fn release(&mut self, record: &ImageRecord) {
        for id in distinct_blobs(record) {
            let Some(count) = self.wanted.get_mut(id) else { continue };
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.indexes.remove(id);
            }
        }
    }

    /// The index of a layer's blob, once [`Self::read`] has seen its image.
    pub(super) fn get(&self, record: &LayerRecord) -> Option<Arc<LayerIndex>> {
        self.indexes.get(record.blob.as_ref()?).cloned()
    }

    /// Reads every layer of an image that was not read yet. Errors are those of blobs that could not be opened.
    pub(super) fn read(&mut self, record: &ImageRecord, source: &dyn Source) -> Vec<(usize, Error)> {
        let jobs = self.jobs(record, source);
        self.kept.store(0, Ordering::Relaxed);
        let workers = thread::available_parallelism().map_or(1, NonZero::get).min(jobs.len());
        let queue = Mutex::new(jobs.into_iter());
        let done = Mutex::new((Vec::new(), Vec::new()));
        let read_bytes = AtomicU64::new(0);
        let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
        let work = || {
            while let Some(job) = next() {
                if self.limits.image_bytes(read_bytes.load(Ordering::Relaxed)).is_err() {
                    // the sum is reported by the examination; reading on would only take time
                    return;
                }
                let outcome = self.index(&job, source);
                let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                match outcome {
                    Ok(index) => {
                        read_bytes.fetch_add(index.uncompressed_bytes, Ordering::Relaxed);
                        done.0.push((job.id, index));
                    }
                    Err(error) => done.1.push((job.id, error)),
                }
            }
        };
        thread::scope(|scope| {
            for _ in 1..workers {
                scope.spawn(work);
            }
            work();
        });
        let (indexes, mut errors) = done.into_inner().unwrap_or_else(PoisonError::into_inner);
        self.indexes.extend(indexes);
        let position = |id: &BlobId| record.layers.iter().position(|layer| layer.blob.as_ref() == Some(id)).unwrap_or_default();
        errors.sort_by_key(|(id, _)| position(id));
        errors.into_iter().map(|(id, error)| (position(&id), error)).collect()
    }

    /// Largest first, so that the last core to finish does not sit on the largest layer; then in the order of the image.
    fn jobs(&self, record: &ImageRecord, source: &dyn Source) -> Vec<Job> {
        let mut jobs: Vec<Job> = Vec::new();
        for layer in &record.layers {
            let Some(id) = layer.blob.as_ref() else { continue };
            if self.indexes.contains_key(id) || jobs.iter().any(|job| job.id == *id) {
                continue;
            }
            let bytes = source.blob_bytes(id).unwrap_or_default();
            let (hints, is_pinned) = (hints(layer), layer.digest.is_some());
            jobs.push(Job { id: id.clone(), algorithm: algorithm(layer), bytes, hints, is_pinned });
        }
        jobs.sort_by_key(|job| std::cmp::Reverse(job.bytes));
        jobs
    }

    fn index(&self, job: &Job, source: &dyn Source) -> Result<Arc<LayerIndex>, Error> {
        if let Some(index) = self.known(job, source) {
            self.progress.bytes.fetch_add(index.uncompressed_bytes, Ordering::Relaxed);
            self.progress.layers_done.fetch_add(1, Ordering::Relaxed);
            return Ok(self.with_room(index));
        }
        let mut reader = source.open_blob(&job.id)?;
        Ok(self.index_reader(job.algorithm, reader.as_mut()))
    }

    fn index_reader(&self, algorithm: Algorithm, reader: &mut (dyn Read + Send)) -> Arc<LayerIndex> {
        let options =
            Options { algorithm, digest_files: self.reading.digest_files, progress: &self.progress.bytes, kept: &self.kept };
        let index = Arc::new(layer::index(reader, options, self.limits));
        self.cache.keep(&self.shape(algorithm), &index);
        self.progress.layers_done.fetch_add(1, Ordering::Relaxed);
        index
    }

    /// As [`Self::index_reader`], and keeps the bodies of files called `name`.
    fn index_and_keep(
        &mut self,
        id: &BlobId,
        algorithm: Algorithm,
        reader: &mut (dyn Read + Send),
        name: &[u8],
    ) -> Arc<LayerIndex> {
        let options =
            Options { algorithm, digest_files: self.reading.digest_files, progress: &self.progress.bytes, kept: &self.kept };
        let (index, bodies) = layer::index_with_bodies_of(reader, options, self.limits, name, &self.named);
        let index = Arc::new(index);
        self.cache.keep(&self.shape(algorithm), &index);
        self.progress.layers_done.fetch_add(1, Ordering::Relaxed);
        self.passed.insert(id.clone(), bodies);
        index
    }

    fn shape(&self, algorithm: Algorithm) -> Shape {
        Shape::new(algorithm, self.reading.digest_files, self.limits)
    }

    /// What the cache knows of a blob. Which index is served is decided by the digest of its bytes, computed now, or by a descriptor
    /// whose blob nobody could exchange; hints only decide whether computing it is worth a pass.
    fn known(&self, job: &Job, source: &dyn Source) -> Option<Arc<LayerIndex>> {
        let shape = self.shape(job.algorithm);
        let (hint, index) = job.hints.iter().find_map(|hint| Some((hint, self.cache.find(hint, &shape)?)))?;
        if job.is_pinned && job.hints.first() == Some(hint) && source.is_content_addressed() {
            return Some(index);
        }
        let reader = source.open_blob(&job.id).ok()?;
        let digest = Digesting::new(reader, hint.0.algorithm()).finish().ok()?;
        if digest == *hint { Some(index) } else { self.cache.find(&digest, &shape) }
    }

    /// The index with its bodies, if there is room for them among those of the image's other layers.
    fn with_room(&self, index: Arc<LayerIndex>) -> Arc<LayerIndex> {
        let bytes = index.body_bytes();
        let grow = |kept: u64| Some(kept.saturating_add(bytes)).filter(|kept| self.limits.kept_bytes(*kept).is_ok());
        let is_room = bytes == 0 || self.kept.fetch_update(Ordering::Relaxed, Ordering::Relaxed, grow).is_ok();
        if is_room { index } else { Arc::new(index.without_bodies()) }
    }

    /// Bodies of some entries of a layer that was read, from the cache or read again. The bytes read again must be those that were
    /// read first.
    pub(super) fn bodies(
        &self,
        layer: &LayerRecord,
        entries: &[u32],
        source: &dyn Source,
    ) -> Result<Vec<(u32, Vec<u8>)>, String> {
        let blob = layer.blob.as_ref().ok_or("the layer's blob is not there")?;
        let digest = self.indexes.get(blob).and_then(|index| index.digest.clone()).ok_or("the layer was not read to its end")?;
        let shape = self.shape(digest.0.algorithm());
        if let Some(bodies) = self.cache.find_bodies(&digest, &shape, entries) {
            return Ok(bodies);
        }
        let reader = source.open_blob(blob).map_err(|error| match error {
            // no limit helps: only the whole tree tells that this file decides
            Error::Limit(_) => {
                "the layer has streamed by: write the image to a file that is not compressed as a whole, and check that"
                    .to_owned()
            }
            other => other.to_string(),
        })?;
        let mut reader = Digesting::new(reader, digest.0.algorithm());
        let bodies = layer::read_bodies(&mut reader, entries, self.limits).map_err(|error| error.to_string())?;
        if reader.finish().map_err(|error| error.to_string())? != digest {
            return Err("the layer has changed since it was read first".to_owned());
        }
        self.cache.keep_bodies(&digest, &shape, entries, &bodies);
        Ok(bodies)
    }
}

/// Bodies up to this size are held back until it is certain that they are of the layer that was read first.
const HELD_BYTES: u64 = 16 * crate::limits::MIB;

/// Why a body was not written, or not to its end.
#[derive(Debug, thiserror::Error)]
pub(super) enum BodyFault {
    /// The layer streamed by, and this body was not among those that were kept.
    #[error("its layer has streamed by")]
    Gone,
    /// It could not be read again as it was read first.
    #[error("{0}")]
    Unread(String),
    /// The writer took no more.
    #[error("cannot write: {0}")]
    Output(std::io::Error),
}

impl LayerStore<'_> {
    /// Writes the body of an entry of a layer that was read. The stored bytes are digested again to their end, though no more of
    /// them is uncompressed than the body takes: what is written is of the layer that was verified, or an error follows it.
    pub(super) fn write_body(
        &self,
        layer: &LayerRecord,
        entry: u32,
        source: &dyn Source,
        out: &mut dyn Write,
    ) -> Result<(), BodyFault> {
        let unread = |reason: &str| BodyFault::Unread(reason.to_owned());
        let blob = layer.blob.as_ref().ok_or_else(|| unread("the layer's blob is not there"))?;
        let index = self.indexes.get(blob).ok_or_else(|| unread("the layer was not read"))?;
        if let Some(body) = self.passed.get(blob).and_then(|bodies| bodies.get(&entry)) {
            return out.write_all(body).map_err(BodyFault::Output);
        }
        let digest = index.digest.as_ref().ok_or_else(|| unread("the layer was not read to its end"))?;
        let change = usize::try_from(entry).ok().and_then(|entry| index.changes.get(entry));
        let change = change.ok_or_else(|| unread("the layer has no such entry"))?;
        let (path, size) = (index.name(&change.path), change.size);
        let wanted = WantedBody { compression: index.compression, entry, path, size };
        let reader = source.open_blob(blob).map_err(|error| match error {
            Error::Limit(_) => BodyFault::Gone,
            other => BodyFault::Unread(other.to_string()),
        })?;
        let mut reader = Digesting::new(reader, digest.0.algorithm());
        let mut held = Vec::new();
        let is_held = size <= HELD_BYTES;
        let target: &mut dyn Write = if is_held { &mut held } else { &mut *out };
        layer::write_body(&mut reader, wanted, target, self.limits).map_err(|error| match error {
            BodyError::Output(error) => BodyFault::Output(error),
            other => BodyFault::Unread(other.to_string()),
        })?;
        if reader.finish().map_err(|error| BodyFault::Unread(error.to_string()))? != *digest {
            return Err(BodyFault::Unread(BodyError::Changed.to_string()));
        }
        out.write_all(&held).map_err(BodyFault::Output)
    }
}

/// What a stream passes by once is indexed as it passes, whether or not an image will want it.
impl BlobVisitor for LayerStore<'_> {
    fn visit(&mut self, id: &BlobId, algorithm: Algorithm, reader: &mut (dyn Read + Send)) {
        let index = match self.streamed.check(self.limits) {
            Ok(()) => match &self.reading.name {
                Some(name) => self.index_and_keep(id, algorithm, reader, name),
                None => self.index_reader(algorithm, reader),
            },
            Err(hit) => Arc::new(LayerIndex { errors: vec![hit.into()], ..LayerIndex::default() }),
        };
        self.streamed.add(&index);
        self.indexes.insert(id.clone(), index);
    }
}

/// SHA-512 when the blob or the diff_id is named by it.
fn algorithm(layer: &LayerRecord) -> Algorithm {
    let of_blob = layer.digest.as_ref().map(|digest| digest.0.algorithm());
    of_blob.into_iter().chain([layer.diff_id.0.algorithm()]).max().unwrap_or(Algorithm::Sha256)
}

/// Digests that a layer's stored bytes may have: the descriptor's; in an archive without descriptors that of its name, as builders
/// write it (`HEX.tar.gz`, `sha256:HEX`), and the diff_id, which an uncompressed layer's bytes have.
fn hints(layer: &LayerRecord) -> Vec<BlobDigest> {
    if let Some(digest) = &layer.digest {
        return vec![digest.clone()];
    }
    let name = layer.blob.as_ref().map_or("", |blob| blob.0.rsplit('/').next().unwrap_or_default());
    let name = name.strip_prefix("sha256:").unwrap_or(name);
    let hex = name.split('.').next().unwrap_or_default();
    let named = format!("sha256:{hex}").parse().ok();
    let plain = Some(BlobDigest(layer.diff_id.0.clone())).filter(|plain| named.as_ref() != Some(plain));
    named.into_iter().chain(plain).collect()
}

fn distinct_blobs(record: &ImageRecord) -> impl Iterator<Item = &BlobId> {
    let blobs: std::collections::BTreeSet<_> = record.layers.iter().filter_map(|layer| layer.blob.as_ref()).collect();
    blobs.into_iter()
}

#[cfg(test)]
#[path = "layers_tests.rs"]
mod tests;
