//! Tree and config in, what is known of the image out. Facts do not judge: a database that cannot be parsed is a fact.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod accounts;
mod applications;
mod bodies;
mod config_files;
mod executables;
mod linking;
mod links;
mod os_release;
mod packages;
pub mod places;
mod reach;
mod runtime;
mod search_path;
mod secrets;
mod startup;
mod test_files;
#[cfg(test)]
mod testing;
mod users;
pub mod versions;
pub mod weights;

pub use accounts::Account;
pub use applications::{Applications, Component, ComponentKind};
pub use bodies::missing_bodies;
pub use config_files::{ConfigFile, ConfigKind};
pub use executables::{Executable, ExecutableName, executables};
pub use linking::{MissingLibrary, MissingVersion, PRELOAD_FILE, StartupLinking, preloaded};
pub use os_release::OsRelease;
pub use packages::{Capability, Database, DatabaseKind, Graph, OwnedFile, Package, Packages, Relation, Relations};
pub use reach::{Reach, Unreached};
pub use runtime::{Language, Runtime};
pub use search_path::SearchPath;
pub use secrets::{BuriedSecret, Exposed, ExposedIn, SecretFacts, SecretFile, Standing, exposed_values};
pub use startup::{Reached, Startup, StartupFault, StartupProblem, StartupStep, is_for_platform, machine_name};
pub use test_files::{TestPackage, test_packages};
pub use users::{User, UserProblem};

pub use crate::layer::probe::{ElfFacts, GoBuildInfo, LoaderFacts, Marker, NeededVersion, Relro, SectionBytes, VersionNeed};
pub use crate::layer::{Content, Xattr};

use std::collections::{BTreeMap, BTreeSet};

use self::bodies::Bodies;
use crate::build::Step;
use crate::limits::Limits;
use crate::oci::{Date, ImageConfig, Place, Remark};
use crate::rootfs::{Buried, Difference, Hidden, NodeId, Rootfs};

/// Everything that checks look at.
#[derive(Debug)]
pub struct Image {
    /// The image config.
    pub config: ImageConfig,
    /// Annotations of the manifest and of the index's entry for it; an archive of Docker's has none.
    pub annotations: BTreeMap<String, String>,
    /// The stacked tree, which is judged.
    pub rootfs: Rootfs,
    /// All names of what has more than one in the tree, by inode number.
    pub several_names: BTreeMap<u32, Vec<NodeId>>,
    /// Where the sequential tree differs.
    pub differences: Vec<Difference>,
    /// What is remarkable about the graph, the layers, the merge and the user; sorted.
    pub remarks: Vec<Remark>,
    /// What made each layer, base first; as many as there are layers.
    pub steps: Vec<Step>,
    /// The files that weigh most of those that layers ship and the stacked tree does not show, heaviest first.
    pub buried: Vec<Buried>,
    /// Bytes of all files that layers ship and the stacked tree does not show.
    pub buried_bytes: u64,
    /// The day that the image is judged on; None when nobody said.
    pub as_of: Option<Date>,
    /// Who the container runs as.
    pub user: User,
    /// The accounts of `/etc/passwd`, in order.
    pub accounts: Vec<Account>,
    /// Configuration files that decide whom package managers, sudo and doas trust, sorted by path.
    pub config_files: Vec<ConfigFile>,
    /// What the image says it is.
    pub os_release: Option<OsRelease>,
    /// Packages and the files they own.
    pub packages: Packages,
    /// What is installed beside those packages: of Python, Node.js, Java, Go and others.
    pub applications: Applications,
    /// Executable files with all their names.
    pub executables: Vec<Executable>,
    /// Where a bare command name is looked for.
    pub search_path: SearchPath,
    /// What kind of application it runs.
    pub runtime: Runtime,
    /// Regular files that words of the entry point and command name, in order: the program, a script, an archive.
    pub entry_files: Vec<NodeId>,
    /// Packages that only tests and development need, sorted.
    pub test_packages: Vec<TestPackage>,
    /// What a container starts.
    pub startup: Startup,
    /// What the health check runs; None when Docker runs none.
    pub probe: Option<Startup>,
    /// The shared libraries of what starts the container.
    pub linking: StartupLinking,
    /// Which packages the start-up path needs, or why that cannot be told, one clause.
    pub reach: Result<Reach, String>,
    /// Inode numbers of the stacked tree of files that only tests and development need: of test and lint tools of Python, and npm
    /// packages that a lock file marks `dev`.
    pub test_files: BTreeSet<u32>,
    /// The secrets in its files, in files that no longer show, and in its config.
    pub secrets: SecretFacts,
}

