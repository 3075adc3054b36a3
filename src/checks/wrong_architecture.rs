//! `wrong-architecture`: programs for another machine than the config says.

use std::collections::BTreeMap;

use super::start::{self, Cause};
use super::{Check, Family, Reference, evidence, tools, wording};
use crate::facts::{Executable, Image, StartupFault, is_for_platform, machine_name};
use crate::finding::{Evidence, Observation, Severity};

/// The check.
pub(super) static CHECK: Check = Check {
    id: "wrong-architecture",
    title: "Programs for another machine",
    family: Family::Startup,
    severity: Severity::Critical,
    what: "An ELF program on the start-up path is for another machine than the config's platform. Programs elsewhere are high: those with \
           an execute bit that no package owns and whose path does not say that they are meant for another machine. 32-bit x86 on amd64 \
           and 32-bit Arm on arm64 are taken to run.",
    why: "The kernel refuses the program: \"exec format error\". It is built that way when a binary is copied from a stage of the \
          builder's platform, or downloaded with a fixed architecture in its address.",
    fix: "Build or download the program for the target: `TARGETARCH` names it in every stage.",
    example: "FROM --platform=$BUILDPLATFORM golang:1.24 AS build\nARG TARGETOS TARGETARCH\n\
              RUN GOOS=$TARGETOS GOARCH=$TARGETARCH go build -o /app ./cmd/app\n",
    references: &[
        Reference { name: "Dockerfile: platform arguments", url: "https://docs.docker.com/build/building/multi-platform/" },
        Reference {
            name: "OCI image-spec: architecture",
            url: "https://github.com/opencontainers/image-spec/blob/main/config.md#properties",
        },
    ],
    since: "0.1.0",
    run,
};

/// Folders whose programs are meant for other machines, or are no programs to run.
const ELSEWHERE: &[&str] =
    &["testdata", "test", "tests", "fixtures", "firmware", "sysroot", "prebuilds", "boot", "modules", "debug"];

/// What a path says when a program is meant for a certain machine: names of architectures in packages, releases and triplets.
const MACHINES: &[&str] = &[
    "aarch64",
    "amd64",
    "arm",
    "arm64",
    "armel",
    "armhf",
    "armv5",
    "armv6",
    "armv7",
    "armv7l",
    "armv8",
    "i386",
    "i486",
    "i586",
    "i686",
    "ia32",
    "loong64",
    "loongarch64",
    "mips",
    "mips64",
    "mips64el",
    "mips64le",
    "mipsel",
    "mipsle",
    "ppc",
    "ppc64",
    "ppc64el",
    "ppc64le",
    "powerpc64le",
    "riscv64",
    "s390x",
    "x64",
    "x86",
    "386",
];

fn run(image: &Image) -> Vec<Observation> {
    let mut observations = start::observations(image, Cause::Machine);
    let mut by_machine: BTreeMap<&'static str, Vec<Evidence>> = BTreeMap::new();
    for executable in &image.executables {
        let Some(elf) = tools::elf(image.rootfs.inode(executable.node)) else { continue };
        let is_foreign = elf.is_program && is_for_platform(elf, &image.config.platform) == Some(false);
        let Some(machine) = machine_name(elf).filter(|_| is_foreign) else { continue };
        if is_meant(image, executable) {
            by_machine.entry(machine).or_default().extend(evidence::of_names(image, executable, |_| true));
        }
    }
    observations.extend(by_machine.into_iter().map(|(machine, evidence)| Observation {
        severity: Some(Severity::High),
        subject: machine.to_owned(),
        message: format!(
            "{} for {machine} in an image for {}: {}",
            wording::counted(wording::count(evidence.iter().filter(|one| one.linkname.is_none()).count()), "program"),
            image.config.platform,
            wording::names(evidence::base_names(&evidence)),
        ),
        evidence,
        ..Observation::default()
    }));
    observations
}

