//! Files that layers ship and the stacked tree does not show from them: deleted, replaced, or twice in one layer.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use super::node::{Rootfs, index};
use crate::layer::{Change, ChangeKind, LayerIndex};

/// How many of the files are named.
const MOST_NAMED: usize = 100;

/// A file that is shipped and that the stacked tree does not show from its layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Buried {
    /// Its layer.
    pub layer: usize,
    /// Absolute path as the layer has it, raw.
    pub path: Vec<u8>,
    /// Its bytes.
    pub bytes: u64,
    /// The layer that hides it, as far as its entries tell.
    pub hidden_by: Option<usize>,
    /// What that layer did.
    pub fate: Fate,
}

/// How a file came to be hidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It, or a folder above it, was removed.
    Deleted,
    /// Something else has its name, or the name of a folder above it.
    Replaced,
    /// A file of the same size with another mode or owner has its name: `chmod` and `chown` copy the whole file.
    Copied,
}

/// Greater is named before: more bytes, a lower layer, an earlier path, an earlier entry.
type Rank<'a> = (u64, Reverse<usize>, Reverse<&'a [u8]>, Reverse<u32>);

/// Bytes that each layer ships and the tree does not show from it, and the files that weigh most of them. A file is shown as long as
/// one of its hard links is.
pub(super) fn buried(layers: &[&LayerIndex], shown: &[Vec<bool>]) -> (Vec<u64>, Vec<Buried>) {
    let mut bytes = Vec::with_capacity(layers.len());
    let mut heaviest: BinaryHeap<Reverse<Rank<'_>>> = BinaryHeap::new();
    for (layer, (changes, shown)) in layers.iter().zip(shown).enumerate() {
        let mut sum = 0_u64;
        let files = (0..)
            .zip(&changes.changes)
            .zip(shown)
            .filter(|((_, change), is_shown)| change.kind == ChangeKind::File && !**is_shown);
        for ((number, change), _) in files.filter(|((_, change), _)| change.size > 0) {
            sum = sum.saturating_add(change.size);
            let rank = (change.size, Reverse(layer), Reverse(changes.name(&change.path)), Reverse(number));
            if heaviest.len() < MOST_NAMED || heaviest.peek().is_some_and(|Reverse(least)| rank > *least) {
                heaviest.push(Reverse(rank));
            }
            if heaviest.len() > MOST_NAMED {
                heaviest.pop();
            }
        }
        bytes.push(sum);
    }
    let named = |Reverse((bytes, Reverse(layer), Reverse(path), Reverse(number))): Reverse<Rank<'_>>| {
        let buried = Buried { layer, path: path.to_vec(), bytes, hidden_by: None, fate: Fate::Deleted };
        (buried, number)
    };
    let named: Vec<_> = heaviest.into_sorted_vec().into_iter().map(named).collect();
    (bytes, fates(layers, named))
}

/// Finds for each file the first entry behind it that takes its name away.
fn fates(layers: &[&LayerIndex], files: Vec<(Buried, u32)>) -> Vec<Buried> {
    let mut below: HashMap<Vec<u8>, Vec<usize>> = HashMap::new();
    for (place, (file, _)) in files.iter().enumerate() {
        let cuts = (1..file.path.len()).filter(|at| file.path.get(*at) == Some(&b'/'));
        for path in cuts.filter_map(|at| file.path.get(..at)).chain([file.path.as_slice()]) {
            below.entry(path.to_vec()).or_default().push(place);
        }
    }
    let mut files = files;
    for (layer, changes) in layers.iter().enumerate() {
        for (number, change) in (0_u32..).zip(&changes.changes) {
            let path = changes.name(&change.path);
            for place in below.get(path).into_iter().flatten() {
                let Some((file, own)) = files.get_mut(*place) else { continue };
                // whiteouts are about the layers below
                let is_whiteout = matches!(change.kind, ChangeKind::Whiteout | ChangeKind::Opaque);
                let is_behind = layer > file.layer || (layer == file.layer && number > *own && !is_whiteout);
                if file.hidden_by.is_none()
                    && is_behind
                    && let Some(fate) = fate(layers, file, *own, change, path)
                {
                    (file.hidden_by, file.fate) = (Some(layer), fate);
                }
            }
        }
    }
    files.into_iter().map(|(file, _)| file).collect()
}

