//! .NET: shared frameworks, SDKs, and the packages that applications list in their `.deps.json`.

use std::collections::BTreeSet;

use super::ComponentKind;
use super::collect::{Collector, Extent, Found};
use super::places::Places;
use crate::rootfs::NodeId;

pub(super) fn read(collector: &mut Collector<'_, '_>, places: &Places) {
    let rootfs = collector.rootfs();
    for folder in &places.frameworks {
        let name = collector.base_name(rootfs.folder_of(*folder));
        let Some(told_by) = collector.file_in(*folder, format!("{name}.deps.json").as_bytes()) else { continue };
        let found = Found { extent: Extent::Folder(*folder), ..Found::named(name, Some(collector.base_name(*folder))) };
        collector.add(ComponentKind::DotNetFramework, *folder, told_by, found);
    }
    for folder in &places.sdks {
        let Some(told_by) = collector.file_in(*folder, b"dotnet.dll") else { continue };
        let found = Found { extent: Extent::Folder(*folder), ..Found::named(".NET SDK", Some(collector.base_name(*folder))) };
        collector.add(ComponentKind::DotNetSdk, *folder, told_by, found);
    }
    let of_dot_net: BTreeSet<NodeId> = places.frameworks.iter().chain(&places.sdks).copied().collect();
    for file in &places.dependencies {
        let folders =
            std::iter::successors(Some(*file), |at| Some(rootfs.folder_of(*at)).filter(|folder| *folder != rootfs.root()));
        // what frameworks and SDKs are made of is theirs
        if folders.into_iter().any(|folder| of_dot_net.contains(&folder)) {
            continue;
        }
        let Some(declared) = collector.declared(*file) else { continue };
        for named in &declared.named {
            let found = Found::named(named.name.as_ref(), named.version.as_deref().map(str::to_owned));
            collector.add(ComponentKind::NugetPackage, *file, *file, found);
        }
        if let Some(fault) = &declared.fault {
            let found = Found { problem: Some(fault.to_string()), ..Found::named(collector.base_name(*file), None) };
            collector.add(ComponentKind::NugetPackage, *file, *file, found);
        }
    }
}
