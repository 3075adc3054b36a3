//! What holds of every merge: limits, bytes, attributes, and properties over random layers.

use proptest::prelude::*;

use super::testing::{Plain, codes, dir, file, hardlink, line, merged, merged_with, opaque, symlink, whiteout};
use crate::layer::ChangeKind;
use crate::limits::Limits;

#[test]
fn a_tree_of_more_names_than_allowed_is_refused() {
    let limits = Limits { image_entries: 3, ..Limits::default() };
    assert_eq!(codes(&merged_with(&[vec![file("a/b/c", 1)]], &limits)), "");
    assert_eq!(codes(&merged_with(&[vec![file("a/b/c/d", 1)]], &limits)), "limit-exceeded");
    assert_eq!(codes(&merged_with(&[vec![file("a/b", 1)], vec![file("c/d", 1)]], &limits)), "limit-exceeded");
}

#[test]
fn a_tree_deeper_than_allowed_is_refused_however_it_got_deep() {
    let limits = Limits { path_depth: 3, ..Limits::default() };
    assert_eq!(codes(&merged_with(&[vec![file("a/b/c", 1)]], &limits)), "");
    assert_eq!(codes(&merged_with(&[vec![file("a/b/c/d", 1)]], &limits)), "limit-exceeded");
    let through = vec![dir("a/b"), symlink("l", "a/b"), file("l/c/d", 1)];
    assert_eq!(codes(&merged_with(&[through], &limits)), "entry-through-symlink limit-exceeded");
}

#[test]
fn paths_longer_in_all_than_allowed_are_refused() {
    let limits = Limits { tree_path_bytes: 8, ..Limits::default() };
    assert_eq!(codes(&merged_with(&[vec![dir("aa"), file("aa/b", 1)]], &limits)), "");
    assert_eq!(codes(&merged_with(&[vec![dir("aa"), file("aa/bb", 1)]], &limits)), "limit-exceeded");
}

#[test]
fn opaque_marks_over_and_over_end_at_the_work_limit() {
    let limits = Limits { merge_steps: 1_000, ..Limits::default() };
    let files = (0..100).map(|number| file(&format!("d/{number}"), 1));
    let marks = (0..20).map(|_| opaque("d"));
    let entries: Vec<_> = std::iter::once(dir("d")).chain(files).chain(marks).collect();
    assert_eq!(codes(&merged_with(&[entries], &limits)), "duplicate-entry limit-exceeded");
}

#[test]
fn after_a_thousand_errors_the_rest_is_not_read() {
    let bad = || vec![file("f", 1)].into_iter().chain((0..1_000).map(|n| file(&format!("f/{n}"), 1))).collect::<Vec<_>>();
    let merged = merged(&[bad(), bad()]);
    assert_eq!(merged.errors.len(), 1_000);
}

#[test]
fn bytes_that_upper_layers_hide_are_counted_to_the_layer_that_ships_them() {
    let layers = [
        vec![file("gone", 10), file("kept", 20), file("twice", 3), file("twice", 40)],
        vec![whiteout("gone"), file("new", 5), hardlink("new2", "new")],
        vec![whiteout("new")],
        vec![whiteout("new2"), file("nothing", 0)],
    ];
    assert_eq!(merged(&layers[..1]).buried_bytes, [3]);
    assert_eq!(merged(&layers[..3]).buried_bytes, [13, 0, 0]);
    assert_eq!(merged(&layers).buried_bytes, [13, 5, 0, 0]);
}

#[test]
fn hard_links_share_an_inode_in_both_trees() {
    let merged = merged(&[vec![file("a", 1), hardlink("b", "a"), file("c", 1)]]);
    for tree in [&merged.stacked, &merged.sequential] {
        let number = |name| tree.inode_number(tree.child(tree.root(), name).unwrap());
        assert_eq!(number(b"a"), number(b"b"));
        assert_ne!(number(b"a"), number(b"c"));
    }
}

#[test]
fn overlay_attributes_do_not_reach_the_stacked_tree() {
    let merged = merged(&[vec![dir("d").xattr("trusted.overlay.opaque"), dir("e").xattr("user.e")]]);
    let xattrs = |name| merged.stacked.inode(merged.stacked.child(merged.stacked.root(), name).unwrap()).xattrs.as_ref();
    assert!(xattrs(b"d").is_none());
    assert_eq!(xattrs(b"e").unwrap()[0].name, b"user.e");
}

#[test]
fn a_hard_link_without_attributes_keeps_its_targets() {
    let kept = merged(&[vec![file("a", 1).xattr("security.capability"), hardlink("b", "a")]]);
    assert_eq!(codes(&kept), "");
    assert!(kept.stacked.inode(kept.stacked.child(kept.stacked.root(), b"b").unwrap()).xattrs.is_some());
    let given = merged(&[vec![file("a", 1), hardlink("b", "a").xattr("security.capability")]]);
    assert_eq!(codes(&given), "hardlink-metadata-differs");
}

