//! What was learnt from one layer.

use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Error;
use super::probe::{Declared, ElfFacts};
use crate::archive::compression::Compression;
use crate::oci::{BlobDigest, DiffId, Remark};
use crate::secret::Secrets;

/// One layer, read to its last byte.
///
/// What is written of it (for the cache) is everything but the errors: an index that has some is not to be kept.
#[derive(Debug, Serialize, Deserialize)]
pub struct LayerIndex {
    /// Digest of the stored bytes, of the algorithm asked for.
    pub digest: Option<BlobDigest>,
    /// Stored bytes read.
    pub compressed_bytes: u64,
    /// Digest of the uncompressed bytes, SHA-256. None when they could not be read to the end.
    pub diff_id: Option<DiffId>,
    /// The same as SHA-512, when the blob's digest is one.
    pub diff_id_sha512: Option<DiffId>,
    /// Uncompressed bytes read.
    pub uncompressed_bytes: u64,
    /// The compression that was found.
    pub compression: Compression,
    /// The entries, in the order of the tar, with names cleaned.
    pub changes: Vec<Change>,
    /// Bytes that [`Change`]'s spans point into.
    #[serde(with = "serde_bytes")]
    pub names: Vec<u8>,
    /// Bodies that a probe asked for and for which [`super::Options::kept`] left no room.
    pub bodies_left: u64,
    /// Regular files whose content was looked at by a probe.
    pub files_inspected: u64,
    /// Content that no probe could look at, and why: path, reason.
    pub not_examined: Vec<(Vec<u8>, String)>,
    /// What is remarkable about the tar and its entries, without layer numbers, in order.
    pub remarks: Vec<Remark>,
    /// Why no verdict about this layer is possible, in order.
    #[serde(skip)]
    pub errors: Vec<Error>,
}

impl Default for LayerIndex {
    fn default() -> Self {
        Self {
            digest: None,
            compressed_bytes: 0,
            diff_id: None,
            diff_id_sha512: None,
            uncompressed_bytes: 0,
            compression: Compression::None,
            changes: Vec::new(),
            names: Vec::new(),
            bodies_left: 0,
            files_inspected: 0,
            not_examined: Vec::new(),
            remarks: Vec::new(),
            errors: Vec::new(),
        }
    }
}

impl LayerIndex {
    /// Whether the stored bytes have this digest.
    #[must_use]
    pub fn has_digest(&self, digest: &BlobDigest) -> bool {
        self.digest.as_ref() == Some(digest)
    }

    /// Whether the uncompressed bytes have this digest.
    #[must_use]
    pub fn has_diff_id(&self, diff_id: &DiffId) -> bool {
        [&self.diff_id, &self.diff_id_sha512].into_iter().any(|found| found.as_ref() == Some(diff_id))
    }

    /// The bytes of a span of this index; empty for a span of another index.
    #[must_use]
    pub fn name(&self, span: &Span) -> &[u8] {
        let start = usize::try_from(span.start).unwrap_or(usize::MAX);
        let end = start.saturating_add(usize::from(span.length));
        self.names.get(Range { start, end }).unwrap_or_default()
    }

    /// Bytes of all bodies that are kept.
    #[must_use]
    pub fn body_bytes(&self) -> u64 {
        let bodies = self.changes.iter().filter_map(|change| change.content.as_ref()?.body.as_ref());
        bodies.fold(0, |sum, body| sum.saturating_add(u64::try_from(body.len()).unwrap_or(u64::MAX)))
    }

