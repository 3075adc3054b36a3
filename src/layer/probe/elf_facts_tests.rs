//! Tests of what is learnt of stacks, write protection, versions, sections and loaders.

use super::super::elf_facts::Relro;
use super::super::test_elf::TestElf;
use super::*;

const GNU_STACK: u32 = 0x6474_e551;
const GNU_RELRO: u32 = 0x6474_e552;
const PLTGOT: u64 = 3;
const FLAGS: u64 = 30;
const BIND_NOW: (u64, u64) = (FLAGS, 8);

fn learnt(bytes: &[u8], chunk: usize, limits: &Limits) -> Learnt {
    let mut probe = ElfProbe::new(limits);
    probe.start(byte_count(bytes));
    for chunk in bytes.chunks(chunk) {
        probe.push(chunk);
    }
    probe.finish()
}

/// The same facts, in whatever chunks the file comes.
fn facts(elf: &TestElf) -> ElfFacts {
    let bytes = elf.bytes();
    let facts = |chunk| match learnt(&bytes, chunk, &Limits::default()) {
        Learnt::Facts(facts, None) => *facts,
        other => panic!("{other:?}"),
    };
    let whole = facts(bytes.len());
    for chunk in [1, 7, 64, 300] {
        assert_eq!(facts(chunk), whole, "chunks of {chunk}");
    }
    whole
}

#[test]
fn the_stack_s_flags_are_those_of_the_last_header_and_repeats_are_told() {
    assert_eq!(facts(&TestElf::default()).stack, None);
    let one = facts(&TestElf { headers: vec![(GNU_STACK, 7, 0, 0)], ..TestElf::default() });
    assert_eq!((one.stack, one.has_executable_stack(), one.faults.len()), (Some(7), true, 0));
    let two = facts(&TestElf { headers: vec![(GNU_STACK, 7, 0, 0), (GNU_STACK, 6, 0, 0)], ..TestElf::default() });
    assert_eq!((two.stack, two.has_executable_stack()), (Some(6), false));
    assert_eq!(&*two.faults[0], "it has more than one PT_GNU_STACK");
}

#[test]
fn full_write_protection_needs_the_header_over_the_table_and_binding_at_start() {
    let relro = |headers: Vec<(u32, u32, u64, u64)>, entries: Vec<(u64, u64)>| {
        facts(&TestElf { headers, entries, ..TestElf::default() }).relro
    };
    let header = || vec![(GNU_RELRO, 4, 0x40, 0x100)];
    assert_eq!(relro(vec![], vec![BIND_NOW]), Relro::None);
    assert_eq!(relro(header(), vec![]), Relro::Partial);
    assert_eq!(relro(header(), vec![BIND_NOW]), Relro::Full);
    assert_eq!(relro(header(), vec![(0x6fff_fffb, 1)]), Relro::Full, "DF_1_NOW");
    assert_eq!(relro(header(), vec![(24, 0), (PLTGOT, 0x50)]), Relro::Full, "DT_BIND_NOW");
    assert_eq!(relro(header(), vec![BIND_NOW, (PLTGOT, 0x140)]), Relro::Partial, "the table lies outside");
    assert_eq!(relro(header(), vec![(FLAGS, 1)]), Relro::Partial, "another flag");
}

#[test]
fn names_of_all_kinds_are_read() {
    let elf = facts(&TestElf {
        entries: vec![(1, 1), (0x7fff_fffd, 3), (0x7fff_ffff, 5), (15, 7), (29, 9), (0x6fff_fffb, 0x800)],
        strings: b"\0a\0b\0c\0d\0e\0__stack_chk_fail\0".to_vec(),
        ..TestElf::default()
    });
    let text = |names: &[Box<[u8]>]| String::from_utf8(names.concat()).unwrap();
    assert_eq!([text(&elf.needed), text(&elf.auxiliaries), text(&elf.filters)], ["a", "b", "c"]);
    assert_eq!((elf.rpath.as_deref(), elf.runpath.as_deref()), (Some(&b"d"[..]), Some(&b"e"[..])));
    assert!(elf.is_dynamic && elf.is_without_default_folders && elf.has_stack_guard == Some(true));
    assert_eq!(facts(&TestElf { strings: b"\0a\0".to_vec(), ..TestElf::default() }).has_stack_guard, Some(false));
}

