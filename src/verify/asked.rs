//! The path that somebody asks about, found in a tree: through links, and when it is not there, what is there instead.

use std::collections::BTreeSet;

use crate::limits::Limits;
use crate::oci::{escape, unescape};
use crate::policy::likest;
use crate::rootfs::{NodeId, ResolveError, Rootfs};

/// Names of one folder that are compared with one that is not there.
const COMPARED: usize = 100_000;
/// Names that are proposed at most.
const PROPOSED: usize = 3;

/// A symbolic link that was followed: its path, and what it says.
pub(super) type Followed = (Vec<u8>, Vec<u8>);

/// A name that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// The name.
    pub(super) node: NodeId,
    /// Its path, in which no folder is a link.
    pub(super) path: Vec<u8>,
}

/// Finds `path` from the root; its folders may be links, its last name is not followed.
pub(super) fn find(rootfs: &Rootfs, path: &[u8], limits: &Limits) -> Result<Found, ResolveError> {
    let (folder, name) = split(path);
    let found = |node| Found { node, path: rootfs.path(node) };
    if matches!(name, b"" | b"." | b"..") {
        return rootfs.resolve(path, limits).map(found);
    }
    let folder = rootfs.resolve(folder, limits)?;
    if !rootfs.inode(folder).is_directory() {
        return Err(ResolveError::NotADirectory);
    }
    rootfs.child(folder, name).map(found).ok_or(ResolveError::NotFound)
}

/// Follows `found` to what is no link. The links are those on the way, also when it leads nowhere.
pub(super) fn follow(rootfs: &Rootfs, found: Found, limits: &Limits) -> (Vec<Followed>, Result<Found, ResolveError>) {
    let mut links = Vec::new();
    let mut at = found;
    while let Some(target) = rootfs.inode(at.node).target() {
        links.push((at.path.clone(), target.to_vec()));
        let hops = u64::try_from(links.len()).unwrap_or(u64::MAX);
        if limits.symlink_hops(hops).is_err() {
            return (links, Err(ResolveError::TooManyLinks));
        }
        if target.is_empty() {
            return (links, Err(ResolveError::NotFound));
        }
        let next = if target.first() == Some(&b'/') { target.to_vec() } else { [split(&at.path).0, b"/", target].concat() };
        match find(rootfs, &next, limits) {
            Ok(found) => at = found,
            Err(error) => return (links, Err(error)),
        }
    }
    (links, Ok(at))
}

/// The bytes that are meant: those given, or, where nothing has that name and they hold `\xNN`, the name that is shown so.
pub(super) fn meant(given: &[u8], is_there: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let shown = std::str::from_utf8(given).ok().filter(|_| given.contains(&b'\\')).and_then(unescape);
    shown.filter(|shown| !is_there(given) && is_there(shown)).unwrap_or_else(|| given.to_vec())
}

/// Absolute, without what means nothing: for messages, and to compare with names in layers.
pub(super) fn tidy(path: &[u8]) -> Vec<u8> {
    let mut names: Vec<&[u8]> = Vec::new();
    for name in path.split(|byte| *byte == b'/') {
        match name {
            b"" | b"." => {}
            b".." => drop(names.pop()),
            name => names.push(name),
        }
    }
    [b"/".as_slice(), &names.join(&b'/')].concat()
}

/// The last name of a path.
pub(super) fn last_name(path: &[u8]) -> Vec<u8> {
    let tidied = tidy(path);
    split(&tidied).1.to_vec()
}

/// The folder's part, without the slash before the last name, and the last name; a slash at the end means nothing.
fn split(path: &[u8]) -> (&[u8], &[u8]) {
    let end = path.iter().rposition(|byte| *byte != b'/').map_or(0, |at| at.saturating_add(1));
    let path = path.get(..end).unwrap_or_default();
    let name = path.iter().rposition(|byte| *byte == b'/').map_or(0, |at| at.saturating_add(1));
    (path.get(..name.saturating_sub(1)).unwrap_or_default(), path.get(name..).unwrap_or_default())
}

/// Paths that may be meant by one that is not there, escaped: names much like it in the folder as far as that exists, then files of
/// its last name in other folders.
pub(super) fn near(rootfs: &Rootfs, path: &[u8], limits: &Limits) -> Vec<String> {
    let tidied = tidy(path);
    let mut at = rootfs.root();
    let mut rest: Vec<&[u8]> = tidied.split(|byte| *byte == b'/').filter(|name| !name.is_empty()).collect();
    rest.reverse();
    while let Some(name) = rest.last() {
        let Some(child) = rootfs.child(at, name) else { break };
        let Ok(next) = rootfs.resolve(&rootfs.path(child), limits) else { break };
        at = next;
        rest.pop();
    }
    let Some(missing) = rest.pop().map(escape) else { return Vec::new() };
    let names: Vec<String> = rootfs.children(at).take(COMPARED).map(|(name, _)| escape(name)).collect();
    let folder = escape(&rootfs.path(at));
    let mut proposed: Vec<String> = Vec::new();
    for name in likest(&missing, names.iter().map(String::as_str)) {
        // the names behind it are those that were asked for
        let tail = rest.iter().rev().map(|name| escape(name)).fold(name.to_owned(), |path, name| path + "/" + &name);
        let whole = format!("{}/{tail}", folder.trim_end_matches('/'));
        let is_there = unescape(&whole).is_some_and(|path| find(rootfs, &path, limits).is_ok());
        proposed.extend(is_there.then_some(whole));
    }
    if proposed.is_empty() {
        proposed.extend(called(rootfs, &last_name(path)));
    }
    proposed
}

