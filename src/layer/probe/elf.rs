//! ELF facts from a file that streams by: the head is kept until the program headers, the dynamic segment and the strings it
//! names are there; section headers are never looked at, because no loader looks at them (elf(5), gABI chapter 5).

use goblin::container::{Container, Ctx, Endian};
use goblin::elf::dynamic::{
    DF_1_PIE, DT_FLAGS_1, DT_NEEDED, DT_NULL, DT_RPATH, DT_RUNPATH, DT_SONAME, DT_STRSZ, DT_STRTAB, Dyn, Dynamic,
};
use goblin::elf::header::{ET_CORE, ET_DYN, ET_EXEC, ET_REL};
use goblin::elf::program_header::{PT_DYNAMIC, PT_INTERP, PT_LOAD};
use goblin::elf::{Elf, Header, ProgramHeader};

use super::elf_facts::{ElfFacts, Marker};
use super::elf_learnt::{Failure, Learnt, broken};
use super::markers::Scanner;
use super::range::Collected;
use crate::limits::{LimitHit, Limits};

/// Bytes of the longest interpreter path (PATH_MAX, with its NUL).
const PATH_BYTES: u64 = 4_096;

/// Bytes of the longest string that the dynamic segment names: search paths can be long.
const STRING_BYTES: u64 = 64 * 1024;

/// What is waited for.
#[derive(Debug, Default)]
enum Stage {
    #[default]
    Header,
    ProgramHeaders(Box<Header>),
    /// The interpreter's path and the dynamic segment.
    Segments {
        interpreter: Collected,
        dynamic: Collected,
    },
    /// The strings that the dynamic segment names: tag and offset, and their bytes.
    Strings(Vec<(u64, u64)>, Collected),
    Done,
}

/// Reads one ELF file after the other.
#[derive(Debug)]
pub(super) struct ElfProbe {
    limits: Limits,
    size: u64,
    position: u64,
    head: Vec<u8>,
    stage: Stage,
    loads: Vec<ProgramHeader>,
    facts: Box<ElfFacts>,
    failure: Option<Failure>,
    /// Made when the first program is seen.
    scanner: Scanner,
    is_scanning: bool,
    /// All that the kernel looks at is in order.
    is_runnable: bool,
}

