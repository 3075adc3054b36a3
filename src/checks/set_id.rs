//! Files with a set-user-ID or set-group-ID bit, judged: the distribution's own, inert ones, and all others.

use std::collections::BTreeMap;

use super::{evidence, tools, wording};
use crate::facts::Image;
use crate::finding::{Evidence, Observation, Severity};
use crate::oci::escape;
use crate::rootfs::{Inode, NodeId, Rootfs};

/// Which bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bit {
    /// The mode bit.
    pub(super) mask: u16,
    /// What it is called in messages.
    pub(super) label: &'static str,
    /// How much a file of the distribution's own set matters.
    pub(super) known: Severity,
    /// How much a file matters that the kernel ignores the bit on.
    pub(super) inert: Severity,
    /// How much any other file matters.
    pub(super) unknown: Severity,
}

/// One observation for the distribution's own set, and one for every other file with all its names.
pub(super) fn observe(image: &Image, bit: Bit) -> Vec<Observation> {
    let mut inodes: BTreeMap<u32, Vec<(Vec<u8>, NodeId)>> = BTreeMap::new();
    for (path, node) in image.rootfs.entries() {
        let inode = image.rootfs.inode(node);
        if inode.is_file() && inode.mode & bit.mask != 0 {
            inodes.entry(image.rootfs.inode_number(node)).or_default().push((path, node));
        }
    }
    let mut known = Vec::new();
    let mut others: Vec<(Vec<u8>, Observation)> = Vec::new();
    for names in inodes.into_values() {
        let Some((path, node)) = names.first().cloned() else { continue };
        let inode = image.rootfs.inode(node);
        let seen = evidence_of(image, &names);
        let reason = inert(inode, bit).map(|reason| (bit.inert, reason.to_owned()));
        match reason.or_else(|| suspicion(image, &names, inode).map(|reason| (bit.unknown, reason))) {
            None => known.extend(seen),
            Some((severity, reason)) => {
                let message =
                    format!("{} is {} ({:04o} {}:{}): {reason}", escape(&path), bit.label, inode.mode, inode.uid, inode.gid);
                let fix =
                    is_owned(image, node).then(|| format!("Remove the bit in the final stage: chmod u-s,g-s {}", escape(&path)));
                let (severity, subject) = (Some(severity), wording::path_key(&path));
                let observation = Observation { severity, subject, message, evidence: seen, fix, ..Observation::default() };
                others.push((path, observation));
            }
        }
    }
    others.sort_by(|a, b| a.0.cmp(&b.0));
    let mut observations: Vec<_> = others.into_iter().map(|(_, observation)| observation).collect();
    if !known.is_empty() {
        let files = wording::counted(wording::count(known.len()), "file");
        let names = wording::names(evidence::base_names(&known));
        let message = format!("{files} of the distribution's usual {} set: {names}", bit.label);
        let (severity, subject) = (Some(bit.known), "distribution".to_owned());
        observations.push(Observation { severity, subject, message, evidence: known, ..Observation::default() });
    }
    observations
}

fn evidence_of(image: &Image, names: &[(Vec<u8>, NodeId)]) -> Vec<Evidence> {
    let mut seen: Vec<_> = names.iter().map(|(path, node)| evidence::of_node(image, path.clone(), *node)).collect();
    seen.iter_mut().skip(1).for_each(|further| further.bytes = 0);
    seen
}

/// Why the kernel ignores the bit, if it does.
fn inert(inode: &Inode, bit: Bit) -> Option<&'static str> {
    let has_shebang = inode.content.as_deref().is_some_and(|content| content.shebang.is_some());
    if inode.mode & 0o111 == 0 {
        Some("inert while nobody may execute it")
    } else if bit.mask == 0o2000 && inode.mode & 0o010 == 0 {
        Some("inert while its group may not execute it")
    } else if has_shebang {
        Some("inert, since Linux ignores the bit on scripts")
    } else {
        None
    }
}

