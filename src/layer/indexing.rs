//! [`index`] and [`read_bodies`]: the two ways in which a layer's bytes are read.

use std::io::Read;
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest as _, Sha256, Sha512};

use super::builder::{Bodies, Builder};
use super::probe::{FileProbe, without_passwords};
use super::stream::{Consumer, Outcome, stream};
use super::{Error, LayerIndex, Options};
use crate::archive::compression::Compression;
use crate::archive::tar::Framer;
use crate::limits::{LimitHit, Limits};
use crate::oci::{Algorithm, BlobDigest, Code, DiffId, Digest, Place, Remark};

/// Reads one layer blob to its last byte. Never fails: what is wrong is in [`LayerIndex::errors`].
pub fn index(reader: &mut (dyn Read + Send), options: Options<'_>, limits: &Limits) -> LayerIndex {
    index_with(reader, options, limits, FileProbe::new(limits, options)).0
}

/// As [`index`], with what is made of the bodies.
pub(super) fn index_with<B: Bodies>(
    reader: &mut (dyn Read + Send),
    options: Options<'_>,
    limits: &Limits,
    bodies: B,
) -> (LayerIndex, B) {
    let mut indexer = Indexer {
        tar: Tar::new(limits, bodies),
        stored: Hashes::new(options.algorithm, false),
        plain: Hashes::new(options.algorithm, true),
        progress: options.progress,
    };
    let outcome = stream(reader, limits, &mut indexer);
    indexer.finish(outcome, options.algorithm)
}

/// Reads a layer again for the bodies of some entries (indexes into [`LayerIndex::changes`], ascending), all together at most
/// `limits.kept_bytes`; returns the entries in the same order. Entries that are no regular files are left out.
pub fn read_bodies(reader: &mut (dyn Read + Send), entries: &[u32], limits: &Limits) -> Result<Vec<(u32, Vec<u8>)>, Error> {
    let bodies = WantedBodies { limits, entries, bytes: 0, bodies: Vec::new(), is_wanted: false };
    let mut tar = Tar::new(limits, bodies);
    let outcome = stream(reader, limits, &mut tar);
    let plain_is_complete = outcome.plain_is_complete;
    let errors = outcome.errors;
    tar.end(plain_is_complete);
    let (index, bodies) = tar.builder.finish();
    match index.errors.into_iter().chain(errors).next() {
        Some(error) => Err(error),
        None => Ok(bodies.bodies.into_iter().map(|(entry, body)| (entry, without_passwords(body))).collect()),
    }
}

/// Frames the uncompressed bytes until the tar's end or its first fault.
struct Tar<'l, B> {
    limits: &'l Limits,
    /// Bytes that were not compressed.
    identical: u64,
    framer: Option<Framer>,
    builder: Builder<'l, B>,
}

impl<'l, B: Bodies> Tar<'l, B> {
    fn new(limits: &'l Limits, bodies: B) -> Self {
        Self { limits, identical: 0, framer: Some(Framer::new(limits)), builder: Builder::new(limits, bodies) }
    }

    fn push(&mut self, bytes: &[u8]) {
        if let Some(framer) = &mut self.framer
            && let Err(error) = framer.push(bytes, &mut self.builder)
        {
            self.framer = None;
            self.builder.fail(error);
        }
    }

    /// Only a stream that was read to its end can tell whether the tar ends where it may.
    fn end(&mut self, is_complete: bool) {
        let Some(framer) = self.framer.take().filter(|_| is_complete) else { return };
        match framer.finish() {
            Ok(trailer) => {
                if let Some(offset) = trailer.data_after_end {
                    let place = Place { offset: Some(offset), ..Place::default() };
                    self.builder.index.remarks.push(Remark { code: Code::TarTrailingData, place, detail: String::new() });
                }
            }
            Err(error) => self.builder.fail(error),
        }
    }
}

impl<B: Bodies> Consumer for Tar<'_, B> {
    fn stored(&mut self, _bytes: &[u8]) {}

    fn plain(&mut self, bytes: &[u8]) {
        self.push(bytes);
    }

    fn identical(&mut self, bytes: &[u8]) {
        self.identical = self.identical.saturating_add(byte_count(bytes));
        if let Err(hit) = self.limits.layer_bytes(self.identical)
            && self.framer.take().is_some()
        {
            self.builder.fail(hit);
        }
        self.push(bytes);
    }
}

/// The digests of one side.
struct Hashes {
    bytes: u64,
    sha256: Option<Sha256>,
    sha512: Option<Sha512>,
}

