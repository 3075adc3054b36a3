//! One file's bytes, for `plimsoll cat`.

use std::io::Write;

use super::asked::{did_you_mean, find, follow, last_name, meant, near, tidy};
use super::image::Examined;
use super::layers::BodyFault;
use super::listing::{name, several};
use super::{Progress, Reading, Request, Whence, run};
use crate::layer::{ChangeKind, LayerIndex};
use crate::limits::Limits;
use crate::oci::escape;
use crate::report::model::Report;
use crate::rootfs::{Inode, InodeKind, ResolveError, Rootfs, each_stage};

/// What became of the asking.
#[derive(Debug)]
pub enum Cat {
    /// All bytes were written.
    Written,
    /// The path names no such file: what to do instead, one or two clauses.
    NoFile(String),
    /// The file is there, and its bytes cannot be had, or those that were written are not to be trusted: why.
    Unread(String),
    /// The image could not be read: the report says why.
    Unverifiable(Box<Report>),
    /// The writer took no more.
    Output(std::io::Error),
}

/// Writes the bytes of the file that `path` names, through links, in the final tree of the one image that `request` selects; with
/// `layer`, in the tree as that layer left it, and only if that layer wrote it.
#[must_use]
pub fn cat(request: &Request, path: &[u8], layer: Option<usize>, out: &mut dyn Write, progress: &Progress) -> Cat {
    let mut outcome = None;
    let mut names = Vec::new();
    let reading = Reading { name: Some(last_name(path)), ..Reading::default() };
    let report = run(request, &reading, progress, |image, examined, whence| {
        names.push(name(image));
        if whence.source.images().len() == 1 {
            let asking = Asking { request, path, layer, whence };
            outcome = asking.file(&examined).map(|file| file.and_then(|file| asking.write(&file, out)));
        }
    });
    match (several(request, names, "cat writes from one"), outcome) {
        (Some(report), _) => Cat::Unverifiable(Box::new(report)),
        (None, None) => Cat::Unverifiable(Box::new(report)),
        (None, Some(Err(refused))) => refused,
        (None, Some(Ok(()))) => Cat::Written,
    }
}

struct Asking<'a> {
    request: &'a Request,
    path: &'a [u8],
    layer: Option<usize>,
    whence: Whence<'a>,
}

/// A file that was found.
struct File {
    layer: usize,
    entry: u32,
    /// The path that it was found under.
    path: Vec<u8>,
}

