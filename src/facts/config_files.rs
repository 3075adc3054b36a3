//! Configuration files that decide whom package managers, sudo and doas trust: which there are, with their lines.

use std::sync::Arc;

use super::bodies::Bodies;
use crate::layer::Content;
use crate::limits::Limits;
use crate::rootfs::{NodeId, Rootfs};

/// Whose configuration a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConfigKind {
    /// apt's sources, one line each or deb822.
    AptSources,
    /// apt.conf(5).
    Apt,
    /// yum, dnf, zypper: settings and repositories.
    Rpm,
    /// pip.
    Pip,
    /// npm.
    Npm,
    /// sudoers(5).
    Sudo,
    /// doas.conf(5).
    Doas,
}

/// One such file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigFile {
    /// Whose.
    pub kind: ConfigKind,
    /// Absolute path, raw.
    pub path: Vec<u8>,
    /// The file, links followed.
    pub node: NodeId,
    content: Option<Arc<Content>>,
}

impl ConfigFile {
    /// A file of a kind; its lines are those of the body that was kept.
    #[must_use]
    pub fn new(rootfs: &Rootfs, kind: ConfigKind, path: Vec<u8>, node: NodeId) -> Self {
        Self { kind, path, node, content: rootfs.inode(node).content.clone() }
    }

    /// Its lines without white space around them; what is no UTF-8 is replaced.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        let body = self.content.as_ref().and_then(|content| content.body.as_deref()).unwrap_or_default();
        body.split(|byte| *byte == b'\n').map(|line| String::from_utf8_lossy(line).trim().to_owned())
    }
}

/// Files at fixed places.
const FILES: &[(&[u8], ConfigKind)] = &[
    (b"/etc/apt/apt.conf", ConfigKind::Apt),
    (b"/etc/apt/sources.list", ConfigKind::AptSources),
    (b"/etc/dnf/dnf.conf", ConfigKind::Rpm),
    (b"/etc/doas.conf", ConfigKind::Doas),
    (b"/etc/npmrc", ConfigKind::Npm),
    (b"/etc/sudoers", ConfigKind::Sudo),
    (b"/etc/yum.conf", ConfigKind::Rpm),
    (b"/usr/etc/npmrc", ConfigKind::Npm),
    (b"/usr/local/etc/npmrc", ConfigKind::Npm),
];

