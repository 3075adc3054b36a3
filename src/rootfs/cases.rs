//! Every merge case that runtimes were run on, with the trees they make (formats 1.2 of the design).
//!
//! A case is its name, its layers, the stacked tree, the sequential tree (`=` when it is the same), and the codes. For refused
//! ones the tree is not said.

use super::testing::{Plain, codes, device, dir, file, global, hardlink, line, merged, opaque, symlink, whiteout};
use crate::layer::ChangeKind;

type Case = (&'static str, Vec<Vec<Plain>>, &'static str, &'static str, &'static str);

const REFUSED: &str = "refused";

fn hold(cases: Vec<Case>) {
    for (name, layers, stacked, sequential, expected) in cases {
        let merged = merged(&layers);
        assert_eq!(codes(&merged), expected, "{name}");
        assert_eq!(merged.errors.is_empty(), stacked != REFUSED, "{name}: {:?}", merged.errors);
        if stacked != REFUSED {
            let sequential = if sequential == "=" { stacked } else { sequential };
            assert_eq!(line(&merged.stacked), stacked, "{name}, stacked");
            assert_eq!(line(&merged.sequential), sequential, "{name}, sequential");
            let is_same = stacked.replace("/?", "/") == sequential.replace("/?", "/");
            assert_eq!(merged.differences.is_empty(), is_same, "{name}: {:?}", merged.differences);
        }
    }
}

fn refused(name: &'static str, layers: Vec<Vec<Plain>>, code: &'static str) -> Case {
    (name, layers, REFUSED, "", code)
}

#[test]
fn whiteouts_remove_what_lies_below() {
    let d = || vec![dir("d"), file("d/old", 1)];
    hold(vec![
        ("wh_before_sibling", vec![vec![file("f", 3)], vec![whiteout("f"), file("f", 4)]], "f=4", "=", ""),
        ("wh_removes_dir", vec![vec![dir("d"), dir("d/s"), file("d/s/f", 1), file("k", 1)], vec![whiteout("d")]], "k=1", "=", ""),
        ("wh_in_first_layer", vec![vec![whiteout("gone"), file("k", 1)]], "k=1", "=", ""),
        ("wh_other_case", vec![vec![file("f", 1)], vec![file(".WH.f", 2)]], ".WH.f=2 f=1", "=", ""),
        ("wh_parent_component", vec![vec![file("k", 1), file(".wh.d/evil", 1)]], ".wh.d/? .wh.d/evil=1 k=1", "=", ""),
        ("wh_dir_recreated_above", vec![d(), vec![whiteout("d")], vec![dir("d"), file("d/new", 2)]], "d/ d/new=2", "=", ""),
        (
            "wh_dir_then_recreate",
            vec![d(), vec![whiteout("d"), dir("d"), file("d/new", 2)]],
            "d/ d/new=2 d/old=1",
            "d/ d/new=2",
            "whiteout-then-recreate-dir",
        ),
        ("recreated and opaque", vec![d(), vec![whiteout("d"), dir("d"), opaque("d"), file("d/n", 2)]], "d/ d/n=2", "=", ""),
        ("recreated over a file", vec![vec![file("d", 1)], vec![whiteout("d"), dir("d"), file("d/n", 2)]], "d/ d/n=2", "=", ""),
        ("wh_child_of_removed", vec![d(), vec![whiteout("d"), whiteout("d/old")]], "", "=", "whiteout-under-whiteout"),
        ("wh_nothing", vec![vec![file("k", 1)], vec![whiteout("no/x"), whiteout("y")]], "k=1 no/?", "k=1", ""),
        ("whiteout twice", vec![d(), vec![whiteout("d"), whiteout("d")]], "", "=", "duplicate-entry"),
        refused("wh_after_sibling", vec![vec![file("f", 3)], vec![file("f", 4), whiteout("f")]], "whiteout-after-sibling"),
        refused("wh_dir_after_recreate", vec![d(), vec![dir("d"), file("d/n", 2), whiteout("d")]], "whiteout-after-sibling"),
        refused("after an implied directory", vec![d(), vec![file("d/n", 2), whiteout("d")]], "whiteout-after-sibling"),
        refused("after whiteouts below it", vec![d(), vec![whiteout("d/old"), whiteout("d")]], "whiteout-after-sibling"),
        refused("child of a whiteout", vec![d(), vec![whiteout("d"), file("d/n", 2)]], "parent-not-directory"),
        refused("whiteout of the root", vec![vec![whiteout("")]], "whiteout-invalid-name"),
    ]);
}

