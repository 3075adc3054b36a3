//! One blob in, one [`LayerIndex`] out: decompress, hash both sides, frame the tar, learn from bodies while they stream by.
//!
//! The index is a pure function of the layer's bytes (and of whether file digests were asked for), so layers can be indexed in
//! any order, in parallel, and cached by blob digest.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod body;
mod builder;
mod digesting;
mod entries;
mod error;
mod index;
mod indexing;
mod named;
mod path;
pub mod probe;
mod stream;

pub use body::{BodyError, WantedBody, write_body};
pub use digesting::Digesting;
pub use error::Error;
pub use index::{Change, ChangeKind, Content, LayerIndex, Span, Xattr};
pub use indexing::{index, read_bodies};
pub use named::{NamedBodies, index_with_bodies_of};

use std::sync::atomic::AtomicU64;

use crate::oci::Algorithm;

/// How a layer is to be indexed.
#[derive(Debug, Clone, Copy)]
pub struct Options<'a> {
    /// Algorithm of the blob's digest (the diff_id uses the same; both are computed as SHA-256 too when it is another).
    pub algorithm: Algorithm,
    /// Whether every regular file's SHA-256 is wanted (costs a third hash).
    pub digest_files: bool,
    /// Counts uncompressed bytes read, for progress.
    pub progress: &'a AtomicU64,
    /// Counts bytes of bodies kept, for `limits.kept_bytes`: one count for all layers of an image. What finds no room is left
    /// to [`read_bodies`].
    pub kept: &'a AtomicU64,
}

#[cfg(test)]
mod test_tar;
#[cfg(test)]
mod tests;