/// A folder whose files are read, how the names of those files end, and whose they are.
type Folder = (&'static [u8], &'static [&'static [u8]], ConfigKind);

/// Folders whose files are read.
const FOLDERS: &[Folder] = &[
    (b"/etc/apt/apt.conf.d", &[b""], ConfigKind::Apt),
    (b"/etc/apt/sources.list.d", &[b".list", b".sources"], ConfigKind::AptSources),
    (b"/etc/doas.d", &[b".conf"], ConfigKind::Doas),
    (b"/etc/sudoers.d", &[b""], ConfigKind::Sudo),
    (b"/etc/yum.repos.d", &[b".repo"], ConfigKind::Rpm),
    (b"/etc/zypp/repos.d", &[b".repo"], ConfigKind::Rpm),
];

/// Names that count wherever they lie but in modules of others.
const NAMES: &[(&[u8], ConfigKind)] = &[(b"pip.conf", ConfigKind::Pip), (b".npmrc", ConfigKind::Npm)];

/// Folders of third parties: their `.npmrc` is read by nobody here.
const OTHERS: &[&[u8]] = &[b"node_modules", b"site-packages", b"dist-packages"];

/// Paths of all files that [`read`] looks into.
pub(super) fn wanted(rootfs: &Rootfs) -> Vec<Vec<u8>> {
    places(rootfs).into_iter().map(|(_, path)| path).collect()
}

/// All such files, sorted by path; what cannot be read is remembered by `bodies`.
pub(super) fn read(bodies: &mut Bodies<'_>) -> Vec<ConfigFile> {
    let rootfs = bodies.rootfs;
    let mut found = Vec::new();
    for (kind, path) in places(rootfs) {
        if bodies.read(&path, Limits::kept_file_bytes).is_some()
            && let Some(node) = bodies.links.resolve(&path)
        {
            found.push(ConfigFile::new(rootfs, kind, path, node));
        }
    }
    found.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    found
}

fn places(rootfs: &Rootfs) -> Vec<(ConfigKind, Vec<u8>)> {
    let mut found: Vec<_> =
        FILES.iter().filter(|(path, _)| node_at(rootfs, path).is_some()).map(|(path, kind)| (*kind, path.to_vec())).collect();
    for (folder, endings, kind) in FOLDERS {
        let Some(node) = node_at(rootfs, folder) else { continue };
        let is_read = |name: &[u8]| endings.iter().any(|ending| name.ends_with(ending)) && !is_passed_over(*kind, name);
        let names = rootfs.children(node).filter(|(name, child)| is_read(name) && !rootfs.inode(*child).is_directory());
        found.extend(names.map(|(name, _)| (*kind, [*folder, name].join(&b'/'))));
    }
    let mut folders = vec![rootfs.root()];
    while let Some(folder) = folders.pop() {
        for (name, node) in rootfs.children(folder) {
            if rootfs.inode(node).is_directory() {
                if !OTHERS.contains(&name) {
                    folders.push(node);
                }
            } else if let Some((_, kind)) = NAMES.iter().find(|(wanted, _)| *wanted == name) {
                found.push((*kind, rootfs.path(node)));
            }
        }
    }
    found
}

/// Names that the program itself does not read: sudoers(5), apt.conf(5).
fn is_passed_over(kind: ConfigKind, name: &[u8]) -> bool {
    match kind {
        ConfigKind::Sudo => name.ends_with(b"~") || name.contains(&b'.'),
        ConfigKind::Apt => name.contains(&b'.') && !name.ends_with(b".conf"),
        _ => false,
    }
}

fn node_at(rootfs: &Rootfs, path: &[u8]) -> Option<NodeId> {
    path.split(|byte| *byte == b'/').filter(|name| !name.is_empty()).try_fold(rootfs.root(), |at, name| rootfs.child(at, name))
}

#[cfg(test)]
mod tests {
    use super::super::bodies::file_with;
    use super::*;
    use ConfigKind::{Apt, AptSources, Doas, Npm, Pip, Rpm, Sudo};

    fn found(paths: &[&str]) -> Vec<(ConfigKind, String)> {
        let mut rootfs = Rootfs::default();
        for path in paths {
            rootfs.insert(path.as_bytes(), file_with(b" a \nb"));
        }
        let limits = Limits::default();
        let files = read(&mut Bodies::new(&rootfs, &limits));
        assert!(files.iter().all(|file| file.lines().eq(["a", "b"])));
        files.into_iter().map(|file| (file.kind, String::from_utf8(file.path).unwrap())).collect()
    }

    #[test]
    fn files_are_found_where_their_programs_read_them() {
        let paths = [
            "/app/.npmrc",
            "/etc/apt/apt.conf.d/99x",
            "/etc/apt/sources.list",
            "/etc/apt/sources.list.d/a.sources",
            "/etc/doas.d/a.conf",
            "/etc/pip.conf",
            "/etc/sudoers.d/app",
            "/etc/yum.repos.d/a.repo",
        ];
        let kinds: Vec<_> = found(&paths).into_iter().map(|(kind, _)| kind).collect();
        assert_eq!(kinds, [Npm, Apt, AptSources, AptSources, Doas, Pip, Sudo, Rpm]);
    }

    #[test]
    fn files_that_nobody_reads_are_passed_over() {
        let paths = [
            "/app/node_modules/x/.npmrc",
            "/etc/apt/apt.conf.d/a.bak",
            "/etc/apt/sources.list.d/a.list.save",
            "/etc/sudoers.d/app~",
            "/etc/sudoers.d/app.disabled",
            "/srv/sudoers",
        ];
        assert_eq!(found(&paths), []);
    }

    #[test]
    fn a_file_that_was_not_kept_is_reported() {
        let mut rootfs = Rootfs::default();
        rootfs.insert(b"/etc/sudoers", crate::rootfs::Inode::new(crate::rootfs::InodeKind::File { size: 5 }, 0o440, 0));
        let limits = Limits::default();
        let mut bodies = Bodies::new(&rootfs, &limits);
        assert!(read(&mut bodies).is_empty());
        assert_eq!((wanted(&rootfs).len(), bodies.not_examined.len()), (1, 1));
    }
}