impl Asking<'_> {
    /// None when the tree is not known.
    fn file(&self, examined: &Examined) -> Option<Result<File, Cat>> {
        let rootfs = &examined.image.as_ref()?.rootfs;
        let layers: Vec<&LayerIndex> = examined.layers.iter().flatten().map(AsRef::as_ref).collect();
        let limits = &self.request.limits;
        Some(match self.layer {
            None => self.in_tree(rootfs, &layers),
            Some(layer) if layer >= layers.len() => Err(Cat::NoFile(match layers.len().checked_sub(1) {
                Some(last) => format!("there is no layer {layer}: the layers are 0 (the base) to {last}"),
                None => "the image has no layers".to_owned(),
            })),
            Some(layer) => {
                let mut found = None;
                let upto = layers.get(..=layer).unwrap_or_default();
                let stages = each_stage(upto, limits, |stage, tree| {
                    if stage == layer {
                        found = Some(self.in_layer(tree, layer, &layers));
                    }
                });
                match (stages, found) {
                    (Ok(()), Some(found)) => found,
                    (Err(hit), _) => Err(Cat::Unread(hit.to_string())),
                    (Ok(()), None) => Err(Cat::NoFile("the image has no layers".to_owned())),
                }
            }
        })
    }

    fn in_tree(&self, rootfs: &Rootfs, layers: &[&LayerIndex]) -> Result<File, Cat> {
        let limits = &self.request.limits;
        file_of(rootfs, self.path, limits).map_err(|reason| {
            let reason = reason.unwrap_or_else(|| {
                let path = tidy(self.path);
                let shipped = shipped_by(layers, &path);
                match shipped.last() {
                    Some(last) => {
                        let shown = escape(&path);
                        let which = listed(&shipped);
                        format!("the final filesystem has no {shown}; {which} shipped one: add --layer {last} for that version")
                    }
                    None => self.absent(rootfs),
                }
            });
            Cat::NoFile(reason)
        })
    }

    fn in_layer(&self, tree: &Rootfs, layer: usize, layers: &[&LayerIndex]) -> Result<File, Cat> {
        let path = tidy(self.path);
        let shown = escape(&path);
        let shipped = shipped_by(layers, &path);
        let others = match shipped.as_slice() {
            [] => String::new(),
            some => format!("; {} shipped one", listed(some)),
        };
        match file_of(tree, self.path, &self.request.limits) {
            Ok(file) if file.layer == layer => Ok(file),
            Ok(file) => {
                let link = if file.path == path { String::new() } else { format!(", which leads to {}", escape(&file.path)) };
                let advice = format!("as of then it is that of layer {}: use --layer {0}", file.layer);
                Err(Cat::NoFile(format!("layer {layer} did not write {shown}{link}; {advice}")))
            }
            Err(Some(reason)) => Err(Cat::NoFile(format!("as of layer {layer}, {reason}{others}"))),
            Err(None) if others.is_empty() => Err(Cat::NoFile(format!("as of layer {layer}, {}", self.absent(tree)))),
            Err(None) => Err(Cat::NoFile(format!("as of layer {layer}, there is no {shown}{others}"))),
        }
    }

    /// There is no such path, and what may be meant.
    fn absent(&self, tree: &Rootfs) -> String {
        let near = near(tree, self.path, &self.request.limits);
        let advice = did_you_mean(&near);
        let advice = if advice.is_empty() { "; plimsoll ls lists what there is".to_owned() } else { advice };
        format!("there is no {}{advice}", escape(&tidy(self.path)))
    }

    fn write(&self, file: &File, out: &mut dyn Write) -> Result<(), Cat> {
        let Whence { record, source, store } = self.whence;
        let layer = record.layers.get(file.layer).ok_or_else(|| Cat::Unread("the layer is not there".to_owned()))?;
        store.write_body(layer, file.entry, source, out).map_err(|fault| match fault {
            BodyFault::Output(error) => Cat::Output(error),
            BodyFault::Unread(reason) => Cat::Unread(format!("layer {}: {reason}", file.layer)),
            BodyFault::Gone => Cat::Unread(self.gone(file)),
        })
    }

    /// What passes once is kept by its last name.
    fn gone(&self, file: &File) -> String {
        let Whence { record, store, .. } = self.whence;
        let index = record.layers.get(file.layer).and_then(|layer| store.get(layer));
        let name = |index: &LayerIndex| {
            let change = index.changes.get(usize::try_from(file.entry).ok()?)?;
            Some(index.name(&change.path).to_vec())
        };
        // of hard links the first one has the bytes
        let own = index.and_then(|index| name(&index)).unwrap_or_else(|| file.path.clone());
        let shown = escape(&own);
        let saving = "write the image to a file that is not compressed as a whole, and ask that";
        if last_name(&own) == last_name(self.path) {
            let limit = self.request.limits.kept_bytes;
            return format!("{shown} streamed by, and is too large to be kept (limit kept-bytes is {limit}): {saving}");
        }
        let asked = escape(&tidy(self.path));
        format!("{asked} leads to {shown}, and its layer has streamed by: ask for {shown}, or {saving}")
    }
}

/// The file that a path leads to. Err with the reason, or with none when there is nothing of that name.
fn file_of(tree: &Rootfs, path: &[u8], limits: &Limits) -> Result<File, Option<String>> {
    let path = meant(path, |path| find(tree, path, limits).is_ok());
    let shown = escape(&tidy(&path));
    let loops = || Some(format!("{shown} leads through more links than a kernel follows"));
    let found = find(tree, &path, limits).map_err(|error| match error {
        ResolveError::TooManyLinks => loops(),
        ResolveError::NotADirectory => Some(format!("{shown} cannot be: a name on the way to it is no folder")),
        ResolveError::NotFound => None,
    })?;
    let (links, end) = follow(tree, found, limits);
    let end = end.map_err(|error| match (error, links.last()) {
        (ResolveError::TooManyLinks, _) | (_, None) => loops(),
        (_, Some((at, target))) => {
            Some(format!("{shown} leads nowhere: {} is a link to {}, and that is not there", escape(at), escape(target)))
        }
    })?;
    let inode = tree.inode(end.node);
    match (&inode.kind, inode.entry) {
        (InodeKind::File { .. }, Some(entry)) => Ok(File { layer: inode.layer, entry, path: end.path }),
        _ => Err(Some(no_file(inode, &escape(&end.path)))),
    }
}

