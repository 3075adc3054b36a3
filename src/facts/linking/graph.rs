//! What is loaded so far.

use std::collections::{HashMap, HashSet};

use super::{Closure, MissingLibrary, Object, elf_of};
use crate::layer::probe::ElfFacts;
use crate::rootfs::{NodeId, Rootfs};

/// Libraries that are told to be missing; one is enough for a program not to start.
const MOST_MISSING: usize = 1_000;

/// Objects that are told to need one missing library.
const MOST_NEEDERS: usize = 100;

/// Places that are told where a missing library was looked for, and those among which they are chosen.
const MOST_SEARCHED: usize = 16;
const MOST_LOOKED_AT: usize = 1_000;

/// Objects in the order of loading, each file once; the program is the first, its loader the second.
#[derive(Debug)]
pub(super) struct Graph<'a> {
    pub(super) rootfs: &'a Rootfs,
    pub(super) objects: Vec<Object<'a>>,
    by_inode: HashMap<u32, usize>,
    /// Numbers in [`Closure::missing`] by name.
    missing: HashMap<Vec<u8>, usize>,
    pub(super) closure: Closure,
}

impl<'a> Graph<'a> {
    pub(super) fn new(rootfs: &'a Rootfs, program: Object<'a>, loader: NodeId, loader_path: &[u8]) -> Self {
        let (by_inode, missing) = (HashMap::new(), HashMap::new());
        let mut graph = Self { rootfs, objects: Vec::new(), by_inode, missing, closure: Closure::default() };
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

    /// Notes that an object needs what was not found; true when it is the first to need it, and where it was looked for is to be
    /// told with [`Self::searched`].
    pub(super) fn miss(&mut self, name: &[u8], needed_by: usize) -> bool {
        let Some(node) = self.objects.get(needed_by).map(|object| object.node) else { return false };
        let next = self.closure.missing.len();
        let number = *self.missing.entry(name.to_vec()).or_insert(next);
        if let Some(known) = self.closure.missing.get_mut(number) {
            if known.needed_by.len() < MOST_NEEDERS && known.needed_by.last() != Some(&node) {
                known.needed_by.push(node);
            }
            return false;
        }
        if next >= MOST_MISSING {
            let reason = || format!("more than {MOST_MISSING} libraries are found nowhere");
            self.closure.not_examined.get_or_insert_with(reason);
            return false;
        }
        let (name, needed_by) = (name.to_vec(), vec![node]);
        self.closure.missing.push(MissingLibrary { name, needed_by, searched: Vec::new(), elsewhere: Vec::new() });
        true
    }

    /// Where the library that was missed last was looked for; each place once, the first of them.
    pub(super) fn searched<'p>(&mut self, places: impl Iterator<Item = &'p Vec<u8>>) {
        let Some(missing) = self.closure.missing.last_mut() else { return };
        let mut seen = HashSet::new();
        missing.searched.extend(places.take(MOST_LOOKED_AT).filter(|place| seen.insert(*place)).take(MOST_SEARCHED).cloned());
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
