//! Berkeley DB hash files, as rpm until 4.15 wrote them: every hash page is read in turn, values are small and inline or
//! on chains of overflow pages (Berkeley DB's `dbinc/db_page.h`).

use super::numbers::{Used, be16, be32, le16, le32, size, slice};
use super::{Blob, Broken, broken};

const HASH_MAGIC: u32 = 0x0006_1561;
const PAGE_HEADER: usize = 26;
const HASH_UNSORTED: u8 = 2;
const OVERFLOW: u8 = 7;
const HASH: u8 = 13;
const KEY_DATA: u8 = 1;
const OFF_PAGE: u8 = 3;

struct File<'a> {
    bytes: &'a [u8],
    page_bytes: usize,
    is_big_endian: bool,
}

/// Gives every value of the database but that of key 0, which holds the next free number, to `take`.
pub(super) fn blobs(bytes: &[u8], take: &mut Blob<'_>) -> Result<(), Broken> {
    let file = File::new(bytes)?;
    let mut used = Used::new(file.pages());
    for number in 1..file.pages() {
        let page = file.page(number)?;
        if !matches!(page.get(25), Some(&(HASH | HASH_UNSORTED))) {
            continue;
        }
        let at = file.offset(number);
        let cut = || broken("a hash page whose entries leave it", at);
        let entries = usize::from(file.u16(page, 20).ok_or_else(cut)?);
        let mut end = file.page_bytes;
        let mut is_counter = false;
        for entry in 0..entries {
            let start = file.u16(page, entry.saturating_mul(2).saturating_add(PAGE_HEADER)).map(usize::from).ok_or_else(cut)?;
            // items are laid from the end of the page down
            let item = page.get(start..end).filter(|item| !item.is_empty()).ok_or_else(cut)?;
            end = start;
            let (kind, data) = item.split_first().ok_or_else(cut)?;
            if entry % 2 == 0 {
                is_counter = *kind == KEY_DATA && data == [0; 4];
                continue;
            }
            match *kind {
                _ if is_counter => {}
                KEY_DATA => take(data)?,
                OFF_PAGE => take(&file.chain(item, at, &mut used)?)?,
                _ => return Err(broken("a hash page with a value of an unknown type", at)),
            }
        }
    }
    Ok(())
}

impl<'a> File<'a> {
    fn new(bytes: &'a [u8]) -> Result<Self, Broken> {
        let is_big_endian = match (le32(bytes, 12), be32(bytes, 12)) {
            (Some(HASH_MAGIC), _) => false,
            (_, Some(HASH_MAGIC)) => true,
            _ => return Err(broken("no Berkeley DB hash header", 12)),
        };
        if bytes.get(24) != Some(&0) {
            return Err(broken("the database is encrypted", 24));
        }
        let mut file = Self { bytes, page_bytes: 0, is_big_endian };
        let page_bytes = file.u32(bytes, 20).filter(|size| matches!(size, 512..=65_536) && size.is_power_of_two());
        file.page_bytes = page_bytes.map(size).ok_or_else(|| broken("the page size is no power of two from 512 to 65536", 20))?;
        let last = file.u32(bytes, 32).map(size).ok_or_else(|| broken("a header that is cut short", 32))?;
        if last >= file.pages() {
            return Err(broken("the last page is past the end of the file", 32));
        }
        Ok(file)
    }

    fn u16(&self, bytes: &[u8], at: usize) -> Option<u16> {
        if self.is_big_endian { be16(bytes, at) } else { le16(bytes, at) }
    }

    fn u32(&self, bytes: &[u8], at: usize) -> Option<u32> {
        if self.is_big_endian { be32(bytes, at) } else { le32(bytes, at) }
    }

    fn pages(&self) -> usize {
        self.bytes.len().checked_div(self.page_bytes).unwrap_or(0)
    }

    fn offset(&self, number: usize) -> usize {
        number.saturating_mul(self.page_bytes)
    }

    fn page(&self, number: usize) -> Result<&'a [u8], Broken> {
        let at = self.offset(number);
        slice(self.bytes, at, self.page_bytes).ok_or_else(|| broken("a page past the end of the file", at))
    }

    /// The bytes of a value on overflow pages; each page is used once.
    fn chain(&self, item: &[u8], from: usize, used: &mut Used) -> Result<Vec<u8>, Broken> {
        let cut = || broken("an overflow chain that does not give its value", from);
        let mut next = self.u32(item, 4).ok_or_else(cut)?;
        let length = self.u32(item, 8).map(size).filter(|length| *length <= self.bytes.len()).ok_or_else(cut)?;
        let mut value = Vec::with_capacity(length);
        while value.len() < length {
            let number = size(next);
            let page = self.page(number)?;
            if number == 0 || !used.take(number) || page.get(25) != Some(&OVERFLOW) {
                return Err(cut());
            }
            next = self.u32(page, 16).ok_or_else(cut)?;
            let here = usize::from(self.u16(page, 22).ok_or_else(cut)?);
            let here = if next == 0 { here } else { self.page_bytes.saturating_sub(PAGE_HEADER) };
            let part = slice(page, PAGE_HEADER, here.min(length.saturating_sub(value.len()))).filter(|part| !part.is_empty());
            value.extend_from_slice(part.ok_or_else(cut)?);
        }
        Ok(value)
    }
}
