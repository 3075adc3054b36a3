//! One walk over an outer tar, block by block: headers go through the framer, contents past it.

use std::io::{BufReader, Read, Seek};

use super::Error;
use crate::archive;
use crate::archive::tar::{Entry, Framer, Sink};
use crate::limits::Limits;
use crate::oci::{Code, Place};

const BLOCK: usize = 512;

/// A tar that is read in order.
pub(super) struct Walk<R> {
    input: R,
    framer: Option<Framer>,
    last: Last,
    /// Bytes of the current entry's content that were not read yet.
    content_left: u64,
    /// Offset of data after the end of the tar, known once the end was reached.
    pub(super) data_after_end: Option<u64>,
}

#[derive(Default)]
struct Last(Option<Entry>);

impl Sink for Last {
    fn entry(&mut self, entry: Entry) -> Result<(), archive::Error> {
        self.0 = Some(entry);
        Ok(())
    }
    fn data(&mut self, _: &[u8]) {}
    fn hole(&mut self, _: u64) {}
    fn end_of_entry(&mut self) {}
}

/// An error of the outer archive: what is malformed in it has one code, whatever a layer's reader would call it.
pub(super) fn outer(error: archive::Error) -> Error {
    match error {
        archive::Error::Limit(hit) => Error::Limit(hit),
        archive::Error::Io(cause) => Error::Io { what: "the archive".into(), cause },
        archive::Error::Tar { .. }
        | archive::Error::TarTruncated { .. }
        | archive::Error::TarEntryType { .. }
        | archive::Error::TarHeaderTooLarge { .. } => {
            Error::Graph { code: Code::ArchiveMalformed, place: Place::default(), detail: format!("the archive's {error}") }
        }
        other => Error::Archive(other),
    }
}

fn io(cause: std::io::Error) -> Error {
    outer(archive::compression::into_error(cause))
}

impl<R: Read> Walk<R> {
    pub(super) fn new(input: R, limits: &Limits) -> Self {
        Self { input, framer: Some(Framer::new(limits)), last: Last::default(), content_left: 0, data_after_end: None }
    }

    /// Offset of the next byte.
    pub(super) fn offset(&self) -> u64 {
        self.framer.as_ref().map_or(0, Framer::offset)
    }

    /// The next entry; what is left of the one before must have been passed over. None at the end, after which the input
    /// has been read to its last byte.
    pub(super) fn next_entry(&mut self) -> Result<Option<Entry>, Error> {
        let mut block = [0; BLOCK];
        loop {
            let Some(framer) = &mut self.framer else { return Ok(None) };
            let filled = fill(&mut self.input, &mut block).map_err(io)?;
            if filled == 0 {
                break;
            }
            let bytes = block.get(..filled).unwrap_or_default();
            framer.push(bytes, &mut self.last).map_err(outer)?;
            if let Some(entry) = self.last.0.take() {
                self.content_left = if entry.is_sparse { 0 } else { entry.size.min(framer.skippable()) };
                return Ok(Some(entry));
            }
        }
        if let Some(framer) = self.framer.take() {
            self.data_after_end = framer.finish().map_err(outer)?.data_after_end;
        }
        Ok(None)
    }

    fn skipped(&mut self, bytes: u64) -> Result<(), Error> {
        match &mut self.framer {
            Some(framer) => framer.skip(bytes, &mut self.last).map_err(outer),
            None => Ok(()),
        }
    }

    fn skippable(&self) -> u64 {
        self.framer.as_ref().map_or(0, Framer::skippable)
    }

    /// Reads past what is left of the current entry.
    pub(super) fn read_over_content(&mut self) -> Result<(), Error> {
        let mut scratch = vec![0; 64 * 1024];
        while self.skippable() > 0 {
            let wanted = usize::try_from(self.skippable()).unwrap_or(usize::MAX).min(scratch.len());
            let Some(buffer) = scratch.get_mut(..wanted) else { break };
            let count = fill(&mut self.input, buffer).map_err(io)?;
            if count == 0 {
                break;
            }
            self.skipped(count as u64)?;
        }
        self.content_left = 0;
        Ok(())
    }
}

impl<R: Read + Seek> Walk<BufReader<R>> {
    /// Passes over what is left of the current entry, in a file of `length` bytes.
    pub(super) fn seek_over_content(&mut self, length: u64) -> Result<(), Error> {
        let bytes = self.skippable().min(length.saturating_sub(self.offset()));
        let mut left = bytes;
        while left > 0 {
            let step = i64::try_from(left).unwrap_or(i64::MAX);
            self.input.seek_relative(step).map_err(io)?;
            left = left.saturating_sub(step.unsigned_abs());
        }
        self.content_left = 0;
        self.skipped(bytes)
    }
}

/// The current entry's content.
impl<R: Read> Read for Walk<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let wanted = usize::try_from(self.content_left).unwrap_or(usize::MAX).min(buffer.len());
        let Some(buffer) = buffer.get_mut(..wanted).filter(|buffer| !buffer.is_empty()) else { return Ok(0) };
        let count = self.input.read(buffer)?;
        if count == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let bytes = u64::try_from(count).unwrap_or(u64::MAX);
        self.content_left = self.content_left.saturating_sub(bytes);
        self.skipped(bytes).map_err(|error| std::io::Error::other(error.to_string()))?;
        Ok(count)
    }
}

/// Reads until the buffer is full or the input ends.
pub(super) fn fill(input: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0_usize;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match input.read(rest) {
            Ok(0) => break,
            Ok(count) => filled = filled.saturating_add(count),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
