//! What was learnt from layers, by the digest of their stored bytes.
//!
//! The key is never what a config claims: a config that claims the diff_id of a harmless layer would have that layer's facts. Who
//! asks has computed the digest from the bytes, or has it from a manifest whose source is held to it when the blob is fetched.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::key::hex;
use super::{Key, Kind, Memory, Tiers};
use crate::layer::{Change, Content, LayerIndex, Xattr};
use crate::limits::Limits;
use crate::oci::{Algorithm, BlobDigest};

/// Everything besides its bytes that decides what a layer's index looks like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    algorithm: Algorithm,
    text: String,
}

impl Shape {
    /// Of an index made with these options. All limits count, also those that only other rooms read: which those are may change,
    /// and hardly anybody sets one.
    #[must_use]
    pub fn new(algorithm: Algorithm, digest_files: bool, limits: &Limits) -> Self {
        let mut hash = Sha256::new();
        for (name, value) in limits.values() {
            hash.update(format!("{name}={value}\n"));
        }
        let text = format!("{} files={digest_files} limits={}", algorithm.as_str(), hex(&hash.finalize()));
        Self { algorithm, text }
    }

    fn key(&self, kind: Kind, digest: &BlobDigest, more: &str) -> Key {
        Key::new(kind, &format!("{digest}\n{}{more}", self.text))
    }
}

/// Layer indexes in memory and in stores. Clones share everything.
#[derive(Debug, Clone)]
pub struct Layers {
    memory: Arc<Memory<Arc<LayerIndex>>>,
    tiers: Tiers,
}

impl Default for Layers {
    /// No cache.
    fn default() -> Self {
        Self::new(0, Tiers::default())
    }
}

/// As it is read; [`Written`] is the same, borrowed.
#[derive(Deserialize)]
struct Bodies(Vec<(u32, serde_bytes::ByteBuf)>);

#[derive(Serialize)]
struct Written<'a>(Vec<(u32, &'a serde_bytes::Bytes)>);

impl Layers {
    /// Indexes in memory up to `memory_bytes`, then the stores.
    #[must_use]
    pub fn new(memory_bytes: u64, tiers: Tiers) -> Self {
        Self { memory: Arc::new(Memory::new(memory_bytes)), tiers }
    }

    /// The stores, for their counts and warnings.
    #[must_use]
    pub fn tiers(&self) -> &Tiers {
        &self.tiers
    }

    /// The index of the blob whose stored bytes have this digest, as it would come out of those bytes now.
    #[must_use]
    pub fn find(&self, digest: &BlobDigest, shape: &Shape) -> Option<Arc<LayerIndex>> {
        if digest.0.algorithm() != shape.algorithm {
            return None;
        }
        let key = shape.key(Kind::Layer, digest, "");
        if let Some(index) = self.memory.find(&key) {
            return Some(index);
        }
        let read = |value: Vec<u8>| decoded(&value).filter(|index| index.has_digest(digest) && is_whole(index));
        let index = Arc::new(self.tiers.find(&key, read)?);
        self.memory.keep(&key, Arc::clone(&index), weight(&index));
        Some(index)
    }

    /// Keeps an index under the digest that its bytes have, if it is one to keep: read to its end, free of errors, with every body
    /// that a probe asked for.
    pub fn keep(&self, shape: &Shape, index: &Arc<LayerIndex>) {
        let Some(digest) = index.digest.as_ref().filter(|digest| digest.0.algorithm() == shape.algorithm) else { return };
        if !is_whole(index) {
            return;
        }
        let key = shape.key(Kind::Layer, digest, "");
        self.memory.keep(&key, Arc::clone(index), weight(index));
        if !self.tiers.is_empty()
            && let Some(value) = encoded(index)
        {
            self.tiers.keep(&key, &value);
        }
    }

    /// Bodies of these entries of a blob, as [`crate::layer::read_bodies`] returned them once.
    #[must_use]
    pub fn find_bodies(&self, digest: &BlobDigest, shape: &Shape, entries: &[u32]) -> Option<Vec<(u32, Vec<u8>)>> {
        self.tiers.find(&shape.key(Kind::Bodies, digest, &list(entries)), |value| {
            let (Bodies(bodies), rest) = postcard::take_from_bytes(&value).ok()?;
            rest.is_empty().then(|| bodies.into_iter().map(|(entry, body)| (entry, body.into_vec())).collect())
        })
    }

    /// Keeps bodies that were read again. `digest` is that of the blob they were read from, computed from its bytes.
    pub fn keep_bodies(&self, digest: &BlobDigest, shape: &Shape, entries: &[u32], bodies: &[(u32, Vec<u8>)]) {
        if self.tiers.is_empty() {
            return;
        }
        let written = Written(bodies.iter().map(|(entry, body)| (*entry, serde_bytes::Bytes::new(body))).collect());
        if let Ok(value) = postcard::to_stdvec(&written) {
            self.tiers.keep(&shape.key(Kind::Bodies, digest, &list(entries)), &value);
        }
    }
}

fn list(entries: &[u32]) -> String {
    entries.iter().fold(String::from("\nentries"), |text, entry| text + &format!(" {entry}"))
}

/// Whether an index says all that there is to say of its layer.
fn is_whole(index: &LayerIndex) -> bool {
    index.errors.is_empty() && index.diff_id.is_some() && index.digest.is_some() && index.bodies_left == 0
}

pub(super) fn encoded(index: &LayerIndex) -> Option<Vec<u8>> {
    postcard::to_stdvec(index).ok()
}

/// Lengths are checked against what is left, so that what is read is at most a few times as large as what it is read from.
pub(super) fn decoded(value: &[u8]) -> Option<LayerIndex> {
    let (index, rest) = postcard::take_from_bytes::<LayerIndex>(value).ok()?;
    rest.is_empty().then_some(index)
}

/// Bytes that an index takes up in memory, roughly.
fn weight(index: &LayerIndex) -> u64 {
    let of_content = |content: &Arc<Content>| {
        let body = content.body.as_ref().map_or(0, |body| body.len());
        // the facts of an ELF with its strings
        size_of::<Content>().saturating_add(body).saturating_add(if content.elf.is_some() { 600 } else { 0 })
    };
    let of_xattrs = |xattrs: &Arc<[Xattr]>| {
        xattrs.iter().map(|xattr| xattr.name.len().saturating_add(xattr.value.len()).saturating_add(size_of::<Xattr>())).sum()
    };
    let of_change = |change: &Change| {
        let content = change.content.as_ref().map_or(0, of_content);
        size_of::<Change>().saturating_add(content).saturating_add(change.xattrs.as_ref().map_or(0, of_xattrs))
    };
    let changes = index.changes.iter().map(of_change).fold(index.names.len(), usize::saturating_add);
    u64::try_from(changes.saturating_add(1_000)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
