//! Byte patterns that tell a tool by what it is. Stored veiled, so that a program that holds this table is not taken for a compiler.

use super::elf_facts::Marker;

/// A marker and the patterns that must all be found for it: one alone may be a mention.
pub(super) struct Sign {
    pub(super) marker: Marker,
    pub(super) patterns: &'static [&'static [u8]],
}

const VEIL: u8 = 0xA5;

const fn veiled<const N: usize>(text: &[u8; N]) -> [u8; N] {
    let mut out = [0; N];
    let mut rest: &[u8] = text;
    let mut left: &mut [u8] = &mut out;
    while let ([byte, bytes @ ..], [slot, slots @ ..]) = (rest, left) {
        *slot = *byte ^ VEIL;
        rest = bytes;
        left = slots;
    }
    out
}

/// The pattern itself.
pub(super) fn unveil(pattern: &[u8]) -> Vec<u8> {
    pattern.iter().map(|byte| byte ^ VEIL).collect()
}

macro_rules! signs {
    ($($marker:ident: $($pattern:literal)+;)+) => {
        /// Every sign. Measured over every program of Debian 12 packages of compilers and of their neighbours.
        pub(super) static SIGNS: &[Sign] = &[
            $(Sign { marker: Marker::$marker, patterns: &[$(const { &veiled($pattern) }),+] },)+
        ];
    };
}

signs! {
    // the driver's spec strings, which every front end carries
    GccDriver: b"%{!fsyntax-only:%{!c:" b"%(trad_capable_cpp)";
    GccDriver: b"collect2 version" b"COLLECT_LTO_WRAPPER";
    // file names in internal errors; pass names and generated functions where file names were trimmed
    GccCompilerProper: b"gcc/toplev.c" b"gcc/passes.c";
    GccCompilerProper: b"*free_lang_data" b"gimple_simplify";
    Tcc: b"Tiny C Compiler" b"Usage: tcc";
    // the dispatch to cc1 lies in the driver's own main, also when clang is built as a shared library
    Clang: b"-cc1gen-reproducer" b"unknown integrated tool '";
    Cargo: b"CARGO_ENCODED_RUSTFLAGS" b"CARGO_PRIMARY_PACKAGE";
    // for tool chains older than build information (Go 1.18), and gccgo's
    GoToolchain: b"cmd/go/internal/work" b"cmd/go/internal/modload";
    GoToolchain: b"cmd/compile/internal/ssa" b"cmd/compile/internal/gc.Main";
    Javac: b"com.sun.tools.javac.Main" b"JLI_Launch";
    Binutils: b"GNU assembler version" b"GNU Binutils";
    Binutils: b"supported emulations:" b"--gc-sections";
    Binutils: b"LLD " b"--no-as-needed";
    BusyBox: b"BusyBox is copyrighted" b"multi-call binary";
    Rpm: b"RPM version" b"librpm.so";
    OtherCompiler: b"Glasgow Haskell Compil" b"GHCi";
    OtherCompiler: b"Free Pascal Compiler version" b"fpc.cfg";
    OtherCompiler: b"LDC - the LLVM D compiler" b"ldc2.conf";
}

/// Start of Go's build information (`debug/buildinfo`).
pub(super) static GO_BUILD_INFO: &[u8] = &veiled(b"\xff Go buildinf:");

impl Marker {
    /// A marker told by a library that the program needs.
    pub(super) fn of_needed(name: &[u8]) -> Option<Self> {
        [
            (&b"librustc_driver-"[..], Self::Rustc),
            (b"libapt-private.so", Self::Dpkg),
            (b"libapk.so", Self::Apk),
            (b"libdnf.so", Self::Rpm),
            (b"libdnf5", Self::Rpm),
            (b"libzypp.so", Self::Rpm),
        ]
        .into_iter()
        .find(|(start, _)| name.starts_with(start))
        .map(|(_, marker)| marker)
    }

    /// A marker told by Go's main package path.
    pub(super) fn of_go_path(path: &str) -> Option<Self> {
        matches!(path, "cmd/go" | "cmd/compile" | "cmd/link" | "cmd/asm" | "cmd/cgo").then_some(Self::GoToolchain)
    }
}
