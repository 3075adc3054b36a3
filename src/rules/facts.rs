//! The facts of an image in the form in which rules read them: records, texts, numbers and lists of these.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::schema::Root;
use crate::build;
use crate::facts::{self, Image, Package};
use crate::oci::escape;
use crate::rootfs::{Inode, NodeId};

/// What an expression stands for while it is evaluated.
#[derive(Debug, Clone)]
pub(super) enum Value<'f> {
    Bool(bool),
    Int(i64),
    Text(Text<'f>),
    List(Rc<Vec<Value<'f>>>),
    /// A list of texts that is not copied.
    Texts(&'f [String]),
    Map(&'f BTreeMap<String, String>),
    Record(Record<'f>),
}

/// A text of the facts, or one that was made of them.
#[derive(Debug, Clone)]
pub(super) enum Text<'f> {
    Borrowed(&'f str),
    Owned(Rc<str>),
}

impl Text<'_> {
    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Borrowed(text) => text,
            Self::Owned(text) => text,
        }
    }
}

impl<'f> Value<'f> {
    /// A text that is not copied.
    pub(super) fn text(text: &'f str) -> Self {
        Self::Text(Text::Borrowed(text))
    }

    /// A count or a size; what is over the largest number of the language is that number.
    pub(super) fn int(number: impl TryInto<i64>) -> Self {
        Self::Int(number.try_into().unwrap_or(i64::MAX))
    }

    /// Elements of a list, keys of a map; 0 for what is neither.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::List(items) => items.len(),
            Self::Texts(items) => items.len(),
            Self::Map(map) => map.len(),
            _ => 0,
        }
    }

    /// An element of a list.
    pub(super) fn item(&self, index: usize) -> Option<Value<'f>> {
        match self {
            Self::List(items) => items.get(index).cloned(),
            Self::Texts(items) => items.get(index).map(|item| Self::text(item)),
            _ => None,
        }
    }
}

/// Something with fields.
#[derive(Debug, Clone, Copy)]
pub(super) enum Record<'f> {
    /// The image, and its user, platform, distribution and health check, which live in it.
    Image(&'f Facts<'f>),
    File(&'f File<'f>),
    Package(&'f Package),
    Executable(&'f Executable<'f>),
}

/// A name of the final tree.
#[derive(Debug)]
pub(super) struct File<'f> {
    /// Absolute path, escaped.
    pub(super) path: String,
    pub(super) node: NodeId,
    pub(super) inode: &'f Inode,
    /// Name of the package that owns it; empty for none.
    pub(super) package: &'f str,
}

/// An executable file.
#[derive(Debug)]
pub(super) struct Executable<'f> {
    pub(super) file: File<'f>,
    /// The last components of all its names, escaped, sorted, each once.
    pub(super) names: Vec<String>,
    pub(super) is_elf: bool,
    pub(super) on_path: bool,
}

/// All that rules may read. Lists that no rule asks for stay empty.
#[derive(Debug)]
pub(super) struct Facts<'f> {
    pub(super) image: &'f Image,
    pub(super) files: Vec<File<'f>>,
    pub(super) executables: Vec<Executable<'f>>,
    pub(super) env: BTreeMap<String, String>,
    pub(super) labels: BTreeMap<String, String>,
    /// The instruction of every line of history, tidied; empty where there is none.
    pub(super) history: Vec<String>,
}

impl<'f> Facts<'f> {
    /// Gathers what rules with these roots read.
    pub(super) fn of(image: &'f Image, uses: impl Fn(Root) -> bool) -> Self {
        let runtime = &image.config.runtime;
        let pair = |entry: &String| entry.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
        let tidied = |created_by: &str| build::tidy(created_by).unwrap_or_default();
        Self {
            image,
            files: if uses(Root::Files) { files(image) } else { Vec::new() },
            executables: if uses(Root::Executables) { executables(image) } else { Vec::new() },
            // of a name that is set twice, the last value counts, as for the process
            env: runtime.env.iter().filter_map(pair).collect(),
            labels: runtime.labels.iter().cloned().collect(),
            history: image.config.history.iter().map(|line| tidied(&line.created_by)).collect(),
        }
    }
}

fn files(image: &Image) -> Vec<File<'_>> {
    image.rootfs.entries().into_iter().map(|(path, node)| file(image, path, node)).collect()
}

fn file(image: &Image, path: Vec<u8>, node: NodeId) -> File<'_> {
    let package = image.packages.owner(&image.rootfs, node).map_or("", |(package, _)| &package.name);
    File { path: printable(path), node, inode: image.rootfs.inode(node), package }
}

/// As [`escape`] writes it. Nearly every path has nothing to escape, and there may be millions.
fn printable(path: Vec<u8>) -> String {
    if path.iter().any(|byte| !(b' '..=b'~').contains(byte) || *byte == b'\\') {
        return escape(&path);
    }
    String::from_utf8(path).unwrap_or_default()
}

fn executables(image: &Image) -> Vec<Executable<'_>> {
    image.executables.iter().map(|found| executable(image, found)).collect()
}

fn executable<'f>(image: &'f Image, found: &facts::Executable) -> Executable<'f> {
    let mut names: Vec<String> = found.names.iter().map(|name| escape(name.base_name())).collect();
    names.sort_unstable();
    names.dedup();
    let file = file(image, image.rootfs.path(found.node), found.node);
    let is_elf = file.inode.content.as_ref().is_some_and(|content| content.elf.is_some());
    let on_path = found.names.iter().any(|name| image.search_path.has(&image.rootfs, name.node));
    Executable { file, names, is_elf, on_path }
}
