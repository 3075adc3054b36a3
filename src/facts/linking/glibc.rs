//! The libraries of a program as glibc's `ld.so` finds them (`_dl_map_object`, `_dl_check_map_versions`).
//!
//! A name without a slash is looked for, in this order: what is loaded already, by name and soname; DT_RPATH of the object that needs
//! it and of those that loaded it, unless the former has a DT_RUNPATH; `LD_LIBRARY_PATH`; DT_RUNPATH of the object alone;
//! `ld.so.cache`; the default folders. `ld.so.conf` is read by ldconfig only. Folders for better processors (`glibc-hwcaps`) are
//! looked into where the plain folder has nothing: which processor will run the image is not known. What `LD_PRELOAD` and then
//! `/etc/ld.so.preload` name is loaded before all else.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::graph::{Graph, joined};
use super::loader::Glibc;
use super::machine::{self, Machine};
use super::tokens::{self, Tokens};
use super::{Closure, Linker, MissingVersion, Object, PRELOAD_FILE, elf_of, preloaded};
use crate::limits::LimitHit;
use crate::rootfs::NodeId;

const PROGRAM: usize = 0;
const LOADER: usize = 1;

/// Absolute folders.
type FolderList = Rc<[Vec<u8>]>;

struct Loading<'a, 'l, 'w> {
    linker: &'w mut Linker<'a, 'l>,
    glibc: &'w Glibc,
    machine: Option<&'static Machine>,
    is_secure: bool,
    graph: Graph<'a>,
    /// Every name by which an object is known.
    names: HashMap<Vec<u8>, usize>,
    rpaths: HashMap<usize, FolderList>,
    runpaths: HashMap<usize, FolderList>,
    library_path: FolderList,
}

/// Loads all that a program needs.
pub(super) fn closure<'a>(
    linker: &mut Linker<'a, '_>,
    program: Object<'a>,
    loader: NodeId,
    glibc: &Glibc,
    machine: Option<&'static Machine>,
) -> Closure {
    let is_secure = linker.is_secure(program.node);
    let loader_path = glibc.names.first().cloned().unwrap_or_default();
    let graph = Graph::new(linker.folders.rootfs, program, loader, &loader_path);
    let names = glibc.names.iter().map(|name| (name.clone(), LOADER)).collect();
    let (rpaths, runpaths, library_path) = (HashMap::new(), HashMap::new(), Rc::from([]));
    let mut loading = Loading { linker, glibc, machine, is_secure, graph, names, rpaths, runpaths, library_path };
    if let Err(hit) = loading.run() {
        loading.graph.closure.not_examined = Some(hit.to_string());
    }
    loading.check_versions();
    loading.graph.finish()
}

impl<'a> Loading<'a, '_, '_> {
    fn run(&mut self) -> Result<(), LimitHit> {
        let environment = self.linker.environment;
        if !self.is_secure {
            self.library_path = self.list(PROGRAM, environment.library_path.unwrap_or_default().as_bytes(), b":;");
            let preload = environment.preload.unwrap_or_default();
            for name in preload.split([' ', ':']).filter(|name| !name.is_empty()) {
                self.load(PROGRAM, name.as_bytes(), false)?;
            }
        }
        self.preload()?;
        let mut next = PROGRAM;
        while next < self.graph.objects.len() {
            let Some(elf) = self.graph.elf(next) else {
                next = next.saturating_add(1);
                continue;
            };
            for (names, is_required) in [(&elf.auxiliaries, false), (&elf.filters, true), (&elf.needed, true)] {
                for name in names {
                    self.load(next, name, is_required)?;
                }
            }
            next = next.saturating_add(1);
        }
        Ok(())
    }

