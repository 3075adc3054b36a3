//! What is loaded so far.

use std::collections::HashMap;

use super::{Closure, Object, elf_of};
use crate::layer::probe::ElfFacts;
use crate::rootfs::{NodeId, Rootfs};

/// Objects in the order of loading, each file once; the program is the first, its loader the second.
#[derive(Debug)]
pub(super) struct Graph<'a> {
    pub(super) rootfs: &'a Rootfs,
    pub(super) objects: Vec<Object<'a>>,
    by_inode: HashMap<u32, usize>,
    pub(super) closure: Closure,
}

impl<'a> Graph<'a> {
    pub(super) fn new(rootfs: &'a Rootfs, program: Object<'a>, loader: NodeId, loader_path: &[u8]) -> Self {
        let mut graph = Self { rootfs, objects: Vec::new(), by_inode: HashMap::new(), closure: Closure::default() };
        graph.by_inode.insert(rootfs.inode_number(program.node), 0);
        graph.objects.push(program);
        graph.add(loader_path.to_vec(), loader, None);
        graph
    }

    /// The number of the object at `node`, which is opened as `path` unless it is there already.
    pub(super) fn add(&mut self, path: Vec<u8>, node: NodeId, parent: Option<usize>) -> usize {
        let next = self.objects.len();
        let number = *self.by_inode.entry(self.rootfs.inode_number(node)).or_insert(next);
        if number == next {
            self.objects.push(Object { node, path, parent, elf: elf_of(self.rootfs.inode(node)) });
        }
        number
    }

    pub(super) fn elf(&self, number: usize) -> Option<&'a ElfFacts> {
        self.objects.get(number)?.elf
    }

    pub(super) fn parent(&self, number: usize) -> Option<usize> {
        self.objects.get(number)?.parent
    }

    /// The folder of an object, as the path says by which it was opened.
    pub(super) fn origin(&self, number: usize) -> &[u8] {
        let path = self.objects.get(number).map(|object| object.path.as_slice()).unwrap_or_default();
        let slash = path.iter().rposition(|byte| *byte == b'/').unwrap_or_default();
        match path.get(..slash) {
            Some([]) | None => b"/",
            Some(folder) => folder,
        }
    }

    /// Notes that an object needs what was not found.
    pub(super) fn miss(&mut self, name: &[u8], needed_by: usize, searched: Vec<Vec<u8>>) {
        if let Some(object) = self.objects.get(needed_by) {
            self.closure.miss(name, object.node, || searched);
        }
    }

    pub(super) fn finish(mut self) -> Closure {
        self.closure.objects = self.objects.iter().map(|object| object.node).collect();
        self.closure
    }
}

/// A folder and a name in it.
pub(super) fn joined(folder: &[u8], name: &[u8]) -> Vec<u8> {
    let folder = folder.strip_suffix(b"/").unwrap_or(folder);
    [folder, b"/", name].concat()
}