impl ElfProbe {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            limits: limits.clone(),
            size: 0,
            position: 0,
            head: Vec::new(),
            stage: Stage::Header,
            loads: Vec::new(),
            facts: Box::default(),
            failure: None,
            scanner: Scanner::default(),
            is_scanning: false,
            is_runnable: false,
        }
    }

    /// A file of `size` bytes begins.
    pub(super) fn start(&mut self, size: u64) {
        self.size = size;
        self.position = 0;
        self.head.clear();
        self.stage = Stage::Header;
        self.loads.clear();
        *self.facts = ElfFacts::default();
        self.failure = None;
        self.scanner.start();
        self.is_scanning = false;
        self.is_runnable = false;
    }

    /// Whether further bytes teach nothing.
    pub(super) fn is_done(&self) -> bool {
        matches!(self.stage, Stage::Done) && !self.is_scanning
    }

    /// The next bytes.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        if self.is_done() {
            return;
        }
        if !matches!(self.stage, Stage::Done) {
            let room = to_usize(self.limits.elf_head_bytes).saturating_sub(self.head.len());
            // the head has no gaps: it ends where it was full
            if byte_count(&self.head) == self.position {
                self.head.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
            }
        }
        match &mut self.stage {
            Stage::Segments { interpreter, dynamic } => {
                interpreter.push(self.position, bytes);
                dynamic.push(self.position, bytes);
            }
            Stage::Strings(_, strings) => strings.push(self.position, bytes),
            Stage::Header | Stage::ProgramHeaders(_) | Stage::Done => {}
        }
        self.position = self.position.saturating_add(byte_count(bytes));
        if self.is_scanning {
            self.scanner.push(bytes);
        }
        self.advance();
    }

    /// The file is complete.
    pub(super) fn finish(&mut self) -> Learnt {
        if !matches!(self.stage, Stage::Done) && self.failure.is_none() && !self.is_runnable {
            self.failure = Some(Failure::Broken("ends before what its headers name".to_owned()));
        }
        self.stage = Stage::Done;
        match self.failure.take() {
            Some(Failure::Broken(reason)) => return Learnt::Broken(reason),
            Some(Failure::NotExamined(reason)) => return Learnt::NotExamined(reason),
            None => {}
        }
        let mut facts = std::mem::take(&mut self.facts);
        if facts.is_program {
            let (markers, go_path) = self.scanner.finish();
            facts.markers = markers;
            facts.markers.extend(facts.needed.iter().filter_map(|name| Marker::of_needed(name)));
            facts.markers.extend(go_path.as_deref().and_then(Marker::of_go_path));
            facts.go_path = go_path;
        }
        Learnt::Facts(facts)
    }

    fn advance(&mut self) {
        loop {
            match self.step() {
                Ok(true) => {}
                Ok(false) => return,
                Err(failure) => {
                    self.stage = Stage::Done;
                    // the kernel does not look at the dynamic segment: a program whose segment is odd may run, and is scanned
                    if matches!(failure, Failure::Broken(_)) && self.is_runnable {
                        continue;
                    }
                    self.failure = Some(failure);
                    self.is_scanning = false;
                }
            }
        }
    }

    /// Takes one stage further; false when more bytes are needed, or none.
    fn step(&mut self) -> Result<bool, Failure> {
        match std::mem::replace(&mut self.stage, Stage::Done) {
            Stage::Done => Ok(false),
            Stage::Header => self.read_header(),
            Stage::ProgramHeaders(header) => self.read_program_headers(header),
            Stage::Segments { interpreter, dynamic } if interpreter.is_complete() && dynamic.is_complete() => {
                self.read_segments(&interpreter, &dynamic)
            }
            Stage::Strings(entries, bytes) if bytes.is_complete() => {
                self.read_strings(&entries, bytes.bytes())?;
                Ok(true)
            }
            waiting => {
                self.stage = waiting;
                Ok(false)
            }
        }
    }

    fn read_header(&mut self) -> Result<bool, Failure> {
        const LONGEST: u64 = 64;
        if byte_count(&self.head) < LONGEST.min(self.size) {
            self.stage = Stage::Header;
            return Ok(false);
        }
        super::ident::set_as_the_kernel_reads(&mut self.head);
        let Ok(header) = Elf::parse_header(&self.head) else { return broken("its file header is malformed") };
        if header.container().is_err() || header.endianness().is_err() {
            return broken("its file header names no class or byte order");
        }
        self.facts.machine = header.e_machine;
        self.facts.is_64 = header.container().is_ok_and(Container::is_big);
        self.facts.is_little_endian = header.endianness().is_ok_and(|endian| endian.is_little());
        self.facts.kind = header.e_type;
        if matches!(header.e_type, ET_REL | ET_CORE) || header.e_phnum == 0 {
            return Ok(true);
        }
        self.limits.elf_program_headers(u64::from(header.e_phnum))?;
        self.stage = Stage::ProgramHeaders(Box::new(header));
        Ok(true)
    }

    fn read_program_headers(&mut self, header: Box<Header>) -> Result<bool, Failure> {
        let ctx = self.context();
        let entry_bytes = ProgramHeader::size(ctx);
        if usize::from(header.e_phentsize) != entry_bytes {
            return broken(format!("its program headers are said to be {} bytes each", header.e_phentsize));
        }
        let length = entry_bytes.saturating_mul(usize::from(header.e_phnum));
        let end = header.e_phoff.saturating_add(u64::try_from(length).unwrap_or(u64::MAX));
        if end > self.size {
            return broken("its program headers lie beyond its end");
        }
        if end > self.limits.elf_head_bytes {
            return Err(LimitHit { name: "elf-head-bytes", limit: self.limits.elf_head_bytes, found: end }.into());
        }
        if byte_count(&self.head) < end {
            self.stage = Stage::ProgramHeaders(header);
            return Ok(false);
        }
        let Ok(headers) = ProgramHeader::parse(&self.head, to_usize(header.e_phoff), usize::from(header.e_phnum), ctx) else {
            return broken("its program headers are malformed");
        };
        let interpreter = self.interpreter_range(&headers)?;
        self.is_scanning =
            header.e_type == ET_EXEC || (header.e_type == ET_DYN && (interpreter.is_some() || header.e_entry != 0));
        if self.is_scanning {
            self.scanner.push(&self.head);
        }
        self.loads.extend(headers.iter().filter(|header| header.p_type == PT_LOAD).cloned());
        self.facts.is_program = header.e_type == ET_EXEC || interpreter.is_some();
        self.is_runnable = header.e_type == ET_EXEC && interpreter.is_none();
        let dynamic = match self.dynamic_range(&headers) {
            Err(Failure::Broken(_)) if self.facts.is_program => (0, 0),
            range => range?,
        };
        let interpreter = self.collect(interpreter.unwrap_or_default())?;
        let dynamic = self.collect(dynamic)?;
        self.stage = Stage::Segments { interpreter, dynamic };
        Ok(true)
    }

    fn interpreter_range(&self, headers: &[ProgramHeader]) -> Result<Option<(u64, u64)>, Failure> {
        // the kernel takes the first and looks for no other
        let Some(interpreter) = headers.iter().find(|header| header.p_type == PT_INTERP) else { return Ok(None) };
        if !(2..=PATH_BYTES).contains(&interpreter.p_filesz) {
            return broken(format!("its interpreter's path is {} bytes", interpreter.p_filesz));
        }
        self.within(interpreter.p_offset, interpreter.p_filesz, "its interpreter's path")?;
        Ok(Some((interpreter.p_offset, interpreter.p_filesz)))
    }

    /// File offset and length of the dynamic segment, as a loader finds it: by address, in a loaded segment.
    fn dynamic_range(&self, headers: &[ProgramHeader]) -> Result<(u64, u64), Failure> {
        let mut segments = headers.iter().filter(|header| header.p_type == PT_DYNAMIC);
        let Some(dynamic) = segments.next().filter(|dynamic| dynamic.p_filesz > 0) else { return Ok((0, 0)) };
        if segments.next().is_some() {
            return broken("it has more than one dynamic segment");
        }
        self.limits.elf_dynamic_bytes(dynamic.p_filesz)?;
        let Some((offset, _)) = self.file_offset(dynamic.p_vaddr) else {
            return broken("its dynamic segment is in no loaded segment");
        };
        self.within(offset, dynamic.p_filesz, "its dynamic segment")?;
        Ok((offset, dynamic.p_filesz))
    }

    /// File offset of an address, and the bytes of its segment from there on. Later segments are mapped over earlier ones.
    fn file_offset(&self, address: u64) -> Option<(u64, u64)> {
        self.loads.iter().rev().find_map(|load| {
            let into = address.checked_sub(load.p_vaddr).filter(|into| *into < load.p_filesz)?;
            Some((load.p_offset.checked_add(into)?, load.p_filesz.saturating_sub(into)))
        })
    }

    fn within(&self, offset: u64, length: u64, what: &str) -> Result<(), Failure> {
        if offset.checked_add(length).is_none_or(|end| end > self.size) {
            return broken(format!("{what} lies beyond its end"));
        }
        Ok(())
    }

    fn collect(&self, (offset, length): (u64, u64)) -> Result<Collected, Failure> {
        let lost = || {
            Failure::NotExamined(format!(
                "what its dynamic segment names lies before it, and beyond the first {} bytes (limit elf-head-bytes)",
                self.limits.elf_head_bytes
            ))
        };
        Collected::new(offset, to_usize(length), &self.head, self.position).ok_or_else(lost)
    }

    fn read_segments(&mut self, interpreter: &Collected, dynamic: &Collected) -> Result<bool, Failure> {
        if !interpreter.bytes().is_empty() {
            if interpreter.bytes().last() != Some(&0) {
                return broken("its interpreter's path has no end");
            }
            self.facts.interpreter = Some(until_nul(interpreter.bytes()).into());
            self.is_runnable = true;
        }
        if dynamic.bytes().is_empty() {
            return Ok(true);
        }
        let entries = self.dynamic_entries(dynamic.bytes())?;
        let value = |tag| entries.iter().rev().find(|entry| entry.d_tag == tag).map(|entry| entry.d_val);
        self.facts.is_program |= self.facts.kind == ET_DYN && value(DT_FLAGS_1).is_some_and(|flags| flags & DF_1_PIE != 0);
        let names = entries.iter().filter(|entry| matches!(entry.d_tag, DT_NEEDED | DT_SONAME | DT_RPATH | DT_RUNPATH));
        let names: Vec<(u64, u64)> = names.map(|entry| (entry.d_tag, entry.d_val)).collect();
        let (Some(first), Some(last)) = (names.iter().map(|name| name.1).min(), names.iter().map(|name| name.1).max()) else {
            return Ok(true);
        };
        let Some((table, mapped)) = value(DT_STRTAB).and_then(|address| self.file_offset(address)) else {
            return broken("its dynamic string table is in no loaded segment");
        };
        let table_bytes = value(DT_STRSZ).unwrap_or(mapped).min(mapped);
        if last >= table_bytes {
            return broken("a name lies beyond its dynamic string table");
        }
        let end = last.saturating_add(STRING_BYTES).min(table_bytes);
        let length = end.saturating_sub(first);
        self.limits.elf_dynamic_bytes(length)?;
        let offset = table.saturating_add(first);
        self.within(offset, length, "its dynamic string table")?;
        let bytes = self.collect((offset, length))?;
        let entries = names.into_iter().map(|(tag, value)| (tag, value.saturating_sub(first))).collect();
        self.stage = Stage::Strings(entries, bytes);
        Ok(true)
    }

    fn dynamic_entries(&self, bytes: &[u8]) -> Result<Vec<Dyn>, Failure> {
        // goblin looks for the segment in the bytes it is given: they are the segment
        let header = ProgramHeader { p_type: PT_DYNAMIC, p_filesz: byte_count(bytes), ..ProgramHeader::default() };
        let Ok(Some(dynamic)) = Dynamic::parse(bytes, &[header], self.context()) else {
            return broken("its dynamic segment is malformed");
        };
        let mut entries = dynamic.dyns;
        // a loader reads on until DT_NULL, past what the program header says
        if entries.pop().is_none_or(|last| last.d_tag != DT_NULL) {
            return broken("its dynamic segment has no end");
        }
        Ok(entries)
    }

    fn read_strings(&mut self, entries: &[(u64, u64)], strings: &[u8]) -> Result<(), Failure> {
        for (tag, offset) in entries {
            let bytes = strings.get(to_usize(*offset)..).unwrap_or_default();
            let name = until_nul(bytes);
            if name.len() >= bytes.len() {
                return broken("a name in its dynamic string table has no end");
            }
            match *tag {
                DT_NEEDED => self.facts.needed.push(name.into()),
                DT_SONAME => self.facts.soname = Some(name.into()),
                DT_RPATH => self.facts.rpath = Some(name.into()),
                _ => self.facts.runpath = Some(name.into()),
            }
        }
        Ok(())
    }

    fn context(&self) -> Ctx {
        let container = if self.facts.is_64 { Container::Big } else { Container::Little };
        let endian = if self.facts.is_little_endian { Endian::Little } else { Endian::Big };
        Ctx::new(container, endian)
    }
}

fn until_nul(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == 0).next().unwrap_or_default()
}

fn to_usize(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

fn byte_count(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
#[path = "elf_tests.rs"]
mod tests;
