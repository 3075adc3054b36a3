//! Names of compilers, and how much a name alone says.

/// Compilers of one kind, reported together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Family {
    /// GNU Compiler Collection.
    Gcc,
    /// LLVM's C family.
    Clang,
    /// Tiny C Compiler.
    Tcc,
    /// Rust.
    Rust,
    /// Go.
    Go,
    /// Java.
    Java,
    /// Kotlin.
    Kotlin,
    /// Scala.
    Scala,
    /// Groovy.
    Groovy,
    /// TypeScript.
    TypeScript,
    /// Glasgow Haskell Compiler.
    Haskell,
    /// OCaml.
    Ocaml,
    /// Free Pascal.
    Pascal,
    /// D.
    D,
    /// Zig.
    Zig,
    /// Nim.
    Nim,
    /// Swift.
    Swift,
    /// Crystal.
    Crystal,
    /// Vala.
    Vala,
    /// .NET and Mono.
    DotNet,
    /// CUDA.
    Cuda,
    /// Intel and NVIDIA compilers for computing.
    Computing,
    /// Erlang and Elixir.
    Erlang,
    /// Emscripten.
    Emscripten,
    /// Assemblers that are no part of binutils.
    Assembler,
    /// GnuCOBOL.
    Cobol,
    /// Small Device C Compiler.
    SmallDevice,
    /// Steel Bank Common Lisp, which compiles whatever it is given.
    Lisp,
    /// GNU Prolog.
    Prolog,
    /// A compiler known by its content only.
    Other,
}

impl Family {
    /// What it is called in messages.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Gcc => "GCC",
            Self::Clang => "Clang",
            Self::Tcc => "the Tiny C Compiler",
            Self::Rust => "the Rust compiler",
            Self::Go => "the Go toolchain",
            Self::Java => "the Java compiler",
            Self::Kotlin => "the Kotlin compiler",
            Self::Scala => "the Scala compiler",
            Self::Groovy => "the Groovy compiler",
            Self::TypeScript => "the TypeScript compiler",
            Self::Haskell => "GHC",
            Self::Ocaml => "the OCaml compiler",
            Self::Pascal => "Free Pascal",
            Self::D => "a D compiler",
            Self::Zig => "the Zig compiler",
            Self::Nim => "the Nim compiler",
            Self::Swift => "the Swift compiler",
            Self::Crystal => "the Crystal compiler",
            Self::Vala => "the Vala compiler",
            Self::DotNet => "a .NET compiler",
            Self::Cuda => "the CUDA compiler",
            Self::Computing => "an Intel or NVIDIA compiler",
            Self::Erlang => "the Erlang compiler",
            Self::Emscripten => "Emscripten",
            Self::Assembler => "an assembler",
            Self::Cobol => "GnuCOBOL",
            Self::SmallDevice => "the Small Device C Compiler",
            Self::Lisp => "Steel Bank Common Lisp",
            Self::Prolog => "GNU Prolog",
            Self::Other => "a compiler",
        }
    }

    /// The subject of its observation: for ever, each another.
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Gcc => "gcc",
            Self::Clang => "clang",
            Self::Tcc => "tcc",
            Self::Rust => "rust",
            Self::Go => "go",
            Self::Java => "java",
            Self::Kotlin => "kotlin",
            Self::Scala => "scala",
            Self::Groovy => "groovy",
            Self::TypeScript => "typescript",
            Self::Haskell => "ghc",
            Self::Ocaml => "ocaml",
            Self::Pascal => "pascal",
            Self::D => "d",
            Self::Zig => "zig",
            Self::Nim => "nim",
            Self::Swift => "swift",
            Self::Crystal => "crystal",
            Self::Vala => "vala",
            Self::DotNet => "dotnet",
            Self::Cuda => "cuda",
            Self::Computing => "intel-nvidia",
            Self::Erlang => "erlang",
            Self::Emscripten => "emscripten",
            Self::Assembler => "assembler",
            Self::Cobol => "cobol",
            Self::SmallDevice => "sdcc",
            Self::Lisp => "sbcl",
            Self::Prolog => "prolog",
            Self::Other => "other",
        }
    }
}

/// How much a program's name says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weight {
    /// Only compilers are called so: an ELF program of that name is one unless its content says that it is something else.
    Strong,
    /// Other programs are called so too: the name counts with a sign in the content, an owning package of the family, or the
    /// compiler's own folders beside it.
    Weak,
}

/// What a name (without triplet and version) says.
pub(super) fn lookup(name: &str) -> Option<(Family, Weight)> {
    STRONG
        .iter()
        .map(|(family, names)| (*family, Weight::Strong, *names))
        .chain(WEAK.iter().map(|(family, names)| (*family, Weight::Weak, *names)))
        .find(|(_, _, names)| names.contains(&name))
        .map(|(family, weight, _)| (family, weight))
}

