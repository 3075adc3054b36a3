//! Databases that rpm itself wrote (`testdata/databases/make.sh`, which prints what `rpm -qa` says of them): packages, files, modes.

use std::io::Read as _;
use std::path::Path;
use std::sync::atomic::AtomicU64;

use plimsoll::build::Step;
use plimsoll::facts::{self, Image, Packages, Parts};
use plimsoll::layer::{self, Options};
use plimsoll::limits::Limits;
use plimsoll::oci::Algorithm;
use plimsoll::oci::document;
use plimsoll::oci::json::Bounds;
use plimsoll::rootfs::{self, NodeId, Rootfs};

/// Path and body of a file.
type File<'f> = (&'f str, &'f [u8]);

/// The facts of an image of one layer, and what was not examined.
fn facts_of(files: &[File<'_>], limits: &Limits) -> (Image, Vec<String>) {
    let mut tar = tar::Builder::new(Vec::new());
    for (path, body) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(body.len() as u64);
        header.set_mode(0o755);
        tar.append_data(&mut header, path.trim_start_matches('/'), *body).unwrap();
    }
    let tar = tar.into_inner().unwrap();
    let progress = AtomicU64::new(0);
    let options = Options { algorithm: Algorithm::Sha256, digest_files: false, progress: &progress, kept: &AtomicU64::new(0) };
    let index = layer::index(&mut tar.as_slice(), options, limits);
    assert!(index.errors.is_empty(), "{:?}", index.errors);
    let merged = rootfs::merge(&[&index], limits);
    let config = document::config(br#"{"os":"linux","architecture":"amd64"}"#, Bounds { depth: 64, members: 100 }).unwrap();
    let parts = Parts {
        config,
        annotations: std::collections::BTreeMap::new(),
        rootfs: merged.stacked,
        differences: merged.differences,
        remarks: merged.remarks,
        steps: vec![Step::default()],
        buried: (Vec::new(), 0),
        as_of: None,
        hidden: merged.hidden,
    };
    let (image, not_examined) = facts::gather(parts, limits);
    (image, not_examined.into_iter().map(|(_, reason)| reason).collect())
}

fn database(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/databases").join(name);
    let mut body = Vec::new();
    flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_end(&mut body).unwrap();
    body
}

fn node(rootfs: &Rootfs, path: &str) -> NodeId {
    let names = path.split('/').filter(|name| !name.is_empty());
    names.fold(rootfs.root(), |folder, name| rootfs.child(folder, name.as_bytes()).unwrap())
}

/// Name, version, architecture and source of every package.
fn listed(packages: &Packages) -> Vec<String> {
    let line = |package: &facts::Package| {
        format!("{} {} {} {:?}", package.name, package.version, package.architecture, package.source.as_deref().unwrap_or(""))
    };
    packages.list.iter().map(line).collect()
}

#[test]
fn databases_that_rpm_wrote_hold_what_rpm_says() {
    const MANY: &str = "/usr/share/plimsoll-many/a-file-with-a-long-name-";
    for (name, kind) in [("rpmdb.sqlite", facts::DatabaseKind::RpmSqlite), ("Packages.db", facts::DatabaseKind::RpmNdb)] {
        let body = database(&format!("{name}.gz"));
        let place = format!("/usr/lib/sysimage/rpm/{name}");
        let (first, last) = (format!("{MANY}001"), format!("{MANY}300"));
        let files =
            ["/usr/bin/plain", "/usr/bin/privileged", "/usr/bin/grouped", "/usr/bin/gone", "/usr/bin/other", &first, &last];
        let mut all: Vec<File<'_>> = files.iter().map(|path| (*path, &b"x"[..])).collect();
        all.push((&place, &body));
        let (image, not_examined) = facts_of(&all, &Limits::default());
        assert_eq!(not_examined, Vec::<String>::new(), "{name}");
        let found = &image.packages.databases[0];
        assert_eq!((found.kind, found.packages, found.problem.as_deref()), (kind, 2, None), "{name}");
        let expected =
            ["plimsoll-sample 4:1.2-3 x86_64 \"plimsoll-sample\"", "plimsoll-sample-many 4:1.2-3 noarch \"plimsoll-sample\""];
        assert_eq!(listed(&image.packages), expected, "{name}");
        let owners: Vec<_> = files
            .iter()
            .map(|path| {
                let owner = image.packages.owner(&image.rootfs, node(&image.rootfs, path));
                owner.map(|(package, file)| format!("{} {:04o}", package.name, file.mode.unwrap()))
            })
            .collect();
        let expected = [
            Some("plimsoll-sample 0755"),
            Some("plimsoll-sample 4755"),
            Some("plimsoll-sample 2755"),
            None,
            None,
            Some("plimsoll-sample-many 0644"),
            Some("plimsoll-sample-many 0644"),
        ];
        assert_eq!(owners, expected.map(|owner| owner.map(str::to_owned)), "{name}");
    }
}

#[test]
fn a_database_may_be_as_large_as_its_own_limit() {
    let body = database("Packages.db.gz");
    let file = ("/var/lib/rpm/Packages.db", body.as_slice());
    let small_files = Limits { kept_file_bytes: 10, ..Limits::default() };
    let (image, not_examined) = facts_of(&[file], &small_files);
    assert_eq!((image.packages.list.len(), not_examined.len()), (2, 0));
    assert!(facts::missing_bodies(&image.rootfs, &image.config, &small_files).is_empty());
    let small_databases = Limits { package_database_bytes: 1_000, ..Limits::default() };
    let (image, not_examined) = facts_of(&[file], &small_databases);
    assert!(not_examined[0].contains("package-database-bytes"), "{not_examined:?}");
    assert!(facts::missing_bodies(&image.rootfs, &image.config, &small_databases).is_empty());
    let little_room = Limits { kept_bytes: 1_000, ..Limits::default() };
    let (image, _) = facts_of(&[file], &little_room);
    assert_eq!(facts::missing_bodies(&image.rootfs, &image.config, &little_room).len(), 1);
}

#[test]
fn a_database_that_ends_anywhere_too_early_is_not_examined() {
    for name in ["rpmdb.sqlite", "Packages.db"] {
        let body = database(&format!("{name}.gz"));
        let place = format!("/var/lib/rpm/{name}");
        // both start with what points to packages further on: half of each is never enough
        for end in (0..body.len() / 2).step_by(body.len() / 40) {
            let (image, not_examined) = facts_of(&[(&place, &body[..end])], &Limits::default());
            assert_eq!(not_examined.len(), 1, "{name} to byte {end}: {:?}", image.packages.databases);
        }
    }
}
