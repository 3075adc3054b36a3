//! The table `Packages` of an SQLite file (sqlite.org/fileformat2.html): its b-tree is walked, nothing is queried.

use super::numbers::{Used, be16, be32, size, slice};
use super::{Blob, Broken, broken};

const MAGIC: &[u8] = b"SQLite format 3\0";
const UTF_8: u32 = 1;
const HEADER_BYTES: usize = 100;
const INTERIOR: u8 = 5;
const LEAF: u8 = 13;

struct File<'a> {
    bytes: &'a [u8],
    page_bytes: usize,
    /// Bytes of a page without the reserved ones at its end.
    usable: usize,
}

/// Gives every blob of the table `Packages` to `take`.
pub(super) fn blobs(bytes: &[u8], take: &mut Blob<'_>) -> Result<(), Broken> {
    let file = File::new(bytes)?;
    let mut used = Used::new(file.pages());
    let mut root = None;
    file.walk(1, &mut used, &mut |row| {
        let kind = column(row, 0).map(|column| column.1);
        let name = column(row, 1).map(|column| column.1);
        if kind == Some(b"table") && name == Some(b"Packages") {
            root =
                column(row, 3).map(|(_, number)| number.iter().fold(0_u32, |sum, byte| sum.wrapping_shl(8) | u32::from(*byte)));
        }
        Ok(())
    })?;
    let root = root.ok_or_else(|| broken("no table Packages", 0))?;
    file.walk(size(root), &mut used, &mut |row| match column(row, 1) {
        Some((serial, blob)) if serial >= 12 => take(blob).map_err(Broken::from),
        _ => Err(broken("a row of Packages without a blob", 0)),
    })
}

impl<'a> File<'a> {
    fn new(bytes: &'a [u8]) -> Result<Self, Broken> {
        if bytes.is_empty() {
            return Err(broken("the file is empty: no database", 0));
        }
        if !bytes.starts_with(MAGIC) {
            return Err(broken("no SQLite header", 0));
        }
        let page_bytes = match be16(bytes, 16).map(usize::from) {
            Some(1) => 65_536,
            Some(number @ 512..=32_768) if number.is_power_of_two() => number,
            _ => return Err(broken("the page size is no power of two from 512 to 65536", 16)),
        };
        if be32(bytes, 56) != Some(UTF_8) {
            return Err(broken("the text encoding is not UTF-8", 56));
        }
        let reserved = bytes.get(20).copied().map_or(0, usize::from);
        let usable = page_bytes.checked_sub(reserved).filter(|usable| *usable >= 480);
        Ok(Self { bytes, page_bytes, usable: usable.ok_or_else(|| broken("too many reserved bytes", 20))? })
    }

    fn pages(&self) -> usize {
        // page numbers start at 1
        self.bytes.len().checked_div(self.page_bytes).unwrap_or(0).saturating_add(1)
    }

    fn offset(&self, number: usize) -> usize {
        number.saturating_sub(1).saturating_mul(self.page_bytes)
    }

