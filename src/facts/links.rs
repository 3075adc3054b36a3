//! Where many symbolic links and paths end, each link followed once: linear in the bytes of all targets, however links
//! lead to links. [`Rootfs::resolve`] gives the same answers one by one.

use std::collections::HashMap;

use crate::limits::Limits;
use crate::rootfs::{NodeId, Rootfs};

/// Where a link ends (None: nowhere) and how many links were followed, itself included.
#[derive(Debug, Clone, Copy)]
struct End {
    node: Option<NodeId>,
    hops: u64,
}

const NOWHERE: End = End { node: None, hops: 1 };

/// A walk along a path. `link` is the link whose target it walks, None for a path that was asked for.
struct Walk<'p> {
    link: Option<NodeId>,
    rest: &'p [u8],
    at: NodeId,
    hops: u64,
}

/// How a step of a walk went.
enum Step {
    /// Something is left to walk.
    Onward,
    /// Another link must be followed first.
    Needs(NodeId),
    /// The walk ended.
    Done(Option<NodeId>),
}

/// Follows links with a memory.
#[derive(Debug)]
pub(super) struct Links<'a> {
    rootfs: &'a Rootfs,
    limits: &'a Limits,
    parents: HashMap<NodeId, NodeId>,
    /// None while a link is being followed: meeting it again is a loop.
    ends: HashMap<NodeId, Option<End>>,
}

impl<'a> Links<'a> {
    pub(super) fn new(rootfs: &'a Rootfs, limits: &'a Limits) -> Self {
        let mut parents = HashMap::new();
        let mut stack = vec![rootfs.root()];
        while let Some(directory) = stack.pop() {
            for (_, child) in rootfs.children(directory) {
                parents.insert(child, directory);
                if rootfs.inode(child).is_directory() {
                    stack.push(child);
                }
            }
        }
        Self { rootfs, limits, parents, ends: HashMap::new() }
    }

    /// The name that a link ends at.
    pub(super) fn end(&mut self, link: NodeId) -> Option<NodeId> {
        if let Some(end) = self.known_end(link) {
            return end.node;
        }
        self.ends.insert(link, None);
        let walk = self.walk_of(link);
        self.run(walk)
    }

    /// What a path from the root ends at, all links followed.
    pub(super) fn resolve(&mut self, path: &[u8]) -> Option<NodeId> {
        self.run(Walk { link: None, rest: path, at: self.rootfs.root(), hops: 0 })
    }

    /// Every name but the root, in no particular order.
    pub(super) fn nodes(&self) -> impl Iterator<Item = NodeId> {
        self.parents.keys().copied()
    }

