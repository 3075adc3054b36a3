//! The walk from block to block.

use super::header::{BLOCK, Block, Header, ZERO};
use super::pending::{Pending, Prepared};
use super::sparse::{Extent, Layout, LeadingMap, Map};
use super::{Entry, Sink, Trailer};
use crate::archive::Error;
use crate::limits::Limits;

/// The framer: push bytes in chunks of any size, then finish. The events do not depend on the chunks.
///
/// After an error it takes nothing more: every later call fails.
#[derive(Debug)]
pub struct Framer {
    limits: Limits,
    offset: u64,
    state: State,
    pending: Pending,
    /// A block that came in pieces, and how much of it is there.
    block: Block,
    filled: usize,
    /// Offset of the block that is, or was last, read as a header.
    header_offset: u64,
    trailer: Trailer,
}

#[derive(Debug)]
enum State {
    Header { after_zero_block: bool },
    Extension(Box<Extension>),
    SparseMap(Box<MapInContent>),
    Content { left: u64, padding: u64, layout: Option<Box<Layout>> },
    Padding { left: u64 },
    End,
    Failed,
}

#[derive(Debug)]
struct Extension {
    header: Header,
    left: u64,
    content: Vec<u8>,
}

#[derive(Debug)]
struct MapInContent {
    entry: Entry,
    size: i64,
    left: u64,
    padding: u64,
    map: LeadingMap,
}

