//! What single checks need besides files: bodies, attributes, owners, and facts set by hand.

use std::sync::Arc;

use super::Builder;
use crate::checks::{Check, tools};
use crate::facts::{ConfigFile, ConfigKind, Content, Image, User};
use crate::finding::Observation;
use crate::rootfs::{Inode, InodeKind};

impl Builder {
    /// What a check sees in the image once `change` has set facts of it.
    pub(in crate::checks) fn run_with(&mut self, check: &Check, change: impl FnOnce(&mut Image)) -> Vec<Observation> {
        let mut image = self.image();
        change(&mut image);
        (check.run)(&image)
    }

    /// The message of the only thing that a check sees in the image.
    pub(in crate::checks) fn message(&mut self, check: &Check) -> String {
        let seen = self.run(check);
        assert_eq!(seen.len(), 1, "{seen:?}");
        seen[0].message.clone()
    }

    /// A file whose body was kept.
    pub(in crate::checks) fn text(&mut self, path: &str, body: &str) -> &mut Self {
        let content = Content { body: Some(body.as_bytes().into()), ..Content::default() };
        let size = u64::try_from(body.len()).unwrap();
        self.add(path, InodeKind::File { size }, 0o644, content)
    }

    /// Gives a name another mode, owner and group.
    pub(in crate::checks) fn owned_by(&mut self, path: &str, mode: u16, uid: u32, gid: u32) -> &mut Self {
        let inode = Inode { mode, uid, gid, ..self.rootfs.inode(self.node(path)).clone() };
        let is_directory = inode.is_directory();
        if is_directory {
            assert!(self.rootfs.children(self.node(path)).next().is_none(), "{path} would lose its children");
        }
        self.rootfs.insert(path.as_bytes(), inode);
        self
    }

    /// The container runs as this user, in groups of the same number.
    pub(in crate::checks) fn as_uid(&mut self, uid: u32) -> &mut Self {
        self.user(User { configured: uid.to_string(), uid: Some(uid), gid: Some(uid), groups: Vec::new(), problem: None })
    }
}

/// What a check sees in one configuration file.
pub(in crate::checks) fn run_on_config(check: &Check, kind: ConfigKind, path: &str, body: &str) -> Vec<Observation> {
    Builder::default().text(path, body).run_with(check, |image| add_config(image, kind, path))
}

/// Takes a file of the image for a configuration file.
pub(in crate::checks) fn add_config(image: &mut Image, kind: ConfigKind, path: &str) {
    let node = tools::entry(&image.rootfs, path.as_bytes()).unwrap();
    image.config_files.push(ConfigFile::new(&image.rootfs, kind, path.as_bytes().to_vec(), node));
}

/// Sets an extended attribute of a file.
pub(in crate::checks) fn xattr(builder: &mut Builder, path: &str, name: &str, value: &[u8]) {
    let xattr = crate::facts::Xattr { name: name.as_bytes().to_vec(), value: value.to_vec() };
    let inode = Inode { xattrs: Some(Arc::from([xattr])), ..builder.rootfs.inode(builder.node(path)).clone() };
    builder.rootfs.insert(path.as_bytes(), inode);
}
