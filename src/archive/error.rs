//! What can be wrong with compressed data or a tar.

use crate::limits::LimitHit;
use crate::oci::Code;

/// Malformed data, a limit that was hit, or a read that failed. Offsets are in the stream that is being read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// gzip data that no strict reader accepts.
    #[error("gzip data is malformed at compressed offset {offset}: {reason}")]
    Gzip {
        /// Compressed offset of the member.
        offset: u64,
        /// The decoder's reason.
        reason: String,
    },
    /// Bytes after the last gzip member.
    #[error("data follows the last gzip member at compressed offset {offset}")]
    GzipTrailingData {
        /// Compressed offset of the first such byte.
        offset: u64,
    },
    /// zstd data that no strict reader accepts.
    #[error("zstd data is malformed at compressed offset {offset}: {reason}")]
    Zstd {
        /// Compressed offset of the frame.
        offset: u64,
        /// The decoder's reason.
        reason: String,
    },
    /// Bytes after the last zstd frame that are no frame.
    #[error("data follows the last zstd frame at compressed offset {offset}")]
    ZstdTrailingData {
        /// Compressed offset of the first such byte.
        offset: u64,
    },
    /// xz data that cannot be read.
    #[error("xz data is malformed: {reason}")]
    Xz {
        /// The decoder's reason.
        reason: String,
    },
    /// A tar header, extension or map that Go's reader refuses.
    #[error("tar is malformed at offset {offset}: {reason}")]
    Tar {
        /// Offset of the header block.
        offset: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// The tar ends inside an entry or header.
    #[error("tar ends at offset {offset}, inside an entry: {missing} more bytes are expected")]
    TarTruncated {
        /// Bytes there are.
        offset: u64,
        /// Bytes that are missing at least.
        missing: u64,
    },
    /// An entry type that runtimes refuse.
    #[error("tar entry of type {type_flag:?} at offset {offset}: runtimes refuse it")]
    TarEntryType {
        /// Offset of the header block.
        offset: u64,
        /// The type flag, escaped.
        type_flag: String,
        /// The entry's name, raw.
        path: Vec<u8>,
    },
    /// An extension header over the limit.
    #[error("tar extension header of {found} bytes at offset {offset}: at most {limit} are read")]
    TarHeaderTooLarge {
        /// Offset of the header block.
        offset: u64,
        /// The cap.
        limit: u64,
        /// The size it claims.
        found: u64,
    },
    /// Where the bytes come from failed in a way that has a code of its own.
    #[error("{detail}")]
    Source {
        /// The code.
        code: Code,
        /// What happened, escaped.
        detail: String,
    },
    /// A limit was hit.
    #[error(transparent)]
    Limit(#[from] LimitHit),
    /// The world failed.
    #[error("read failed: {0}")]
    Io(#[from] std::io::Error),
}

impl Error {
    /// The finding code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Gzip { .. } => Code::GzipMalformed,
            Self::GzipTrailingData { .. } => Code::GzipTrailingData,
            Self::Zstd { .. } => Code::ZstdMalformed,
            Self::ZstdTrailingData { .. } => Code::ZstdTrailingData,
            Self::Xz { .. } => Code::XzMalformed,
            Self::Tar { .. } => Code::TarMalformed,
            Self::TarTruncated { .. } => Code::TarTruncated,
            Self::TarEntryType { .. } => Code::TarEntryType,
            Self::TarHeaderTooLarge { .. } => Code::TarHeaderTooLarge,
            Self::Source { code, .. } => *code,
            Self::Limit(_) => Code::LimitExceeded,
            Self::Io(_) => Code::InputUnreadable,
        }
    }
}
