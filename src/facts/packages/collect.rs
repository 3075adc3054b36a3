//! Puts the packages of all databases together, and their file lists on the inodes of the tree.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::super::bodies::Bodies;
use super::super::links::Links;
use super::{Database, DatabaseKind, Files, Graph, ListedFile, OwnedFile, Package, Packages, Report, Take};
use crate::limits::{LimitHit, Limits};
use crate::rootfs::{NodeId, Rootfs};

/// Inode number and listed mode.
type Owned = (u32, Option<u16>);

/// What the databases gave so far.
#[derive(Debug)]
pub(super) struct Collector<'c, 'a> {
    bodies: &'c mut Bodies<'a>,
    databases: Vec<Database>,
    packages: Vec<(Package, Vec<Owned>)>,
    /// Inode numbers of database files: one file under two names is one database.
    seen: BTreeSet<u32>,
    files: u64,
    /// What listed folders resolve to.
    folders: HashMap<Box<[u8]>, Option<NodeId>>,
}

impl<'c, 'a> Collector<'c, 'a> {
    pub(super) fn new(bodies: &'c mut Bodies<'a>) -> Self {
        Self { bodies, databases: Vec::new(), packages: Vec::new(), seen: BTreeSet::new(), files: 0, folders: HashMap::new() }
    }

    pub(super) fn rootfs(&self) -> &'a Rootfs {
        self.bodies.rootfs
    }

    pub(super) fn limits(&self) -> &'a Limits {
        self.bodies.limits
    }

    /// The body of a file that belongs to a database.
    pub(super) fn body(&mut self, path: &[u8]) -> Option<&'a [u8]> {
        self.bodies.read(path, Limits::package_database_bytes)
    }

    /// The body of the database file at `path`, when there is one that was not opened under another name.
    pub(super) fn open(&mut self, path: &[u8]) -> Option<Result<&'a [u8], String>> {
        let body = self.bodies.body(path, Limits::package_database_bytes)?;
        let number = self.rootfs().inode_number(self.bodies.links.resolve(path)?);
        self.seen.insert(number).then_some(body)
    }

    /// Reads the database file at `path` with a parser that gives packages and their files.
    pub(super) fn read(&mut self, kind: DatabaseKind, path: &[u8], parse: impl FnOnce(&[u8], &mut Take<'_>) -> Report) {
        let Some(body) = self.open(path) else { return };
        let before = self.count();
        let report = match body {
            Ok(bytes) => parse(bytes, &mut |package, files| self.add(package, files)),
            Err(reason) => Report::failed(reason),
        };
        self.close(kind, path, before, &report);
    }

    /// Names in the directory at `path`.
    pub(super) fn names_in(&mut self, path: &[u8]) -> Vec<&'a [u8]> {
        names_in(self.rootfs(), &mut self.bodies.links, path)
    }

    /// Size in bytes of the regular file at `path`.
    pub(super) fn file_size(&mut self, path: &[u8]) -> Option<u64> {
        let node = self.bodies.links.resolve(path)?;
        let inode = self.rootfs().inode(node);
        inode.is_file().then(|| inode.size())
    }

    /// Number of packages so far; [`Self::close`] counts from it.
    pub(super) fn count(&self) -> usize {
        self.packages.len()
    }

    /// Enters a database whose packages were added since there were `before`.
    pub(super) fn close(&mut self, kind: DatabaseKind, path: &[u8], before: usize, report: &Report) {
        if let Some(reason) = &report.failure {
            self.bodies.report(path, reason.clone());
        }
        let packages = self.packages.len().saturating_sub(before);
        self.databases.push(Database { kind, path: path.to_vec(), packages, problem: report.problem() });
    }

    /// The packages that were added since there were `before`.
    pub(super) fn added_since(&mut self, before: usize) -> impl Iterator<Item = &mut Package> {
        self.packages.iter_mut().skip(before).map(|(package, _)| package)
    }

    /// Adds a note to the problem of databases that are entered.
    pub(super) fn note(&mut self, is_meant: impl Fn(&Database) -> bool, note: &str) {
        for database in self.databases.iter_mut().filter(|database| is_meant(database)) {
            database.problem = Some(match database.problem.take() {
                Some(problem) => format!("{problem}; {note}"),
                None => note.to_owned(),
            });
        }
    }

    pub(super) fn databases(&self) -> &[Database] {
        &self.databases
    }

    pub(super) fn add(&mut self, package: Package, files: &mut Files<'_>) -> Result<(), LimitHit> {
        let limits = self.limits();
        limits.packages(size(self.packages.len()).saturating_add(1))?;
        let mut owned = Vec::new();
        for file in files {
            self.files = self.files.saturating_add(1);
            limits.package_files(self.files)?;
            owned.extend(self.inode_of(file).map(|inode| (inode, file.mode)));
        }
        self.packages.push((package, owned));
        Ok(())
    }

    /// The inode that a listed path names: its folder is reached through links, the last component is not followed.
    /// Folders are shared by packages and owned by none.
    fn inode_of(&mut self, file: ListedFile<'_>) -> Option<u32> {
        let folder = if let Some(known) = self.folders.get(file.folder) {
            *known
        } else {
            self.limits().path_bytes(size(file.folder.len())).ok()?;
            let found = self.bodies.links.resolve(file.folder);
            self.folders.insert(file.folder.into(), found);
            found
        };
        let node = self.rootfs().child(folder?, file.name)?;
        (!self.rootfs().inode(node).is_directory()).then(|| self.rootfs().inode_number(node))
    }

    /// Sorts everything. A file that several packages list belongs to the first of them.
    pub(super) fn finish(mut self) -> Packages {
        let (mut databases, mut packages) = (std::mem::take(&mut self.databases), std::mem::take(&mut self.packages));
        databases.sort_unstable_by(|a, b| (&a.path, a.kind).cmp(&(&b.path, b.kind)));
        packages.sort_by(|a, b| a.0.cmp(&b.0));
        let mut owned = BTreeMap::new();
        let mut list = Vec::with_capacity(packages.len());
        for (package, files) in packages {
            for (inode, mode) in files {
                owned.entry(inode).or_insert(OwnedFile { package: list.len(), mode });
            }
            list.push(package);
        }
        let limits = self.limits();
        let owner = |path: &str| {
            let inode = self.inode_of(ListedFile::of_path(path.as_bytes()))?;
            owned.get(&inode).map(|file: &OwnedFile| file.package)
        };
        let (graph, graph_problem) = match Graph::of(&list, limits, owner) {
            Ok(graph) => (graph, None),
            Err(hit) => (Graph::default(), Some(hit.to_string())),
        };
        if let Some(problem) = &graph_problem {
            for database in &databases {
                self.bodies.report(&database.path, format!("which package requires which: {problem}"));
            }
        }
        Packages { databases, list, owned, graph, graph_problem }
    }
}

/// Names in the directory at `path`, sorted by bytes.
pub(super) fn names_in<'a>(rootfs: &'a Rootfs, links: &mut Links<'_>, path: &[u8]) -> Vec<&'a [u8]> {
    links.resolve(path).map(|id| rootfs.children(id).map(|(name, _)| name).collect()).unwrap_or_default()
}

fn size(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
