//! Sparse files in PAX formats 0.0, 0.1 and 1.0.

use super::build::{codes, end, member, names, pax, read, read_in, record, refuse};
use super::{Error, Limits};

fn version_1(map: &str, size: &str, stored: &[u8]) -> Vec<u8> {
    let records =
        [("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.name", "sp"), ("GNU.sparse.realsize", size)];
    let mut content = map.as_bytes().to_vec();
    content.resize(content.len().next_multiple_of(512), 0);
    content.extend_from_slice(stored);
    [pax(&records), member(b'0', "GNUSparseFile.0/sp", &content)].concat()
}

fn expected() -> Vec<u8> {
    [vec![0; 3], b"abc".to_vec(), vec![0; 4], b"de".to_vec(), vec![0; 5]].concat()
}

#[test]
fn every_version_is_expanded_with_its_holes() {
    let numbers = [("offset", "3"), ("numbytes", "3"), ("offset", "10"), ("numbytes", "2")];
    let mut version_0_0 = [record("GNU.sparse.size", b"17"), record("GNU.sparse.numblocks", b"2")].concat();
    for (key, value) in numbers {
        version_0_0.extend(record(&format!("GNU.sparse.{key}"), value.as_bytes()));
    }
    let version_0_0 = [member(b'x', "x", &version_0_0), member(b'0', "sp", b"abcde")].concat();
    let map =
        [("GNU.sparse.map", "3,3,10,2"), ("GNU.sparse.numblocks", "2"), ("GNU.sparse.size", "17"), ("GNU.sparse.name", "sp")];
    let version_0_1 = [pax(&map), member(b'0', "other", b"abcde")].concat();
    for bytes in [version_0_0, version_0_1, version_1("2\n3\n3\n10\n2\n", "17", b"abcde")] {
        let entries = read(&[bytes, member(b'0', "next", b""), end()]);
        assert_eq!((names(&entries), codes(&entries)), (vec!["sp".into(), "next".into()], vec!["tar-sparse"]));
        assert_eq!((entries[0].0.size, entries[0].0.is_sparse, &entries[0].1), (17, true, &expected()));
    }
}

#[test]
fn files_of_holes_alone_and_empty_extents_are_fine() {
    let entries = read(&[version_1("0\n", "9", b""), version_1("1\n9\n0\n", "9", b""), end()]);
    assert_eq!((&entries[0].1, &entries[1].1), (&vec![0; 9], &vec![0; 9]));
}

#[test]
fn the_sparse_name_beats_the_gnu_name() {
    let long = member(b'L', "l", b"long\0");
    assert_eq!(names(&read(&[long, version_1("1\n0\n1\n", "1", b"x"), end()])), ["sp"]);
}

#[test]
fn unknown_versions_are_no_sparse_files() {
    let records = pax(&[("GNU.sparse.major", "2"), ("GNU.sparse.minor", "0"), ("GNU.sparse.name", "sp")]);
    let entries = read(&[records, member(b'0', "plain", b"x"), end()]);
    assert_eq!((names(&entries), entries[0].0.is_sparse), (vec!["plain".into()], false));
}

#[test]
fn maps_that_do_not_fit_are_refused() {
    for (map, size, stored) in [
        ("1000000000\n", "9", ""),      // announces more than there is (CVE-2025-58183)
        ("x\n", "9", ""),               // no number
        ("-1\n", "9", ""),              // negative count
        ("1\n0\n", "9", ""),            // ends early
        ("1\n-1\n1\n", "9", "x"),       // negative offset
        ("1\n8\n2\n", "9", "xy"),       // over the end
        ("2\n4\n1\n2\n1\n", "9", "xy"), // out of order
        ("1\n0\n2\n", "9", "x"),        // less is stored
        ("1\n0\n1\n", "9", "xy"),       // more is stored
        ("0\n", "-9", ""),              // negative size
        ("0\n", "x", ""),               // no size
    ] {
        let error = refuse(&[version_1(map, size, stored.as_bytes()), end()]);
        assert!(matches!(error, Error::Tar { .. }), "{map:?}: {error}");
    }
    let on_directory = [pax(&[("GNU.sparse.map", "0,1"), ("GNU.sparse.numblocks", "1")]), member(b'5', "d", b"")];
    assert!(matches!(refuse(&on_directory), Error::Tar { .. }));
    let short = pax(&[("GNU.sparse.map", "0,1"), ("GNU.sparse.numblocks", "2")]);
    assert!(matches!(refuse(&[short, member(b'0', "f", b"x")]), Error::Tar { .. }));
}

#[test]
fn limits_on_maps_are_held() {
    let limits = Limits { sparse_extents: 1, ..Limits::default() };
    assert!(read_in(99, &limits, &version_1("1\n0\n1\n", "1", b"x")).1.is_ok());
    let error = read_in(99, &limits, &version_1("2\n0\n1\n1\n1\n", "2", b"xy")).1.unwrap_err();
    assert!(matches!(error, Error::Limit(_)), "{error}");
    let endless = version_1(&"1".repeat(9_000), "9", b"");
    let limits = Limits { tar_extension_bytes: 1024, ..Limits::default() };
    assert!(matches!(read_in(99, &limits, &endless).1, Err(Error::TarHeaderTooLarge { found: 1536, .. })));
}

#[test]
fn holes_are_told_when_content_is_skipped() {
    let bytes = version_1("2\n3\n3\n10\n2\n", "17", b"abcde");
    let (mut seen, mut framer) = (super::build::Seen::default(), super::Framer::new(&Limits::default()));
    let content = bytes.len() - 512;
    framer.push(&bytes[..content], &mut seen).unwrap();
    assert_eq!(framer.skippable(), 512);
    framer.skip(512, &mut seen).unwrap();
    assert_eq!((seen.entries[0].1.len(), seen.ended), (12, 1));
}
