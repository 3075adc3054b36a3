//! Named members of a source: how documents and blobs are found, whatever holds them.

use std::collections::BTreeMap;
use std::io::Read;

use super::verified::blob_name;
use super::{BlobId, Error};
use crate::archive::tar::{Entry, EntryKind};
use crate::limits::Limits;
use crate::oci::document::Descriptor;
use crate::oci::{Code, Place, Remark, escape};

/// A regular file that was found by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// Its own name, links followed.
    pub(super) id: BlobId,
    /// Its bytes.
    pub(super) bytes: u64,
}

/// What holds the documents and blobs.
pub(super) trait Members: Send + Sync {
    /// Finds a regular file by a name out of a document.
    fn find(&self, name: &str) -> Result<Option<Found>, Error>;
    /// Finds the manifest or index that a descriptor names.
    fn find_manifest(&self, descriptor: &Descriptor) -> Result<Option<Found>, Error> {
        self.find(&blob_name(&descriptor.digest))
    }
    /// Finds the config, layer or statement that a descriptor names.
    fn find_blob(&self, descriptor: &Descriptor) -> Result<Option<Found>, Error> {
        self.find(&blob_name(&descriptor.digest))
    }
    /// A reader from the first byte.
    fn open(&self, id: &BlobId) -> Result<Box<dyn Read + Send + '_>, Error>;
    /// Stored bytes.
    fn bytes(&self, id: &BlobId) -> Option<u64>;
    /// Some names, for messages.
    fn sample(&self) -> Vec<String>;
    /// What messages call it.
    fn holder(&self) -> &'static str {
        "this file"
    }
}

/// Where a member's bytes are.
#[derive(Debug, Clone)]
pub(super) enum Location {
    /// In the archive file, from this offset.
    Offset(u64),
    /// In memory.
    Kept(Vec<u8>),
    /// Streamed by.
    Gone,
}

#[derive(Debug)]
pub(super) enum Member {
    File { bytes: u64, location: Location },
    Symlink { target: Vec<u8> },
    Directory,
    Other,
}

/// The members of an outer archive, by cleaned and escaped name.
#[derive(Debug, Default)]
pub(super) struct MemberTable {
    members: BTreeMap<String, Member>,
    count: u64,
    pub(super) oddities: Oddities,
}

/// What matters only once the archive turns out to be an image: other tars are refused for what they are.
#[derive(Debug, Default)]
pub(super) struct Oddities {
    /// The first thing that an image archive must not hold.
    pub(super) fault: Option<Error>,
    pub(super) remarks: Vec<Remark>,
}

impl MemberTable {
    /// Adds a member that is not a regular file, or names one: Some(name) when the caller is to add its content.
    pub(super) fn add(&mut self, entry: &Entry, limits: &Limits) -> Result<Option<String>, Error> {
        self.count = self.count.saturating_add(1);
        limits.archive_members(self.count)?;
        let shown = escape(&entry.path);
        let Some(name) = clean(&entry.path) else {
            self.fail(Code::ArchiveMalformed, &shown, format!("member {shown} climbs above the archive's root"));
            return Ok(None);
        };
        let member = match entry.kind {
            EntryKind::File if entry.is_sparse => {
                self.fail(Code::ArchiveMalformed, &shown, format!("member {shown} is a sparse file"));
                Member::Other
            }
            EntryKind::File => return Ok(self.is_new(&name, &shown).then_some(name)),
            EntryKind::Symlink => Member::Symlink { target: entry.link.clone() },
            EntryKind::Directory => {
                if !matches!(self.members.get(&name), None | Some(Member::Directory)) {
                    self.is_new(&name, &shown);
                }
                self.members.entry(name).or_insert(Member::Directory);
                return Ok(None);
            }
            EntryKind::HardLink => {
                self.fail(Code::ArchiveMalformed, &shown, format!("member {shown} is a hard link"));
                Member::Other
            }
            EntryKind::PaxGlobal => return Ok(None),
            EntryKind::CharDevice | EntryKind::BlockDevice | EntryKind::Fifo => Member::Other,
        };
        if self.is_new(&name, &shown) {
            self.members.insert(name, member);
        }
        Ok(None)
    }

    pub(super) fn add_file(&mut self, name: String, bytes: u64, location: Location) {
        self.members.insert(name, Member::File { bytes, location });
    }

