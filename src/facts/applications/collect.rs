//! Puts components together: sorts them, weighs them, and says which files belong to which.

use std::collections::{BTreeMap, BTreeSet};

use super::super::bodies::Bodies;
use super::super::packages::Packages;
use super::{Applications, Component, ComponentKind};
use crate::layer::Content;
use crate::layer::probe::Declared;
use crate::oci::{Code, Place, Remark, escape_text};
use crate::rootfs::{NodeId, Rootfs};

/// The files of a component.
#[derive(Debug, Clone, Default)]
pub(super) enum Extent {
    /// It has none of its own.
    #[default]
    Nothing,
    /// One file.
    File(NodeId),
    /// What lies in a folder and belongs to nothing nearer.
    Folder(NodeId),
    /// Those that it lists.
    Files(Vec<NodeId>),
}

/// What is said of a component when it is found.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) name: String,
    pub(super) version: Option<String>,
    pub(super) extent: Extent,
    pub(super) details: BTreeMap<&'static str, String>,
    pub(super) problem: Option<String>,
}

impl Found {
    pub(super) fn named(name: impl Into<String>, version: Option<String>) -> Self {
        Self { name: name.into(), version: version.filter(|version| !version.is_empty()), ..Self::default() }
    }

    /// Notes what is known under a name, when it is something.
    pub(super) fn detail(&mut self, name: &'static str, value: impl Into<String>) {
        let value = value.into();
        if !value.is_empty() {
            self.details.insert(name, value);
        }
    }
}

/// What was found so far.
pub(super) struct Collector<'c, 'a> {
    pub(super) bodies: &'c mut Bodies<'a>,
    packages: &'c Packages,
    found: Vec<(Component, Extent)>,
    remarks: Vec<Remark>,
    /// Lines of all RECORDs so far.
    pub(super) lines: u64,
    is_full: bool,
}

impl<'c, 'a> Collector<'c, 'a> {
    pub(super) fn new(bodies: &'c mut Bodies<'a>, packages: &'c Packages) -> Self {
        Self { bodies, packages, found: Vec::new(), remarks: Vec::new(), lines: 0, is_full: false }
    }

    pub(super) fn rootfs(&self) -> &'a Rootfs {
        self.bodies.rootfs
    }

    /// The file `name` in a folder.
    pub(super) fn file_in(&self, folder: NodeId, name: &[u8]) -> Option<NodeId> {
        self.rootfs().child(folder, name).filter(|node| self.rootfs().inode(*node).is_file())
    }

    /// What lies at a path of components below a folder, no link followed.
    pub(super) fn below(&self, folder: NodeId, path: &str) -> Option<NodeId> {
        path.split('/').try_fold(folder, |at, name| self.rootfs().child(at, name.as_bytes()))
    }

    /// What was learnt of a file's content.
    pub(super) fn content(&self, node: NodeId) -> Option<&'a Content> {
        self.rootfs().inode(node).content.as_deref()
    }

    /// What a file says of the software that it describes.
    pub(super) fn declared(&self, node: NodeId) -> Option<&'a Declared> {
        self.content(node)?.declared.as_deref()
    }

    /// Last component of a path, as text.
    pub(super) fn base_name(&self, node: NodeId) -> String {
        let path = self.rootfs().path(node);
        String::from_utf8_lossy(path.rsplit(|byte| *byte == b'/').next().unwrap_or_default()).into_owned()
    }

    /// Adds what was found at `node`, of which the file `told_by` tells.
    pub(super) fn add(&mut self, kind: ComponentKind, node: NodeId, told_by: NodeId, found: Found) {
        let count = u64::try_from(self.found.len()).unwrap_or(u64::MAX).saturating_add(1);
        let path = self.rootfs().path(node);
        if let Err(hit) = self.bodies.limits.components(count) {
            if !std::mem::replace(&mut self.is_full, true) {
                self.bodies.report(&path, hit.to_string());
            }
            return;
        }
        let layer = self.rootfs().inode(told_by).layer;
        let package = self.packages.owned.get(&self.rootfs().inode_number(told_by)).map(|owned| owned.package);
        let Found { name, version, extent, details, problem } = found;
        if let Some(problem) = &problem {
            let place = Place { layer: Some(layer), ..Place::path(path.clone()) };
            self.remarks.push(Remark { code: Code::ComponentMalformed, place, detail: problem.clone() });
        }
        let component = Component { kind, name, version, path, node, layer, bytes: None, package, details, problem };
        self.found.push((component, extent));
    }

    /// Sorts everything and weighs it. A file that several list belongs to the first.
    pub(super) fn finish(mut self) -> (Applications, Vec<Remark>) {
        let rootfs = self.rootfs();
        self.found.sort_by(|(a, _), (b, _)| (a.kind, &a.name, &a.version, &a.path).cmp(&(b.kind, &b.name, &b.version, &b.path)));
        let mut applications = Applications::default();
        let mut single = Vec::new();
        for (index, (mut component, extent)) in self.found.into_iter().enumerate() {
            match extent {
                Extent::Nothing => {}
                Extent::File(node) => {
                    component.bytes = Some(rootfs.inode(node).size());
                    single.push((rootfs.inode_number(node), index));
                }
                Extent::Folder(node) => {
                    component.bytes = Some(0);
                    applications.folders.entry(node).or_insert(index);
                }
                Extent::Files(nodes) => {
                    component.bytes = Some(0);
                    for node in nodes {
                        applications.files.entry(rootfs.inode_number(node)).or_insert(index);
                    }
                }
            }
            applications.list.push(component);
        }
        weigh(rootfs, &mut applications);
        // a program that a package brings is of the package
        for (inode, index) in single {
            applications.files.entry(inode).or_insert(index);
        }
        (applications, self.remarks)
    }
}

/// Adds every file to what it belongs to, each inode once.
fn weigh(rootfs: &Rootfs, applications: &mut Applications) {
    let mut counted = BTreeSet::new();
    let mut stack = vec![(rootfs.root(), applications.folders.get(&rootfs.root()).copied())];
    while let Some((folder, around)) = stack.pop() {
        for (_, node) in rootfs.children(folder) {
            let inode = rootfs.inode(node);
            let around = applications.folders.get(&node).copied().or(around);
            if inode.is_directory() {
                stack.push((node, around));
                continue;
            }
            let number = rootfs.inode_number(node);
            let owner = applications.files.get(&number).copied().or(around).and_then(|owner| applications.list.get_mut(owner));
            if let Some(owner) = owner.filter(|_| inode.is_file() && counted.insert(number)) {
                owner.bytes = Some(owner.bytes.unwrap_or_default().saturating_add(inode.size()));
            }
        }
    }
}

/// The first thing that a file declares, else `otherwise` with what is wrong.
pub(super) fn first_declared(declared: Option<&Declared>, file: &str, otherwise: (String, Option<String>)) -> Found {
    if let Some((named, declared)) = declared.and_then(|declared| Some((declared.named.first()?, declared))) {
        return Found {
            problem: declared.fault.as_deref().map(str::to_owned),
            ..Found::named(named.name.as_ref(), named.version.as_deref().map(str::to_owned).or(otherwise.1))
        };
    }
    let fault = declared.and_then(|declared| declared.fault.as_deref()).unwrap_or("its content is not known");
    Found { problem: Some(format!("{}: {fault}", escape_text(file))), ..Found::named(otherwise.0, otherwise.1) }
}
