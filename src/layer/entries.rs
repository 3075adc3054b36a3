//! One tar entry to one [`Change`]: names cleaned, whiteouts told from files, ids and modes as runtimes apply them.

use std::sync::Arc;

use super::path::{Fault, check_target, clean};
use super::{Change, ChangeKind, Error, LayerIndex, Xattr};
use crate::archive::tar::{Entry, EntryKind};
use crate::limits::Limits;
use crate::oci::{Code, Remark};

/// Prefix of the base name of a whiteout (image-spec, layer.md).
const WHITEOUT: &[u8] = b".wh.";
/// The opaque whiteout.
const OPAQUE: &[u8] = b".wh..wh..opq";
/// Prefix that aufs reserved for itself.
const RESERVED: &[u8] = b".wh..wh.";
/// What aufs kept in layers: link store, its superblock file, orphans.
const AUFS: [&[u8]; 3] = [b".wh..wh.plnk", b".wh..wh.aufs", b".wh..wh.orph"];

/// Remarks of one code that are kept of a layer; further ones are counted in one last remark.
const REMARKS_PER_CODE: u64 = 1_000;

/// Buffers that are used again for every entry.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    path: Vec<u8>,
    link: Vec<u8>,
    remarks: Remarks,
}

/// Counts remarks by code, so that a layer of odd entries does not fill the memory.
#[derive(Debug, Default)]
pub(super) struct Remarks {
    counts: std::collections::BTreeMap<Code, u64>,
}

impl Remarks {
    fn push(&mut self, index: &mut LayerIndex, remark: Remark) {
        let count = self.counts.entry(remark.code).or_default();
        *count = count.saturating_add(1);
        if *count <= REMARKS_PER_CODE {
            index.remarks.push(remark);
        }
    }
}

impl Scratch {
    /// Says how many remarks were counted and not kept.
    pub(super) fn finish(&self, index: &mut LayerIndex) {
        for (code, count) in &self.remarks.counts {
            let more = count.saturating_sub(REMARKS_PER_CODE);
            if more > 0 {
                let detail = format!("and {more} more in this layer");
                index.remarks.push(Remark { code: *code, place: crate::oci::Place::default(), detail });
            }
        }
    }

    /// The clean path of the last entry.
    pub(super) fn path(&self) -> &[u8] {
        &self.path
    }
}

/// Adds `entry` to the index. Err is what no tree can be made of; then nothing was added.
pub(super) fn add(entry: Entry, scratch: &mut Scratch, limits: &Limits, index: &mut LayerIndex) -> Result<(), Error> {
    let is_odd = clean(&entry.path, limits, &mut scratch.path).map_err(|fault| refuse(&entry, fault, ""))?;
    if scratch.path == b"/" && entry.kind != EntryKind::Directory && entry.kind != EntryKind::PaxGlobal {
        let fault = Fault::Name(Code::RootNotDirectory, format!("the root as {}", word(entry.kind)));
        return Err(refuse(&entry, fault, ""));
    }
    let is_odd_link = set_link(&entry, limits, scratch)?;
    let mut remark = |code, detail: String| {
        let remark = Remark::at(code, scratch.path.as_slice(), detail);
        scratch.remarks.push(index, remark);
    };
    for (code, detail) in &entry.remarks {
        remark(*code, detail.clone());
    }
    if is_odd {
        remark(Code::PathNotNormal, format!("written as {}", crate::oci::escape(&entry.path)));
    }
    if is_odd_link {
        remark(Code::PathNotNormal, format!("link target written as {}", crate::oci::escape(&entry.link)));
    }
    metadata_remarks(&entry, &scratch.path, &mut remark);
    let (kind, length) = whiteout(&entry, &scratch.path, &mut remark)?;
    push(entry, kind, length, scratch, index);
    Ok(())
}

/// Fills `scratch.link`; returns whether a hard link's target was spelled oddly.
fn set_link(entry: &Entry, limits: &Limits, scratch: &mut Scratch) -> Result<bool, Error> {
    scratch.link.clear();
    match entry.kind {
        EntryKind::HardLink => {
            clean(&entry.link, limits, &mut scratch.link).map_err(|fault| refuse(entry, fault, "hard link target: "))
        }
        EntryKind::Symlink => {
            check_target(&entry.link, limits).map_err(|fault| refuse(entry, fault, ""))?;
            scratch.link.extend_from_slice(&entry.link);
            Ok(false)
        }
        _ => Ok(false),
    }
}

