//! Databases made by small writers here, in the three formats, and what hostile ones do.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    reason = "small files that the tests lay out themselves"
)]

use proptest::prelude::*;

use super::super::super::bodies::{Bodies, file_with};
use super::super::relations::shown;
use super::super::{Package, text};
use super::*;
use crate::limits::Limits;
use crate::rootfs::{Inode, InodeKind, Rootfs};

type Value = (u32, u32, u32, Vec<u8>);

/// A header blob of (tag, type, count, data).
fn header_of(values: &[Value]) -> Vec<u8> {
    let (mut index, mut data) = (Vec::new(), Vec::new());
    for (tag, kind, count, bytes) in values {
        for number in [*tag, *kind, data.len() as u32, *count] {
            index.extend(number.to_be_bytes());
        }
        data.extend(bytes);
    }
    let counts = [values.len() as u32, data.len() as u32].map(u32::to_be_bytes).concat();
    [counts, index, data].concat()
}

fn string(tag: u32, value: &str) -> Value {
    (tag, 6, 1, format!("{value}\0").into_bytes())
}

fn strings(tag: u32, values: &[&str]) -> Value {
    (tag, 8, values.len() as u32, values.iter().flat_map(|value| format!("{value}\0").into_bytes()).collect())
}

/// A package with `/usr/bin/NAME`, setuid, and padding so that its blob is larger than a page.
fn package(name: &str, padding: usize) -> Vec<u8> {
    header_of(&[
        string(1000, name),
        string(1001, "5.1"),
        string(1002, "2.el9"),
        (1003, 4, 1, 7_u32.to_be_bytes().to_vec()),
        string(1022, "x86_64"),
        string(1044, "the-source-5.1-2.el9.src.rpm"),
        (1030, 3, 2, [0o104_755_u16, 0o100_644].map(u16::to_be_bytes).concat()),
        (1116, 4, 2, [1_u32, 0].map(u32::to_be_bytes).concat()),
        strings(1117, &[name, "note"]),
        strings(1118, &["/etc/", "/usr/bin/"]),
        strings(1047, &[name, "config(x)"]),
        (1048, 4, 3, [12_u32, 0, 0x0100_000a].map(u32::to_be_bytes).concat()),
        strings(1049, &["libc.so.6()(64bit)", "(a or b)", "rpmlib(X)"]),
        strings(1050, &["2.34", "", "3"]),
        string(1005, &"x".repeat(padding)),
    ])
}

fn put(file: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    if file.len() < at + bytes.len() {
        file.resize(at + bytes.len(), 0);
    }
    file[at..at + bytes.len()].copy_from_slice(bytes);
}

fn ndb_of(blobs: &[Vec<u8>]) -> Vec<u8> {
    let mut file = [b"RpmP".to_vec(), [0_u32, 1, 1, 9].map(u32::to_le_bytes).concat()].concat();
    file.resize(4096, 0);
    for slot in 2..256 {
        put(&mut file, slot * 16, b"Slot");
    }
    for (index, blob) in blobs.iter().enumerate() {
        let start = file.len();
        let blocks = (16 + blob.len() + 12).div_ceil(16);
        let package = index as u32 + 1;
        let numbers = [package, (start / 16) as u32, blocks as u32].map(u32::to_le_bytes).concat();
        put(&mut file, (index + 2) * 16 + 4, &numbers);
        let head = [package, 1, blob.len() as u32].map(u32::to_le_bytes).concat();
        file.extend([&b"BlbS"[..], &head, blob].concat());
        file.resize(start + blocks * 16, 0);
    }
    file
}

const PAGE: usize = 512;

