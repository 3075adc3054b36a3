//! Where something is, and which limit it hit, as it is published.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A limit that was hit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LimitReport {
    /// Its name, as `--limit` takes it.
    pub name: String,
    /// Its value.
    pub limit: u64,
    /// What was found.
    pub found: u64,
}

/// A place in an image.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlaceReport {
    /// Document or archive member, escaped.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub document: Option<String>,
    /// Index of the layer.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub layer: Option<usize>,
    /// Path, escaped.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub path: Option<String>,
    /// Byte offset in the uncompressed layer.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub offset: Option<u64>,
}