fn versions() -> TestElf {
    let needs = [1_u16, 1].map(u16::to_le_bytes).concat().into_iter().chain([1_u32, 16, 0, 0].map(u32::to_le_bytes).concat());
    let auxiliary = [0_u16, 2].map(u16::to_le_bytes).concat().into_iter().chain([3_u32, 0].map(u32::to_le_bytes).concat());
    let definitions = [1_u16, 0, 1, 1].map(u16::to_le_bytes).concat().into_iter();
    TestElf {
        strings: b"\0c\0V_1\0".to_vec(),
        needs: needs.chain(auxiliary).collect(),
        definitions: definitions.chain([0_u32, 20, 0, 3, 0].map(u32::to_le_bytes).concat()).collect(),
        ..TestElf::default()
    }
}

#[test]
fn versions_are_read_wherever_their_tables_lie() {
    let elf = facts(&versions());
    assert_eq!(elf.version_needs.len(), 1);
    assert_eq!((&*elf.version_needs[0].file, &*elf.version_needs[0].versions[0].name), (&b"c"[..], &b"V_1"[..]));
    assert_eq!(elf.version_definitions, Some(vec![b"V_1"[..].into()]));
    assert_eq!(facts(&TestElf::default()).version_definitions, None);
}

#[test]
fn lying_version_tables_are_faults_and_the_other_facts_stay() {
    let mut elf = versions();
    elf.needs[12] = 200;
    let elf = facts(&elf);
    assert_eq!((elf.version_needs.len(), elf.faults.len()), (1, 1), "{:?}", elf.faults);
    let nowhere = facts(&TestElf { entries: vec![(0x6fff_fffe, 0x10_0000)], ..TestElf::default() });
    assert_eq!(&*nowhere.faults[0], "its version tables are in no loaded segment");
}

#[test]
fn versions_that_lie_where_nobody_looks_are_not_examined() {
    let limits = Limits { elf_dynamic_bytes: 120, ..Limits::default() };
    let mut elf = versions();
    elf.strings.resize(200, 0);
    let bytes = elf.bytes();
    assert!(matches!(learnt(&bytes, 64, &limits), Learnt::Facts(facts, Some(_)) if facts.version_needs.is_empty()));
}

#[test]
fn names_cannot_outgrow_the_file() {
    let entries = vec![(1, 0); 1_000];
    let mut strings = vec![b'x'; 20_000];
    strings.push(0);
    let bytes = TestElf { entries, strings, ..TestElf::default() }.bytes();
    assert!(
        matches!(learnt(&bytes, 4_096, &Limits::default()), Learnt::Broken(reason) if reason.contains("longer than the file"))
    );
}

#[test]
fn segments_that_overlap_or_lie_beyond_the_end_are_told() {
    let overlapping = facts(&TestElf { headers: vec![(1, 4, 0x20, 0x20)], ..TestElf::default() });
    assert_eq!(&*overlapping.faults[0], "segments that are loaded overlap");
    let beyond = facts(&TestElf { headers: vec![(1, 4, 0x10_0000, 0x20)], ..TestElf::default() });
    assert_eq!(&*beyond.faults[0], "a segment that is loaded lies beyond its end");
}

#[test]
fn sections_of_debug_information_and_symbols_are_weighed() {
    let weighed = |name: &'static str| facts(&TestElf { section: Some((name, 5_000)), ..TestElf::default() }).sections.unwrap();
    assert_eq!((weighed(".debug_info").debug, weighed(".zdebug_line").debug), (5_000, 5_000));
    assert_eq!((weighed(".symtab").symbols, weighed(".strtab").symbols), (5_000, 5_000));
    assert_eq!(weighed(".comment"), elf_sections_none());
    assert_eq!(facts(&TestElf::default()).sections, None);
}

