//! How extension headers combine.

use super::build::{Raw, codes, end, member, names, pax, read, read_in, record, refuse, with_content};
use super::{EntryKind, Error, Limits};
use crate::limits::LimitHit;

fn file() -> Vec<u8> {
    member(b'0', "plain", b"x")
}

fn long_name(name: &str) -> Vec<u8> {
    member(b'L', "././@LongLink", format!("{name}\0").as_bytes())
}

#[test]
fn pax_records_override_the_header() {
    let records =
        pax(&[("path", "p"), ("linkpath", "l"), ("uid", "4294967296"), ("gid", "-1"), ("mtime", "1.5"), ("uname", "u")]);
    let entries = read(&[records, Raw::new(b'2', "plain", 0).done(), file(), end()]);
    let entry = &entries[0].0;
    assert_eq!((&entry.path[..], &entry.link[..], entry.uid, entry.gid), (&b"p"[..], &b"l"[..], 1 << 32, -1));
    assert_eq!((names(&entries)[1].as_str(), codes(&entries).len()), ("plain", 0));
}

#[test]
fn an_empty_record_leaves_the_header_as_it_is() {
    let entries = read(&[pax(&[("path", ""), ("size", ""), ("SCHILY.xattr.user.a", "")]), file(), end()]);
    assert_eq!((names(&entries), entries[0].0.xattrs.len()), (vec!["plain".into()], 0));
}

#[test]
fn a_second_pax_header_replaces_the_first() {
    let entries = read(&[pax(&[("path", "first")]), pax(&[("uid", "7")]), file(), end()]);
    assert_eq!((names(&entries), codes(&entries)), (vec!["plain".into()], vec!["mixed-extension-headers"]));
    assert_eq!(entries[0].0.uid, 7);
}

#[test]
fn a_repeated_record_counts_with_its_last_value_and_is_remarked() {
    let entries = read(&[pax(&[("path", "first"), ("path", "second")]), file(), end()]);
    assert_eq!((names(&entries), codes(&entries)), (vec!["second".into()], vec!["mixed-extension-headers"]));
    assert_eq!(codes(&read(&[pax(&[("path", "a"), ("path", "a")]), file(), end()])), [""; 0]);
}

#[test]
fn a_global_header_is_an_entry_and_drops_what_was_collected() {
    let global = member(b'g', "pax_global_header", &record("comment", b"v1"));
    let entries = read(&[pax(&[("path", "renamed")]), long_name("long"), global.clone(), file(), end()]);
    assert_eq!(names(&entries), ["pax_global_header", "plain"]);
    assert_eq!((entries[0].0.kind, entries[0].0.size), (EntryKind::PaxGlobal, 0));
    assert_eq!(codes(&entries), ["mixed-extension-headers"]);
    assert_eq!(codes(&read(&[global, file(), end()])), [""; 0]);
}

#[test]
fn a_global_header_with_records_is_remarked_and_applies_none_to_files() {
    let content = [record("path", b"everything"), record("uid", b"7")].concat();
    let entries = read(&[member(b'g', "g", &content), file(), end()]);
    assert_eq!((names(&entries), codes(&entries)), (vec!["everything".into(), "plain".into()], vec!["pax-global-record"]));
    assert_eq!(entries[1].0.uid, 0);
    assert!(matches!(refuse(&[member(b'g', "g", &record("uid", b"x"))]), Error::Tar { .. }));
}

#[test]
fn gnu_names_beat_pax_names_in_either_order() {
    for parts in [[pax(&[("path", "frompax")]), long_name("fromgnu")], [long_name("fromgnu"), pax(&[("path", "frompax")])]] {
        let entries = read(&[parts.concat(), file(), end()]);
        assert_eq!((names(&entries), codes(&entries)), (vec!["fromgnu".into()], vec!["mixed-extension-headers"]));
    }
}

#[test]
fn gnu_long_names_and_links_go_together_and_end_at_their_nul() {
    let link = member(b'K', "././@LongLink", b"target\0rest");
    let entries = read(&[link, long_name("long"), Raw::new(b'2', "short", 0).done(), end()]);
    assert_eq!((&entries[0].0.path[..], &entries[0].0.link[..]), (&b"long"[..], &b"target"[..]));
    assert_eq!(codes(&entries), [""; 0]);
    let entries = read(&[long_name("a"), long_name(""), file(), end()]);
    assert_eq!((names(&entries), codes(&entries)), (vec!["plain".into()], vec!["mixed-extension-headers"]));
}