#[test]
fn opaque_marks_hide_lower_content_only() {
    let d = || vec![dir("d"), file("d/old", 1)];
    hold(vec![
        ("opq_first", vec![d(), vec![dir("d"), opaque("d"), file("d/new", 2)]], "d/ d/new=2", "=", ""),
        ("opq_last", vec![d(), vec![dir("d"), file("d/new", 2), opaque("d")]], "d/ d/new=2", "=", ""),
        ("opq without an entry", vec![d(), vec![opaque("d"), file("d/new", 2)]], "d/ d/new=2", "=", ""),
        (
            "opq_last_implied_parent",
            vec![vec![dir("d"), dir("d/s"), file("d/s/old", 1)], vec![dir("d"), file("d/s/new", 2), opaque("d")]],
            "d/ d/s/? d/s/new=2",
            "d/",
            "opaque-after-implied-parent",
        ),
        (
            "opq_root",
            vec![vec![file("a", 1), dir("d"), file("d/b", 1)], vec![opaque(""), file("c", 1)]],
            "a=1 c=1 d/ d/b=1",
            "c=1",
            "opaque-root",
        ),
        (
            "opq_over_lower_symlink",
            vec![vec![dir("t"), file("t/x", 1), symlink("s", "t")], vec![opaque("s"), file("s/n", 2)]],
            "s/? s/n=2 t/ t/x=1",
            "s->t t/ t/n=2",
            "entry-through-lower-symlink",
        ),
        ("opq_missing_dir", vec![vec![file("k", 1)], vec![opaque("nodir")]], "k=1 nodir/?", "=", "opaque-implied-dir"),
        ("opaque twice", vec![d(), vec![dir("d"), opaque("d"), opaque("d")]], "d/", "=", "duplicate-entry"),
        (
            "opaque through a link of its layer",
            vec![vec![dir("t"), file("t/x", 1)], vec![dir("t"), symlink("s", "t"), opaque("s")]],
            "s->t t/",
            "=",
            "entry-through-symlink",
        ),
        ("overlay_opaque_xattr", vec![d(), vec![dir("d").xattr("trusted.overlay.opaque")]], "d/ d/old=1", "=", ""),
        (
            "overlay_redirect_xattr",
            vec![vec![dir("hid"), file("hid/evil", 1)], vec![dir("pub").xattr("trusted.overlay.redirect")]],
            "hid/ hid/evil=1 pub/",
            "=",
            "",
        ),
    ]);
}

#[test]
fn aufs_and_overlay_bookkeeping_is_read_as_each_family_reads_it() {
    hold(vec![
        (
            "aufs_metadata",
            vec![vec![file(".wh..wh.plnk/12.34", 6), hardlink("bin1", ".wh..wh.plnk/12.34"), file("k", 1)]],
            ".wh..wh.plnk/? .wh..wh.plnk/12.34=6 bin1=6 k=1",
            ".wh..wh.plnk/? bin1=6 k=1",
            "",
        ),
        (
            "overlay_whiteout_device",
            vec![vec![dir("etc"), file("etc/policy", 1)], vec![dir("etc"), device("etc/policy", 0, 0)]],
            "etc/",
            "etc/ etc/policy=c0:0",
            "overlay-whiteout-device",
        ),
        (
            "a hard link to a 0:0 device",
            vec![vec![file("a", 1), file("b", 1)], vec![device("a", 0, 0), hardlink("b", "a")]],
            "",
            "a=c0:0 b=c0:0",
            "overlay-whiteout-device",
        ),
        (
            "special_files",
            vec![vec![dir("dev"), device("dev/null", 1, 3).mode(0o666), Plain::new(ChangeKind::Fifo, "pipe", "").mode(0o600)]],
            "dev/ dev/null=c1:3:666:0:0 pipe=p:600:0:0",
            "=",
            "",
        ),
    ]);
}

