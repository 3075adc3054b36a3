//! gzip, zstd and xz, read strictly: every member or frame, to the last byte, and nothing after it.

mod gzip;
mod input;
#[cfg(test)]
#[expect(clippy::cast_possible_truncation, reason = "tests know their numbers")]
mod tests;
mod xz;
#[cfg(feature = "zstd-c")]
mod zstd;

use std::io::BufRead;

use serde::{Deserialize, Serialize};

use super::Error;
use crate::limits::Limits;

/// How bytes are compressed, told by magic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
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

/// ID1, ID2 and CM of a gzip member (RFC 1952, 2.3).
const GZIP_MAGIC: [u8; 3] = [0x1f, 0x8b, 8];
/// Magic_Number of a zstd frame (RFC 8878, 3.1.1).
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// Header Magic Bytes of an xz stream (xz file format, 2.1.1.1).
const XZ_MAGIC: [u8; 6] = [0xfd, b'7', b'z', b'X', b'Z', 0];

/// Tells the compression by magic from the first bytes. A skippable frame counts as zstd when its header is whole and what
/// `head` shows after it, if anything, starts another frame.
#[must_use]
pub fn sniff(head: &[u8]) -> Compression {
    if head.starts_with(&GZIP_MAGIC) {
        Compression::Gzip
    } else if head.starts_with(&XZ_MAGIC) {
        Compression::Xz
    } else if head.starts_with(&ZSTD_MAGIC) {
        Compression::Zstd { leading_skippable: false }
    } else if let Some(after) = after_skippable(head)
        && (after.is_empty() || may_start_frame(after))
    {
        Compression::Zstd { leading_skippable: true }
    } else {
        Compression::None
    }
}

/// What `head` shows after the skippable frame at its start; None when there is no header of one.
fn after_skippable(head: &[u8]) -> Option<&[u8]> {
    let (magic, rest) = head.split_first_chunk::<4>()?;
    let (size, rest) = rest.split_first_chunk::<4>()?;
    if !is_skippable(*magic) {
        return None;
    }
    let size = usize::try_from(u32::from_le_bytes(*size)).unwrap_or(usize::MAX);
    Some(rest.get(size..).unwrap_or_default())
}

/// Whether the bytes, cut to four, are the start of a frame's or skippable frame's magic.
fn may_start_frame(bytes: &[u8]) -> bool {
    let shown = bytes.get(..4).unwrap_or(bytes);
    ZSTD_MAGIC.starts_with(shown)
        || shown
            .first()
            .is_some_and(|first| first & 0xf0 == 0x50 && [0x2a, 0x4d, 0x18].starts_with(shown.get(1..).unwrap_or_default()))
}

/// Magic_Number of a skippable frame (RFC 8878, 3.1.2): 0x184D2A50 to 0x184D2A5F.
fn is_skippable(magic: [u8; 4]) -> bool {
    u32::from_le_bytes(magic) & 0xffff_fff0 == 0x184d_2a50
}

/// A reader of uncompressed bytes. `read` returns 0 only after the last compressed byte was consumed and checked;
/// errors carry an [`Error`] inside `std::io::Error` (see [`into_error`]), those of `reader` are handed on as they are.
/// After an error every read fails. Give a `reader` with a large buffer.
///
/// Err when this build cannot read the compression.
pub fn decoder<'a, R: BufRead + Send + 'a>(
    compression: Compression,
    reader: R,
    limits: &Limits,
) -> Result<Box<dyn std::io::Read + Send + 'a>, Error> {
    match compression {
        Compression::None => Ok(Box::new(reader)),
        Compression::Gzip => Ok(Box::new(gzip::Decoder::new(reader))),
        Compression::Xz => Ok(Box::new(xz::Decoder::new(reader, limits))),
        #[cfg(feature = "zstd-c")]
        Compression::Zstd { .. } => Ok(Box::new(zstd::Decoder::new(reader, limits)?)),
        #[cfg(not(feature = "zstd-c"))]
        Compression::Zstd { .. } => {
            Err(Error::Zstd { offset: 0, reason: "this build reads no zstd (feature zstd-c is off)".into() })
        }
    }
}

/// Takes the [`Error`] out of an `io::Error` that a [`decoder`] returned, or wraps it as [`Error::Io`].
#[must_use]
pub fn into_error(error: std::io::Error) -> Error {
    error.downcast::<Error>().unwrap_or_else(Error::Io)
}

fn wrap(error: impl Into<Error>) -> std::io::Error {
    std::io::Error::other(error.into())
}
