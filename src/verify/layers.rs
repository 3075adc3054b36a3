//! Which layers are read, when, and by how many threads: largest first, one active layer per core.

use std::collections::BTreeMap;
use std::io::Read;
use std::num::NonZero;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::{Progress, Request};
use crate::layer::{self, LayerIndex, Options};
use crate::limits::{LimitHit, Limits};
use crate::oci::Algorithm;
use crate::source::{BlobId, BlobVisitor, Error, ImageRecord, LayerRecord, Source};

/// Indexes by blob. A blob is read once, however many layers and images name it.
pub(super) struct LayerStore<'a> {
    limits: &'a Limits,
    digest_files: bool,
    progress: &'a Progress,
    /// Bytes of file bodies that the layers of the image at hand keep.
    kept: AtomicU64,
    indexes: BTreeMap<BlobId, Arc<LayerIndex>>,
    /// How many of the source's images still want a blob.
    wanted: BTreeMap<BlobId, usize>,
    streamed: Streamed,
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
}

impl<'a> LayerStore<'a> {
    pub(super) fn new(request: &'a Request, digest_files: bool, progress: &'a Progress) -> Self {
        Self {
            limits: &request.limits,
            digest_files,
            progress,
            kept: AtomicU64::new(0),
            indexes: BTreeMap::new(),
            wanted: BTreeMap::new(),
            streamed: Streamed::default(),
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
                        done.0.push((job.id, Arc::new(index)));
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
            jobs.push(Job { id: id.clone(), algorithm: algorithm(layer), bytes });
        }
        jobs.sort_by_key(|job| std::cmp::Reverse(job.bytes));
        jobs
    }

    fn index(&self, job: &Job, source: &dyn Source) -> Result<LayerIndex, Error> {
        let mut reader = source.open_blob(&job.id)?;
        Ok(self.index_reader(job.algorithm, reader.as_mut()))
    }

    fn index_reader(&self, algorithm: Algorithm, reader: &mut (dyn Read + Send)) -> LayerIndex {
        let options = Options { algorithm, digest_files: self.digest_files, progress: &self.progress.bytes, kept: &self.kept };
        let index = layer::index(reader, options, self.limits);
        self.progress.layers_done.fetch_add(1, Ordering::Relaxed);
        index
    }
}

/// What a stream passes by once is indexed as it passes, whether or not an image will want it.
impl BlobVisitor for LayerStore<'_> {
    fn visit(&mut self, id: &BlobId, algorithm: Algorithm, reader: &mut (dyn Read + Send)) {
        let index = match self.streamed.check(self.limits) {
            Ok(()) => self.index_reader(algorithm, reader),
            Err(hit) => LayerIndex { errors: vec![hit.into()], ..LayerIndex::default() },
        };
        self.streamed.add(&index);
        self.indexes.insert(id.clone(), Arc::new(index));
    }
}

/// SHA-512 when the blob or the diff_id is named by it.
fn algorithm(layer: &LayerRecord) -> Algorithm {
    let of_blob = layer.digest.as_ref().map(|digest| digest.0.algorithm());
    of_blob.into_iter().chain([layer.diff_id.0.algorithm()]).max().unwrap_or(Algorithm::Sha256)
}

fn distinct_blobs(record: &ImageRecord) -> impl Iterator<Item = &BlobId> {
    let blobs: std::collections::BTreeSet<_> = record.layers.iter().filter_map(|layer| layer.blob.as_ref()).collect();
    blobs.into_iter()
}
