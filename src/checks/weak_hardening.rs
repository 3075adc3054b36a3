//! `weak-hardening`: the application's programs without the protections that compilers offer.

use std::collections::BTreeMap;

use super::elf_files::{self, ElfFile};
use super::{Check, Family, Reference, wording};
use crate::facts::{Image, Marker, Relro};
use crate::finding::{Evidence, Observation, Severity};
use crate::limits::KIB;
use crate::oci::escape;

/// The check.
pub(super) static CHECK: Check = Check {
    id: "weak-hardening",
    title: "Programs built without hardening",
    family: Family::Binaries,
    severity: Severity::Low,
    what: "A program that no package owns has no stack guard, or, linked dynamically, is not position-independent (PIE) or leaves all \
           that the loader writes writable (no RELRO). No guard is expected of Go and Rust, nor of programs of less than 16 KiB of \
           code, which may have nothing to guard. A set-user-ID program weighs more.",
    why: "These protections cost next to nothing, and turn many faults of memory into crashes instead of ways in: addresses cannot be \
          guessed, pointers to functions cannot be overwritten, and a smashed stack is noticed.",
    fix: "Build with `-fPIE -pie -fstack-protector-strong -Wl,-z,relro,-z,now`; for Go, with `-buildmode=pie`.",
    example: "RUN make CFLAGS='-O2 -fPIE -fstack-protector-strong' LDFLAGS='-pie -Wl,-z,relro,-z,now'\n",
    references: &[
        Reference {
            name: "OpenSSF compiler hardening guide",
            url: "https://best.openssf.org/Compiler-Hardening-Guides/Compiler-Options-Hardening-Guide-for-C-and-C++.html",
        },
        Reference { name: "CWE-693", url: "https://cwe.mitre.org/data/definitions/693.html" },
    ],
    since: "0.1.0",
    run,
};

/// Bytes of code below which a program may have no function that needs a guard: the largest such program among those that Debian
/// builds with guards has less than 6 KiB.
const GUARDED_BYTES: u64 = 16 * KIB;

fn run(image: &Image) -> Vec<Observation> {
    let mut groups: BTreeMap<(bool, Vec<&str>), Vec<Evidence>> = BTreeMap::new();
    for file in elf_files::of_application(image).iter().filter(|file| file.is_program(image)) {
        let is_set_id = image.rootfs.inode(file.node).mode & 0o4000 != 0;
        let lacks = lacks(file);
        if !lacks.is_empty() {
            groups.entry((is_set_id, lacks)).or_default().push(file.evidence(image));
        }
    }
    groups.into_iter().map(|((is_set_id, lacks), evidence)| observation(is_set_id, &lacks, evidence)).collect()
}

fn observation(is_set_id: bool, lacks: &[&str], evidence: Vec<Evidence>) -> Observation {
    let what = match lacks {
        [one] => format!("without {one}"),
        [one, two] => format!("without {one} and {two}"),
        all => format!("without {}", all.join(", ")),
    };
    let bit = if is_set_id { " and is set-user-ID" } else { "" };
    let message = match evidence.as_slice() {
        [one] => format!("{} is built {what}{bit}", escape(one.path.as_deref().unwrap_or_default())),
        all => {
            let bit = if is_set_id { "set-user-ID programs" } else { "programs" };
            format!("{} {bit} are built {what}: {}", all.len(), wording::names(super::evidence::base_names(all)))
        }
    };
    let subject = if is_set_id { format!("set-user-ID, {}", lacks.join(", ")) } else { lacks.join(", ") };
    let severity = is_set_id.then_some(Severity::Medium);
    Observation { severity, subject, message, evidence, ..Observation::default() }
}

