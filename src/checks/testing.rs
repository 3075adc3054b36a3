//! Images of plain data for the tests of checks: no tar, no layers.

mod elf;
pub(super) mod plain;
mod secrets;
mod startup;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::build::Step;
use crate::facts::{Content, OsRelease, Runtime, SearchPath, SecretFacts, StartupLinking};
use crate::facts::{Database, DatabaseKind, Executable, ExecutableName, Image, OwnedFile, Package, Packages, User};
use crate::facts::{ElfFacts, Marker};
use crate::finding::{Evidence, Observation};
use crate::oci::{Healthcheck, ImageConfig, Platform, Remark, RuntimeConfig};
use crate::rootfs::{Inode, InodeKind, NodeId, Rootfs};

use super::{Check, tools};

/// Collects what an image holds. Layer 0 was made by history line 1.
#[derive(Debug, Default)]
pub(super) struct Builder {
    rootfs: Rootfs,
    packages: Packages,
    user: User,
    /// The runtime part of the config, for tests to set; its user is that of [`Self::user`].
    pub(super) runtime: RuntimeConfig,
    /// What the image says it is.
    pub(super) os_release: Option<OsRelease>,
    remarks: Vec<Remark>,
    differences: Vec<crate::rootfs::Difference>,
    hidden: Vec<crate::rootfs::Hidden>,
    history: Vec<crate::oci::History>,
    linking: StartupLinking,
}

impl Builder {
    fn add(&mut self, path: &str, kind: InodeKind, mode: u16, content: Content) -> &mut Self {
        let mut inode = Inode::new(kind, mode, 0);
        inode.content = Some(Arc::new(content));
        self.rootfs.insert(path.as_bytes(), inode);
        self
    }

    pub(super) fn elf(&mut self, path: &str, size: u64, elf: ElfFacts) -> &mut Self {
        self.add(path, InodeKind::File { size }, 0o755, Content { elf: Some(Box::new(elf)), ..Content::default() })
    }

    /// A regular file of mode 0644.
    pub(super) fn file(&mut self, path: &str, size: u64) -> &mut Self {
        self.add(path, InodeKind::File { size }, 0o644, Content::default())
    }

    /// An executable script.
    pub(super) fn script(&mut self, path: &str, size: u64) -> &mut Self {
        let content = Content { shebang: Some((*b"/bin/sh").into()), ..Content::default() };
        self.add(path, InodeKind::File { size }, 0o755, content)
    }

    /// An ELF program without any sign of what it is.
    pub(super) fn program(&mut self, path: &str, size: u64) -> &mut Self {
        self.elf(path, size, ElfFacts { is_program: true, ..ElfFacts::default() })
    }

    /// An ELF program with a sign.
    pub(super) fn marked(&mut self, path: &str, size: u64, marker: Marker) -> &mut Self {
        self.elf(path, size, ElfFacts { is_program: true, markers: [marker].into(), ..ElfFacts::default() })
    }

    /// A program with Go's build information.
    pub(super) fn go_program(&mut self, path: &str, go_path: &str) -> &mut Self {
        let markers = if go_path.starts_with("cmd/") { [Marker::GoToolchain].into() } else { [].into() };
        self.elf(path, 1000, ElfFacts { is_program: true, go_path: Some(go_path.into()), markers, ..ElfFacts::default() })
    }

    /// A shared library with execute bits and every sign of a compiler.
    pub(super) fn library(&mut self, path: &str, size: u64) -> &mut Self {
        let markers = [Marker::GccDriver, Marker::Clang, Marker::Rustc, Marker::Binutils, Marker::Dpkg].into();
        self.elf(path, size, ElfFacts { markers, ..ElfFacts::default() })
    }

    /// A directory.
    pub(super) fn directory(&mut self, path: &str, mode: u16) -> &mut Self {
        self.rootfs.insert(path.as_bytes(), Inode::new(InodeKind::Directory, mode, 0));
        self
    }

    /// A symbolic link.
    pub(super) fn link(&mut self, path: &str, target: &str) -> &mut Self {
        self.rootfs.insert(path.as_bytes(), Inode::new(InodeKind::Symlink { target: target.as_bytes().into() }, 0o777, 0));
        self
    }

    /// A further name of a file.
    pub(super) fn hard_link(&mut self, path: &str, existing: &str) -> &mut Self {
        let node = self.node(existing);
        self.rootfs.insert_hard_link(path.as_bytes(), node);
        self
    }

    /// Replaces the inode of `path` by one of another mode and owner.
    pub(super) fn with_mode(&mut self, path: &str, mode: u16, uid: u32) -> &mut Self {
        let inode = Inode { mode, uid, ..self.rootfs.inode(self.node(path)).clone() };
        self.rootfs.insert(path.as_bytes(), inode);
        self
    }

    /// Makes a package the owner of files; the database records no modes.
    pub(super) fn in_package(&mut self, package: &str, paths: &[&str]) -> &mut Self {
        self.in_package_with_mode(package, paths, None)
    }

    /// Makes a package the owner of files, whose modes the database records.
    pub(super) fn in_package_with_mode(&mut self, package: &str, paths: &[&str], mode: Option<u16>) -> &mut Self {
        let index = self.packages.list.len();
        let (name, version, architecture) = (package.to_owned(), "1".to_owned(), "amd64".to_owned());
        self.packages.list.push(Package { name, version, architecture, ..Package::default() });
        for path in paths {
            let number = self.rootfs.inode_number(self.node(path));
            self.packages.owned.insert(number, OwnedFile { package: index, mode });
        }
        self
    }