/// Paths, escaped, of files that have this name.
fn called(rootfs: &Rootfs, name: &[u8]) -> Vec<String> {
    let mut found = BTreeSet::new();
    let mut folders = vec![rootfs.root()];
    while let Some(folder) = folders.pop() {
        for (child_name, child) in rootfs.children(folder) {
            if child_name == name {
                found.insert(escape(&rootfs.path(child)));
            }
            if rootfs.inode(child).is_directory() {
                folders.push(child);
            }
        }
    }
    found.into_iter().take(PROPOSED).collect()
}

/// `: did you mean A or B?`, or nothing.
pub(super) fn did_you_mean(near: &[String]) -> String {
    if near.is_empty() { String::new() } else { format!("; did you mean {}?", near.join(" or ")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rootfs::{Inode, InodeKind};

    fn tree() -> Rootfs {
        let mut tree = Rootfs::default();
        let file = || Inode::new(InodeKind::File { size: 1 }, 0o644, 0);
        let link = |target: &[u8]| Inode::new(InodeKind::Symlink { target: target.into() }, 0o777, 0);
        for path in [&b"/etc/passwd"[..], b"/etc/group", b"/usr/bin/dash", b"/srv/a\nb", b"/srv/a\\b"] {
            tree.insert(path, file());
        }
        for (path, target) in [
            (&b"/bin"[..], &b"usr/bin"[..]),
            (b"/usr/bin/sh", b"dash"),
            (b"/sh", b"/bin/sh"),
            (b"/loop", b"loop"),
            (b"/gone", b"../../nowhere"),
        ] {
            tree.insert(path, link(target));
        }
        tree
    }

    fn limits() -> Limits {
        Limits::default()
    }

    fn found(path: &str) -> Result<String, ResolveError> {
        find(&tree(), path.as_bytes(), &limits()).map(|found| escape(&found.path))
    }

    #[test]
    fn folders_may_be_links_and_the_last_name_is_not_followed() {
        for path in ["/bin/sh", "bin/sh", "./bin//sh/", "/usr/bin/sh", "/../bin/sh"] {
            assert_eq!(found(path).unwrap(), "/usr/bin/sh", "{path}");
        }
        assert_eq!(found("/bin/..").unwrap(), "/usr");
        assert_eq!(found("/bin/.").unwrap(), "/usr/bin");
        assert_eq!(found("/bin").unwrap(), "/bin");
        assert_eq!(found("").unwrap(), "/");
        assert_eq!(found("/etc/passwd/x"), Err(ResolveError::NotADirectory));
        assert_eq!(found("/nothing"), Err(ResolveError::NotFound));
    }

    #[test]
    fn links_are_followed_one_by_one() {
        let tree = tree();
        let followed = |path: &str| {
            let (links, end) = follow(&tree, find(&tree, path.as_bytes(), &limits()).unwrap(), &limits());
            let links: Vec<String> = links.iter().map(|(at, to)| format!("{} {}", escape(at), escape(to))).collect();
            (links, end.map(|found| escape(&found.path)))
        };
        let expected = vec!["/sh /bin/sh".to_owned(), "/usr/bin/sh dash".to_owned()];
        assert_eq!(followed("/sh"), (expected, Ok("/usr/bin/dash".to_owned())));
        assert_eq!(followed("/gone"), (vec!["/gone ../../nowhere".to_owned()], Err(ResolveError::NotFound)));
        assert_eq!(followed("/loop").1, Err(ResolveError::TooManyLinks));
    }

    #[test]
    fn what_is_not_there_is_answered_with_what_is_like_it() {
        let near = |path: &str| near(&tree(), path.as_bytes(), &limits());
        assert_eq!(near("/etc/pasword"), ["/etc/passwd"]);
        assert_eq!(near("/ect/passwd"), ["/etc/passwd"]);
        assert_eq!(near("/opt/dash"), ["/usr/bin/dash"]);
        assert_eq!(near("/bin/dahs"), ["/usr/bin/dash"]);
        assert_eq!(near("/zzzz"), [] as [&str; 0]);
        assert_eq!(near("/etc/passwd"), [] as [&str; 0]);
    }

    #[test]
    fn a_name_may_be_given_as_it_is_shown() {
        let tree = tree();
        let is_there = |path: &[u8]| find(&tree, path, &limits()).is_ok();
        assert_eq!(meant(br"/srv/a\x0ab", is_there), b"/srv/a\nb");
        assert_eq!(meant(br"/srv/a\b", is_there), br"/srv/a\b");
        assert_eq!(meant(br"/srv/a\\b", is_there), br"/srv/a\b");
        assert_eq!(meant(br"/srv/\x00", is_there), br"/srv/\x00");
    }

    proptest::proptest! {
        #[test]
        fn no_path_panics(path: Vec<u8>) {
            let tree = tree();
            let _ = (find(&tree, &path, &limits()), near(&tree, &path, &limits()), last_name(&path));
            proptest::prop_assert_eq!(tidy(&tidy(&path)), tidy(&path));
        }
    }
}
