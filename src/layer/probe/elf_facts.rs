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

/// How much of the table of imported addresses is write-protected once a program is linked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub enum Relro {
    /// No PT_GNU_RELRO.
    #[default]
    None,
    /// PT_GNU_RELRO alone: addresses of functions stay writable.
    Partial,
    /// PT_GNU_RELRO over DT_PLTGOT, and all symbols bound at start (DF_BIND_NOW, DF_1_NOW, DT_BIND_NOW).
    Full,
}

/// A version that an ELF file needs of another (one Vernaux of DT_VERNEED).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NeededVersion {
    /// Such as `GLIBC_2.36`.
    pub name: Box<[u8]>,
    /// VER_FLG_WEAK: a loader does not insist.
    pub is_weak: bool,
}

/// The versions that an ELF file needs of one other (one Verneed of DT_VERNEED).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionNeed {
    /// One of DT_NEEDED, such as `libc.so.6`.
    pub file: Box<[u8]>,
    /// In order.
    pub versions: Vec<NeededVersion>,
}

/// Bytes of sections that nothing loads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SectionBytes {
    /// `.debug_*` and `.zdebug_*`.
    pub debug: u64,
    /// `.symtab` and `.strtab`.
    pub symbols: u64,
}

/// What glibc's dynamic loader was built with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoaderFacts {
    /// The folders that it looks in after all others, in order, each with a slash at its end.
    pub directories: Vec<Box<[u8]>>,
    /// Path of its cache, such as `/etc/ld.so.cache`.
    pub cache: Option<Box<[u8]>>,
}

/// What Go's linker writes of a program's making (`debug/buildinfo`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoBuildInfo {
    /// The tool chain, such as `go1.24.1`; None in the form of before Go 1.18.
    pub version: Option<Box<str>>,
    /// The module information: lines of `path`, `mod`, `dep`, `=>` and `build`, fields apart by tabs. Empty when there is none.
    #[serde(with = "serde_bytes")]
    pub modules: Box<[u8]>,
    /// Whether its end is missing: it is longer than the limit, or than the file.
    pub is_cut: bool,
}

/// What is known of an ELF file. Everything a loader reads comes from the file header, the program headers and the dynamic segment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each says one thing of the file")]
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
    /// It has a dynamic segment.
    pub is_dynamic: bool,
    /// DT_NEEDED, in order.
    pub needed: Vec<Box<[u8]>>,
    /// DT_AUXILIARY, in order: loaded when it is there.
    pub auxiliaries: Vec<Box<[u8]>>,
    /// DT_FILTER, in order: loaded like what is needed.
    pub filters: Vec<Box<[u8]>>,
    /// DT_SONAME.
    pub soname: Option<Box<[u8]>>,
    /// DT_RPATH.
    pub rpath: Option<Box<[u8]>>,
    /// DT_RUNPATH.
    pub runpath: Option<Box<[u8]>>,
    /// DF_1_NODEFLIB: what it needs is not looked for in default folders.
    pub is_without_default_folders: bool,
    /// DT_VERNEED, in order.
    pub version_needs: Vec<VersionNeed>,
    /// The names that DT_VERDEF defines, in order; None without DT_VERDEF.
    pub version_definitions: Option<Vec<Box<[u8]>>>,
    /// Whether it is a program: ET_EXEC, or ET_DYN with an interpreter or DF_1_PIE.
    pub is_program: bool,
    /// `p_flags` of PT_GNU_STACK (1 execute, 2 write, 4 read); None when there is none.
    pub stack: Option<u32>,
    /// What is write-protected after linking.
    pub relro: Relro,
    /// Whether functions check their stack frames (`__stack_chk_fail` is among the dynamic symbols; of a static program, among
    /// its symbols). None when there is nothing to tell it by.
    pub has_stack_guard: Option<bool>,
    /// Bytes of loaded segments that may be executed.
    pub code_bytes: u64,
    /// Bytes of sections that nothing loads; None when the section headers cannot be read. No loader reads them.
    pub sections: Option<SectionBytes>,
    /// Main package path of Go's build information, such as `cmd/go`.
    pub go_path: Option<Box<str>>,
    /// What Go's linker wrote of the program's making.
    pub go: Option<Box<GoBuildInfo>>,
    /// The version of rustc that compiled some of it, such as `1.75.0`.
    pub rustc: Option<Box<str>>,
    /// Signs found in the bytes.
    pub markers: BTreeSet<Marker>,
    /// Of glibc's dynamic loader: what it was built with.
    pub loader: Option<Box<LoaderFacts>>,
    /// Headers that contradict one another, though a loader may take the file: one clause each.
    pub faults: Vec<Box<str>>,
}

impl ElfFacts {
    /// Whether its stack is executable by what it says: PT_GNU_STACK with PF_X.
    #[must_use]
    pub fn has_executable_stack(&self) -> bool {
        const PF_X: u32 = 1;
        self.stack.is_some_and(|flags| flags & PF_X != 0)
    }

    /// Whether a program can be loaded at any address.
    #[must_use]
    pub fn is_position_independent(&self) -> bool {
        const ET_DYN: u16 = 3;
        self.kind == ET_DYN
    }
}