fn bdb_of(blobs: &[Vec<u8>]) -> Vec<u8> {
    // page 0: metadata; page 1: all keys and values; then overflow pages
    let mut file = vec![0; PAGE * 2];
    put(&mut file, 12, &0x0006_1561_u32.to_le_bytes());
    put(&mut file, 20, &(PAGE as u32).to_le_bytes());
    let mut items = vec![vec![1, 0, 0, 0, 0], vec![1, 9, 0, 0, 0]];
    for (index, blob) in blobs.iter().enumerate() {
        let first = (file.len() / PAGE) as u32;
        let parts: Vec<_> = blob.chunks(PAGE - 26).collect();
        for (number, part) in parts.iter().enumerate() {
            let at = file.len();
            file.resize(at + PAGE, 0);
            let next = if number + 1 == parts.len() { 0 } else { first + number as u32 + 1 };
            put(&mut file, at + 16, &next.to_le_bytes());
            put(&mut file, at + 22, &(part.len() as u16).to_le_bytes());
            put(&mut file, at + 25, &[7]);
            put(&mut file, at + 26, part);
        }
        items.push([vec![1], (index as u32 + 1).to_le_bytes().to_vec()].concat());
        items.push([3, first, blob.len() as u32].map(u32::to_le_bytes).concat());
    }
    put(&mut file, PAGE + 20, &(items.len() as u16).to_le_bytes());
    put(&mut file, PAGE + 25, &[13]);
    let mut end = PAGE * 2;
    for (index, item) in items.iter().enumerate() {
        end -= item.len();
        put(&mut file, end, item);
        put(&mut file, PAGE + 26 + index * 2, &((end - PAGE) as u16).to_le_bytes());
    }
    let last = (file.len() / PAGE - 1) as u32;
    put(&mut file, 32, &last.to_le_bytes());
    file
}

fn varint_of(number: usize) -> Vec<u8> {
    vec![0x80 | (number >> 14) as u8, 0x80 | (number >> 7 & 0x7f) as u8, (number & 0x7f) as u8]
}

/// A leaf page that starts at `at` with its b-tree header at `at + skip`; cells are laid from its end.
fn leaf_of(file: &mut Vec<u8>, at: usize, skip: usize, cells: &[Vec<u8>]) {
    put(file, at + skip, &[13]);
    put(file, at + skip + 3, &(cells.len() as u16).to_be_bytes());
    let mut end = at + PAGE;
    for (index, cell) in cells.iter().enumerate() {
        end -= cell.len();
        put(file, end, cell);
        put(file, at + skip + 8 + index * 2, &((end - at) as u16).to_be_bytes());
    }
}

fn sqlite_of(blobs: &[Vec<u8>]) -> Vec<u8> {
    // page 1: schema; page 2: interior page of Packages; then per blob a leaf with its overflow pages
    let mut file = vec![0; PAGE * 2];
    put(&mut file, 0, b"SQLite format 3\0");
    put(&mut file, 16, &(PAGE as u16).to_be_bytes());
    put(&mut file, 56, &1_u32.to_be_bytes());
    let schema = [&[6, 23, 29, 29, 1, 13][..], b"tablePackagesPackages\x02"].concat();
    leaf_of(&mut file, 0, 100, &[[&varint_of(schema.len())[..], &[1], &schema].concat()]);
    let mut leaves = Vec::new();
    for blob in blobs {
        let record = [vec![5, 0], varint_of(blob.len() * 2 + 12), blob.clone()].concat();
        let smallest = (PAGE - 12) * 32 / 255 - 23;
        let local = Some(record.len()).filter(|length| *length <= PAGE - 35).unwrap_or_else(|| {
            Some(smallest + (record.len() - smallest) % (PAGE - 4)).filter(|local| *local <= PAGE - 35).unwrap_or(smallest)
        });
        let leaf = file.len() / PAGE + 1;
        file.resize(file.len() + PAGE, 0);
        let mut cell = [varint_of(record.len()), vec![1], record[..local].to_vec()].concat();
        let parts: Vec<_> = record[local..].chunks(PAGE - 4).collect();
        for (number, part) in parts.iter().enumerate() {
            if number == 0 {
                cell.extend((leaf as u32 + 1).to_be_bytes());
            }
            let next = if number + 1 == parts.len() { 0 } else { (leaf + number + 2) as u32 };
            let at = file.len();
            file.resize(at + PAGE, 0);
            put(&mut file, at, &[&next.to_be_bytes()[..], part].concat());
        }
        leaf_of(&mut file, (leaf - 1) * PAGE, 0, &[cell]);
        leaves.push(leaf as u32);
    }
    let (last, others) = leaves.split_last().unwrap();
    put(&mut file, PAGE, &[5]);
    put(&mut file, PAGE + 3, &(others.len() as u16).to_be_bytes());
    put(&mut file, PAGE + 8, &last.to_be_bytes());
    for (index, leaf) in others.iter().enumerate() {
        let at = PAGE - (index + 1) * 5;
        put(&mut file, PAGE + at, &leaf.to_be_bytes());
        put(&mut file, PAGE + 12 + index * 2, &(at as u16).to_be_bytes());
    }
    file
}

