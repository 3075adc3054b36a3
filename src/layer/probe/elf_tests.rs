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
