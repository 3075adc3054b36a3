//! Searches a program's bytes for all signs at once, across the edges of chunks.

use std::collections::BTreeSet;

use aho_corasick::{AhoCorasick, MatchKind};

use super::candidate::Candidate;
use super::elf_dynamic::STACK_GUARD;
use super::elf_facts::{GoBuildInfo, Marker};
use super::go_build_info::BuildInfo;
use super::patterns::{GO_BUILD_INFO, GO_MODULES, RUSTC, SIGNS, unveil};

/// One automaton, built when the first program is seen.
#[derive(Debug, Default)]
pub(super) struct Scanner {
    automaton: Option<Automaton>,
    /// Which patterns were found.
    found: Vec<bool>,
    /// The last bytes before `position`, fewer than the longest pattern.
    tail: Vec<u8>,
    position: u64,
    build_info: BuildInfo,
    rustc: Candidate,
}

/// Bytes of the text that rustc leaves, with its version and day.
const RUSTC_BYTES: usize = 64;

#[derive(Debug)]
struct Automaton {
    search: AhoCorasick,
    longest: usize,
    /// Number of the pattern that starts Go's build information.
    go: usize,
    /// Number of the mark before Go's module information.
    go_modules: usize,
    /// Number of what stands before rustc's version.
    rustc: usize,
    /// Number of the name of the function that tells a smashed stack.
    guard: usize,
}

/// What a scan found.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) markers: BTreeSet<Marker>,
    pub(super) go: Option<GoBuildInfo>,
    pub(super) rustc: Option<Box<str>>,
    pub(super) has_stack_guard: bool,
}

impl Automaton {
    fn new() -> Option<Self> {
        let mut patterns: Vec<Vec<u8>> = SIGNS.iter().flat_map(|sign| sign.patterns).map(|pattern| unveil(pattern)).collect();
        let go = patterns.len();
        patterns.push(unveil(GO_BUILD_INFO));
        let go_modules = patterns.len();
        patterns.push(unveil(GO_MODULES));
        let rustc = patterns.len();
        patterns.push(unveil(RUSTC));
        let guard = patterns.len();
        patterns.push(STACK_GUARD.to_vec());
        let longest = patterns.iter().map(Vec::len).max().unwrap_or_default();
        let search = AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(&patterns).ok()?;
        Some(Self { search, longest, go, go_modules, rustc, guard })
    }
}

impl Scanner {
    /// A program begins, of which so many bytes of Go's build information are read.
    pub(super) fn start(&mut self, most_build_info: u64) {
        self.found.clear();
        self.tail.clear();
        self.position = 0;
        self.build_info.start(most_build_info);
        self.rustc.clear();
    }

    /// Its next bytes.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        let Some(automaton) = self.automaton.take().or_else(Automaton::new) else { return };
        let overlap = automaton.longest.saturating_sub(1);
        let tail_bytes = self.tail.len();
        // matches that begin in the tail, then those that lie in the chunk
        let mut edge = std::mem::take(&mut self.tail);
        edge.extend_from_slice(bytes.get(..overlap).unwrap_or(bytes));
        let edge_start = self.position.saturating_sub(byte_count(tail_bytes));
        if tail_bytes > 0 {
            self.search(&automaton, &edge, edge_start, tail_bytes);
        }
        self.search(&automaton, bytes, self.position, usize::MAX);
        self.build_info.push(self.position, bytes);
        self.rustc.push(self.position, bytes);
        if bytes.len() >= overlap {
            edge.clear();
            edge.extend_from_slice(bytes.get(bytes.len().saturating_sub(overlap)..).unwrap_or_default());
        } else {
            let surplus = edge.len().saturating_sub(overlap);
            edge.drain(..surplus.min(edge.len()));
        }
        self.tail = edge;
        self.position = self.position.saturating_add(byte_count(bytes.len()));
        self.automaton = Some(automaton);
    }

    /// What was found.
    pub(super) fn finish(&mut self) -> Found {
        let mut markers = BTreeSet::new();
        let mut first = 0_usize;
        for sign in SIGNS {
            let end = first.saturating_add(sign.patterns.len());
            if self.found.get(first..end).is_some_and(|found| found.iter().all(|found| *found)) {
                markers.insert(sign.marker);
            }
            first = end;
        }
        let guard = self.automaton.as_ref().map(|automaton| automaton.guard);
        let has_stack_guard = guard.and_then(|guard| self.found.get(guard)).is_some_and(|found| *found);
        Found { markers, go: self.build_info.finish(), rustc: rustc_version(self.rustc.bytes()), has_stack_guard }
    }

    /// Notes matches in `bytes`, which lie at `at`, that begin before `end`.
    fn search(&mut self, automaton: &Automaton, bytes: &[u8], at: u64, end: usize) {
        for found in automaton.search.find_iter(bytes).take_while(|found| found.start() < end) {
            let number = found.pattern().as_usize();
            let place = at.saturating_add(byte_count(found.start()));
            let rest = bytes.get(found.start()..).unwrap_or_default();
            if number == automaton.go {
                self.build_info.found_magic(place, rest);
            } else if number == automaton.go_modules {
                self.build_info.found_mark(place, rest);
            } else if number == automaton.rustc && rustc_version(self.rustc.bytes()).is_none() {
                self.rustc.start(place, RUSTC_BYTES);
                self.rustc.push(place, rest);
            }
            if self.found.len() <= number {
                self.found.resize(automaton.guard.saturating_add(1), false);
            }
            if let Some(slot) = self.found.get_mut(number) {
                *slot = true;
            }
        }
    }
}

