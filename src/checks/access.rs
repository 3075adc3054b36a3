//! Who may write to what, by mode bits and owners (inode(7)). Root, who may write to everything, is not asked about.

use crate::facts::{Image, User};
use crate::rootfs::{Inode, NodeId};

/// Whether a user that is not root may change an inode. Its owner may, whatever the mode: an owner sets modes.
pub(super) fn may_change(user: &User, inode: &Inode) -> bool {
    let Some(uid) = user.uid else { return false };
    let is_in_group = user.gid == Some(inode.gid) || user.groups.contains(&inode.gid);
    if inode.uid == uid {
        return true;
    }
    inode.mode & if is_in_group { 0o020 } else { 0o002 } != 0
}

/// Whether the user of the image, who is known and not root, may write to a file or put another in its place. A sticky folder
/// protects what belongs to others.
pub(super) fn may_replace(image: &Image, node: NodeId) -> bool {
    if !is_ordinary(image) {
        return false;
    }
    let (user, inode) = (&image.user, image.rootfs.inode(node));
    let folder = image.rootfs.inode(image.rootfs.folder_of(node));
    let is_own_entry = folder.mode & 0o1000 == 0 || user.uid == Some(folder.uid) || user.uid == Some(inode.uid);
    may_change(user, inode) || (may_change(user, folder) && is_own_entry)
}

/// Whether the image's user is known and not root.
pub(super) fn is_ordinary(image: &Image) -> bool {
    image.user.uid.is_some_and(|uid| uid != 0)
}

#[cfg(test)]
mod tests {
    use super::super::testing::Builder;
    use super::super::tools;
    use super::*;

    fn replaced(mode: u16, owner: u32, folder_mode: u16, folder_owner: u32) -> bool {
        let mut builder = Builder::default();
        builder.directory("/app", 0o755).owned_by("/app", folder_mode, folder_owner, folder_owner);
        builder.file("/app/x", 1).owned_by("/app/x", mode, owner, owner).as_uid(1000);
        let image = builder.image();
        may_replace(&image, tools::entry(&image.rootfs, b"/app/x").unwrap())
    }

    #[test]
    fn owners_groups_and_everybody_write_by_mode() {
        assert!(replaced(0o644, 1000, 0o755, 0), "the owner");
        assert!(replaced(0o666, 0, 0o755, 0), "everybody");
        assert!(!replaced(0o644, 0, 0o755, 0));
        assert!(!replaced(0o664, 0, 0o775, 0), "another's group");
    }

    #[test]
    fn who_may_write_to_the_folder_replaces_the_file_unless_it_is_sticky() {
        assert!(replaced(0o644, 0, 0o755, 1000));
        assert!(replaced(0o644, 0, 0o777, 0));
        assert!(!replaced(0o644, 0, 0o1777, 0));
    }

    #[test]
    fn root_is_not_asked_about() {
        let mut builder = Builder::default();
        builder.file("/x", 1).as_uid(0);
        let image = builder.image();
        assert!(!may_replace(&image, tools::entry(&image.rootfs, b"/x").unwrap()));
    }
}