    /// What the file names is loaded whoever the user is; of what is not there the loader warns.
    fn preload(&mut self) -> Result<(), LimitHit> {
        match self.linker.folders.body(PRELOAD_FILE) {
            Some(Ok(body)) => preloaded(body).try_for_each(|name| self.load(PROGRAM, name, false)),
            Some(Err(_)) => {
                self.graph.closure.not_examined = self.linker.folders.why_unread(PRELOAD_FILE);
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn load(&mut self, by: usize, name: &[u8], is_required: bool) -> Result<(), LimitHit> {
        self.linker.folders.step(name.len())?;
        let name = if name.contains(&b'$') { self.expanded(by, name).unwrap_or_else(|| name.to_vec()) } else { name.to_vec() };
        if self.names.contains_key(&name) {
            return Ok(());
        }
        let found = if name.contains(&b'/') {
            let path = self.linker.folders.absolute(&name);
            self.linker.folders.open(&path).filter(|node| self.fits(*node)).map(|node| (path, node))
        } else {
            self.search(by, &name)?
        };
        match found {
            Some((path, node)) => self.adopt(by, name, path, node),
            None if is_required => self.miss(by, &name),
            None => {}
        }
        Ok(())
    }

    fn adopt(&mut self, by: usize, name: Vec<u8>, path: Vec<u8>, node: NodeId) {
        let number = self.graph.add(path.clone(), node, Some(by));
        self.names.entry(name).or_insert(number);
        self.names.entry(path).or_insert(number);
        if let Some(soname) = self.graph.elf(number).and_then(|elf| elf.soname.as_deref()) {
            self.names.entry(soname.to_vec()).or_insert(number);
        }
    }

    fn miss(&mut self, by: usize, name: &[u8]) {
        let cache = self.glibc.cache.clone();
        if let Some(reason) = self.linker.folders.why_unread(&cache) {
            self.graph.closure.not_examined.get_or_insert(reason);
            return;
        }
        if self.graph.miss(name, by) && !name.contains(&b'/') {
            let (rpaths, runpath) = (self.rpath_lists(by), self.runpath(by));
            let defaults: &[Vec<u8>] = if self.is_without_default_folders(by) { &[] } else { &self.glibc.folders };
            let before_cache = rpaths.iter().chain([&self.library_path]).chain(&runpath).flat_map(|list| list.iter());
            self.graph.searched(before_cache.chain([&cache]).chain(defaults));
        }
    }

    fn search(&mut self, by: usize, name: &[u8]) -> Result<Option<(Vec<u8>, NodeId)>, LimitHit> {
        self.linker.folders.step(0)?;
        let chain = self.rpath_lists(by);
        let before_cache = chain.into_iter().chain([Rc::clone(&self.library_path)]).chain(self.runpath(by));
        for list in before_cache {
            if let Some(found) = self.look_in(&list, name)? {
                return Ok(Some(found));
            }
        }
        let is_without_default_folders = self.is_without_default_folders(by);
        for path in self.cached(name) {
            let is_default = self.glibc.folders.iter().any(|folder| path.starts_with(folder));
            if is_default && is_without_default_folders {
                continue;
            }
            self.linker.folders.step(path.len())?;
            if let Some(node) = self.linker.folders.open(path).filter(|node| self.fits(*node)) {
                return Ok(Some((path.to_vec(), node)));
            }
        }
        if is_without_default_folders {
            return Ok(None);
        }
        let glibc = self.glibc;
        self.look_in(&glibc.folders, name)
    }

    fn look_in(&mut self, folders: &[Vec<u8>], name: &[u8]) -> Result<Option<(Vec<u8>, NodeId)>, LimitHit> {
        for folder in folders {
            self.linker.folders.step(folder.len())?;
            let plain = self.linker.folders.look(folder, name).filter(|node| self.fits(*node));
            let found = match plain {
                None => self.linker.folders.look_for_processors(folder, name).filter(|node| self.fits(*node)),
                found => found,
            };
            if let Some(node) = found {
                return Ok(Some((joined(folder, name), node)));
            }
        }
        Ok(None)
    }

    /// A loader passes over libraries of other classes and machines. Of what was not examined nothing is known: it is taken.
    fn fits(&self, node: NodeId) -> bool {
        let program = self.graph.elf(PROGRAM);
        let library = elf_of(self.graph.rootfs.inode(node));
        program.zip(library).is_none_or(|(program, library)| machine::fits(program, library))
    }

    fn cached(&mut self, name: &[u8]) -> Vec<&'a [u8]> {
        let is_little_endian = self.graph.elf(PROGRAM).is_none_or(|elf| elf.is_little_endian);
        let flags = self.machine.map(|machine| machine.cache_flags).unwrap_or_default();
        let glibc = self.glibc;
        let cache = self.linker.cache(&glibc.cache, is_little_endian);
        cache.map(|cache| cache.paths(name, flags).collect()).unwrap_or_default()
    }

    fn is_without_default_folders(&self, number: usize) -> bool {
        self.graph.elf(number).is_some_and(|elf| elf.is_without_default_folders)
    }

    /// DT_RPATH of the object, of those that loaded it, and of the program: nothing when the object has a DT_RUNPATH.
    fn rpath_lists(&mut self, by: usize) -> Vec<FolderList> {
        let mut lists = Vec::new();
        if self.graph.elf(by).is_some_and(|elf| elf.runpath.is_some()) {
            return lists;
        }
        let mut next = Some(by);
        while let Some(number) = next {
            // what a long chain costs
            if self.linker.folders.step(0).is_err() {
                return lists;
            }
            let elf = self.graph.elf(number);
            let rpath = elf.filter(|elf| elf.runpath.is_none()).and_then(|elf| elf.rpath.as_deref());
            if let Some(rpath) = rpath {
                lists.push(self.rpath_list(number, rpath));
            }
            next = self.graph.parent(number);
        }
        lists
    }

    fn rpath_list(&mut self, number: usize, rpath: &[u8]) -> FolderList {
        if let Some(known) = self.rpaths.get(&number) {
            return Rc::clone(known);
        }
        let list = self.list(number, rpath, b":");
        self.rpaths.insert(number, Rc::clone(&list));
        list
    }

    fn runpath(&mut self, number: usize) -> Option<FolderList> {
        if let Some(known) = self.runpaths.get(&number) {
            return Some(Rc::clone(known));
        }
        let runpath = self.graph.elf(number)?.runpath.as_deref()?;
        let list = self.list(number, runpath, b":");
        self.runpaths.insert(number, Rc::clone(&list));
        Some(list)
    }

    /// The folders of a search path; an empty one is the working directory, an empty path is none.
    fn list(&self, number: usize, text: &[u8], separators: &[u8]) -> FolderList {
        if text.is_empty() {
            return Rc::from([]);
        }
        let parts = text.split(|byte| separators.contains(byte));
        let expanded =
            parts.filter_map(|part| if part.contains(&b'$') { self.expanded(number, part) } else { Some(part.to_vec()) });
        expanded.map(|part| self.linker.folders.absolute(&part)).collect()
    }

    fn expanded(&self, number: usize, text: &[u8]) -> Option<Vec<u8>> {
        let tokens = Tokens {
            origin: Some(self.graph.origin(number)),
            lib: &self.glibc.lib,
            platform: self.machine.map(|machine| machine.platform).unwrap_or_default().as_bytes(),
        };
        let path = tokens::expand(text, tokens, self.linker.folders.most_bytes())?;
        // of a program with more rights than its user, only what leads to folders of the system counts
        let is_restricted = self.is_secure && number == PROGRAM;
        (!is_restricted || self.is_trusted(&path)).then_some(path)
    }

    fn is_trusted(&self, path: &[u8]) -> bool {
        let mut parts: Vec<&[u8]> = Vec::new();
        for part in path.split(|byte| *byte == b'/') {
            match part {
                b"" | b"." => {}
                b".." => drop(parts.pop()),
                part => parts.push(part),
            }
        }
        let path = [b"/", parts.join(&b'/').as_slice(), b"/"].concat();
        self.glibc.folders.iter().any(|folder| path.starts_with(folder))
    }

    /// A need that is not weak must be defined by the object that bears the file's name, if that object defines versions at all.
    fn check_versions(&mut self) {
        let mut missing = Vec::new();
        let mut defined: HashMap<usize, HashSet<&[u8]>> = HashMap::new();
        for object in &self.graph.objects {
            let needs = object.elf.map(|elf| elf.version_needs.as_slice()).unwrap_or_default();
            for need in needs {
                let Some((number, library)) =
                    self.names.get(&*need.file).and_then(|number| Some((*number, self.graph.objects.get(*number)?)))
                else {
                    continue;
                };
                let Some(elf) = library.elf.filter(|elf| elf.faults.is_empty()) else { continue };
                let Some(names) = &elf.version_definitions else { continue };
                let defined = defined.entry(number).or_insert_with(|| names.iter().map(|name| &**name).collect());
                let undefined = need.versions.iter().filter(|one| !one.is_weak && !defined.contains(&*one.name));
                missing.extend(undefined.map(|one| MissingVersion {
                    name: one.name.to_vec(),
                    library: library.node,
                    needed_by: object.node,
                }));
            }
        }
        missing.sort_unstable();
        missing.dedup();
        self.graph.closure.versions = missing;
    }
}
