//! When `compiler` fires, and when it must not.

use super::super::testing::{Builder, paths};
use super::*;
use crate::facts::ElfFacts;

fn run_on(builder: &mut Builder) -> Vec<Observation> {
    builder.run(&CHECK)
}

fn gcc() -> Builder {
    let mut builder = Builder::default();
    builder
        .marked("/usr/bin/x86_64-linux-gnu-gcc-12", 1024, Marker::GccDriver)
        .link("/usr/bin/gcc-12", "x86_64-linux-gnu-gcc-12")
        .link("/usr/bin/gcc", "gcc-12")
        .link("/usr/bin/cc", "/etc/alternatives/cc")
        .link("/etc/alternatives/cc", "/usr/bin/gcc")
        .marked("/usr/lib/gcc/x86_64-linux-gnu/12/cc1", 2048, Marker::GccCompilerProper)
        .program("/usr/lib/gcc/x86_64-linux-gnu/12/collect2", 512)
        .marked("/usr/bin/x86_64-linux-gnu-gcov-12", 99, Marker::GccDriver)
        .marked("/usr/bin/x86_64-linux-gnu-gcc-ar-12", 99, Marker::GccDriver)
        .script("/usr/bin/c99-gcc", 428)
        .link("/usr/bin/c99", "/etc/alternatives/c99")
        .link("/etc/alternatives/c99", "/usr/bin/c99-gcc")
        .in_package("gcc-12", &["/usr/bin/x86_64-linux-gnu-gcc-12"]);
    builder
}

#[test]
fn fires_on_gcc_once_with_links_versions_bytes_and_wrappers() {
    let seen = run_on(&mut gcc());
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].message, "GCC 12 can be run: 3 programs under 9 names, 3.9 KiB");
    assert_eq!(
        paths(&seen[0]),
        [
            "/etc/alternatives/cc",
            "/usr/bin/c99",
            "/usr/bin/c99-gcc",
            "/usr/bin/cc",
            "/usr/bin/gcc",
            "/usr/bin/gcc-12",
            "/usr/bin/x86_64-linux-gnu-gcc-12",
            "/usr/lib/gcc/x86_64-linux-gnu/12/cc1",
            "/usr/lib/gcc/x86_64-linux-gnu/12/collect2"
        ]
    );
    let gcc = seen[0].evidence.iter().find(|one| one.path.as_deref() == Some(b"/usr/bin/x86_64-linux-gnu-gcc-12")).unwrap();
    assert_eq!((gcc.package.as_deref(), gcc.layer, gcc.history, gcc.bytes), (Some("gcc-12"), Some(0), Some(1), 1024));
}

#[test]
fn fires_on_a_compiler_under_another_name_with_every_name_of_it() {
    for marker in [
        Marker::GccDriver,
        Marker::GccCompilerProper,
        Marker::Tcc,
        Marker::Clang,
        Marker::Rustc,
        Marker::GoToolchain,
        Marker::Javac,
        Marker::OtherCompiler,
    ] {
        let mut builder = Builder::default();
        builder
            .marked("/opt/tools/xc", 10, marker)
            .link("/usr/local/bin/helper", "/opt/tools/xc")
            .hard_link("/opt/y", "/opt/tools/xc");
        let seen = run_on(&mut builder);
        assert_eq!(paths(&seen[0]), ["/opt/tools/xc", "/opt/y", "/usr/local/bin/helper"], "{marker:?}");
        assert!(seen[0].message.contains("/opt/tools/xc told by content"), "{}", seen[0].message);
    }
}

#[test]
fn fires_on_an_elf_program_of_a_name_that_only_compilers_bear() {
    for name in [
        "gcc",
        "g++-13",
        "clang-16",
        "rustc",
        "cc1plus",
        "javac",
        "ghc-9.4.7",
        "ocamlopt.opt",
        "nasm",
        "zig",
        "tcc",
        "aarch64-linux-musl-g++",
        "swift-driver",
        "cobc",
        "sbcl",
        "sdcc",
        "gplc",
        "fasm",
        "llc-14",
    ] {
        let mut builder = Builder::default();
        builder.program(&format!("/opt/x/{name}"), 1);
        assert_eq!(run_on(&mut builder).len(), 1, "{name}");
    }
}

#[test]
fn fires_by_name_without_listing_other_names_of_the_file() {
    let mut builder = Builder::default();
    builder.program("/bin/gcc", 632).hard_link("/bin/one", "/bin/gcc");
    assert_eq!(paths(&run_on(&mut builder)[0]), ["/bin/gcc"], "nothing but the name says that it is a compiler");
}

