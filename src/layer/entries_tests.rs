//! Tests of entry cleaning, one per rule.

use tar::EntryType;

use crate::layer::test_tar::TestTar;
use crate::layer::tests::indexed;
use crate::layer::{ChangeKind, LayerIndex};
use crate::oci::Code;

fn of(tar: TestTar) -> LayerIndex {
    indexed(&tar.end())
}

fn codes(index: &LayerIndex) -> Vec<Code> {
    index.remarks.iter().map(|remark| remark.code).collect()
}

fn only(index: &LayerIndex) -> (ChangeKind, String) {
    assert_eq!(index.changes.len(), 1, "{index:?}");
    (index.changes[0].kind, String::from_utf8_lossy(index.name(&index.changes[0].path)).into_owned())
}

fn file(name: &str) -> LayerIndex {
    of(TestTar::default().file(name, b""))
}

fn error(index: &LayerIndex) -> Code {
    index.errors[0].code()
}

#[test]
fn whiteouts_name_what_they_remove() {
    assert_eq!(only(&file("a/.wh.b")), (ChangeKind::Whiteout, "/a/b".to_owned()));
    assert_eq!(only(&file(".wh.b")), (ChangeKind::Whiteout, "/b".to_owned()));
    assert_eq!(only(&file("a/.wh..wh..opq")), (ChangeKind::Opaque, "/a".to_owned()));
    assert_eq!(only(&file(".wh..wh..opq")), (ChangeKind::Opaque, "/".to_owned()));
    assert_eq!(codes(&file("a/.wh.b")), []);
}

#[test]
fn names_that_only_look_like_whiteouts_are_files() {
    for name in [".WH.f", "a.wh.b", ".whale", "awhb"] {
        let index = file(name);
        assert_eq!(only(&index), (ChangeKind::File, format!("/{name}")));
        assert_eq!(codes(&index), []);
    }
}

#[test]
fn whiteouts_of_nothing_are_refused() {
    for name in [".wh.", ".wh..", ".wh...", "a/.wh..."] {
        assert_eq!(error(&file(name)), Code::WhiteoutInvalidName, "{name}");
    }
}

#[test]
fn odd_whiteouts_are_honoured_and_told() {
    let directory = of(TestTar::default().directory(".wh.b/"));
    assert_eq!((only(&directory).0, codes(&directory)), (ChangeKind::Whiteout, vec![Code::WhiteoutNotRegular]));
    let full = of(TestTar::default().file(".wh.b", b"x"));
    assert_eq!((only(&full).0, codes(&full)), (ChangeKind::Whiteout, vec![Code::WhiteoutNotEmpty]));
    let lookalike = file(".wh..wh..opqX");
    assert_eq!(only(&lookalike), (ChangeKind::Whiteout, "/.wh..opqX".to_owned()));
    assert_eq!(codes(&lookalike), [Code::WhiteoutReservedName]);
}

#[test]
fn aufs_bookkeeping_is_what_overlay_runtimes_make_of_it() {
    let folder = of(TestTar::default().directory(".wh..wh.plnk/"));
    assert_eq!((only(&folder).0, codes(&folder)), (ChangeKind::Whiteout, vec![Code::AufsMetadata]));
    let inside = file(".wh..wh.plnk/12.34");
    assert_eq!(only(&inside), (ChangeKind::File, "/.wh..wh.plnk/12.34".to_owned()));
    assert_eq!(codes(&inside), [Code::AufsMetadata]);
}

#[test]
fn a_whiteout_prefix_in_a_parent_hides_nothing() {
    let index = file(".wh.d/evil");
    assert_eq!(only(&index), (ChangeKind::File, "/.wh.d/evil".to_owned()));
    assert_eq!(codes(&index), [Code::WhiteoutPrefixInPath]);
}

#[test]
fn the_root_is_a_directory_and_its_metadata_is_told_when_unusual() {
    let usual = of(TestTar::default().directory("./"));
    assert_eq!((only(&usual), codes(&usual)), ((ChangeKind::Directory, "/".to_owned()), vec![]));
    let odd = of(TestTar::default().entry("./", EntryType::Directory, "", b"", |header| header.set_mode(0o700)));
    assert_eq!(codes(&odd), [Code::RootEntryMetadata]);
    assert_eq!(error(&of(TestTar::default().link("./", EntryType::Symlink, "etc"))), Code::RootNotDirectory);
}

#[test]
fn names_and_hard_link_targets_above_the_root_are_refused_and_symlink_targets_kept() {
    assert_eq!(error(&file("../etc/evil")), Code::PathEscapesRoot);
    assert_eq!(error(&of(TestTar::default().link("a", EntryType::Link, "../b"))), Code::PathEscapesRoot);
    let index = of(TestTar::default().link("a", EntryType::Symlink, "../../b/"));
    assert_eq!(index.name(&index.changes[0].link), b"../../b/");
    assert!(index.errors.is_empty() && index.remarks.is_empty());
}

#[test]
fn ids_wrap_as_lchown_wraps_them() {
    for (written, uid, is_odd) in [
        (0, 0, false),
        (4_294_967_294, 4_294_967_294, false),
        (4_294_967_295, 0, true),
        (4_294_967_296, 0, true),
        (4_294_967_303, 7, true),
    ] {
        let index = of(TestTar::default().entry("f", EntryType::Regular, "", b"", |header| header.set_uid(written)));
        assert_eq!(index.changes[0].uid, uid, "{written}");
        assert_eq!(codes(&index) == [Code::IdOutOfRange], is_odd, "{written}");
    }
}

#[test]
fn type_bits_that_deny_the_entry_type_are_told() {
    let with_mode = |mode| of(TestTar::default().entry("f", EntryType::Regular, "", b"", |header| header.set_mode(mode)));
    assert_eq!(codes(&with_mode(0o040_755)), [Code::ModeTypeBits]);
    assert_eq!(codes(&with_mode(0o100_644)), []);
    assert_eq!(with_mode(0o104_755).changes[0].mode, 0o4755);
}

#[test]
fn odd_spellings_are_told() {
    let index = file("c/../f");
    assert_eq!((only(&index).1.as_str(), codes(&index)), ("/f", vec![Code::PathNotNormal]));
}