fn refuse(entry: &Entry, fault: Fault, what: &str) -> Error {
    match fault {
        Fault::Limit(hit) => Error::Limit(hit),
        Fault::Name(code, detail) => {
            Error::Entry { code, path: entry.path.clone(), offset: entry.offset, detail: format!("{what}{detail}") }
        }
    }
}

/// What the entry does, and how many bytes of its path name what it does it to.
fn whiteout(entry: &Entry, path: &[u8], remark: &mut impl FnMut(Code, String)) -> Result<(ChangeKind, Target), Error> {
    let slash = path.iter().rposition(|byte| *byte == b'/').unwrap_or_default();
    let base = path.get(slash.saturating_add(1)..).unwrap_or_default();
    parents_remark(path.get(..slash).unwrap_or_default(), remark);
    if !base.starts_with(WHITEOUT) {
        return Ok((ordinary(entry.kind), Target::Entry));
    }
    if matches!(base, b".wh." | b".wh.." | b".wh...") {
        let fault = Fault::Name(Code::WhiteoutInvalidName, "a whiteout of nothing, `.` or `..`".to_owned());
        return Err(refuse(entry, fault, ""));
    }
    if AUFS.contains(&base) {
        remark(Code::AufsMetadata, format!("{}: a whiteout to overlay runtimes", word(entry.kind)));
        return Ok((ChangeKind::Whiteout, Target::WithoutPrefix));
    }
    if entry.kind != EntryKind::File {
        remark(Code::WhiteoutNotRegular, word(entry.kind).to_owned());
    } else if entry.size > 0 {
        remark(Code::WhiteoutNotEmpty, format!("{} bytes", entry.size));
    }
    if base == OPAQUE {
        return Ok((ChangeKind::Opaque, Target::Parent));
    }
    if base.starts_with(RESERVED) {
        remark(Code::WhiteoutReservedName, "runtimes take it for a whiteout".to_owned());
    }
    Ok((ChangeKind::Whiteout, Target::WithoutPrefix))
}

/// Which path a change is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    Entry,
    Parent,
    WithoutPrefix,
}

/// Whiteout prefixes of directories on the way mean nothing to runtimes, and something to some readers.
fn parents_remark(parents: &[u8], remark: &mut impl FnMut(Code, String)) {
    let Some(name) = parents.split(|byte| *byte == b'/').find(|name| name.starts_with(WHITEOUT)) else { return };
    let detail = format!("below {}", crate::oci::escape(name));
    remark(if AUFS.contains(&name) { Code::AufsMetadata } else { Code::WhiteoutPrefixInPath }, detail);
}

fn ordinary(kind: EntryKind) -> ChangeKind {
    match kind {
        EntryKind::File => ChangeKind::File,
        EntryKind::HardLink => ChangeKind::HardLink,
        EntryKind::Symlink => ChangeKind::Symlink,
        EntryKind::CharDevice => ChangeKind::CharDevice,
        EntryKind::BlockDevice => ChangeKind::BlockDevice,
        EntryKind::Directory => ChangeKind::Directory,
        EntryKind::Fifo => ChangeKind::Fifo,
        EntryKind::PaxGlobal => ChangeKind::PaxGlobal,
    }
}

fn word(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::File => "a regular file",
        EntryKind::HardLink => "a hard link",
        EntryKind::Symlink => "a symbolic link",
        EntryKind::CharDevice => "a character device",
        EntryKind::BlockDevice => "a block device",
        EntryKind::Directory => "a directory",
        EntryKind::Fifo => "a fifo",
        EntryKind::PaxGlobal => "a global PAX header",
    }
}

