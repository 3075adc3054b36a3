//! `build-tool`: make, CMake, binutils, Maven and their like can be run.
//!
//! By name in a folder of commands, or as machine code of that name anywhere. What is machine code by nature (`make`, `ld`) counts as
//! a script only when a package owns it; applets of BusyBox never count. Binutils and Cargo are also told by content.

mod names;

use std::collections::BTreeMap;

use super::{Check, Family, Reference, evidence, tools, wording};
use crate::facts::Marker;
use crate::facts::{Executable, ExecutableName, Image};
use crate::finding::{Evidence, Observation, Severity};
use names::Nature;
use tools::Form;

/// The check.
pub(super) static CHECK: Check = Check {
    id: "build-tool",
    title: "A build tool can be run",
    family: Family::Toolchain,
    severity: Severity::Medium,
    what: "A tool that is only needed to build software is in the final filesystem: make, CMake, Ninja, Meson, autotools, pkg-config, \
           binutils (`as`, `ld`, `ar`, `strip`, ...), Maven, Gradle, Ant, sbt, Cargo, Bazel and others.",
    why: "Nothing at run time calls them. They enlarge the image, bring vulnerabilities of their own, and help an intruder to assemble \
          tools inside the container.",
    fix: "Keep build tools in the build stage and copy only the results into the final stage.",
    example: "FROM debian:12 AS build\nRUN apt-get update && apt-get install -y --no-install-recommends build-essential cmake\n\
              COPY . /src\nRUN cmake -S /src -B /out && cmake --build /out\n\n\
              FROM debian:12-slim\nCOPY --from=build /out/app /usr/local/bin/app\n",
    references: &[
        Reference { name: "CIS Docker 4.3", url: "https://www.cisecurity.org/benchmark/docker" },
        Reference { name: "NIST SP 800-190 4.1.2", url: "https://doi.org/10.6028/NIST.SP.800-190" },
        Reference { name: "Docker: multi-stage builds", url: "https://docs.docker.com/build/building/multi-stage/" },
    ],
    since: "0.1.0",
    run,
};

fn run(image: &Image) -> Vec<Observation> {
    let mut kits: BTreeMap<&str, (usize, Vec<Evidence>)> = BTreeMap::new();
    for executable in &image.executables {
        if let Some((kit, seen)) = observe(image, executable).filter(|(_, seen)| !seen.is_empty()) {
            let (programs, all) = kits.entry(kit).or_default();
            *programs = programs.saturating_add(1);
            all.extend(seen);
        }
    }
    kits.into_iter()
        .map(|(kit, (programs, seen))| {
            let listed = wording::names(evidence::base_names(&seen));
            let (programs, size) =
                (wording::counted(wording::count(programs), "program"), wording::bytes(evidence::bytes(&seen)));
            let message = format!("{kit} can be run: {programs} ({listed}), {size}");
            Observation { subject: wording::key(kit), message, evidence: seen, ..Observation::default() }
        })
        .collect()
}

/// The kit an executable belongs to, and its names that count.
fn observe(image: &Image, executable: &Executable) -> Option<(&'static str, Vec<Evidence>)> {
    let inode = image.rootfs.inode(executable.node);
    if tools::is_multi_call(executable, inode) {
        return None;
    }
    let is_program = match tools::form(inode) {
        Form::Program => true,
        Form::Script => false,
        Form::Other => return None,
    };
    let is_owned = tools::owner(image, executable.node).is_some();
    // of what is written in Go, only Bazel's launcher is a build tool: an application called `make` is another program
    let go_path = tools::elf(inode).and_then(|elf| elf.go_path.as_deref());
    if go_path.is_some_and(|path| !path.starts_with("github.com/bazelbuild/")) {
        return None;
    }
    let kit_of = |name: &ExecutableName| {
        let (kit, nature) = tools::find(name.base_name(), names::lookup)?.value;
        let is_placed = is_program || tools::is_command_path(&name.path);
        let is_script = nature == Nature::Script || is_debians_cargo(image, &name.path);
        (is_placed && (is_program || is_owned || is_script)).then_some(kit)
    };
    if let Some(kit) = executable.names.iter().find_map(kit_of) {
        return Some((kit, evidence::of_names(image, executable, |name| kit_of(name).is_some())));
    }
    let is_reader = |name: &ExecutableName| tools::find(name.base_name(), |name| names::is_reader(name).then_some(())).is_some();
    let kit = if is_owned || tools::own_names(executable).any(is_reader) {
        return None;
    } else if tools::has_marker(inode, Marker::Cargo) {
        names::CARGO
    } else if tools::has_marker(inode, Marker::Binutils) && is_only_binutils(inode) {
        names::BINUTILS
    } else {
        return None;
    };
    Some((kit, evidence::of_names(image, executable, |_| true)))
}

