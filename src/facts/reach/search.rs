//! From the start-up path to packages: each file and each package is looked at once.

use std::collections::{BTreeSet, HashSet};

use super::super::links::Links;
use super::super::startup::Startup;
use super::Ground;
use super::table::{C_LIBRARY_DATA, DATA, DATA_PACKAGES, INSTALL_ONLY, Language, data_of, plugins_of};
use super::tree::Tree;
use crate::layer::probe::ElfFacts;
use crate::rootfs::NodeId;

pub(super) struct Search<'s, 'g, 'l> {
    ground: &'s Ground<'g>,
    tree: &'s Tree<'g>,
    links: &'s mut Links<'l>,
    reached: Vec<bool>,
    /// Inode numbers of files that were taken.
    taken: HashSet<u32>,
    files: Vec<NodeId>,
    packages: Vec<usize>,
    /// Names of libraries that were looked for.
    needed: HashSet<&'s [u8]>,
    /// Interpreters, and whether a package owns them: another's libraries are in folders of its own.
    languages: BTreeSet<(Language, bool)>,
    /// Names of programs, below whose folders plugins lie.
    programs: BTreeSet<&'s [u8]>,
    data: BTreeSet<&'static str>,
    plugins: BTreeSet<&'static [u8]>,
}

impl<'s, 'g, 'l> Search<'s, 'g, 'l> {
    pub(super) fn new(ground: &'s Ground<'g>, tree: &'s Tree<'g>, links: &'s mut Links<'l>) -> Self {
        Self {
            ground,
            tree,
            links,
            reached: vec![false; ground.packages.list.len()],
            taken: HashSet::new(),
            files: Vec::new(),
            packages: Vec::new(),
            needed: HashSet::new(),
            languages: BTreeSet::new(),
            programs: BTreeSet::new(),
            data: DATA.iter().map(|(path, _)| *path).collect(),
            plugins: BTreeSet::new(),
        }
    }

    /// Takes the files of a start-up path, and the links of those names that end at them.
    pub(super) fn start(&mut self, startup: &'s Startup) {
        let executables = self.ground.executables;
        for step in &startup.steps {
            let Some(node) = step.node else { continue };
            self.take(node);
            if let Some(script) = step.script {
                self.take(script);
            }
            let called = base_name(&step.word);
            let number = self.ground.rootfs.inode_number(node);
            self.note_program(called, number);
            let all = executables.iter().filter(|one| self.ground.rootfs.inode_number(one.node) == number);
            for name in all.flat_map(|one| &one.names) {
                if name.node == node {
                    self.note_program(name.base_name(), number);
                }
                if name.base_name() == called {
                    self.take(name.node);
                }
            }
        }
    }

    /// Follows everything to its end.
    pub(super) fn run(&mut self) {
        for node in &self.ground.linking.objects {
            self.take(*node);
        }
        for (index, package) in self.ground.packages.list.iter().enumerate() {
            if DATA_PACKAGES.contains(&package.name.as_str()) {
                self.reach(index);
            }
        }
        for node in &self.tree.loose {
            self.take(*node);
        }
        loop {
            self.drain();
            let before = self.taken.len();
            self.take_of_languages();
            self.take_plugins();
            self.take_data();
            if self.taken.len() == before {
                break;
            }
        }
    }

    /// Indexes of packages that are needed, sorted.
    pub(super) fn finish(self) -> Vec<usize> {
        self.reached.iter().enumerate().filter(|(_, is_reached)| **is_reached).map(|(index, _)| index).collect()
    }

    fn note_program(&mut self, name: &'s [u8], number: u32) {
        self.programs.insert(name);
        let is_owned = self.ground.packages.owned.contains_key(&number);
        self.languages.extend(Language::of_program(name).map(|language| (language, is_owned)));
    }

    /// A file is needed, and with it its package.
    fn take(&mut self, node: NodeId) {
        let number = self.ground.rootfs.inode_number(node);
        if !self.taken.insert(number) {
            return;
        }
        if let Some(owned) = self.ground.packages.owned.get(&number) {
            self.reach(owned.package);
        }
        self.files.push(node);
    }

    fn reach(&mut self, package: usize) {
        if let Some(mark) = self.reached.get_mut(package).filter(|mark| !**mark) {
            *mark = true;
            self.packages.push(package);
        }
    }

