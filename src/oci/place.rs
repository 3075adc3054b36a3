//! Where in an image something was seen, and remarks that do not stop the reading.

use serde::{Deserialize, Serialize};

use super::Code;

/// Where in an image something was seen. Offsets are in the uncompressed stream of the layer or archive.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// The document or member: `index.json`, `manifest`, `config`, an outer archive's member name (escaped).
    pub document: Option<String>,
    /// Index of the layer, base first.
    pub layer: Option<usize>,
    /// Path of the entry, raw bytes, as normalised (absolute) or as found when it cannot be.
    pub path: Option<Vec<u8>>,
    /// Byte offset.
    pub offset: Option<u64>,
}

impl Place {
    /// A document such as `index.json` or `config`.
    pub fn document(name: impl Into<String>) -> Self {
        Self { document: Some(name.into()), ..Self::default() }
    }

    /// A path; the layer is filled in where the layer's index is known.
    pub fn path(path: impl Into<Vec<u8>>) -> Self {
        Self { path: Some(path.into()), ..Self::default() }
    }

    /// The same place, in layer `index`.
    #[must_use]
    pub fn in_layer(mut self, index: usize) -> Self {
        self.layer = Some(index);
        self
    }
}

/// Something about the image's form that does not make its content unknowable: tiers fail, flag and info.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Remark {
    /// What.
    pub code: Code,
    /// Where.
    pub place: Place,
    /// The numbers and names of this case, one clause, escaped; may be empty.
    pub detail: String,
}

impl Remark {
    /// A remark about a path.
    pub fn at(code: Code, path: impl Into<Vec<u8>>, detail: impl Into<String>) -> Self {
        Self { code, place: Place::path(path), detail: detail.into() }
    }

    /// A remark about a document.
    pub fn on(code: Code, document: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { code, place: Place::document(document), detail: detail.into() }
    }
}