/// Debian's front of Cargo, a script that starts `/usr/bin/cargo`.
fn is_debians_cargo(image: &Image, path: &[u8]) -> bool {
    path == b"/usr/share/cargo/bin/cargo" && tools::entry(&image.rootfs, b"/usr/bin/cargo").is_some()
}

/// Compilers bear the signs of binutils too and have a check of their own.
fn is_only_binutils(inode: &crate::rootfs::Inode) -> bool {
    tools::elf(inode).is_some_and(|elf| elf.go_path.is_none() && tools::signs(elf).all(|marker| marker == Marker::Binutils))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Builder, paths};
    use super::*;

    #[test]
    fn fires_on_every_name_of_the_catalogue() {
        let programs = "as ld ld.bfd ld.gold ld.lld gold ar ranlib objcopy objdump strip nm gcc-ar gcc-nm gcc-ranlib make gmake cmake ninja \
                        m4 pkg-config pkgconf cargo patch bison flex x86_64-linux-gnu-ld.gold x86_64-linux-gnu-gcc-ranlib-12 aarch64-linux-gnu-as";
        let scripts = "meson autoconf automake automake-1.16 libtool libtoolize mvn gradle ant bazel scons dpkg-buildpackage rpmbuild cmake";
        for name in programs.split_whitespace() {
            let seen = Builder::default().program(&format!("/usr/lib/compat/{name}"), 9).run(&CHECK);
            assert_eq!(seen.len(), 1, "{name}");
        }
        for name in scripts.split_whitespace() {
            let seen = Builder::default().script(&format!("/usr/bin/{name}"), 9).run(&CHECK);
            assert_eq!(seen.len(), 1, "{name}");
        }
    }

    #[test]
    fn fires_once_for_a_kit_with_links() {
        let mut builder = Builder::default();
        builder.program("/usr/bin/x86_64-linux-gnu-ld.bfd", 1024).link("/usr/bin/x86_64-linux-gnu-ld", "x86_64-linux-gnu-ld.bfd");
        builder.link("/usr/bin/ld", "x86_64-linux-gnu-ld").link("/usr/bin/other", "ld").program("/usr/bin/as", 1024);
        let seen = builder.run(&CHECK);
        assert_eq!(seen.len(), 1);
        assert_eq!(
            seen[0].message,
            "Binutils can be run: 2 programs (as, ld, x86_64-linux-gnu-ld, x86_64-linux-gnu-ld.bfd), 2.0 KiB"
        );
        assert_eq!(paths(&seen[0]).len(), 4);
    }

    #[test]
    fn fires_on_renamed_binutils_and_cargo() {
        let seen = Builder::default().marked("/opt/x", 9, Marker::Binutils).marked("/opt/y", 9, Marker::Cargo).run(&CHECK);
        assert_eq!(seen.len(), 2);
    }

    #[test]
    fn fires_on_bazels_launcher_which_is_a_go_program() {
        let mut builder = Builder::default();
        builder.go_program("/usr/local/bin/bazel", "github.com/bazelbuild/bazelisk");
        assert_eq!(builder.run(&CHECK).len(), 1);
    }

    #[test]
    fn fires_on_a_script_wrapper_that_a_package_owns() {
        let path = "/usr/share/cargo/bin/cargo";
        assert_eq!(Builder::default().script(path, 9).in_package("cargo", &[path]).run(&CHECK).len(), 1);
        let mut copied = Builder::default();
        copied.script(path, 9).program("/usr/bin/cargo", 9);
        assert_eq!(paths(&copied.run(&CHECK)[0]), ["/usr/bin/cargo", path], "copied without the database");
        assert!(Builder::default().script(path, 9).run(&CHECK).is_empty(), "a wrapper of what is not there");
    }

    #[test]
    fn is_silent_on_decoys() {
        let mut builder = Builder::default();
        builder
            .file("/app/src/make", 49)
            .script("/usr/local/bin/make", 9)
            .script("/app/scripts/gradle", 9)
            .marked("/bin/busybox", 9, Marker::BusyBox)
            .link("/bin/ar", "busybox")
            .link("/bin/patch", "busybox")
            .program("/usr/bin/readelf", 9)
            .marked("/usr/bin/x86_64-linux-gnu-addr2line", 9, Marker::Binutils)
            .marked("/usr/bin/gdb", 9, Marker::Binutils)
            .marked("/opt/gcc", 9, Marker::GccDriver)
            .library("/usr/lib/libbfd.so", 9)
            .program("/app/bin/app-ld", 9)
            .go_program("/app/bin/make", "example.org/make")
            .go_program("/usr/local/go/pkg/tool/linux_amd64/nm", "cmd/nm")
            .link("/usr/bin/cmake", "/nowhere");
        let seen = builder.run(&CHECK);
        assert!(seen.is_empty(), "{seen:?}");
    }
}
