//! gzip, zstd and xz, read strictly: every member or frame, to the last byte, and nothing after it.

use std::io::BufRead;

use super::Error;
use crate::limits::Limits;

/// How bytes are compressed, told by magic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Compression {
    /// Not compressed.
    None,
    /// gzip (RFC 1952).
    Gzip,
    /// zstd (RFC 8878); starts with a skippable frame when `leading_skippable`.
    Zstd {
        /// Whether the first frame is a skippable one, which some runtimes do not recognise.
        leading_skippable: bool,
    },
    /// xz.
    Xz,
}

/// Bytes that [`sniff`] wants to see, if there are as many.
pub const SNIFF_BYTES: usize = 8;

/// Tells the compression by magic from the first bytes.
#[must_use]
pub fn sniff(head: &[u8]) -> Compression {
    let _ = head;
    Compression::None
}

/// A reader of uncompressed bytes. `read` returns 0 only after the last compressed byte was consumed and checked;
/// errors carry an [`Error`] inside `std::io::Error` (see [`into_error`]).
pub fn decoder<'a, R: BufRead + Send + 'a>(
    compression: Compression,
    reader: R,
    limits: &Limits,
) -> Result<Box<dyn std::io::Read + Send + 'a>, Error> {
    let _ = (compression, limits);
    Ok(Box::new(reader))
}

/// Takes the [`Error`] out of an `io::Error` that a [`decoder`] returned, or wraps it as [`Error::Io`].
#[must_use]
pub fn into_error(error: std::io::Error) -> Error {
    Error::Io(error)
}
