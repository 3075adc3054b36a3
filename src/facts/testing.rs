//! The plainest image, for tests of what looks at images.

use super::{Image, Packages, Runtime, SearchPath, SecretFacts, Startup, StartupLinking, User};
use crate::oci::{ImageConfig, Platform, RuntimeConfig};
use crate::rootfs::Rootfs;

impl Image {
    /// An image for linux/amd64 of a tree, of which nothing else is known: no layer, an empty config, no fact gathered.
    pub(crate) fn plain(rootfs: Rootfs) -> Self {
        let platform = Platform { os: "linux".into(), architecture: "amd64".into(), variant: None };
        let (runtime, diff_ids, history) = (RuntimeConfig::default(), Vec::new(), Vec::new());
        Self {
            config: ImageConfig { platform, runtime, diff_ids, history, created: None, author: None },
            annotations: std::collections::BTreeMap::new(),
            several_names: rootfs.several_names(),
            rootfs,
            differences: Vec::new(),
            remarks: Vec::new(),
            steps: Vec::new(),
            buried: Vec::new(),
            buried_bytes: 0,
            as_of: None,
            user: User::default(),
            accounts: Vec::new(),
            config_files: Vec::new(),
            os_release: None,
            packages: Packages::default(),
            applications: super::Applications::default(),
            executables: Vec::new(),
            search_path: SearchPath::default(),
            runtime: Runtime::default(),
            entry_files: Vec::new(),
            test_packages: Vec::new(),
            startup: Startup::default(),
            probe: None,
            linking: StartupLinking::default(),
            reach: Err("nobody looked".to_owned()),
            test_files: std::collections::BTreeSet::new(),
            secrets: SecretFacts::default(),
        }
    }
}
