//! `debug-symbols`: DWARF that the application's programs and libraries still carry.

use super::{Check, Family, Reference, elf_files, evidence, wording};
use crate::facts::Image;
use crate::finding::{Evidence, Observation, Severity};
use crate::limits::MIB;

/// The check.
pub(super) static CHECK: Check = Check {
    id: "debug-symbols",
    title: "Debug information in programs",
    family: Family::Binaries,
    severity: Severity::Low,
    what: "Programs and shared libraries that no package owns carry debug information (`.debug_*` sections) of 1 MiB or more, all \
           together. The bytes are those of these sections.",
    why: "Nothing loads them: they only make the image larger, and show names, types and paths of the source to whoever gets it.",
    fix: "Strip what the final stage gets, and keep the debug information apart if you need it.",
    example: "RUN go build -ldflags='-s -w' -o /out/server . # or: strip --strip-debug /out/server\n",
    references: &[
        Reference { name: "strip(1)", url: "https://man7.org/linux/man-pages/man1/strip.1.html" },
        Reference { name: "CWE-1323", url: "https://cwe.mitre.org/data/definitions/1323.html" },
    ],
    since: "0.1.0",
    run,
};

/// Bytes of all files that are worth a finding.
const LEAST_BYTES: u64 = MIB;

fn run(image: &Image) -> Vec<Observation> {
    let files = elf_files::of_application(image);
    let evidence: Vec<Evidence> = files
        .iter()
        .filter_map(|file| {
            let bytes = file.elf.sections.map(|sections| sections.debug).filter(|bytes| *bytes > 0)?;
            Some(Evidence { bytes, ..file.evidence(image) })
        })
        .collect();
    let bytes = evidence::bytes(&evidence);
    if bytes < LEAST_BYTES {
        return Vec::new();
    }
    let files = wording::counted(wording::count(evidence.len()), "file");
    let names = wording::names(evidence::base_names(&evidence));
    let message = format!("{} of debug information in {files}: {names}", wording::bytes(bytes));
    vec![Observation { message, evidence, ..Observation::default() }]
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Builder, paths};
    use super::*;
    use crate::facts::{ElfFacts, SectionBytes};

    fn elf(debug: u64) -> ElfFacts {
        ElfFacts { kind: 3, sections: Some(SectionBytes { debug, symbols: 9 * MIB }), ..ElfFacts::default() }
    }

    #[test]
    fn fires_once_with_the_bytes_of_the_sections() {
        let mut builder = Builder::default();
        builder.elf("/app/a", 3 * MIB, elf(MIB)).elf("/app/b.so", 3 * MIB, elf(MIB / 2)).elf("/app/c", 9, elf(0));
        let seen = builder.run(&CHECK);
        assert_eq!(seen[0].message, "1.5 MiB of debug information in 2 files: a, b.so");
        assert_eq!((seen.len(), paths(&seen[0])), (1, vec!["/app/a".to_owned(), "/app/b.so".to_owned()]));
        assert_eq!(seen[0].evidence[0].bytes, MIB);
    }

    #[test]
    fn is_silent_below_the_threshold_on_symbols_alone_on_packages_and_on_objects() {
        let mut builder = Builder::default();
        builder.elf("/app/a", 3 * MIB, elf(MIB - 1)).elf("/app/o.o", 3 * MIB, ElfFacts { kind: 1, ..elf(MIB) });
        builder.elf("/usr/lib/b.so", 3 * MIB, elf(MIB)).in_package("b", &["/usr/lib/b.so"]);
        assert!(builder.run(&CHECK).is_empty());
        assert!(Builder::default().elf("/app/a", 9, ElfFacts { kind: 2, ..ElfFacts::default() }).run(&CHECK).is_empty());
    }
}
