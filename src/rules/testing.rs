//! Images of plain data for the tests of rules: no tar, no layers.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Compiled, Evaluated, compile, evaluate};
use crate::build::Step;
use crate::facts::{Content, ElfFacts, Executable, ExecutableName, Image, OsRelease, OwnedFile, Package, Packages};
use crate::facts::{Runtime, SearchPath, User};
use crate::limits::Limits;
use crate::oci::{History, ImageConfig, Platform, RuntimeConfig};
use crate::policy::{Rule, Severity};
use crate::rootfs::{Inode, InodeKind, Rootfs};

/// An image under construction: all of one layer, made by history line 0.
pub(super) struct Builder(Image);

impl Default for Builder {
    /// uid 10001, linux/amd64, nothing else.
    fn default() -> Self {
        let user = User { configured: "10001".into(), uid: Some(10001), gid: Some(10001), groups: vec![10001], problem: None };
        let platform = Platform { os: "linux".into(), architecture: "amd64".into(), variant: None };
        let runtime = RuntimeConfig { user: "10001".into(), ..RuntimeConfig::default() };
        let config = ImageConfig { platform, runtime, diff_ids: Vec::new(), history: Vec::new(), created: None, author: None };
        Self(Image {
            config,
            rootfs: Rootfs::default(),
            differences: Vec::new(),
            remarks: Vec::new(),
            steps: vec![Step { history: Some(0), instruction: Some("RUN make".into()) }],
            user,
            os_release: None,
            packages: Packages::default(),
            executables: Vec::new(),
            search_path: SearchPath::default(),
            runtime: Runtime::default(),
            startup: crate::facts::Startup::default(),
            probe: None,
            linking: crate::facts::StartupLinking::default(),
            test_files: BTreeSet::new(),
            entry_files: Vec::new(),
            test_packages: Vec::new(),
            buried: Vec::new(),
            buried_bytes: 0,
            as_of: None,
            accounts: Vec::new(),
            config_files: Vec::new(),
            secrets: crate::facts::SecretFacts::default(),
        })
    }
}

impl Builder {
    /// A regular file of 10 bytes; executables are ELF files.
    pub(super) fn file(mut self, path: &str, mode: u16, uid: u32) -> Self {
        let is_program = mode & 0o111 != 0;
        let elf = is_program.then(|| Box::new(ElfFacts { is_program, ..ElfFacts::default() }));
        let content = Some(Arc::new(Content { elf, ..Content::default() }));
        let inode = Inode { uid, gid: uid, content, ..Inode::new(InodeKind::File { size: 10 }, mode, 0) };
        let node = self.0.rootfs.insert(path.as_bytes(), inode);
        if is_program {
            let name = ExecutableName { path: path.as_bytes().to_vec(), node, linkname: None };
            self.0.executables.push(Executable { node, names: vec![name] });
        }
        self
    }

    pub(super) fn link(mut self, path: &[u8], target: &[u8]) -> Self {
        self.0.rootfs.insert(path, Inode::new(InodeKind::Symlink { target: target.into() }, 0o777, 0));
        self
    }

    pub(super) fn hard_link(mut self, path: &str, existing: &str) -> Self {
        let node = self.0.rootfs.resolve(existing.as_bytes(), &Limits::default()).unwrap();
        self.0.rootfs.insert_hard_link(path.as_bytes(), node);
        self
    }

    pub(super) fn package(mut self, name: &str, files: &[&str]) -> Self {
        let package = self.0.packages.list.len();
        let (version, architecture) = ("1".to_owned(), "amd64".to_owned());
        self.0.packages.list.push(Package { name: name.to_owned(), version, architecture, ..Package::default() });
        for file in files {
            let node = self.0.rootfs.resolve(file.as_bytes(), &Limits::default()).unwrap();
            self.0.packages.owned.insert(self.0.rootfs.inode_number(node), OwnedFile { package, mode: None });
        }
        self
    }

    pub(super) fn user(mut self, uid: Option<u32>) -> Self {
        let configured = uid.map_or("ghost".to_owned(), |uid| uid.to_string());
        self.0.user = User { configured, uid, gid: uid, groups: uid.into_iter().collect(), problem: None };
        self
    }

    pub(super) fn architecture(mut self, architecture: &str) -> Self {
        architecture.clone_into(&mut self.0.config.platform.architecture);
        self
    }

    pub(super) fn distribution(mut self, id: &str, version: &str) -> Self {
        let version_id = Some(version.to_owned());
        self.0.os_release = Some(OsRelease { id: id.to_owned(), version_id, ..OsRelease::default() });
        self
    }

    pub(super) fn history(mut self, created_by: &str) -> Self {
        self.0.config.history.push(History { created_by: created_by.to_owned(), ..History::default() });
        self
    }

    pub(super) fn config(mut self, change: impl FnOnce(&mut RuntimeConfig)) -> Self {
        change(&mut self.0.config.runtime);
        self
    }

    pub(super) fn image(self) -> Image {
        self.0
    }
}

/// A rule that says "it is wrong".
pub(super) fn rule(when: &str) -> Rule {
    Rule {
        id: "own".into(),
        title: "Own".into(),
        severity: Severity::High,
        when: when.into(),
        message: "It is wrong.".into(),
        fix: "Mend it.".into(),
    }
}

/// The rule compiled with the default limits.
pub(super) fn compiled(when: &str) -> Result<Compiled, String> {
    compile(&rule(when), &Limits::default()).map_err(|error| error.to_string())
}

/// What one rule says of an image with the default limits.
pub(super) fn evaluated(when: &str, image: &Image) -> Evaluated {
    evaluate(&[rule(when)], image, &Limits::default())
}

/// Whether a rule fires; why it has no answer.
pub(super) fn fires(when: &str, image: &Image) -> Result<bool, String> {
    let evaluated = evaluated(when, image);
    match evaluated.not_evaluated.first() {
        Some((_, reason)) => Err(reason.clone()),
        None => Ok(!evaluated.findings.is_empty()),
    }
}
