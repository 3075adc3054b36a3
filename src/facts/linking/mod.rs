//! Dynamic linking, done as the loaders of glibc and musl do it (ld.so(8), `elf/dl-load.c` and `elf/dl-version.c` of glibc,
//! `ldso/dynlink.c` of musl): what a program and its libraries need, breadth first, where it is found, and what is found nowhere.
//!
//! What a program loads while it runs (dlopen) is not known here.

mod cache;
mod folders;
mod glibc;
mod graph;
mod loader;
mod machine;
mod musl;
mod preload;
mod startup;
#[cfg(test)]
mod tests;
mod tokens;

use std::collections::HashMap;

use self::folders::Folders;
use self::loader::Loader;
use self::machine::Machine;
use super::links::Links;
use crate::layer::probe::ElfFacts;
use crate::limits::Limits;
use crate::oci::RuntimeConfig;
use crate::rootfs::{Inode, NodeId, Rootfs};

pub use preload::{PRELOAD_FILE, preloaded};
pub use startup::StartupLinking;
pub(super) use startup::{of, wanted};

/// A library that is needed and found nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingLibrary {
    /// The name that is needed, raw.
    pub name: Vec<u8>,
    /// Who needs it, in the order of loading; one at least, a hundred at most.
    pub needed_by: Vec<NodeId>,
    /// Where the loader looks for it, in order: folders, `ld.so.cache`; at most 16.
    pub searched: Vec<Vec<u8>>,
    /// Files of that name elsewhere in the image that a loader could take.
    pub elsewhere: Vec<NodeId>,
}

/// A version of symbols that is needed, and that the library does not define.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct MissingVersion {
    /// Such as `GLIBC_2.36`, raw.
    pub name: Vec<u8>,
    /// The library that was found.
    pub library: NodeId,
    /// Who needs it.
    pub needed_by: NodeId,
}

/// What one program loads when it starts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Closure {
    /// The program, its loader, then the libraries in the order of loading; each once.
    pub(crate) objects: Vec<NodeId>,
    /// What is found nowhere, by the order of need; at most a thousand.
    pub(crate) missing: Vec<MissingLibrary>,
    /// Versions that are not defined.
    pub(crate) versions: Vec<MissingVersion>,
    /// Why nothing is known of its libraries, one clause: there is no such loader, or it is not known.
    pub(crate) unknown: Option<String>,
    /// Why this is not all, one clause: a limit, a file that was not read.
    pub(crate) not_examined: Option<String>,
}

/// Resolves programs of one image.
#[derive(Debug)]
pub(crate) struct Linker<'a, 'l> {
    folders: Folders<'a, 'l>,
    environment: Environment<'a>,
    /// None where a loader takes nothing from the file.
    caches: HashMap<(Vec<u8>, bool), Option<cache::Cache<'a>>>,
}

/// What the config says to loaders.
#[derive(Debug, Clone, Copy)]
struct Environment<'a> {
    library_path: Option<&'a str>,
    preload: Option<&'a str>,
    uid: Option<u32>,
}

/// One object that is loaded.
#[derive(Debug)]
struct Object<'a> {
    node: NodeId,
    /// As it was opened; of the program without links.
    path: Vec<u8>,
    /// Who asked for it first.
    parent: Option<usize>,
    elf: Option<&'a ElfFacts>,
}

impl<'a, 'l> Linker<'a, 'l> {
    /// A linker for the programs of a tree, started as the config says, by a user.
    pub(crate) fn new(
        rootfs: &'a Rootfs,
        links: &'l mut Links<'a>,
        config: &'a RuntimeConfig,
        uid: Option<u32>,
        limits: &'a Limits,
    ) -> Self {
        let environment = Environment { library_path: config.env("LD_LIBRARY_PATH"), preload: config.env("LD_PRELOAD"), uid };
        let folders = Folders::new(rootfs, links, config.working_dir.as_bytes(), limits);
        Self { folders, environment, caches: HashMap::new() }
    }

    /// What `node` loads when it is started, or, for a library, when it is loaded by the loader that the image has for it.
    pub(crate) fn closure(&mut self, node: NodeId) -> Closure {
        let rootfs = self.folders.rootfs;
        let Some(elf) = elf_of(rootfs.inode(node)) else { return Closure { objects: vec![node], ..Closure::default() } };
        let program = Object { node, path: rootfs.path(node), parent: None, elf: Some(elf) };
        let alone = |unknown| Closure { objects: vec![node], unknown, ..Closure::default() };
        if elf.interpreter.is_none() && (elf.is_program || !elf.is_dynamic) {
            return alone(None);
        }
        let machine = Machine::of(elf);
        let Some((path, loader)) = self.loader_path(elf, machine) else {
            return alone(Some("its loader is not in the image".to_owned()));
        };
        match loader::of(rootfs, &path, loader, machine) {
            Some(Loader::Glibc(glibc)) => glibc::closure(self, program, loader, &glibc, machine),
            Some(Loader::Musl(musl)) => musl::closure(self, program, loader, &musl),
            None => Closure {
                objects: vec![node, loader],
                unknown: Some(format!("its loader {} is not known", crate::oci::escape(&path))),
                ..Closure::default()
            },
        }
    }

    fn loader_path(&mut self, elf: &ElfFacts, machine: Option<&Machine>) -> Option<(Vec<u8>, NodeId)> {
        if let Some(path) = elf.interpreter.as_deref() {
            return Some((path.to_vec(), self.folders.open(path)?));
        }
        machine?.loaders().find_map(|path| Some((path.as_bytes().to_vec(), self.folders.open(path.as_bytes())?)))
    }

    /// Whether a program runs with more rights than its user has, so that its environment is not trusted (AT_SECURE).
    fn is_secure(&self, node: NodeId) -> bool {
        let inode = self.folders.rootfs.inode(node);
        let is_other_user = inode.mode & 0o4000 != 0 && self.environment.uid != Some(inode.uid);
        let has_capability =
            inode.xattrs.iter().flat_map(|xattrs| xattrs.iter()).any(|xattr| xattr.name == b"security.capability");
        is_other_user || inode.mode & 0o2010 == 0o2010 || (has_capability && self.environment.uid != Some(0))
    }

    /// The cache at a path; None when there is none, or a loader takes nothing from it.
    fn cache(&mut self, path: &[u8], is_little_endian: bool) -> Option<&cache::Cache<'a>> {
        let key = (path.to_vec(), is_little_endian);
        if !self.caches.contains_key(&key) {
            let body = self.folders.body(path).and_then(Result::ok);
            let read = body.and_then(|body| cache::Cache::parse(body, is_little_endian).ok());
            self.caches.insert(key.clone(), read);
        }
        self.caches.get(&key)?.as_ref()
    }
}

fn elf_of(inode: &Inode) -> Option<&ElfFacts> {
    inode.content.as_deref()?.elf.as_deref()
}
