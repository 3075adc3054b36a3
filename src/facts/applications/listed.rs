//! Ruby's gems, by the names of their specifications, and the packages that Composer lists for PHP.

use super::ComponentKind;
use super::collect::{Collector, Extent, Found};
use super::places::Places;

pub(super) fn read(collector: &mut Collector<'_, '_>, places: &Places) {
    let rootfs = collector.rootfs();
    for file in &places.gems {
        let name = collector.base_name(*file);
        let stem = name.strip_suffix(".gemspec").unwrap_or(&name);
        let (name, version) = gem(stem);
        let mut found = Found::named(name, version.map(str::to_owned));
        let folder = rootfs.folder_of(rootfs.folder_of(*file));
        let gem = rootfs.child(folder, b"gems").and_then(|gems| rootfs.child(gems, stem.as_bytes()));
        found.extent = gem.map_or(Extent::File(*file), Extent::Folder);
        collector.add(ComponentKind::RubyGem, gem.unwrap_or(*file), *file, found);
    }
    for file in &places.composer {
        let Some(declared) = collector.declared(*file) else { continue };
        let vendor = rootfs.folder_of(rootfs.folder_of(*file));
        for named in &declared.named {
            let folder = collector.below(vendor, &named.name).filter(|folder| rootfs.inode(*folder).is_directory());
            let mut found = Found::named(named.name.as_ref(), named.version.as_deref().map(str::to_owned));
            found.extent = folder.map_or(Extent::Nothing, Extent::Folder);
            collector.add(ComponentKind::ComposerPackage, folder.unwrap_or(*file), *file, found);
        }
        if let Some(fault) = &declared.fault {
            let found = Found { problem: Some(fault.to_string()), ..Found::named(collector.base_name(*file), None) };
            collector.add(ComponentKind::ComposerPackage, *file, *file, found);
        }
    }
}

/// `nokogiri-1.15.4-x86_64-linux`: the version stands behind the last hyphen that a digit follows, before the platform.
fn gem(stem: &str) -> (&str, Option<&str>) {
    let mut cut =
        stem.rmatch_indices('-').map(|(at, _)| at).filter_map(|at| Some((stem.get(..at)?, stem.get(at.saturating_add(1)..)?)));
    let last = cut.find(|(_, rest)| rest.starts_with(|c: char| c.is_ascii_digit()));
    last.map_or((stem, None), |(name, rest)| (name, rest.split('-').next()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_versions_of_gems_are_told_by_their_specification() {
        assert_eq!(gem("rails-7.1.2"), ("rails", Some("7.1.2")));
        assert_eq!(gem("http-2-0.10.2"), ("http-2", Some("0.10.2")));
        assert_eq!(gem("nokogiri-1.15.4-x86_64-linux"), ("nokogiri", Some("1.15.4")));
        assert_eq!(gem("bundler"), ("bundler", None));
    }
}