fn lacks(file: &ElfFile<'_>) -> Vec<&'static str> {
    let elf = file.elf;
    let has_other_guards = elf.go_path.is_some() || elf.markers.contains(&Marker::RustStd) || elf.code_bytes < GUARDED_BYTES;
    [
        // compilers and linkers give static programs fixed addresses unless they are asked for others
        (elf.is_dynamic && !elf.is_position_independent(), "PIE"),
        (elf.is_dynamic && elf.relro == Relro::None, "RELRO"),
        (elf.has_stack_guard == Some(false) && !has_other_guards, "stack guard"),
    ]
    .into_iter()
    .filter_map(|(is_lacking, what)| is_lacking.then_some(what))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Builder, paths};
    use super::*;
    use crate::facts::ElfFacts;

    fn hard() -> ElfFacts {
        ElfFacts {
            kind: 3,
            is_program: true,
            is_dynamic: true,
            relro: Relro::Full,
            has_stack_guard: Some(true),
            code_bytes: 100_000,
            ..ElfFacts::default()
        }
    }

    fn messages(elf: ElfFacts) -> Vec<String> {
        let seen = Builder::default().elf("/app/x", 9, elf).run(&CHECK);
        seen.into_iter().map(|one| one.message).collect()
    }

    #[test]
    fn fires_on_each_protection_that_is_lacking() {
        assert_eq!(messages(ElfFacts { kind: 2, ..hard() }), ["/app/x is built without PIE"]);
        assert_eq!(messages(ElfFacts { relro: Relro::None, ..hard() }), ["/app/x is built without RELRO"]);
        assert_eq!(messages(ElfFacts { has_stack_guard: Some(false), ..hard() }), ["/app/x is built without stack guard"]);
        let all = ElfFacts { kind: 2, relro: Relro::None, has_stack_guard: Some(false), ..hard() };
        assert_eq!(messages(all), ["/app/x is built without PIE, RELRO, stack guard"]);
    }

    #[test]
    fn fires_once_on_programs_that_lack_the_same_and_harder_on_set_user_id_ones() {
        let weak = || ElfFacts { kind: 2, has_stack_guard: Some(false), ..hard() };
        let mut builder = Builder::default();
        builder.elf("/app/a", 9, weak()).elf("/app/b", 9, weak()).elf("/app/s", 9, weak()).with_mode("/app/s", 0o4755, 0);
        let seen = builder.run(&CHECK);
        assert_eq!(paths(&seen[0]), ["/app/a", "/app/b"]);
        assert_eq!(seen[0].message, "2 programs are built without PIE and stack guard: a, b");
        assert_eq!((seen[1].severity, seen[1].subject.as_str()), (Some(Severity::Medium), "set-user-ID, PIE, stack guard"));
    }

    #[test]
    fn is_silent_on_hardened_programs_and_where_no_guard_is_expected() {
        let unguarded = || ElfFacts { has_stack_guard: Some(false), ..hard() };
        assert!(messages(hard()).is_empty());
        assert!(messages(ElfFacts { relro: Relro::Partial, ..hard() }).is_empty());
        assert!(messages(ElfFacts { go_path: Some("x".into()), ..unguarded() }).is_empty());
        assert!(messages(ElfFacts { markers: [Marker::RustStd].into(), ..unguarded() }).is_empty());
        assert!(messages(ElfFacts { code_bytes: 5_000, ..unguarded() }).is_empty());
        let fixed = || ElfFacts { kind: 2, has_stack_guard: None, is_dynamic: false, relro: Relro::None, ..hard() };
        assert!(messages(fixed()).is_empty());
    }

    #[test]
    fn is_silent_on_libraries_on_packages_and_on_what_nobody_may_execute() {
        let weak = || ElfFacts { kind: 2, ..hard() };
        let mut builder = Builder::default();
        builder.elf("/app/x.so", 9, ElfFacts { is_program: false, relro: Relro::None, ..hard() });
        builder.elf("/usr/bin/x", 9, weak()).in_package("x", &["/usr/bin/x"]);
        builder.elf("/app/data", 9, weak()).with_mode("/app/data", 0o644, 0);
        assert!(builder.run(&CHECK).is_empty());
    }
}
