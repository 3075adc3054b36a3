//! What a user may do with a file: mode bits with uid, gid and supplementary groups, and root's bypass.

use crate::facts::users::User;
use crate::rootfs::Inode;

/// Search or execute.
pub(super) const EXECUTE: u16 = 1;
/// Read.
pub(super) const READ: u16 = 4;

/// Name of the extended attribute that holds an access control list, whose rules go beyond the mode.
const ACCESS_CONTROL_LIST: &[u8] = b"system.posix_acl_access";

/// The ids of a process. None: not known, and nothing is denied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Credentials(Option<Ids>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Ids {
    uid: u32,
    gid: u32,
    groups: Vec<u32>,
}

impl Credentials {
    pub(super) fn of(user: &User) -> Self {
        let ids = user.uid.zip(user.gid).filter(|_| user.problem.is_none());
        Self(ids.map(|(uid, gid)| Ids { uid, gid, groups: user.groups.clone() }))
    }

    /// Whether a directory may be searched or a file be read or executed (inode permission of path_resolution(7)). Root has
    /// `CAP_DAC_OVERRIDE` of the default set: everything but executing what nobody may.
    pub(super) fn may(&self, inode: &Inode, wanted: u16) -> bool {
        let Some(ids) = &self.0 else { return true };
        let has_list = inode.xattrs.iter().flat_map(|xattrs| xattrs.iter()).any(|one| *one.name == *ACCESS_CONTROL_LIST);
        if has_list {
            return true;
        }
        if ids.uid == 0 {
            return wanted != EXECUTE || inode.is_directory() || inode.mode & 0o111 != 0;
        }
        let shift = if inode.uid == ids.uid {
            6
        } else if inode.gid == ids.gid || ids.groups.contains(&inode.gid) {
            3
        } else {
            0
        };
        (inode.mode >> shift) & wanted == wanted
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rootfs::InodeKind;

    fn may(mode: u16, owner: (u32, u32), ids: (u32, u32, &[u32]), wanted: u16) -> bool {
        let inode = Inode { uid: owner.0, gid: owner.1, ..Inode::new(InodeKind::File { size: 1 }, mode, 0) };
        let user = User { uid: Some(ids.0), gid: Some(ids.1), groups: ids.2.to_vec(), ..User::default() };
        Credentials::of(&user).may(&inode, wanted)
    }

    #[test]
    fn the_first_class_that_fits_decides_as_in_the_kernel() {
        assert!(may(0o100, (7, 7), (7, 8, &[]), EXECUTE));
        assert!(!may(0o077, (7, 7), (7, 7, &[]), EXECUTE), "the owner's bits, though the group's would do");
        assert!(may(0o010, (0, 8), (7, 8, &[]), EXECUTE));
        assert!(may(0o010, (0, 9), (7, 8, &[3, 9]), EXECUTE), "a supplementary group");
        assert!(!may(0o701, (0, 9), (7, 8, &[9]), EXECUTE), "the group's bits, though those of others would do");
        assert!(may(0o001, (0, 0), (7, 8, &[9]), EXECUTE));
        assert!(!may(0o711, (0, 0), (7, 8, &[9]), READ));
    }

    #[test]
    fn root_needs_one_execute_bit_of_a_file_and_nothing_else() {
        assert!(may(0o001, (7, 7), (0, 0, &[]), EXECUTE));
        assert!(!may(0o666, (0, 0), (0, 0, &[]), EXECUTE));
        assert!(may(0, (7, 7), (0, 0, &[]), READ));
    }

    #[test]
    fn nothing_is_denied_to_a_user_that_is_not_known() {
        let file = Inode::new(InodeKind::File { size: 1 }, 0, 0);
        assert!(Credentials::default().may(&file, EXECUTE));
        assert!(Credentials::of(&User::default()).may(&file, EXECUTE));
    }
}
