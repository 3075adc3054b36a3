//! What an executable is, and whether its name is that of a known tool: target triplets and version suffixes aside.

use crate::facts::{ElfFacts, Marker};
use crate::facts::{Executable, ExecutableName, Image};
use crate::rootfs::{Inode, NodeId, Rootfs};

/// Scripts above this size hold their whole program (zip and phar archives, bundled modules); entry scripts are far smaller.
const SELF_CONTAINED_BYTES: u64 = 64 * crate::limits::KIB;

/// What the kernel would do with an executable file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Run it: an ELF program.
    Program,
    /// Hand it to an interpreter, or leave it to a shell.
    Script,
    /// Refuse it: shared libraries and objects with execute bits, broken ELF files.
    Other,
}

/// What the kernel would do with a file.
pub(super) fn form(inode: &Inode) -> Form {
    match inode.content.as_deref() {
        Some(content) if content.broken_elf.is_some() => Form::Other,
        Some(content) => match &content.elf {
            Some(elf) if elf.is_program => Form::Program,
            Some(_) => Form::Other,
            None => Form::Script,
        },
        None => Form::Script,
    }
}

/// ELF facts of a file.
pub(super) fn elf(inode: &Inode) -> Option<&ElfFacts> {
    inode.content.as_deref()?.elf.as_deref()
}

/// Whether a sign was found in a file's bytes.
pub(super) fn has_marker(inode: &Inode, marker: Marker) -> bool {
    elf(inode).is_some_and(|elf| elf.markers.contains(&marker))
}

/// The signs of what a program is; not of what it is written in.
pub(super) fn signs(elf: &ElfFacts) -> impl Iterator<Item = Marker> {
    elf.markers.iter().copied().filter(|marker| *marker != Marker::RustStd)
}

/// A multi-call program whose applets are told by the name it is called by: none of them is the tool of that name.
pub(super) fn is_multi_call(executable: &Executable, inode: &Inode) -> bool {
    // a further name must not silence a tool: toybox, which has no sign, is believed when it has no other name of its own
    has_marker(inode, Marker::BusyBox) || own_names(executable).all(|name| name.base_name() == b"toybox")
}

/// The executable's own names: hard links, no symbolic ones.
pub(super) fn own_names(executable: &Executable) -> impl Iterator<Item = &ExecutableName> {
    executable.names.iter().filter(|name| name.linkname.is_none())
}

/// Whether programs are called from there: below `libexec`, or in a folder called `bin`, `sbin` or `.bin`.
pub(super) fn is_command_path(path: &[u8]) -> bool {
    let mut components = path.rsplit(|byte| *byte == b'/').skip(1);
    let parent = components.next().unwrap_or_default();
    matches!(parent, b"bin" | b"sbin" | b".bin") || parent == b"libexec" || components.any(|component| component == b"libexec")
}

/// A script or archive that holds its whole program.
pub(super) fn is_self_contained(inode: &Inode) -> bool {
    inode.size() > SELF_CONTAINED_BYTES
}

/// Name of the package that owns a file.
pub(super) fn owner(image: &Image, node: NodeId) -> Option<&str> {
    image.packages.owner(&image.rootfs, node).map(|(package, _)| package.name.as_str())
}

/// A tool's name found in a file's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Match<'a, T> {
    /// What the table holds under the name.
    pub(super) value: T,
    /// The version suffix, such as `12` of `gcc-12`.
    pub(super) version: Option<&'a str>,
}

/// Looks a base name up: as it is, without its target triplet (`x86_64-linux-gnu-gcc`), without its version (`gcc-12.2`),
/// without its thread model (`gcc-posix`). A prefix that is no machine's name is no triplet: `report-gcc` is not `gcc`.
pub(super) fn find<T>(base_name: &[u8], lookup: impl Fn(&str) -> Option<T>) -> Option<Match<'_, T>> {
    let name = std::str::from_utf8(base_name).ok()?;
    std::iter::once(name).chain(without_triplet(name)).find_map(|rest| {
        let rest = rest.strip_suffix("-posix").or_else(|| rest.strip_suffix("-win32")).unwrap_or(rest);
        if let Some(value) = lookup(rest) {
            return Some(Match { value, version: None });
        }
        let (stem, version) = rest.rsplit_once('-')?;
        let is_version =
            version.starts_with(|c: char| c.is_ascii_digit()) && version.chars().all(|c| c.is_ascii_digit() || c == '.');
        lookup(stem).filter(|_| is_version).map(|value| Match { value, version: Some(version) })
    })
}

/// What may follow a target triplet: every rest behind a hyphen, longest first, when the first component is a machine.
fn without_triplet(name: &str) -> impl Iterator<Item = &str> {
    let is_triplet = name.split_once('-').is_some_and(|(machine, _)| is_machine(machine));
    name.match_indices('-').filter(move |_| is_triplet).filter_map(|(at, _)| name.get(at.saturating_add(1)..))
}