impl Framer {
    /// A framer at the start of a tar.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self {
            limits: limits.clone(),
            offset: 0,
            state: State::Header { after_zero_block: false },
            pending: Pending::default(),
            block: *ZERO,
            filled: 0,
            header_offset: 0,
            trailer: Trailer::default(),
        }
    }

    /// Takes the next bytes of the tar.
    pub fn push(&mut self, bytes: &[u8], sink: &mut impl Sink) -> Result<(), Error> {
        let result = self.advance(bytes, sink);
        if result.is_err() {
            self.state = State::Failed;
        }
        result
    }

    /// Bytes of the current entry's content and padding that could be skipped by a reader that can seek; never those of
    /// extension headers or sparse maps.
    #[must_use]
    pub fn skippable(&self) -> u64 {
        match &self.state {
            State::Content { left, padding, .. } => left.saturating_add(*padding),
            State::Padding { left } => *left,
            _ => 0,
        }
    }

    /// Tells the framer that `bytes` (at most [`Self::skippable`]) were skipped instead of pushed; `data` is not called for
    /// them, `hole` and `end_of_entry` are. The caller makes sure that the bytes exist.
    pub fn skip(&mut self, bytes: u64, sink: &mut impl Sink) -> Result<(), Error> {
        if bytes > self.skippable() {
            self.state = State::Failed;
            return Err(self.malformed("more was skipped than there is content"));
        }
        let content = match &self.state {
            State::Content { left, .. } => bytes.min(*left),
            _ => 0,
        };
        self.content(None, content, sink);
        self.padding(bytes.saturating_sub(content));
        self.offset = self.offset.saturating_add(bytes);
        Ok(())
    }

    /// Offset of the next byte to push.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The tar has ended: checks that it may end here. As in Go's reader, it may end between blocks, after one zero block, and
    /// where only padding is missing.
    pub fn finish(self) -> Result<Trailer, Error> {
        let missing = match &self.state {
            State::Header { .. } if self.filled > 0 => (BLOCK as u64).saturating_sub(self.filled as u64),
            State::Header { .. } | State::Padding { .. } | State::End => 0,
            State::Extension(extension) => extension.left,
            State::SparseMap(map) => map.left.saturating_sub(self.filled as u64),
            State::Content { left, .. } => *left,
            State::Failed => return Err(self.malformed("reading stopped at an earlier error")),
        };
        if missing > 0 {
            return Err(Error::TarTruncated { offset: self.offset, missing });
        }
        Ok(self.trailer)
    }

    fn advance(&mut self, mut bytes: &[u8], sink: &mut impl Sink) -> Result<(), Error> {
        while !bytes.is_empty() {
            let rest = match &mut self.state {
                State::Header { .. } | State::SparseMap(_) => self.block_bytes(bytes, sink)?,
                State::Extension(extension) => {
                    let (part, rest) = take(bytes, extension.left);
                    extension.content.extend_from_slice(part);
                    extension.left = extension.left.saturating_sub(part.len() as u64);
                    self.end_extension(sink)?;
                    rest
                }
                State::Content { left, .. } => {
                    let (part, rest) = take(bytes, *left);
                    self.content(Some(part), part.len() as u64, sink);
                    rest
                }
                State::Padding { left } => {
                    let (part, rest) = take(bytes, *left);
                    self.padding(part.len() as u64);
                    rest
                }
                State::End => {
                    self.note_trailing(bytes);
                    &[]
                }
                State::Failed => return Err(self.malformed("reading stopped at an earlier error")),
            };
            self.offset = self.offset.saturating_add(bytes.len().saturating_sub(rest.len()) as u64);
            bytes = rest;
        }
        Ok(())
    }

    /// Takes the bytes of one block at most, in place when it is there as a whole.
    fn block_bytes<'a>(&mut self, bytes: &'a [u8], sink: &mut impl Sink) -> Result<&'a [u8], Error> {
        if self.filled == 0 {
            if matches!(self.state, State::Header { .. }) {
                self.header_offset = self.offset;
            }
            if let Some((block, rest)) = bytes.split_first_chunk::<BLOCK>() {
                self.whole_block(block, sink)?;
                return Ok(rest);
            }
        }
        let free = self.block.get_mut(self.filled..).unwrap_or_default();
        let (part, rest) = take(bytes, free.len() as u64);
        if let Some(target) = free.get_mut(..part.len()) {
            target.copy_from_slice(part);
        }
        self.filled = self.filled.saturating_add(part.len());
        if self.filled >= BLOCK {
            self.filled = 0;
            let block = self.block;
            self.whole_block(&block, sink)?;
        }
        Ok(rest)
    }

    fn whole_block(&mut self, block: &Block, sink: &mut impl Sink) -> Result<(), Error> {
        match std::mem::replace(&mut self.state, State::Failed) {
            State::SparseMap(map) => self.map_block(map, block, sink),
            State::Header { after_zero_block } if block == ZERO => {
                self.state = if after_zero_block { State::End } else { State::Header { after_zero_block: true } };
                Ok(())
            }
            State::Header { after_zero_block: true } => Err(self.malformed("one zero block is followed by data")),
            _ => self.header(block, sink),
        }
    }

    fn header(&mut self, block: &Block, sink: &mut impl Sink) -> Result<(), Error> {
        let header = Header::parse(block).map_err(|reason| self.malformed(reason))?;
        if header.is_signed {
            self.pending.note_signed_checksum();
        }
        if matches!(header.type_flag, b'x' | b'g' | b'L' | b'K') {
            let left = u64::try_from(header.size).map_err(|_| self.malformed("the size is negative"))?;
            let limit = self.limits.tar_extension_bytes;
            if left > limit {
                return Err(Error::TarHeaderTooLarge { offset: self.header_offset, limit, found: left });
            }
            self.pending.count(&self.limits)?;
            self.state = State::Extension(Box::new(Extension { header, left, content: Vec::new() }));
            return self.end_extension(sink);
        }
        let pending = std::mem::take(&mut self.pending);
        let Prepared { entry, stored, size, map } = pending.into_entry(header, self.header_offset, &self.limits)?;
        let padding = padding_after(stored);
        match map {
            None => self.begin(entry, stored, padding, None, sink),
            Some(Map::Here(extents)) => self.begin_sparse(entry, stored, padding, (&extents, size), sink),
            Some(Map::Leading) => {
                let map = LeadingMap::default();
                map.check_next(stored, &self.limits, self.header_offset).map_err(|fault| fault.at(self.header_offset))?;
                self.state = State::SparseMap(Box::new(MapInContent { entry, size, left: stored, padding, map }));
                Ok(())
            }
        }
    }

    fn map_block(&mut self, mut reading: Box<MapInContent>, block: &Block, sink: &mut impl Sink) -> Result<(), Error> {
        let offset = self.header_offset;
        reading.left = reading.left.saturating_sub(BLOCK as u64);
        if let Some(extents) = reading.map.push(block, reading.left, &self.limits).map_err(|fault| fault.at(offset))? {
            let MapInContent { entry, size, left, padding, .. } = *reading;
            return self.begin_sparse(entry, left, padding, (&extents, size), sink);
        }
        reading.map.check_next(reading.left, &self.limits, offset).map_err(|fault| fault.at(offset))?;
        self.state = State::SparseMap(reading);
        Ok(())
    }

    fn begin_sparse(
        &mut self,
        entry: Entry,
        left: u64,
        padding: u64,
        (extents, size): (&[Extent], i64),
        sink: &mut impl Sink,
    ) -> Result<(), Error> {
        let layout = Layout::new(extents, size, left).map_err(|reason| self.malformed(reason))?;
        self.begin(entry, left, padding, Some(Box::new(layout)), sink)
    }

    fn begin(
        &mut self,
        entry: Entry,
        left: u64,
        padding: u64,
        layout: Option<Box<Layout>>,
        sink: &mut impl Sink,
    ) -> Result<(), Error> {
        sink.entry(entry)?;
        self.state = State::Content { left, padding, layout };
        self.content(None, 0, sink);
        Ok(())
    }

    /// `count` bytes of content passed; ends the entry when they were the last.
    fn content(&mut self, bytes: Option<&[u8]>, count: u64, sink: &mut impl Sink) {
        let State::Content { left, padding, layout } = &mut self.state else { return };
        match (layout.as_mut(), bytes) {
            (Some(layout), _) => layout.walk(bytes, count, sink),
            (None, Some(bytes)) => sink.data(bytes),
            (None, None) => {}
        }
        *left = left.saturating_sub(count);
        if *left == 0 {
            if let Some(layout) = layout {
                layout.finish(sink);
            }
            let padding = *padding;
            sink.end_of_entry();
            self.expect_padding(padding);
        }
    }

    fn padding(&mut self, count: u64) {
        if let State::Padding { left } = self.state {
            self.expect_padding(left.saturating_sub(count));
        }
    }

    fn expect_padding(&mut self, left: u64) {
        self.state = if left == 0 { State::Header { after_zero_block: false } } else { State::Padding { left } };
    }

    /// Applies the extension header if it is complete.
    fn end_extension(&mut self, sink: &mut impl Sink) -> Result<(), Error> {
        let State::Extension(extension) = &mut self.state else { return Ok(()) };
        if extension.left > 0 {
            return Ok(());
        }
        let content = std::mem::take(&mut extension.content);
        let header = extension.header.clone();
        self.expect_padding(padding_after(content.len() as u64));
        if header.type_flag == b'g' {
            let pending = std::mem::take(&mut self.pending);
            let entry = pending.into_global(header, &content, self.header_offset).map_err(|reason| self.malformed(&reason))?;
            sink.entry(entry)?;
            sink.end_of_entry();
            return Ok(());
        }
        self.pending.add(header.type_flag, &content).map_err(|reason| self.malformed(reason))
    }

    fn note_trailing(&mut self, bytes: &[u8]) {
        if self.trailer.data_after_end.is_some() {
            return;
        }
        let mut at = self.offset;
        for chunk in bytes.chunks(BLOCK) {
            // whole blocks are compared at once: trailers can be long
            if ZERO.get(..chunk.len()) != Some(chunk) {
                let skipped = chunk.iter().position(|b| *b != 0).unwrap_or_default();
                self.trailer.data_after_end = Some(at.saturating_add(skipped as u64));
                return;
            }
            at = at.saturating_add(chunk.len() as u64);
        }
    }

    fn malformed(&self, reason: &str) -> Error {
        Error::Tar { offset: self.header_offset, reason: reason.into() }
    }
}

fn take(bytes: &[u8], count: u64) -> (&[u8], &[u8]) {
    usize::try_from(count).ok().and_then(|count| bytes.split_at_checked(count)).unwrap_or((bytes, &[]))
}

fn padding_after(size: u64) -> u64 {
    size.wrapping_neg() & (BLOCK as u64).wrapping_sub(1)
}
