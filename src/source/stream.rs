//! An archive that can be read only once: small members and documents are kept, all else goes to the visitor as it passes.

use std::io::{Cursor, Read};

use super::members::{Found, Location, MemberTable, Members, Oddities};
use super::walk::{Walk, fill, outer};
use super::{BlobId, BlobVisitor, Error};
use crate::archive::compression::into_error;
use crate::archive::tar::EntryKind;
use crate::limits::{KIB, LimitHit, Limits};
use crate::oci::Algorithm;

/// Members of this size are kept whatever they are.
const SMALL: u64 = 64 * KIB;
const HEAD: usize = 512;

/// The members of an archive that streamed by.
#[derive(Debug)]
pub(super) struct StreamMembers {
    table: MemberTable,
    kept_bytes: u64,
    limits: Limits,
}

impl StreamMembers {
    /// Reads the archive to its last byte.
    pub(super) fn read(input: impl Read + Send, visitor: &mut dyn BlobVisitor, limits: &Limits) -> Result<Self, Error> {
        let mut members = Self { table: MemberTable::default(), kept_bytes: 0, limits: limits.clone() };
        let mut walk = Walk::new(input, limits);
        while let Some(entry) = walk.next_entry()? {
            if let Some(name) = members.table.add(&entry, limits)?
                && entry.kind == EntryKind::File
            {
                members.take(name, entry.size, &mut walk, visitor)?;
            }
            walk.read_over_content()?;
        }
        members.table.note_end(walk.data_after_end);
        Ok(members)
    }

    fn take(
        &mut self,
        name: String,
        bytes: u64,
        walk: &mut Walk<impl Read + Send>,
        visitor: &mut dyn BlobVisitor,
    ) -> Result<(), Error> {
        let mut head = vec![0; HEAD];
        let Some(filled) = unless_cut_short(fill(walk, &mut head))? else { return Ok(()) };
        head.truncate(filled);
        let is_small =
            bytes <= SMALL || (is_json(&head) && bytes <= self.limits.document_bytes.max(self.limits.attestation_bytes));
        let kept_bytes = self.kept_bytes.saturating_add(bytes);
        if is_small && self.limits.archive_kept_bytes(kept_bytes).is_ok() {
            self.kept_bytes = kept_bytes;
            let mut content = head;
            let Some(_) = unless_cut_short(walk.take(bytes).read_to_end(&mut content))? else { return Ok(()) };
            self.table.add_file(name, bytes, Location::Kept(content));
            return Ok(());
        }
        let algorithm = if name.starts_with("blobs/sha512/") { Algorithm::Sha512 } else { Algorithm::Sha256 };
        let mut content = Cursor::new(head).chain(&mut *walk);
        visitor.visit(&BlobId(name.clone()), algorithm, &mut content);
        self.table.add_file(name, bytes, Location::Gone);
        Ok(())
    }

    pub(super) fn take_oddities(&mut self) -> Oddities {
        std::mem::take(&mut self.table.oddities)
    }
}

/// None when the archive ends too early: the walk says so, with its offsets, when it finishes.
fn unless_cut_short(result: std::io::Result<usize>) -> Result<Option<usize>, Error> {
    match result {
        Ok(count) => Ok(Some(count)),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(outer(into_error(error))),
    }
}

fn is_json(head: &[u8]) -> bool {
    let first = head.iter().find(|byte| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n'));
    matches!(first, Some(b'{' | b'['))
}

impl Members for StreamMembers {
    fn find(&self, name: &str) -> Result<Option<Found>, Error> {
        self.table.find(name)
    }

    fn open(&self, id: &BlobId) -> Result<Box<dyn Read + Send + '_>, Error> {
        match self.table.location(id) {
            Some((_, Location::Kept(bytes))) => Ok(Box::new(bytes.as_slice())),
            Some((bytes, _)) => Err(Error::Limit(LimitHit {
                name: "archive-kept-bytes",
                limit: self.limits.archive_kept_bytes,
                found: self.kept_bytes.saturating_add(bytes),
            })),
            None => Err(Error::Io { what: id.0.clone(), cause: std::io::ErrorKind::NotFound.into() }),
        }
    }

    fn bytes(&self, id: &BlobId) -> Option<u64> {
        self.table.location(id).map(|(bytes, _)| bytes)
    }

    fn sample(&self) -> Vec<String> {
        self.table.sample()
    }
}