/// Machine names of GNU triplets (config.sub).
fn is_machine(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "i386",
        "i486",
        "i586",
        "i686",
        "x86_64",
        "amd64",
        "s390",
        "s390x",
        "sh4",
        "sh4eb",
        "m68k",
        "hppa",
        "hppa64",
        "ia64",
        "avr",
        "msp430",
        "bpf",
        "or1k",
        "xtensa",
        "nvptx",
        "amdgcn",
        "wasm32",
        "wasm64",
        "vax",
        "arc",
        "rx",
        "x86",
        "universal",
    ];
    const STEMS: &[&str] = &["aarch64", "arm", "thumb", "powerpc", "ppc", "riscv", "mips", "sparc", "alpha", "loongarch"];
    NAMES.contains(&name) || STEMS.iter().any(|stem| name.starts_with(stem))
}

/// The entry at an absolute path none of whose parents is a link.
pub(super) fn entry(rootfs: &Rootfs, path: &[u8]) -> Option<NodeId> {
    path.split(|byte| *byte == b'/').filter(|name| !name.is_empty()).try_fold(rootfs.root(), |at, name| rootfs.child(at, name))
}

/// The path of what lies beside a path: `at` with its last `up` components replaced by `rest`.
pub(super) fn beside(at: &[u8], up: usize, rest: &str) -> Vec<u8> {
    let mut components: Vec<&[u8]> = at.split(|byte| *byte == b'/').collect();
    components.truncate(components.len().saturating_sub(up));
    components.push(rest.as_bytes());
    components.join(&b'/')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::testing::Builder;

    fn found(name: &str) -> Option<(&'static str, Option<&str>)> {
        let table = |stem: &str| ["gcc", "g++", "gcc-ar", "c89-gcc", "ar"].into_iter().find(|known| *known == stem);
        find(name.as_bytes(), table).map(|found| (found.value, found.version))
    }

    #[test]
    fn triplets_and_versions_are_set_aside() {
        assert_eq!(found("gcc"), Some(("gcc", None)));
        assert_eq!(found("gcc-12"), Some(("gcc", Some("12"))));
        assert_eq!(found("x86_64-linux-gnu-g++-13.2.1"), Some(("g++", Some("13.2.1"))));
        assert_eq!(found("x86_64-linux-gnu-gcc-ar-12"), Some(("gcc-ar", Some("12"))), "the longest name wins");
        assert_eq!(found("i686-w64-mingw32-gcc-10-posix"), Some(("gcc", Some("10"))));
        assert_eq!(found("arm-none-eabi-ar"), Some(("ar", None)));
        assert_eq!(found("c89-gcc"), Some(("c89-gcc", None)));
    }

    #[test]
    fn a_name_that_only_contains_a_tool_is_another_name() {
        for name in ["gcc-report", "my-gcc", "app-ar", "gcc12x", "gcc-", "-gcc", "gcc-1x", "GCC", "gccx", "", "-", "gcc-12-"] {
            assert_eq!(found(name), None, "{name}");
        }
        assert!(find(b"gcc\xff", |_| Some(())).is_none());
    }

    #[test]
    fn commands_lie_in_bin_folders_and_below_libexec() {
        for path in
            ["/bin/x", "/usr/sbin/x", "/opt/a/bin/x", "/app/node_modules/.bin/x", "/usr/libexec/x", "/usr/libexec/gcc/12/x"]
        {
            assert!(is_command_path(path.as_bytes()), "{path}");
        }
        for path in ["/x", "/etc/cron.daily/x", "/usr/share/bug/x", "/usr/bin/a/x", "/usr/robin/x", "/libexec", ""] {
            assert!(!is_command_path(path.as_bytes()), "{path}");
        }
    }

    #[test]
    fn neighbours_are_found_by_path() {
        let mut builder = Builder::default();
        builder.file("/opt/go/pkg/tool/x", 1);
        let image = builder.image();
        assert!(entry(&image.rootfs, &beside(b"/opt/go/bin/go", 2, "pkg/tool")).is_some());
        assert!(entry(&image.rootfs, &beside(b"/go", 9, "pkg/tool")).is_none());
    }

    #[test]
    fn shared_libraries_with_execute_bits_are_no_programs() {
        let mut builder = Builder::default();
        builder.library("/usr/lib/libgcc.so", 5).script("/bin/s", 5).program("/bin/p", 5);
        let image = builder.image();
        let forms: Vec<_> = image.executables.iter().map(|executable| form(image.rootfs.inode(executable.node))).collect();
        assert_eq!(forms, [Form::Program, Form::Script, Form::Other]);
    }

    proptest::proptest! {
        #[test]
        fn no_name_panics(name: Vec<u8>, path: Vec<u8>, up: usize) {
            find(&name, |_| Some(()));
            is_command_path(&path);
            beside(&path, up, "x");
        }
    }
}
