//! Tests of the ELF probe: what is learnt, what is broken, what is not examined.

use super::*;
use crate::layer::test_tar::elf_program;

fn probe(bytes: &[u8], chunk: usize, limits: &Limits) -> Learnt {
    let mut probe = ElfProbe::new(limits);
    probe.start(byte_count(bytes));
    for chunk in bytes.chunks(chunk) {
        probe.push(chunk);
    }
    probe.finish()
}

fn reason(learnt: Learnt) -> String {
    match learnt {
        Learnt::Facts(facts, _) => format!("{facts:?}"),
        Learnt::Broken(reason) | Learnt::NotExamined(reason) => reason,
    }
}

#[test]
fn chunks_of_any_size_give_the_same_facts() {
    let elf = elf_program(b"Tiny C Compiler, Usage: tcc");
    let whole = reason(probe(&elf, elf.len(), &Limits::default()));
    assert!(whole.contains("Tcc"), "{whole}");
    for chunk in 1..elf.len() {
        assert_eq!(reason(probe(&elf, chunk, &Limits::default())), whole, "chunks of {chunk}");
    }
}

#[test]
fn a_wrong_class_byte_hides_nothing_since_the_kernel_does_not_look_at_it() {
    let mut elf = elf_program(b"Tiny C Compiler, Usage: tcc");
    elf[4] = 9;
    assert!(reason(probe(&elf, 64, &Limits::default())).contains("Tcc"));
}

#[test]
fn broken_headers_are_told() {
    const RISCV: u8 = 243;
    for (at, value, part) in [(4, 9, "file header"), (54, 1, "program headers"), (33, 0xff, "beyond its end")] {
        let mut elf = elf_program(b"");
        elf[18] = RISCV;
        elf[at] = value;
        let learnt = probe(&elf, 64, &Limits::default());
        assert!(matches!(&learnt, Learnt::Broken(reason) if reason.contains(part)), "{at}: {learnt:?}");
    }
}

#[test]
fn facts_beyond_the_head_are_read_when_they_come_later_and_told_when_not() {
    let elf = elf_program(b"");
    let short = Limits { elf_head_bytes: 64 + 3 * 56, ..Limits::default() };
    assert!(matches!(probe(&elf, 1, &short), Learnt::Facts(facts, _) if facts.needed.len() == 2));
    let shorter = Limits { elf_head_bytes: 100, ..Limits::default() };
    assert!(matches!(probe(&elf, 1, &shorter), Learnt::NotExamined(_)));
}

#[test]
fn relocatable_objects_have_no_dynamic_part() {
    let mut elf = elf_program(b"");
    elf[16] = 1;
    assert!(matches!(probe(&elf, 100, &Limits::default()), Learnt::Facts(facts, _) if facts.kind == 1 && !facts.is_program));
}

#[test]
fn a_program_that_the_kernel_starts_is_scanned_whatever_its_dynamic_segment_says() {
    // a second interpreter; the dynamic segment cut before its end, at no loaded address, beyond the file
    for (at, value) in [(64 + 112, 3), (64 + 112 + 32, 8), (64 + 112 + 23, 0x7f), (64 + 112 + 33, 0x10)] {
        let mut elf = elf_program(b"Tiny C Compiler, Usage: tcc");
        elf[at] = value;
        let learnt = reason(probe(&elf, 64, &Limits::default()));
        assert!(learnt.contains("Tcc"), "{at}: {learnt}");
    }
}

/// A library as linkers make it today: tables, then code apart from them, then the dynamic segment.
fn with_code_apart(strings_in_code: bool) -> Vec<u8> {
    const CODE: u64 = 0x1000;
    const DATA: u64 = 0x4000;
    let word = |value: u64| value.to_le_bytes();
    let load = |kind: u32, flags: u32, at: u64, length: u64| {
        [&kind.to_le_bytes()[..], &flags.to_le_bytes(), &[at, at, at, length, length, 1].map(u64::to_le_bytes).concat()].concat()
    };
    let mut file = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\xf3\0\x01\0\0\0".to_vec();
    file.extend([word(0), word(64), word(0)].concat());
    file.extend([0_u16, 0, 64, 56, 4, 64, 0, 0].iter().flat_map(|half| half.to_le_bytes()));
    for (kind, flags, at, length) in [(1, 4, 0, CODE), (1, 5, CODE, DATA - CODE), (1, 6, DATA, 64), (2, 6, DATA, 64)] {
        file.extend(load(kind, flags, at, length));
    }
    let strings_at = if strings_in_code { CODE + 16 } else { 0x800 };
    file.resize(usize::try_from(DATA).unwrap(), 0x90);
    file[usize::try_from(strings_at).unwrap()..][..11].copy_from_slice(b"\0libfirst\0\0");
    for (tag, value) in [(1, 1), (5, strings_at), (10, 11), (0, 0)] {
        file.extend([word(tag), word(value)].concat());
    }
    file
}

#[test]
fn code_that_linkers_put_apart_is_not_kept_and_its_tables_are_read_all_the_same() {
    let file = with_code_apart(false);
    let limits = Limits { elf_head_bytes: 0x1000, ..Limits::default() };
    for chunk in [1, 100, 0x1000] {
        let learnt = probe(&file, chunk, &limits);
        assert!(
            matches!(&learnt, Learnt::Facts(facts, None) if *facts.needed == [b"libfirst"[..].into()]),
            "{chunk}: {learnt:?}"
        );
    }
}

#[test]
fn tables_among_code_that_is_apart_are_not_examined() {
    let file = with_code_apart(true);
    for chunk in [1, 100, 0x1800, file.len()] {
        let learnt = probe(&file, chunk, &Limits::default());
        assert!(matches!(&learnt, Learnt::NotExamined(reason) if reason.contains("among code")), "{chunk}: {learnt:?}");
    }
}
