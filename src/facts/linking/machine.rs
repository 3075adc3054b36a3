//! What dynamic loaders take from the machine: their names, folders and marks.

use crate::layer::probe::ElfFacts;

/// One machine that Linux distributions are built for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Machine {
    /// `e_machine`, and whether it is of the 64-bit class.
    key: (u16, bool),
    /// The folder of Debian's multiarch below `/lib` and `/usr/lib`.
    pub(super) triplet: &'static str,
    /// What `$PLATFORM` stands for, on any processor of the machine.
    pub(super) platform: &'static str,
    /// Marks of its libraries in `ld.so.cache`.
    pub(super) cache_flags: &'static [u32],
    /// Usual paths of glibc's loader.
    glibc: &'static [&'static str],
    /// Usual paths of musl's.
    musl: &'static [&'static str],
}

const MACHINES: &[Machine] = &[
    Machine {
        key: (62, true),
        triplet: "x86_64-linux-gnu",
        platform: "x86_64",
        cache_flags: &[0x0303],
        glibc: &["/lib64/ld-linux-x86-64.so.2"],
        musl: &["/lib/ld-musl-x86_64.so.1"],
    },
    Machine {
        key: (3, false),
        triplet: "i386-linux-gnu",
        platform: "i686",
        cache_flags: &[0x0003],
        glibc: &["/lib/ld-linux.so.2"],
        musl: &["/lib/ld-musl-i386.so.1"],
    },
    Machine {
        key: (183, true),
        triplet: "aarch64-linux-gnu",
        platform: "aarch64",
        cache_flags: &[0x0a03],
        glibc: &["/lib/ld-linux-aarch64.so.1"],
        musl: &["/lib/ld-musl-aarch64.so.1"],
    },
    Machine {
        key: (40, false),
        triplet: "arm-linux-gnueabihf",
        platform: "v7l",
        cache_flags: &[0x0903, 0x0b03, 0x0003],
        glibc: &["/lib/ld-linux-armhf.so.3", "/lib/ld-linux.so.3"],
        musl: &["/lib/ld-musl-armhf.so.1", "/lib/ld-musl-arm.so.1"],
    },
    Machine {
        key: (21, true),
        triplet: "powerpc64le-linux-gnu",
        platform: "power8",
        cache_flags: &[0x0503],
        glibc: &["/lib64/ld64.so.2"],
        musl: &["/lib/ld-musl-powerpc64le.so.1"],
    },
    Machine {
        key: (22, true),
        triplet: "s390x-linux-gnu",
        platform: "z900",
        cache_flags: &[0x0403],
        glibc: &["/lib/ld64.so.1"],
        musl: &["/lib/ld-musl-s390x.so.1"],
    },
    Machine {
        key: (243, true),
        triplet: "riscv64-linux-gnu",
        platform: "",
        cache_flags: &[0x1003, 0x0f03],
        glibc: &["/lib/ld-linux-riscv64-lp64d.so.1"],
        musl: &["/lib/ld-musl-riscv64.so.1"],
    },
    Machine {
        key: (258, true),
        triplet: "loongarch64-linux-gnu",
        platform: "",
        cache_flags: &[0x1103],
        glibc: &["/lib64/ld-linux-loongarch-lp64d.so.1"],
        musl: &["/lib/ld-musl-loongarch64.so.1"],
    },
];

impl Machine {
    /// The machine of a file; None when it is none of those that are known.
    pub(super) fn of(elf: &ElfFacts) -> Option<&'static Self> {
        MACHINES.iter().find(|machine| machine.key == (elf.machine, elf.is_64))
    }

    /// Paths at which its loaders usually lie.
    pub(super) fn loaders(&self) -> impl Iterator<Item = &'static str> {
        self.glibc.iter().chain(self.musl).copied()
    }
}

/// Whether a loader that runs `program` takes `library`: same class, machine and byte order.
pub(super) fn fits(program: &ElfFacts, library: &ElfFacts) -> bool {
    let key = |elf: &ElfFacts| (elf.is_64, elf.machine, elf.is_little_endian);
    key(program) == key(library)
}
