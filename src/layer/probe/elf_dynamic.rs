//! The dynamic segment of an ELF file: what it says at once, and which tables it names (gABI chapter 5, the Linux Standard Base for
//! symbol versions).

use goblin::container::Ctx;
use goblin::elf::ProgramHeader;
use goblin::elf::dynamic::{
    DF_1_NODEFLIB, DF_1_NOW, DF_1_PIE, DF_BIND_NOW, DT_BIND_NOW, DT_FLAGS, DT_FLAGS_1, DT_NEEDED, DT_NULL, DT_PLTGOT, DT_RPATH,
    DT_RUNPATH, DT_SONAME, DT_STRSZ, DT_STRTAB, DT_VERDEF, DT_VERNEED, Dyn, Dynamic,
};
use goblin::elf::header::ET_DYN;
use goblin::elf::program_header::PT_DYNAMIC;

use super::elf_facts::{ElfFacts, Relro};
use super::elf_head::Head;
use super::elf_layout::Layout;
use super::elf_learnt::{Failure, broken};
use super::elf_versions;
use super::range::Collected;
use crate::limits::Limits;

/// Names libraries that are tried before the file itself (Solaris' "Linker and Libraries Guide").
const DT_AUXILIARY: u64 = 0x7fff_fffd;
/// Likewise, without the file's own definitions.
const DT_FILTER: u64 = 0x7fff_ffff;

/// Bytes of the longest string that the dynamic segment names, where its string table is too large to be taken as a whole: search
/// paths can be long.
const STRING_BYTES: u64 = 64 * 1024;

/// A part of the file: offset and length.
pub(super) type Part = (u64, u64);

/// The tables that a dynamic segment names.
#[derive(Debug, Default)]
pub(super) struct Tables {
    /// Tags, and offsets into [`Self::strings`].
    names: Vec<(u64, u64)>,
    /// The string table, or the part of it that holds the names.
    pub(super) strings: Part,
    /// The whole string table was taken.
    is_whole: bool,
    /// DT_VERNEED, to the end of its segment.
    pub(super) needs: Part,
    /// DT_VERDEF, likewise.
    pub(super) definitions: Part,
}

/// Reads the segment. None when it names nothing.
pub(super) fn read(
    bytes: &[u8],
    ctx: Ctx,
    layout: &Layout,
    facts: &mut ElfFacts,
    limits: &Limits,
) -> Result<Option<Tables>, Failure> {
    let entries = entries(bytes, ctx)?;
    let value = |tag| entries.iter().rev().find(|entry| entry.d_tag == tag).map(|entry| entry.d_val);
    let has_flag = |tag, flag| value(tag).is_some_and(|flags| flags & flag != 0);
    facts.is_program |= facts.kind == ET_DYN && has_flag(DT_FLAGS_1, DF_1_PIE);
    facts.is_without_default_folders = has_flag(DT_FLAGS_1, DF_1_NODEFLIB);
    let binds_now = has_flag(DT_FLAGS, DF_BIND_NOW) || has_flag(DT_FLAGS_1, DF_1_NOW) || value(DT_BIND_NOW).is_some();
    if layout.has_relro() {
        let is_covered = value(DT_PLTGOT).is_none_or(|address| layout.is_relro(address));
        facts.relro = if binds_now && is_covered { Relro::Full } else { Relro::Partial };
    }
    let is_name = |entry: &&Dyn| matches!(entry.d_tag, DT_NEEDED | DT_SONAME | DT_RPATH | DT_RUNPATH | DT_AUXILIARY | DT_FILTER);
    let names: Vec<(u64, u64)> = entries.iter().filter(is_name).map(|entry| (entry.d_tag, entry.d_val)).collect();
    let last = names.iter().map(|name| name.1).max();
    let versions = |tag| value(tag).map(|address| version_table(address, layout));
    let (needs, definitions) = (versions(DT_VERNEED), versions(DT_VERDEF));
    if needs == Some(None) || definitions == Some(None) {
        facts.faults.push("its version tables are in no loaded segment".into());
    }
    let Some((table, mapped)) = value(DT_STRTAB).and_then(|address| layout.file_offset(address)) else {
        return if last.is_some() { broken("its dynamic string table is in no loaded segment") } else { Ok(None) };
    };
    let table_bytes = value(DT_STRSZ).unwrap_or(mapped).min(mapped);
    if last.is_some_and(|last| last >= table_bytes) {
        return broken("a name lies beyond its dynamic string table");
    }
    let is_whole = limits.elf_dynamic_bytes(table_bytes).is_ok();
    let first = if is_whole { 0 } else { names.iter().map(|name| name.1).min().unwrap_or_default() };
    let last_end = last.map_or(0, |last| last.saturating_add(STRING_BYTES).min(table_bytes));
    let end = if is_whole { table_bytes } else { last_end };
    let length = end.saturating_sub(first);
    limits.elf_dynamic_bytes(length)?;
    let offset = table.saturating_add(first);
    layout.within(offset, length, "its dynamic string table")?;
    let names = names.into_iter().map(|(tag, value)| (tag, value.saturating_sub(first))).collect();
    let (needs, definitions) = (needs.flatten().unwrap_or_default(), definitions.flatten().unwrap_or_default());
    Ok(Some(Tables { names, strings: (offset, length), is_whole, needs, definitions }))
}

