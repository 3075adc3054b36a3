//! What is installed beside the packages of the operating system: distributions and environments of Python, packages of npm, Java, Go,
//! Rust, .NET, Ruby and PHP, each with where it lies, how much it weighs and what tells of it.
//!
//! The inventory is of the final tree: what a folder, a file or a program says of itself. Nothing is asked whether it is imported.
//! What an archive holds (`.jar`, `.whl`, `.zip`) is not looked into.

mod collect;
mod dotnet;
mod go;
mod java;
mod listed;
mod node;
mod places;
mod python;
pub(super) mod record;
mod rust;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use self::collect::Collector;
use self::places::Places;
use super::bodies::Bodies;
use super::packages::Packages;
use super::test_files::TestPackage;
use crate::oci::Remark;
use crate::rootfs::{NodeId, Rootfs};

/// What a component is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ComponentKind {
    /// A distribution of Python: `.dist-info`, `.egg-info`.
    PythonDistribution,
    /// A virtual environment of Python: `pyvenv.cfg`.
    PythonEnvironment,
    /// A tree of Python's modules that holds byte code and no sources, and belongs to no distribution.
    PythonBytecode,
    /// A package in `node_modules`.
    NpmPackage,
    /// A Java virtual machine with its modules.
    JavaRuntime,
    /// A `.jar`, `.war` or `.ear`, by its file's name.
    JavaArchive,
    /// The main module of a Go program, or one that it was built with.
    GoModule,
    /// A program that rustc compiled.
    RustProgram,
    /// A shared framework of .NET.
    DotNetFramework,
    /// An SDK of .NET.
    DotNetSdk,
    /// A package that a `.deps.json` lists.
    NugetPackage,
    /// A gem, by its specification's name.
    RubyGem,
    /// A package that `vendor/composer/installed.json` lists.
    ComposerPackage,
}

impl ComponentKind {
    /// The kebab-case name used in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PythonDistribution => "python-distribution",
            Self::PythonEnvironment => "python-environment",
            Self::PythonBytecode => "python-bytecode",
            Self::NpmPackage => "npm-package",
            Self::JavaRuntime => "java-runtime",
            Self::JavaArchive => "java-archive",
            Self::GoModule => "go-module",
            Self::RustProgram => "rust-program",
            Self::DotNetFramework => "dotnet-framework",
            Self::DotNetSdk => "dotnet-sdk",
            Self::NugetPackage => "nuget-package",
            Self::RubyGem => "ruby-gem",
            Self::ComposerPackage => "composer-package",
        }
    }
}

/// Something that is installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// What it is.
    pub kind: ComponentKind,
    /// As it calls itself, else as its folder or file is called; raw.
    pub name: String,
    /// As it says; None when nothing tells.
    pub version: Option<String>,
    /// The folder or file that tells of it, absolute, raw.
    pub path: Vec<u8>,
    /// The same in the tree.
    pub node: NodeId,
    /// Index of the layer that last wrote what tells of it.
    pub layer: usize,
    /// Bytes of its files; None where it has none of its own (a module inside a program), or nothing lists them.
    pub bytes: Option<u64>,
    /// The package of the operating system that owns what tells of it: index into [`Packages::list`].
    pub package: Option<usize>,
    /// What else is known, by name: see `docs/report.md`.
    pub details: BTreeMap<&'static str, String>,
    /// What could not be read of it, one clause, escaped.
    pub problem: Option<String>,
}

/// All components.
#[derive(Debug, Clone, Default)]
pub struct Applications {
    /// Sorted by kind, name, version and path.
    pub list: Vec<Component>,
    /// Component by inode number, for files that one lists.
    files: BTreeMap<u32, usize>,
    /// Component by folder: what lies below belongs to it, unless it belongs to something nearer.
    folders: BTreeMap<NodeId, usize>,
}

impl Applications {
    /// The component that a name belongs to: the one that lists the file, else the nearest whose folder it lies in.
    #[must_use]
    pub fn owner_of(&self, rootfs: &Rootfs, node: NodeId) -> Option<&Component> {
        let mut at = node;
        let mut index = self.files.get(&rootfs.inode_number(node));
        while index.is_none() {
            index = self.folders.get(&at);
            if at == rootfs.root() {
                break;
            }
            at = rootfs.folder_of(at);
        }
        self.list.get(*index?)
    }

    /// Notes of npm packages that only development needs them.
    fn note_development(&mut self, packages: &[TestPackage]) {
        let paths: BTreeSet<&[u8]> = packages.iter().map(|package| &package.path[..]).collect();
        for component in self.list.iter_mut().filter(|component| component.kind == ComponentKind::NpmPackage) {
            if paths.contains(&component.path[..]) {
                component.details.insert("needed_for", "development".to_owned());
            }
        }
    }

    /// Those of one kind, in order.
    pub fn of_kind(&self, kind: ComponentKind) -> impl Iterator<Item = &Component> {
        self.list.iter().filter(move |component| component.kind == kind)
    }
}

/// Paths of all files that [`read`] would look into.
pub(super) fn wanted(rootfs: &Rootfs) -> Vec<Vec<u8>> {
    let places = Places::of(rootfs);
    let records = places.distributions.iter().filter_map(|folder| rootfs.child(*folder, b"RECORD"));
    records
        .chain(places.environments.iter().copied())
        .chain(places.releases.iter().copied())
        .map(|node| rootfs.path(node))
        .collect()
}

/// The inventory. What is remarkable about it is added to `remarks`; what hit a limit is remembered by `bodies`.
pub(super) fn read(
    bodies: &mut Bodies<'_>,
    packages: &Packages,
    test_packages: &[TestPackage],
    remarks: &mut Vec<Remark>,
) -> Applications {
    let places = Places::of(bodies.rootfs);
    let mut collector = Collector::new(bodies, packages);
    python::read(&mut collector, &places);
    node::read(&mut collector, &places);
    java::read(&mut collector, &places);
    go::read(&mut collector, &places);
    rust::read(&mut collector, &places);
    dotnet::read(&mut collector, &places);
    listed::read(&mut collector, &places);
    let (mut applications, of_components) = collector.finish();
    applications.note_development(test_packages);
    remarks.extend(of_components);
    applications
}
