//! Files that only tests and development need: of Python's test tools, of npm packages that a lock file marks as such, and CPython's
//! own test suite.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::Image;
use super::applications::record;
use super::bodies::Bodies;
use crate::layer::probe::test_tool;
use crate::limits::Limits;
use crate::oci::escape_text;
use crate::rootfs::{NodeId, Rootfs};

/// A package that only tests and development need.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TestPackage {
    /// Name: normalised for Python, as the lock file has it for npm, `CPython's test suite`.
    pub name: String,
    /// The folder that tells of it, absolute, raw.
    pub path: Vec<u8>,
    /// The names of its regular files.
    pub files: BTreeSet<NodeId>,
}

/// The packages of an image that only tests and development need, sorted.
#[must_use]
pub fn test_packages(image: &Image, limits: &Limits) -> Vec<TestPackage> {
    read(&mut Bodies::new(&image.rootfs, limits))
}

/// Where something may be told of test packages.
#[derive(Debug, Default)]
struct Places {
    /// `NAME-VERSION.dist-info` and `.egg-info` folders or files of test tools.
    python: Vec<NodeId>,
    /// `node_modules/.package-lock.json`.
    npm: Vec<NodeId>,
    /// `lib/pythonX.Y`.
    standard: Vec<NodeId>,
}

impl Places {
    fn of(rootfs: &Rootfs) -> Self {
        let mut places = Self::default();
        let mut folders: Vec<(NodeId, &[u8])> = vec![(rootfs.root(), b"")];
        while let Some((folder, folder_name)) = folders.pop() {
            for (name, node) in rootfs.children(folder) {
                let is_directory = rootfs.inode(node).is_directory();
                if is_directory {
                    folders.push((node, name));
                }
                if name == b".package-lock.json" && folder_name == b"node_modules" {
                    places.npm.push(node);
                } else if folder_name == b"lib" && is_directory && is_versioned_python(name) {
                    places.standard.push(node);
                } else if test_tool(name).is_some() && !is_needed_by_a_kernel(rootfs, folder, name) {
                    places.python.push(node);
                }
            }
        }
        places
    }
}

/// Paths of all files that [`read`] would look into.
pub(super) fn wanted(rootfs: &Rootfs) -> Vec<Vec<u8>> {
    let places = Places::of(rootfs);
    let records = places.python.iter().filter_map(|folder| rootfs.child(*folder, b"RECORD"));
    places.npm.iter().copied().chain(records).map(|node| rootfs.path(node)).collect()
}

/// Inode numbers of files that have names in these packages only.
pub(super) fn files(rootfs: &Rootfs, packages: &[TestPackage]) -> BTreeSet<u32> {
    let names: BTreeSet<NodeId> = packages.iter().flat_map(|package| &package.files).copied().collect();
    let mut files: BTreeSet<u32> = names.iter().map(|name| rootfs.inode_number(*name)).collect();
    if !files.is_empty() {
        for name in below(rootfs, rootfs.root(), &mut BTreeSet::new()) {
            if !names.contains(&name) {
                files.remove(&rootfs.inode_number(name));
            }
        }
    }
    files
}

/// All test packages of a tree, sorted. What cannot be read is remembered by `bodies`.
pub(super) fn read(bodies: &mut Bodies<'_>) -> Vec<TestPackage> {
    let rootfs = bodies.rootfs;
    let places = Places::of(rootfs);
    let mut packages = Vec::new();
    let mut lines = 0_u64;
    for folder in places.python {
        packages.extend(python_package(bodies, folder, &mut lines));
    }
    for lock in places.npm {
        packages.extend(npm_packages(bodies, lock));
    }
    packages.extend(places.standard.into_iter().filter_map(|folder| test_suite(rootfs, folder)));
    packages.sort_unstable();
    packages
}

/// A distribution of Python with the files that its RECORD lists; without one, its own folder and the modules of its name.
fn python_package(bodies: &mut Bodies<'_>, folder: NodeId, lines: &mut u64) -> Option<TestPackage> {
    let rootfs = bodies.rootfs;
    let path = rootfs.path(folder);
    let name = test_tool(path.rsplit(|byte| *byte == b'/').next()?)?;
    let site = rootfs.folder_of(folder);
    let mut files = BTreeSet::new();
    if let Some(record) = record::read(bodies, folder, lines) {
        files = record.files;
    } else {
        let module = name.replace('-', "_").into_bytes();
        let script = [&module[..], b".py"].concat();
        let parts = [Some(folder), rootfs.child(site, &module), rootfs.child(site, &script)];
        files.extend(parts.into_iter().flatten().flat_map(|part| below(rootfs, part, &mut BTreeSet::new())));
    }
    Some(TestPackage { name, path, files })
}