#[test]
fn the_last_of_several_entries_of_one_path_counts() {
    hold(vec![
        ("dup_file", vec![vec![file("f", 1), file("f", 2)]], "f=2", "=", "duplicate-entry"),
        ("dup_file_spelled", vec![vec![file("d/f", 1), file("d/f", 2), file("d/f", 3)]], "d/? d/f=3", "=", "duplicate-entry"),
        ("dup_dir_then_file", vec![vec![dir("d"), file("d/x", 1), file("d", 4)]], "d=4", "=", "duplicate-entry"),
        ("dup_file_then_dir", vec![vec![file("d", 4), dir("d"), file("d/x", 1)]], "d/ d/x=1", "=", "duplicate-entry"),
        ("dup_dir", vec![vec![dir("d"), file("d/x", 1), dir("d").mode(0o700)]], "d/:700:0:0 d/x=1", "=", "duplicate-entry"),
        ("a file over an implied directory", vec![vec![file("d/x", 1), file("d", 4)]], "d=4", "=", "duplicate-entry"),
        ("a directory after its content", vec![vec![file("d/x", 1), dir("d").mode(0o700)]], "d/:700:0:0 d/x=1", "=", ""),
    ]);
}

#[test]
fn what_replaces_a_name_replaces_its_tree() {
    let p = || vec![dir("p"), file("p/x", 1)];
    let q = || vec![dir("q"), file("q/y", 1)];
    hold(vec![
        ("replace_dir_by_file", vec![p(), vec![file("p", 1)]], "p=1", "=", ""),
        ("replace_file_by_dir", vec![vec![file("p", 1)], p()], "p/ p/x=1", "=", ""),
        ("replace_dir_by_symlink", vec![[p(), q()].concat(), vec![symlink("p", "q")]], "p->q q/ q/y=1", "=", ""),
        ("replace_symlink_by_dir", vec![[q(), vec![symlink("p", "q")]].concat(), p()], "p/ p/x=1 q/ q/y=1", "=", ""),
        ("replace_symlink_by_file", vec![[q(), vec![symlink("p", "q")]].concat(), vec![file("p", 2)]], "p=2 q/ q/y=1", "=", ""),
        ("replace_dir_then_dir_again", vec![p(), vec![file("p", 1)], vec![dir("p"), file("p/n", 2)]], "p/ p/n=2", "=", ""),
        ("dir_metadata_merge", vec![p(), vec![dir("p").mode(0o1777).owner(5, 6)]], "p/:1777:5:6 p/x=1", "=", ""),
        ("root entry", vec![vec![dir("").mode(0o700), file("k", 1)]], "k=1", "=", ""),
        refused("root_entry_not_dir", vec![vec![file("k", 1)], vec![symlink("", "etc")]], "root-not-directory"),
    ]);
}

#[test]
fn entries_below_links_go_where_runtimes_put_them() {
    let usr = || vec![dir("usr"), dir("usr/lib"), symlink("lib", "usr/lib")];
    let through = "entry-through-symlink";
    hold(vec![
        (
            "symlink_parent_lower",
            vec![usr(), vec![file("lib/x", 1)]],
            "lib/? lib/x=1 usr/ usr/lib/",
            "lib->usr/lib usr/ usr/lib/ usr/lib/x=1",
            "entry-through-lower-symlink",
        ),
        (
            "a whiteout below a lower link",
            vec![[usr(), vec![file("usr/lib/x", 1)]].concat(), vec![whiteout("lib/x")]],
            "lib/? usr/ usr/lib/ usr/lib/x=1",
            "lib->usr/lib usr/ usr/lib/",
            "entry-through-lower-symlink",
        ),
        (
            "symlink_parent_same_layer",
            vec![[usr(), vec![file("lib/x", 1), file("lib/y", 1)]].concat()],
            "lib->usr/lib usr/ usr/lib/ usr/lib/x=1 usr/lib/y=1",
            "=",
            through,
        ),
        ("absolute", vec![vec![dir("a"), dir("b"), symlink("a/s", "/b"), file("a/s/x", 1)]], "a/ a/s->/b b/ b/x=1", "=", through),
        (
            "symlink_parent_dangling",
            vec![vec![symlink("s", "no/where"), file("s/x", 1), file("s/y", 1)]],
            "no/? no/where/? no/where/x=1 no/where/y=1 s->no/where",
            "=",
            "entry-through-symlink symlink-parent-dangling",
        ),
        (
            "missing below the target is not dangling",
            vec![vec![dir("t"), symlink("s", "t"), file("s/d/x", 1)]],
            "s->t t/ t/d/? t/d/x=1",
            "=",
            through,
        ),
        refused("symlink_parent_escape", vec![vec![symlink("s", "../../etc"), file("s/evil", 1)]], "path-escapes-root"),
        refused("symlink_loop_parent", vec![vec![symlink("a", "b"), symlink("b", "a"), file("a/x", 1)]], "symlink-loop"),
        refused("parent_is_file", vec![vec![file("f", 1), file("f/x", 1)]], "parent-not-directory"),
        ("parent_is_lower_file", vec![vec![file("f", 1)], vec![file("f/x", 2)]], "f/? f/x=2", "f=1", "parent-is-lower-file"),
    ]);
}

