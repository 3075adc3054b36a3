//! What is learnt from file bodies while they stream by: ELF facts, tool markers, script interpreters, small bodies that facts need.

mod elf_facts;

pub use elf_facts::{ElfFacts, Marker};
