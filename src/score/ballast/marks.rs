//! Files, folders and packages that a check's evidence makes ballast, and what came along with it.

use std::collections::{BTreeMap, BTreeSet};

use super::Class;
use super::packages;
use crate::facts::Image;
use crate::finding::{Evidence, Finding};
use crate::rootfs::{NodeId, Rootfs};

/// Which checks' evidence is ballast, and of which class.
const CHECKS: &[(&str, Class)] = &[
    ("apt-lists", Class::Cache),
    ("build-tool", Class::Toolchain),
    ("buried-files", Class::Buried),
    ("compiler", Class::Toolchain),
    ("debugger", Class::Toolchain),
    ("development-files", Class::Toolchain),
    ("documentation", Class::Documentation),
    ("language-package-manager", Class::PackageManager),
    ("os-package-manager", Class::PackageManager),
    ("package-cache", Class::Cache),
    ("temporary-files", Class::Cache),
    ("test-dependencies", Class::TestDependency),
    ("version-control", Class::Toolchain),
];

/// Checks whose evidence is told by its place or by facts: it says nothing of the package that owns it or of other files of its folder.
const PLACED: &[&str] = &["buried-files", "development-files", "documentation", "temporary-files", "test-dependencies"];

/// What lies in a folder of a toolchain that was unpacked as a whole, beside its `bin`.
const TOOLCHAIN_SIGNS: &[&str] = &["pkg/tool", "lib/rustlib", "lib/clang", "lib/gcc", "lib/zig", "lib/ghc"];

/// What only a folder has that holds more than a toolchain: a system, an interpreter, an environment of conda, a Homebrew.
const SHARED_SIGNS: &[&str] = &["bin/sh", "bin/node", "bin/python3", "bin/ruby", "conda-meta", "Cellar"];

/// Interpreters and virtual machines, without the version that may follow. What owns one is not there for builds alone, whatever
/// else is in the same package: npm beside Node.js, a compiler beside Erlang's or Java's virtual machine.
const RUNTIMES: &[&str] = &[
    "R",
    "Rscript",
    "beam.smp",
    "bun",
    "deno",
    "dotnet",
    "erl",
    "erlexec",
    "guile",
    "java",
    "julia",
    "lua",
    "luajit",
    "mono",
    "mono-sgen",
    "node",
    "nodejs",
    "ocamlrun",
    "perl",
    "php",
    "php-fpm",
    "pypy",
    "python",
    "ruby",
];

/// The class that a check's evidence has.
pub(in crate::score) fn class_of_check(check: &str) -> Option<Class> {
    CHECKS.iter().find(|(id, _)| *id == check).map(|(_, class)| *class)
}

/// The name at an absolute path, no link followed.
pub(in crate::score) fn node_at(rootfs: &Rootfs, path: &[u8]) -> Option<NodeId> {
    path.split(|byte| *byte == b'/').filter(|name| !name.is_empty()).try_fold(rootfs.root(), |at, name| rootfs.child(at, name))
}

/// What is marked. The class that comes first in the order wins.
pub(super) struct Marks {
    inodes: BTreeMap<u32, Class>,
    packages: Vec<Option<Class>>,
    /// Indexes of packages that own one of [`RUNTIMES`].
    runtimes: BTreeSet<usize>,
}

impl Marks {
    pub(super) fn of(image: &Image, findings: &[Finding]) -> Self {
        let names: Vec<&str> = image.packages.list.iter().map(|package| package.name.as_str()).collect();
        let mut marks = Self { inodes: BTreeMap::new(), packages: packages::classes(&names), runtimes: runtimes(image) };
        let names =
            image.executables.iter().flat_map(|executable| executable.names.iter().map(move |name| (name, executable.node)));
        let ends: BTreeMap<&[u8], NodeId> =
            names.filter(|(name, _)| name.linkname.is_some()).map(|(name, node)| (name.path.as_slice(), node)).collect();
        for finding in findings {
            let Some(class) = class_of_check(&finding.check).filter(|_| !PLACED.contains(&finding.check.as_str())) else {
                continue;
            };
            for evidence in &finding.observation.evidence {
                marks.add(image, &ends, evidence, class);
            }
        }
        marks
    }