    /// The same index without bodies, as if there had been no room for them.
    #[must_use]
    pub fn without_bodies(&self) -> Self {
        let without = |content: &Arc<Content>| {
            if content.body.is_none() {
                return Some(Arc::clone(content));
            }
            let content = Content { body: None, ..content.as_ref().clone() };
            (content != Content::default()).then(|| Arc::new(content))
        };
        let change = |change: &Change| Change { content: change.content.as_ref().and_then(without), ..change.clone() };
        let has_body = |change: &&Change| change.content.as_ref().is_some_and(|content| content.body.is_some());
        Self {
            digest: self.digest.clone(),
            diff_id: self.diff_id.clone(),
            diff_id_sha512: self.diff_id_sha512.clone(),
            changes: self.changes.iter().map(change).collect(),
            names: self.names.clone(),
            bodies_left: u64::try_from(self.changes.iter().filter(has_body).count()).unwrap_or(u64::MAX),
            not_examined: self.not_examined.clone(),
            remarks: self.remarks.clone(),
            errors: Vec::new(),
            ..*self
        }
    }

    /// Keeps `bytes` (at most 65,535) and returns their span.
    pub fn intern(&mut self, bytes: &[u8]) -> Span {
        let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
        let start = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.names.extend_from_slice(bytes.get(..usize::from(length)).unwrap_or_default());
        Span { start, length }
    }
}

/// Where a name lies in [`LayerIndex::names`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Span {
    start: u32,
    length: u16,
}

/// What an entry does to the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ChangeKind {
    /// Makes a regular file.
    File,
    /// Makes or updates a directory.
    Directory,
    /// Makes a symbolic link to `link`.
    Symlink,
    /// Gives the inode at `link` (cleaned, absolute) a further name.
    HardLink,
    /// Makes a character device. 0:0 is a whiteout to overlay.
    CharDevice,
    /// Makes a block device.
    BlockDevice,
    /// Makes a fifo.
    Fifo,
    /// `.wh.NAME`: `path` is the path that is removed.
    Whiteout,
    /// `.wh..wh..opq`: `path` is the directory whose lower content is hidden.
    Opaque,
    /// A global PAX header, which extractors treat as an entry named `path` that removes what is there and makes nothing.
    PaxGlobal,
}

/// One entry of a layer. Paths are absolute (`/a/b`), cleaned as runtimes clean them, at most 4,095 bytes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Change {
    /// What it does.
    pub kind: ChangeKind,
    /// Permission bits with setuid, setgid and sticky: at most 0o7777.
    pub mode: u16,
    /// Owner, after the wrap-around that runtimes apply.
    pub uid: u32,
    /// Group, after the wrap-around that runtimes apply.
    pub gid: u32,
    /// Logical bytes of a regular file.
    pub size: u64,
    /// Device numbers.
    pub device: (u32, u32),
    /// The path.
    pub path: Span,
    /// Symlink target as written, or hard link target cleaned; else empty.
    pub link: Span,
    /// Extended attributes, sorted by name.
    pub xattrs: Option<Arc<[Xattr]>>,
    /// What was learnt of a regular file's content.
    pub content: Option<Arc<Content>>,
}

/// One extended attribute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Xattr {
    /// Name, such as `security.capability`.
    #[serde(with = "serde_bytes")]
    pub name: Vec<u8>,
    /// Value.
    #[serde(with = "serde_bytes")]
    pub value: Vec<u8>,
}

/// What was learnt of a regular file's content while it streamed by.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// SHA-256, when asked for.
    pub sha256: Option<[u8; 32]>,
    /// The file is an ELF, well-formed as far as a loader reads it.
    pub elf: Option<Box<ElfFacts>>,
    /// The file starts with the ELF magic and cannot be parsed: why.
    pub broken_elf: Option<Box<str>>,
    /// For a file that starts with `#!`: the first line without `#!`, at most 256 bytes.
    #[serde(with = "serde_bytes")]
    pub shebang: Option<Box<[u8]>>,
    /// The whole body, when a probe asked for it (databases, user files, os-release, package lists).
    #[serde(with = "serde_bytes")]
    pub body: Option<Box<[u8]>>,
    /// The secrets in it, without their values; never empty.
    pub secrets: Option<Box<Secrets>>,
    /// What it says of the software that it describes, for a file that describes some: `package.json`, `METADATA`.
    pub declared: Option<Box<Declared>>,
}