fn parsed(kind: DatabaseKind, body: &[u8]) -> (Vec<Package>, Report) {
    let mut found = Vec::new();
    let report = packages(kind, body, &mut |package, files| {
        files.for_each(drop);
        found.push(package);
        Ok(())
    });
    (found, report)
}

fn all_formats(blobs: &[Vec<u8>]) -> [(DatabaseKind, Vec<u8>); 3] {
    [(DatabaseKind::RpmSqlite, sqlite_of(blobs)), (DatabaseKind::RpmNdb, ndb_of(blobs)), (DatabaseKind::RpmBdb, bdb_of(blobs))]
}

#[test]
fn every_format_gives_every_package_small_or_large() {
    let blobs = [package("bash", 0), package("gcc", 3000), package("zsh", 700)];
    for (kind, file) in all_formats(&blobs) {
        let (found, report) = parsed(kind, &file);
        assert_eq!(report, Report::default(), "{kind:?}");
        let names: Vec<_> = found.iter().map(|package| package.name.as_str()).collect();
        assert_eq!(names, ["bash", "gcc", "zsh"], "{kind:?}");
        assert_eq!(found[0].version, "7:5.1-2.el9");
        assert_eq!(shown(&found[0].requires), ["libc.so.6()(64bit) (>= 2.34)", "a | b"]);
        assert_eq!(shown(&found[1].provides), ["gcc", "config(x)"]);
        assert_eq!((found[0].architecture.as_str(), found[0].source.as_deref()), ("x86_64", Some("the-source")));
    }
}

#[test]
fn files_belong_to_their_package_with_the_recorded_mode() {
    let mut rootfs = Rootfs::default();
    let program = rootfs.insert(b"/usr/bin/bash", Inode::new(InodeKind::File { size: 1 }, 0o755, 0));
    rootfs.insert(b"/var/lib/rpm/rpmdb.sqlite", file_with(&sqlite_of(&[package("bash", 0)])));
    let limits = Limits::default();
    let mut bodies = Bodies::new(&rootfs, &limits);
    let found = super::super::read(&mut bodies);
    assert_eq!(
        found.owner(&rootfs, program).map(|(package, file)| (package.name.clone(), file.mode)),
        Some(("bash".into(), Some(0o4755)))
    );
    assert!(bodies.not_examined.is_empty());
}

#[test]
fn old_headers_list_whole_paths() {
    let blob = header_of(&[string(1000, "old"), string(1001, "1"), strings(1027, &["/bin/old", "/old"])]);
    let (_, files) = header::parse(&blob).unwrap();
    let paths: Vec<_> = files.iter().map(|file| (text(file.folder), text(file.name), file.mode)).collect();
    assert_eq!(paths, [("/bin/".into(), "old".into(), None), ("/".into(), "old".into(), None)]);
}

