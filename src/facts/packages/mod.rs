//! Packages of the operating system and the files they own: dpkg, apk, rpm.

use std::collections::BTreeMap;

use crate::rootfs::{NodeId, Rootfs};

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
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Package {
    /// Name, without architecture.
    pub name: String,
    /// Version as the database writes it (epoch and release included).
    pub version: String,
    /// Architecture as the database writes it.
    pub architecture: String,
    /// Source package, when the database names one.
    pub source: Option<String>,
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
}

impl Packages {
    /// The package that owns the file a name names, through hard links and linked folders (`/bin` and `/usr/bin`).
    #[must_use]
    pub fn owner(&self, rootfs: &Rootfs, node: NodeId) -> Option<(&Package, OwnedFile)> {
        let owned = self.owned.get(&rootfs.inode_number(node))?;
        Some((self.list.get(owned.package)?, *owned))
    }
}
