//! The files whose content the facts need, and reading them through the tree's links.

use super::NotExamined;
use super::links::Links;
use crate::limits::{LimitHit, Limits};
use crate::oci::{ImageConfig, Place};
use crate::rootfs::{NodeId, Rootfs};

/// How large a file may be.
type Cap = fn(&Limits, u64) -> Result<(), LimitHit>;

const USER_DATABASES: [&[u8]; 3] = [b"/etc/passwd", b"/etc/group", b"/etc/shadow"];

/// Names of files whose bodies the facts need and whose content was not kept while the layers streamed by; sorted.
/// Files over the limits are not among them: [`super::gather`] reports those.
#[must_use]
pub fn missing_bodies(rootfs: &Rootfs, config: &ImageConfig, limits: &Limits) -> Vec<NodeId> {
    let mut bodies = Bodies::new(rootfs, limits);
    let databases = super::packages::wanted(rootfs, &mut bodies.links);
    let with = |cap: Cap| move |path: Vec<u8>| (path, cap);
    let users = USER_DATABASES.map(<[u8]>::to_vec).into_iter().map(with(Limits::user_database_bytes));
    let releases = super::os_release::PATHS.map(<[u8]>::to_vec).into_iter().map(with(Limits::kept_file_bytes));
    let tests = super::test_files::wanted(rootfs).into_iter().map(with(Limits::kept_file_bytes));
    let applications = super::applications::wanted(rootfs).into_iter().map(with(Limits::kept_file_bytes));
    let settings = super::config_files::wanted(rootfs).into_iter().map(with(Limits::kept_file_bytes));
    let linking = super::linking::wanted(rootfs, &mut bodies.links).into_iter().map(with(Limits::linker_file_bytes));
    let databases = databases.into_iter().map(with(Limits::package_database_bytes));
    let mut missing: Vec<_> = users
        .chain(releases)
        .chain(databases)
        .chain(tests)
        .chain(applications)
        .chain(settings)
        .chain(linking)
        .filter_map(|(path, cap)| Some((bodies.links.resolve(&path)?, cap)))
        .filter(|(id, cap)| {
            let inode = rootfs.inode(*id);
            let has_body = inode.content.as_ref().is_some_and(|content| content.body.is_some());
            inode.is_file() && !has_body && inode.size() > 0 && cap(limits, inode.size()).is_ok()
        })
        .map(|(id, _)| id)
        .collect();
    missing.extend(super::startup::wanted(config, &mut bodies));
    missing.sort_unstable();
    missing.dedup();
    missing
}

/// Reads bodies, and remembers what could not be read.
#[derive(Debug)]
pub(super) struct Bodies<'a> {
    pub(super) rootfs: &'a Rootfs,
    pub(super) limits: &'a Limits,
    pub(super) links: Links<'a>,
    pub(super) not_examined: Vec<NotExamined>,
}

impl<'a> Bodies<'a> {
    pub(super) fn new(rootfs: &'a Rootfs, limits: &'a Limits) -> Self {
        Self { rootfs, limits, links: Links::new(rootfs, limits), not_examined: Vec::new() }
    }

    /// The body of the regular file at `path`, through links. None when there is none, or it could not be read: the
    /// latter is remembered.
    pub(super) fn read(&mut self, path: &[u8], cap: Cap) -> Option<&'a [u8]> {
        match self.body(path, cap)? {
            Ok(body) => Some(body),
            Err(reason) => {
                self.report(path, reason);
                None
            }
        }
    }

    /// As [`Self::read`], but it is for the caller to say what could not be read.
    pub(super) fn body(&mut self, path: &[u8], cap: Cap) -> Option<Result<&'a [u8], String>> {
        let inode = self.rootfs.inode(self.links.resolve(path)?);
        if !inode.is_file() {
            return None;
        }
        if let Err(hit) = cap(self.limits, inode.size()) {
            return Some(Err(hit.to_string()));
        }
        let body = inode.content.as_ref().and_then(|content| content.body.as_deref());
        Some(match body {
            Some(body) => Ok(body),
            None if inode.size() == 0 => Ok(&[]),
            None => Err("its content was not kept".to_owned()),
        })
    }

    /// `/etc/passwd`, `/etc/group` or `/etc/shadow`.
    pub(super) fn user_database(&mut self, path: &[u8]) -> Option<&'a [u8]> {
        self.read(path, Limits::user_database_bytes)
    }

    pub(super) fn report(&mut self, path: &[u8], reason: String) {
        self.not_examined.push((Place::path(path), reason));
    }
}

