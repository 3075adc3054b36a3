//! The libraries of a program as musl's loader finds them (`load_library`).
//!
//! The names of the C library are the loader itself. A name without a slash is looked for, in this order: what was found by this name
//! already; `LD_LIBRARY_PATH`; DT_RUNPATH or DT_RPATH, which are the same to musl, of the object that needs it and of those that
//! loaded it; the folders of `/etc/ld-musl-ARCH.path`, or `/lib:/usr/local/lib:/usr/lib`. The first file of the name is taken,
//! whether it fits or not. Sonames and versions are not looked at.

use std::collections::HashMap;

use super::graph::{Graph, joined};
use super::loader::Musl;
use super::machine;
use super::{Closure, Linker, Object, elf_of};
use crate::limits::LimitHit;
use crate::rootfs::NodeId;

const PROGRAM: usize = 0;

const DEFAULT_FOLDERS: &[u8] = b"/lib:/usr/local/lib:/usr/lib";

/// `libNAME.` with any ending is the loader.
const RESERVED: [&[u8]; 7] = [b"libc.", b"libpthread.", b"librt.", b"libm.", b"libdl.", b"libutil.", b"libxnet."];

struct Loading<'a, 'l, 'w> {
    linker: &'w mut Linker<'a, 'l>,
    musl: &'w Musl,
    graph: Graph<'a>,
    /// What was found by a name without a slash.
    names: HashMap<Vec<u8>, usize>,
    library_path: Vec<Vec<u8>>,
    system: Vec<Vec<u8>>,
    /// The folders of RUNPATH or RPATH, by object.
    rpaths: HashMap<usize, Vec<Vec<u8>>>,
}

/// Loads all that a program needs.
pub(super) fn closure<'a>(linker: &mut Linker<'a, '_>, program: Object<'a>, loader: NodeId, musl: &Musl) -> Closure {
    let is_secure = linker.is_secure(program.node);
    let environment = linker.environment;
    let from_environment = |text: Option<&'a str>| text.filter(|_| !is_secure).unwrap_or_default().as_bytes();
    let library_path = list(linker, from_environment(environment.library_path));
    let system = match linker.folders.body(&musl.path_file) {
        Some(Ok(text)) => list(linker, text),
        Some(Err(_)) | None => list(linker, DEFAULT_FOLDERS),
    };
    let loader_path = linker.folders.rootfs.path(loader);
    let graph = Graph::new(linker.folders.rootfs, program, loader, &loader_path);
    let mut loading = Loading { linker, musl, graph, names: HashMap::new(), library_path, system, rpaths: HashMap::new() };
    if let Err(hit) = loading.run(from_environment(environment.preload)) {
        loading.graph.closure.not_examined = Some(hit.to_string());
    }
    loading.graph.finish()
}

/// The folders of a search path; empty ones are passed over.
fn list(linker: &Linker<'_, '_>, text: &[u8]) -> Vec<Vec<u8>> {
    let parts = text.split(|byte| matches!(byte, b':' | b'\n')).filter(|part| !part.is_empty());
    parts.map(|part| linker.folders.absolute(part)).collect()
}

