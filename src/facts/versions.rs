//! What one path was, layer by layer: its versions in the tree as each layer left it.

use crate::layer::LayerIndex;
use crate::limits::{LimitHit, Limits};
use crate::rootfs::{Fate, Inode, NodeId, Rootfs, each_stage};

/// What a path was for some layers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// The first layer of them: the one that wrote it.
    pub layer: usize,
    /// What it was; of a directory as the last of these layers left it.
    pub inode: Inode,
    /// The layer that ended it, and how; None for what the final tree has.
    pub ended: Option<(usize, Fate)>,
}

/// The versions of `path` (absolute, clean, no name of it followed), base first. Layers that only set the metadata of a directory
/// make no version.
pub fn versions(layers: &[&LayerIndex], path: &[u8], limits: &Limits) -> Result<Vec<Version>, LimitHit> {
    let mut versions: Vec<Version> = Vec::new();
    each_stage(layers, limits, |layer, tree| {
        let now = at(tree, path).map(|node| tree.inode(node));
        let last = versions.last_mut().filter(|version| version.ended.is_none());
        match (last, now) {
            (Some(version), Some(now)) if is_same(&version.inode, now) => version.inode = now.clone(),
            (Some(version), now) => {
                version.ended = Some((layer, fate(&version.inode, now)));
                versions.extend(now.map(|now| Version { layer, inode: now.clone(), ended: None }));
            }
            (None, now) => versions.extend(now.map(|now| Version { layer, inode: now.clone(), ended: None })),
        }
    })?;
    Ok(versions)
}

/// The name at a path of which no part is followed.
#[must_use]
pub fn at(tree: &Rootfs, path: &[u8]) -> Option<NodeId> {
    let names = path.split(|byte| *byte == b'/').filter(|name| !name.is_empty());
    names.into_iter().try_fold(tree.root(), |at, name| tree.child(at, name))
}

fn is_same(before: &Inode, now: &Inode) -> bool {
    before.is_directory() && now.is_directory() || (before.layer, before.entry) == (now.layer, now.entry)
}

fn fate(before: &Inode, now: Option<&Inode>) -> Fate {
    let metadata = |inode: &Inode| (inode.mode, inode.uid, inode.gid);
    match now {
        None => Fate::Deleted,
        Some(now) if before.is_file() && before.kind == now.kind && metadata(before) != metadata(now) => Fate::Copied,
        Some(_) => Fate::Replaced,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::{Change, ChangeKind};

    type Plain = (ChangeKind, &'static str, u64, u16);

    fn layer(entries: &[Plain]) -> LayerIndex {
        let mut index = LayerIndex::default();
        for (kind, path, size, mode) in entries {
            let (path, link) = (index.intern(path.as_bytes()), index.intern(b""));
            let change = Change {
                kind: *kind,
                mode: *mode,
                uid: 0,
                gid: 0,
                size: *size,
                device: (0, 0),
                path,
                link,
                xattrs: None,
                content: None,
            };
            index.changes.push(change);
        }
        index
    }

    fn told(layers: &[&[Plain]], path: &str) -> Vec<String> {
        let layers: Vec<LayerIndex> = layers.iter().map(|entries| layer(entries)).collect();
        let versions = versions(&layers.iter().collect::<Vec<_>>(), path.as_bytes(), &Limits::default()).unwrap();
        versions.iter().map(|one| format!("{} {} {:?}", one.layer, one.inode.size(), one.ended)).collect()
    }

    use ChangeKind::{Directory, File, Opaque, Whiteout};

    #[test]
    fn a_path_is_followed_through_its_layers() {
        let layers: [&[Plain]; 6] = [
            &[(File, "/a/f", 1, 0o644), (File, "/other", 3, 0o644)],
            &[(File, "/other", 4, 0o644)],
            &[(File, "/a/f", 2, 0o644)],
            &[(File, "/a/f", 2, 0o755)],
            &[(Directory, "/a", 0, 0o755), (Opaque, "/a", 0, 0)],
            &[(File, "/a/f", 9, 0o644)],
        ];
        let expected = ["0 1 Some((2, Replaced))", "2 2 Some((3, Copied))", "3 2 Some((4, Deleted))", "5 9 None"];
        assert_eq!(told(&layers, "/a/f"), expected);
        assert_eq!(told(&layers[..1], "/a/f"), ["0 1 None"]);
        assert_eq!(told(&layers, "/nothing"), [] as [&str; 0]);
    }

    #[test]
    fn a_directory_that_is_only_touched_again_has_one_version() {
        let layers: [&[Plain]; 3] = [&[(Directory, "/d", 0, 0o755)], &[(Directory, "/d", 0, 0o700)], &[(Whiteout, "/d", 0, 0)]];
        assert_eq!(told(&layers, "/d"), ["0 0 Some((2, Deleted))"]);
        assert_eq!(told(&layers, "/"), ["0 0 None"]);
    }
}
