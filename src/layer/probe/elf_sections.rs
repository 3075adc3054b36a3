//! Bytes of sections that nothing loads. Section headers are what `strip` and debuggers look at, and no loader: they tell how many
//! bytes are shipped for nothing, and no more.

use goblin::container::Ctx;
use goblin::elf::header::Header;
use goblin::elf::section_header::{SHF_ALLOC, SHT_NOBITS, SectionHeader};

use super::elf_facts::SectionBytes;
use super::elf_head::Head;
use super::range::Collected;

/// Most linkers write the names of sections right before the section headers, which end the file: so much before them is kept. Go's
/// writes the headers first and the names far behind them: so many names are waited for.
const NAMES_BYTES: u64 = 64 * 1024;

/// The section headers and their names, while the file streams by.
#[derive(Debug)]
pub(super) struct Sections {
    ctx: Ctx,
    file_bytes: u64,
    count: usize,
    /// Which section holds the names.
    names: usize,
    /// File offset of `part`, and where in it the headers begin.
    offset: u64,
    headers_at: usize,
    /// The headers, with what lies before them.
    part: Collected,
    /// The names, once the headers have said that they lie behind.
    behind: Option<Collected>,
}

impl Sections {
    /// The sections that a file header names; None when there are none, or none of a usual form, or when they have gone by: `head`
    /// holds the first bytes, and the next to come is that at `position`.
    pub(super) fn new(header: &Header, ctx: Ctx, file_bytes: u64, head: &Head, position: u64) -> Option<Self> {
        if header.e_shoff == 0 || header.e_shnum == 0 || usize::from(header.e_shentsize) != SectionHeader::size(ctx) {
            return None;
        }
        let bytes = u64::from(header.e_shnum).checked_mul(u64::from(header.e_shentsize))?;
        let end = header.e_shoff.checked_add(bytes).filter(|end| *end <= file_bytes)?;
        let offset = header.e_shoff.saturating_sub(NAMES_BYTES);
        let headers_at = usize::try_from(header.e_shoff.checked_sub(offset)?).ok()?;
        let part = Collected::copying(offset, usize::try_from(end.checked_sub(offset)?).ok()?, head, position)?;
        let (count, names) = (usize::from(header.e_shnum), usize::from(header.e_shstrndx));
        let mut sections = Self { ctx, file_bytes, count, names, offset, headers_at, part, behind: None };
        sections.wait_for_names(head, position);
        Some(sections)
    }

    /// Takes a chunk that begins at `at`.
    pub(super) fn push(&mut self, at: u64, chunk: &[u8]) {
        if let Some(names) = &mut self.behind {
            names.push(at, chunk);
        } else if !self.part.is_complete() {
            self.part.push(at, chunk);
            self.wait_for_names(&Head::default(), at);
            if let Some(names) = &mut self.behind {
                names.push(at, chunk);
            }
        }
    }

    /// Whether further bytes teach nothing.
    pub(super) fn is_complete(&self) -> bool {
        self.part.is_complete() && self.behind.as_ref().is_none_or(Collected::is_complete)
    }

    /// Begins to collect the names when the headers are there and say that they lie behind.
    fn wait_for_names(&mut self, head: &Head, position: u64) {
        let Some(names) = self.headers().and_then(|headers| headers.into_iter().nth(self.names)) else { return };
        let end = self.offset.saturating_add(u64::try_from(self.part.copied().len()).unwrap_or(u64::MAX));
        let is_inside = names.sh_offset.checked_add(names.sh_size).is_some_and(|end| end <= self.file_bytes);
        if names.sh_offset < end || names.sh_size > NAMES_BYTES || !is_inside {
            return;
        }
        let Ok(length) = usize::try_from(names.sh_size) else { return };
        self.behind = Collected::copying(names.sh_offset, length, head, position);
    }

    /// The headers, when all are there.
    fn headers(&self) -> Option<Vec<SectionHeader>> {
        let part = Some(self.part.copied()).filter(|_| self.part.is_complete())?;
        SectionHeader::parse(part, self.headers_at, self.count, self.ctx).ok()
    }

    /// What the sections weigh. None when the names lie elsewhere.
    pub(super) fn weigh(&self) -> Option<SectionBytes> {
        let headers = self.headers()?;
        if let Some(names) = &self.behind {
            return names.is_complete().then(|| weigh(&headers, names.copied(), self.file_bytes));
        }
        let names = headers.get(self.names)?;
        let start = usize::try_from(names.sh_offset.checked_sub(self.offset)?).ok()?;
        let names = self.part.copied().get(start..)?.get(..usize::try_from(names.sh_size).ok()?)?;
        Some(weigh(&headers, names, self.file_bytes))
    }
}

fn weigh(headers: &[SectionHeader], names: &[u8], file_bytes: u64) -> SectionBytes {
    let mut bytes = SectionBytes::default();
    for header in headers {
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
    bytes
}