    /// Notes what follows the end of the archive.
    pub(super) fn note_end(&mut self, data_after_end: Option<u64>) {
        if let Some(offset) = data_after_end {
            let detail = format!("the outer archive ends before its offset {offset}, where data follows");
            self.oddities.remarks.push(Remark::on(Code::TarTrailingData, "archive", detail));
        }
    }

    fn is_new(&mut self, name: &str, shown: &str) -> bool {
        let is_new = !self.members.contains_key(name);
        if !is_new {
            self.fail(
                Code::ArchiveDuplicateMember,
                shown,
                format!("the archive holds {name} twice: readers differ on which counts"),
            );
        }
        is_new
    }

    fn fail(&mut self, code: Code, member: &str, detail: String) {
        self.oddities.fault.get_or_insert_with(|| Error::Graph { code, place: Place::document(member), detail });
    }

    /// Finds a regular file, through one symbolic link at most.
    pub(super) fn find(&self, name: &str) -> Result<Option<Found>, Error> {
        let wrong = |code, detail| Error::Graph { code, place: Place::document(escape(name.as_bytes())), detail };
        let Some(cleaned) = clean(name.as_bytes()) else {
            let detail = format!("\"{}\" climbs above the archive's root", escape(name.as_bytes()));
            return Err(wrong(Code::ArchiveLinkEscapes, detail));
        };
        match self.members.get(&cleaned) {
            None => Ok(None),
            Some(Member::File { bytes, .. }) => Ok(Some(Found { id: BlobId(cleaned), bytes: *bytes })),
            Some(Member::Symlink { target }) => {
                let Some(end) = link_end(&cleaned, target) else {
                    let detail = format!("{cleaned} links to {}, outside the archive", escape(target));
                    return Err(wrong(Code::ArchiveLinkEscapes, detail));
                };
                match self.members.get(&end) {
                    None => Ok(None),
                    Some(Member::File { bytes, .. }) => Ok(Some(Found { id: BlobId(end), bytes: *bytes })),
                    Some(_) => Err(wrong(Code::ArchiveMalformed, format!("{cleaned} links to {end}, which is no regular file"))),
                }
            }
            Some(_) => Err(wrong(Code::ArchiveMalformed, format!("{cleaned} is no regular file"))),
        }
    }

    /// Bytes and place of a file's content.
    pub(super) fn location(&self, id: &BlobId) -> Option<(u64, &Location)> {
        match self.members.get(&id.0) {
            Some(Member::File { bytes, location }) => Some((*bytes, location)),
            _ => None,
        }
    }

    pub(super) fn sample(&self) -> Vec<String> {
        let files = self.members.iter().filter(|(_, member)| !matches!(member, Member::Directory));
        files.map(|(name, _)| name.chars().take(80).collect()).take(4).collect()
    }
}

/// A member's name without `./`, doubled slashes and `..`, escaped; None when it climbs above the root.
pub(super) fn clean(name: &[u8]) -> Option<String> {
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in name.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(escape(&parts.join(&b'/')))
}

/// Where a link ends, seen from its own (cleaned, escaped) name; None when that is absolute or above the root.
fn link_end(name: &str, target: &[u8]) -> Option<String> {
    if target.first() == Some(&b'/') {
        return None;
    }
    let target = clean_relative(name, target)?;
    Some(target)
}

fn clean_relative(name: &str, target: &[u8]) -> Option<String> {
    let mut parts: Vec<String> = name.split('/').map(str::to_owned).collect();
    parts.pop();
    for part in target.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => drop(parts.pop()?),
            part => parts.push(escape(part)),
        }
    }
    Some(parts.join("/"))
}

/// Reads a whole member that is at most as long as the limit called `limit` allows.
pub(super) fn read_all(
    members: &dyn Members,
    found: &Found,
    limit: fn(&Limits, u64) -> Result<(), crate::limits::LimitHit>,
    limits: &Limits,
) -> Result<Vec<u8>, Error> {
    limit(limits, found.bytes)?;
    let mut bytes = Vec::new();
    let io = |cause| Error::Io { what: found.id.0.clone(), cause };
    members.open(&found.id)?.take(found.bytes).read_to_end(&mut bytes).map_err(io)?;
    if u64::try_from(bytes.len()) != Ok(found.bytes) {
        return Err(io(std::io::ErrorKind::UnexpectedEof.into()));
    }
    Ok(bytes)
}
