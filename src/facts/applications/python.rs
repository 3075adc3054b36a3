//! Python: distributions by their `.dist-info` and `.egg-info`, virtual environments by `pyvenv.cfg`, trees of byte code.

use std::collections::BTreeMap;

use super::collect::{Collector, Extent, Found, first_declared};
use super::places::Places;
use super::{ComponentKind, record};
use crate::limits::Limits;
use crate::oci::escape_text;
use crate::rootfs::{NodeId, Rootfs};

pub(super) fn read(collector: &mut Collector<'_, '_>, places: &Places) {
    let rootfs = collector.rootfs();
    // trees of byte code by the folder they lie in
    let mut bytecode: BTreeMap<NodeId, Vec<NodeId>> = BTreeMap::new();
    for tree in &places.bytecode {
        bytecode.entry(rootfs.folder_of(*tree)).or_default().push(*tree);
    }
    for place in &places.distributions {
        distribution(collector, *place, &mut bytecode);
    }
    for file in &places.environments {
        environment(collector, *file);
    }
    for tree in bytecode.into_values().flatten() {
        let Some((_, told_by)) = rootfs.children(tree).find(|(name, _)| name.ends_with(b".pyc")) else { continue };
        let found = Found { extent: Extent::Folder(tree), ..Found::named(collector.base_name(tree), None) };
        collector.add(ComponentKind::PythonBytecode, tree, told_by, found);
    }
}

/// A distribution. Trees of byte code that are its modules are taken out of `bytecode`.
fn distribution(collector: &mut Collector<'_, '_>, place: NodeId, bytecode: &mut BTreeMap<NodeId, Vec<NodeId>>) {
    let rootfs = collector.rootfs();
    let folder_name = collector.base_name(place);
    let is_egg = folder_name.rsplit_once('.').is_some_and(|(_, ending)| ending == "egg");
    let is_file = rootfs.inode(place).is_file();
    let told_by = if is_file {
        Some(place)
    } else {
        let egg = rootfs.child(place, b"EGG-INFO").and_then(|inside| collector.file_in(inside, b"PKG-INFO"));
        collector.file_in(place, b"METADATA").or_else(|| collector.file_in(place, b"PKG-INFO")).or(egg)
    };
    let (name, version) = name_and_version(&folder_name);
    // folders that merely end so: those of installers bear a version, or metadata
    if told_by.is_none() && (version.is_none() || is_egg || rootfs.children(place).next().is_none()) {
        return;
    }
    let mut found = match told_by {
        Some(file) => first_declared(collector.declared(file), "its metadata", (name, version)),
        None => Found { problem: Some("its metadata is not there".to_owned()), ..Found::named(name, version) },
    };
    let site = rootfs.folder_of(place);
    if is_egg {
        found.extent = Extent::Folder(place);
    } else if let Some(record) = record::read(collector.bodies, place, &mut collector.lines) {
        let mut files: Vec<NodeId> = record.files.into_iter().collect();
        let trees = bytecode.get_mut(&site);
        let is_its_own = |tree: &mut NodeId| record.tops.contains(base_name(rootfs, *tree));
        for tree in trees.into_iter().flat_map(|trees| trees.extract_if(.., is_its_own)) {
            files.extend(files_below(rootfs, tree));
            found.detail("modules", "bytecode");
        }
        found.extent = Extent::Files(files);
        found.problem = found.problem.or(record.fault);
    } else {
        found.extent = modules_of(collector, site, place, &found.name);
    }
    collector.add(ComponentKind::PythonDistribution, place, told_by.unwrap_or(place), found);
}

/// Without a list of files: the folder that tells, and the modules of the name.
fn modules_of(collector: &Collector<'_, '_>, site: NodeId, place: NodeId, name: &str) -> Extent {
    let rootfs = collector.rootfs();
    let module = name.replace(['-', '.'], "_");
    let candidates = [module.clone(), module.to_ascii_lowercase()];
    let modules = candidates.iter().find_map(|module| {
        rootfs.child(site, module.as_bytes()).or_else(|| rootfs.child(site, format!("{module}.py").as_bytes()))
    });
    Extent::Files(modules.into_iter().chain([place]).flat_map(|part| files_below(rootfs, part)).collect())
}

/// Regular files below a folder, or the file itself.
fn files_below(rootfs: &Rootfs, start: NodeId) -> Vec<NodeId> {
    let (mut files, mut stack) = (Vec::new(), vec![start]);
    while let Some(node) = stack.pop() {
        if rootfs.inode(node).is_file() {
            files.push(node);
        }
        stack.extend(rootfs.children(node).map(|(_, child)| child));
    }
    files
}

fn base_name(rootfs: &Rootfs, node: NodeId) -> &[u8] {
    let folder = rootfs.folder_of(node);
    rootfs.children(folder).find(|(_, child)| *child == node).map(|(name, _)| name).unwrap_or_default()
}

/// `django-5.0.dist-info`, `Foo-1.2-py3.11.egg-info`: the name, and the version where there is one.
fn name_and_version(folder: &str) -> (String, Option<String>) {
    let stem = folder.rsplit_once('.').map_or(folder, |(stem, _)| stem);
    let mut parts = stem.splitn(3, '-');
    (parts.next().unwrap_or_default().to_owned(), parts.next().map(str::to_owned).filter(|version| !version.is_empty()))
}

/// `pyvenv.cfg`: lines of `key = value` (PEP 405).
fn environment(collector: &mut Collector<'_, '_>, file: NodeId) {
    let rootfs = collector.rootfs();
    let (folder, path) = (rootfs.folder_of(file), rootfs.path(file));
    let Some(text) = collector.bodies.read(&path, Limits::kept_file_bytes) else { return };
    let text = String::from_utf8_lossy(text);
    let value = |wanted: &str| {
        let pairs = text.lines().filter_map(|line| line.split_once('='));
        pairs.filter(|(key, _)| key.trim().eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim().to_owned()).next()
    };
    let mut found = Found::named(collector.base_name(folder), value("version").or_else(|| value("version_info")));
    match value("home").filter(|home| !home.is_empty() && home.len() <= 4_096) {
        Some(home) => found.detail("home", home),
        None => found.problem = Some("its pyvenv.cfg names no home".to_owned()),
    }
    if found.version.as_ref().is_some_and(|version| version.len() > 256) {
        found.problem = Some(format!(
            "{} is no version",
            escape_text(found.version.take().unwrap_or_default().get(..64).unwrap_or_default())
        ));
    }
    let is_there = [&b"python"[..], b"python3"].iter().any(|name| {
        let path = [&rootfs.path(folder)[..], b"/bin/", name].concat();
        collector.bodies.links.resolve(&path).is_some_and(|end| rootfs.inode(end).is_file())
    });
    found.detail("interpreter", if is_there { "present" } else { "absent" });
    found.extent = Extent::Folder(folder);
    collector.add(ComponentKind::PythonEnvironment, folder, file, found);
}