    fn page(&self, number: usize, used: &mut Used) -> Result<&'a [u8], Broken> {
        let at = self.offset(number);
        if number == 0 || !used.take(number) {
            return Err(broken("a page that does not exist or is used twice", at));
        }
        slice(self.bytes, at, self.page_bytes).ok_or_else(|| broken("a page past the end of the file", at))
    }

    /// Walks a table b-tree and gives each row's record.
    fn walk(&self, root: usize, used: &mut Used, row: &mut dyn FnMut(&[u8]) -> Result<(), Broken>) -> Result<(), Broken> {
        let mut stack = vec![root];
        while let Some(number) = stack.pop() {
            let page = self.page(number, used)?;
            let cut = || broken("a b-tree page that is cut short", self.offset(number));
            let start = if number == 1 { HEADER_BYTES } else { 0 };
            let kind = page.get(start).copied().ok_or_else(cut)?;
            let cells = usize::from(be16(page, start.saturating_add(3)).ok_or_else(cut)?);
            let pointers = start.saturating_add(if kind == INTERIOR { 12 } else { 8 });
            let pointer = |cell: usize| be16(page, cell.saturating_mul(2).saturating_add(pointers)).map(usize::from);
            match kind {
                INTERIOR => {
                    stack.push(size(be32(page, start.saturating_add(8)).ok_or_else(cut)?));
                    for cell in (0..cells).rev() {
                        let child = pointer(cell).and_then(|at| be32(page, at)).ok_or_else(cut)?;
                        stack.push(size(child));
                    }
                }
                LEAF => {
                    let mut bytes_left = self.page_bytes;
                    for cell in 0..cells {
                        let record = pointer(cell).and_then(|at| page.get(at..)).ok_or_else(cut)?;
                        // cells that overlap would be read again and again
                        bytes_left = bytes_left.checked_sub(self.leaf(record, number, used, row)?).ok_or_else(cut)?;
                    }
                }
                _ => return Err(broken("a page that is no table b-tree", self.offset(number))),
            }
        }
        Ok(())
    }

    /// Gives the record of a leaf's cell, its overflow pages joined; returns how much of it stands in the leaf.
    fn leaf(
        &self,
        cell: &[u8],
        number: usize,
        used: &mut Used,
        row: &mut dyn FnMut(&[u8]) -> Result<(), Broken>,
    ) -> Result<usize, Broken> {
        let cut = || broken("a record that is cut short", self.offset(number));
        let (length, rest) = varint(cell).ok_or_else(cut)?;
        let (_, rest) = varint(rest).ok_or_else(cut)?;
        let length = usize::try_from(length).ok().filter(|length| *length <= self.bytes.len()).ok_or_else(cut)?;
        let local = self.local_bytes(length);
        let first = rest.get(..local).ok_or_else(cut)?;
        if local == length {
            row(first)?;
            return Ok(length);
        }
        let mut record = Vec::with_capacity(length);
        record.extend_from_slice(first);
        let mut next = be32(rest, local).ok_or_else(cut)?;
        while record.len() < length {
            let page = self.page(size(next), used)?;
            next = be32(page, 0).ok_or_else(cut)?;
            let wanted = length.saturating_sub(record.len()).min(self.usable.saturating_sub(4));
            record.extend_from_slice(slice(page, 4, wanted).ok_or_else(cut)?);
        }
        row(&record)?;
        Ok(local)
    }

    /// How much of a payload stands in the leaf itself (fileformat2, section 1.6).
    fn local_bytes(&self, length: usize) -> usize {
        let largest = self.usable.saturating_sub(35);
        if length <= largest {
            return length;
        }
        let smallest = self.usable.saturating_sub(12).saturating_mul(32).checked_div(255).unwrap_or(0).saturating_sub(23);
        let per_page = self.usable.saturating_sub(4);
        let local = length.saturating_sub(smallest).checked_rem(per_page).unwrap_or(0).saturating_add(smallest);
        if local <= largest { local } else { smallest }
    }
}

/// A big-endian number of 1 to 9 bytes, and what follows it.
fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut number = 0_u64;
    for (index, byte) in bytes.iter().enumerate().take(9) {
        let after = bytes.get(index.saturating_add(1)..)?;
        if index == 8 {
            return Some((number.wrapping_shl(8) | u64::from(*byte), after));
        }
        number = number.wrapping_shl(7) | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((number, after));
        }
    }
    None
}

/// Serial type and bytes of a record's column.
fn column(record: &[u8], wanted: usize) -> Option<(u64, &[u8])> {
    let (header_bytes, rest) = varint(record)?;
    let header_bytes = usize::try_from(header_bytes).ok()?;
    let mut serials = record.get(record.len().checked_sub(rest.len())?..header_bytes)?;
    let mut at = header_bytes;
    for index in 0..=wanted {
        let (serial, after) = varint(serials)?;
        serials = after;
        let length = usize::try_from(column_bytes(serial)).ok()?;
        if index == wanted {
            return Some((serial, slice(record, at, length)?));
        }
        at = at.checked_add(length)?;
    }
    None
}

fn column_bytes(serial: u64) -> u64 {
    match serial {
        0 | 8..=11 => 0,
        1..=4 => serial,
        5 => 6,
        6 | 7 => 8,
        _ => serial.saturating_sub(12) >> 1,
    }
}