#[test]
fn differences_say_what_each_tree_has() {
    let merged = merged(&[vec![dir("t"), symlink("s", "t"), file("t/n", 1)], vec![file("s/n", 1)]]);
    let said: Vec<_> = merged
        .differences
        .iter()
        .map(|one| format!("{}: {} | {}", one.path.escape_ascii(), one.stacked, one.sequential))
        .collect();
    assert_eq!(
        said,
        [
            "/s: directory 0755 0:0 | symlink 0777 0:0 to t",
            "/s/n: file 0644 0:0 1 bytes | nothing",
            "/t/n: file 0644 0:0 1 bytes from layer 0, entry 2 | file 0644 0:0 1 bytes from layer 1, entry 0",
        ]
    );
}

#[test]
fn remarks_name_the_layer_and_the_path() {
    let merged = merged(&[vec![symlink("s", "t")], vec![file("s/a", 1), file("s/b", 1)]]);
    let places: Vec<_> = merged.remarks.iter().map(|remark| (remark.place.layer, remark.place.path.clone())).collect();
    assert_eq!(places, [(Some(1), Some(b"/s".to_vec()))]);
}

#[test]
fn the_entry_of_an_inode_is_the_one_that_made_it() {
    let merged = merged(&[vec![dir("d"), file("d/x", 1)], vec![file("k", 1), dir("d").mode(0o700)]]);
    for tree in [&merged.stacked, &merged.sequential] {
        let at = |path| tree.inode(tree.resolve(path, &Limits::default()).unwrap());
        assert_eq!((at(b"/d").layer, at(b"/d").entry), (1, Some(1)));
        assert_eq!((at(b"/d/x").layer, at(b"/d/x").entry), (0, Some(1)));
        assert!(tree.inode(tree.root()).is_implied);
    }
}

const NAMES: [&str; 8] = ["", "a", "b", "a/a", "a/b", "b/a", "a/b/a", "c/a/b"];

fn any_entry() -> impl Strategy<Value = Plain> {
    use ChangeKind::{CharDevice, Directory, Fifo, File, HardLink, Opaque, PaxGlobal, Symlink, Whiteout};
    let kinds = [File, Directory, Directory, Symlink, HardLink, CharDevice, Fifo, Whiteout, Opaque, PaxGlobal];
    let targets = prop::sample::select(vec!["a", "/b", "../a", "/a/b", "", "..", "a/b/../c"]);
    (prop::sample::select(kinds.to_vec()), prop::sample::select(NAMES.to_vec()), targets)
        .prop_map(|(kind, path, link)| Plain::new(kind, path, link))
}

fn plain_entry() -> impl Strategy<Value = Plain> {
    (prop::sample::select(NAMES[1..].to_vec()), 0_u64..9, any::<bool>())
        .prop_map(|(name, size, is_file)| if is_file { file(&format!("{name}.f"), size) } else { dir(name) })
}

proptest! {
    #[test]
    fn arbitrary_layers_merge_to_the_same_trees_each_time(
        layers in prop::collection::vec(prop::collection::vec(any_entry(), 0..12), 0..4),
    ) {
        let (one, other) = (merged(&layers), merged(&layers));
        prop_assert_eq!(line(&one.stacked), line(&other.stacked));
        prop_assert_eq!(line(&one.sequential), line(&other.sequential));
        prop_assert_eq!((one.remarks, one.differences), (other.remarks, other.differences));
        // no whiteout is left in the stacked tree, and every path leads to its own node
        for (path, id) in one.stacked.entries() {
            prop_assert_eq!(one.stacked.path(id), path);
        }
        prop_assert!(!line(&one.stacked).contains("=c0:0"));
    }

    #[test]
    fn malformed_paths_never_panic(paths in prop::collection::vec("[a/.\\x00]{0,6}", 0..8), kind in 0_usize..3) {
        let kind = [ChangeKind::File, ChangeKind::HardLink, ChangeKind::Whiteout][kind];
        let entries = paths.iter().map(|path| Plain::new(kind, path, path)).collect();
        let _ = merged(&[entries]);
    }

    #[test]
    fn layers_of_files_and_directories_are_the_same_to_both_families(
        layers in prop::collection::vec(prop::collection::vec(plain_entry(), 0..8), 0..4),
    ) {
        let merged = merged(&layers);
        prop_assert!(merged.errors.is_empty());
        prop_assert_eq!(merged.differences, []);
        prop_assert_eq!(line(&merged.stacked), line(&merged.sequential));
    }

    #[test]
    fn a_layer_cut_in_two_gives_the_same_tree(entries in prop::collection::vec(plain_entry(), 0..12), cut in 0_usize..12) {
        let (lower, upper) = entries.split_at(cut.min(entries.len()));
        let (whole, halves) = (merged(&[entries.clone()]), merged(&[lower.to_vec(), upper.to_vec()]));
        prop_assert_eq!(line(&whole.stacked), line(&halves.stacked));
        prop_assert_eq!(line(&whole.sequential), line(&halves.sequential));
    }
}
