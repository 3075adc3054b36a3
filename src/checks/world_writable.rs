//! `world-writable`: everybody in the container may change these files.
//!
//! Files below a folder that everybody may write to belong to the folder's finding, whatever their own modes: who writes to the folder
//! replaces them. Other files are one finding by folder.

use std::collections::BTreeMap;

use super::{Check, Family, Reference, evidence, wording};
use crate::facts::Image;
use crate::finding::{Evidence, Observation, Severity};
use crate::oci::escape;
use crate::rootfs::NodeId;

/// The check.
pub(super) static CHECK: Check = Check {
    id: "world-writable",
    title: "Files that everybody may write to",
    family: Family::Privilege,
    severity: Severity::Medium,
    what: "A regular file has write permission for others, or a folder has it without the sticky bit. Folders like `/tmp` with the sticky \
           bit are as they should be; `/dev`, `/proc` and `/sys` are mounted over when a container starts and do not count.",
    why: "Any process of the container, whatever its user, can change what others read or run: a script that root starts, the settings \
          of the application, the application itself.",
    fix: "Take the permission away in the instruction that gave it; give folders that several users share the sticky bit.",
    example: "COPY --chmod=0755 app/ /app/\nRUN chmod 1777 /var/spool/shared\n",
    references: &[
        Reference { name: "CWE-732", url: "https://cwe.mitre.org/data/definitions/732.html" },
        Reference { name: "NIST SP 800-190 4.1.2", url: "https://doi.org/10.6028/NIST.SP.800-190" },
    ],
    since: "0.1.0",
    run,
};

/// Mounted over by every runtime.
const MOUNTED: &[&[u8]] = &[b"dev", b"proc", b"sys"];

/// One cause: a folder, and what is in it.
#[derive(Debug, Default)]
struct Cause {
    is_open_folder: bool,
    files: u64,
    evidence: Vec<Evidence>,
}

fn run(image: &Image) -> Vec<Observation> {
    let mut causes: BTreeMap<Vec<u8>, Cause> = BTreeMap::new();
    let root = image.rootfs.root();
    // folders to look into, with the path of the open folder above them
    let mut folders: Vec<(NodeId, Vec<u8>, Option<Vec<u8>>)> = vec![(root, Vec::new(), None)];
    while let Some((folder, path, open)) = folders.pop() {
        let is_root = folder == root;
        for (name, node) in image.rootfs.children(folder).filter(|(name, _)| !is_root || !MOUNTED.contains(name)) {
            let inode = image.rootfs.inode(node);
            let is_everybodys = inode.mode & 0o002 != 0;
            let child = [&path[..], b"/", name].concat();
            if inode.is_directory() {
                let mut below = open.clone();
                if is_everybodys && inode.mode & 0o1000 == 0 {
                    let key = below.get_or_insert_with(|| child.clone()).clone();
                    let cause = causes.entry(key).or_default();
                    cause.is_open_folder = true;
                    cause.evidence.push(evidence::of_node(image, child.clone(), node));
                }
                folders.push((node, child, below));
            } else if inode.is_file() && is_everybodys {
                let key = open.clone().unwrap_or_else(|| if is_root { b"/".to_vec() } else { path.clone() });
                let cause = causes.entry(key).or_default();
                cause.files = cause.files.saturating_add(1);
                // the permission goes, the bytes stay
                cause.evidence.push(Evidence { bytes: 0, ..evidence::of_node(image, child, node) });
            }
        }
    }
    causes.into_iter().map(|(folder, cause)| observe(&folder, cause)).collect()
}

fn observe(folder: &[u8], cause: Cause) -> Observation {
    let subject = wording::path_key(folder);
    let files = wording::counted(cause.files, "file");
    let shown = escape(folder);
    let message = if cause.is_open_folder && cause.files > 0 {
        format!("Everybody may write to {shown}, and to {files} below it")
    } else if cause.is_open_folder {
        format!("Everybody may write to {shown}, which has no sticky bit")
    } else {
        let names = wording::names(evidence::base_names(&cause.evidence));
        format!("Everybody may write to {files} in {shown}: {names}")
    };
    Observation { subject, message, evidence: cause.evidence, ..Observation::default() }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Builder, paths};
    use super::*;

    #[test]
    fn fires_on_files_by_their_folder() {
        let mut builder = Builder::default();
        builder.file("/app/a", 1).with_mode("/app/a", 0o666, 0).file("/app/b", 1).with_mode("/app/b", 0o777, 7).file("/app/c", 1);
        builder.file("/x", 1).with_mode("/x", 0o646, 0);
        let seen = builder.run(&CHECK);
        let messages: Vec<_> = seen.iter().map(|one| one.message.as_str()).collect();
        assert_eq!(messages, ["Everybody may write to 1 file in /: x", "Everybody may write to 2 files in /app: a, b"]);
        assert_eq!(seen[1].subject, "/app");
    }

    #[test]
    fn fires_once_on_an_open_folder_with_all_below() {
        let mut builder = Builder::default();
        builder.directory("/data", 0o777).directory("/data/in", 0o777).directory("/data/own", 0o755);
        builder.file("/data/own/f", 1).with_mode("/data/own/f", 0o666, 0).file("/data/g", 1);
        let seen = builder.run(&CHECK);
        assert_eq!((seen.len(), seen[0].message.as_str()), (1, "Everybody may write to /data, and to 1 file below it"));
        assert_eq!(paths(&seen[0]), ["/data", "/data/in", "/data/own/f"]);
        let alone = Builder::default().directory("/tmp", 0o777).run(&CHECK);
        assert_eq!(alone[0].message, "Everybody may write to /tmp, which has no sticky bit");
    }

    #[test]
    fn is_silent_on_sticky_folders_links_and_mounted_file_systems() {
        let mut builder = Builder::default();
        builder.directory("/tmp", 0o1777).directory("/var/spool/x", 0o1733).link("/bin", "usr/bin").file("/app/a", 1);
        builder.directory("/dev", 0o777).file("/dev/null", 0).with_mode("/dev/null", 0o666, 0).directory("/proc/x", 0o777);
        assert!(builder.run(&CHECK).is_empty());
    }
}
