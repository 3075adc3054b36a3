//! Tree and config in, what is known of the image out. Facts do not judge: a database that cannot be parsed is a fact.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod executables;
mod os_release;
mod packages;
mod users;

pub use executables::{Executable, ExecutableName, executables};
pub use os_release::OsRelease;
pub use packages::{Database, DatabaseKind, OwnedFile, Package, Packages};
pub use users::{User, UserProblem};

use crate::build::Step;
use crate::limits::Limits;
use crate::oci::{ImageConfig, Place, Remark};
use crate::rootfs::{Difference, NodeId, Rootfs};

/// Everything that checks look at.
#[derive(Debug)]
pub struct Image {
    /// The image config.
    pub config: ImageConfig,
    /// The stacked tree, which is judged.
    pub rootfs: Rootfs,
    /// Where the sequential tree differs.
    pub differences: Vec<Difference>,
    /// What is remarkable about the graph, the layers, the merge and the user; sorted.
    pub remarks: Vec<Remark>,
    /// What made each layer, base first; as many as there are layers.
    pub steps: Vec<Step>,
    /// Who the container runs as.
    pub user: User,
    /// What the image says it is.
    pub os_release: Option<OsRelease>,
    /// Packages and the files they own.
    pub packages: Packages,
    /// Executable files with all their names.
    pub executables: Vec<Executable>,
}

/// What the gathering could not look at: place and reason. Never a pass.
pub type NotExamined = (Place, String);

/// Names of files whose bodies the facts need and whose content was not kept while the layers streamed by.
#[must_use]
pub fn missing_bodies(rootfs: &Rootfs, limits: &Limits) -> Vec<NodeId> {
    let _ = (rootfs, limits);
    Vec::new()
}

/// What the layers and the graph gave, before facts are gathered from it.
#[derive(Debug)]
pub struct Parts {
    /// The image config.
    pub config: ImageConfig,
    /// The stacked tree.
    pub rootfs: Rootfs,
    /// Where the sequential tree differs.
    pub differences: Vec<Difference>,
    /// Remarks so far.
    pub remarks: Vec<Remark>,
    /// What made each layer.
    pub steps: Vec<Step>,
}

/// Gathers all facts.
#[must_use]
pub fn gather(parts: Parts, limits: &Limits) -> (Image, Vec<NotExamined>) {
    let Parts { config, rootfs, differences, remarks, steps } = parts;
    let _ = limits;
    let executables = executables(&rootfs, limits);
    let image = Image {
        config,
        rootfs,
        differences,
        remarks,
        steps,
        user: User::default(),
        os_release: None,
        packages: Packages::default(),
        executables,
    };
    (image, Vec::new())
}
