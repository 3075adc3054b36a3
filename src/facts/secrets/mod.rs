//! The secrets of an image: in files that show, in files that a lower layer still ships, and in its config. Without their values.

mod exposed;
mod standing;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use self::exposed::{Exposed, ExposedIn, exposed_values};
pub use self::standing::Standing;
use super::{Content, Packages};
use crate::oci::ImageConfig;
use crate::rootfs::{Hidden, NodeId, Rootfs};
use crate::secret::Secrets;

/// All that is known of an image's secrets.
#[derive(Debug, Clone, Default)]
pub struct SecretFacts {
    /// Files of the stacked tree, by their first names.
    pub files: Vec<SecretFile>,
    /// Files that layers ship and the tree does not show with the same secrets, by path and layer.
    pub buried: Vec<BuriedSecret>,
    /// What variables, build arguments, instructions and labels tell.
    pub exposed: Vec<Exposed>,
}

/// A file with secrets.
#[derive(Debug, Clone)]
pub struct SecretFile {
    /// Its names, sorted by path: absolute, raw.
    pub names: Vec<(Vec<u8>, NodeId)>,
    /// Whose it is, by its paths and its package.
    pub standing: Standing,
    /// A package of the operating system owns its name.
    pub is_owned: bool,
    content: Arc<Content>,
}

/// A file with secrets that a layer ships and that the tree does not show from it.
#[derive(Debug, Clone)]
pub struct BuriedSecret {
    /// Absolute path as the layer has it, raw.
    pub path: Vec<u8>,
    /// The layer that can be taken apart for it.
    pub layer: usize,
    /// The layer that removes or replaces it; None when that goes through a link.
    pub removed_in: Option<usize>,
    /// Something else has its path now.
    pub is_replaced: bool,
    /// Whose it is, by its path.
    pub standing: Standing,
    content: Arc<Content>,
}

impl SecretFile {
    /// What it holds.
    #[must_use]
    pub fn secrets(&self) -> &Secrets {
        of(&self.content)
    }
}

impl BuriedSecret {
    /// What it holds.
    #[must_use]
    pub fn secrets(&self) -> &Secrets {
        of(&self.content)
    }
}

/// No secrets.
static NONE: Secrets = Secrets { found: Vec::new(), more: 0 };

fn of(content: &Content) -> &Secrets {
    content.secrets.as_deref().unwrap_or(&NONE)
}

impl SecretFacts {
    /// Gathers them.
    #[must_use]
    pub fn of(config: &ImageConfig, rootfs: &Rootfs, packages: &Packages, hidden: &[Hidden]) -> Self {
        let files = files(rootfs, packages);
        let mut buried: Vec<_> = hidden.iter().filter_map(|hidden| buried(hidden, rootfs, packages)).collect();
        buried.sort_by(|a, b| (&a.path, a.layer).cmp(&(&b.path, b.layer)));
        Self { files, buried, exposed: exposed::exposed(config) }
    }
}

fn files(rootfs: &Rootfs, packages: &Packages) -> Vec<SecretFile> {
    let mut by_inode: BTreeMap<u32, Vec<(Vec<u8>, NodeId)>> = BTreeMap::new();
    let mut folders = vec![rootfs.root()];
    while let Some(folder) = folders.pop() {
        for (_, node) in rootfs.children(folder) {
            let inode = rootfs.inode(node);
            if inode.is_directory() {
                folders.push(node);
            } else if inode.is_file() && inode.content.as_ref().is_some_and(|content| content.secrets.is_some()) {
                by_inode.entry(rootfs.inode_number(node)).or_default().push((rootfs.path(node), node));
            }
        }
    }
    let file = |mut names: Vec<(Vec<u8>, NodeId)>| {
        names.sort();
        let (_, node) = *names.first()?;
        let is_owned = packages.owner(rootfs, node).is_some();
        // what has a name of the user's own is the user's
        let standing = names.iter().map(|(path, _)| standing::of(path, is_owned)).max()?;
        let content = Arc::clone(rootfs.inode(node).content.as_ref()?);
        Some(SecretFile { names, standing, is_owned, content })
    };
    let mut files: Vec<_> = by_inode.into_values().filter_map(file).collect();
    files.sort_by(|a, b| a.names.cmp(&b.names));
    files
}

/// None when the file that has its path now holds the same secrets: that one is told of.
fn buried(hidden: &Hidden, rootfs: &Rootfs, packages: &Packages) -> Option<BuriedSecret> {
    let names = hidden.path.split(|byte| *byte == b'/').filter(|name| !name.is_empty());
    let now = names.clone().try_fold(rootfs.root(), |at, name| rootfs.child(at, name));
    let shown = now.and_then(|node| rootfs.inode(node).content.as_deref()).map_or(&NONE, of);
    let is_shown = |secrets: &Secrets| {
        secrets.more <= shown.more && secrets.found.iter().all(|secret| shown.found.iter().any(|other| other.is_same(secret)))
    };
    let is_owned = now.is_some_and(|node| packages.owner(rootfs, node).is_some());
    (!is_shown(of(&hidden.content))).then(|| BuriedSecret {
        path: hidden.path.clone(),
        layer: hidden.layer,
        removed_in: hidden.removed_in,
        is_replaced: now.is_some(),
        standing: standing::of(&hidden.path, is_owned),
        content: Arc::clone(&hidden.content),
    })
}

#[cfg(test)]
mod tests;
