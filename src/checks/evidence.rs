//! Evidence that is a name in the tree: layer, instruction, owner and bytes filled in.

use crate::facts::{Executable, ExecutableName, Image};
use crate::finding::Evidence;
use crate::rootfs::NodeId;

/// The name `node` at `path`, with all that is known of it. Bytes are those of the file; a caller that lists further names of
/// one inode sets theirs to 0.
pub(super) fn of_node(image: &Image, path: Vec<u8>, node: NodeId) -> Evidence {
    let inode = image.rootfs.inode(node);
    Evidence {
        path: Some(path),
        layer: Some(inode.layer),
        history: image.steps.get(inode.layer).and_then(|step| step.history),
        config: None,
        linkname: inode.target().map(<[u8]>::to_vec),
        package: image.packages.owner(&image.rootfs, node).map(|(package, _)| package.name.clone()),
        on_path: None,
        bytes: inode.size(),
    }
}

/// The names of one executable that `listed` chooses; its bytes count once.
pub(super) fn of_names(image: &Image, executable: &Executable, listed: impl Fn(&ExecutableName) -> bool) -> Vec<Evidence> {
    let mut is_counted = false;
    let mut evidence = Vec::new();
    for name in executable.names.iter().filter(|name| listed(name)) {
        let mut one = of_node(image, name.path.clone(), name.node);
        one.on_path = Some(image.search_path.has(&image.rootfs, name.node));
        if is_counted {
            one.bytes = 0;
        }
        is_counted |= one.bytes > 0;
        evidence.push(one);
    }
    evidence
}

/// Bytes of all evidence.
pub(super) fn bytes(evidence: &[Evidence]) -> u64 {
    evidence.iter().fold(0, |sum, one| sum.saturating_add(one.bytes))
}

/// The last component of every path.
pub(super) fn base_names(evidence: &[Evidence]) -> impl Iterator<Item = &[u8]> {
    evidence.iter().filter_map(|one| one.path.as_deref()).map(|path| path.rsplit(|byte| *byte == b'/').next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::testing::Builder;

    #[test]
    fn a_file_with_three_names_counts_its_bytes_once() {
        let mut builder = Builder::default();
        builder.program("/bin/a", 100).hard_link("/bin/b", "/bin/a").link("/bin/c", "a").in_package("coreutils", &["/bin/a"]);
        let image = builder.image();
        let evidence = of_names(&image, &image.executables[0], |_| true);
        assert_eq!(evidence.iter().map(|one| one.bytes).collect::<Vec<_>>(), [100, 0, 0]);
        assert_eq!(evidence[1].package.as_deref(), Some("coreutils"), "a hard link belongs to its inode's owner");
        assert_eq!((evidence[2].linkname.as_deref(), evidence[2].history), (Some(&b"a"[..]), Some(1)));
        assert_eq!(base_names(&evidence).collect::<Vec<_>>(), [b"a", b"b", b"c"]);
    }
}
