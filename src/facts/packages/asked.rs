//! Which packages somebody asked for, as the managers remember it: apt's `extended_states`, apk's `world`, dnf5's `packages.toml`.
//!
//! dnf 4 keeps reasons in its history (`history.sqlite`), which images rarely have and which is not read.

use std::collections::{BTreeMap, BTreeSet};

use super::relations::split_word;
use super::{Package, Report};

/// apt: which packages came for others (`apt-mark showauto`).
pub(super) const APT: &[u8] = b"/var/lib/apt/extended_states";
/// apk: what it is to hold installed (apk-world(5)).
pub(super) const APK: &[u8] = b"/etc/apk/world";
/// dnf5: why each package is there (dnf5-system-state(7)).
pub(super) const DNF: &[u8] = b"/usr/lib/sysimage/libdnf5/packages.toml";

/// Marks dpkg's packages. Those of the base system (essential, or of priority required) are there whoever asked.
pub(super) fn mark_apt<'p>(body: &[u8], packages: impl Iterator<Item = &'p mut Package>) {
    let automatic = automatic(body);
    for package in packages {
        let has = |architecture: &str| automatic.contains(&(package.name.as_bytes(), architecture.as_bytes()));
        // apt names packages for all architectures by its own
        let is_automatic = match package.architecture.as_str() {
            "all" => automatic
                .range((package.name.as_bytes(), &b""[..])..)
                .next()
                .is_some_and(|(name, _)| *name == package.name.as_bytes()),
            architecture => has(architecture) || has("all"),
        };
        package.asked_for = Some(!is_automatic && !package.is_base);
    }
}

fn automatic(body: &[u8]) -> BTreeSet<(&[u8], &[u8])> {
    let mut found = BTreeSet::new();
    let (mut name, mut architecture) = (&b""[..], &b""[..]);
    let mut is_automatic = false;
    for line in body.split(|byte| *byte == b'\n').chain(std::iter::once(&b""[..])) {
        let line = line.trim_ascii();
        if line.is_empty() {
            if is_automatic {
                found.insert((name, architecture));
            }
            (name, architecture, is_automatic) = (&[], &[], false);
        } else if let Some(value) = line.strip_prefix(b"Package:") {
            name = value.trim_ascii();
        } else if let Some(value) = line.strip_prefix(b"Architecture:") {
            architecture = value.trim_ascii();
        } else if let Some(value) = line.strip_prefix(b"Auto-Installed:") {
            is_automatic = value.trim_ascii() == b"1";
        }
    }
    found
}

/// Marks apk's packages: those that `world` names, or names by what they provide.
pub(super) fn mark_apk<'p>(body: &[u8], packages: impl Iterator<Item = &'p mut Package>) {
    let text = String::from_utf8_lossy(body);
    let words = text.split_ascii_whitespace().filter(|word| !word.starts_with('!'));
    let world: BTreeSet<&str> = words.map(|word| split_word(word).0.split('@').next().unwrap_or_default()).collect();
    for package in packages {
        let mut provided = package.provides.iter().flat_map(super::Relation::alternatives);
        let is_asked = world.contains(package.name.as_str()) || provided.any(|one| world.contains(one.name));
        package.asked_for = Some(is_asked);
    }
}

/// Marks rpm's packages by dnf5's reasons. A package without one stays unknown.
pub(super) fn mark_dnf<'p>(body: &[u8], packages: impl Iterator<Item = &'p mut Package>, report: &mut Report) {
    #[derive(serde::Deserialize)]
    struct State {
        #[serde(default)]
        packages: BTreeMap<String, Reason>,
    }
    #[derive(serde::Deserialize)]
    struct Reason {
        reason: String,
    }
    let Some(state) = std::str::from_utf8(body).ok().and_then(|text| toml::from_str::<State>(text).ok()) else {
        report.note("dnf's packages.toml cannot be read");
        return;
    };
    for package in packages {
        let name = format!("{}.{}", package.name, package.architecture);
        package.asked_for = match state.packages.get(&name).map(|state| state.reason.as_str()) {
            Some("User" | "External User" | "Group") => Some(true),
            Some("Dependency" | "Weak Dependency" | "Clean") => Some(false),
            _ => None,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::super::relations::Writer;
    use super::*;

    fn package(name: &str, architecture: &str) -> Package {
        Package { name: name.to_owned(), architecture: architecture.to_owned(), ..Package::default() }
    }

    fn asked(packages: &[Package]) -> Vec<Option<bool>> {
        packages.iter().map(|package| package.asked_for).collect()
    }

    #[test]
    fn apt_remembers_what_came_for_others_and_the_base_is_asked_for_by_nobody() {
        let mut packages = [package("a", "amd64"), package("b", "all"), package("c", "amd64"), package("d", "amd64")];
        packages[3].is_base = true;
        let body = b"Package: a\nArchitecture: amd64\nAuto-Installed: 1\n\nPackage: b\nArchitecture: amd64\nAuto-Installed: 1\n\nPackage: c\nAuto-Installed: 0";
        mark_apt(body, packages.iter_mut());
        assert_eq!(asked(&packages), [Some(false), Some(false), Some(true), Some(false)]);
    }

    #[test]
    fn apk_s_world_names_packages_or_what_they_provide() {
        let mut writer = Writer::default();
        writer.one("cmd:x", Some(("=", "1")));
        let mut packages = [package("a", ""), package("b", ""), package("c", ""), package("d", "")];
        packages[2].provides = writer.finish();
        mark_apk(b"a>1 b@edge cmd:x !d\n", packages.iter_mut());
        assert_eq!(asked(&packages), [Some(true), Some(true), Some(true), Some(false)]);
    }

    #[test]
    fn dnf_s_reasons_are_read_and_a_broken_file_is_noted() {
        let mut packages = [package("a", "x86_64"), package("b", "noarch"), package("c", "x86_64")];
        let body = b"version = \"1.0\"\n[packages]\n\"a.x86_64\" = {reason = \"User\"}\n[packages.\"b.noarch\"]\nreason = \"Weak Dependency\"\n";
        let mut report = Report::default();
        mark_dnf(body, packages.iter_mut(), &mut report);
        assert_eq!(asked(&packages), [Some(true), Some(false), None]);
        assert_eq!(report, Report::default());
        mark_dnf(b"packages = 3", packages.iter_mut(), &mut report);
        assert_eq!(report.notes.len(), 1);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read(body: Vec<u8>, text: String) {
            let mut packages = [package("a", "all")];
            for body in [body.as_slice(), text.as_bytes()] {
                mark_apt(body, packages.iter_mut());
                mark_apk(body, packages.iter_mut());
                mark_dnf(body, packages.iter_mut(), &mut Report::default());
            }
        }
    }
}
