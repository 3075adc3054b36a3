//! Why no tree can be made of the layers.

use crate::limits::LimitHit;
use crate::oci::{Code, Place, escape};

/// An entry that cannot be applied to the tree.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An entry that runtimes refuse in its context.
    #[error("{}: {detail}", escape(path))]
    Entry {
        /// The code (parent-not-directory, symlink-loop, whiteout-after-sibling, hardlink-target-not-in-layer, ...).
        code: Code,
        /// Index of the layer.
        layer: usize,
        /// The entry's path.
        path: Vec<u8>,
        /// Names of this case, one clause.
        detail: String,
    },
    /// A limit was hit.
    #[error("layer {layer}: {hit}")]
    Limit {
        /// Index of the layer.
        layer: usize,
        /// The limit.
        hit: LimitHit,
    },
}

impl Error {
    /// The finding code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Entry { code, .. } => *code,
            Self::Limit { .. } => Code::LimitExceeded,
        }
    }

    /// Where.
    #[must_use]
    pub fn place(&self) -> Place {
        match self {
            Self::Entry { layer, path, .. } => Place::path(path.clone()).in_layer(*layer),
            Self::Limit { layer, .. } => Place::default().in_layer(*layer),
        }
    }
}