    /// The class of a file or folder that is evidence, or of a folder that belongs to it as a whole.
    pub(super) fn of_node(&self, image: &Image, node: NodeId) -> Option<Class> {
        self.inodes.get(&image.rootfs.inode_number(node)).copied()
    }

    /// The class of a package that owns evidence.
    pub(super) fn of_package(&self, package: usize) -> Option<Class> {
        self.packages.get(package).copied().flatten().filter(|_| !self.runtimes.contains(&package))
    }

    fn add(&mut self, image: &Image, ends: &BTreeMap<&[u8], NodeId>, evidence: &Evidence, class: Class) {
        let Some(path) = &evidence.path else { return };
        let end = ends.get(path.as_slice()).copied().filter(|_| evidence.linkname.is_some());
        let Some(node) = end.or_else(|| node_at(&image.rootfs, path)) else { return };
        self.mark(image, node, class);
        if image.rootfs.inode(node).is_directory() {
            return;
        }
        let owner = image.packages.owned.get(&image.rootfs.inode_number(node)).map(|owned| owned.package);
        if let Some(package) = owner.filter(|package| !self.runtimes.contains(package)) {
            self.mark_package(package, class);
        } else {
            for folder in whole_folders(&image.rootfs, &image.rootfs.path(node)) {
                self.mark(image, folder, class);
            }
        }
    }

    fn mark(&mut self, image: &Image, node: NodeId, class: Class) {
        let slot = self.inodes.entry(image.rootfs.inode_number(node)).or_insert(class);
        *slot = class.min(*slot);
    }

    /// What owns a compiler was installed for it, and likewise for package managers; what owns a cache was not.
    fn mark_package(&mut self, package: usize, class: Class) {
        if let Some(slot) = self.packages.get_mut(package).filter(|_| class != Class::Cache) {
            *slot = Some(slot.map_or(class, |before| before.min(class)));
        }
    }
}

fn runtimes(image: &Image) -> BTreeSet<usize> {
    let is_runtime = |name: &[u8]| {
        let end = name.iter().rposition(|byte| !byte.is_ascii_digit() && !b".-".contains(byte));
        let plain = name.get(..=end.unwrap_or(0)).unwrap_or_default();
        RUNTIMES.iter().any(|runtime| plain == runtime.as_bytes())
    };
    let names = image.executables.iter().flat_map(|executable| &executable.names).filter(|name| name.linkname.is_none());
    let runtimes = names.filter(|name| is_runtime(name.base_name()));
    runtimes
        .filter_map(|name| image.packages.owned.get(&image.rootfs.inode_number(name.node)))
        .map(|owned| owned.package)
        .collect()
}

/// Folders that came as a whole with a program at `path`: of a toolchain, of a package in `node_modules`.
fn whole_folders(rootfs: &Rootfs, path: &[u8]) -> Vec<NodeId> {
    let mut found = Vec::new();
    let components: Vec<&[u8]> = path.split(|byte| *byte == b'/').collect();
    if let Some(at) = components.iter().rposition(|name| *name == b"node_modules") {
        let is_scoped = components.get(at.saturating_add(1)).is_some_and(|name| name.starts_with(b"@"));
        let length = at.saturating_add(if is_scoped { 3 } else { 2 });
        let is_hidden = components.get(at.saturating_add(1)).is_some_and(|name| name.starts_with(b"."));
        if components.len() > length && !is_hidden {
            found.extend(components.get(..length).and_then(|package| node_at(rootfs, &package.join(&b'/'))));
        }
    }
    // the root of an unpacked toolchain, but never a folder that holds other things too
    let shared: [&[u8]; 4] = [b"", b"/usr", b"/usr/local", b"/opt"];
    for (cut, _) in path.iter().enumerate().filter(|(_, byte)| **byte == b'/') {
        let folder = path.get(..cut).unwrap_or_default();
        if shared.contains(&folder)
            || !path.get(cut..).is_some_and(|rest| rest.starts_with(b"/bin/") || rest.starts_with(b"/pkg/tool/"))
        {
            continue;
        }
        let Some(node) = node_at(rootfs, folder) else { continue };
        let has = |sign: &str| sign.split('/').try_fold(node, |at, name| rootfs.child(at, name.as_bytes())).is_some();
        if TOOLCHAIN_SIGNS.iter().any(|sign| has(sign)) && !SHARED_SIGNS.iter().any(|sign| has(sign)) {
            found.push(node);
        }
    }
    found
}
