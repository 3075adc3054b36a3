//! The final tree, name by name, for `plimsoll ls`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{Progress, Reading, Request, run, translate};
use crate::oci::{Code, escape};
use crate::report::model::{EntryReport, ImageReport, Report};
use crate::rootfs::{Inode, InodeKind, Rootfs};
use crate::source;

/// Which of the two trees is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tree {
    /// What overlay runtimes mount.
    Stacked,
    /// What sequential unpackers make.
    Sequential,
}

/// One image's tree, for `plimsoll ls`.
#[derive(Debug)]
pub struct Listing {
    /// The entries, sorted by path bytes; None when the tree is not known: the report says why.
    pub entries: Option<Vec<EntryReport>>,
    /// The report of the same run.
    pub report: Report,
}

/// Lists the final tree of the one image that `request` selects.
#[must_use]
pub fn list(request: &Request, tree: Tree, digest_files: bool, progress: &Progress) -> Listing {
    let mut entries = None;
    let mut names = Vec::new();
    let report = run(request, &Reading { digest_files, name: None }, progress, |image, examined, _| {
        names.push(name(image));
        entries = examined.image.map(|image| match tree {
            Tree::Stacked => lines(&image.rootfs),
            Tree::Sequential => lines(&examined.sequential),
        });
    });
    match several(request, names, "ls lists one") {
        Some(report) => Listing { entries: None, report },
        None => Listing { entries, report },
    }
}

/// What an image is called in a choice.
pub(super) fn name(image: &ImageReport) -> String {
    let name = image.reference.clone().or_else(|| image.manifest_digest.clone()).or_else(|| image.config_digest.clone());
    let platform = image.platform.as_ref().map(|platform| format!("{}/{}", platform.os, platform.architecture));
    format!("{} ({})", name.unwrap_or_default(), platform.unwrap_or_default())
}

/// A refusal, when there are several images and `purpose` is for one.
pub(super) fn several(request: &Request, names: Vec<String>, purpose: &str) -> Option<Report> {
    (names.len() > 1).then(|| {
        let error = source::Error::Choice {
            code: Code::ArchiveSeveralImages,
            detail: format!("{} images are here, and {purpose}", names.len()),
            option: "--image or --platform",
            choices: names,
        };
        translate::refused(request, &error)
    })
}

fn lines(rootfs: &Rootfs) -> Vec<EntryReport> {
    let mut first_names: BTreeMap<u32, String> = BTreeMap::new();
    let entries = rootfs.entries();
    let mut lines = Vec::with_capacity(entries.len());
    for (path, node) in entries {
        let inode = rootfs.inode(node);
        let path = escape(&path);
        let first = first_names.entry(rootfs.inode_number(node)).or_insert_with(|| path.clone());
        let hardlink_of = (*first != path).then(|| first.clone());
        lines.push(line(path, hardlink_of, inode));
    }
    lines
}

/// One entry.
pub(super) fn line(path: String, hardlink_of: Option<String>, inode: &Inode) -> EntryReport {
    let (kind, size, linktarget, dev) = match &inode.kind {
        InodeKind::File { size } => ("file", Some(*size), None, None),
        InodeKind::Directory => ("dir", None, None, None),
        InodeKind::Symlink { target } => ("symlink", None, Some(escape(target)), None),
        InodeKind::CharDevice { device } => ("char", None, None, Some([device.0, device.1])),
        InodeKind::BlockDevice { device } => ("block", None, None, Some([device.0, device.1])),
        InodeKind::Fifo => ("fifo", None, None, None),
    };
    let digest = inode.content.as_ref().and_then(|content| content.sha256);
    let xattrs = inode.xattrs.iter().flat_map(|xattrs| xattrs.iter()).map(|xattr| (escape(&xattr.name), hex(&xattr.value)));
    EntryReport {
        path,
        r#type: kind.to_owned(),
        mode: format!("{:04o}", inode.mode),
        uid: inode.uid,
        gid: inode.gid,
        size,
        linktarget,
        dev,
        sha256: digest.map(|digest| hex(&digest)),
        xattrs: xattrs.collect(),
        hardlink_of,
        implied: inode.is_implied,
        layer: inode.layer,
    }
}

fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().saturating_mul(2));
    for byte in bytes {
        // writing to a String cannot fail
        let _ = write!(out, "{byte:02x}");
    }
    out
}
