//! dpkg's databases: `status` with its file lists, and one file per package in distroless images' `status.d`.
//!
//! The fields are those of deb-control(5) and dpkg's `status`; a file list is `info/PACKAGE.list` or
//! `info/PACKAGE:ARCHITECTURE.list`. Diverted files are owned where they lie.

mod diversions;
mod relations;
mod stanza;

use std::collections::BTreeSet;

use self::diversions::Diversions;
use self::stanza::Stanza;
use super::super::links::Links;
use super::asked;
use super::collect::{Collector, names_in};
use super::{DatabaseKind, ListedFile, Package, Report};
use crate::limits::LimitHit;
use crate::rootfs::Rootfs;

const STATUS: &[u8] = b"/var/lib/dpkg/status";
const STATUS_D: &[u8] = b"/var/lib/dpkg/status.d";
const INFO: &[u8] = b"/var/lib/dpkg/info";
const SUMS: &[u8] = b".md5sums";

/// Paths of `status`, the diversions, all file lists, and all of `status.d`.
pub(super) fn wanted(rootfs: &Rootfs, links: &mut Links<'_>) -> Vec<Vec<u8>> {
    let mut paths = vec![STATUS.to_vec(), diversions::PATH.to_vec()];
    let lists = names_in(rootfs, links, INFO).into_iter().filter(|name| name.ends_with(b".list"));
    paths.extend(lists.map(|name| join(INFO, name)));
    paths.extend(names_in(rootfs, links, STATUS_D).into_iter().map(|name| join(STATUS_D, name)));
    paths
}

pub(super) fn read(collector: &mut Collector<'_, '_>) {
    read_status(collector);
    read_status_d(collector);
}

fn join(directory: &[u8], name: &[u8]) -> Vec<u8> {
    [directory, b"/", name].concat()
}

fn read_status(collector: &mut Collector<'_, '_>) {
    let Some(body) = collector.open(STATUS) else { return };
    let before = collector.count();
    let lists: BTreeSet<_> = collector.names_in(INFO).into_iter().collect();
    let mut lists = Lists { unread: lists };
    let mut notes = Report::default();
    let diversions = Diversions::parse(collector.body(diversions::PATH).unwrap_or_default(), &mut notes);
    let mut report = match body {
        Err(reason) => Report::failed(reason),
        Ok(body) => installed(body, &mut |package| {
            let list = lists.of(&package, collector);
            let paths = list.split(|byte| *byte == b'\n').filter(|path| path.starts_with(b"/"));
            let name = package.name.clone();
            collector.add(package, &mut paths.map(|path| ListedFile::of_path(diversions.place_of(&name, path))))
        }),
    };
    notes.notes.iter().for_each(|note| report.note(note));
    collector.close(DatabaseKind::Dpkg, STATUS, before, &report);
    if let Some(states) = collector.body(asked::APT) {
        asked::mark_apt(states, collector.added_since(before));
    }
}

/// File lists; each is read for one package only, so that the work is bounded by their bytes.
struct Lists<'a> {
    unread: BTreeSet<&'a [u8]>,
}

impl<'a> Lists<'a> {
    fn of(&mut self, package: &Package, collector: &mut Collector<'_, 'a>) -> &'a [u8] {
        let qualified = format!("{}:{}.list", package.name, package.architecture);
        let plain = format!("{}.list", package.name);
        let Some(name) = [qualified, plain].into_iter().find(|name| self.unread.remove(name.as_bytes())) else {
            return &[];
        };
        collector.body(&join(INFO, name.as_bytes())).unwrap_or_default()
    }
}

