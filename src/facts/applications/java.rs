//! Java: runtimes by their `release` file or their virtual machine, archives by name.

use std::collections::BTreeMap;

use super::ComponentKind;
use super::collect::{Collector, Extent, Found};
use super::places::Places;
use crate::limits::Limits;
use crate::rootfs::NodeId;

/// Longest list of modules that is kept; all of a JDK take 2 KB.
const MOST_MODULE_BYTES: usize = 16 * 1024;

pub(super) fn read(collector: &mut Collector<'_, '_>, places: &Places) {
    let rootfs = collector.rootfs();
    // folder of a runtime, with its `release` file
    let mut runtimes: BTreeMap<NodeId, Option<NodeId>> = BTreeMap::new();
    for machine in &places.virtual_machines {
        // lib/server/libjvm.so; up to Java 8 lib/amd64/server/libjvm.so, in a folder jre
        let folders: Vec<NodeId> =
            std::iter::successors(Some(*machine), |at| Some(rootfs.folder_of(*at))).skip(1).take(4).collect();
        let is_lib = |node: &NodeId| collector.base_name(*node) == "lib";
        let root = folders.windows(2).find_map(|pair| match pair {
            [lib, root] if is_lib(lib) => Some(*root),
            _ => None,
        });
        let Some(root) = root else { continue };
        let outer = Some(rootfs.folder_of(root)).filter(|_| collector.base_name(root) == "jre");
        let outer = outer.filter(|outer| collector.file_in(*outer, b"release").is_some());
        runtimes.insert(outer.unwrap_or(root), None);
    }
    for release in &places.releases {
        let folder = rootfs.folder_of(*release);
        let is_runtime = ["lib/modules", "lib/rt.jar", "jre/lib/rt.jar", "bin/java"]
            .iter()
            .any(|path| collector.below(folder, path).is_some());
        if is_runtime || runtimes.contains_key(&folder) {
            runtimes.insert(folder, Some(*release));
        }
    }
    for (folder, release) in runtimes {
        runtime(collector, folder, release);
    }
    for archive in &places.archives {
        let file = collector.base_name(*archive);
        let stem = file.rsplit_once('.').map_or(file.as_str(), |(stem, _)| stem);
        let (name, version) = name_and_version(stem);
        let found = Found { extent: Extent::File(*archive), ..Found::named(name, version.map(str::to_owned)) };
        collector.add(ComponentKind::JavaArchive, *archive, *archive, found);
    }
}

fn runtime(collector: &mut Collector<'_, '_>, folder: NodeId, release: Option<NodeId>) {
    let rootfs = collector.rootfs();
    let mut values = BTreeMap::new();
    if let Some(release) = release {
        let Some(text) = collector.bodies.read(&rootfs.path(release), Limits::kept_file_bytes) else { return };
        values = pairs(text);
    }
    let mut value = |key: &str| values.remove(key).filter(|value| value.len() <= MOST_MODULE_BYTES).unwrap_or_default();
    let implementor = value("IMPLEMENTOR");
    let name = if implementor.is_empty() { "Java".to_owned() } else { implementor };
    let mut found = Found::named(name, Some(value("JAVA_VERSION")));
    if found.version.is_none() {
        found.problem =
            Some(if release.is_some() { "its release file names no version" } else { "it has no release file" }.to_owned());
    }
    // some distributions list the modules of the compiler in the release file of their JRE
    let has = |path| collector.below(folder, path).is_some();
    let is_jdk = ["bin/javac", "jmods/jdk.compiler.jmod", "lib/tools.jar"].into_iter().any(has);
    found.detail("image", if is_jdk { "jdk" } else { "jre" });
    found.detail("runtime_version", value("JAVA_RUNTIME_VERSION"));
    found.detail("modules", value("MODULES"));
    found.extent = Extent::Folder(folder);
    let told_by = release.or_else(|| collector.below(folder, "lib/server/libjvm.so")).unwrap_or(folder);
    collector.add(ComponentKind::JavaRuntime, folder, told_by, found);
}

/// Lines of `KEY="value"`.
fn pairs(text: &[u8]) -> BTreeMap<String, String> {
    let text = String::from_utf8_lossy(text);
    let pair = |line: &str| {
        let (key, value) = line.split_once('=')?;
        Some((key.trim().to_owned(), value.trim().trim_matches('"').to_owned()))
    };
    text.lines().filter_map(pair).collect()
}

/// `log4j-1.2-api-2.17.1`: the version starts at the first hyphen after which every part looks like one.
fn name_and_version(stem: &str) -> (&str, Option<&str>) {
    let is_version_part = |part: &str| {
        let word = part.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.').to_ascii_lowercase();
        let is_word = matches!(
            word.as_str(),
            "snapshot" | "jre" | "android" | "rc" | "cr" | "m" | "alpha" | "beta" | "b" | "final" | "ga" | "release"
        );
        part.starts_with(|c: char| c.is_ascii_digit()) || is_word
    };
    let hyphens = stem.match_indices('-').map(|(at, _)| at);
    for (name, rest) in hyphens.filter_map(|at| Some((stem.get(..at)?, stem.get(at.saturating_add(1)..)?))) {
        if rest.starts_with(|c: char| c.is_ascii_digit()) && rest.split('-').all(is_version_part) {
            return (name, Some(rest));
        }
    }
    (stem, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_told_from_names_of_archives() {
        for (stem, name, version) in [
            ("spring-core-6.1.2", "spring-core", Some("6.1.2")),
            ("log4j-1.2-api-2.17.1", "log4j-1.2-api", Some("2.17.1")),
            ("guava-32.1.3-jre", "guava", Some("32.1.3-jre")),
            ("app-0.0.1-SNAPSHOT", "app", Some("0.0.1-SNAPSHOT")),
            ("app", "app", None),
            ("a-b", "a-b", None),
            ("-", "-", None),
        ] {
            assert_eq!(name_and_version(stem), (name, version));
        }
    }
}