    /// A package database.
    pub(super) fn database(&mut self, kind: DatabaseKind) -> &mut Self {
        self.packages.databases.push(Database { kind, path: b"/var/lib/db".to_vec(), packages: 1, problem: None });
        self
    }

    /// Who the container runs as.
    pub(super) fn user(&mut self, user: User) -> &mut Self {
        self.user = user;
        self
    }

    /// The health check's test.
    pub(super) fn healthcheck(&mut self, test: &[&str]) -> &mut Self {
        self.runtime.healthcheck =
            Some(Healthcheck { test: test.iter().map(|&word| word.into()).collect(), ..Healthcheck::default() });
        self
    }

    /// A remark about the image's form.
    pub(super) fn remark(&mut self, remark: Remark) -> &mut Self {
        self.remarks.push(remark);
        self
    }

    /// A path on which the two trees differ.
    pub(super) fn difference(&mut self, path: &str) -> &mut Self {
        let (stacked, sequential) = ("nothing".to_owned(), "file 0644 0:0 1 bytes".to_owned());
        self.differences.push(crate::rootfs::Difference { path: path.as_bytes().to_vec(), stacked, sequential });
        self
    }

    fn node(&self, path: &str) -> NodeId {
        tools::entry(&self.rootfs, path.as_bytes()).unwrap_or_else(|| panic!("{path} is not in the image"))
    }

    /// The image, with executables gathered as the facts do.
    pub(super) fn image(&mut self) -> Image {
        let Self { rootfs, packages, user, runtime, os_release, remarks, differences, hidden, history, linking } =
            std::mem::take(self);
        let executables = executables(&rootfs);
        let platform = Platform { os: "linux".into(), architecture: "amd64".into(), variant: None };
        let runtime = RuntimeConfig { user: user.configured.clone(), ..runtime };
        let config = ImageConfig { platform, runtime, diff_ids: Vec::new(), history, created: None, author: None };
        let steps = vec![Step { history: Some(1), instruction: Some("RUN make".into()) }];
        let search_path = SearchPath::default();
        let (startup, probe) = crate::facts::startup_of(&config, &user, &rootfs);
        let secrets = SecretFacts::of(&config, &rootfs, &packages, &hidden);
        Image {
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
            runtime: Runtime::default(),
            startup,
            probe,
            linking,
            test_files: BTreeSet::new(),
            entry_files: Vec::new(),
            test_packages: Vec::new(),
            buried: Vec::new(),
            buried_bytes: 0,
            as_of: None,
            accounts: Vec::new(),
            config_files: Vec::new(),
            secrets,
        }
    }

    /// What a check sees in the image.
    pub(super) fn run(&mut self, check: &Check) -> Vec<Observation> {
        let seen = (check.run)(&self.image());
        let keys: BTreeSet<_> = seen.iter().map(|one| (one.code, &one.subject)).collect();
        assert_eq!(keys.len(), seen.len(), "two observations of {} are the same: {keys:?}", check.id);
        seen
    }
}

/// The paths of an observation's evidence, sorted.
pub(super) fn paths(observation: &Observation) -> Vec<String> {
    let path = |evidence: &Evidence| evidence.path.as_deref().map(|path| String::from_utf8_lossy(path).into_owned());
    let mut paths: Vec<_> = observation.evidence.iter().filter_map(path).collect();
    paths.sort();
    paths
}

fn executables(rootfs: &Rootfs) -> Vec<Executable> {
    let mut by_inode: BTreeMap<u32, Executable> = BTreeMap::new();
    let entries = rootfs.entries();
    for (path, node) in &entries {
        if rootfs.inode(*node).is_executable_file() {
            let names =
                &mut by_inode.entry(rootfs.inode_number(*node)).or_insert(Executable { node: *node, names: Vec::new() }).names;
            names.push(ExecutableName { path: path.clone(), node: *node, linkname: None });
        }
    }
    for (path, node) in entries {
        let Some(target) = rootfs.inode(node).target() else { continue };
        if let Some(executable) = end(rootfs, &path, node).and_then(|end| by_inode.get_mut(&rootfs.inode_number(end))) {
            executable.names.push(ExecutableName { path, node, linkname: Some(target.to_vec()) });
        }
    }
    let mut sorted: Vec<_> = by_inode.into_values().collect();
    sorted.sort_by(|a, b| a.names[0].path.cmp(&b.names[0].path));
    sorted
}

fn end(rootfs: &Rootfs, path: &[u8], node: NodeId) -> Option<NodeId> {
    let Some(target) = rootfs.inode(node).target() else { return Some(node) };
    let mut at = if target.starts_with(b"/") { Vec::new() } else { path.split(|b| *b == b'/').collect::<Vec<_>>() };
    at.pop();
    for name in target.split(|b| *b == b'/') {
        match name {
            b".." => drop(at.pop()),
            b"" | b"." => {}
            _ => at.push(name),
        }
    }
    let next = at.iter().filter(|name| !name.is_empty()).flat_map(|name| [&b"/"[..], name].concat()).collect::<Vec<_>>();
    end(rootfs, &next, tools::entry(rootfs, &next)?)
}