#[test]
fn fires_on_typescript_that_is_a_go_program() {
    let mut builder = Builder::default();
    builder.go_program("/app/node_modules/@typescript/native/lib/tsc", "github.com/microsoft/typescript-go/cmd/tsgo");
    assert!(run_on(&mut builder)[0].message.starts_with("The TypeScript compiler"));
    let mut api = Builder::default();
    api.go_program("/app/bin/tsc", "example.org/tsc");
    assert!(run_on(&mut api).is_empty(), "a Go program of another path");
}

#[test]
fn fires_on_zig_as_zig_although_it_holds_clang() {
    let mut builder = Builder::default();
    let markers = [Marker::Clang, Marker::OtherCompiler].into();
    builder.elf("/opt/zig/zig", 9, ElfFacts { is_program: true, markers, ..ElfFacts::default() });
    assert!(run_on(&mut builder)[0].message.starts_with("The Zig compiler"));
}

#[test]
fn fires_on_go_with_its_tools() {
    let mut builder = Builder::default();
    builder
        .go_program("/usr/lib/go-1.19/bin/go", "cmd/go")
        .go_program("/usr/lib/go-1.19/bin/gofmt", "cmd/gofmt")
        .go_program("/usr/lib/go-1.19/pkg/tool/linux_amd64/compile", "cmd/compile")
        .go_program("/usr/lib/go-1.19/pkg/tool/linux_amd64/nm", "cmd/nm")
        .program("/usr/lib/go-1.19/pkg/tool/linux_amd64/link", 9)
        .link("/usr/bin/go", "../lib/go-1.19/bin/go");
    let seen = run_on(&mut builder);
    assert_eq!(
        paths(&seen[0]),
        [
            "/usr/bin/go",
            "/usr/lib/go-1.19/bin/go",
            "/usr/lib/go-1.19/pkg/tool/linux_amd64/compile",
            "/usr/lib/go-1.19/pkg/tool/linux_amd64/link"
        ]
    );
}

#[test]
fn fires_on_a_weak_name_that_a_package_or_its_folders_confirm() {
    let mut owned = Builder::default();
    owned.program("/usr/bin/cc", 1).in_package("gcc", &["/usr/bin/cc"]);
    assert_eq!(run_on(&mut owned).len(), 1);
    let mut beside = Builder::default();
    beside.program("/opt/go/bin/go", 1).file("/opt/go/pkg/tool/x", 1);
    assert_eq!(run_on(&mut beside).len(), 1);
    let mut proper = Builder::default();
    proper.program("/usr/libexec/gcc/x86_64-linux-gnu/12/go1", 1);
    assert_eq!(run_on(&mut proper).len(), 1);
}

#[test]
fn fires_on_script_compilers_with_their_implementation() {
    let mut builder = Builder::default();
    builder
        .script("/app/node_modules/typescript/bin/tsc", 45)
        .file("/app/node_modules/typescript/lib/tsc.js", 9)
        .link("/app/node_modules/.bin/tsc", "../typescript/bin/tsc")
        .script("/opt/kotlinc/bin/kotlinc", 5)
        .file("/opt/kotlinc/lib/kotlin-compiler.jar", 5)
        .script("/opt/lonely/bin/scalac", 5);
    let seen = run_on(&mut builder);
    assert_eq!(seen.len(), 2);
    assert_eq!(paths(&seen[0]), ["/opt/kotlinc/bin/kotlinc"]);
    assert_eq!(paths(&seen[1]), ["/app/node_modules/.bin/tsc", "/app/node_modules/typescript/bin/tsc"]);
}

#[test]
fn fires_on_a_jdk_without_javac_and_is_silent_on_a_runtime() {
    let mut jdk = Builder::default();
    jdk.program("/opt/jdk/bin/java", 1).file("/opt/jdk/jmods/jdk.compiler.jmod", 9).file("/opt/jdk/lib/modules", 9);
    assert_eq!(paths(&run_on(&mut jdk)[0]), ["/opt/jdk/jmods/jdk.compiler.jmod"]);
    let mut runtime = Builder::default();
    runtime.program("/opt/jre/bin/java", 1).file("/opt/jre/lib/modules", 9).file("/opt/jre/lib/ct.sym", 9);
    assert!(run_on(&mut runtime).is_empty());
}

#[test]
fn fires_on_a_dotnet_sdk_and_is_silent_on_a_runtime() {
    let mut sdk = Builder::default();
    sdk.program("/usr/share/dotnet/dotnet", 1).file("/usr/share/dotnet/sdk/8.0.100/Roslyn/bincore/csc.dll", 9);
    assert_eq!(run_on(&mut sdk).len(), 1);
    let mut runtime = Builder::default();
    runtime.program("/usr/share/dotnet/dotnet", 1).file("/usr/share/dotnet/shared/a.dll", 9);
    assert!(run_on(&mut runtime).is_empty());
}