const STRONG: &[(Family, &[&str])] = &[
    (
        Family::Gcc,
        &[
            "gcc",
            "g++",
            "gfortran",
            "gnat",
            "gnatgcc",
            "gnatmake",
            "gdc",
            "gccgo",
            "gm2",
            "gcobol",
            "g77",
            "gcj",
            "c89-gcc",
            "c99-gcc",
            "cc1",
            "cc1plus",
            "cc1obj",
            "cc1objplus",
            "cc1gm2",
            "lto1",
            "collect2",
            "lto-wrapper",
            "f951",
        ],
    ),
    (Family::Clang, &["clang", "clang++", "clang-cl", "clang-cpp", "clang-repl", "flang", "flang-new", "llc"]),
    (Family::Tcc, &["tcc"]),
    (Family::Rust, &["rustc"]),
    (Family::Java, &["javac", "ecj"]),
    (Family::Kotlin, &["kotlinc", "kotlinc-jvm", "kotlinc-js", "kotlinc-native", "konanc"]),
    (Family::Scala, &["scalac"]),
    (Family::Groovy, &["groovyc"]),
    (Family::TypeScript, &["tsc", "tsgo"]),
    (Family::Haskell, &["ghc"]),
    (Family::Ocaml, &["ocamlopt", "ocamlopt.opt", "ocamlopt.byte", "ocamlc", "ocamlc.opt", "ocamlc.byte"]),
    (Family::Pascal, &["fpc", "ppcx64", "ppca64", "ppc386", "ppcarm", "ppcppc64"]),
    (Family::D, &["dmd", "ldc2", "ldmd2"]),
    (Family::Zig, &["zig"]),
    (Family::Nim, &["nim"]),
    (Family::Swift, &["swiftc", "swift-driver", "swift-frontend"]),
    (Family::Crystal, &["crystal"]),
    (Family::Vala, &["valac"]),
    (Family::Cuda, &["nvcc", "cicc", "cudafe++", "ptxas"]),
    (
        Family::Computing,
        &["icc", "icpc", "icx", "icpx", "ifort", "ifx", "dpcpp", "nvc", "nvc++", "nvfortran", "pgcc", "pgc++", "pgfortran"],
    ),
    (Family::Erlang, &["erlc", "elixirc"]),
    (Family::Emscripten, &["emcc", "em++"]),
    (Family::Assembler, &["nasm", "yasm", "fasm"]),
    (Family::Cobol, &["cobc"]),
    (Family::SmallDevice, &["sdcc"]),
    (Family::Lisp, &["sbcl"]),
    (Family::Prolog, &["gplc"]),
];

const WEAK: &[(Family, &[&str])] = &[
    (Family::Gcc, &["cc", "c++", "cpp", "c89", "c99", "go1", "d21", "gnat1", "rust1", "jc1", "crab1"]),
    (Family::Go, &["go"]),
    (Family::DotNet, &["csc", "mcs", "vbc", "fsc"]),
];

/// Beginnings of the names of packages that hold compilers of a family: what such a package owns under a compiler's name is one.
pub(super) fn is_package_of(family: Family, package: &str) -> bool {
    let stems: &[&str] = match family {
        Family::Gcc => &["gcc", "g++", "cpp", "gnat", "gdc", "gfortran", "gccgo", "gobjc", "clang", "llvm", "tcc"],
        Family::Clang => &["clang", "llvm", "flang"],
        Family::Go => &["go", "golang", "gccgo"],
        Family::DotNet => &["mono", "dotnet"],
        Family::Java => &["openjdk", "java", "ecj", "temurin", "zulu", "jdk"],
        Family::Rust => &["rust", "rustc"],
        Family::Kotlin => &["kotlin"],
        Family::Scala => &["scala"],
        Family::Groovy => &["groovy"],
        Family::TypeScript => &["typescript", "node-typescript"],
        Family::Emscripten => &["emscripten"],
        Family::Haskell => &["ghc"],
        Family::Erlang => &["erlang", "elixir"],
        _ => &[],
    };
    // `go` owns the Go toolchain, `gourmet` does not: what follows the stem starts a new word
    stems.iter().filter_map(|stem| package.strip_prefix(stem)).any(|rest| !rest.starts_with(|c: char| c.is_ascii_lowercase()))
}

/// Programs of a toolchain that carry a compiler's signs and are none: they count only while nothing else explains the signs.
pub(super) fn is_companion(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "gcov",
        "gcov-tool",
        "gcov-dump",
        "lto-dump",
        "gcc-ar",
        "gcc-nm",
        "gcc-ranlib",
        "g++-mapper-server",
        "rustdoc",
        "clippy-driver",
        "cargo-clippy",
        "rustfmt",
        "rust-analyzer-proc-macro-srv",
        "nimsuggest",
        "miri",
        "rust-analyzer",
        "clangd",
        "clang-format",
        "clang-tidy",
        "clang-scan-deps",
        "clang-check",
        "lldb",
        "gofmt",
        "javadoc",
        "serialver",
        "jshell",
        "javap",
        "jdeps",
        "jdeprscan",
        "jar",
        "jlink",
        "nm",
        "objdump",
        "addr2line",
        "buildid",
        "cover",
        "dist",
        "doc",
        "fix",
        "pack",
        "pprof",
        "test2json",
        "trace",
        "vet",
        "api",
        "covdata",
    ];
    NAMES.contains(&name)
}

/// Every family that a name may say.
#[cfg(test)]
pub(super) fn families() -> impl Iterator<Item = Family> {
    STRONG.iter().chain(WEAK).map(|(family, _)| *family)
}
