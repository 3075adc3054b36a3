//! Bytes in containers: decompression to the last byte, and tar framing as Go's `archive/tar` reads it. Knows nothing of images.
//!
//! Used twice: by `source` for outer archives, by `layer` for layers.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

pub mod compression;
mod error;
pub mod tar;

pub use error::Error;
