//! The framer's rules, one test each: what Go's reader and the runtimes on it do, and what is remarked.

mod build;
mod extensions;
mod properties;
mod sparse;

use build::{Raw, codes, end, member, names, pax, read, read_in, refuse, with_content};

use super::EntryKind::{BlockDevice, CharDevice, Directory, Fifo, File, Symlink};
use super::{EntryKind, Framer, Trailer};
use crate::archive::Error;
use crate::limits::Limits;
use crate::oci::Code;

#[test]
fn entries_of_every_type_keep_their_fields() {
    let device = Raw::new(b'3', "null", 0).put(329, b"0000001\0").put(337, b"0000003\0").done();
    let link = Raw::new(b'2', "link", 0).put(157, b"target").done();
    let file = with_content(Raw::new(b'0', "f", 3).put(100, b"0104755\0").put(108, b"0001750\0").done(), b"abc");
    let entries = read(&[file, link, device, member(b'5', "d/", b""), member(b'6', "p", b""), member(b'4', "b", b""), end()]);
    let kinds: Vec<_> = entries.iter().map(|(entry, _)| entry.kind).collect();
    assert_eq!(kinds, [File, Symlink, CharDevice, Directory, Fifo, BlockDevice]);
    assert_eq!((entries[0].0.mode, entries[0].0.uid, entries[0].0.size, &entries[0].1[..]), (0o104_755, 1000, 3, &b"abc"[..]));
    assert_eq!(entries[1].0.link, b"target");
    assert_eq!((entries[2].0.dev_major, entries[2].0.dev_minor), (1, 3));
    assert_eq!(entries[1].0.offset, 1024);
    assert_eq!(codes(&entries), [""; 0]);
}

#[test]
fn types_without_content_have_none_whatever_their_size_says() {
    for type_flag in b'1'..=b'6' {
        let entries = read(&[Raw::new(type_flag, "d", 512).done(), member(b'0', "smuggled", b"x"), end()]);
        assert_eq!(names(&entries), ["d", "smuggled"], "{type_flag}");
        assert_eq!(codes(&entries), ["size-on-bodyless-entry"]);
        assert_eq!(entries[0].0.size, 0);
    }
}

#[test]
fn type_nul_with_a_trailing_slash_is_a_directory_and_type_0_is_a_file() {
    let entries = read(&[member(0, "d/", b""), member(0, "f", b"x"), member(b'0', "g/", b"y"), end()]);
    let kinds: Vec<_> = entries.iter().map(|(entry, _)| entry.kind).collect();
    assert_eq!(kinds, [EntryKind::Directory, EntryKind::File, EntryKind::File]);
    assert_eq!((names(&entries)[2].as_str(), codes(&entries)), ("g/", vec!["file-name-trailing-slash"]));
}

#[test]
fn types_that_runtimes_refuse_are_errors() {
    for type_flag in [b'7', b'S', b'V', b'M', b'Z', 0x80] {
        let error = refuse(&[member(type_flag, "odd", b""), end()]);
        assert!(matches!(&error, Error::TarEntryType { path, .. } if path == b"odd"), "{error}");
    }
}

#[test]
fn a_checksum_over_signed_bytes_is_remarked_and_a_wrong_one_refused() {
    let name = Raw::new(b'0', "caf", 0).put(3, b"\xe9");
    assert_eq!(codes(&read(&[name.clone().signed(), end()])), ["tar-signed-checksum"]);
    assert_eq!(codes(&read(&[name.clone().done(), end()])), [""; 0]);
    assert!(matches!(refuse(&[name.put(148, b"0000001\0").0.to_vec()]), Error::Tar { offset: 0, .. }));
}

#[test]
fn the_prefix_counts_for_ustar_and_star_and_not_for_v7_and_gnu() {
    let name = |raw: Raw| names(&read(&[raw.put(345, b"dir").done()])).remove(0);
    assert_eq!(name(Raw::new(b'0', "f", 0)), "dir/f");
    assert_eq!(name(Raw::new(b'0', "f", 0).put(508, b"tar\0")), "dir/f");
    assert_eq!(name(Raw::new(b'0', "f", 0).put(257, &[0; 8])), "f");
}

#[test]
fn text_where_gnu_headers_keep_times_is_a_prefix_when_it_is_no_time() {
    let gnu = || Raw::new(b'0', "f", 0).put(257, b"ustar  \0");
    let entries = read(&[gnu().put(345, b"quirk/dir").done()]);
    assert_eq!((names(&entries), codes(&entries)), (vec!["quirk/dir/f".into()], vec!["gnu-header-prefix"]));
    for times in [b"00000000001\0".as_slice(), b"\xff\xff bad", b"\0bad"] {
        let entries = read(&[gnu().put(345, times).done()]);
        assert_eq!((names(&entries), codes(&entries)), (vec!["f".into()], vec![]), "{times:?}");
    }
}