    fn drain(&mut self) {
        loop {
            if let Some(node) = self.files.pop() {
                self.follow(node);
            } else if let Some(package) = self.packages.pop() {
                for needed in self.ground.packages.graph.needs(package) {
                    let name = self.ground.packages.list.get(*needed).map(|package| package.name.as_str());
                    if !name.is_some_and(|name| INSTALL_ONLY.contains(&name)) {
                        self.reach(*needed);
                    }
                }
            } else {
                break;
            }
        }
    }

    /// What a file leads to: a link to its end, a program to its loader and libraries, a library to its data and plugins.
    fn follow(&mut self, node: NodeId) {
        let ground = self.ground;
        let inode = ground.rootfs.inode(node);
        if inode.target().is_some() {
            if let Some(end) = self.links.end(node) {
                self.take(end);
            }
            return;
        }
        let Some(elf) = inode.content.as_deref().and_then(|content| content.elf.as_deref()) else { return };
        if let Some(soname) = elf.soname.as_deref() {
            self.note_library(soname);
        }
        if let Some(loader) = elf.interpreter.as_deref().and_then(|path| self.links.resolve(path)) {
            self.take(loader);
        }
        self.look_for(elf);
    }

    fn look_for(&mut self, elf: &'s ElfFacts) {
        for name in elf.needed.iter().chain(&elf.auxiliaries).chain(&elf.filters) {
            let name = base_name(name);
            if !self.needed.insert(name) {
                continue;
            }
            self.note_library(name);
            for node in self.tree.libraries.get(name).into_iter().flatten() {
                self.take(*node);
            }
        }
    }

    fn note_library(&mut self, name: &[u8]) {
        if let Some(language) = Language::of_program(name) {
            let is_owned = |node: &NodeId| self.ground.packages.owned.contains_key(&self.ground.rootfs.inode_number(*node));
            let nodes = self.tree.libraries.get(name).map(Vec::as_slice).unwrap_or_default();
            self.languages.extend(nodes.iter().map(|node| (language, is_owned(node))));
        }
        self.data.extend(data_of(name));
        self.plugins.extend(plugins_of(name));
        if name.starts_with(b"libc.so") {
            self.data.extend(C_LIBRARY_DATA);
        }
    }

    /// What interpreters load: what lies in their folders.
    fn take_of_languages(&mut self) {
        for (language, node) in &self.tree.of_language {
            let is_owned = self.ground.packages.owned.contains_key(&self.ground.rootfs.inode_number(*node));
            let is_loaded = if is_owned {
                language.owns_libraries() && self.languages.contains(&(*language, true))
            } else {
                [true, false].iter().any(|owned| self.languages.contains(&(*language, *owned)))
            };
            if is_loaded {
                self.take(*node);
            }
        }
    }

    /// Libraries that lie below a folder of the name of a program on the start-up path, or where a library has its plugins; those of
    /// the C library's own name services are found by their names.
    fn take_plugins(&mut self) {
        for (folder, nodes) in &self.tree.in_folder {
            let is_plugin = self.programs.contains(folder) || self.plugins.iter().any(|start| folder.starts_with(start));
            if is_plugin {
                for node in nodes {
                    self.take(*node);
                }
            }
        }
        if self.needed.iter().any(|name| name.starts_with(b"libc.so")) {
            for (name, nodes) in &self.tree.libraries {
                if name.starts_with(b"libnss_") {
                    for node in nodes {
                        self.take(*node);
                    }
                }
            }
        }
    }

    /// What is read by fixed names: the file, or all files below the folder.
    fn take_data(&mut self) {
        let rootfs = self.ground.rootfs;
        for path in std::mem::take(&mut self.data) {
            let Some(node) = self.links.resolve(path.as_bytes()) else { continue };
            let mut stack = vec![node];
            while let Some(node) = stack.pop() {
                if rootfs.inode(node).is_directory() {
                    stack.extend(rootfs.children(node).map(|(_, child)| child));
                } else if self.ground.packages.owned.contains_key(&rootfs.inode_number(node)) {
                    self.take(node);
                }
            }
        }
    }
}

fn base_name(path: &[u8]) -> &[u8] {
    path.rsplit(|byte| *byte == b'/').next().unwrap_or_default()
}
