//! The final filesystem in the large, as it is published: what a map of it is drawn from.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where the bytes of the final filesystem lie.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FilesystemReport {
    /// Bytes of regular files, each inode once; the parts add up to it.
    pub bytes: u64,
    /// Folders and files, in the order of their paths: as many as a page can show. What is too small to be shown by itself is in the
    /// part of its folder.
    pub parts: Vec<FilesystemPart>,
}

/// Files of one class below one folder, or one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FilesystemPart {
    /// Absolute path, escaped; a folder ends with a slash.
    pub path: String,
    /// The class of these bytes, as in `ballast.by_class`.
    pub class: String,
    /// Index of the layer that wrote the file, or most of these bytes.
    pub layer: usize,
    /// Bytes, without those of other parts.
    pub bytes: u64,
    /// Files.
    pub files: u64,
}