#[test]
fn implied_parents_are_0755_and_keep_what_a_lower_layer_says() {
    let lower = || vec![dir("d").mode(0o700).owner(7, 7)];
    hold(vec![
        ("implied_parents", vec![vec![file("a/b/c", 1)]], "a/? a/b/? a/b/c=1", "=", ""),
        ("implied_parent_over_lower", vec![lower(), vec![file("d/x", 1)]], "d/:700:7:7 d/x=1", "=", "implied-parent-over-lower"),
        ("over a usual one", vec![vec![dir("d")], vec![file("d/x", 1)]], "d/ d/x=1", "=", ""),
    ]);
}

#[test]
fn hard_links_name_inodes_of_their_own_layer() {
    let two = || vec![file("a", 3), hardlink("b", "a")];
    let absent = "hardlink-target-not-in-layer";
    hold(vec![
        ("hardlink_same_layer", vec![two()], "a=3 b=3", "=", ""),
        ("hardlink_target_replaced", vec![[two(), vec![file("a", 4)]].concat()], "a=4 b=3", "=", "duplicate-entry"),
        ("hardlink_target_replaced_above", vec![two(), vec![file("a", 4)]], "a=4 b=3", "=", ""),
        ("hardlink_target_whited_out", vec![two(), vec![whiteout("a")]], "b=3", "=", ""),
        ("hardlink_name_becomes_symlink", vec![two(), vec![symlink("a", "b")]], "a->b b=3", "=", ""),
        ("hardlink_to_symlink", vec![vec![symlink("s", "t"), hardlink("h", "s")]], "h->t s->t", "=", ""),
        (
            "hardlink_metadata",
            vec![vec![file("a", 4).mode(0o755), hardlink("b", "a").mode(0o4755)]],
            "a=4:4755:0:0 b=4:4755:0:0",
            "=",
            "hardlink-metadata-differs",
        ),
        (
            "hardlink_through_symlink",
            vec![vec![dir("d"), file("d/a", 4), symlink("s", "d"), hardlink("h", "s/a")]],
            "d/ d/a=4 h=4 s->d",
            "=",
            "entry-through-symlink",
        ),
        refused("hardlink_cross_layer", vec![vec![file("a", 4)], vec![hardlink("b", "a")]], absent),
        refused("hardlink_forward", vec![vec![hardlink("b", "a"), file("a", 4)]], absent),
        refused("hardlink_absent", vec![vec![hardlink("b", "no/a")]], absent),
        refused("hardlink_to_self", vec![vec![file("a", 4), hardlink("a", "a")]], absent),
        refused("a link over its target's directory", vec![vec![dir("d"), file("d/a", 4), hardlink("d", "d/a")]], absent),
        refused("hardlink_to_whiteout", vec![vec![file("a", 4)], vec![whiteout("a"), hardlink("b", "a")]], absent),
        refused("hardlink_to_dir", vec![vec![dir("d"), hardlink("b", "d")]], "hardlink-to-directory"),
        refused("hardlink_to_root", vec![vec![hardlink("b", "")]], "hardlink-to-directory"),
    ]);
}

#[test]
fn a_global_header_removes_what_bears_its_name() {
    let etc = || vec![dir("etc"), file("etc/policy", 1), file("k", 1)];
    let named = "pax-global-named";
    hold(vec![
        ("pax_global_deletes", vec![[etc(), vec![global("etc/policy")]].concat()], "etc/ k=1", "=", named),
        ("pax_global_comment", vec![vec![global("pax_global_header"), file("k", 1)]], "k=1", "=", ""),
        ("before the file", vec![[vec![global("etc/policy")], etc()].concat()], "etc/ etc/policy=1 k=1", "=", ""),
        ("of a lower file", vec![etc(), vec![global("etc/policy")]], "etc/ etc/policy=1 k=1", "etc/ k=1", named),
    ]);
}
