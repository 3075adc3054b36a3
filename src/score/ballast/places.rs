//! Classes told by where a file lies.

use super::Class;
use super::marks::Marks;
use crate::facts::Image;
use crate::facts::places::{self, Purpose};
use crate::rootfs::NodeId;

/// Folders whose files belong to the system though no package lists them.
const SYSTEM: &[&str] =
    &["/etc", "/var/lib/dpkg", "/var/lib/rpm", "/usr/lib/sysimage", "/lib/apk", "/usr/lib/apk", "/var/lib/apt"];

/// A folder of the tree while it is walked.
pub(super) struct Folder {
    pub(super) node: NodeId,
    /// What all files in it are, unless something says otherwise.
    pub(super) class: Option<Class>,
    /// Whether its files belong to the system.
    pub(super) is_system: bool,
    path: Vec<u8>,
}

impl Folder {
    pub(super) fn root(image: &Image) -> Self {
        Self { node: image.rootfs.root(), class: None, is_system: false, path: Vec::new() }
    }

    /// A folder in this one.
    pub(super) fn below(&self, image: &Image, marks: &Marks, name: &[u8], node: NodeId) -> Self {
        let mut path = self.path.clone();
        path.push(b'/');
        path.extend_from_slice(name);
        let own = [marks.of_node(image, node), by_path(&path), by_folder_name(image, self, name, node)];
        let class = own.into_iter().chain([self.class]).flatten().min();
        let is_system = self.is_system || SYSTEM.iter().any(|folder| path == folder.as_bytes());
        Self { node, class, is_system, path }
    }

    pub(super) fn name(&self) -> &[u8] {
        self.path.rsplit(|byte| *byte == b'/').next().unwrap_or_default()
    }
}

fn by_path(path: &[u8]) -> Option<Class> {
    Some(match places::of_folder(path)? {
        Purpose::Development => Class::Toolchain,
        Purpose::Temporary | Purpose::Cache => Class::Cache,
        Purpose::Documentation => Class::Documentation,
        Purpose::PackageManager => Class::PackageManager,
    })
}

fn by_folder_name(image: &Image, parent: &Folder, name: &[u8], node: NodeId) -> Option<Class> {
    let has = |folder: NodeId, names: &[&[u8]]| names.iter().try_fold(folder, |at, name| image.rootfs.child(at, name)).is_some();
    let is_library = matches!(parent.name(), b"lib" | b"lib64" | b"libexec");
    match name {
        b".git" | b".hg" | b".svn" | b"pkgconfig" | b"git-core" | b"jmods" => Some(Class::Toolchain),
        b"gcc" | b"cmake" if is_library => Some(Class::Toolchain),
        b"packs" | b"sdk" | b"sdk-manifests" | b"templates" if parent.name() == b"dotnet" => Some(Class::Toolchain),
        // of a JDK
        b"include" if has(parent.node, &[b"bin", b"java"]) => Some(Class::Toolchain),
        b"man" if has(node, &[b"man1"]) => Some(Class::Documentation),
        b"ensurepip" if parent.name().starts_with(b"python3") => Some(Class::PackageManager),
        b"pip" if is_packages(parent.name()) => Some(Class::PackageManager),
        _ if name.starts_with(b"pip-") && name.ends_with(b".dist-info") && is_packages(parent.name()) => {
            Some(Class::PackageManager)
        }
        b"npm" | b"corepack" | b"yarn" | b"pnpm" if parent.path.ends_with(b"/lib/node_modules") => Some(Class::PackageManager),
        _ if name.starts_with(b"yarn-v") && parent.path == b"/opt" => Some(Class::PackageManager),
        _ => None,
    }
}

fn is_packages(name: &[u8]) -> bool {
    matches!(name, b"site-packages" | b"dist-packages")
}

/// Classes told by a file's own name.
pub(super) fn by_name(folder: &Folder, name: &[u8]) -> Option<Class> {
    if places::is_for_linking(&folder.path, name) {
        return Some(Class::Toolchain);
    }
    // of a JDK: the signatures of older releases, and the class library's source
    (matches!(name, b"ct.sym" | b"src.zip") && folder.name() == b"lib").then_some(Class::Toolchain)
}
