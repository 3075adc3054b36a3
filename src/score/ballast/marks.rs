//! Files, folders and packages that a check's evidence makes ballast, and what came along with it.

use std::collections::BTreeMap;

use super::Class;
use super::packages;
use crate::facts::Image;
use crate::finding::{Evidence, Finding};
use crate::rootfs::{NodeId, Rootfs};

/// Which checks' evidence is ballast, and of which class.
const CHECKS: &[(&str, Class)] = &[
    ("apt-lists", Class::Cache),
    ("build-tool", Class::Toolchain),
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

/// What lies in a folder of a toolchain that was unpacked as a whole, beside its `bin`.
const TOOLCHAIN_SIGNS: &[&str] = &["pkg/tool", "lib/rustlib", "lib/clang", "lib/gcc", "lib/zig", "lib/ghc"];

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
}

impl Marks {
    pub(super) fn of(image: &Image, findings: &[Finding]) -> Self {
        let packages = image.packages.list.iter().map(|package| packages::class(&package.name)).collect();
        let mut marks = Self { inodes: BTreeMap::new(), packages };
        let names =
            image.executables.iter().flat_map(|executable| executable.names.iter().map(move |name| (name, executable.node)));
        let ends: BTreeMap<&[u8], NodeId> =
            names.filter(|(name, _)| name.linkname.is_some()).map(|(name, node)| (name.path.as_slice(), node)).collect();
        for finding in findings {
            let Some(class) = class_of_check(&finding.check) else { continue };
            for evidence in &finding.observation.evidence {
                marks.add(image, &ends, evidence, class);
            }
        }
        marks
    }

    /// The class of a file that is evidence.
    pub(super) fn of_file(&self, image: &Image, node: NodeId) -> Option<Class> {
        self.inodes.get(&image.rootfs.inode_number(node)).copied()
    }

    /// The class of a folder that is evidence, or belongs to it as a whole.
    pub(super) fn of_folder(&self, image: &Image, node: NodeId) -> Option<Class> {
        self.of_file(image, node)
    }

    /// The class of a package that owns evidence.
    pub(super) fn of_package(&self, package: usize) -> Option<Class> {
        self.packages.get(package).copied().flatten()
    }

    fn add(&mut self, image: &Image, ends: &BTreeMap<&[u8], NodeId>, evidence: &Evidence, class: Class) {
        let Some(path) = &evidence.path else { return };
        let end = ends.get(path.as_slice()).copied().filter(|_| evidence.linkname.is_some());
        let Some(node) = end.or_else(|| node_at(&image.rootfs, path)) else { return };
        self.mark(image, node, class);
        if image.rootfs.inode(node).is_directory() {
            return;
        }
        if let Some(owned) = image.packages.owned.get(&image.rootfs.inode_number(node)) {
            self.mark_package(image, owned.package, class);
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

    /// What owns a compiler was installed for it, and likewise for package managers. A JDK in one package holds the Java runtime too,
    /// which is left to the rules for places.
    fn mark_package(&mut self, image: &Image, package: usize, class: Class) {
        let name = image.packages.list.get(package).map(|package| package.name.as_str()).unwrap_or_default();
        let holds_runtime = name.contains("jdk") && packages::class(name).is_none();
        if let Some(slot) = self.packages.get_mut(package).filter(|_| !holds_runtime && class != Class::Cache) {
            *slot = Some(slot.map_or(class, |before| before.min(class)));
        }
    }
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
        let has = |sign: &&str| sign.split('/').try_fold(node, |at, name| rootfs.child(at, name.as_bytes())).is_some();
        if TOOLCHAIN_SIGNS.iter().any(|sign| has(&sign)) {
            found.push(node);
        }
    }
    found
}