#[test]
fn fires_on_a_compiler_cache_beside_a_compiler_only() {
    let mut both = gcc();
    both.program("/usr/bin/ccache", 7).link("/usr/lib/ccache/gcc", "../../bin/ccache");
    assert!(paths(&run_on(&mut both)[0]).contains(&"/usr/lib/ccache/gcc".to_owned()));
    let mut alone = Builder::default();
    alone.program("/usr/bin/ccache", 7).link("/usr/lib/ccache/gcc", "../../bin/ccache");
    assert!(run_on(&mut alone).is_empty());
}

#[test]
fn fires_on_a_renamed_compiler_that_hides_behind_a_companion_s_name() {
    let mut builder = Builder::default();
    builder.marked("/usr/local/bin/gcov", 9, Marker::GccDriver);
    assert_eq!(run_on(&mut builder).len(), 1);
}

#[test]
fn is_silent_on_decoys() {
    let mut builder = Builder::default();
    builder
        .file("/usr/share/doc/gcc/README", 49)
        .file("/app/docs/gcc", 49)
        .program("/app/gcc-report", 9)
        .script("/usr/local/bin/gcc", 40)
        .script("/usr/local/bin/go", 40)
        .script("/usr/local/bin/tsc", 40)
        .link("/usr/bin/g++", "/nowhere/gcc")
        .program("/app/bin/go", 9)
        .program("/app/bin/cc", 9)
        .go_program("/app/bin/rustc", "example.org/rustc")
        .marked("/bin/busybox", 9, Marker::BusyBox)
        .link("/bin/cc", "busybox")
        .hard_link("/bin/gcc", "/bin/busybox")
        .library("/usr/lib/libgcc_s.so.1", 9)
        .directory("/app/bin/clang", 0o755)
        .program("/app/bin/my-gcc", 9)
        .program("/app/bin/hello-cpp", 9);
    assert!(run_on(&mut builder).is_empty());
}

#[test]
fn is_silent_on_the_companions_that_a_package_owns() {
    let mut builder = Builder::default();
    builder.marked("/usr/bin/rustdoc", 9, Marker::Rustc).in_package("rust-doc", &["/usr/bin/rustdoc"]);
    assert!(run_on(&mut builder).is_empty());
}

#[test]
fn is_silent_on_a_link_to_a_program_of_another_name() {
    let mut builder = Builder::default();
    builder.program("/bin/true", 9).link("/usr/bin/gcc", "/bin/true");
    assert!(run_on(&mut builder).is_empty());
}

#[test]
fn a_further_name_busybox_does_not_hide_a_compiler() {
    let mut builder = Builder::default();
    builder.marked("/opt/busybox", 10, Marker::GccDriver);
    assert_eq!(paths(&run_on(&mut builder)[0]), ["/opt/busybox"]);
}

#[test]
fn the_subject_is_the_family_whatever_the_version() {
    let subjects = |builder: &mut Builder| run_on(builder).into_iter().map(|one| one.subject).collect::<Vec<_>>();
    assert_eq!(subjects(&mut gcc()), ["gcc"]);
    let mut others = Builder::default();
    others.program("/usr/bin/gcc-13", 9).program("/opt/jdk/bin/java", 9).file("/opt/jdk/jmods/jdk.compiler.jmod", 9);
    others.program("/opt/dotnet/dotnet", 9).file("/opt/dotnet/sdk/8.0.1/Roslyn/bincore/csc.dll", 9);
    others.program("/usr/bin/mcs", 9).in_package("mono-mcs", &["/usr/bin/mcs"]);
    assert_eq!(subjects(&mut others), ["gcc", "dotnet", "java", "roslyn"]);
}

#[test]
fn every_family_is_a_subject_of_its_own() {
    let families: std::collections::BTreeSet<_> = names::families().collect();
    let keys: std::collections::BTreeSet<_> = families.iter().map(|family| family.key()).collect();
    assert_eq!(keys.len(), families.len());
    assert!(!keys.contains("roslyn"));
}

#[test]
fn what_a_program_is_written_in_does_not_hide_a_compiler() {
    let elf =
        |markers: &[Marker]| ElfFacts { is_program: true, markers: markers.iter().copied().collect(), ..ElfFacts::default() };
    let mut builder = Builder::default();
    // rustup's proxies are Rust programs without another sign; a build of gcc may hold parts in Rust
    builder.elf("/opt/cargo/bin/rustc", 9, elf(&[Marker::RustStd])).elf("/opt/gcc", 9, elf(&[Marker::RustStd]));
    builder.elf("/opt/x", 9, elf(&[Marker::RustStd, Marker::Clang]));
    assert_eq!(run_on(&mut builder).len(), 3);
    let mut others = Builder::default();
    others.elf("/usr/bin/rg", 9, elf(&[Marker::RustStd])).elf("/usr/bin/cargo", 9, elf(&[Marker::RustStd, Marker::Cargo]));
    others.elf("/app/cc", 9, elf(&[Marker::RustStd]));
    assert!(run_on(&mut others).is_empty());
}
