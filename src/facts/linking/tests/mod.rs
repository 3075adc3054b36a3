//! Trees of plain data, linked: what is found, in which order, and what is not.

mod glibc;
mod musl;
mod properties;

use super::*;
use crate::layer::probe::{NeededVersion, VersionNeed};
use crate::layer::{Content, Xattr};
use crate::rootfs::InodeKind;

const LD: &str = "/lib64/ld-linux-x86-64.so.2";
const LD_MUSL: &str = "/lib/ld-musl-x86_64.so.1";

fn bytes(text: &str) -> Box<[u8]> {
    text.as_bytes().into()
}

/// A library that needs others.
fn library(needed: &[&str]) -> ElfFacts {
    let needed = needed.iter().map(|name| bytes(name)).collect();
    ElfFacts { machine: 62, is_64: true, is_little_endian: true, kind: 3, is_dynamic: true, needed, ..ElfFacts::default() }
}

fn program(loader: &str, needed: &[&str]) -> ElfFacts {
    ElfFacts { interpreter: Some(bytes(loader)), is_program: true, ..library(needed) }
}

fn with_rpath(rpath: &str, elf: ElfFacts) -> ElfFacts {
    ElfFacts { rpath: Some(bytes(rpath)), ..elf }
}

fn with_runpath(runpath: &str, elf: ElfFacts) -> ElfFacts {
    ElfFacts { runpath: Some(bytes(runpath)), ..elf }
}

fn with_soname(soname: &str, elf: ElfFacts) -> ElfFacts {
    ElfFacts { soname: Some(bytes(soname)), ..elf }
}

fn with_versions(file: &str, versions: &[(&str, bool)], elf: ElfFacts) -> ElfFacts {
    let version = |(name, is_weak): &(&str, bool)| NeededVersion { name: bytes(name), is_weak: *is_weak };
    let need = VersionNeed { file: bytes(file), versions: versions.iter().map(version).collect() };
    ElfFacts { version_needs: vec![need], ..elf }
}

/// A tree, and what the config says to loaders.
#[derive(Default)]
struct Tree {
    rootfs: Rootfs,
    config: RuntimeConfig,
    limits: Limits,
}

impl Tree {
    /// A tree with glibc's loader in `/usr/lib64`, where `/lib64` leads.
    fn glibc() -> Self {
        let loader = with_soname("ld-linux-x86-64.so.2", library(&[]));
        Self::default().link("/lib64", "usr/lib64").elf("/usr/lib64/ld-linux-x86-64.so.2", loader)
    }

    /// A tree with musl's loader.
    fn musl() -> Self {
        Self::default().elf(LD_MUSL, library(&[]))
    }

    fn add(mut self, path: &str, content: Content) -> Self {
        let inode = Inode::new(InodeKind::File { size: 9 }, 0o755, 0);
        self.rootfs.insert(path.as_bytes(), Inode { content: Some(content.into()), ..inode });
        self
    }

    fn elf(self, path: &str, elf: ElfFacts) -> Self {
        self.add(path, Content { elf: Some(elf.into()), ..Content::default() })
    }

    fn file(self, path: &str, body: &[u8]) -> Self {
        self.add(path, Content { body: Some(body.into()), ..Content::default() })
    }

    fn link(mut self, path: &str, target: &str) -> Self {
        self.rootfs.insert(path.as_bytes(), Inode::new(InodeKind::Symlink { target: bytes(target) }, 0o777, 0));
        self
    }

    fn env(mut self, variable: &str) -> Self {
        self.config.env.push(variable.to_owned());
        self
    }

    /// Gives a file the set-user-ID bit.
    fn setuid(mut self, path: &str) -> Self {
        let node = self.rootfs.resolve(path.as_bytes(), &self.limits).unwrap();
        let inode = Inode { mode: 0o4755, ..self.rootfs.inode(node).clone() };
        self.rootfs.insert(path.as_bytes(), inode);
        self
    }

    fn capable(mut self, path: &str) -> Self {
        let node = self.rootfs.resolve(path.as_bytes(), &self.limits).unwrap();
        let xattr = Xattr { name: b"security.capability".to_vec(), value: vec![1] };
        let inode = Inode { xattrs: Some([xattr].into()), ..self.rootfs.inode(node).clone() };
        self.rootfs.insert(path.as_bytes(), inode);
        self
    }