/// What the gathering could not look at: place and reason. Never a pass.
pub type NotExamined = (Place, String);

/// What the layers and the graph gave, before facts are gathered from it.
#[derive(Debug)]
pub struct Parts {
    /// The image config.
    pub config: ImageConfig,
    /// Annotations of the manifest and of the index's entry for it.
    pub annotations: BTreeMap<String, String>,
    /// The stacked tree.
    pub rootfs: Rootfs,
    /// Where the sequential tree differs.
    pub differences: Vec<Difference>,
    /// Remarks so far.
    pub remarks: Vec<Remark>,
    /// What made each layer.
    pub steps: Vec<Step>,
    /// The heaviest buried files, and the bytes of all.
    pub buried: (Vec<Buried>, u64),
    /// The day that the image is judged on.
    pub as_of: Option<Date>,
    /// Files with secrets that layers ship and the tree does not show from them.
    pub hidden: Vec<Hidden>,
}

/// Gathers all facts.
#[must_use]
pub fn gather(parts: Parts, limits: &Limits) -> (Image, Vec<NotExamined>) {
    let Parts { config, annotations, rootfs, differences, mut remarks, steps, buried: (buried, buried_bytes), as_of, hidden } =
        parts;
    let mut bodies = Bodies::new(&rootfs, limits);
    let user = users::resolve(&config.runtime.user, &mut bodies);
    remarks.extend(users::remarks(&config.runtime.user, &rootfs));
    let (accounts, config_files) = (accounts::read(&mut bodies), config_files::read(&mut bodies));
    let (os_release, packages) = (os_release::read(&mut bodies), packages::read(&mut bodies));
    let executables = executables::executables_through(&rootfs, &mut bodies.links);
    remarks.extend(executables::malformed(&rootfs, &executables));
    let test_packages = test_files::read(&mut bodies);
    let applications = applications::read(&mut bodies, &packages, &test_packages, &mut remarks);
    remarks.sort_unstable();
    let search_path = SearchPath::of(&config.runtime, &rootfs, limits);
    let (runtime, entry_files) = runtime::read(&config.runtime, &executables, &search_path, &mut bodies);
    let (startup, probe) = startup::read(&config, &user, &mut bodies);
    let mut linker = linking::Linker::new(&rootfs, &mut bodies.links, &config.runtime, user.uid, limits);
    let (linking, not_linked) = linking::of(&mut linker, &startup.nodes());
    let starts = [Some(&startup), probe.as_ref()];
    let reach =
        reach::read(&reach::Ground::of(&rootfs, &packages, &executables, starts, &linking, &config.runtime), &mut bodies.links);
    let test_files = test_files::files(&rootfs, &test_packages);
    let secrets = SecretFacts::of(&config, &rootfs, &packages, &hidden);
    let not_examined = together(bodies.not_examined, not_linked);
    let image = Image {
        config,
        annotations,
        several_names: rootfs.several_names(),
        rootfs,
        differences,
        remarks,
        steps,
        buried,
        buried_bytes,
        as_of,
        user,
        accounts,
        config_files,
        os_release,
        packages,
        applications,
        executables,
        search_path,
        runtime,
        entry_files,
        test_packages,
        startup,
        probe,
        linking,
        reach,
        test_files,
        secrets,
    };
    (image, not_examined)
}

/// All of them, sorted, each once.
fn together(mut all: Vec<NotExamined>, more: Vec<NotExamined>) -> Vec<NotExamined> {
    all.extend(more);
    all.sort_unstable();
    all.dedup();
    all
}

/// What starts in an image of plain data, for the tests of checks.
#[cfg(test)]
pub(crate) fn startup_of(config: &ImageConfig, user: &User, rootfs: &Rootfs) -> (Startup, Option<Startup>) {
    let limits = Limits::default();
    startup::read(config, user, &mut Bodies::new(rootfs, &limits))
}

/// What is installed in an image of plain data, for the tests of checks.
#[cfg(test)]
pub(crate) fn applications_of(rootfs: &Rootfs, packages: &Packages) -> Applications {
    let limits = Limits::default();
    applications::read(&mut Bodies::new(rootfs, &limits), packages, &[], &mut Vec::new())
}
