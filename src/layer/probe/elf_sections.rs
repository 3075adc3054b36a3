//! Bytes of sections that nothing loads. Section headers are what `strip` and debuggers look at, and no loader: they tell how many
//! bytes are shipped for nothing, and no more.

use goblin::container::Ctx;
use goblin::elf::header::Header;
use goblin::elf::section_header::{SHF_ALLOC, SHT_NOBITS, SectionHeader};

use super::elf_facts::SectionBytes;

/// Linkers write the names of sections right before the section headers, which end the file; so much before them is kept.
const NAMES_BYTES: u64 = 64 * 1024;

/// Where the section headers and their names are expected.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Place {
    /// File offset of the part.
    pub(super) offset: u64,
    /// Bytes of the part.
    pub(super) length: u64,
    /// Where in it the headers begin.
    headers_at: u64,
    count: u16,
    names: u16,
}

/// The place that a file header names; None when there are no section headers, or none of a usual form.
pub(super) fn place(header: &Header, ctx: Ctx, file_bytes: u64) -> Option<Place> {
    if header.e_shoff == 0 || header.e_shnum == 0 || usize::from(header.e_shentsize) != SectionHeader::size(ctx) {
        return None;
    }
    let bytes = u64::from(header.e_shnum).checked_mul(u64::from(header.e_shentsize))?;
    let end = header.e_shoff.checked_add(bytes).filter(|end| *end <= file_bytes)?;
    let offset = header.e_shoff.saturating_sub(NAMES_BYTES);
    let headers_at = header.e_shoff.checked_sub(offset)?;
    Some(Place { offset, length: end.checked_sub(offset)?, headers_at, count: header.e_shnum, names: header.e_shstrndx })
}

/// Reads the part. None when the names lie elsewhere.
pub(super) fn read(place: Place, part: &[u8], ctx: Ctx, file_bytes: u64) -> Option<SectionBytes> {
    let headers_at = usize::try_from(place.headers_at).ok()?;
    let headers = SectionHeader::parse(part, headers_at, usize::from(place.count), ctx).ok()?;
    let names = headers.get(usize::from(place.names))?;
    let start = usize::try_from(names.sh_offset.checked_sub(place.offset)?).ok()?;
    let names = part.get(start..)?.get(..usize::try_from(names.sh_size).ok()?)?;
    let mut bytes = SectionBytes::default();
    for header in &headers {
        let is_shipped = header.sh_type != SHT_NOBITS && header.sh_flags & u64::from(SHF_ALLOC) == 0;
        let is_inside = header.sh_offset.checked_add(header.sh_size).is_some_and(|end| end <= file_bytes);
        if !is_shipped || !is_inside {
            continue;
        }
        let name = names.get(header.sh_name..).and_then(|name| name.split(|byte| *byte == 0).next()).unwrap_or_default();
        let sum = match name {
            b".symtab" | b".strtab" => &mut bytes.symbols,
            name if name.starts_with(b".debug_") || name.starts_with(b".zdebug_") => &mut bytes.debug,
            _ => continue,
        };
        // overlapping sections do not make a file larger than it is
        *sum = sum.saturating_add(header.sh_size).min(file_bytes);
    }
    Some(bytes)
}