fn no_file(inode: &Inode, path: &str) -> String {
    let what = match inode.kind {
        InodeKind::Directory => {
            let below = if path == "/" { "" } else { path };
            return format!("{path} is a folder: plimsoll ls IMAGE '{below}/**' lists what is in it");
        }
        InodeKind::CharDevice { .. } | InodeKind::BlockDevice { .. } => "a device",
        InodeKind::Fifo => "a named pipe",
        InodeKind::Symlink { .. } | InodeKind::File { .. } => "no file with a body",
    };
    format!("{path} is {what}: it has no bytes in the image")
}

/// The layers with a file or hard link of this path, base first.
fn shipped_by(layers: &[&LayerIndex], path: &[u8]) -> Vec<usize> {
    let ships = |index: &LayerIndex| {
        let is_file = |kind| matches!(kind, ChangeKind::File | ChangeKind::HardLink);
        index.changes.iter().any(|change| is_file(change.kind) && index.name(&change.path) == path)
    };
    layers.iter().enumerate().filter(|(_, index)| ships(index)).map(|(layer, _)| layer).collect()
}

/// `layer 1`, `layers 1 and 4`.
fn listed(layers: &[usize]) -> String {
    let words: Vec<String> = layers.iter().map(ToString::to_string).collect();
    match words.split_last() {
        Some((last, [])) => format!("layer {last}"),
        Some((last, before)) => format!("layers {} and {last}", before.join(", ")),
        None => "no layer".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> Rootfs {
        let mut tree = Rootfs::default();
        let file = Inode { entry: Some(7), ..Inode::new(InodeKind::File { size: 1 }, 0o644, 3) };
        let link = |target: &[u8]| Inode::new(InodeKind::Symlink { target: target.into() }, 0o777, 0);
        let first = tree.insert(b"/etc/a", file);
        tree.insert_hard_link(b"/b", first);
        tree.insert(b"/link", link(b"../../etc/a"));
        tree.insert(b"/gone", link(b"/no/where"));
        tree.insert(b"/loop", link(b"loop"));
        tree.insert(b"/null", Inode::new(InodeKind::CharDevice { device: (1, 3) }, 0o666, 0));
        tree.insert(b"/pipe\x1b", Inode::new(InodeKind::Fifo, 0o666, 0));
        tree
    }

    fn said(path: &[u8]) -> String {
        match file_of(&tree(), path, &Limits::default()) {
            Ok(File { layer, entry, path }) => format!("{layer} {entry} {}", escape(&path)),
            Err(reason) => reason.unwrap_or_else(|| "none".to_owned()),
        }
    }

    #[test]
    fn links_of_both_kinds_lead_to_the_entry_that_holds_the_bytes() {
        assert_eq!(said(b"/etc/a"), "3 7 /etc/a");
        assert_eq!(said(b"b"), "3 7 /b");
        assert_eq!(said(b"/link"), "3 7 /etc/a");
    }

    #[test]
    fn what_has_no_bytes_is_called_what_it_is() {
        assert_eq!(said(b"/etc"), "/etc is a folder: plimsoll ls IMAGE '/etc/**' lists what is in it");
        assert_eq!(said(b"/"), "/ is a folder: plimsoll ls IMAGE '/**' lists what is in it");
        assert_eq!(said(b"/null"), "/null is a device: it has no bytes in the image");
        assert_eq!(said(b"/pipe\x1b"), r"/pipe\x1b is a named pipe: it has no bytes in the image");
        assert_eq!(said(br"/pipe\x1b"), r"/pipe\x1b is a named pipe: it has no bytes in the image");
        assert_eq!(said(b"/gone"), "/gone leads nowhere: /gone is a link to /no/where, and that is not there");
        assert_eq!(said(b"/loop"), "/loop leads through more links than a kernel follows");
        assert_eq!(said(b"/loop/x"), "/loop/x leads through more links than a kernel follows");
        assert_eq!(said(b"/b/x"), "/b/x cannot be: a name on the way to it is no folder");
        assert_eq!(said(b"/nothing"), "none");
    }

    #[test]
    fn layers_are_listed_as_words() {
        assert_eq!([listed(&[]), listed(&[2]), listed(&[0, 2, 5])], ["no layer", "layer 2", "layers 0, 2 and 5"]);
    }
}