fn read_status_d(collector: &mut Collector<'_, '_>) {
    let names = collector.names_in(STATUS_D);
    let before = collector.count();
    let mut report = Report::default();
    let mut is_found = false;
    for name in names.into_iter().filter(|name| !name.ends_with(SUMS)) {
        let path = join(STATUS_D, name);
        let Some(body) = collector.open(&path) else { continue };
        is_found = true;
        let one = match body {
            Err(reason) => Report::failed(reason),
            Ok(body) => {
                let sums = collector.body(&[&*path, SUMS].concat()).unwrap_or_default();
                // one package a file: further stanzas own nothing
                let mut files = sums.split(|byte| *byte == b'\n').filter_map(summed);
                installed(body, &mut |package| collector.add(package, &mut files))
            }
        };
        report.failure = report.failure.take().or(one.failure);
        one.notes.iter().for_each(|note| report.note(note));
    }
    if is_found {
        collector.close(DatabaseKind::DpkgStatusD, STATUS_D, before, &report);
    }
}

/// `DIGEST  PATH`, the path relative to the root (md5sum(1)).
fn summed(line: &[u8]) -> Option<ListedFile<'_>> {
    let space = line.iter().position(|byte| *byte == b' ')?;
    Some(ListedFile::of_path(line.get(space..)?.trim_ascii_start()))
}

/// Gives the packages whose files are there, half-configured ones included, to `take`.
fn installed(body: &[u8], take: &mut dyn FnMut(Package) -> Result<(), LimitHit>) -> Report {
    let mut report = Report::default();
    let mut seen = BTreeSet::new();
    let mut stanza = Stanza::new();
    // a last empty line ends the last stanza
    for line in body.split(|byte| *byte == b'\n').chain(std::iter::once(&b""[..])) {
        if !line.trim_ascii().is_empty() {
            stanza.add(line, &mut report);
            continue;
        }
        let ended = std::mem::replace(&mut stanza, Stanza::new());
        let Some(package) = ended.into_package(&mut report) else { continue };
        if !seen.insert((package.name.clone(), package.architecture.clone())) {
            report.note("a package is listed twice");
        }
        if let Err(hit) = take(package) {
            report.failure = Some(hit.to_string());
            break;
        }
    }
    report
}

#[cfg(test)]
mod tests {
    use super::super::super::bodies::{Bodies, file_with};
    use super::super::relations::shown;
    use super::*;
    use crate::facts::Packages;
    use crate::limits::Limits;
    use crate::rootfs::{Inode, InodeKind};

    fn parse(body: &[u8]) -> (Vec<String>, Report) {
        let mut found = Vec::new();
        let report = installed(body, &mut |package| {
            found.push(format!("{} {} {} {:?}", package.name, package.version, package.architecture, package.source));
            Ok(())
        });
        (found, report)
    }

    fn packages_of(rootfs: &Rootfs, limits: &Limits) -> (Packages, usize) {
        let mut bodies = Bodies::new(rootfs, limits);
        let mut collector = Collector::new(&mut bodies);
        read(&mut collector);
        let packages = collector.finish();
        (packages, bodies.not_examined.len())
    }

    #[test]
    fn stanzas_are_packages_whose_state_says_that_files_are_there() {
        let (found, report) = parse(
            b"Package: a\nStatus: install ok installed\nVersion: 1:2-3\nArchitecture: amd64\nSource: src (2)\nDescription: x\n Package: no\n .\n\
              \n\npackage: b\nstatus: deinstall ok config-files\nversion: 1\n\nPackage: c\nStatus: purge ok not-installed\n\n\
              Package: d\nStatus: install reinstreq half-configured\nVersion: 4\nArchitecture: all",
        );
        assert_eq!(found, ["a 1:2-3 amd64 Some(\"src\")", "d 4 all None"]);
        assert_eq!(report, Report::default());
    }

    #[test]
    fn what_a_package_requires_may_be_folded_and_the_base_is_told() {
        let mut found = Vec::new();
        let body = b"Package: a\nVersion: 1\nPre-Depends: x (>= 1)\nDepends: b,\n c:any\n (>= 2)\nDescription: d\n e, f\nProvides: v\nEssential: yes\n\n\
                     Package: b\nVersion: 1\nPriority: required\n\nPackage: c\nVersion: 1\nPriority: optional\n";
        installed(body, &mut |package| {
            found.push(package);
            Ok(())
        });
        assert_eq!(shown(&found[0].requires), ["x (>= 1)", "b", "c (>= 2)"]);
        assert_eq!(shown(&found[0].provides), ["v"]);
        assert_eq!(found.iter().map(|package| package.is_base).collect::<Vec<_>>(), [true, true, false]);
    }

