//! One line of `plimsoll ls --format json`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One line of `plimsoll ls --format json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EntryReport {
    /// Absolute path, escaped.
    pub path: String,
    /// `file`, `dir`, `symlink`, `char`, `block` or `fifo`.
    pub r#type: String,
    /// Four octal digits.
    pub mode: String,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Logical bytes of a regular file.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub size: Option<u64>,
    /// Target of a symbolic link, escaped.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub linktarget: Option<String>,
    /// Major and minor number of a device.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub dev: Option<[u32; 2]>,
    /// SHA-256 of a regular file, hex.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sha256: Option<String>,
    /// Extended attributes: name, value as hex.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub xattrs: BTreeMap<String, String>,
    /// First name of the same inode, for its further names.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub hardlink_of: Option<String>,
    /// A directory that no entry names.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub implied: bool,
    /// Index of the layer that last wrote it.
    pub layer: usize,
}
