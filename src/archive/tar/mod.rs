//! A push framer for tar that finds headers where Go's `archive/tar` finds them (`docs/tar.md` lists the rules).

mod framer;
mod header;
mod number;
mod pax;
mod pending;
mod sparse;
#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "tests know their numbers")]
mod tests;

pub use framer::Framer;

use super::Error;
use crate::oci::Code;

/// What an entry makes, as runtimes see it after Go's reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntryKind {
    /// Types `0`, NUL (without trailing slash) and PAX sparse files.
    File,
    /// Type `1`.
    HardLink,
    /// Type `2`.
    Symlink,
    /// Type `3`.
    CharDevice,
    /// Type `4`.
    BlockDevice,
    /// Type `5`, or NUL with a trailing slash.
    Directory,
    /// Type `6`.
    Fifo,
    /// Type `g`: Go returns it as an entry of its own name and applies none of its records.
    PaxGlobal,
}

/// One entry, with every extension header applied as Go applies it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What it makes.
    pub kind: EntryKind,
    /// The name as Go reports it, raw and not cleaned.
    pub path: Vec<u8>,
    /// Link target as Go reports it, raw.
    pub link: Vec<u8>,
    /// Mode field, all bits that were written.
    pub mode: i64,
    /// Owner as written; may be out of range.
    pub uid: i64,
    /// Group as written; may be out of range.
    pub gid: i64,
    /// Logical bytes of content (holes included); 0 for types without content.
    pub size: u64,
    /// Device major number as written.
    pub dev_major: i64,
    /// Device minor number as written.
    pub dev_minor: i64,
    /// `SCHILY.xattr.*` records: name without the prefix, value; sorted by name.
    pub xattrs: Vec<(Vec<u8>, Vec<u8>)>,
    /// Whether a PAX sparse map was applied.
    pub is_sparse: bool,
    /// What readers may disagree on in this entry's headers: code, and the numbers as one clause.
    pub remarks: Vec<(Code, String)>,
    /// Offset of the entry's own header block in the tar.
    pub offset: u64,
}

/// Receives what the framer finds, in the order of the tar.
pub trait Sink {
    /// A new entry. Err stops the framer.
    fn entry(&mut self, entry: Entry) -> Result<(), Error>;
    /// Bytes of the current entry's content.
    fn data(&mut self, bytes: &[u8]);
    /// A hole of `length` zero bytes in the current entry's content (sparse files).
    fn hole(&mut self, length: u64);
    /// The current entry is complete.
    fn end_of_entry(&mut self);
}

/// What followed the end of the archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Trailer {
    /// Offset of the first non-zero byte after the end marker, if there is one.
    pub data_after_end: Option<u64>,
}