    fn closure(&self, path: &str) -> Closure {
        let mut links = Links::new(&self.rootfs, &self.limits);
        let mut linker = Linker::new(&self.rootfs, &mut links, &self.config, Some(1000), &self.limits);
        linker.closure(self.rootfs.resolve(path.as_bytes(), &self.limits).unwrap())
    }

    /// The libraries that `/bin/app` loads, and `!NAME` for what is missing.
    fn loaded(&self) -> Vec<String> {
        let closure = self.closure("/bin/app");
        assert_eq!((&closure.unknown, &closure.not_examined), (&None, &None));
        let path = |node: &NodeId| self.rootfs.path(*node).escape_ascii().to_string();
        let missing = closure.missing.iter().map(|missing| format!("!{}", missing.name.escape_ascii()));
        closure.objects.iter().skip(2).map(path).chain(missing).collect()
    }
}

#[test]
fn static_programs_and_what_is_no_elf_load_nothing() {
    let tree =
        Tree::glibc().elf("/bin/app", ElfFacts { is_program: true, kind: 2, ..ElfFacts::default() }).file("/bin/text", b"x");
    for path in ["/bin/app", "/bin/text"] {
        let closure = tree.closure(path);
        assert_eq!((closure.objects.len(), closure.missing.len(), closure.unknown), (1, 0, None));
    }
}

#[test]
fn without_its_loader_nothing_is_said_to_be_missing() {
    let tree = Tree::default().elf("/bin/app", program(LD, &["libgone.so"])).elf("/lib/ld-x.so", library(&[]));
    let absent = tree.closure("/bin/app");
    assert_eq!((absent.missing.len(), absent.unknown.as_deref()), (0, Some("its loader is not in the image")));
    let tree = tree.elf("/bin/app", program("/lib/ld-x.so", &["libgone.so"]));
    let strange = tree.closure("/bin/app");
    assert_eq!((strange.missing.len(), strange.unknown.as_deref()), (0, Some("its loader /lib/ld-x.so is not known")));
}

#[test]
fn a_library_is_loaded_by_the_loader_that_the_image_has_for_it() {
    let tree = Tree::glibc().elf("/opt/a.so", library(&["libb.so"])).elf("/usr/lib64/libb.so", library(&[]));
    assert_eq!(tree.closure("/opt/a.so").objects.len(), 3);
    let tree = Tree::musl().elf("/opt/a.so", library(&["libb.so", "libc.so"])).elf("/usr/lib/libb.so", library(&[]));
    assert_eq!(tree.closure("/opt/a.so").objects.len(), 3);
}

#[test]
fn missing_libraries_of_several_programs_are_told_once_with_files_of_their_name() {
    let other = ElfFacts { machine: 183, ..library(&[]) };
    let tree = Tree::glibc()
        .elf("/bin/a", program(LD, &["libx.so", "liby.so"]))
        .elf("/bin/b", program(LD, &["libx.so"]))
        .elf("/usr/local/lib/libx.so", library(&[]))
        .elf("/opt/arm/libx.so", other);
    let mut links = Links::new(&tree.rootfs, &tree.limits);
    let mut linker = Linker::new(&tree.rootfs, &mut links, &tree.config, None, &tree.limits);
    let roots = ["/bin/a", "/bin/b"].map(|path| tree.rootfs.resolve(path.as_bytes(), &tree.limits).unwrap());
    let (linking, not_examined) = of(&mut linker, &roots);
    assert!(not_examined.is_empty());
    assert_eq!(linking.objects.len(), 3, "two programs and one loader");
    let names: Vec<_> =
        linking.missing.iter().map(|one| (one.name.as_slice(), one.needed_by.len(), one.elsewhere.len())).collect();
    assert_eq!(names, [(&b"libx.so"[..], 2, 1), (b"liby.so", 1, 0)]);
}

#[test]
fn too_many_names_are_a_limit_and_no_silence() {
    let names: Vec<String> = (0..900).map(|number| format!("lib{number}.so")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    for (tree, loader) in [(Tree::glibc(), LD), (Tree::musl(), LD_MUSL)] {
        let mut tree = tree.elf("/bin/app", with_runpath(&"/a:/b:/c:".repeat(50), program(loader, &names)));
        assert_eq!(tree.closure("/bin/app").missing.len(), 900);
        tree.limits.linking_steps = 10_000;
        let cut = tree.closure("/bin/app");
        assert!(cut.not_examined.is_some_and(|reason| reason.contains("linking-steps")) && cut.missing.len() < 900);
    }
}