/// A loader follows the chain of a version table however far it leads.
fn version_table(address: u64, layout: &Layout) -> Option<Part> {
    let (offset, mapped) = layout.file_offset(address)?;
    let length = mapped.min(elf_versions::MOST_BYTES);
    layout.within(offset, length, "").is_ok().then_some((offset, length))
}

fn entries(bytes: &[u8], ctx: Ctx) -> Result<Vec<Dyn>, Failure> {
    // goblin looks for the segment in the bytes it is given: they are the segment
    let header = ProgramHeader {
        p_type: PT_DYNAMIC,
        p_filesz: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
        ..ProgramHeader::default()
    };
    let Ok(Some(dynamic)) = Dynamic::parse(bytes, &[header], ctx) else {
        return broken("its dynamic segment is malformed");
    };
    let mut entries = dynamic.dyns;
    // a loader reads on until DT_NULL, past what the program header says
    if entries.pop().is_none_or(|last| last.d_tag != DT_NULL) {
        return broken("its dynamic segment has no end");
    }
    Ok(entries)
}

/// The tables' bytes, while they come.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) tables: Tables,
    pub(super) strings: Collected,
    pub(super) needs: Collected,
    pub(super) definitions: Collected,
    /// Bytes of the version tables have gone by.
    pub(super) is_lost: bool,
}

impl Reading {
    pub(super) fn push(&mut self, at: u64, bytes: &[u8]) {
        for range in [&mut self.strings, &mut self.needs, &mut self.definitions] {
            range.push(at, bytes);
        }
    }

    pub(super) fn is_complete(&self) -> bool {
        [&self.strings, &self.needs, &self.definitions].into_iter().all(Collected::is_complete)
    }

    /// Reads the names, all together at most `most_bytes` long: no honest file repeats them so often that they outgrow it.
    pub(super) fn read(&self, head: &Head, most_bytes: u64, facts: &mut ElfFacts) -> Result<(), Failure> {
        let mut strings = Strings { bytes: self.strings.bytes(head), left: most_bytes };
        for (tag, offset) in &self.tables.names {
            let name = strings.at(*offset)?;
            match *tag {
                DT_NEEDED => facts.needed.push(name),
                DT_AUXILIARY => facts.auxiliaries.push(name),
                DT_FILTER => facts.filters.push(name),
                DT_SONAME => facts.soname = Some(name),
                DT_RPATH => facts.rpath = Some(name),
                _ => facts.runpath = Some(name),
            }
        }
        let has_versions = self.tables.needs != Part::default() || self.tables.definitions != Part::default();
        if has_versions && (self.is_lost || !self.tables.is_whole) {
            let reason = "its symbol versions lie where they were not looked for (limits elf-head-bytes, elf-dynamic-bytes)";
            return Err(Failure::Partly(reason.to_owned()));
        }
        if !self.tables.is_whole {
            return Ok(());
        }
        facts.has_stack_guard = Some(memchr::memmem::find(self.strings.bytes(head), STACK_GUARD).is_some());
        let is_little_endian = facts.is_little_endian;
        facts.version_needs =
            tolerated(elf_versions::needs(self.needs.bytes(head), is_little_endian, &mut strings), &mut facts.faults);
        if self.tables.definitions != Part::default() {
            let names = elf_versions::definitions(self.definitions.bytes(head), is_little_endian, &mut strings);
            facts.version_definitions = Some(tolerated(names, &mut facts.faults));
        }
        Ok(())
    }
}

/// What functions call whose stack frame was overwritten, in every C library; with its NUL.
pub(super) const STACK_GUARD: &[u8] = b"__stack_chk_fail\0";

fn tolerated<T>((found, fault): (T, Option<String>), faults: &mut Vec<Box<str>>) -> T {
    faults.extend(fault.map(Into::into));
    found
}

/// A string table, of which only so much is copied.
#[derive(Debug)]
pub(super) struct Strings<'b> {
    bytes: &'b [u8],
    left: u64,
}

impl Strings<'_> {
    /// The string at an offset.
    pub(super) fn at(&mut self, offset: u64) -> Result<Box<[u8]>, Failure> {
        let bytes = usize::try_from(offset).ok().and_then(|offset| self.bytes.get(offset..)).unwrap_or_default();
        let Some(end) = memchr::memchr(0, bytes) else {
            return broken("a name in its dynamic string table has no end");
        };
        let Some(left) = self.left.checked_sub(u64::try_from(end).unwrap_or(u64::MAX)) else {
            return broken("the names of its dynamic segment are longer than the file, all together");
        };
        self.left = left;
        Ok(bytes.get(..end).unwrap_or_default().into())
    }
}

#[cfg(test)]
impl<'b> Strings<'b> {
    pub(super) fn of(bytes: &'b [u8], left: u64) -> Self {
        Self { bytes, left }
    }
}