/// Why a file is not of the distribution's own set; None when it is.
fn suspicion(image: &Image, names: &[(Vec<u8>, NodeId)], inode: &Inode) -> Option<String> {
    let (_, node) = names.first()?;
    let folders = names.iter().find_map(|(path, _)| writable_folder(&image.rootfs, path));
    if let Some(folder) = folders {
        return Some(format!("it lies below {}, which everybody may write to", escape(&folder)));
    }
    if inode.mode & 0o022 != 0 {
        return Some("others than its owner may write to it".to_owned());
    }
    let Some((package, owned)) = image.packages.owner(&image.rootfs, *node) else {
        return Some("no package owns it".to_owned());
    };
    if inode.uid != 0 {
        return Some(format!("it belongs to uid {}, not to root", inode.uid));
    }
    if let Some(recorded) = owned.mode.map(|mode| mode & 0o7777).filter(|recorded| *recorded != inode.mode) {
        return Some(format!("package {} records mode {recorded:04o}", escape(package.name.as_bytes())));
    }
    (!names.iter().all(|(path, _)| is_usual(path)))
        .then(|| format!("package {} brought it, and it is not of the distributions' usual set", escape(package.name.as_bytes())))
}

fn is_owned(image: &Image, node: NodeId) -> bool {
    tools::owner(image, node).is_some()
}

/// A folder above `path` that everybody may write to.
fn writable_folder(rootfs: &Rootfs, path: &[u8]) -> Option<Vec<u8>> {
    let cuts = path.iter().enumerate().filter(|(at, byte)| **byte == b'/' && *at > 0).map(|(at, _)| at);
    cuts.filter_map(|at| path.get(..at)).find_map(|folder| {
        let node = tools::entry(rootfs, folder)?;
        (rootfs.inode(node).mode & 0o002 != 0).then(|| folder.to_vec())
    })
}

/// Whether Debian, Ubuntu, Alpine, the Red Hat family or SUSE ship a set-id file of that name in that kind of folder, or one with
/// capabilities instead.
pub(super) fn is_usual(path: &[u8]) -> bool {
    let Ok(path) = std::str::from_utf8(path) else { return false };
    let name = path.rsplit('/').next().unwrap_or_default();
    USUAL_FOLDERS.iter().any(|folder| path.starts_with(folder)) && USUAL_NAMES.contains(&name)
}

const USUAL_FOLDERS: &[&str] =
    &["/bin/", "/sbin/", "/usr/bin/", "/usr/sbin/", "/usr/lib/", "/lib/", "/usr/lib64/", "/lib64/", "/usr/libexec/"];
const USUAL_NAMES: &[&str] = &[
    // shadow, util-linux, PAM
    "su",
    "passwd",
    "chsh",
    "chfn",
    "gpasswd",
    "newgrp",
    "sg",
    "mount",
    "umount",
    "chage",
    "expiry",
    "unix_chkpwd",
    "unix2_chkpwd",
    "unix_update",
    "pam_timestamp_check",
    "pam_extrausers_chkpwd",
    "newuidmap",
    "newgidmap",
    "wall",
    "write",
    "write.ul",
    "bsd-write",
    "login",
    "userhelper",
    "crontab",
    "at",
    "vlock-main",
    "grub2-set-bootflag",
    "utempter",
    "ksu",
    "chkstat",
    // sudo and its like, polkit, D-Bus
    "sudo",
    "sudoedit",
    "doas",
    "pkexec",
    "polkit-agent-helper-1",
    "dbus-daemon-launch-helper",
    // networks and file systems
    "ping",
    "ping6",
    "traceroute6.iputils",
    "clockdiff",
    "arping",
    "mtr-packet",
    "ssh-keysign",
    "ssh-agent",
    "fusermount",
    "fusermount3",
    "mount.nfs",
    "mount.cifs",
    "umount.nfs",
    "ntfs-3g",
    "pppd",
    "plocate",
    "mlocate",
    "locate",
    "slocate",
    "screen",
    "bbsuid",
    "exim4",
    "sendmail.sendmail",
    "postdrop",
    "postqueue",
    "mail-lock",
    "mail-touchlock",
    "mail-unlock",
    "dotlockfile",
];