    fn walk_of(&self, link: NodeId) -> Walk<'a> {
        let target = self.rootfs.inode(link).target().unwrap_or_default();
        let parent = self.parents.get(&link).copied();
        let at = parent.filter(|_| !target.starts_with(b"/")).unwrap_or(self.rootfs.root());
        Walk { link: Some(link), rest: target, at, hops: 1 }
    }

    /// Walks, and walks what has to be walked before; without recursion, since chains may be long.
    fn run<'p>(&mut self, first: Walk<'p>) -> Option<NodeId>
    where
        'a: 'p,
    {
        let mut stack = vec![first];
        let mut answer = None;
        while let Some(walk) = stack.last_mut() {
            match self.step(walk) {
                Step::Onward => {}
                Step::Needs(link) => {
                    self.ends.insert(link, None);
                    stack.push(self.walk_of(link));
                }
                Step::Done(node) => {
                    answer = node;
                    let end = End { node, hops: walk.hops };
                    if let Some(link) = walk.link {
                        self.ends.insert(link, Some(end));
                    }
                    stack.pop();
                }
            }
        }
        answer
    }

    fn step(&mut self, walk: &mut Walk<'_>) -> Step {
        if self.limits.symlink_hops(walk.hops).is_err() {
            return Step::Done(None);
        }
        if walk.rest.is_empty() {
            return Step::Done(Some(walk.at));
        }
        if !self.rootfs.inode(walk.at).is_directory() {
            return Step::Done(None);
        }
        let length = walk.rest.iter().position(|byte| *byte == b'/').unwrap_or(walk.rest.len());
        let (name, rest) = walk.rest.split_at_checked(length).unwrap_or_default();
        // the slash stays in front of a rest, so that "file/" asks for a directory
        let after = rest.strip_prefix(b"/").unwrap_or_default();
        let next = match name {
            b"" | b"." => walk.at,
            b".." => self.parents.get(&walk.at).copied().unwrap_or(self.rootfs.root()),
            _ => match self.rootfs.child(walk.at, name) {
                None => return Step::Done(None),
                Some(child) if self.rootfs.inode(child).target().is_some() => match self.known_end(child) {
                    None => return Step::Needs(child),
                    Some(end) => {
                        walk.hops = walk.hops.saturating_add(end.hops);
                        match end.node {
                            Some(node) => node,
                            None => return Step::Done(None),
                        }
                    }
                },
                Some(child) => child,
            },
        };
        if !rest.is_empty() && !self.rootfs.inode(next).is_directory() {
            return Step::Done(None);
        }
        walk.at = next;
        walk.rest = after;
        Step::Onward
    }

    /// The end of a link that was followed before; nowhere for what is no link, and for one that leads back to itself.
    fn known_end(&self, link: NodeId) -> Option<End> {
        if self.rootfs.inode(link).target().is_none_or(<[u8]>::is_empty) {
            return Some(NOWHERE);
        }
        self.ends.get(&link).map(|end| end.unwrap_or(NOWHERE))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rootfs::{Inode, InodeKind};

    fn link_to(target: &[u8]) -> Inode {
        Inode::new(InodeKind::Symlink { target: target.into() }, 0o777, 0)
    }

    fn file() -> Inode {
        Inode::new(InodeKind::File { size: 0 }, 0o644, 0)
    }

    #[test]
    fn links_end_where_their_targets_lead_inside_the_root() {
        let mut rootfs = Rootfs::default();
        let program = rootfs.insert(b"/usr/bin/ls", file());
        let names = [
            rootfs.insert(b"/bin", link_to(b"usr/bin")),
            rootfs.insert(b"/a/relative", link_to(b"../bin/ls")),
            rootfs.insert(b"/a/absolute", link_to(b"/bin/../bin//./ls")),
            rootfs.insert(b"/a/above", link_to(b"../../../usr/bin/ls")),
        ];
        for (path, target) in [("/a/gone", "nothing"), ("/a/file", "/bin/ls/"), ("/a/below", "/bin/ls/.."), ("/a/self", "self")] {
            rootfs.insert(path.as_bytes(), link_to(target.as_bytes()));
        }
        let limits = Limits::default();
        let mut links = Links::new(&rootfs, &limits);
        assert_eq!(
            names.map(|name| links.end(name)),
            [
                rootfs.child(rootfs.root(), b"usr").and_then(|usr| rootfs.child(usr, b"bin")),
                Some(program),
                Some(program),
                Some(program)
            ]
        );
        for path in [&b"/a/gone"[..], b"/a/file", b"/a/below", b"/a/self", b"/nothing", b"/bin/ls/"] {
            assert_eq!(links.resolve(path), None, "{}", path.escape_ascii());
        }
        assert_eq!(links.resolve(b"/bin/ls"), Some(program));
        assert_eq!(links.end(program), None);
    }

    #[test]
    fn forty_links_are_followed_and_one_more_is_not_whatever_is_asked_first() {
        let mut rootfs = Rootfs::default();
        let program = rootfs.insert(b"/l0", file());
        let names: Vec<_> =
            (1..=50).map(|n| rootfs.insert(format!("/l{n}").as_bytes(), link_to(format!("l{}", n - 1).as_bytes()))).collect();
        let limits = Limits::default();
        for order in [names.clone(), names.iter().rev().copied().collect()] {
            let mut links = Links::new(&rootfs, &limits);
            for name in order {
                links.end(name);
            }
            assert_eq!(links.end(names[39]), Some(program));
            assert_eq!(links.end(names[40]), None);
        }
    }

    proptest! {
        // but for a slash or a dot after a file, which only links here refuse, as the kernel does
        #[test]
        fn the_same_ends_as_one_by_one(
            links in proptest::collection::vec(("(/[abc]){1,3}", "/?([abc]|\\.\\.)(/([abc]|\\.\\.)){0,3}"), 0..12),
            paths in proptest::collection::vec("(/[abc]){1,3}", 0..6),
        ) {
            let mut rootfs = Rootfs::default();
            for path in &paths {
                rootfs.insert(path.as_bytes(), file());
            }
            for (path, target) in &links {
                rootfs.insert(path.as_bytes(), link_to(target.as_bytes()));
            }
            let limits = Limits::default();
            let mut memory = Links::new(&rootfs, &limits);
            for (path, _) in rootfs.entries() {
                prop_assert_eq!(memory.resolve(&path), rootfs.resolve(&path, &limits).ok(), "{}", path.escape_ascii());
            }
        }
    }
}
