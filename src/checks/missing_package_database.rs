//! `missing-package-database`: scanners cannot see what is installed.

use super::{Check, Family, Reference, evidence, tools};
use crate::facts::{Image, OsRelease};
use crate::finding::{Evidence, Observation, Severity};
use crate::oci::escape_text;

/// The check.
pub(super) static CHECK: Check = Check {
    id: "missing-package-database",
    title: "The package database is missing",
    family: Family::Packages,
    severity: Severity::Low,
    what: "`os-release` names a distribution that uses dpkg, apk or rpm, and no database of theirs is there or all are empty. The \
           `status.d` of distroless images is a database; a database that cannot be read is reported as not examined instead.",
    why: "Scanners list packages from that database: without it the image has no known faults, whatever it holds.",
    fix: "Keep the database (`/var/lib/dpkg`, `/lib/apk/db`, `/var/lib/rpm`) when cleaning up, or start from an image that has none of \
          the distribution.",
    example: "# clean up what is not needed, not /var/lib/dpkg\nRUN rm -rf /var/lib/apt/lists/* /var/cache/apt/*\n",
    references: &[
        Reference { name: "NIST SP 800-190 4.1.1", url: "https://doi.org/10.6028/NIST.SP.800-190" },
        Reference { name: "CIS Docker 4.4", url: "https://www.cisecurity.org/benchmark/docker" },
    ],
    since: "0.1.0",
    run,
};

/// Names in `ID` or `ID_LIKE`, and where the distribution keeps its database.
const DISTRIBUTIONS: &[(&str, &str)] = &[
    ("debian", "/var/lib/dpkg"),
    ("ubuntu", "/var/lib/dpkg"),
    ("kali", "/var/lib/dpkg"),
    ("alpine", "/lib/apk/db"),
    ("wolfi", "/lib/apk/db"),
    ("chainguard", "/lib/apk/db"),
    ("fedora", "/var/lib/rpm"),
    ("rhel", "/var/lib/rpm"),
    ("centos", "/var/lib/rpm"),
    ("rocky", "/var/lib/rpm"),
    ("almalinux", "/var/lib/rpm"),
    ("ol", "/var/lib/rpm"),
    ("amzn", "/var/lib/rpm"),
    ("mariner", "/var/lib/rpm"),
    ("azurelinux", "/var/lib/rpm"),
    ("photon", "/var/lib/rpm"),
    ("suse", "/var/lib/rpm"),
    ("opensuse", "/var/lib/rpm"),
    ("opensuse-leap", "/var/lib/rpm"),
    ("opensuse-tumbleweed", "/var/lib/rpm"),
    ("sles", "/var/lib/rpm"),
];

fn run(image: &Image) -> Vec<Observation> {
    let Some((os, place)) = image.os_release.as_ref().and_then(|os| Some((os, place_of(os)?))) else { return Vec::new() };
    let databases = &image.packages.databases;
    if databases.iter().any(|database| database.packages > 0 || database.problem.is_some()) {
        return Vec::new();
    }
    let name = escape_text(os.pretty_name.as_deref().filter(|name| !name.is_empty()).unwrap_or(&os.id));
    let message = match databases.first() {
        None => format!("This is {name}, and it has no package database in {place}"),
        Some(_) => format!("This is {name}, and its package database in {place} is empty"),
    };
    let files: [&[u8]; 2] = [b"/etc/os-release", b"/usr/lib/os-release"];
    let node = files.into_iter().find_map(|path| tools::entry(&image.rootfs, path).map(|node| (path, node)));
    let evidence = node.map(|(path, node)| Evidence { bytes: 0, ..evidence::of_node(image, path.to_vec(), node) });
    vec![Observation { message, evidence: evidence.into_iter().collect(), ..Observation::default() }]
}

fn place_of(os: &OsRelease) -> Option<&'static str> {
    let names = std::iter::once(&os.id).chain(&os.id_like);
    names.into_iter().find_map(|name| DISTRIBUTIONS.iter().find(|(known, _)| name == known)).map(|(_, place)| *place)
}

#[cfg(test)]
mod tests {
    use super::super::testing::Builder;
    use super::*;
    use crate::facts::{Database, DatabaseKind};

    fn messages(id: &str, like: &str, database: Option<(usize, Option<&str>)>) -> Vec<String> {
        let mut builder = Builder::default();
        let id_like = like.split_whitespace().map(str::to_owned).collect();
        builder.os_release = Some(OsRelease { id: id.to_owned(), id_like, ..OsRelease::default() });
        let seen = builder.run_with(&CHECK, |image| {
            image.packages.databases.extend(database.map(|(packages, problem)| Database {
                kind: DatabaseKind::DpkgStatusD,
                path: b"/var/lib/dpkg/status.d".to_vec(),
                packages,
                problem: problem.map(str::to_owned),
            }));
        });
        seen.into_iter().map(|one| one.message).collect()
    }

    #[test]
    fn fires_where_the_database_is_absent_or_empty() {
        assert_eq!(messages("debian", "", None), ["This is debian, and it has no package database in /var/lib/dpkg"]);
        assert_eq!(messages("alpine", "", Some((0, None))), ["This is alpine, and its package database in /lib/apk/db is empty"]);
        assert_eq!(messages("unheard-of", "rhel fedora", None).len(), 1, "its kin is known");
    }

    #[test]
    fn is_silent_with_packages_or_one_that_cannot_be_read() {
        assert!(messages("debian", "", Some((3, None))).is_empty());
        assert!(messages("debian", "", Some((0, Some("cut off")))).is_empty());
    }

    #[test]
    fn is_silent_where_no_such_database_belongs() {
        assert!(messages("nixos", "", None).is_empty());
        assert!(messages("arch", "", None).is_empty());
        assert!(Builder::default().run(&CHECK).is_empty(), "scratch");
    }
}
