//! ndb, rpm's own database: slots of 16 bytes that point to blobs, all little-endian (rpm's `lib/backend/ndb/rpmpkg.c`).

use super::numbers::{le32, size, slice};
use super::{Blob, Broken, broken};

const HEADER_MAGIC: &[u8] = b"RpmP";
const SLOT_MAGIC: &[u8] = b"Slot";
const BLOB_MAGIC: &[u8] = b"BlbS";
const VERSION: u32 = 0;
/// Bytes of a page of slots.
const PAGE: usize = 4096;
/// Bytes of a slot; the file's header takes the first two.
const SLOT: usize = 16;
/// Unit of a blob's offset and length; also the bytes of its own head.
const BLOCK: usize = 16;

/// Gives every blob to `take`.
pub(super) fn blobs(bytes: &[u8], take: &mut Blob<'_>) -> Result<(), Broken> {
    if !bytes.starts_with(HEADER_MAGIC) {
        return Err(broken("no ndb header", 0));
    }
    if le32(bytes, 4) != Some(VERSION) {
        return Err(broken("an unknown ndb version", 4));
    }
    let slot_pages = le32(bytes, 12).map(size).ok_or_else(|| broken("a header that is cut short", 0))?;
    let slots = slot_pages.checked_mul(PAGE).and_then(|length| bytes.get(..length));
    let slots = slots.ok_or_else(|| broken("slots past the end of the file", 12))?;
    // blobs that overlap would be read again and again
    let mut bytes_left = bytes.len();
    for (index, slot) in slots.chunks_exact(SLOT).enumerate().skip(2) {
        let at = index.saturating_mul(SLOT);
        if !slot.starts_with(SLOT_MAGIC) {
            return Err(broken("a slot without its magic", at));
        }
        let package = le32(slot, 4).filter(|package| *package != 0);
        let Some(package) = package else { continue };
        let blob = blob_of(bytes, slot, package).ok_or_else(|| broken("a slot that points to no blob of its package", at))?;
        bytes_left = bytes_left.checked_sub(blob.len()).ok_or_else(|| broken("blobs that overlap", at))?;
        take(blob)?;
    }
    Ok(())
}

fn blob_of<'a>(bytes: &'a [u8], slot: &[u8], package: u32) -> Option<&'a [u8]> {
    let start = size(le32(slot, 8)?).checked_mul(BLOCK)?;
    let blocks = size(le32(slot, 12)?).checked_mul(BLOCK)?;
    let whole = slice(bytes, start, blocks)?;
    let is_its = whole.starts_with(BLOB_MAGIC) && le32(whole, 4) == Some(package);
    let length = size(le32(whole, 12)?);
    slice(whole, BLOCK, length).filter(|_| is_its)
}
