//! ELF facts from a file that streams by: the head is kept until the program headers, the dynamic segment and the strings it
//! names are there; of section headers only the bytes that they
//! name are taken, because no loader looks at them (elf(5), gABI chapter 5).

use goblin::container::{Container, Ctx, Endian};
use goblin::elf::header::{ET_CORE, ET_DYN, ET_EXEC, ET_REL};
use goblin::elf::{Elf, Header, ProgramHeader};

use super::elf_dynamic::{self, Reading};
use super::elf_facts::{ElfFacts, Marker, Relro};
use super::elf_head::Head;
use super::elf_layout::Layout;
use super::elf_learnt::{Failure, Learnt, broken};
use super::elf_loader;
use super::elf_sections::Sections;
use super::go_build_info;
use super::markers::Scanner;
use super::range::Collected;
use crate::limits::{LimitHit, Limits};

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
    /// What the dynamic segment names: strings and versions.
    Tables(Box<Reading>),
    Done,
}

/// Reads one ELF file after the other.
#[derive(Debug)]
pub(super) struct ElfProbe {
    limits: Limits,
    size: u64,
    position: u64,
    head: Head,
    stage: Stage,
    layout: Layout,
    /// The section headers and their names: with most linkers they come last.
    sections: Option<Sections>,
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
            head: Head::default(),
            stage: Stage::Header,
            layout: Layout::default(),
            sections: None,
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
        self.head.start(to_usize(self.limits.elf_head_bytes));
        self.stage = Stage::Header;
        self.layout = Layout::default();
        self.sections = None;
        *self.facts = ElfFacts::default();
        self.failure = None;
        self.scanner.start(self.limits.build_info_bytes);
        self.is_scanning = false;
        self.is_runnable = false;
    }

    /// Whether further bytes teach nothing.
    pub(super) fn is_done(&self) -> bool {
        let has_sections = self.sections.as_ref().is_none_or(Sections::is_complete);
        matches!(self.stage, Stage::Done) && !self.is_scanning && has_sections
    }

    /// The next bytes.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        if self.is_done() {
            return;
        }
        if !matches!(self.stage, Stage::Done) {
            self.head.push(self.position, bytes);
        }
        match &mut self.stage {
            Stage::Segments { interpreter, dynamic } => {
                interpreter.push(self.position, bytes);
                dynamic.push(self.position, bytes);
            }
            Stage::Tables(reading) => reading.push(self.position, bytes),
            Stage::Header | Stage::ProgramHeaders(_) | Stage::Done => {}
        }
        if let Some(sections) = &mut self.sections {
            sections.push(self.position, bytes);
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
        let not_examined = match self.failure.take() {
            Some(Failure::Broken(reason)) => return Learnt::Broken(reason),
            Some(Failure::NotExamined(reason)) => return Learnt::NotExamined(reason),
            Some(Failure::Partly(reason)) => Some(reason),
            None => None,
        };
        let mut facts = std::mem::take(&mut self.facts);
        facts.sections = self.sections.take().and_then(|sections| sections.weigh());
        if facts.is_program {
            let found = self.scanner.finish();
            facts.markers = found.markers;
            facts.markers.extend(facts.needed.iter().filter_map(|name| Marker::of_needed(name)));
            facts.go_path = found.go.as_ref().and_then(|go| go_build_info::main_package(&go.modules));
            facts.markers.extend(facts.go_path.as_deref().and_then(Marker::of_go_path));
            facts.go = found.go.map(Box::new);
            facts.rustc = found.rustc;
            // a static program that is position-independent has a dynamic segment, and no names in it either
            if !facts.is_dynamic || (facts.interpreter.is_none() && facts.needed.is_empty()) {
                let has_symbols = facts.sections.is_some_and(|sections| sections.symbols > 0);
                facts.has_stack_guard = (found.has_stack_guard || has_symbols).then_some(found.has_stack_guard);
            }
        }
        Learnt::Facts(facts, not_examined)
    }

    fn advance(&mut self) {
        loop {
            match self.step() {
                Ok(true) => {}
                Ok(false) => return,
                Err(failure) => {
                    self.stage = Stage::Done;
                    // the kernel does not look at the dynamic segment: a program whose segment is odd may run, and is scanned
                    if let (Failure::Broken(reason), true) = (&failure, self.is_runnable) {
                        self.facts.faults.push(reason.as_str().into());
                        continue;
                    }
                    self.is_scanning &= matches!(failure, Failure::Partly(_));
                    self.failure = Some(failure);
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
            Stage::Tables(reading) if reading.is_complete() => {
                self.read_tables(&reading)?;
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
        if byte_count(self.head.bytes()) < LONGEST.min(self.size) {
            self.stage = Stage::Header;
            return Ok(false);
        }
        super::ident::set_as_the_kernel_reads(self.head.bytes_mut());
        let Ok(header) = Elf::parse_header(self.head.bytes()) else { return broken("its file header is malformed") };
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
        self.sections = Sections::new(&header, context(&self.facts), self.size, &self.head, self.position);
        self.limits.elf_program_headers(u64::from(header.e_phnum))?;
        self.stage = Stage::ProgramHeaders(Box::new(header));
        Ok(true)
    }

    fn read_program_headers(&mut self, header: Box<Header>) -> Result<bool, Failure> {
        let ctx = context(&self.facts);
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
        if byte_count(self.head.bytes()) < end {
            self.stage = Stage::ProgramHeaders(header);
            return Ok(false);
        }
        let Ok(headers) = ProgramHeader::parse(self.head.bytes(), to_usize(header.e_phoff), usize::from(header.e_phnum), ctx)
        else {
            return broken("its program headers are malformed");
        };
        self.layout = Layout::new(headers, self.size);
        let interpreter = self.layout.interpreter()?;
        self.is_scanning =
            header.e_type == ET_EXEC || (header.e_type == ET_DYN && (interpreter.is_some() || header.e_entry != 0));
        if self.is_scanning {
            self.scanner.push(self.head.bytes());
        }
        self.layout.tell(&mut self.facts);
        self.facts.is_program = header.e_type == ET_EXEC || interpreter.is_some();
        self.is_runnable = header.e_type == ET_EXEC && interpreter.is_none();
        let dynamic = match self.layout.dynamic(&self.limits) {
            Err(Failure::Broken(reason)) if self.facts.is_program => {
                self.facts.faults.push(reason.into());
                (0, 0)
            }
            range => range?,
        };
        let copied = |(offset, length)| {
            let range = Collected::copying(offset, to_usize(length), &self.head, self.position);
            range.ok_or_else(|| self.lost())
        };
        let (interpreter, dynamic) = (copied(interpreter.unwrap_or_default())?, copied(dynamic)?);
        self.head.leave_out(self.layout.without_tables());
        self.stage = Stage::Segments { interpreter, dynamic };
        Ok(true)
    }

    fn collect(&self, (offset, length): (u64, u64)) -> Result<Collected, Failure> {
        let length = to_usize(length);
        if self.head.leaves_out(offset, length) {
            let reason = "what its dynamic segment names lies where linkers put no tables: among code, or deep in a segment";
            return Err(Failure::NotExamined(reason.to_owned()));
        }
        Collected::new(offset, length, &self.head, self.position).ok_or_else(|| self.lost())
    }

    fn lost(&self) -> Failure {
        Failure::NotExamined(format!(
            "what its dynamic segment names lies before it, and beyond the first {} bytes (limit elf-head-bytes)",
            self.limits.elf_head_bytes
        ))
    }

    fn read_segments(&mut self, interpreter: &Collected, dynamic: &Collected) -> Result<bool, Failure> {
        let interpreter = interpreter.copied();
        if !interpreter.is_empty() {
            if interpreter.last() != Some(&0) {
                return broken("its interpreter's path has no end");
            }
            self.facts.interpreter = Some(until_nul(interpreter).into());
            self.is_runnable = true;
        }
        let dynamic = dynamic.copied();
        if dynamic.is_empty() {
            self.tell_relro_of_static();
            return Ok(true);
        }
        self.facts.is_dynamic = true;
        let ctx = context(&self.facts);
        let Some(tables) = elf_dynamic::read(dynamic, ctx, &self.layout, &mut self.facts, &self.limits)? else {
            return Ok(true);
        };
        let strings = self.collect(tables.strings)?;
        let versions = (self.collect(tables.needs), self.collect(tables.definitions));
        let is_lost = versions.0.is_err() || versions.1.is_err();
        let (needs, definitions) = (versions.0.unwrap_or_default(), versions.1.unwrap_or_default());
        let reading = Reading { tables, strings, needs, definitions, is_lost };
        self.stage = Stage::Tables(Box::new(reading));
        Ok(true)
    }

    /// A static program binds nothing later.
    fn tell_relro_of_static(&mut self) {
        if self.layout.has_relro() {
            self.facts.relro = Relro::Full;
        }
    }

    fn read_tables(&mut self, reading: &Reading) -> Result<(), Failure> {
        reading.read(&self.head, self.size, &mut self.facts)?;
        if self.facts.soname.as_deref().is_some_and(elf_loader::is_loader) {
            self.facts.loader = Some(Box::new(elf_loader::read(self.head.bytes())));
        }
        Ok(())
    }
}

fn context(facts: &ElfFacts) -> Ctx {
    let container = if facts.is_64 { Container::Big } else { Container::Little };
    let endian = if facts.is_little_endian { Endian::Little } else { Endian::Big };
    Ctx::new(container, endian)
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
#[path = "elf_facts_tests.rs"]
mod facts_tests;
#[cfg(test)]
#[path = "elf_tests.rs"]
mod tests;
