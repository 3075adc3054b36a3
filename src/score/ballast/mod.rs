//! What every byte of an image is: ballast of some class, or not. Each file is in exactly one class.
//!
//! A file's class is the first of these that holds, in the order of [`Class`]: evidence of a check, a folder or package that came
//! with such evidence (`marks`), the name of its package (`packages`), where it lies (`places`), the facts about tests. A file with
//! several names is ballast only when all of them are: bytes that the application also reaches by another name are not freed.

mod biggest;
mod marks;
mod packages;
mod parts;
#[cfg(test)]
mod parts_tests;
mod places;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::{Image, OwnedFile};
use crate::finding::Finding;
use crate::rootfs::{Buried, Inode, NodeId};

use super::LayerBytes;
use biggest::Folders;
use marks::Marks;
use places::Folder;

pub use biggest::Offender;
pub(super) use marks::{class_of_check, node_at};
pub use parts::FilesystemPart;

/// What a byte of an image is. The order is that in which a file is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Compilers, build tools, debuggers, version control, headers, static libraries.
    Toolchain,
    /// Package lists, package caches, temporary files, logs.
    Cache,
    /// doc, man, info, locale.
    Documentation,
    /// Shipped, and not in the final filesystem.
    Buried,
    /// Package managers and what they bring for themselves.
    PackageManager,
    /// Test and lint tools, and test suites.
    TestDependency,
    /// Owned by a package of the operating system, its databases, `/etc`.
    System,
    /// Every other file.
    Application,
    /// Headers and padding of the layers' tars.
    Archive,
}

impl Class {
    /// All classes, in order.
    pub const ALL: [Self; 9] = [
        Self::Toolchain,
        Self::Cache,
        Self::Documentation,
        Self::Buried,
        Self::PackageManager,
        Self::TestDependency,
        Self::System,
        Self::Application,
        Self::Archive,
    ];

    /// The name in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Toolchain => "toolchain",
            Self::Cache => "cache",
            Self::Documentation => "documentation",
            Self::Buried => "buried",
            Self::PackageManager => "package-manager",
            Self::TestDependency => "test-dependency",
            Self::System => "system",
            Self::Application => "application",
            Self::Archive => "archive",
        }
    }

    /// Whether the application does without at run time.
    #[must_use]
    pub fn is_ballast(self) -> bool {
        self <= Self::TestDependency
    }
}

/// The bytes of an image by class.
#[derive(Debug, Clone, Default)]
pub struct Ballast {
    bytes: [u64; Class::ALL.len()],
    /// By inode number of the stacked tree; None for what is no regular file.
    classes: Vec<Option<Class>>,
    /// Classes of files whose names are of several, by inode number: which one counts depends on the names that are there.
    pub(super) mixed: BTreeMap<u32, BTreeSet<Class>>,
    /// The folders and files that weigh most, heaviest first.
    pub biggest: Vec<Offender>,
    /// Names in the final filesystem, without the root.
    pub entries: u64,
    privileged_files: u64,
}

impl Ballast {
    /// Bytes of one class.
    #[must_use]
    pub fn of(&self, class: Class) -> u64 {
        self.bytes.get(class as usize).copied().unwrap_or(0)
    }

    /// Bytes of all classes that are ballast.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.sum(Class::is_ballast)
    }

    /// Bytes of regular files of the final filesystem.
    #[must_use]
    pub fn final_bytes(&self) -> u64 {
        self.sum(|class| !matches!(class, Class::Buried | Class::Archive))
    }

    /// The class of a file.
    #[must_use]
    pub fn class_of(&self, image: &Image, node: NodeId) -> Option<Class> {
        self.classes.get(usize::try_from(image.rootfs.inode_number(node)).ok()?).copied().flatten()
    }

    /// Files with a setuid bit, a setgid bit or a file capability.
    #[must_use]
    pub fn privileged_files(&self) -> u64 {
        self.privileged_files
    }

    fn sum(&self, is_wanted: impl Fn(Class) -> bool) -> u64 {
        Class::ALL.into_iter().filter(|class| is_wanted(*class)).fold(0, |sum, class| sum.saturating_add(self.of(class)))
    }

    fn add(&mut self, class: Class, bytes: u64) {
        if let Some(sum) = self.bytes.get_mut(class as usize) {
            *sum = sum.saturating_add(bytes);
        }
    }
}

