//! As musl's loader does.

use super::*;

#[test]
fn the_c_library_is_the_loader() {
    let needed = ["libc.musl-x86_64.so.1", "libc.so", "libpthread.so.0", "libm.so.6", "libz.so.1", "libcrypt.so.1"];
    let tree = Tree::musl().elf("/bin/app", program(LD_MUSL, &needed)).elf("/lib/libz.so.1", library(&[]));
    assert_eq!(tree.loaded(), ["/lib/libz.so.1", "!libcrypt.so.1"]);
}

#[test]
fn rpath_and_runpath_are_the_same_and_inherited() {
    for with in [with_rpath, with_runpath] {
        let tree = Tree::musl()
            .elf("/opt/bin/app", with("$ORIGIN/../lib", program(LD_MUSL, &["liba.so"])))
            .link("/bin/app", "/opt/bin/app")
            .elf("/opt/lib/liba.so", library(&["libb.so"]))
            .elf("/opt/lib/libb.so", library(&[]));
        assert_eq!(tree.loaded(), ["/opt/lib/liba.so", "/opt/lib/libb.so"]);
    }
    let tree =
        Tree::musl().elf("/bin/app", with_runpath("/opt:$LIB", program(LD_MUSL, &["liba.so"]))).elf("/opt/liba.so", library(&[]));
    assert_eq!(tree.loaded(), ["!liba.so"], "another token spoils the whole path");
}

#[test]
fn folders_come_from_the_path_file_when_there_is_one() {
    let tree = || {
        Tree::musl()
            .elf("/bin/app", program(LD_MUSL, &["liba.so", "libb.so"]))
            .elf("/usr/local/lib/liba.so", library(&[]))
            .elf("/opt/libb.so", library(&[]))
    };
    assert_eq!(tree().loaded(), ["/usr/local/lib/liba.so", "!libb.so"]);
    let searched = tree().closure("/bin/app").missing.remove(0).searched;
    assert_eq!(searched, [b"/lib".to_vec(), b"/usr/local/lib".to_vec(), b"/usr/lib".to_vec()]);
    assert_eq!(tree().file("/etc/ld-musl-x86_64.path", b"/opt\n/none\n").loaded(), ["/opt/libb.so", "!liba.so"]);
    let unread = tree().add("/etc/ld-musl-x86_64.path", Content::default()).closure("/bin/app");
    assert_eq!(unread.not_examined.as_deref(), Some("/etc/ld-musl-x86_64.path was not read: its content was not kept"));
}

#[test]
fn the_first_file_of_a_name_is_taken_and_the_environment_comes_first() {
    let tree = || {
        Tree::musl()
            .elf("/bin/app", program(LD_MUSL, &["liba.so", "libb.so"]))
            .env("LD_LIBRARY_PATH=/env")
            .elf("/env/liba.so", ElfFacts { machine: 183, ..library(&[]) })
            .elf("/env/libb.so", library(&[]))
            .elf("/lib/liba.so", library(&[]))
            .elf("/lib/libb.so", library(&[]))
    };
    assert_eq!(tree().loaded(), ["/env/libb.so", "!liba.so"]);
    assert_eq!(tree().setuid("/bin/app").loaded(), ["/lib/liba.so", "/lib/libb.so"]);
}

#[test]
fn sonames_and_versions_are_not_looked_at() {
    let app = with_versions("libz.so.1", &[("ZLIB_9", false)], program(LD_MUSL, &["/opt/z.so", "libz.so.1"]));
    let defines = ElfFacts { version_definitions: Some(vec![bytes("ZLIB_1")]), ..with_soname("libz.so.1", library(&[])) };
    let tree = Tree::musl().elf("/bin/app", app).elf("/opt/z.so", defines);
    assert_eq!(tree.loaded(), ["/opt/z.so", "!libz.so.1"]);
    assert!(tree.closure("/bin/app").versions.is_empty());
}

#[test]
fn a_glibc_name_may_lead_to_musl() {
    let tree = Tree::musl().link(LD, LD_MUSL).elf("/bin/app", program(LD, &["libc.so.6"]));
    assert!(tree.loaded().is_empty());
}

#[test]
fn the_file_of_glibc_s_loader_is_not_read() {
    let tree = Tree::musl()
        .elf("/bin/app", program(LD_MUSL, &[]))
        .file("/etc/ld.so.preload", b"/opt/hook.so")
        .elf("/opt/hook.so", library(&[]));
    assert_eq!(tree.loaded(), [] as [&str; 0]);
}