    #[test]
    fn what_came_for_others_is_known_where_apt_wrote_it_down() {
        let status = b"Package: a\nVersion: 1\nArchitecture: amd64\nDepends: b\n\nPackage: b\nVersion: 1\nArchitecture: amd64\n";
        let mut rootfs = Rootfs::default();
        rootfs.insert(STATUS, file_with(status));
        let (packages, _) = packages_of(&rootfs, &Limits::default());
        assert_eq!(packages.list[0].asked_for, None);
        assert_eq!(packages.graph.needs(0), [1]);
        rootfs.insert(asked::APT, file_with(b"Package: b\nArchitecture: amd64\nAuto-Installed: 1\n"));
        let (packages, _) = packages_of(&rootfs, &Limits::default());
        assert_eq!(packages.list.iter().map(|package| package.asked_for).collect::<Vec<_>>(), [Some(true), Some(false)]);
    }

    #[test]
    fn too_many_requirements_are_not_examined_and_the_packages_stand() {
        let mut rootfs = Rootfs::default();
        rootfs.insert(STATUS, file_with(b"Package: a\nVersion: 1\nDepends: b, b, b\n\nPackage: b\nVersion: 1\n"));
        let (packages, not_examined) = packages_of(&rootfs, &Limits { package_relations: 3, ..Limits::default() });
        assert_eq!((packages.list.len(), not_examined), (2, 1));
        assert!(packages.graph_problem.is_some() && packages.graph.needs(0).is_empty());
    }

    #[test]
    fn oddities_are_noted_and_the_rest_is_read() {
        let (found, report) = parse(b"Package: a\nVersion: 1\n\nPackage: a\nVersion: 2\n\nPackage: b\n\nVersion: 3\n\ngarbage\n\nPackage: z\nVersion: 1\n");
        assert_eq!(found.len(), 4);
        assert_eq!(report.failure, None);
        assert_eq!(report.notes.len(), 4, "{report:?}");
    }

    #[test]
    fn listed_files_belong_to_their_package_through_linked_folders() {
        let mut rootfs = Rootfs::default();
        let shell = rootfs.insert(b"/usr/bin/sh", Inode::new(InodeKind::File { size: 1 }, 0o755, 0));
        let link = rootfs.insert(b"/usr/bin/bash", Inode::new(InodeKind::Symlink { target: b"sh".as_slice().into() }, 0o777, 0));
        let folder = rootfs.insert(b"/etc/sh", Inode::new(InodeKind::Directory, 0o755, 0));
        rootfs.insert(b"/bin", Inode::new(InodeKind::Symlink { target: b"usr/bin".as_slice().into() }, 0o777, 0));
        rootfs.insert(STATUS, file_with(b"Package: sh\nStatus: install ok installed\nVersion: 1\nArchitecture: amd64\n"));
        rootfs.insert(b"/var/lib/dpkg/info/sh:amd64.list", file_with(b"/.\n/bin\n/bin/sh\n/bin/bash\n/etc/sh\n/gone\n"));
        let (packages, not_examined) = packages_of(&rootfs, &Limits::default());
        assert_eq!(not_examined, 0);
        assert_eq!(packages.databases[0].packages, 1);
        assert_eq!(packages.owner(&rootfs, shell).map(|(package, _)| package.name.as_str()), Some("sh"));
        assert!(packages.owner(&rootfs, link).is_some());
        assert!(packages.owner(&rootfs, folder).is_none());
    }

