//! `compiler`: something that turns source into machine code or bytecode can be run.
//!
//! A file is a compiler when one of these holds:
//! - its content says so, whatever its name (signs of GCC, tcc, clang, rustc, Go, javac and others, found while the layer was read);
//! - it is an ELF program, one of its own names is one that only compilers bear (`gcc-12`, `rustc`), and its content does not say
//!   that it is something else (a BusyBox, a Go program of another path). No sign at all is not enough to be silent: an unknown
//!   build of gcc must not be missed;
//! - it is an ELF program of a name that others bear too (`go`, `cc`), and a package of the family owns it or the compiler's own
//!   folders lie beside it. An unrelated program called `go` is therefore silent;
//! - it is a script by nature (`tsc`, `kotlinc`) and its implementation is there.
//!
//! What this cannot tell: an unrelated C program that is called `gcc` and bears no sign of anything counts, since an unknown build of
//! gcc looks the same; a compiler packed with UPX, or encrypted, counts by name only; compilers that are jar files without a script
//! of theirs (`ecj.jar`, `groovy.jar`) are libraries of applications and do not count; a file without any execute bit cannot be run.
//!
//! Once a family is present, scripts of its names (`c99-gcc`, `musl-gcc`) and compiler caches called by them are listed with it.

mod names;
mod scripts;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use super::{Check, Family as Section, Reference, evidence, tools, wording};
use crate::facts::Marker;
use crate::facts::{Executable, ExecutableName, Image};
use crate::finding::{Evidence, Observation, Severity};
use crate::oci::escape;
use crate::rootfs::Inode;
use names::{Family, Weight};
use tools::Form;

/// The check.
pub(super) static CHECK: Check = Check {
    id: "compiler",
    title: "A compiler can be run",
    family: Section::Toolchain,
    severity: Severity::High,
    what: "A program that turns source into machine code or bytecode is in the final filesystem: GCC, Clang, tcc, rustc, Go, javac, \
           tsc, GHC and others, told by name, by owning package or by content, so that a renamed copy is found and a script called \
           `gcc` is not.",
    why: "Whoever gets code to run in the container can build exploits for exactly this system on the spot. Compilers and what they \
          bring also make up most of the size, and most of the known vulnerabilities, of single-stage images.",
    fix: "Build in one stage and copy only the results into a final stage that starts from a runtime image.",
    example: "FROM golang:1.24 AS build\nWORKDIR /src\nCOPY . .\nRUN CGO_ENABLED=0 go build -o /out/app .\n\n\
              FROM gcr.io/distroless/static-debian12:nonroot\nCOPY --from=build /out/app /app\nENTRYPOINT [\"/app\"]\n",
    references: &[
        Reference { name: "CIS Docker 4.3", url: "https://www.cisecurity.org/benchmark/docker" },
        Reference { name: "NIST SP 800-190 4.1.2", url: "https://doi.org/10.6028/NIST.SP.800-190" },
        Reference { name: "Docker: multi-stage builds", url: "https://docs.docker.com/build/building/multi-stage/" },
        Reference { name: "MITRE ATT&CK T1027.004", url: "https://attack.mitre.org/techniques/T1027/004/" },
    ],
    since: "0.1.0",
    run,
};

/// One executable that is a compiler.
struct Compiler<'a> {
    executable: &'a Executable,
    /// Whether content or owner prove it, so that all its names lead to a compiler; else only names that say so are listed.
    is_proved: bool,
    is_companion: bool,
}

fn run(image: &Image) -> Vec<Observation> {
    let mut families: BTreeMap<Family, Vec<Compiler<'_>>> = BTreeMap::new();
    for executable in &image.executables {
        if let Some((family, is_proved)) = classify(image, executable) {
            let is_companion = is_companion(executable);
            families.entry(family).or_default().push(Compiler { executable, is_proved, is_companion });
        }
    }
    for compilers in families.values_mut() {
        let is_explained = compilers.iter().any(|compiler| !compiler.is_companion);
        compilers.retain(|compiler| {
            !compiler.is_companion || !is_explained && tools::owner(image, compiler.executable.node).is_none()
        });
    }
    families.retain(|_, compilers| !compilers.is_empty());
    let mut observations: Vec<_> = families.iter().map(|(family, compilers)| observe(image, *family, compilers)).collect();
    if !families.contains_key(&Family::Java) {
        observations.extend(java_without_launcher(image));
    }
    observations.extend(roslyn(image));
    observations
}

fn classify(image: &Image, executable: &Executable) -> Option<(Family, bool)> {
    let inode = image.rootfs.inode(executable.node);
    let is_multi_call = tools::is_multi_call(executable, inode);
    match tools::form(inode) {
        // content first: a further name `busybox` does not make a compiler harmless
        Form::Program if let Some(family) = by_content(executable, inode) => Some((family, true)),
        _ if is_multi_call => None,
        Form::Program => by_name(image, executable, inode),
        Form::Script => scripts::family(image, executable).map(|family| (family, false)),
        Form::Other => None,
    }
}

