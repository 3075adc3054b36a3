//! What is known of an ELF file from its program headers alone, as a loader reads it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// A sign, found in a program's bytes, of what the program is, whatever its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Marker {
    /// GCC's driver (gcc, g++, gfortran, ...), collect2 or lto-wrapper.
    GccDriver,
    /// A GCC compiler proper (cc1, cc1plus, lto1, f951, ...).
    GccCompilerProper,
    /// Tiny C Compiler.
    Tcc,
    /// clang.
    Clang,
    /// rustc.
    Rustc,
    /// cargo.
    Cargo,
    /// The go command, or a program of its tool chain (compile, link, asm, cgo).
    GoToolchain,
    /// The launcher of javac or another program of the JDK's compiler module.
    Javac,
    /// GNU assembler, linker or archiver (binutils), or another linker.
    Binutils,
    /// BusyBox: its applets are told by the name it is called by.
    BusyBox,
    /// apk-tools.
    Apk,
    /// apt or dpkg.
    Dpkg,
    /// rpm, dnf, yum, microdnf, zypper.
    Rpm,
    /// Another compiler of the catalogue (ghc, ocamlopt, fpc, zig, nim, dmd, ldc2, ...).
    OtherCompiler,
    /// Rust's standard library: what the program is written in, not what it is.
    RustStd,
}

/// What is known of an ELF file. Everything comes from the file header, the program headers and the dynamic segment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ElfFacts {
    /// `e_machine`.
    pub machine: u16,
    /// 64-bit class.
    pub is_64: bool,
    /// Little-endian.
    pub is_little_endian: bool,
    /// `e_type`: 2 executable, 3 shared object, 1 relocatable, 4 core.
    pub kind: u16,
    /// PT_INTERP, without its NUL.
    pub interpreter: Option<Box<[u8]>>,
    /// DT_NEEDED, in order.
    pub needed: Vec<Box<[u8]>>,
    /// DT_SONAME.
    pub soname: Option<Box<[u8]>>,
    /// DT_RPATH.
    pub rpath: Option<Box<[u8]>>,
    /// DT_RUNPATH.
    pub runpath: Option<Box<[u8]>>,
    /// Whether it is a program: ET_EXEC, or ET_DYN with an interpreter or DF_1_PIE.
    pub is_program: bool,
    /// Main package path of Go's build information, such as `cmd/go`.
    pub go_path: Option<Box<str>>,
    /// Signs found in the bytes.
    pub markers: BTreeSet<Marker>,
}