    #[test]
    fn a_place_that_the_administrator_diverted_is_no_package_s() {
        let mut rootfs = Rootfs::default();
        let [own, real] = ["/usr/bin/su", "/usr/bin/su.real"]
            .map(|path| rootfs.insert(path.as_bytes(), Inode::new(InodeKind::File { size: 1 }, 0o755, 0)));
        rootfs.insert(STATUS, file_with(b"Package: util-linux\nStatus: install ok installed\nVersion: 1\nArchitecture: amd64\n"));
        rootfs.insert(b"/var/lib/dpkg/info/util-linux.list", file_with(b"/usr/bin/su\n"));
        rootfs.insert(diversions::PATH, file_with(b"/usr/bin/su\n/usr/bin/su.real\n:\n"));
        let (packages, not_examined) = packages_of(&rootfs, &Limits::default());
        assert_eq!((packages.databases[0].problem.as_ref(), not_examined), (None, 0));
        assert!(packages.owner(&rootfs, own).is_none());
        assert_eq!(packages.owner(&rootfs, real).map(|(package, _)| package.name.as_str()), Some("util-linux"));
    }

    #[test]
    fn packages_of_one_name_have_a_list_for_each_architecture() {
        let mut rootfs = Rootfs::default();
        let stanza =
            |architecture| format!("Package: libc6\nStatus: install ok installed\nVersion: 1\nArchitecture: {architecture}\n\n");
        rootfs.insert(STATUS, file_with((stanza("amd64") + &stanza("i386")).as_bytes()));
        let libraries = ["amd64", "i386"].map(|architecture| {
            let path = format!("/usr/lib/{architecture}/libc.so.6");
            rootfs.insert(
                format!("/var/lib/dpkg/info/libc6:{architecture}.list").as_bytes(),
                file_with(format!("{path}\n").as_bytes()),
            );
            rootfs.insert(path.as_bytes(), Inode::new(InodeKind::File { size: 1 }, 0o755, 0))
        });
        let (packages, _) = packages_of(&rootfs, &Limits::default());
        let architectures = libraries.map(|library| packages.owner(&rootfs, library).unwrap().0.architecture.clone());
        assert_eq!(architectures, ["amd64", "i386"]);
    }

    #[test]
    fn each_file_of_status_d_is_a_package_that_owns_what_its_sums_list() {
        let mut rootfs = Rootfs::default();
        let zone = rootfs.insert(b"/usr/share/zoneinfo/UTC", Inode::new(InodeKind::File { size: 1 }, 0o644, 0));
        rootfs.insert(b"/var/lib/dpkg/status.d/tzdata", file_with(b"Package: tzdata\nVersion: 2024a\nArchitecture: all\n"));
        rootfs.insert(b"/var/lib/dpkg/status.d/tzdata.md5sums", file_with(b"0123  usr/share/zoneinfo/UTC\n"));
        let (packages, _) = packages_of(&rootfs, &Limits::default());
        assert_eq!(packages.databases[0].kind, DatabaseKind::DpkgStatusD);
        assert_eq!(packages.databases[0].path, STATUS_D);
        assert_eq!(packages.owner(&rootfs, zone).map(|(package, _)| package.name.as_str()), Some("tzdata"));
    }

    #[test]
    fn a_database_over_a_limit_has_a_problem_and_is_not_examined() {
        let mut rootfs = Rootfs::default();
        rootfs.insert(STATUS, file_with(b"Package: a\nVersion: 1\n\nPackage: b\nVersion: 1\n"));
        let limits = Limits { packages: 1, ..Limits::default() };
        let (packages, not_examined) = packages_of(&rootfs, &limits);
        assert_eq!((packages.list.len(), not_examined), (1, 1));
        assert!(packages.databases[0].problem.as_ref().unwrap().contains("limit packages is 1"));
    }

    #[test]
    fn an_unread_database_is_a_database_with_a_problem() {
        let mut rootfs = Rootfs::default();
        rootfs.insert(STATUS, Inode::new(InodeKind::File { size: 9 }, 0o644, 0));
        let (packages, not_examined) = packages_of(&rootfs, &Limits::default());
        assert!(packages.databases[0].problem.is_some());
        assert_eq!(not_examined, 1);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_parsed(body: Vec<u8>, line: Vec<u8>) {
            let _ = parse(&body);
            let _ = summed(&line);
        }
    }
}
