//! GNU's PAX sparse formats 0.0, 0.1 and 1.0 (GNU tar manual, "Storing Sparse Files"), in decimal as GNU tar writes them.

use super::Sink;
use super::header::{BLOCK, Block};
use super::number::decimal;
use super::pax::Records;
use crate::archive::Error;
use crate::limits::Limits;

/// Where a sparse file's map is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Map {
    /// In the records (0.0, 0.1).
    Here(Vec<Extent>),
    /// At the start of the content (1.0).
    Leading,
}

/// Bytes of content that are stored: offset and length in the file.
pub(super) type Extent = (i64, i64);

/// What went wrong with a map: a reason, or a limit.
#[derive(Debug)]
pub(super) enum Fault {
    Malformed(&'static str),
    Other(Error),
}

impl From<&'static str> for Fault {
    fn from(reason: &'static str) -> Self {
        Self::Malformed(reason)
    }
}

/// The map that the records announce; None when they announce none, or a version that nobody knows.
pub(super) fn announced(records: &Records, limits: &Limits) -> Result<Option<Map>, Fault> {
    match (records.text("GNU.sparse.major"), records.text("GNU.sparse.minor")) {
        (Some(b"1"), Some(b"0")) => return Ok(Some(Map::Leading)),
        (Some(b"0"), Some(b"0" | b"1")) => {}
        (None, None) if records.text("GNU.sparse.map").is_some() => {}
        _ => return Ok(None),
    }
    let count = records.text("GNU.sparse.numblocks").and_then(decimal).and_then(|count| usize::try_from(count).ok());
    let count = count.ok_or("the sparse map's length is no number")?;
    let map = records.text("GNU.sparse.map").unwrap_or_default();
    let numbers = map.split(|b| *b == b',').filter(|_| !map.is_empty());
    if Some(numbers.clone().count()) != count.checked_mul(2) {
        return Err("the sparse map is not as long as it says".into());
    }
    extents(numbers, count, limits).map(|extents| Some(Map::Here(extents)))
}

fn extents<'a>(mut numbers: impl Iterator<Item = &'a [u8]>, count: usize, limits: &Limits) -> Result<Vec<Extent>, Fault> {
    limits.sparse_extents(count as u64).map_err(|hit| Fault::Other(hit.into()))?;
    let mut next = || numbers.next().and_then(decimal).ok_or(Fault::Malformed("the sparse map holds what is no number"));
    (0..count).map(|_| Ok((next()?, next()?))).collect()
}

/// Collects a map of format 1.0, block by block.
#[derive(Debug, Default)]
pub(super) struct LeadingMap {
    text: Vec<u8>,
    lines: u64,
    count: Option<u64>,
}

impl LeadingMap {
    /// Takes the next block; `left` are the bytes of content after it. Some when the map is complete.
    pub(super) fn push(&mut self, block: &Block, left: u64, limits: &Limits) -> Result<Option<Vec<Extent>>, Fault> {
        self.text.extend_from_slice(block);
        let lines = memchr::memchr_iter(b'\n', block).count();
        self.lines = self.lines.saturating_add(lines as u64);
        if self.count.is_none() && self.lines > 0 {
            self.count = Some(self.announced_extents(left)?);
        }
        let Some(count) = self.count else { return Ok(None) };
        if self.lines <= count.saturating_mul(2) {
            return Ok(None);
        }
        let count = usize::try_from(count).map_err(|_| "the sparse map's length is no number")?;
        extents(self.text.split(|b| *b == b'\n').skip(1), count, limits).map(Some)
    }

    /// The number in the first line, which must be possible in the bytes there are.
    fn announced_extents(&self, left: u64) -> Result<u64, Fault> {
        let line = self.text.split(|b| *b == b'\n').next().unwrap_or_default();
        let count = decimal(line).and_then(|count| u64::try_from(count).ok()).ok_or("the sparse map's length is no number")?;
        // an extent takes at least two digits and two line ends
        if count.saturating_mul(4) > left.saturating_add(self.text.len() as u64) {
            return Err("the sparse map announces more extents than the content can hold".into());
        }
        Ok(count)
    }

    /// Err when another block would make the map longer than an extension header may be, or than the content is.
    pub(super) fn check_next(&self, left: u64, limits: &Limits, offset: u64) -> Result<(), Fault> {
        let found = (self.text.len() as u64).saturating_add(BLOCK as u64);
        if found > limits.tar_extension_bytes {
            return Err(Fault::Other(Error::TarHeaderTooLarge { offset, limit: limits.tar_extension_bytes, found }));
        }
        if left < BLOCK as u64 {
            return Err("the sparse map does not end within the content".into());
        }
        Ok(())
    }
}

/// The data extents of one file, walked while its bytes pass.
#[derive(Debug)]
pub(super) struct Layout {
    extents: std::vec::IntoIter<(u64, u64)>,
    size: u64,
    position: u64,
    left: u64,
}

impl Layout {
    /// Checks that the extents are in order, lie within `size` bytes and take exactly the `stored` bytes.
    pub(super) fn new(extents: &[Extent], size: i64, stored: u64) -> Result<Self, &'static str> {
        let size = u64::try_from(size).map_err(|_| "the sparse file's size is negative")?;
        let (mut end, mut sum) = (0_u64, 0_u64);
        let mut checked = Vec::with_capacity(extents.len());
        for (offset, length) in extents {
            let (Ok(offset), Ok(length)) = (u64::try_from(*offset), u64::try_from(*length)) else {
                return Err("the sparse map holds a negative number");
            };
            if offset < end {
                return Err("the sparse map's extents overlap or are out of order");
            }
            end = offset.saturating_add(length);
            if end > size {
                return Err("the sparse map reaches over the file's end");
            }
            sum = sum.saturating_add(length);
            if length > 0 {
                checked.push((offset, length));
            }
        }
        if sum != stored {
            return Err("the sparse map does not cover exactly the bytes that are stored");
        }
        Ok(Self { extents: checked.into_iter(), size, position: 0, left: 0 })
    }

    /// Hands on `count` stored bytes (None: they were skipped), with the holes before them.
    pub(super) fn walk(&mut self, bytes: Option<&[u8]>, mut count: u64, sink: &mut impl Sink) {
        let mut bytes = bytes;
        while count > 0 {
            if self.left == 0 {
                let Some((offset, length)) = self.extents.next() else { return };
                self.hole_until(offset, sink);
                self.left = length;
            }
            let part = count.min(self.left);
            if let Some((now, later)) = bytes.and_then(|bytes| bytes.split_at_checked(usize::try_from(part).ok()?)) {
                sink.data(now);
                bytes = Some(later);
            }
            self.left = self.left.saturating_sub(part);
            self.position = self.position.saturating_add(part);
            count = count.saturating_sub(part);
        }
    }

    /// The hole after the last extent.
    pub(super) fn finish(&mut self, sink: &mut impl Sink) {
        self.hole_until(self.size, sink);
    }

    fn hole_until(&mut self, offset: u64, sink: &mut impl Sink) {
        if offset > self.position {
            sink.hole(offset.saturating_sub(self.position));
            self.position = offset;
        }
    }
}
