//! The program headers of an ELF file: where its segments lie, and what they say of its stack and its write protection.

use goblin::elf::ProgramHeader;
use goblin::elf::program_header::{PF_X, PT_DYNAMIC, PT_GNU_RELRO, PT_GNU_STACK, PT_INTERP, PT_LOAD};

use super::elf_facts::ElfFacts;
use super::elf_learnt::{Failure, broken};
use crate::limits::Limits;

/// Bytes of the longest interpreter path (PATH_MAX, with its NUL).
const PATH_BYTES: u64 = 4_096;

/// Bytes at the beginning of a segment in which its tables end: those of libLLVM take 5 MiB.
const TABLES_BYTES: u64 = 16 << 20;

/// Loaded segments of files that are told where their tables lie: linkers make at most a dozen.
const MOST_LOADED: usize = 64;

/// Where segments lie.
#[derive(Debug, Default)]
pub(super) struct Layout {
    file_bytes: u64,
    headers: Vec<ProgramHeader>,
}

impl Layout {
    /// The layout of a file of `file_bytes` bytes.
    pub(super) fn new(headers: Vec<ProgramHeader>, file_bytes: u64) -> Self {
        Self { file_bytes, headers }
    }

    /// Notes what the headers alone say.
    pub(super) fn tell(&self, facts: &mut ElfFacts) {
        // the last one counts, to the kernel and to loaders
        facts.stack = self.of_type(PT_GNU_STACK).last().map(|header| header.p_flags);
        let code = self.of_type(PT_LOAD).filter(|header| header.p_flags & PF_X != 0);
        facts.code_bytes = code.fold(0, |sum: u64, header| sum.saturating_add(header.p_filesz)).min(self.file_bytes);
        for (kind, what) in [(PT_INTERP, "PT_INTERP"), (PT_GNU_STACK, "PT_GNU_STACK"), (PT_GNU_RELRO, "PT_GNU_RELRO")] {
            if self.of_type(kind).count() > 1 {
                facts.faults.push(format!("it has more than one {what}").into());
            }
        }
        let end = |header: &ProgramHeader| header.p_offset.checked_add(header.p_filesz);
        if self.of_type(PT_LOAD).any(|header| end(header).is_none_or(|end| end > self.file_bytes)) {
            facts.faults.push("a segment that is loaded lies beyond its end".into());
        }
        let mut spans: Vec<_> =
            self.of_type(PT_LOAD).map(|load| (load.p_vaddr, load.p_vaddr.saturating_add(load.p_memsz))).collect();
        spans.sort_unstable();
        if spans.windows(2).any(|pair| matches!(pair, [first, second] if first.1 > second.0)) {
            facts.faults.push("segments that are loaded overlap".into());
        }
    }

    /// File offset and length of the interpreter's path.
    pub(super) fn interpreter(&self) -> Result<Option<(u64, u64)>, Failure> {
        // the kernel takes the first and looks for no other
        let Some(interpreter) = self.of_type(PT_INTERP).next() else { return Ok(None) };
        if !(2..=PATH_BYTES).contains(&interpreter.p_filesz) {
            return broken(format!("its interpreter's path is {} bytes", interpreter.p_filesz));
        }
        self.within(interpreter.p_offset, interpreter.p_filesz, "its interpreter's path")?;
        Ok(Some((interpreter.p_offset, interpreter.p_filesz)))
    }

    /// File offset and length of the dynamic segment, as a loader finds it: by address, in a loaded segment.
    pub(super) fn dynamic(&self, limits: &Limits) -> Result<(u64, u64), Failure> {
        let mut segments = self.of_type(PT_DYNAMIC);
        let Some(dynamic) = segments.next().filter(|dynamic| dynamic.p_filesz > 0) else { return Ok((0, 0)) };
        if segments.next().is_some() {
            return broken("it has more than one dynamic segment");
        }
        limits.elf_dynamic_bytes(dynamic.p_filesz)?;
        let Some((offset, _)) = self.file_offset(dynamic.p_vaddr) else {
            return broken("its dynamic segment is in no loaded segment");
        };
        self.within(offset, dynamic.p_filesz, "its dynamic segment")?;
        Ok((offset, dynamic.p_filesz))
    }

    /// File offset of an address, and the bytes of its segment from there on. Later segments are mapped over earlier ones.
    pub(super) fn file_offset(&self, address: u64) -> Option<(u64, u64)> {
        self.headers.iter().rev().filter(|header| header.p_type == PT_LOAD).find_map(|load| {
            let into = address.checked_sub(load.p_vaddr).filter(|into| *into < load.p_filesz)?;
            Some((load.p_offset.checked_add(into)?, load.p_filesz.saturating_sub(into)))
        })
    }

    /// Err when a part of the file lies beyond its end.
    pub(super) fn within(&self, offset: u64, length: u64, what: &str) -> Result<(), Failure> {
        if offset.checked_add(length).is_none_or(|end| end > self.file_bytes) {
            return broken(format!("{what} lies beyond its end"));
        }
        Ok(())
    }

    /// Parts of the file in which linkers put no tables: first byte and the one after the last. They put them into the first segment,
    /// before its code, if any; Go puts them into a segment after its code; patchelf adds a segment that begins with them.
    pub(super) fn without_tables(&self) -> Vec<(u64, u64)> {
        let span = |load: &ProgramHeader| (load.p_offset, load.p_offset.saturating_add(load.p_filesz));
        let is_code = |load: &ProgramHeader| load.p_flags & PF_X != 0;
        let is_apart = self.of_type(PT_LOAD).any(|load| !is_code(load) && load.p_offset == 0 && load.p_filesz > 0);
        let mut parts = Vec::new();
        if self.of_type(PT_LOAD).count() > MOST_LOADED {
            return parts;
        }
        for (index, load) in self.of_type(PT_LOAD).enumerate() {
            let (start, end) = span(load);
            let from = match (is_code(load), is_apart) {
                (true, true) => start,
                (false, false) => continue,
                _ => start.saturating_add(TABLES_BYTES),
            };
            let mut others = self.of_type(PT_LOAD).enumerate().filter(|(other, _)| *other != index).map(|(_, load)| span(load));
            if from < end && !others.any(|other| other.0 < end && from < other.1) {
                parts.push((from, end));
            }
        }
        parts
    }

    /// Whether anything is write-protected after linking.
    pub(super) fn has_relro(&self) -> bool {
        self.of_type(PT_GNU_RELRO).next().is_some()
    }

    /// Whether an address is write-protected after linking: loaders take the last header of its type.
    pub(super) fn is_relro(&self, address: u64) -> bool {
        let is_in = |header: &ProgramHeader| address.checked_sub(header.p_vaddr).is_some_and(|into| into < header.p_memsz);
        self.of_type(PT_GNU_RELRO).last().is_some_and(is_in)
    }

    fn of_type(&self, kind: u32) -> impl Iterator<Item = &ProgramHeader> {
        self.headers.iter().filter(move |header| header.p_type == kind)
    }
}