/// The version in `rustc version 1.75.0 (82e1608df 2023-12-21)`; None where that is only spoken of.
fn rustc_version(text: &[u8]) -> Option<Box<str>> {
    let after = text.get(RUSTC.len()..)?;
    let version = after.split(|byte| matches!(byte, b' ' | 0)).next()?;
    let is_version = version.first()?.is_ascii_digit() && version.contains(&b'.') && version.len() < after.len();
    std::str::from_utf8(version).ok().filter(|version| is_version && version.is_ascii()).map(Into::into)
}

fn byte_count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::go_build_info::main_package;
    use super::*;

    fn scan(chunks: &[&[u8]]) -> (Vec<Marker>, Option<Box<str>>) {
        let mut scanner = Scanner::default();
        scanner.start(1 << 20);
        for chunk in chunks {
            scanner.push(chunk);
        }
        let found = scanner.finish();
        (found.markers.into_iter().collect(), found.go.and_then(|go| main_package(&go.modules)))
    }

    #[test]
    fn a_sign_needs_all_its_patterns() {
        assert_eq!(scan(&[b"Tiny C Compiler .. Usage: tcc"]).0, [Marker::Tcc]);
        assert_eq!(scan(&[b"Tiny C Compiler"]).0, []);
        assert_eq!(scan(&[b"Usage: tcc"]).0, []);
    }

    #[test]
    fn patterns_are_found_wherever_chunks_end() {
        let text = b"xx%{!fsyntax-only:%{!c:%(trad_capable_cpp)yyTiny C CompilerUsage: tccz";
        for size in 1..=text.len() {
            let chunks: Vec<&[u8]> = text.chunks(size).collect();
            assert_eq!(scan(&chunks).0, [Marker::GccDriver, Marker::Tcc], "chunks of {size}");
        }
    }

    #[test]
    fn every_sign_has_two_patterns_and_is_veiled() {
        for sign in SIGNS {
            assert!(sign.patterns.len() >= 2);
            for pattern in sign.patterns {
                assert!(pattern.iter().any(|byte| !byte.is_ascii()), "{pattern:?}");
            }
        }
    }

    #[test]
    fn no_pattern_hides_another() {
        // matches do not overlap, and of equal patterns only the first is ever found
        let patterns: Vec<Vec<u8>> = SIGNS.iter().flat_map(|sign| sign.patterns).map(|pattern| unveil(pattern)).collect();
        for (at, one) in patterns.iter().enumerate() {
            for (_, other) in patterns.iter().enumerate().filter(|(number, _)| *number != at) {
                assert!(!one.windows(other.len()).any(|part| part == other), "{}", String::from_utf8_lossy(one));
            }
        }
    }

    #[test]
    fn older_and_smaller_parts_of_compilers_are_told() {
        let options = &b"Add extra commentary to assembler output.\0Put zero initialized data in the bss section."[..];
        let lto = &b"environment variable COLLECT_GCC must be set\0-flto-partition=one"[..];
        let clang9 = &b"### CCC_OVERRIDE_OPTIONS: \0error: unknown integrated tool '"[..];
        let lld = &b"lld is a generic driver.\nInvoke ld.lld (Unix), ld64.lld (macOS)"[..];
        for (text, marker) in [
            (options, Marker::GccCompilerProper),
            (lto, Marker::GccDriver),
            (clang9, Marker::Clang),
            (lld, Marker::Binutils),
            (&b"OCAMLPARAM\0asmcomp/asmgen.ml"[..], Marker::OtherCompiler),
            (&b"Nim Compiler Version 1\0/* Generated by Nim Compiler v$1 */"[..], Marker::OtherCompiler),
        ] {
            assert_eq!(scan(&[text]).0, [marker]);
        }
    }

    #[test]
    fn a_tool_that_knows_how_to_call_a_linker_is_none() {
        assert_eq!(scan(&[b"Ubuntu LLD 17\0--no-as-needed\0-cc1as"]).0, []);
    }

    fn build_info(path: &str) -> Vec<u8> {
        let module = format!("{}path\t{path}\nmod\tx\n{}", "s".repeat(16), "e".repeat(16));
        let mut bytes = b"\xff Go buildinf:\x08\x02".to_vec();
        bytes.resize(32, 0);
        bytes.extend_from_slice(b"\x06go1.20");
        bytes.push(u8::try_from(module.len()).unwrap());
        bytes.extend_from_slice(module.as_bytes());
        bytes
    }

    #[test]
    fn go_build_information_names_the_main_package_wherever_chunks_end() {
        let text = [vec![0; 48], build_info("cmd/go"), vec![0; 10]].concat();
        for size in 1..=text.len() {
            let chunks: Vec<&[u8]> = text.chunks(size).collect();
            assert_eq!(scan(&chunks).1.as_deref(), Some("cmd/go"), "chunks of {size}");
        }
    }

    #[test]
    fn a_mention_of_the_build_information_magic_is_not_one() {
        let text = [b"0123456789abcdef\xff Go buildinf:a constant".to_vec(), vec![0; 80]].concat();
        assert_eq!(scan(&[&text]).1, None);
        let unaligned = [vec![0; 7], build_info("cmd/go")].concat();
        assert_eq!(scan(&[&unaligned]).1, None);
    }
}
