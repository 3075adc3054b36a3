//! Executable files with every name that ends at them: hard links and symbolic links.

use std::collections::BTreeMap;

use super::links::Links;
use crate::limits::Limits;
use crate::oci::{Code, Remark};
use crate::rootfs::{NodeId, Rootfs};

/// A regular file that some user may execute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Executable {
    /// One of its own names (the first by path bytes).
    pub node: NodeId,
    /// Every name that ends at it, hard links first, each group sorted by path bytes.
    pub names: Vec<ExecutableName>,
}

/// A name that ends at an executable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecutableName {
    /// Absolute path, raw.
    pub path: Vec<u8>,
    /// The name.
    pub node: NodeId,
    /// For a symbolic link: its target as written.
    pub linkname: Option<Vec<u8>>,
}

impl ExecutableName {
    /// The last component of the path.
    #[must_use]
    pub fn base_name(&self) -> &[u8] {
        self.path.rsplit(|byte| *byte == b'/').next().unwrap_or_default()
    }
}

/// All executables of a tree, sorted by the first own name.
#[must_use]
pub fn executables(rootfs: &Rootfs, limits: &Limits) -> Vec<Executable> {
    executables_through(rootfs, &mut Links::new(rootfs, limits))
}

pub(super) fn executables_through(rootfs: &Rootfs, links: &mut Links<'_>) -> Vec<Executable> {
    let name = |node: NodeId, linkname: Option<&[u8]>| ExecutableName {
        path: rootfs.path(node),
        node,
        linkname: linkname.map(<[u8]>::to_vec),
    };
    let mut names_of: BTreeMap<u32, Vec<ExecutableName>> = BTreeMap::new();
    for node in links.nodes().collect::<Vec<_>>() {
        let inode = rootfs.inode(node);
        if inode.is_executable_file() {
            names_of.entry(rootfs.inode_number(node)).or_default().push(name(node, None));
        } else if let Some(target) = inode.target()
            && let Some(end) = links.end(node)
            && rootfs.inode(end).is_executable_file()
        {
            names_of.entry(rootfs.inode_number(end)).or_default().push(name(node, Some(target)));
        }
    }
    let mut found: Vec<_> = names_of
        .into_values()
        .filter_map(|mut names| {
            names.sort_unstable_by(|a, b| (a.linkname.is_some(), &a.path).cmp(&(b.linkname.is_some(), &b.path)));
            Some(Executable { node: names.first()?.node, names })
        })
        .collect();
    found.sort_unstable_by(|a, b| first_path(a).cmp(first_path(b)));
    found
}

/// Executables that start as ELF and cannot be parsed, of which nothing is known but their names, and those whose headers
/// contradict one another.
pub(super) fn malformed(rootfs: &Rootfs, executables: &[Executable]) -> Vec<Remark> {
    let remark = |executable: &Executable| {
        let inode = rootfs.inode(executable.node);
        let content = inode.content.as_ref()?;
        let (code, reason) = match (&content.broken_elf, &content.elf) {
            (Some(reason), _) => (Code::ElfMalformed, reason),
            (None, Some(elf)) => (Code::ElfContradictory, elf.faults.first()?),
            (None, None) => return None,
        };
        let remark = Remark::at(code, first_path(executable), &**reason);
        Some(Remark { place: remark.place.in_layer(inode.layer), ..remark })
    };
    executables.iter().filter_map(remark).collect()
}

fn first_path(executable: &Executable) -> &[u8] {
    executable.names.first().map(|name| name.path.as_slice()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rootfs::{Inode, InodeKind};

    fn file(mode: u16) -> Inode {
        Inode::new(InodeKind::File { size: 1 }, mode, 0)
    }

    fn link_to(target: &[u8]) -> Inode {
        Inode::new(InodeKind::Symlink { target: target.into() }, 0o777, 0)
    }

    fn listed(rootfs: &Rootfs) -> Vec<Vec<String>> {
        let text = |name: &ExecutableName| name.path.escape_ascii().to_string();
        executables(rootfs, &Limits::default()).iter().map(|found| found.names.iter().map(text).collect()).collect()
    }

    #[test]
    fn every_file_with_an_x_bit_is_listed_with_its_hard_links_and_all_links_that_end_at_it() {
        let mut rootfs = Rootfs::default();
        let gcc = rootfs.insert(b"/usr/bin/gcc-12", file(0o755));
        rootfs.insert_hard_link(b"/opt/gcc", gcc);
        rootfs.insert(b"/bin", link_to(b"usr/bin"));
        rootfs.insert(b"/etc/alternatives/cc", link_to(b"/bin/gcc-12"));
        rootfs.insert(b"/usr/bin/cc", link_to(b"/etc/alternatives/cc"));
        rootfs.insert(b"/usr/bin/data", file(0o644));
        rootfs.insert(b"/a", file(0o001));
        assert_eq!(listed(&rootfs), [vec!["/a"], vec!["/opt/gcc", "/usr/bin/gcc-12", "/etc/alternatives/cc", "/usr/bin/cc"]]);
        let found = executables(&rootfs, &Limits::default());
        assert_eq!(found[1].names[2].linkname.as_deref(), Some(&b"/bin/gcc-12"[..]));
        assert_eq!(found[1].names[0].base_name(), b"gcc");
        assert_eq!(rootfs.path(found[1].node), b"/opt/gcc");
    }

    #[test]
    fn dangling_links_loops_and_folders_are_no_executables() {
        let mut rootfs = Rootfs::default();
        rootfs.insert(b"/a", link_to(b"gone"));
        rootfs.insert(b"/b", link_to(b"b"));
        rootfs.insert(b"/c", link_to(b"d"));
        rootfs.insert(b"/d", link_to(b"c"));
        rootfs.insert(b"/e", Inode::new(InodeKind::Directory, 0o755, 0));
        assert!(listed(&rootfs).is_empty());
    }
}