/// npm's hidden lock file: of each package by its folder whether only development needs it. Other fields are passed over.
#[derive(Debug, Deserialize)]
struct Lock {
    packages: BTreeMap<String, LockedPackage>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct LockedPackage {
    #[serde(default)]
    dev: bool,
    #[serde(default)]
    dev_optional: bool,
}

fn npm_packages(bodies: &mut Bodies<'_>, lock: NodeId) -> Vec<TestPackage> {
    let rootfs = bodies.rootfs;
    let path = rootfs.path(lock);
    let Some(body) = bodies.read(&path, Limits::kept_file_bytes) else { return Vec::new() };
    let lock_file: Lock = match serde_json::from_slice(body) {
        Ok(lock_file) => lock_file,
        Err(error) => {
            bodies.report(&path, format!("the lock file is malformed: {}", escape_text(&error.to_string())));
            return Vec::new();
        }
    };
    let project = rootfs.folder_of(rootfs.folder_of(lock));
    let mut visited = BTreeSet::new();
    let mut packages = Vec::new();
    for (key, _) in lock_file.packages.iter().filter(|(_, package)| package.dev || package.dev_optional) {
        let Some(name) = npm_name(key) else { continue };
        let mut components = key.split('/');
        let Some(folder) = components.try_fold(project, |at, component| rootfs.child(at, component.as_bytes())) else { continue };
        let files: BTreeSet<NodeId> = below(rootfs, folder, &mut visited).into_iter().collect();
        if !files.is_empty() {
            packages.push(TestPackage { name: name.to_owned(), path: rootfs.path(folder), files });
        }
    }
    packages
}

/// The package's name in a lock file's key such as `node_modules/a/node_modules/@b/c`.
fn npm_name(key: &str) -> Option<&str> {
    let (_, name) = key.strip_prefix("node_modules/").map(|_| ()).and_then(|()| key.rsplit_once("node_modules/"))?;
    let (is_scoped, parts) = (name.starts_with('@'), name.split('/').count());
    let is_plain = key.split('/').all(|component| !matches!(component, "" | "." | ".."));
    (is_plain && parts == if is_scoped { 2 } else { 1 }).then_some(name)
}

/// `lib/pythonX.Y/test`, and the extension modules that only it loads.
fn test_suite(rootfs: &Rootfs, library: NodeId) -> Option<TestPackage> {
    let suite = rootfs.child(library, b"test");
    let mut files: BTreeSet<NodeId> = suite.into_iter().flat_map(|suite| below(rootfs, suite, &mut BTreeSet::new())).collect();
    if let Some(modules) = rootfs.child(library, b"lib-dynload") {
        let is_test = |name: &[u8]| name.starts_with(b"_test") && name.ends_with(b".so");
        files.extend(
            rootfs.children(modules).filter(|(name, node)| is_test(name) && rootfs.inode(*node).is_file()).map(|(_, node)| node),
        );
    }
    let path = rootfs.path(suite.unwrap_or(library));
    (!files.is_empty()).then(|| TestPackage { name: "CPython's test suite".to_owned(), path, files })
}

/// Regular files below a folder, or the file itself; folders that were visited are passed over.
fn below(rootfs: &Rootfs, start: NodeId, visited: &mut BTreeSet<NodeId>) -> Vec<NodeId> {
    let mut files = Vec::new();
    let mut stack = vec![start];
    while let Some(node) = stack.pop() {
        let inode = rootfs.inode(node);
        if inode.is_file() {
            files.push(node);
        } else if inode.is_directory() && visited.insert(node) {
            stack.extend(rootfs.children(node).map(|(_, child)| child));
        }
    }
    files
}

/// `python3.12`.
fn is_versioned_python(name: &[u8]) -> bool {
    let is_digit = |byte: &u8| byte.is_ascii_digit() || *byte == b'.';
    name.strip_prefix(b"python").is_some_and(|rest| rest.contains(&b'.') && rest.iter().all(is_digit))
}

/// Jupyter runs `IPython` and debugpy: beside `ipykernel` they are no tools of developers alone.
fn is_needed_by_a_kernel(rootfs: &Rootfs, site: NodeId, name: &[u8]) -> bool {
    matches!(test_tool(name).as_deref(), Some("ipython" | "debugpy")) && rootfs.child(site, b"ipykernel").is_some()
}

#[cfg(test)]
mod tests;
