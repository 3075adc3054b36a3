//! Executable files with every name that ends at them: hard links and symbolic links.

use crate::limits::Limits;
use crate::rootfs::{NodeId, Rootfs};

/// A regular file that some user may execute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Executable {
    /// One of its own names (the first by path bytes).
    pub node: NodeId,
    /// Every name that ends at it, hard links first, each group sorted by path bytes.
    pub names: Vec<ExecutableName>,
}

/// A name that ends at an executable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecutableName {
    /// Absolute path, raw.
    pub path: Vec<u8>,
    /// The name.
    pub node: NodeId,
    /// For a symbolic link: its target as written.
    pub linkname: Option<Vec<u8>>,
}

impl ExecutableName {
    /// The last component of the path.
    #[must_use]
    pub fn base_name(&self) -> &[u8] {
        self.path.rsplit(|byte| *byte == b'/').next().unwrap_or_default()
    }
}

/// All executables of a tree, sorted by the first own name.
#[must_use]
pub fn executables(rootfs: &Rootfs, limits: &Limits) -> Vec<Executable> {
    let _ = (rootfs, limits);
    Vec::new()
}
