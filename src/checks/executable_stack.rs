//! `executable-stack`: programs and libraries that make the stack executable.

use super::elf_files::{self, ElfFile};
use super::{Check, Family, Reference, wording};
use crate::facts::Image;
use crate::finding::{Evidence, Observation, Severity};

/// The check.
pub(super) static CHECK: Check = Check {
    id: "executable-stack",
    title: "Executable stacks",
    family: Family::Binaries,
    severity: Severity::Medium,
    what: "A program or shared library asks for an executable stack (`PT_GNU_STACK` with `PF_X`), or has no such header on a machine \
           where that means one (x86, 32-bit ARM, s390x). Looked at are files that no package owns, and all that the container's \
           program loads.",
    why: "With an executable stack, a buffer overflow is enough to run code of the attacker's. One library makes the stack of the \
          whole process executable, and newer kernels and versions of glibc refuse to load it.",
    fix: "Mark hand-written assembly with `.section .note.GNU-stack,\"\",@progbits`, or link with `-z noexecstack`.",
    example: "RUN gcc -Wl,-z,noexecstack -o /out/server server.c fast.S\n",
    references: &[
        Reference { name: "elf(5)", url: "https://man7.org/linux/man-pages/man5/elf.5.html" },
        Reference { name: "CWE-121", url: "https://cwe.mitre.org/data/definitions/121.html" },
    ],
    since: "0.1.0",
    run,
};

/// Why the stack is executable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    Asked,
    NoHeader,
}

fn run(image: &Image) -> Vec<Observation> {
    let files = elf_files::of_application_and_startup(image);
    let causes = [
        (Cause::Asked, "asked-for", "ask for an executable stack", "asks for an executable stack"),
        (
            Cause::NoHeader,
            "no-header",
            "have no PT_GNU_STACK, which makes the stack executable",
            "has no PT_GNU_STACK, which makes the stack executable",
        ),
    ];
    let observe = |(cause, subject, plural, singular): (Cause, &str, &str, &str)| {
        let evidence: Vec<Evidence> =
            files.iter().filter(|file| of(file, image) == Some(cause)).map(|file| file.evidence(image)).collect();
        let message = match evidence.as_slice() {
            [] => return None,
            [one] => format!("{} {singular}", crate::oci::escape(one.path.as_deref().unwrap_or_default())),
            all => format!("{} files {plural}: {}", all.len(), wording::names(super::evidence::base_names(all))),
        };
        Some(Observation { subject: subject.to_owned(), message, evidence, ..Observation::default() })
    };
    causes.into_iter().filter_map(observe).collect()
}

fn of(file: &ElfFile<'_>, image: &Image) -> Option<Cause> {
    let is_program = file.is_program(image);
    // musl looks at the program's header only
    let is_of_musl = file.elf.needed.iter().any(|name| name.starts_with(b"libc.musl-") || &**name == b"libc.so");
    if !is_program && is_of_musl {
        return None;
    }
    if file.elf.has_executable_stack() {
        return Some(Cause::Asked);
    }
    (file.elf.stack.is_none() && file.elf.code_bytes > 0 && is_executable_by_default(file.elf.machine)).then_some(Cause::NoHeader)
}

/// What kernel (`elf_read_implies_exec`) and glibc (`DEFAULT_STACK_PERMS`) take a missing header for.
fn is_executable_by_default(machine: u16) -> bool {
    const I386: u16 = 3;
    const S390: u16 = 22;
    const ARM: u16 = 40;
    const X86_64: u16 = 62;
    matches!(machine, I386 | S390 | ARM | X86_64)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Builder, paths};
    use super::*;
    use crate::facts::ElfFacts;

    fn elf(stack: Option<u32>, is_program: bool, machine: u16) -> ElfFacts {
        ElfFacts { stack, is_program, machine, kind: 3, code_bytes: 9, ..ElfFacts::default() }
    }

    #[test]
    fn fires_once_on_all_that_ask_and_once_on_all_without_a_header() {
        let mut builder = Builder::default();
        builder.elf("/app/a", 9, elf(Some(7), true, 62)).elf("/app/lib/b.so", 9, elf(Some(7), false, 183));
        builder.elf("/app/c", 9, elf(None, true, 62));
        let seen = builder.run(&CHECK);
        assert_eq!(paths(&seen[0]), ["/app/a", "/app/lib/b.so"]);
        assert_eq!(seen[0].message, "2 files ask for an executable stack: a, b.so");
        assert_eq!(seen[1].message, "/app/c has no PT_GNU_STACK, which makes the stack executable");
        assert_eq!((seen[0].subject.as_str(), seen[1].subject.as_str()), ("asked-for", "no-header"));
    }

    #[test]
    fn fires_on_a_package_s_library_that_the_container_s_program_loads() {
        let mut builder = Builder::default();
        builder.elf("/usr/lib/x.so", 9, elf(Some(7), false, 62)).in_package("x", &["/usr/lib/x.so"]);
        builder.loads(&["/usr/lib/x.so"]);
        assert_eq!(builder.run(&CHECK).len(), 1);
    }

    #[test]
    fn is_silent_on_usual_stacks_on_machines_that_need_no_header_and_on_packages() {
        let mut builder = Builder::default();
        builder.elf("/app/a", 9, elf(Some(6), true, 62)).elf("/app/b", 9, elf(None, true, 183));
        builder.elf("/usr/bin/c", 9, elf(Some(7), true, 62)).in_package("c", &["/usr/bin/c"]);
        let object = ElfFacts { kind: 1, machine: 62, code_bytes: 9, ..ElfFacts::default() };
        builder.elf("/app/d.o", 9, object);
        builder.elf("/app/e.so", 9, ElfFacts { needed: vec![b"libc.musl-x86_64.so.1"[..].into()], ..elf(Some(7), false, 62) });
        let seen = builder.run(&CHECK);
        assert!(seen.is_empty(), "{seen:?}");
    }
}