/// What an entry at the path of a buried file, or of a folder above it, does to the file.
fn fate(layers: &[&LayerIndex], file: &Buried, own: u32, change: &Change, path: &[u8]) -> Option<Fate> {
    let is_file_itself = path == file.path;
    match change.kind {
        ChangeKind::Whiteout | ChangeKind::PaxGlobal => Some(Fate::Deleted),
        ChangeKind::Opaque => (!is_file_itself).then_some(Fate::Deleted),
        ChangeKind::Directory => is_file_itself.then_some(Fate::Replaced),
        ChangeKind::File if is_file_itself && change.size == file.bytes => {
            let before = layers.get(file.layer).and_then(|layer| layer.changes.get(index(own)));
            let owner = |change: &Change| (change.mode, change.uid, change.gid);
            Some(if before.is_some_and(|before| owner(before) != owner(change)) { Fate::Copied } else { Fate::Replaced })
        }
        _ => Some(Fate::Replaced),
    }
}

/// Which entries of which layers made an inode that the tree shows.
pub(super) fn shown(layers: &[&LayerIndex], stacked: &Rootfs) -> Vec<Vec<bool>> {
    let mut shown: Vec<Vec<bool>> = layers.iter().map(|layer| vec![false; layer.changes.len()]).collect();
    let mut directories = vec![stacked.root()];
    while let Some(directory) = directories.pop() {
        for (_, child) in stacked.children(directory) {
            let inode = stacked.inode(child);
            if inode.is_directory() {
                directories.push(child);
            } else if let Some(entry) = inode.entry
                && let Some(slot) = shown.get_mut(inode.layer).and_then(|layer| layer.get_mut(index(entry)))
            {
                *slot = true;
            }
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::super::testing::{dir, file, hardlink, merged, opaque, whiteout};
    use super::Fate;

    fn named(layers: &[Vec<super::super::testing::Plain>]) -> Vec<String> {
        let merged = merged(layers);
        let sum = |layer| merged.buried.iter().filter(|one| one.layer == layer).map(|one| one.bytes).sum::<u64>();
        if merged.buried.len() < super::MOST_NAMED {
            let sums: Vec<u64> = (0..layers.len()).map(sum).collect();
            assert_eq!(sums, merged.buried_bytes, "files and sums agree");
        }
        merged.buried.iter().map(|one| format!("{}{}={}", one.layer, one.path.escape_ascii(), one.bytes)).collect()
    }

    #[test]
    fn what_upper_layers_delete_or_replace_is_named_heaviest_first() {
        let layers = [
            vec![file("gone", 10), file("kept", 20), file("twice", 3), file("twice", 40), dir("d"), file("d/x", 7)],
            vec![whiteout("gone"), file("new", 50), opaque("d"), file("d/y", 1)],
            vec![file("new", 50)],
        ];
        assert_eq!(named(&layers), ["1/new=50", "0/gone=10", "0/d/x=7", "0/twice=3"]);
        assert_eq!(named(&layers[..1]), ["0/twice=3"]);
    }

    #[test]
    fn who_hid_a_file_and_how_is_told() {
        let layers = [
            vec![
                file("gone", 10),
                file("new", 8),
                file("same", 7),
                file("d/x", 6),
                file("e/x", 5),
                file("twice", 3),
                file("twice", 4),
                file("owned", 2),
            ],
            vec![whiteout("gone"), file("new", 9), file("unlike", 7)],
            vec![opaque("d"), whiteout("e"), file("same", 7), file("owned", 2).owner(1, 1)],
        ];
        let told: Vec<_> = merged(&layers).buried.iter().map(|one| (one.bytes, one.hidden_by, one.fate)).collect();
        assert_eq!(
            told,
            [
                (10, Some(1), Fate::Deleted),
                (8, Some(1), Fate::Replaced),
                (7, Some(2), Fate::Replaced),
                (6, Some(2), Fate::Deleted),
                (5, Some(2), Fate::Deleted),
                (3, Some(0), Fate::Replaced),
                (2, Some(2), Fate::Copied),
            ]
        );
    }

    #[test]
    fn hard_links_bury_their_file_once_and_only_with_the_last_name() {
        let layers = [vec![file("a", 5), hardlink("b", "a")], vec![whiteout("a")], vec![whiteout("b")]];
        assert_eq!(named(&layers[..2]), [] as [&str; 0]);
        assert_eq!(named(&layers), ["0/a=5"]);
    }

    #[test]
    fn of_equal_files_the_lower_layer_and_the_earlier_path_come_first_and_a_hundred_are_named() {
        assert_eq!(
            named(&[vec![file("b", 5), file("a", 5)], vec![file("a", 5)], vec![whiteout("a"), whiteout("b")]]),
            ["0/a=5", "0/b=5", "1/a=5"]
        );
        let many: Vec<_> = (1..=250).map(|number| file(&format!("f{number:03}"), number % 2 + 1)).collect();
        let gone: Vec<_> = (1..=250).map(|number| whiteout(&format!("f{number:03}"))).collect();
        let names = named(&[many, gone]);
        assert_eq!((names.len(), names[0].as_str(), names[99].as_str()), (100, "0/f001=2", "0/f199=2"));
    }
}
