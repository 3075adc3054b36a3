//! Names of build tools, their kits, and whether a script of that name can be one.

/// What must be true of an executable beyond its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nature {
    /// It is machine code; a script of the name counts only when a package owns it.
    Program,
    /// It is a script, or may be one.
    Script,
}

/// The kit that a name (without triplet and version) belongs to.
pub(super) fn lookup(name: &str) -> Option<(&'static str, Nature)> {
    KITS.iter().find(|(_, _, names)| names.contains(&name)).map(|(kit, nature, _)| (*kit, *nature))
}

/// What the linkers, assemblers and archivers are called in messages.
pub(super) const BINUTILS: &str = "Binutils";
/// What Rust's builder is called in messages.
pub(super) const CARGO: &str = "Cargo";

// of a kit whose parts cannot work alone, the programs that people call stand for it
const KITS: &[(&str, Nature, &[&str])] = &[
    (
        BINUTILS,
        Nature::Program,
        &[
            "as",
            "ld",
            "ld.bfd",
            "ld.gold",
            "ld.lld",
            "ld.mold",
            "ld64.lld",
            "lld",
            "lld-link",
            "wasm-ld",
            "rust-lld",
            "rust-objcopy",
            "mold",
            "gold",
            "ar",
            "ranlib",
            "objcopy",
            "objdump",
            "strip",
            "nm",
            "gcc-ar",
            "gcc-nm",
            "gcc-ranlib",
            "llvm-ar",
            "llvm-as",
            "llvm-nm",
            "llvm-ranlib",
            "llvm-objcopy",
            "llvm-objdump",
            "llvm-strip",
        ],
    ),
    ("Make", Nature::Program, &["make", "gmake", "bmake"]),
    ("CMake", Nature::Script, &["cmake", "ctest", "cpack"]),
    ("Ninja", Nature::Script, &["ninja", "ninja-build", "samu"]),
    ("Meson", Nature::Script, &["meson"]),
    ("Autotools", Nature::Script, &["autoconf", "automake", "libtool", "libtoolize"]),
    ("Parser generators", Nature::Program, &["m4", "bison", "flex", "byacc", "yacc", "re2c"]),
    ("pkg-config", Nature::Program, &["pkg-config", "pkgconf"]),
    ("patch", Nature::Program, &["patch"]),
    ("ccache", Nature::Program, &["ccache", "distcc", "sccache"]),
    (CARGO, Nature::Program, &["cargo"]),
    ("Bazel", Nature::Script, &["bazel", "bazelisk", "buck2"]),
    ("SCons", Nature::Script, &["scons", "waf"]),
    ("Maven", Nature::Script, &["mvn", "mvnd"]),
    ("Gradle", Nature::Script, &["gradle"]),
    ("Ant", Nature::Script, &["ant"]),
    ("sbt", Nature::Script, &["sbt"]),
    ("Leiningen", Nature::Script, &["lein"]),
    ("MSBuild", Nature::Script, &["msbuild", "xbuild"]),
    ("node-gyp", Nature::Script, &["node-gyp"]),
    ("rebar3", Nature::Script, &["rebar3"]),
    ("Package builders", Nature::Script, &["dpkg-buildpackage", "debuild", "rpmbuild", "rpm-build", "abuild", "makepkg"]),
];

/// Programs of binutils that read files and build nothing: they bear the same signs in their bytes.
pub(super) fn is_reader(name: &str) -> bool {
    matches!(name, "readelf" | "size" | "strings" | "addr2line" | "c++filt" | "elfedit" | "gprof" | "dwp" | "gdb" | "perf")
        || name.starts_with("gp-")
        || name.starts_with("gprofng")
}