#[test]
fn nothing_tells_of_guards_in_a_stripped_static_program_that_is_position_independent() {
    let pie = (0x6fff_fffb, 0x0800_0000);
    let of = |section| facts(&TestElf { entries: vec![pie], section, ..TestElf::default() });
    assert!(of(None).is_program && of(None).is_dynamic);
    assert_eq!(of(None).has_stack_guard, None);
    assert_eq!(of(Some((".symtab", 9))).has_stack_guard, Some(false));
}

/// A program as Go's linker writes it: header, program header, section headers, code, names of sections, debug information.
fn go_like(names_at: u64, names_length: u64) -> Vec<u8> {
    let word = |value: u64| value.to_le_bytes();
    let mut bytes = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x3e\0\x01\0\0\0".to_vec();
    bytes.extend([word(0), word(64), word(120)].concat());
    bytes.extend([0, 0, 0, 0, 64, 0, 56, 0, 1, 0, 64, 0, 3, 0, 1, 0]);
    bytes.extend([&[1, 0, 0, 0, 5, 0, 0, 0][..], &[word(0), word(0), word(0), word(120), word(120), word(1)].concat()].concat());
    let names = b"\0.shstrtab\0.debug_info\0";
    for (name, kind, offset, length) in [(0, 0, 0, 0), (1, 3, names_at, names_length), (11, 1, 400_000, 5_000)] {
        bytes.extend([name, 0, 0, 0, kind, 0, 0, 0]);
        bytes.extend([word(0), word(0), word(offset), word(length), word(0), word(1), word(0)].concat());
    }
    bytes.resize(300_000, 0);
    bytes.extend(names);
    bytes.resize(405_000, 0);
    bytes
}

#[test]
fn names_of_sections_far_behind_the_headers_are_found() {
    for chunk in [7, 512, 70_000, 500_000] {
        let weighed = |names_at, names_length| match learnt(&go_like(names_at, names_length), chunk, &Limits::default()) {
            Learnt::Facts(facts, _) => facts.sections,
            other => panic!("{other:?}"),
        };
        assert_eq!(weighed(300_000, 23).map(|sections| sections.debug), Some(5_000), "{chunk}");
        assert_eq!(weighed(404_990, 23), None, "beyond the end");
        assert_eq!(weighed(300_000, 90_000), None, "more than names can be");
    }
}

fn elf_sections_none() -> super::super::elf_facts::SectionBytes {
    super::super::elf_facts::SectionBytes::default()
}

#[test]
fn a_loader_says_where_it_looks() {
    let elf = facts(&TestElf {
        entries: vec![(14, 1)],
        strings: b"\0ld-linux-x86-64.so.2\0/lib64/\0/usr/lib64/\0\0/etc/ld.so.cache\0".to_vec(),
        ..TestElf::default()
    });
    let loader = elf.loader.unwrap();
    assert_eq!((loader.directories.len(), loader.cache.as_deref()), (2, Some(&b"/etc/ld.so.cache"[..])));
}

proptest::proptest! {
    #[test]
    fn one_changed_byte_never_panics(at in 0_usize..700, value: u8, chunk in 1_usize..200) {
        let mut elf = TestElf { section: Some((".debug_info", 50)), headers: vec![(GNU_STACK, 6, 0, 0), (GNU_RELRO, 4, 0x40, 0x100)], ..versions() };
        elf.entries = vec![(1, 1), BIND_NOW];
        let mut bytes = elf.bytes();
        let at = at.min(bytes.len().saturating_sub(1));
        bytes[at] = value;
        learnt(&bytes, chunk, &Limits::default());
    }
}