#[test]
fn numbers_are_octal_or_base_256_and_a_negative_size_is_refused() {
    let big = Raw::new(b'0', "f", 0).put(108, b"\x80\0\0\x01\0\0\0\0").put(116, &[0xff; 8]);
    let entries = read(&[big.done()]);
    assert_eq!((entries[0].0.uid, entries[0].0.gid), (1 << 32, -1));
    assert!(matches!(refuse(&[Raw::new(b'0', "f", 0).put(124, &[0xff; 12]).done()]), Error::Tar { .. }));
    for (field, at) in [("mode", 100), ("uid", 108), ("gid", 116), ("size", 124), ("mtime", 136), ("devmajor", 329)] {
        let error = refuse(&[Raw::new(b'0', "f", 0).put(at, b"8z").done()]);
        assert!(error.to_string().contains(field), "{error}");
    }
}

#[test]
fn an_archive_ends_after_two_zero_blocks_or_at_any_block_edge() {
    let file = member(b'0', "f", b"x");
    for tail in [vec![], vec![0; 512], end(), vec![0; 10_240]] {
        let (seen, result) = read_in(usize::MAX, &Limits::default(), &[file.clone(), tail].concat());
        assert_eq!((seen.entries.len(), result.unwrap()), (1, Trailer::default()));
    }
    assert!(read_in(1, &Limits::default(), b"").1.is_ok());
    // as in Go's reader, missing padding is no error
    assert!(read_in(1, &Limits::default(), &file[..513]).1.is_ok());
}

#[test]
fn one_zero_block_before_data_is_refused() {
    let error = refuse(&[member(b'0', "f", b"x"), vec![0; 512], member(b'0', "g", b""), end()]);
    assert!(matches!(error, Error::Tar { offset: 1536, .. }), "{error}");
}

#[test]
fn what_follows_the_end_is_drained_and_the_first_data_in_it_reported() {
    let tail = [end(), vec![0; 700], b"x".to_vec(), vec![7; 5000]].concat();
    for chunk in [1, 511, 512, 100_000] {
        let (seen, result) = read_in(chunk, &Limits::default(), &tail);
        assert_eq!((seen.entries.len(), result.unwrap()), (0, Trailer { data_after_end: Some(1724) }));
    }
}

#[test]
fn truncation_inside_headers_and_content_is_an_error() {
    let bytes = [pax(&[("path", "p")]), member(b'0', "f", &[1; 600])].concat();
    for (length, missing) in [(1, 511), (512, 9), (515, 6), (1025, 511), (1536, 600), (2000, 136), (2135, 1)] {
        let error = read_in(64, &Limits::default(), &bytes[..length]).1.unwrap_err();
        assert!(
            matches!(error, Error::TarTruncated { offset, missing: m } if offset == length as u64 && m == missing),
            "{error}"
        );
    }
}

#[test]
fn content_can_be_skipped_and_headers_cannot() {
    let bytes = [pax(&[("path", "p")]), member(b'0', "f", &[1; 600]), member(b'0', "g", b"x")].concat();
    let (mut seen, mut framer) = (build::Seen::default(), Framer::new(&Limits::default()));
    framer.push(&bytes[..700], &mut seen).unwrap();
    assert_eq!(framer.skippable(), 324, "padding of the extension header");
    framer.push(&bytes[700..1600], &mut seen).unwrap();
    assert_eq!(framer.skippable(), 960);
    framer.skip(900, &mut seen).unwrap();
    assert_eq!((framer.offset(), framer.skippable(), seen.ended), (2500, 60, 1));
    framer.skip(60, &mut seen).unwrap();
    assert!(framer.skip(1, &mut seen).is_err());
    assert!(framer.push(b"", &mut seen).is_ok() && framer.push(b"x", &mut seen).is_err() && framer.finish().is_err());
}

#[test]
fn an_error_of_the_sink_stops_the_framer() {
    struct Refuses;
    impl super::Sink for Refuses {
        fn entry(&mut self, _: super::Entry) -> Result<(), Error> {
            Err(Error::Xz { reason: "no".into() })
        }
        fn data(&mut self, _: &[u8]) {}
        fn hole(&mut self, _: u64) {}
        fn end_of_entry(&mut self) {}
    }
    let mut framer = Framer::new(&Limits::default());
    let error = framer.push(&member(b'0', "f", b""), &mut Refuses).unwrap_err();
    assert_eq!(error.code(), Code::XzMalformed);
    assert!(framer.finish().is_err());
}