impl Loading<'_, '_, '_> {
    fn run(&mut self, preload: &[u8]) -> Result<(), LimitHit> {
        for name in preload.split(|byte| *byte == b':' || byte.is_ascii_whitespace()).filter(|name| !name.is_empty()) {
            self.load(PROGRAM, name, false)?;
        }
        let mut next = PROGRAM;
        while next < self.graph.objects.len() {
            let needed = self.graph.elf(next).map(|elf| elf.needed.as_slice()).unwrap_or_default();
            for name in needed {
                self.load(next, name, true)?;
            }
            next = next.saturating_add(1);
        }
        Ok(())
    }

    fn load(&mut self, by: usize, name: &[u8], is_required: bool) -> Result<(), LimitHit> {
        self.linker.folders.step(name.len())?;
        let is_loader = RESERVED.iter().any(|reserved| name.starts_with(reserved)) || name == self.musl.name;
        if is_loader || self.names.contains_key(name) {
            return Ok(());
        }
        let found = if name.contains(&b'/') {
            let path = self.linker.folders.absolute(name);
            self.linker.folders.open(&path).map(|node| (path, node))
        } else {
            self.search(by, name)?
        };
        match found.filter(|(_, node)| self.fits(*node)) {
            Some((path, node)) => {
                let number = self.graph.add(path, node, Some(by));
                if !name.contains(&b'/') {
                    self.names.insert(name.to_vec(), number);
                }
            }
            None if is_required => self.miss(by, name),
            None => {}
        }
        Ok(())
    }

    fn miss(&mut self, by: usize, name: &[u8]) {
        if let Some(reason) = self.linker.folders.why_unread(&self.musl.path_file) {
            self.graph.closure.not_examined.get_or_insert(reason);
            return;
        }
        if self.graph.miss(name, by) && !name.contains(&b'/') {
            let chain = self.chain(by);
            let own = chain.iter().filter_map(|number| self.rpaths.get(number));
            let all = [&self.library_path].into_iter().chain(own).chain([&self.system]);
            self.graph.searched(all.flatten());
        }
    }

    fn search(&mut self, by: usize, name: &[u8]) -> Result<Option<(Vec<u8>, NodeId)>, LimitHit> {
        if let Some(found) = look_in(self.linker, &self.library_path, name)? {
            return Ok(Some(found));
        }
        for number in self.chain(by) {
            self.linker.folders.step(0)?;
            self.read_rpath(number);
            if let Some(list) = self.rpaths.get(&number)
                && let Some(found) = look_in(self.linker, list, name)?
            {
                return Ok(Some(found));
            }
        }
        look_in(self.linker, &self.system, name)
    }

    /// An object and those that loaded it.
    fn chain(&self, by: usize) -> Vec<usize> {
        std::iter::successors(Some(by), |number| self.graph.parent(*number)).collect()
    }

    fn read_rpath(&mut self, number: usize) {
        if self.rpaths.contains_key(&number) {
            return;
        }
        let path = self.graph.elf(number).and_then(|elf| elf.runpath.as_deref().or(elf.rpath.as_deref()));
        let Some(path) = path else { return };
        let list = origin_expanded(path, self.graph.origin(number), self.linker.folders.most_bytes())
            .map(|path| list(self.linker, &path))
            .unwrap_or_default();
        self.rpaths.insert(number, list);
    }

    fn fits(&self, node: NodeId) -> bool {
        let program = self.graph.elf(PROGRAM);
        program.zip(elf_of(self.graph.rootfs.inode(node))).is_none_or(|(program, library)| machine::fits(program, library))
    }
}

fn look_in(linker: &mut Linker<'_, '_>, folders: &[Vec<u8>], name: &[u8]) -> Result<Option<(Vec<u8>, NodeId)>, LimitHit> {
    for folder in folders {
        linker.folders.step(folder.len())?;
        if let Some(node) = linker.folders.look(folder, name) {
            return Ok(Some((joined(folder, name), node)));
        }
    }
    Ok(None)
}

/// `$ORIGIN` and `${ORIGIN}` in a search path; with any other token, or when it grows too long, musl ignores the whole path.
fn origin_expanded(path: &[u8], origin: &[u8], most: usize) -> Option<Vec<u8>> {
    let mut expanded = Vec::with_capacity(path.len());
    let mut rest = path;
    while let Some(at) = memchr::memchr(b'$', rest) {
        let (before, after) = rest.split_at_checked(at)?;
        expanded.extend_from_slice(before);
        rest = after.strip_prefix(b"$ORIGIN").or_else(|| after.strip_prefix(b"${ORIGIN}"))?;
        expanded.extend_from_slice(origin);
        if expanded.len() > most.max(path.len()) {
            return None;
        }
    }
    expanded.extend_from_slice(rest);
    Some(expanded)
}
