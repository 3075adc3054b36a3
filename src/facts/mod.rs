//! Tree and config in, what is known of the image out. Facts do not judge: a database that cannot be parsed is a fact.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod bodies;
mod executables;
mod linking;
mod links;
mod os_release;
mod packages;
mod runtime;
mod search_path;
mod test_files;
mod users;

pub use bodies::missing_bodies;
pub use executables::{Executable, ExecutableName, executables};
pub use linking::{MissingLibrary, MissingVersion, StartupLinking};
pub use os_release::OsRelease;
pub use packages::{Database, DatabaseKind, OwnedFile, Package, Packages};
pub use runtime::{Language, Runtime};
pub use search_path::SearchPath;
pub use test_files::{TestPackage, test_packages};
pub use users::{User, UserProblem};

pub use crate::layer::Content;
pub use crate::layer::probe::{ElfFacts, LoaderFacts, Marker, NeededVersion, Relro, SectionBytes, VersionNeed};

use self::bodies::Bodies;
use crate::build::Step;
use crate::limits::Limits;
use crate::oci::{ImageConfig, Place, Remark};
use crate::rootfs::{Difference, Rootfs};

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
    /// Where a bare command name is looked for.
    pub search_path: SearchPath,
    /// What kind of application it runs.
    pub runtime: Runtime,
    /// The shared libraries of what starts the container.
    pub linking: StartupLinking,
    /// Inode numbers of the stacked tree of files that only tests and development need: of test and lint tools of Python, and npm
    /// packages that a lock file marks `dev`.
    pub test_files: std::collections::BTreeSet<u32>,
}

/// What the gathering could not look at: place and reason. Never a pass.
pub type NotExamined = (Place, String);

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
    let Parts { config, rootfs, differences, mut remarks, steps } = parts;
    let mut bodies = Bodies::new(&rootfs, limits);
    let user = users::resolve(&config.runtime.user, &mut bodies);
    remarks.extend(users::remarks(&config.runtime.user, &rootfs));
    let os_release = os_release::read(&mut bodies);
    let packages = packages::read(&mut bodies);
    let executables = executables::executables_through(&rootfs, &mut bodies.links);
    remarks.extend(executables::malformed(&rootfs, &executables));
    remarks.sort_unstable();
    let search_path = SearchPath::of(&config.runtime, &rootfs, limits);
    let mut finder = runtime::Finder {
        config: &config.runtime,
        rootfs: &rootfs,
        executables: &executables,
        search_path: &search_path,
        links: &mut bodies.links,
        limits,
    };
    let runtime = finder.runtime();
    let roots = finder.programs();
    let mut linker = linking::Linker::new(&rootfs, &mut bodies.links, &config.runtime, user.uid, limits);
    let (linking, not_linked) = linking::of(&mut linker, &roots);
    let test_packages = test_files::read(&mut bodies);
    let test_files = test_files::files(&rootfs, &test_packages);
    let mut not_examined = bodies.not_examined;
    not_examined.extend(not_linked);
    not_examined.sort_unstable();
    let image = Image {
        config,
        rootfs,
        differences,
        remarks,
        steps,
        user,
        os_release,
        packages,
        executables,
        search_path,
        runtime,
        linking,
        test_files,
    };
    (image, not_examined)
}