impl Hashes {
    /// The uncompressed side always has a SHA-256; the stored side only what its own digest needs.
    fn new(algorithm: Algorithm, is_plain: bool) -> Self {
        Self {
            bytes: 0,
            sha256: (is_plain || algorithm == Algorithm::Sha256).then(Sha256::new),
            sha512: (algorithm == Algorithm::Sha512).then(Sha512::new),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        self.bytes = self.bytes.saturating_add(byte_count(bytes));
        if let Some(hash) = &mut self.sha256 {
            hash.update(bytes);
        }
        if let Some(hash) = &mut self.sha512 {
            hash.update(bytes);
        }
    }

    fn sha256(&self) -> Option<Digest> {
        self.sha256.clone().map(|hash| Digest::of_bytes(Algorithm::Sha256, &hash.finalize()))
    }

    fn sha512(&self) -> Option<Digest> {
        self.sha512.clone().map(|hash| Digest::of_bytes(Algorithm::Sha512, &hash.finalize()))
    }

    fn of(&self, algorithm: Algorithm) -> Option<Digest> {
        match algorithm {
            Algorithm::Sha256 => self.sha256(),
            Algorithm::Sha512 => self.sha512(),
        }
    }
}

struct Indexer<'l, B> {
    tar: Tar<'l, B>,
    stored: Hashes,
    plain: Hashes,
    progress: &'l AtomicU64,
}

impl<B: Bodies> Consumer for Indexer<'_, B> {
    fn stored(&mut self, bytes: &[u8]) {
        self.stored.update(bytes);
    }

    fn plain(&mut self, bytes: &[u8]) {
        self.count(bytes);
        self.tar.push(bytes);
    }

    /// The digest is the diff_id: hashed once, as the uncompressed side.
    fn identical(&mut self, bytes: &[u8]) {
        self.count(bytes);
        self.tar.identical(bytes);
    }
}

impl<B: Bodies> Indexer<'_, B> {
    fn count(&mut self, bytes: &[u8]) {
        self.plain.update(bytes);
        self.progress.fetch_add(byte_count(bytes), Ordering::Relaxed);
    }

    fn finish(mut self, outcome: Outcome, algorithm: Algorithm) -> (LayerIndex, B) {
        self.tar.end(outcome.plain_is_complete);
        let (mut index, bodies) = self.tar.builder.finish();
        index.errors.extend(outcome.errors);
        index.compression = outcome.compression;
        if matches!(outcome.compression, Compression::Zstd { leading_skippable: true }) {
            let code = Code::ZstdLeadingSkippable;
            index.remarks.push(Remark { code, place: Place::default(), detail: String::new() });
        }
        let stored = if outcome.compression == Compression::None { &self.plain } else { &self.stored };
        index.compressed_bytes = stored.bytes;
        index.uncompressed_bytes = self.plain.bytes;
        if outcome.stored_is_complete {
            index.digest = stored.of(algorithm).map(BlobDigest);
        }
        if outcome.plain_is_complete {
            index.diff_id = self.plain.sha256().map(DiffId);
            index.diff_id_sha512 = self.plain.sha512().map(DiffId);
        }
        (index, bodies)
    }
}

/// Collects the bodies of the entries that were asked for.
struct WantedBodies<'l> {
    limits: &'l Limits,
    /// Those still to come.
    entries: &'l [u32],
    bytes: u64,
    bodies: Vec<(u32, Vec<u8>)>,
    is_wanted: bool,
}

impl Bodies for WantedBodies<'_> {
    fn start(&mut self, change: u32, _path: &[u8], size: u64) -> Result<(), LimitHit> {
        while let Some((_, rest)) = self.entries.split_first().filter(|(first, _)| **first < change) {
            self.entries = rest;
        }
        self.is_wanted = self.entries.first() == Some(&change);
        if self.is_wanted {
            self.bytes = self.bytes.saturating_add(size);
            self.limits.kept_bytes(self.bytes)?;
            self.bodies.push((change, Vec::new()));
        }
        Ok(())
    }

    fn data(&mut self, bytes: &[u8]) {
        if let Some((_, body)) = self.bodies.last_mut().filter(|_| self.is_wanted) {
            body.extend_from_slice(bytes);
        }
    }

    fn hole(&mut self, length: u64) {
        if let Some((_, body)) = self.bodies.last_mut().filter(|_| self.is_wanted) {
            let length = body.len().saturating_add(usize::try_from(length).unwrap_or_default());
            body.resize(length, 0);
        }
    }

    fn finish(&mut self, _change: u32, _index: &mut LayerIndex) {
        self.is_wanted = false;
    }
}

fn byte_count(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