/// What is said of one inode while its names are met.
#[derive(Debug, Clone, Copy)]
struct Met {
    class: Class,
    node: NodeId,
    folder: usize,
}

/// Classes every byte. `findings` are those of all built-in checks, before any policy; `buried` the biggest buried files.
#[must_use]
pub fn ballast(image: &Image, findings: &[Finding], bytes: LayerBytes, buried: &[Buried]) -> Ballast {
    let marks = Marks::of(image, findings);
    let mut folders = Folders::default();
    let mut ballast = Ballast::default();
    let mut met: Vec<Option<Met>> = Vec::new();
    let mut open = vec![(Folders::ROOT, Folder::root(image))];
    while let Some((number, folder)) = open.pop() {
        for (name, node) in image.rootfs.children(folder.node) {
            ballast.entries = ballast.entries.saturating_add(1);
            if image.rootfs.inode(node).is_directory() {
                let below = folder.below(image, &marks, name, node);
                open.push((folders.add(number, name), below));
            } else if image.rootfs.inode(node).is_file() {
                meet(
                    &mut met,
                    &mut ballast.mixed,
                    image,
                    Met { class: class_of(image, &marks, &folder, name, node), node, folder: number },
                );
            }
        }
    }
    for one in met.iter().flatten() {
        let inode = image.rootfs.inode(one.node);
        ballast.add(one.class, inode.size());
        ballast.privileged_files = ballast.privileged_files.saturating_add(u64::from(is_privileged(inode)));
        folders.put(one.folder, one.class, one.node, inode);
    }
    ballast.classes = met.iter().map(|met| met.map(|met| met.class)).collect();
    ballast.add(Class::Buried, bytes.buried);
    ballast.add(Class::Archive, bytes.shipped.saturating_sub(ballast.final_bytes().saturating_add(bytes.buried)));
    ballast.biggest = folders.biggest(image, buried);
    ballast
}

/// Notes one name of a file. The class that is least ballast wins, and among those the first in order.
fn meet(met: &mut Vec<Option<Met>>, mixed: &mut BTreeMap<u32, BTreeSet<Class>>, image: &Image, one: Met) {
    let inode = image.rootfs.inode_number(one.node);
    let Ok(number) = usize::try_from(inode) else { return };
    if met.len() <= number {
        met.resize(number.saturating_add(1), None);
    }
    let Some(slot) = met.get_mut(number) else { return };
    if let Some(other) = slot.filter(|other| other.class != one.class) {
        mixed.entry(inode).or_default().extend([other.class, one.class]);
    }
    let rank = |class: Class| (class.is_ballast(), class);
    if slot.is_none_or(|other| rank(one.class) < rank(other.class)) {
        *slot = Some(one);
    }
}

fn class_of(image: &Image, marks: &Marks, folder: &Folder, name: &[u8], node: NodeId) -> Class {
    let owner = owner(image, folder, name, node);
    let of_place = folder.class.filter(|class| *class != Class::Cache || owner.is_none());
    let is_test = image.test_files.contains(&image.rootfs.inode_number(node));
    let found = [
        marks.of_node(image, node),
        owner.and_then(|owned| marks.of_package(owned.package)),
        of_place,
        places::by_name(folder, name),
        is_test.then_some(Class::TestDependency),
    ];
    let otherwise = if owner.is_some() || folder.is_system { Class::System } else { Class::Application };
    found.into_iter().flatten().min().unwrap_or(otherwise)
}

/// The package that owns a file, or the source that a byte-compiled module of Python was made from when its package was installed.
fn owner<'i>(image: &'i Image, folder: &Folder, name: &[u8], node: NodeId) -> Option<&'i OwnedFile> {
    let owned = |node: NodeId| image.packages.owned.get(&image.rootfs.inode_number(node));
    owned(node).or_else(|| {
        let module = name.strip_suffix(b".pyc").filter(|_| folder.name() == b"__pycache__")?;
        let module = module.split(|byte| *byte == b'.').next()?;
        owned(image.rootfs.child(image.rootfs.folder_of(folder.node), &[module, b".py"].concat())?)
    })
}

fn is_privileged(inode: &Inode) -> bool {
    let has_capability = inode.xattrs.iter().flat_map(|xattrs| xattrs.iter()).any(|xattr| xattr.name == b"security.capability");
    inode.mode & 0o6000 != 0 || has_capability
}
