//! What kind of application an image runs: the language of its entry point.
//!
//! The words of entry point and command are taken in order, looked up as a runtime would, and the first that tells a language decides.
//! Wrappers, shells, options and assignments are passed over. Where no word tells, the interpreters on PATH do.

mod words;

use super::bodies::Bodies;
use super::executables::Executable;
use super::links::Links;
use super::search_path::SearchPath;
use crate::layer::probe::Marker;
use crate::limits::Limits;
use crate::oci::{RuntimeConfig, escape, escape_text};
use crate::rootfs::{NodeId, Rootfs};

/// Interpreters of interpreters that are looked at (the kernel follows four).
const MOST_INTERPRETERS: usize = 4;

/// The language of the program that the container starts, which chooses the baselines that it is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Language {
    /// CPython, PyPy.
    Python,
    /// Node.js.
    Node,
    /// A Java virtual machine.
    Java,
    /// A program built by Go.
    Go,
    /// A program built by rustc.
    Rust,
    /// Anything else, or nothing that can be told.
    #[default]
    Other,
}

/// What runs, and what tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Runtime {
    /// The language.
    pub language: Language,
    /// Why, one clause; names from the image escaped.
    pub reason: String,
}

/// What tells the runtime.
#[derive(Debug)]
pub(super) struct Finder<'a, 'l> {
    pub(super) config: &'a RuntimeConfig,
    pub(super) rootfs: &'a Rootfs,
    pub(super) executables: &'a [Executable],
    pub(super) search_path: &'a SearchPath,
    pub(super) links: &'l mut Links<'a>,
    pub(super) limits: &'a Limits,
}

/// The runtime of an image, and the regular files that words of the command line name.
pub(super) fn read<'a>(
    config: &'a RuntimeConfig,
    executables: &'a [Executable],
    search_path: &'a SearchPath,
    bodies: &mut Bodies<'a>,
) -> (Runtime, Vec<NodeId>) {
    let (rootfs, limits, links) = (bodies.rootfs, bodies.limits, &mut bodies.links);
    let mut finder = Finder { config, rootfs, executables, search_path, links, limits };
    (finder.runtime(), finder.files())
}

impl Finder<'_, '_> {
    /// The runtime of the image.
    pub(super) fn runtime(&mut self) -> Runtime {
        let words = words::of(self.config);
        if let Some(runtime) = words.iter().find_map(|word| self.told_by(word.as_bytes())) {
            return runtime;
        }
        // a program of its own is what runs, whatever else lies there
        if let Some(runtime) = words.iter().find_map(|word| self.other_program(word.as_bytes())) {
            return runtime;
        }
        self.on_path().unwrap_or_else(|| Runtime {
            language: Language::Other,
            reason: if words.is_empty() {
                "it has no entry point, and no interpreter is on PATH".to_owned()
            } else {
                "its entry point is of no known runtime, and no interpreter is on PATH".to_owned()
            },
        })
    }

    /// The regular files that words of the command line name, in order, each once.
    pub(super) fn files(&mut self) -> Vec<NodeId> {
        let mut found = Vec::new();
        for word in words::of(self.config) {
            let in_folder = || [b"./", word.as_bytes()].concat();
            let file = self.find(word.as_bytes()).or_else(|| self.find(&in_folder()).filter(|_| !word.contains('/')));
            found.extend(file.filter(|file| !found.contains(file)));
        }
        found
    }

    fn told_by(&mut self, word: &[u8]) -> Option<Runtime> {
        let (mut name, mut node) = (word.to_vec(), self.find(word)?);
        let first = self.rootfs.path(node);
        for depth in 0..MOST_INTERPRETERS {
            if let Some((language, what)) = self.language(&name, node) {
                let program = escape(&self.rootfs.path(node));
                let reason = if depth == 0 {
                    format!("its entry point {program} is {what}")
                } else {
                    format!("its entry point {} is a script that {program} runs, {what}", escape(&first))
                };
                return Some(Runtime { language, reason });
            }
            let line = self.rootfs.inode(node).content.as_ref()?.shebang.as_deref()?;
            name = words::interpreter(line)?;
            node = self.find(&name)?;
        }
        None
    }

    fn other_program(&mut self, word: &[u8]) -> Option<Runtime> {
        let node = self.find(word)?;
        let is_program = self.rootfs.inode(node).content.as_ref()?.elf.as_ref()?.is_program;
        is_program.then(|| Runtime {
            language: Language::Other,
            reason: format!("its entry point {} is a program of no known runtime", escape(&self.rootfs.path(node))),
        })
    }

