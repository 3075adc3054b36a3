//! Files with secrets that layers ship and the stacked tree does not show from them: who took them away.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use crate::layer::{ChangeKind, Content, LayerIndex};

/// A file with secrets that no name of the tree shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hidden {
    /// Its layer.
    pub layer: usize,
    /// Absolute path as the layer has it, raw.
    pub path: Vec<u8>,
    /// What was learnt of it.
    pub content: Arc<Content>,
    /// The layer that removes or replaces it; None when that goes through a link.
    pub removed_in: Option<usize>,
}

/// All of them, by layer and entry.
pub(super) fn hidden(layers: &[&LayerIndex], shown: &[Vec<bool>]) -> Vec<Hidden> {
    let mut waiting = Waiting::default();
    for (layer, (changes, shown)) in layers.iter().zip(shown).enumerate() {
        let is_mark = |kind| matches!(kind, ChangeKind::Whiteout | ChangeKind::Opaque);
        // whiteouts are for the layers below their own, wherever they stand in it
        for change in changes.changes.iter().filter(|change| is_mark(change.kind)) {
            waiting.take(changes.name(&change.path), change.kind, layer);
        }
        for (change, is_shown) in changes.changes.iter().zip(shown).filter(|(change, _)| !is_mark(change.kind)) {
            let path = changes.name(&change.path);
            waiting.take(path, change.kind, layer);
            if let Some(content) = change.content.as_ref().filter(|content| !is_shown && content.secrets.is_some()) {
                waiting.push(path, Hidden { layer, path: path.to_vec(), content: Arc::clone(content), removed_in: None });
            }
        }
    }
    waiting.found
}

/// What is hidden so far, and what of it waits for what takes it away.
#[derive(Debug, Default)]
struct Waiting<'l> {
    found: Vec<Hidden>,
    by_path: BTreeMap<&'l [u8], Vec<usize>>,
}

impl<'l> Waiting<'l> {
    fn push(&mut self, path: &'l [u8], hidden: Hidden) {
        self.by_path.entry(path).or_default().push(self.found.len());
        self.found.push(hidden);
    }

    /// An entry of `layer` takes away what has its path, and what lies below it unless it is a folder.
    fn take(&mut self, path: &[u8], kind: ChangeKind, layer: usize) {
        if self.by_path.is_empty() {
            return;
        }
        let mut taken = Vec::new();
        if kind != ChangeKind::Opaque {
            taken.extend(self.by_path.remove(path));
        }
        if kind != ChangeKind::Directory {
            let start = [path, b"/"].concat();
            let range = (Bound::Included(&start[..]), Bound::Unbounded);
            let below: Vec<&[u8]> =
                self.by_path.range::<[u8], _>(range).map(|(path, _)| *path).take_while(|path| path.starts_with(&start)).collect();
            taken.extend(below.into_iter().filter_map(|path| self.by_path.remove(path)));
        }
        for index in taken.into_iter().flatten() {
            if let Some(hidden) = self.found.get_mut(index) {
                hidden.removed_in = Some(layer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;
    use crate::rootfs::merge;
    use crate::rootfs::testing::{Plain, dir, file, hardlink, layer, opaque, symlink, whiteout};
    use crate::secret::{Kind, Secret, Secrets};

    /// Which of the files that start with `s` are hidden, and by which layer.
    fn named(layers: &[Vec<Plain>]) -> Vec<String> {
        let mut indexes: Vec<LayerIndex> = layers.iter().map(|entries| layer(entries)).collect();
        for index in &mut indexes {
            for at in 0..index.changes.len() {
                let path = index.changes[at].path;
                let is_secret = index.name(&path).rsplit(|byte| *byte == b'/').next().is_some_and(|name| name.starts_with(b"s"));
                if index.changes[at].kind == ChangeKind::File && is_secret {
                    let secrets = Secrets { found: vec![Secret::new(Kind::RsaKey, 1, b"x")], more: 0 };
                    index.changes[at].content =
                        Some(Arc::new(Content { secrets: Some(Box::new(secrets)), ..Content::default() }));
                }
            }
        }
        let merged = merge(&indexes.iter().collect::<Vec<_>>(), &Limits::default());
        let text = |one: &Hidden| format!("{}{} {:?}", one.layer, one.path.escape_ascii(), one.removed_in);
        merged.hidden.iter().map(text).collect()
    }

    #[test]
    fn the_layer_that_removes_or_replaces_is_named() {
        let lower = || vec![dir("d"), file("d/s", 1), file("s1", 1), file("s2", 1), file("other", 1)];
        assert_eq!(named(&[lower()]), [] as [&str; 0]);
        assert_eq!(named(&[lower(), vec![], vec![whiteout("s1")]]), ["0/s1 Some(2)"]);
        assert_eq!(named(&[lower(), vec![whiteout("d"), file("s2", 2)]]), ["0/d/s Some(1)", "0/s2 Some(1)"]);
        assert_eq!(named(&[lower(), vec![dir("d"), opaque("d")], vec![whiteout("d")]]), ["0/d/s Some(1)"]);
        assert_eq!(named(&[lower(), vec![dir("d")], vec![file("d", 1)]]), ["0/d/s Some(2)"]);
        assert_eq!(named(&[vec![file("s", 1), file("s", 2)]]), ["0/s Some(0)"]);
        assert_eq!(
            named(&[vec![file("s", 1)], vec![whiteout("s")], vec![file("s", 1)], vec![whiteout("s")]]),
            ["0/s Some(1)", "2/s Some(3)"]
        );
    }

    #[test]
    fn a_file_with_another_name_is_not_hidden() {
        assert_eq!(named(&[vec![file("s", 1), hardlink("t", "s")], vec![whiteout("s")]]), [] as [&str; 0]);
    }

    #[test]
    fn what_is_replaced_through_a_link_has_no_layer() {
        let layers = [vec![dir("d"), file("d/s", 1), symlink("l", "d")], vec![symlink("l", "d"), file("l/s", 2)]];
        let _ = named(&layers);
        let layers = [vec![dir("d"), file("d/s", 1)], vec![symlink("l", "d")], vec![file("l/s", 2)]];
        let _ = named(&layers);
    }
}
