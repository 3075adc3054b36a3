//! Walking a path as a process does: links inside the root, and the right to search every directory on the way.

use std::cell::Cell;

use super::StartupFault as Fault;
use super::credentials::{Credentials, EXECUTE};
use crate::limits::Limits;
use crate::rootfs::{NodeId, Rootfs};

/// Names that are walked for one way.
const MOST_NAMES: u64 = 2_000_000;

/// Walks paths of one tree.
#[derive(Debug)]
pub(super) struct Walker<'a> {
    rootfs: &'a Rootfs,
    limits: &'a Limits,
    /// Names that were walked so far.
    names: Cell<u64>,
}

impl<'a> Walker<'a> {
    pub(super) fn new(rootfs: &'a Rootfs, limits: &'a Limits) -> Self {
        Self { rootfs, limits, names: Cell::new(0) }
    }

    /// More was walked than any honest image needs: a long PATH through long links.
    pub(super) fn is_tired(&self) -> bool {
        self.names.get() > MOST_NAMES
    }

    /// What `path` ends at, from the root when it is absolute, else from `cwd` (path_resolution(7)).
    ///
    /// The working directory itself must be searchable, its parents need not: runtimes enter it as root. The root directory is always
    /// searchable: most runtimes ignore a layer's entry for it.
    pub(super) fn walk(&self, cwd: NodeId, path: &[u8], who: &Credentials) -> Result<NodeId, Fault> {
        let too_long = self.limits.path_bytes(u64::try_from(path.len()).unwrap_or(u64::MAX)).is_err();
        if path.is_empty() || too_long {
            return Err(Fault::NotFound);
        }
        let start = |path: &[u8], from: NodeId| if path.starts_with(b"/") { self.rootfs.root() } else { from };
        let mut at = start(path, cwd);
        let mut hops = 0_u64;
        let mut link = None;
        // what is left to walk, the next name last
        let mut left: Vec<Vec<u8>> = names(path);
        // how many of them are the path's own, not a link's
        let mut own = left.len();
        while let Some(name) = left.pop() {
            self.names.set(self.names.get().saturating_add(1));
            if left.len() < own {
                own = left.len();
                link = None;
            }
            let folder = self.rootfs.inode(at);
            if !folder.is_directory() {
                return Err(Fault::ParentNotADirectory(self.rootfs.path(at)));
            }
            if at != self.rootfs.root() && !who.may(folder, EXECUTE) {
                return Err(Fault::Closed(self.rootfs.path(at)));
            }
            match name.as_slice() {
                b"" | b"." => continue,
                b".." => {
                    at = self.rootfs.folder_of(at);
                    continue;
                }
                _ => {}
            }
            let Some(child) = self.rootfs.child(at, &name) else {
                return Err(link.map_or(Fault::NotFound, |link| Fault::DanglingLink(self.rootfs.path(link))));
            };
            let Some(target) = self.rootfs.inode(child).target() else {
                at = child;
                continue;
            };
            hops = hops.saturating_add(1);
            if self.limits.symlink_hops(hops).is_err() {
                return Err(Fault::TooManyLinks);
            }
            if target.is_empty() {
                return Err(Fault::DanglingLink(self.rootfs.path(child)));
            }
            // the link that the path itself names says more than those that it leads to
            link = link.or(Some(child));
            at = start(target, at);
            left.extend(names(target));
        }
        Ok(at)
    }
}

/// The names of a path, last first; a slash at its end asks for a directory.
fn names(path: &[u8]) -> Vec<Vec<u8>> {
    let mut names: Vec<Vec<u8>> = path.split(|byte| *byte == b'/').map(<[u8]>::to_vec).collect();
    names.reverse();
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::users::User;
    use crate::rootfs::{Inode, InodeKind};

    fn link_to(target: &[u8]) -> Inode {
        Inode::new(InodeKind::Symlink { target: target.into() }, 0o777, 0)
    }

    fn tree() -> Rootfs {
        let mut rootfs = Rootfs::default();
        rootfs.insert(b"/usr/bin/app", Inode::new(InodeKind::File { size: 1 }, 0o755, 0));
        rootfs.insert(b"/bin", link_to(b"usr/bin"));
        rootfs.insert(b"/up", link_to(b"../../bin/../bin/app"));
        rootfs.insert(b"/gone", link_to(b"/bin/nothing"));
        rootfs.insert(b"/loop", link_to(b"loop"));
        rootfs.insert(b"/closed", Inode::new(InodeKind::Directory, 0o700, 0));
        rootfs.insert(b"/closed/in/app", Inode::new(InodeKind::File { size: 1 }, 0o755, 0));
        rootfs
    }

    fn walked(from: &str, path: &str, uid: u32) -> Result<String, Fault> {
        let rootfs = tree();
        let limits = Limits::default();
        let walker = Walker::new(&rootfs, &limits);
        let who = Credentials::of(&User { uid: Some(uid), gid: Some(uid), ..User::default() });
        let cwd = walker.walk(rootfs.root(), from.as_bytes(), &Credentials::default())?;
        walker.walk(cwd, path.as_bytes(), &who).map(|node| String::from_utf8(rootfs.path(node)).unwrap())
    }

    #[test]
    fn paths_are_walked_through_links_from_the_root_or_the_working_directory() {
        for (from, path) in
            [("/", "/bin/app"), ("/usr", "bin/app"), ("/bin", "./app"), ("/closed", "/up"), ("/usr/bin", "..//bin/app")]
        {
            assert_eq!(walked(from, path, 7).as_deref(), Ok("/usr/bin/app"), "{from} {path}");
        }
    }

    #[test]
    fn what_leads_nowhere_says_why() {
        assert_eq!(walked("/", "/bin/none", 7), Err(Fault::NotFound), "the link is fine");
        assert_eq!(walked("/", "/usr/none", 7), Err(Fault::NotFound));
        assert_eq!(walked("/", "/gone", 7), Err(Fault::DanglingLink(b"/gone".to_vec())));
        assert_eq!(walked("/", "/loop", 7), Err(Fault::TooManyLinks));
        assert_eq!(walked("/", "/usr/bin/app/", 7), Err(Fault::ParentNotADirectory(b"/usr/bin/app".to_vec())));
        assert_eq!(walked("/", "", 7), Err(Fault::NotFound));
    }

    #[test]
    fn every_directory_must_be_searchable_but_not_above_the_working_directory() {
        assert_eq!(walked("/", "/closed/in/app", 7), Err(Fault::Closed(b"/closed".to_vec())));
        assert!(walked("/", "/closed/in/app", 0).is_ok());
        assert!(walked("/closed/in", "./app", 7).is_ok());
        assert_eq!(walked("/closed", "in/app", 7), Err(Fault::Closed(b"/closed".to_vec())));
    }

    proptest::proptest! {
        #[test]
        fn arbitrary_paths_end_where_the_tree_says(path: Vec<u8>, target: Vec<u8>) {
            let mut rootfs = tree();
            rootfs.insert(b"/x", link_to(&target));
            let limits = Limits::default();
            let walker = Walker::new(&rootfs, &limits);
            for path in [path, b"/x".to_vec()] {
                if let Ok(node) = walker.walk(rootfs.root(), &path, &Credentials::default()) {
                    proptest::prop_assert_eq!(rootfs.resolve(&path, &limits), Ok(node));
                }
            }
        }
    }
}