#[cfg(test)]
pub(super) fn file_with(body: &[u8]) -> crate::rootfs::Inode {
    use crate::layer::Content;
    use crate::rootfs::{Inode, InodeKind};

    let content = Content { body: Some(body.into()), ..Content::default() };
    let size = body.len() as u64;
    Inode { content: Some(content.into()), ..Inode::new(InodeKind::File { size }, 0o644, 0) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oci::{Platform, RuntimeConfig};
    use crate::rootfs::{Inode, InodeKind};

    fn file_of(size: u64) -> Inode {
        Inode::new(InodeKind::File { size }, 0o644, 0)
    }

    fn link_to(target: &[u8]) -> Inode {
        Inode::new(InodeKind::Symlink { target: target.into() }, 0o777, 0)
    }

    #[test]
    fn what_facts_need_and_has_no_body_is_missing() {
        let mut rootfs = Rootfs::default();
        let expected = [
            rootfs.insert(b"/opt/pw", file_of(5)),
            rootfs.insert(b"/etc/os-release", file_of(5)),
            rootfs.insert(b"/var/lib/dpkg/status", file_of(5)),
            rootfs.insert(b"/var/lib/dpkg/info/bash.list", file_of(5)),
            rootfs.insert(b"/var/lib/dpkg/status.d/base", file_of(5)),
            rootfs.insert(b"/lib/apk/db/installed", file_of(5)),
            rootfs.insert(b"/var/lib/rpm/rpmdb.sqlite", file_of(5)),
            rootfs.insert(b"/var/lib/rpm/Packages.db", file_of(200 * 1024 * 1024)),
        ];
        rootfs.insert(b"/etc/passwd", link_to(b"/opt/pw"));
        rootfs.insert(b"/etc/group", file_with(b"here"));
        rootfs.insert(b"/usr/lib/os-release", file_of(0));
        rootfs.insert(b"/var/lib/dpkg/info/bash.postinst", file_of(5));
        rootfs.insert(b"/usr/lib/sysimage/rpm/Packages.db", file_of(257 * 1024 * 1024));
        rootfs.insert(b"/usr/lib/sysimage/rpm/Packages", Inode::new(InodeKind::Directory, 0o755, 0));
        let platform = Platform { os: "linux".into(), architecture: "amd64".into(), variant: None };
        let (runtime, diff_ids, history) = (RuntimeConfig::default(), Vec::new(), Vec::new());
        let config = ImageConfig { platform, runtime, diff_ids, history, created: None, author: None };
        assert_eq!(missing_bodies(&rootfs, &config, &Limits::default()), expected);
    }

    #[test]
    fn a_file_that_cannot_be_read_is_reported_and_an_absent_one_is_not() {
        let mut rootfs = Rootfs::default();
        rootfs.insert(b"/etc/passwd", file_of(11 * 1024 * 1024));
        rootfs.insert(b"/etc/group", file_of(5));
        rootfs.insert(b"/etc/os-release", file_of(0));
        let limits = Limits::default();
        let mut bodies = Bodies::new(&rootfs, &limits);
        assert_eq!(bodies.user_database(b"/etc/passwd"), None);
        assert_eq!(bodies.user_database(b"/etc/group"), None);
        assert_eq!(bodies.user_database(b"/etc/shadow"), None);
        assert_eq!(bodies.user_database(b"/etc/os-release"), Some(&b""[..]));
        let reasons: Vec<_> = bodies.not_examined.iter().map(|(_, reason)| reason.as_str()).collect();
        assert_eq!(reasons.len(), 2);
        assert!(reasons[0].contains("user-database-bytes"), "{reasons:?}");
        assert!(reasons[1].contains("not kept"), "{reasons:?}");
    }
}