#[test]
fn a_long_name_with_a_trailing_slash_makes_a_v7_file_a_directory() {
    let entries = read(&[long_name("d/"), Raw::new(0, "d", 512).done(), member(b'0', "next", b""), end()]);
    assert_eq!((entries[0].0.kind, names(&entries)), (EntryKind::Directory, vec!["d/".into(), "next".into()]));
}

#[test]
fn the_pax_size_decides_in_both_directions() {
    let larger = [pax(&[("size", "3")]), with_content(Raw::new(b'0', "f", 0).done(), b"abc")];
    let entries = read(&[larger.concat(), file(), end()]);
    assert_eq!((names(&entries), codes(&entries)), (vec!["f".into(), "plain".into()], vec!["pax-size-differs"]));
    assert_eq!(entries[0].1, b"abc");
    let smaller = [pax(&[("size", "0")]), Raw::new(b'0', "f", 512).done()];
    let entries = read(&[smaller.concat(), file(), end()]);
    assert_eq!((names(&entries), codes(&entries)), (vec!["f".into(), "plain".into()], vec!["pax-size-differs"]));
}

#[test]
fn a_pax_size_is_not_that_of_the_gnu_header_behind_it() {
    let parts = [pax(&[("size", "3")]), long_name("long"), with_content(Raw::new(b'0', "f", 0).done(), b"abc")];
    let entries = read(&[parts.concat(), end()]);
    assert_eq!((names(&entries), &entries[0].1[..]), (vec!["long".into()], &b"abc"[..]));
    assert_eq!(codes(&entries), ["mixed-extension-headers", "pax-size-differs"]);
}

#[test]
fn a_size_that_octal_cannot_say_is_no_difference() {
    let huge = (8_u64 << 30).to_string();
    for size in [0, 0o777_7777_7777] {
        let bytes = [pax(&[("size", &huge)]), Raw::new(b'0', "f", size).done()].concat();
        let (seen, result) = read_in(512, &Limits::default(), &bytes);
        assert_eq!((seen.entries[0].0.size, codes(&seen.entries).len()), (8 << 30, 0));
        assert!(matches!(result, Err(Error::TarTruncated { .. })));
    }
}

#[test]
fn values_that_go_refuses_are_refused() {
    for (key, value) in [("size", "abc"), ("size", "-1"), ("uid", "1.5"), ("gid", "x"), ("mtime", "now"), ("atime", "1.x")] {
        assert!(matches!(refuse(&[pax(&[(key, value)]), file(), end()]), Error::Tar { .. }), "{key}={value}");
    }
    for key in ["path", "linkpath", "uname"] {
        assert!(matches!(refuse(&[member(b'x', "x", &record(key, b"a\0b")), file()]), Error::Tar { offset: 0, .. }), "{key}");
    }
    assert!(matches!(refuse(&[member(b'x', "x", b"99 path=p\n"), file()]), Error::Tar { .. }));
}

#[test]
fn attributes_are_sorted_and_only_schilys_count() {
    let records = [("SCHILY.xattr.user.b", "2"), ("SCHILY.xattr.user.a", "1"), ("LIBARCHIVE.xattr.user.c", "Mw")];
    let entries = read(&[pax(&records), file(), end()]);
    let expected = [(b"user.a".to_vec(), b"1".to_vec()), (b"user.b".to_vec(), b"2".to_vec())];
    assert_eq!((&entries[0].0.xattrs[..], codes(&entries)), (&expected[..], vec!["xattr-libarchive"]));
}

#[test]
fn limits_on_extension_headers_are_held() {
    let limits = Limits { tar_extension_bytes: 40, tar_extensions: 2, xattr_bytes: 4, xattrs_bytes: 12, ..Limits::default() };
    let hit = |parts: &[Vec<u8>]| match read_in(usize::MAX, &limits, &parts.concat()).1.unwrap_err() {
        Error::Limit(LimitHit { name, .. }) => name.to_owned(),
        other => format!("{:?}", other.code()),
    };
    let two = [pax(&[("uid", "1")]), pax(&[("uid", "1")])].concat();
    assert!(read_in(usize::MAX, &limits, &[two.clone(), file()].concat()).1.is_ok());
    assert_eq!(hit(&[two, long_name("n"), file()]), "tar-extensions");
    assert_eq!(hit(&[pax(&[("SCHILY.xattr.a", "12345")]), file()]), "xattr-bytes");
    assert_eq!(hit(&[pax(&[("SCHILY.xattr.abcdefghi", "1234")]), file()]), "xattrs-bytes");
    assert_eq!(hit(&[member(b'L', "l", &[b'n'; 41])]), "TarHeaderTooLarge");
}