/// Whether somebody will try to run it here: nothing says that it is for elsewhere, and it is not one that was reported.
fn is_meant(image: &Image, executable: &Executable) -> bool {
    let is_started = image.startup.problems.iter().any(|problem| {
        let node = image.startup.step_of(problem).and_then(|step| step.node);
        let is_same = |node| image.rootfs.inode_number(node) == image.rootfs.inode_number(executable.node);
        matches!(problem.fault, StartupFault::WrongMachine(_)) && node.is_some_and(is_same)
    });
    let is_elsewhere = tools::own_names(executable).any(|name| says_elsewhere(&name.path));
    !is_started && !is_elsewhere && tools::owner(image, executable.node).is_none()
}

fn says_elsewhere(path: &[u8]) -> bool {
    let folders = path.split(|byte| *byte == b'/').rev().skip(1);
    let is_one_of = |list: &[&str], word: &[u8]| list.iter().any(|one| one.as_bytes().eq_ignore_ascii_case(word));
    let mut words = path.split(|byte| matches!(byte, b'/' | b'-' | b'_' | b'.' | b'@' | b'+'));
    let names_x86_64 = path.windows(6).any(|part| part.eq_ignore_ascii_case(b"x86_64"));
    names_x86_64
        || folders.into_iter().any(|folder| is_one_of(ELSEWHERE, folder))
        || words.any(|word| is_one_of(MACHINES, word))
        || path.windows(5).any(|part| part == b"cross")
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Builder, paths};
    use super::*;

    const ARM64: u16 = 183;
    const I386: u16 = 3;

    #[test]
    fn fires_hard_on_the_program_that_is_started() {
        let mut builder = Builder::default();
        builder.foreign("/app/server", ARM64).cmd(&["/app/server"]);
        let seen = builder.run(&CHECK);
        assert_eq!(seen.len(), 1, "once: {seen:?}");
        assert_eq!(seen[0].message, "/app/server is for arm64, and the image for linux/amd64");
        assert_eq!((seen[0].severity, paths(&seen[0])), (None, vec!["/app/server".to_owned()]));
    }

    #[test]
    fn fires_on_programs_elsewhere_once_for_each_machine() {
        let mut builder = Builder::default();
        builder.machine_code("/app").cmd(&["/app"]).foreign("/usr/local/bin/kubectl", ARM64).foreign("/opt/tool", ARM64);
        builder.link("/usr/local/bin/k", "kubectl");
        let seen = builder.run(&CHECK);
        assert_eq!((seen.len(), seen[0].severity, seen[0].subject.as_str()), (1, Some(Severity::High), "arm64"));
        assert_eq!(seen[0].message, "2 programs for arm64 in an image for linux/amd64: k, kubectl, tool");
        assert_eq!(paths(&seen[0]), ["/opt/tool", "/usr/local/bin/k", "/usr/local/bin/kubectl"]);
    }

    #[test]
    fn is_silent_on_what_runs_and_on_what_is_meant_for_elsewhere() {
        let mut builder = Builder::default();
        builder.machine_code("/app").cmd(&["/app"]).foreign("/usr/bin/old", I386);
        for path in [
            "/usr/aarch64-linux-gnu/bin/tool",
            "/usr/lib/go-1.19/src/debug/elf/testdata/hello",
            "/lib/firmware/board",
            "/app/node_modules/@esbuild/linux-arm64/bin/esbuild",
            "/usr/local/bin/aws-lambda-rie-arm64",
            "/opt/dist/tool_linux_aarch64",
            "/app/site-packages/x/bin/x86_64/tool",
        ] {
            builder.foreign(path, ARM64);
        }
        builder.foreign("/usr/bin/owned", ARM64).in_package("qemu-user", &["/usr/bin/owned"]);
        builder
            .foreign("/usr/bin/probe", 247)
            .foreign("/usr/bin/firmware", 83)
            .foreign("/data", ARM64)
            .with_mode("/data", 0o644, 0);
        builder.library("/usr/lib/libx.so", 9);
        let seen = builder.run(&CHECK);
        assert!(seen.is_empty(), "{seen:?}");
    }
}