fn by_content(executable: &Executable, inode: &Inode) -> Option<Family> {
    let elf = tools::elf(inode)?;
    // TypeScript from 7 on is a Go program
    if elf.go_path.as_deref().is_some_and(|path| path.starts_with("github.com/microsoft/typescript-go/cmd/")) {
        return Some(Family::TypeScript);
    }
    // Zig bears clang's signs too, since it holds all of clang
    let is_other = elf.markers.contains(&Marker::OtherCompiler);
    let first = is_other.then_some(&Marker::OtherCompiler);
    first.into_iter().chain(&elf.markers).find_map(|marker| match marker {
        Marker::GccDriver | Marker::GccCompilerProper => Some(Family::Gcc),
        Marker::Tcc => Some(Family::Tcc),
        Marker::Clang => Some(Family::Clang),
        Marker::Rustc => Some(Family::Rust),
        Marker::GoToolchain => match elf.go_path.as_deref() {
            None | Some("cmd/go" | "cmd/compile" | "cmd/link" | "cmd/asm" | "cmd/cgo") => Some(Family::Go),
            Some(_) => None,
        },
        Marker::Javac => Some(Family::Java),
        Marker::OtherCompiler => Some(own_match(executable).map_or(Family::Other, |(family, _)| family)),
        _ => None,
    })
}

fn by_name(image: &Image, executable: &Executable, inode: &Inode) -> Option<(Family, bool)> {
    let elf = tools::elf(inode)?;
    if let Some(family) = go_tool(executable).filter(|_| elf.go_path.is_none()) {
        return Some((family, false));
    }
    // build information of Go, or signs of another tool: it is that program and no compiler (collect2 bears binutils' signs)
    if elf.go_path.is_some() || tools::signs(elf).any(|marker| marker != Marker::Binutils) {
        return None;
    }
    let (family, weight) = own_match(executable)?;
    let is_owned = tools::owner(image, executable.node).is_some_and(|package| names::is_package_of(family, package));
    let is_beside = || tools::own_names(executable).any(|name| is_in_toolchain(image, family, name));
    (weight == Weight::Strong || is_owned || is_beside()).then_some((family, is_owned))
}

/// `pkg/tool/GOOS_GOARCH/compile` and its like, in a GOROOT built before Go 1.13 or without build information.
fn go_tool(executable: &Executable) -> Option<Family> {
    let is_tool = |path: &[u8]| {
        let mut components = path.rsplit(|byte| *byte == b'/');
        let name = components.next().unwrap_or_default();
        let mut folders = components.skip(1);
        matches!(name, b"compile" | b"link" | b"asm" | b"cgo")
            && folders.next() == Some(b"tool")
            && folders.next() == Some(b"pkg")
    };
    tools::own_names(executable).any(|name| is_tool(&name.path)).then_some(Family::Go)
}

/// The compiler's own folders around a program whose name says little.
fn is_in_toolchain(image: &Image, family: Family, name: &ExecutableName) -> bool {
    let has = |up, rest| tools::entry(&image.rootfs, &tools::beside(&name.path, up, rest)).is_some();
    match family {
        Family::Go => has(2, "pkg/tool") || has(2, "src/cmd/go"),
        Family::Gcc => name.path.split(|byte| *byte == b'/').rev().skip(3).any(|component| component == b"gcc"),
        Family::DotNet => has(2, "lib/mono"),
        _ => false,
    }
}

fn own_match(executable: &Executable) -> Option<(Family, Weight)> {
    tools::own_names(executable).find_map(|name| tools::find(name.base_name(), names::lookup)).map(|found| found.value)
}

fn is_companion(executable: &Executable) -> bool {
    let lookup = |name: &str| names::is_companion(name).then_some(());
    tools::own_names(executable).all(|name| tools::find(name.base_name(), lookup).is_some())
}

