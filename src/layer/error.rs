//! Why a layer cannot be trusted.

use crate::limits::LimitHit;
use crate::oci::{Code, Place, escape};

/// What is wrong with a layer's bytes or with one of its entries.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The compressed data or the tar.
    #[error(transparent)]
    Archive(#[from] crate::archive::Error),
    /// An entry that no tree can be made of, whatever the other layers are.
    #[error("{}: {detail}", escape(path))]
    Entry {
        /// The code (path-escapes-root, name-too-long, path-too-long, whiteout-invalid-name, root-not-directory, ...).
        code: Code,
        /// The entry's name as written.
        path: Vec<u8>,
        /// Offset of its header in the tar.
        offset: u64,
        /// Numbers and names, one clause.
        detail: String,
    },
    /// A limit was hit.
    #[error(transparent)]
    Limit(#[from] LimitHit),
}

impl Error {
    /// The finding code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Archive(error) => error.code(),
            Self::Entry { code, .. } => *code,
            Self::Limit(_) => Code::LimitExceeded,
        }
    }

    /// Where in the layer.
    #[must_use]
    pub fn place(&self) -> Place {
        match self {
            Self::Entry { path, offset, .. } => Place { path: Some(path.clone()), offset: Some(*offset), ..Place::default() },
            Self::Archive(_) | Self::Limit(_) => Place::default(),
        }
    }
}