fn metadata_remarks(entry: &Entry, path: &[u8], remark: &mut impl FnMut(Code, String)) {
    if entry.kind == EntryKind::PaxGlobal {
        return;
    }
    for (what, id) in [("uid", entry.uid), ("gid", entry.gid)] {
        if !(0..i64::from(u32::MAX)).contains(&id) {
            remark(Code::IdOutOfRange, format!("{what} {id} becomes {}", wrapped_id(id)));
        }
    }
    if is_other_type(entry) {
        remark(Code::ModeTypeBits, format!("{} with mode {:o}", word(entry.kind), entry.mode));
    }
    for (name, _) in &entry.xattrs {
        if name.starts_with(b"trusted.overlay.") || name.starts_with(b"user.overlay.") {
            remark(Code::OverlayXattr, crate::oci::escape(name));
        }
    }
    let usual = (0o755, 0, 0);
    if path == b"/" && (permissions(entry.mode), entry.uid, entry.gid) != usual {
        remark(Code::RootEntryMetadata, format!("mode {:04o}, owner {}:{}", permissions(entry.mode), entry.uid, entry.gid));
    }
}

/// Whether the mode's type bits (inode(7)) name another type than the entry's. A hard link may bear those of its target.
fn is_other_type(entry: &Entry) -> bool {
    let expected: &[i64] = match entry.kind {
        EntryKind::File => &[0o100_000],
        EntryKind::HardLink => &[0o100_000, 0o120_000, 0o060_000, 0o020_000, 0o010_000],
        EntryKind::Symlink => &[0o120_000],
        EntryKind::CharDevice => &[0o020_000],
        EntryKind::BlockDevice => &[0o060_000],
        EntryKind::Directory => &[0o040_000],
        EntryKind::Fifo => &[0o010_000],
        EntryKind::PaxGlobal => return false,
    };
    let found = entry.mode & 0o170_000;
    found != 0 && !expected.contains(&found)
}

/// An id as lchown(2) gets it: 32 bits, of which all ones mean "leave alone", and the unpacker is root.
fn wrapped_id(id: i64) -> u32 {
    let low = low_bits(id, u32::MAX);
    if low == u32::MAX { 0 } else { low }
}

fn low_bits(value: i64, mask: u32) -> u32 {
    u32::try_from(value & i64::from(mask)).unwrap_or_default()
}

fn permissions(mode: i64) -> u16 {
    u16::try_from(mode & 0o7777).unwrap_or_default()
}

fn push(entry: Entry, kind: ChangeKind, target: Target, scratch: &Scratch, index: &mut LayerIndex) {
    let path = target_path(&scratch.path, target);
    let change = Change {
        kind,
        mode: permissions(entry.mode),
        uid: wrapped_id(entry.uid),
        gid: wrapped_id(entry.gid),
        size: if kind == ChangeKind::File { entry.size } else { 0 },
        // as makedev(3) and mknod(2) see them: 12 bits of major, 20 of minor
        device: match kind {
            ChangeKind::CharDevice | ChangeKind::BlockDevice => {
                (low_bits(entry.dev_major, 0xfff), low_bits(entry.dev_minor, 0xf_ffff))
            }
            _ => (0, 0),
        },
        path: index.intern(&path),
        link: if matches!(kind, ChangeKind::Symlink | ChangeKind::HardLink) {
            index.intern(&scratch.link)
        } else {
            index.intern(b"")
        },
        xattrs: attributes(entry.xattrs),
        content: None,
    };
    index.changes.push(change);
}

fn target_path(path: &[u8], target: Target) -> std::borrow::Cow<'_, [u8]> {
    let slash = path.iter().rposition(|byte| *byte == b'/').unwrap_or_default();
    match target {
        Target::Entry => path.into(),
        Target::Parent if slash == 0 => b"/".into(),
        Target::Parent => path.get(..slash).unwrap_or_default().into(),
        Target::WithoutPrefix => {
            let start = slash.saturating_add(1);
            let name = path.get(start.saturating_add(WHITEOUT.len())..).unwrap_or_default();
            [path.get(..start).unwrap_or_default(), name].concat().into()
        }
    }
}

fn attributes(xattrs: Vec<(Vec<u8>, Vec<u8>)>) -> Option<Arc<[Xattr]>> {
    if xattrs.is_empty() {
        return None;
    }
    Some(xattrs.into_iter().map(|(name, value)| Xattr { name, value }).collect())
}

#[cfg(test)]
#[path = "entries_tests.rs"]
mod tests;