fn observe(image: &Image, family: Family, compilers: &[Compiler<'_>]) -> Observation {
    let mut seen = Vec::new();
    let mut renamed = Vec::new();
    for compiler in compilers {
        let says_so = |name: &ExecutableName| family_of(name) == Some(family) || matches!(family, Family::Go | Family::Other);
        let is_program = tools::form(image.rootfs.inode(compiler.executable.node)) == Form::Program;
        let listed =
            |name: &ExecutableName| compiler.is_proved || says_so(name) && (is_program || tools::is_command_path(&name.path));
        let names = evidence::of_names(image, compiler.executable, listed);
        if compiler.is_proved
            && !compiler.executable.names.iter().any(|name| family_of(name).is_some())
            && go_tool(compiler.executable).is_none()
        {
            renamed.extend(names.first().and_then(|name| name.path.clone()));
        }
        seen.extend(names);
    }
    seen.extend(wrappers(image, family, compilers));
    let programs = wording::counted(wording::count(compilers.len()), "program");
    let names = wording::counted(wording::count(seen.len()), "name");
    let label = versioned_label(family, &seen);
    let size = wording::bytes(evidence::bytes(&seen));
    let mut message = format!("{label} can be run: {programs} under {names}, {size}");
    if let Some(path) = renamed.first() {
        let more = if renamed.len() > 1 { format!(" and {} more", renamed.len().saturating_sub(1)) } else { String::new() };
        message = format!("{message}; {}{more} told by content, not by name", escape(path));
    }
    Observation { subject: family.key().to_owned(), message, evidence: seen, ..Observation::default() }
}

/// Scripts and compiler caches called by the family's names: they run the compiler that is there.
fn wrappers(image: &Image, family: Family, compilers: &[Compiler<'_>]) -> Vec<Evidence> {
    let is_compiler = |executable: &Executable| compilers.iter().any(|compiler| std::ptr::eq(compiler.executable, executable));
    let mut seen = Vec::new();
    for executable in image.executables.iter().filter(|executable| !is_compiler(executable)) {
        let is_script = tools::form(image.rootfs.inode(executable.node)) == Form::Script;
        let is_cache =
            |name: &ExecutableName| matches!(name.base_name(), b"ccache" | b"distcc" | b"icecc" | b"sccache" | b"rustup");
        if is_script || tools::own_names(executable).any(is_cache) {
            let is_wrapper = |name: &ExecutableName| {
                let is_known =
                    matches!(name.base_name(), b"musl-gcc" | b"diet-gcc" | b"afl-gcc" | b"klcc") && family == Family::Gcc;
                (is_known || family_of(name) == Some(family)) && (tools::is_command_path(&name.path) || !is_script)
            };
            seen.extend(evidence::of_names(image, executable, is_wrapper));
        }
    }
    seen
}

fn family_of(name: &ExecutableName) -> Option<Family> {
    tools::find(name.base_name(), names::lookup).map(|found| found.value.0)
}

/// `GCC 12`: the label with the versions that the names carry, starting a sentence.
fn versioned_label(family: Family, seen: &[Evidence]) -> String {
    let mut versions: Vec<&str> = evidence::base_names(seen)
        .filter_map(|name| tools::find(name, names::lookup))
        .filter(|found| found.value.0 == family)
        .filter_map(|found| found.version)
        .collect();
    versions.sort_unstable();
    versions.dedup();
    let label = family.label();
    let label = match label.split_at_checked(1) {
        Some((first, rest)) => format!("{}{rest}", first.to_ascii_uppercase()),
        None => label.to_owned(),
    };
    if versions.is_empty() { label } else { format!("{label} {}", versions.join(", ")) }
}

/// A JDK whose `javac` was removed: `java -m jdk.compiler/com.sun.tools.javac.Main` and `java Main.java` still compile. Its `jmods`
/// folder (or `lib/tools.jar` up to Java 8) tells it from a runtime, whose `release` file names the same modules in some distributions.
fn java_without_launcher(image: &Image) -> Option<Observation> {
    let mut seen = Vec::new();
    for name in image.executables.iter().flat_map(tools::own_names).filter(|name| name.base_name() == b"java") {
        for (up, rest) in [(2, "jmods/jdk.compiler.jmod"), (2, "lib/tools.jar"), (3, "lib/tools.jar")] {
            let path = tools::beside(&name.path, up, rest);
            if let Some(node) = tools::entry(&image.rootfs, &path).filter(|node| image.rootfs.inode(*node).is_file()) {
                seen.push(evidence::of_node(image, path, node));
            }
        }
    }
    let message = "The Java compiler can be run without its launcher: this is a JDK, not a runtime".to_owned();
    let subject = Family::Java.key().to_owned();
    (!seen.is_empty()).then(|| Observation { subject, message, evidence: seen, ..Observation::default() })
}

/// A .NET SDK: `sdk/VERSION/Roslyn/bincore/csc.dll`, run by the `dotnet` program.
fn roslyn(image: &Image) -> Option<Observation> {
    let mut seen = Vec::new();
    for name in image.executables.iter().flat_map(tools::own_names).filter(|name| name.base_name() == b"dotnet") {
        let sdk = tools::beside(&name.path, 1, "sdk");
        let Some(folder) = tools::entry(&image.rootfs, &sdk) else { continue };
        for (version, _) in image.rootfs.children(folder) {
            for library in ["csc.dll", "vbc.dll"] {
                let path = [&sdk[..], b"/", version, b"/Roslyn/bincore/", library.as_bytes()].concat();
                if let Some(node) = tools::entry(&image.rootfs, &path) {
                    seen.push(evidence::of_node(image, path, node));
                }
            }
        }
    }
    let message = "The C# compiler can be run: this is a .NET SDK, not a runtime".to_owned();
    // not the family's key: an image may hold Mono's compilers too
    let subject = "roslyn".to_owned();
    (!seen.is_empty()).then(|| Observation { subject, message, evidence: seen, ..Observation::default() })
}
