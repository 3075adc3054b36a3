//! Node.js: the packages of npm, Yarn and pnpm in `node_modules`.

use std::collections::BTreeSet;

use super::ComponentKind;
use super::collect::{Collector, Extent, first_declared};
use super::places::Places;
use crate::rootfs::NodeId;

pub(super) fn read(collector: &mut Collector<'_, '_>, places: &Places) {
    let rootfs = collector.rootfs();
    let mut seen = BTreeSet::new();
    for place in &places.npm {
        let is_scope = collector.base_name(*place).starts_with('@');
        let in_scope = rootfs.children(*place).map(|(_, node)| node).filter(|_| is_scope);
        for node in std::iter::once(*place).filter(|_| !is_scope).chain(in_scope).collect::<Vec<_>>() {
            // a workspace is linked, and its folder lies elsewhere
            let folder = if rootfs.inode(node).target().is_some() { collector.bodies.links.end(node) } else { Some(node) };
            if let Some(folder) = folder.filter(|folder| seen.insert(*folder)) {
                package(collector, folder, is_scope.then_some(*place));
            }
        }
    }
}

fn package(collector: &mut Collector<'_, '_>, folder: NodeId, scope: Option<NodeId>) {
    let Some(file) = collector.file_in(folder, b"package.json") else { return };
    let declared = collector.declared(file);
    // npm installs nothing without a name; such a file says how the modules beside it are read
    if declared.is_some_and(|declared| declared.named.is_empty() && declared.fault.is_none()) {
        return;
    }
    let scope = scope.map(|scope| collector.base_name(scope) + "/").unwrap_or_default();
    let name = format!("{scope}{}", collector.base_name(folder));
    let mut found = first_declared(declared, "its package.json", (name, None));
    found.extent = Extent::Folder(folder);
    collector.add(ComponentKind::NpmPackage, folder, file, found);
}