    /// The language of a program that is called `name` and ends at `node`.
    fn language(&self, name: &[u8], node: NodeId) -> Option<(Language, String)> {
        let inode = self.rootfs.inode(node);
        let path = self.rootfs.path(node);
        let elf = inode.content.as_ref().and_then(|content| content.elf.as_deref());
        if let Some(main) = elf.and_then(|elf| elf.go_path.as_deref()) {
            // a tool chain in an entry point builds something, and what is not known
            return (!main.starts_with("cmd/")).then(|| (Language::Go, format!("a Go program, {}", escape_text(main))));
        }
        if let Some(language) = by_name(base_name(name)).or_else(|| by_name(base_name(&path))) {
            return Some((language, format!("an interpreter of {}", label(language))));
        }
        let needs = |start: &[u8]| elf.is_some_and(|elf| elf.needed.iter().any(|needed| needed.starts_with(start)));
        let libraries = [(&b"libpython"[..], Language::Python), (b"libnode.so", Language::Node), (b"libjvm.so", Language::Java)];
        if let Some((_, language)) = libraries.into_iter().find(|(start, _)| needs(start)) {
            return Some((language, format!("linked to {}", label(language))));
        }
        if self.has_virtual_machine_beside(&path) {
            return Some((Language::Java, "the launcher of a Java image".to_owned()));
        }
        elf.is_some_and(|elf| elf.markers.contains(&Marker::RustStd)).then(|| (Language::Rust, "a Rust program".to_owned()))
    }

    /// `bin/app` beside `lib/server/libjvm.so` (jlink) or `lib/runtime/lib/server/libjvm.so` (jpackage).
    fn has_virtual_machine_beside(&self, path: &[u8]) -> bool {
        let mut components: Vec<&[u8]> = path.split(|byte| *byte == b'/').filter(|name| !name.is_empty()).collect();
        components.pop();
        if components.pop() != Some(b"bin") {
            return false;
        }
        ["lib/server/libjvm.so", "lib/runtime/lib/server/libjvm.so"].into_iter().any(|rest| {
            let names = components.iter().copied().chain(rest.as_bytes().split(|byte| *byte == b'/'));
            names.into_iter().try_fold(self.rootfs.root(), |at, name| self.rootfs.child(at, name)).is_some()
        })
    }

    /// The file that a word names: absolute, from the working directory, or along PATH.
    fn find(&mut self, word: &[u8]) -> Option<NodeId> {
        if !word.contains(&b'/') {
            let (rootfs, search_path) = (self.rootfs, self.search_path);
            let mut ends = search_path.names(rootfs, word).filter_map(|name| self.end(name));
            return ends.find(|end| rootfs.inode(*end).is_executable_file());
        }
        let path =
            if word.starts_with(b"/") { word.to_vec() } else { [b"/", self.config.working_dir.as_bytes(), b"/", word].concat() };
        // a runtime refuses what is longer
        self.limits.path_bytes(u64::try_from(path.len()).unwrap_or(u64::MAX)).ok()?;
        self.links.resolve(&path).filter(|end| self.rootfs.inode(*end).is_file())
    }

    fn end(&mut self, name: NodeId) -> Option<NodeId> {
        if self.rootfs.inode(name).target().is_some() { self.links.end(name) } else { Some(name) }
    }

    /// An interpreter that can be called by its name: Java before Node.js before Python, which systems bring for their own scripts.
    fn on_path(&self) -> Option<Runtime> {
        let names = self.executables.iter().flat_map(|executable| &executable.names);
        let found = names.filter_map(|name| {
            let language = by_name(name.base_name())?;
            self.search_path.has(self.rootfs, name.node).then_some((language, name.path.as_slice()))
        });
        let rank = |language: Language| [Language::Java, Language::Node].iter().position(|first| *first == language).unwrap_or(2);
        let (language, path) = found.min_by_key(|(language, path)| (rank(*language), *path))?;
        Some(Runtime { language, reason: format!("its entry point does not tell, and {} is on PATH", escape(path)) })
    }
}

fn label(language: Language) -> &'static str {
    match language {
        Language::Python => "Python",
        Language::Node => "Node.js",
        Language::Java => "Java",
        Language::Go => "Go",
        Language::Rust => "Rust",
        Language::Other => "another language",
    }
}

fn base_name(path: &[u8]) -> &[u8] {
    path.rsplit(|byte| *byte == b'/').next().unwrap_or_default()
}

/// The language of an interpreter: `python3.12`, `pypy3`, `node`, `java`.
fn by_name(name: &[u8]) -> Option<Language> {
    let is_version = |rest: &[u8]| {
        let rest = rest.strip_suffix(b"t").unwrap_or(rest);
        rest.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.')
    };
    match name {
        b"java" => Some(Language::Java),
        b"node" | b"nodejs" => Some(Language::Node),
        _ => {
            let rest = name.strip_prefix(b"python").or_else(|| name.strip_prefix(b"pypy"))?;
            is_version(rest).then_some(Language::Python)
        }
    }
}

#[cfg(test)]
mod tests;
