//! What Go's linker writes into a program of its making (`debug/buildinfo`), found while the program streams by.
//!
//! Since Go 1.18: 14 bytes of magic at a multiple of 16, pointer size, flags, zeros up to 32 bytes, then the tool chain's version and
//! the module information, each a string with a varint before it. Before, the magic was followed by pointers, into parts of the file
//! that have gone by; but the module information lies between two marks of 16 bytes in every form, and is found by those. The
//! version of the tool chain stays unknown then.

use super::candidate::Candidate;
use super::elf_facts::GoBuildInfo;

/// Candidates that are looked at in one file: programs that read build information hold the magic as a constant.
const MOST_CANDIDATES: u32 = 64;

const HEADER_BYTES: usize = 32;
const FLAGS_AT: usize = 15;
const INLINE: u8 = 2;
const ALIGNMENT: u64 = 16;
/// Bytes of the mark before the module information, and of the one after it.
const MARK_BYTES: usize = 16;
/// Bytes of a header, of a version and of both lengths.
const FIRST_BYTES: usize = 512;
const END_MARK: [u8; MARK_BYTES] =
    [0xf9, 0x32, 0x43, 0x31, 0x86, 0x18, 0x20, 0x72, 0x00, 0x82, 0x42, 0x10, 0x41, 0x16, 0xd8, 0xf2];

/// Collects what follows a magic or a mark, and reads it.
#[derive(Debug, Default)]
pub(super) struct BuildInfo {
    /// Bytes of module information that are read at most.
    most: usize,
    inline: Candidate,
    marked: Candidate,
    candidates: u32,
    found: Option<GoBuildInfo>,
}

impl BuildInfo {
    pub(super) fn start(&mut self, most: u64) {
        self.most = usize::try_from(most).unwrap_or(usize::MAX);
        self.inline.clear();
        self.marked.clear();
        self.candidates = 0;
        self.found = None;
    }

    /// The magic lies at `at`, and `bytes` are those from there on that are known.
    pub(super) fn found_magic(&mut self, at: u64, bytes: &[u8]) {
        if self.found.is_some() || at.checked_rem(ALIGNMENT) != Some(0) || self.is_enough(at, &self.inline) {
            return;
        }
        self.read_inline();
        self.candidates = self.candidates.saturating_add(1);
        self.inline.start(at, FIRST_BYTES);
        self.push_inline(at, bytes);
    }

    /// The mark before the module information lies at `at`.
    pub(super) fn found_mark(&mut self, at: u64, bytes: &[u8]) {
        if !self.marked.is_empty() || self.is_enough(at, &self.marked) {
            return;
        }
        self.candidates = self.candidates.saturating_add(1);
        self.marked.start(at, self.most);
        self.push_marked(at, bytes);
    }

    fn is_enough(&self, at: u64, candidate: &Candidate) -> bool {
        self.candidates >= MOST_CANDIDATES || candidate.at().is_some_and(|current| at <= current)
    }

    /// A chunk of the file that begins at `position`.
    pub(super) fn push(&mut self, position: u64, chunk: &[u8]) {
        self.push_inline(position, chunk);
        self.push_marked(position, chunk);
    }

    fn push_inline(&mut self, position: u64, chunk: &[u8]) {
        self.inline.push(position, chunk);
        if self.inline.wanted() == FIRST_BYTES && self.inline.is_full() {
            self.inline.want(extent(self.inline.bytes()).unwrap_or(FIRST_BYTES).clamp(FIRST_BYTES, self.most.max(FIRST_BYTES)));
            self.inline.push(position, chunk);
        }
    }

    fn push_marked(&mut self, position: u64, chunk: &[u8]) {
        let before = self.marked.bytes().len();
        self.marked.push(position, chunk);
        if self.marked.bytes().len() > before {
            let start = before.saturating_sub(MARK_BYTES);
            if let Some(end) = memchr::memmem::find(self.marked.bytes().get(start..).unwrap_or_default(), &END_MARK) {
                self.marked.cut(start.saturating_add(end));
            }
        }
    }

    /// What was found, when the file is complete.
    pub(super) fn finish(&mut self) -> Option<GoBuildInfo> {
        self.read_inline();
        let found = self.found.take();
        if found.as_ref().is_some_and(|found| !found.modules.is_empty()) {
            return found;
        }
        let modules = self.marked.bytes().get(MARK_BYTES..).filter(|modules| is_module_information(modules));
        let is_cut = self.marked.is_full() && !self.marked.was_cut();
        let marked = modules.map(|modules| GoBuildInfo { version: None, modules: modules.into(), is_cut });
        // the version of the one, the modules of the other
        match (found, marked) {
            (Some(found), Some(marked)) => Some(GoBuildInfo { version: found.version, ..marked }),
            (found, marked) => found.or(marked),
        }
    }

    fn read_inline(&mut self) {
        if self.found.is_none() && !self.inline.is_empty() {
            self.found = inline(self.inline.bytes());
        }
    }
}

fn is_module_information(text: &[u8]) -> bool {
    text.starts_with(b"path\t") || text.starts_with(b"mod\t")
}

/// Bytes of the whole build information that begins with `bytes`; None when it is none, or of the older form.
fn extent(bytes: &[u8]) -> Option<usize> {
    let (version, rest) = version(bytes)?;
    let (length, text) = length(rest)?;
    let before = bytes.len().checked_sub(text.len())?;
    (!version.is_empty()).then(|| before.saturating_add(length))
}

fn inline(bytes: &[u8]) -> Option<GoBuildInfo> {
    let (version, rest) = version(bytes)?;
    let version = std::str::from_utf8(version).ok()?.into();
    let (length, text) = length(rest).unwrap_or_default();
    let is_cut = text.len() < length;
    let text = text.get(..length).unwrap_or(text);
    let end = if is_cut { text.len() } else { text.len().saturating_sub(MARK_BYTES) };
    let modules = text.get(MARK_BYTES..end).filter(|modules| is_module_information(modules)).unwrap_or_default();
    Some(GoBuildInfo { version: Some(version), modules: modules.into(), is_cut })
}

/// The tool chain's version and what follows it.
fn version(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    if bytes.get(FLAGS_AT)? & INLINE == 0 {
        return None;
    }
    let (length, rest) = length(bytes.get(HEADER_BYTES..)?)?;
    let (version, rest) = rest.split_at_checked(length)?;
    (version.starts_with(b"go") || version.starts_with(b"devel")).then_some((version, rest))
}

/// A length as a varint, and what follows it.
fn length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut length = 0_usize;
    for (at, byte) in bytes.iter().enumerate().take(4) {
        let shift = u32::try_from(at).ok()?.checked_mul(7)?;
        length |= usize::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some((length, bytes.get(at.checked_add(1)?..)?));
        }
    }
    None
}

/// The main package's path.
pub(super) fn main_package(modules: &[u8]) -> Option<Box<str>> {
    let path = modules.strip_prefix(b"path\t")?;
    let end = path.iter().position(|byte| *byte == b'\n')?;
    std::str::from_utf8(path.get(..end)?).ok().map(Into::into)
}

#[cfg(test)]
#[path = "go_build_info_tests.rs"]
mod tests;
