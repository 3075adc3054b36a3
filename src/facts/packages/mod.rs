//! Packages of the operating system and the files they own: dpkg, apk, rpm.

mod apk;
mod asked;
mod collect;
mod dpkg;
mod graph;
mod relations;
mod rpm;

use std::collections::BTreeMap;

use self::collect::Collector;
use super::bodies::Bodies;
use super::links::Links;
use crate::limits::LimitHit;
use crate::rootfs::{NodeId, Rootfs};

pub use self::graph::Graph;
pub use self::relations::{Capability, Relation, Relations};

/// Which package manager's database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DatabaseKind {
    /// `/var/lib/dpkg/status`.
    Dpkg,
    /// `/var/lib/dpkg/status.d/*` (distroless).
    DpkgStatusD,
    /// `/lib/apk/db/installed` or `/usr/lib/apk/db/installed`.
    Apk,
    /// rpm in SQLite, `rpmdb.sqlite`.
    RpmSqlite,
    /// rpm in ndb, `Packages.db`.
    RpmNdb,
    /// rpm in Berkeley DB, `Packages`.
    RpmBdb,
}

/// A database that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Database {
    /// Which.
    pub kind: DatabaseKind,
    /// Absolute path, raw.
    pub path: Vec<u8>,
    /// Packages it lists as installed.
    pub packages: usize,
    /// What could not be read of it: place and reason, one clause.
    pub problem: Option<String>,
}

/// An installed package.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Package {
    /// Name, without architecture.
    pub name: String,
    /// Version as the database writes it (epoch and release included).
    pub version: String,
    /// Architecture as the database writes it.
    pub architecture: String,
    /// Source package, when the database names one.
    pub source: Option<String>,
    /// What it requires to be installed.
    pub requires: Relations,
    /// What it provides besides its name.
    pub provides: Relations,
    /// Whether somebody asked for it, or it came because another package requires it; None when nothing in the image says so.
    pub asked_for: Option<bool>,
    /// It is part of the base system, which is there whoever asked (dpkg: essential, or of priority required).
    pub is_base: bool,
}

/// A file that a package owns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnedFile {
    /// Index into [`Packages::list`].
    pub package: usize,
    /// Permission bits as the database records them; None where it does not (dpkg).
    pub mode: Option<u16>,
}

/// All packages.
#[derive(Debug, Clone, Default)]
pub struct Packages {
    /// Databases found, sorted by path.
    pub databases: Vec<Database>,
    /// Packages, sorted.
    pub list: Vec<Package>,
    /// Owner by inode number of the stacked tree.
    pub owned: BTreeMap<u32, OwnedFile>,
    /// Which package requires which.
    pub graph: Graph,
    /// Why nothing is known of which package requires which.
    pub graph_problem: Option<String>,
}

impl Packages {
    /// The package that owns the file a name names, through hard links and linked folders (`/bin` and `/usr/bin`).
    #[must_use]
    pub fn owner(&self, rootfs: &Rootfs, node: NodeId) -> Option<(&Package, OwnedFile)> {
        let owned = self.owned.get(&rootfs.inode_number(node))?;
        Some((self.list.get(owned.package)?, *owned))
    }
}

/// One line of a package's file list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct ListedFile<'f> {
    /// The folder's path from the root; a slash before or after it does not matter.
    folder: &'f [u8],
    /// The last component.
    name: &'f [u8],
    /// Permission bits that stand with it.
    mode: Option<u16>,
}

impl<'f> ListedFile<'f> {
    fn of_path(path: &'f [u8]) -> Self {
        let slash = path.iter().rposition(|byte| *byte == b'/').map_or(0, |at| at.saturating_add(1));
        let (folder, name) = path.split_at_checked(slash).unwrap_or_default();
        Self { folder, name, mode: None }
    }
}

/// The files of a package, not kept in memory: few bytes can list many long paths.
type Files<'f> = dyn Iterator<Item = ListedFile<'f>> + 'f;

/// Takes what a parser finds, one package at a time; an error stops the parser.
type Take<'t> = dyn for<'f> FnMut(Package, &mut Files<'f>) -> Result<(), LimitHit> + 't;

/// What a parser says of a database besides its packages.
#[derive(Debug, Default, PartialEq, Eq)]
struct Report {
    /// Why the rest was not read: what it lists is not all known.
    failure: Option<String>,
    /// Oddities of a database that was read to its end.
    notes: Vec<String>,
}

impl Report {
    fn failed(reason: String) -> Self {
        Self { failure: Some(reason), notes: Vec::new() }
    }

    /// Notes an oddity; each kind once.
    fn note(&mut self, note: &str) {
        if !self.notes.iter().any(|known| known == note) {
            self.notes.push(note.to_owned());
        }
    }

    fn problem(&self) -> Option<String> {
        let all: Vec<_> = self.failure.iter().chain(&self.notes).map(String::as_str).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }
}

/// Paths of all files that [`read`] would look into in this tree.
pub(super) fn wanted(rootfs: &Rootfs, links: &mut Links<'_>) -> Vec<Vec<u8>> {
    let mut paths = dpkg::wanted(rootfs, links);
    paths.extend(apk::PATHS.into_iter().map(<[u8]>::to_vec));
    paths.extend(rpm::candidates().map(|(path, _)| path));
    paths.extend([asked::APT, asked::APK, asked::DNF].map(<[u8]>::to_vec));
    paths
}

/// Reads every database of the tree.
pub(super) fn read(bodies: &mut Bodies<'_>) -> Packages {
    let mut collector = Collector::new(bodies);
    dpkg::read(&mut collector);
    apk::read(&mut collector);
    rpm::read(&mut collector);
    collector.finish()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
