//! Which dynamic loader starts a program, told by the file that PT_INTERP ends at, and what it was built with.

use super::machine::Machine;
use crate::layer::probe::ElfFacts;
use crate::rootfs::{NodeId, Rootfs};

/// The path of the cache in every distribution.
pub(super) const CACHE: &[u8] = b"/etc/ld.so.cache";

/// A dynamic loader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Loader {
    Glibc(Glibc),
    Musl(Musl),
}

/// glibc's `ld.so`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Glibc {
    /// The names by which it is already loaded.
    pub(super) names: Vec<Vec<u8>>,
    /// Where it looks after all other places, in order.
    pub(super) folders: Vec<Vec<u8>>,
    /// What `$LIB` stands for.
    pub(super) lib: Vec<u8>,
    pub(super) cache: Vec<u8>,
}

/// musl's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Musl {
    /// Base name of the program header's path: its own short name.
    pub(super) name: Vec<u8>,
    /// The file that names its folders.
    pub(super) path_file: Vec<u8>,
}

/// The loader that lies at `node` and is named `path`. None when it is none of those that are known.
pub(super) fn of(rootfs: &Rootfs, path: &[u8], node: NodeId, machine: Option<&Machine>) -> Option<Loader> {
    let real = rootfs.path(node);
    let content = rootfs.inode(node).content.as_deref();
    let elf = content.and_then(|content| content.elf.as_deref());
    let soname = elf.and_then(|elf| elf.soname.as_deref()).unwrap_or_default();
    if base_name(&real).starts_with(b"ld-musl-")
        || soname.starts_with(b"libc.musl-")
        || (soname == b"libc.so" && is_musl_name(path))
    {
        return Some(Loader::Musl(musl(path, &real)));
    }
    let is_glibc = soname.starts_with(b"ld-linux") || soname.starts_with(b"ld64.so.") || soname.starts_with(b"ld.so.");
    is_glibc.then(|| Loader::Glibc(glibc(path, &real, soname, elf, machine)))
}

fn is_musl_name(path: &[u8]) -> bool {
    base_name(path).starts_with(b"ld-musl-")
}

fn glibc(path: &[u8], real: &[u8], soname: &[u8], elf: Option<&ElfFacts>, machine: Option<&Machine>) -> Glibc {
    let built_in = elf.and_then(|elf| elf.loader.as_deref());
    let mut folders: Vec<Vec<u8>> =
        built_in.map(|facts| facts.directories.iter().map(|folder| folder.to_vec()).collect()).unwrap_or_default();
    if folders.is_empty() {
        folders = usual_folders(real, machine);
    }
    let cache = built_in.and_then(|facts| facts.cache.as_deref()).unwrap_or(CACHE).to_vec();
    Glibc { names: vec![path.to_vec(), soname.to_vec()], lib: lib(&folders), folders, cache }
}

/// By where the loader lies: multiarch, `lib64`, or neither.
fn usual_folders(real: &[u8], machine: Option<&Machine>) -> Vec<Vec<u8>> {
    let triplet = machine.map(|machine| machine.triplet).unwrap_or_default();
    let has = |name: &str| real.split(|byte| *byte == b'/').any(|part| !name.is_empty() && part == name.as_bytes());
    let below = |folders: &[&str]| folders.iter().map(|folder| folder.as_bytes().to_vec()).collect();
    if has(triplet) {
        return below(&[&format!("/lib/{triplet}/"), &format!("/usr/lib/{triplet}/"), "/lib/", "/usr/lib/"]);
    }
    if has("lib64") { below(&["/lib64/", "/usr/lib64/"]) } else { below(&["/lib/", "/usr/lib/"]) }
}

/// `/lib/x86_64-linux-gnu/` and `/usr/lib64/` without the prefix and the slashes.
fn lib(folders: &[Vec<u8>]) -> Vec<u8> {
    let first = folders.first().map(Vec::as_slice).unwrap_or_default();
    let first = first.strip_prefix(b"/usr").unwrap_or(first);
    let trimmed = first.strip_prefix(b"/").unwrap_or(first);
    trimmed.strip_suffix(b"/").unwrap_or(trimmed).to_vec()
}

fn musl(path: &[u8], real: &[u8]) -> Musl {
    let name = if is_musl_name(path) { base_name(path) } else { base_name(real) };
    // the machine is part of the name, also where the name is that of a link
    let machine = name.strip_prefix(b"ld-musl-").unwrap_or_default();
    let machine = machine.split(|byte| *byte == b'.').next().unwrap_or_default();
    let folder = path.len().saturating_sub(base_name(path).len());
    let prefix = path.get(..folder).unwrap_or_default();
    let prefix = prefix.strip_suffix(b"/").unwrap_or(prefix);
    // what stands before the folder of the loader: nothing before /lib
    let prefix = prefix.len().saturating_sub(base_name(prefix).len().saturating_add(1));
    let prefix = path.get(..prefix).unwrap_or_default();
    Musl { name: name.to_vec(), path_file: [prefix, b"/etc/ld-musl-", machine, b".path"].concat() }
}

pub(super) fn base_name(path: &[u8]) -> &[u8] {
    path.rsplit(|byte| *byte == b'/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_follow_from_where_the_loader_lies_when_it_does_not_say() {
        let machine = Machine::of(&ElfFacts { machine: 62, is_64: true, ..ElfFacts::default() });
        let folders = |real: &str| {
            let folders = usual_folders(real.as_bytes(), machine);
            (folders.len(), String::from_utf8(lib(&folders)).unwrap())
        };
        assert_eq!(folders("/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"), (4, "lib/x86_64-linux-gnu".into()));
        assert_eq!(folders("/usr/lib64/ld-linux-x86-64.so.2"), (2, "lib64".into()));
        assert_eq!(folders("/usr/lib/ld-linux-x86-64.so.2"), (2, "lib".into()));
    }

    #[test]
    fn musl_reads_its_folders_beside_itself() {
        let path_file = |path: &str| String::from_utf8(musl(path.as_bytes(), path.as_bytes()).path_file).unwrap();
        assert_eq!(path_file("/lib/ld-musl-x86_64.so.1"), "/etc/ld-musl-x86_64.path");
        assert_eq!(path_file("/opt/musl/lib/ld-musl-aarch64.so.1"), "/opt/musl/etc/ld-musl-aarch64.path");
        assert_eq!(path_file("ld-musl-aarch64.so.1"), "/etc/ld-musl-aarch64.path");
    }
}
