//! Following symbolic links inside the root, as a process whose root is the image would.

use super::walk::Names;
use super::{NodeId, Rootfs};
use crate::limits::Limits;

/// Why a path ends nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// A name on the way does not exist.
    #[error("does not exist")]
    NotFound,
    /// A name on the way is no directory.
    #[error("a parent is not a directory")]
    NotADirectory,
    /// More links than the kernel follows.
    #[error("more than 40 symbolic links")]
    TooManyLinks,
}

impl Rootfs {
    /// Follows `path` from the root to its end, links included; `..` above the root stays at the root (path_resolution(7)).
    pub fn resolve(&self, path: &[u8], limits: &Limits) -> Result<NodeId, ResolveError> {
        let mut names = Names::of(path);
        let mut at = self.root();
        while let Some((name, _)) = names.next_name() {
            if !self.inode(at).is_directory() {
                return Err(ResolveError::NotADirectory);
            }
            if name == b".." {
                at = NodeId(self.parent(at.0));
                continue;
            }
            let child = self.child(at, &name).ok_or(ResolveError::NotFound)?;
            let Some(target) = self.inode(child).target() else {
                at = child;
                continue;
            };
            if target.is_empty() {
                return Err(ResolveError::NotFound);
            }
            names.follow(target, limits).map_err(|_| ResolveError::TooManyLinks)?;
            if target.first() == Some(&b'/') {
                at = self.root();
            }
        }
        Ok(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rootfs::{Inode, InodeKind};

    fn tree() -> Rootfs {
        let mut tree = Rootfs::default();
        let link = |target: &[u8]| Inode::new(InodeKind::Symlink { target: target.into() }, 0o777, 0);
        tree.insert(b"/usr/bin/sh", Inode::new(InodeKind::File { size: 1 }, 0o755, 0));
        tree.insert(b"/bin", link(b"usr/bin"));
        tree.insert(b"/abs", link(b"/usr/bin/sh"));
        tree.insert(b"/usr/up", link(b"../../../bin/./sh"));
        tree.insert(b"/usr/bin/self", link(b"sh"));
        tree.insert(b"/loop", link(b"loop"));
        tree.insert(b"/dangling", link(b"nowhere"));
        tree.insert(b"/empty", link(b""));
        tree
    }

    fn resolved(path: &[u8]) -> Result<Vec<u8>, ResolveError> {
        let tree = tree();
        tree.resolve(path, &Limits::default()).map(|id| tree.path(id))
    }

    #[test]
    fn links_resolve_inside_the_root() {
        for path in [&b"/bin/sh"[..], b"/abs", b"/usr/up", b"/bin/self", b"bin//./sh", b"/../bin/../bin/sh", b"/usr/bin/sh"] {
            assert_eq!(resolved(path).unwrap(), b"/usr/bin/sh", "{}", path.escape_ascii());
        }
    }

    #[test]
    fn dot_dot_after_a_link_leaves_the_links_target() {
        assert_eq!(resolved(b"/bin/..").unwrap(), b"/usr");
        assert_eq!(resolved(b"/").unwrap(), b"/");
        assert_eq!(resolved(b"").unwrap(), b"/");
        assert_eq!(resolved(b"/../..").unwrap(), b"/");
    }

    #[test]
    fn what_leads_nowhere_says_why() {
        assert_eq!(resolved(b"/loop"), Err(ResolveError::TooManyLinks));
        assert_eq!(resolved(b"/loop/x"), Err(ResolveError::TooManyLinks));
        assert_eq!(resolved(b"/dangling"), Err(ResolveError::NotFound));
        assert_eq!(resolved(b"/empty"), Err(ResolveError::NotFound));
        assert_eq!(resolved(b"/usr/bin/sh/x"), Err(ResolveError::NotADirectory));
        assert_eq!(resolved(b"/abs/.."), Err(ResolveError::NotADirectory));
    }

    #[test]
    fn forty_links_are_followed_and_no_more() {
        let mut tree = Rootfs::default();
        tree.insert(b"/l0", Inode::new(InodeKind::File { size: 0 }, 0o644, 0));
        for number in 1..=41 {
            let target = format!("l{}", number - 1).into_bytes().into();
            tree.insert(format!("/l{number}").as_bytes(), Inode::new(InodeKind::Symlink { target }, 0o777, 0));
        }
        assert!(tree.resolve(b"/l40", &Limits::default()).is_ok());
        assert_eq!(tree.resolve(b"/l41", &Limits::default()), Err(ResolveError::TooManyLinks));
    }

    proptest::proptest! {
        #[test]
        fn arbitrary_paths_and_links_never_panic_and_end_in_the_tree(path: Vec<u8>, target: Vec<u8>) {
            let mut tree = tree();
            tree.insert(b"/x", Inode::new(InodeKind::Symlink { target: target.into() }, 0o777, 0));
            for path in [path, b"/x".to_vec()] {
                if let Ok(id) = tree.resolve(&path, &Limits::default()) {
                    let path = tree.path(id);
                    proptest::prop_assert_eq!(tree.resolve(&path, &Limits::default()), Ok(id));
                }
            }
        }
    }
}
