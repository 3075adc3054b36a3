//! The ELF files of the application: those that no package owns, and no distribution without a database brought.

use super::{evidence, tools};
use crate::facts::{ElfFacts, Executable, Image, Marker};
use crate::finding::Evidence;
use crate::rootfs::NodeId;

const ET_EXEC: u16 = 2;
const ET_DYN: u16 = 3;

/// One file by its first name.
#[derive(Debug)]
pub(super) struct ElfFile<'i> {
    /// Absolute path, raw.
    pub(super) path: Vec<u8>,
    /// That name.
    pub(super) node: NodeId,
    /// What is known of it.
    pub(super) elf: &'i ElfFacts,
}

impl ElfFile<'_> {
    /// Whether the kernel would start it.
    pub(super) fn is_program(&self, image: &Image) -> bool {
        self.elf.is_program && image.rootfs.inode(self.node).is_executable_file()
    }

    /// The file as evidence.
    pub(super) fn evidence(&self, image: &Image) -> Evidence {
        evidence::of_node(image, self.path.clone(), self.node)
    }
}

/// Programs and shared libraries that are wanted, sorted by path, each file once.
fn files(image: &Image, is_wanted: impl Fn(NodeId) -> bool) -> Vec<ElfFile<'_>> {
    let mut found: std::collections::BTreeMap<u32, ElfFile<'_>> = std::collections::BTreeMap::new();
    for (path, node) in image.rootfs.entries() {
        let inode = image.rootfs.inode(node);
        let Some(elf) = tools::elf(inode).filter(|elf| matches!(elf.kind, ET_EXEC | ET_DYN) && is_wanted(node)) else { continue };
        // `[` is the first of BusyBox' names, and says little
        let is_own_name = path.ends_with(b"/busybox") && tools::has_marker(inode, Marker::BusyBox);
        let number = image.rootfs.inode_number(node);
        if is_own_name || !found.contains_key(&number) {
            found.insert(number, ElfFile { path, node, elf });
        }
    }
    let mut files: Vec<_> = found.into_values().collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

/// Whether a file is the application's: no package owns it, and it is no program of a distribution's that keeps no database. An
/// image that has no distribution at all holds nothing but the application.
fn is_of_application(image: &Image) -> impl Fn(NodeId) -> bool {
    let is_busybox = |one: &Executable| tools::has_marker(image.rootfs.inode(one.node), Marker::BusyBox);
    let has_distribution = image.os_release.is_some() || image.executables.iter().any(is_busybox);
    let is_unlisted = has_distribution && image.packages.databases.is_empty();
    move |node| tools::owner(image, node).is_none() && !(is_unlisted && is_of_system(&image.rootfs.path(node)))
}

/// Whether a path lies where distributions put programs and libraries.
fn is_of_system(path: &[u8]) -> bool {
    const FOLDERS: [&[u8]; 10] = [
        b"/bin/",
        b"/sbin/",
        b"/lib/",
        b"/lib64/",
        b"/usr/bin/",
        b"/usr/sbin/",
        b"/usr/lib/",
        b"/usr/lib64/",
        b"/usr/libexec/",
        b"/usr/share/",
    ];
    FOLDERS.iter().any(|folder| path.starts_with(folder))
}

/// The application's programs and shared libraries, sorted by path, each file once.
pub(super) fn of_application(image: &Image) -> Vec<ElfFile<'_>> {
    files(image, is_of_application(image))
}

/// The same, and what the programs on the start-up path load, whoever owns it.
pub(super) fn of_application_and_startup(image: &Image) -> Vec<ElfFile<'_>> {
    let loaded: std::collections::BTreeSet<u32> =
        image.linking.objects.iter().map(|node| image.rootfs.inode_number(*node)).collect();
    let is_of_application = is_of_application(image);
    files(image, |node| is_of_application(node) || loaded.contains(&image.rootfs.inode_number(node)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::testing::Builder;

    #[test]
    fn a_file_with_many_names_counts_once_busybox_by_its_own() {
        let elf = || ElfFacts { kind: 3, is_program: true, ..ElfFacts::default() };
        let mut builder = Builder::default();
        builder.elf("/bin/[", 9, ElfFacts { markers: [Marker::BusyBox].into(), ..elf() });
        builder.hard_link("/bin/busybox", "/bin/[").hard_link("/bin/sh", "/bin/[");
        builder.elf("/app/b", 9, elf()).hard_link("/app/a", "/app/b").elf("/app/o", 9, ElfFacts { kind: 1, ..elf() });
        builder.database(crate::facts::DatabaseKind::Apk);
        let image = builder.image();
        let paths: Vec<_> = of_application(&image).into_iter().map(|file| file.path).collect();
        assert_eq!(paths, [b"/app/a".to_vec(), b"/bin/busybox".to_vec()]);
    }

    #[test]
    fn a_distribution_without_a_database_still_owns_its_folders() {
        let elf = |marker: Option<Marker>| ElfFacts { kind: 3, markers: marker.into_iter().collect(), ..ElfFacts::default() };
        let found = |builder: &mut Builder| {
            let image = builder.image();
            of_application(&image).into_iter().map(|file| file.path).collect::<Vec<_>>()
        };
        let mut scratch = Builder::default();
        scratch.elf("/bin/server", 9, elf(None));
        assert_eq!(found(&mut scratch), [b"/bin/server".to_vec()], "an image of one program");
        let mut busybox = Builder::default();
        busybox.elf("/bin/busybox", 9, elf(Some(Marker::BusyBox))).elf("/bin/getconf", 9, elf(None)).elf(
            "/app/server",
            9,
            elf(None),
        );
        assert_eq!(found(&mut busybox), [b"/app/server".to_vec()]);
        busybox.elf("/bin/busybox", 9, elf(Some(Marker::BusyBox))).elf("/bin/server", 9, elf(None));
        busybox.database(crate::facts::DatabaseKind::Apk);
        assert_eq!(found(&mut busybox).len(), 2, "a database that does not list them");
    }
}
