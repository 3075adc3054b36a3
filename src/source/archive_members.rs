//! A tar file that can be read at any place: walked once for its members' names and offsets, read by position from then on.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;

use super::members::{Found, Location, MemberTable, Members, Oddities};
use super::walk::Walk;
use super::{BlobId, Error};
use crate::archive::tar::EntryKind;
use crate::limits::Limits;

/// An archive file and its table of members.
#[derive(Debug)]
pub(super) struct ArchiveMembers {
    file: File,
    table: MemberTable,
}

impl ArchiveMembers {
    /// Walks the archive's headers; bodies are skipped.
    pub(super) fn open(file: File, limits: &Limits) -> Result<Self, Error> {
        let io = |cause| Error::Io { what: "the archive".into(), cause };
        let length = file.metadata().map_err(io)?.len();
        let mut reader = BufReader::new(file.try_clone().map_err(io)?);
        reader.seek(SeekFrom::Start(0)).map_err(io)?;
        let mut table = MemberTable::default();
        let mut walk = Walk::new(reader, limits);
        while let Some(entry) = walk.next_entry()? {
            if let Some(name) = table.add(&entry, limits)?
                && entry.kind == EntryKind::File
            {
                table.add_file(name, entry.size, Location::Offset(walk.offset()));
            }
            walk.seek_over_content(length)?;
        }
        table.note_end(walk.data_after_end);
        Ok(Self { file, table })
    }

    pub(super) fn take_oddities(&mut self) -> Oddities {
        std::mem::take(&mut self.table.oddities)
    }
}

impl Members for ArchiveMembers {
    fn find(&self, name: &str) -> Result<Option<Found>, Error> {
        self.table.find(name)
    }

    fn open(&self, id: &BlobId) -> Result<Box<dyn Read + Send + '_>, Error> {
        match self.table.location(id) {
            Some((bytes, Location::Offset(offset))) => Ok(Box::new(Slice { file: &self.file, offset: *offset, left: bytes })),
            _ => Err(Error::Io { what: id.0.clone(), cause: std::io::ErrorKind::NotFound.into() }),
        }
    }

    fn bytes(&self, id: &BlobId) -> Option<u64> {
        self.table.location(id).map(|(bytes, _)| bytes)
    }

    fn sample(&self) -> Vec<String> {
        self.table.sample()
    }
}

/// One member's bytes, read by position: several can be read at once.
struct Slice<'a> {
    file: &'a File,
    offset: u64,
    left: u64,
}

impl Read for Slice<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let wanted = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let Some(buffer) = buffer.get_mut(..wanted).filter(|buffer| !buffer.is_empty()) else { return Ok(0) };
        let count = self.file.read_at(buffer, self.offset)?;
        if count == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let count_64 = u64::try_from(count).unwrap_or(u64::MAX);
        self.offset = self.offset.saturating_add(count_64);
        self.left = self.left.saturating_sub(count_64);
        Ok(count)
    }
}
