//! Which machines a platform of a config runs.

use crate::layer::probe::ElfFacts;
use crate::oci::Platform;

const I386: u16 = 3;
const I486: u16 = 6;
const MIPS: u16 = 8;
const PPC64: u16 = 21;
const S390: u16 = 22;
const ARM: u16 = 40;
const X86_64: u16 = 62;
const AARCH64: u16 = 183;
const RISCV: u16 = 243;
const LOONGARCH: u16 = 258;

/// Whether a program is for the platform's machine. None when that is not known: another system, an architecture without a table here,
/// or a program for x32.
///
/// 32-bit x86 is taken to run on amd64 and 32-bit Arm on arm64, as their kernels can; some machines cannot.
#[must_use]
pub fn is_for_platform(elf: &ElfFacts, platform: &Platform) -> Option<bool> {
    if platform.os != "linux" || (elf.machine == X86_64 && !elf.is_64) {
        return None;
    }
    let form = (elf.is_64, elf.is_little_endian);
    let is_i386 = matches!(elf.machine, I386 | I486);
    let is_arm = elf.machine == ARM && form == (false, true);
    Some(match platform.architecture.as_str() {
        "amd64" => (elf.machine == X86_64 && form == (true, true)) || is_i386,
        "386" => is_i386,
        "arm64" => (elf.machine == AARCH64 && form == (true, true)) || is_arm,
        "arm" => is_arm,
        "ppc64le" => elf.machine == PPC64 && form == (true, true),
        "ppc64" => elf.machine == PPC64 && form == (true, false),
        "s390x" => elf.machine == S390 && form == (true, false),
        "riscv64" => elf.machine == RISCV && form == (true, true),
        "mips64le" => elf.machine == MIPS && elf.is_little_endian,
        "mipsle" => elf.machine == MIPS && form == (false, true),
        "mips64" => elf.machine == MIPS && !elf.is_little_endian,
        "mips" => elf.machine == MIPS && form == (false, false),
        "loong64" => elf.machine == LOONGARCH && form == (true, true),
        _ => return None,
    })
}

/// The architecture that a program is for, as configs call it; None for machines that no config of Linux names, such as those of
/// microcontrollers, of BPF and of firmware.
#[must_use]
pub fn machine_name(elf: &ElfFacts) -> Option<&'static str> {
    let name = match (elf.machine, elf.is_64, elf.is_little_endian) {
        (I386 | I486, false, true) => "386",
        (X86_64, true, true) => "amd64",
        (ARM, false, true) => "arm",
        (AARCH64, true, true) => "arm64",
        (PPC64, true, true) => "ppc64le",
        (PPC64, true, false) => "ppc64",
        (S390, true, false) => "s390x",
        (RISCV, true, true) => "riscv64",
        (MIPS, true, true) => "mips64le",
        (MIPS, false, true) => "mipsle",
        (MIPS, true, false) => "mips64",
        (MIPS, false, false) => "mips",
        (LOONGARCH, true, true) => "loong64",
        _ => return None,
    };
    Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(machine: u16, is_64: bool, is_little_endian: bool, architecture: &str) -> Option<bool> {
        let elf = ElfFacts { machine, is_64, is_little_endian, ..ElfFacts::default() };
        let platform = Platform { os: "linux".into(), architecture: architecture.into(), variant: None };
        is_for_platform(&elf, &platform)
    }

    #[test]
    fn a_program_runs_on_its_own_machine_and_on_the_64_bit_one_of_its_family() {
        assert_eq!((runs(X86_64, true, true, "amd64"), runs(I386, false, true, "amd64")), (Some(true), Some(true)));
        assert_eq!((runs(X86_64, true, true, "386"), runs(I386, false, true, "386")), (Some(false), Some(true)));
        assert_eq!((runs(AARCH64, true, true, "arm64"), runs(ARM, false, true, "arm64")), (Some(true), Some(true)));
        assert_eq!((runs(AARCH64, true, true, "amd64"), runs(X86_64, true, true, "arm64")), (Some(false), Some(false)));
        assert_eq!((runs(PPC64, true, false, "ppc64le"), runs(S390, true, false, "s390x")), (Some(false), Some(true)));
    }

    #[test]
    fn what_is_not_known_is_not_guessed() {
        assert_eq!(runs(X86_64, true, true, "wasm"), None);
        assert_eq!(runs(X86_64, false, true, "amd64"), None, "x32");
        let windows = Platform { os: "windows".into(), architecture: "amd64".into(), variant: None };
        assert_eq!(is_for_platform(&ElfFacts::default(), &windows), None);
    }

    #[test]
    fn machines_have_the_names_of_configs_and_others_have_none() {
        let name = |machine, is_64| machine_name(&ElfFacts { machine, is_64, is_little_endian: true, ..ElfFacts::default() });
        assert_eq!((name(AARCH64, true), name(ARM, false), name(X86_64, true)), (Some("arm64"), Some("arm"), Some("amd64")));
        assert_eq!((name(247, true), name(83, false), name(0, false)), (None, None, None), "BPF, AVR, none");
    }
}