#[test]
fn a_header_that_lies_about_its_sizes_is_refused() {
    for values in [
        vec![string(1001, "1")],
        vec![(1000, 6, 1, b"no end".to_vec())],
        vec![string(1000, "a"), (1117, 8, u32::MAX, b"x\0".to_vec())],
        vec![string(1000, "a"), (1030, 3, u32::MAX, vec![0; 4])],
        vec![string(1000, "a"), strings(1117, &["x"]), strings(1118, &["/"]), (1116, 4, 1, 9_u32.to_be_bytes().to_vec())],
        vec![string(1000, "a"), strings(1117, &["x"])],
    ] {
        assert!(header::parse(&header_of(&values)).is_err(), "{values:?}");
    }
    assert!(header::parse(&[0xff; 64]).is_err());
    assert!(header::parse(b"").is_err());
}

#[test]
fn an_unreadable_header_is_a_failure_and_the_others_are_read() {
    let (found, report) = parsed(DatabaseKind::RpmNdb, &ndb_of(&[b"bad".to_vec(), package("zsh", 0)]));
    assert_eq!(found.len(), 1);
    assert!(report.failure.unwrap().contains("header cannot be read"));
}

#[test]
fn cycles_end() {
    let mut file = bdb_of(&[package("gcc", 3000)]);
    put(&mut file, PAGE * 3 + 16, &2_u32.to_le_bytes());
    assert!(parsed(DatabaseKind::RpmBdb, &file).1.failure.unwrap().contains("overflow chain"));
    let mut file = sqlite_of(&[package("gcc", 3000)]);
    put(&mut file, PAGE + 8, &2_u32.to_be_bytes());
    assert!(parsed(DatabaseKind::RpmSqlite, &file).1.failure.unwrap().contains("used twice"));
    let mut file = ndb_of(&[package("gcc", 3000)]);
    for slot in 3..20 {
        let first = file[32..48].to_vec();
        put(&mut file, slot * 16, &first);
    }
    assert!(parsed(DatabaseKind::RpmNdb, &file).1.failure.unwrap().contains("overlap"));
}

#[test]
fn what_is_no_database_is_a_failure() {
    for (kind, _) in all_formats(&[package("a", 0)]) {
        for body in [&b""[..], b"junk", &[0; 8192]] {
            assert!(parsed(kind, body).1.failure.is_some(), "{kind:?}");
        }
    }
}

#[test]
fn a_wal_and_a_second_database_are_said() {
    let mut rootfs = Rootfs::default();
    rootfs.insert(b"/var/lib/rpm/rpmdb.sqlite", file_with(&sqlite_of(&[package("bash", 0)])));
    rootfs.insert(b"/var/lib/rpm/rpmdb.sqlite-wal", file_with(b"frames"));
    rootfs.insert(b"/usr/lib/sysimage/rpm/Packages.db", file_with(&ndb_of(&[package("zsh", 0)])));
    let limits = Limits::default();
    let mut bodies = Bodies::new(&rootfs, &limits);
    let found = super::super::read(&mut bodies);
    assert_eq!(found.list.len(), 2);
    assert_eq!(bodies.not_examined.len(), 1);
    let problems: Vec<_> = found.databases.iter().map(|database| database.problem.clone().unwrap()).collect();
    assert_eq!(problems[0], "the image has more than one rpm database");
    assert!(problems[1].starts_with("WAL not applied: 6 bytes"), "{problems:?}");
}

proptest! {
    #[test]
    fn any_bytes_are_a_blob_or_are_not(bytes: Vec<u8>) {
        let _ = header::parse(&bytes);
    }

    #[test]
    fn a_spoilt_database_ends(which in 0_usize..3, changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12), cut: prop::sample::Index) {
        let (kind, mut file) = all_formats(&[package("gcc", 1500), package("bash", 0)])[which].clone();
        for (at, byte) in changes {
            let at = at.index(file.len());
            file[at] = byte;
        }
        file.truncate(cut.index(file.len()) + 1);
        let _ = parsed(kind, &file);
    }
}
