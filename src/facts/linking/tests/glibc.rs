//! As ld.so(8) says.

use super::super::cache::tests::written;
use super::*;

#[test]
fn needs_are_followed_breadth_first_through_default_folders_and_links() {
    let tree = Tree::glibc()
        .elf("/bin/app", program(LD, &["liba.so.1", "libb.so.1"]))
        .link("/usr/lib64/liba.so.1", "liba.so.1.2.3")
        .elf("/usr/lib64/liba.so.1.2.3", library(&["libc.so.6", "ld-linux-x86-64.so.2"]))
        .elf("/usr/lib64/libb.so.1", library(&["liba.so.1"]))
        .elf("/usr/lib64/libc.so.6", library(&["libb.so.1"]));
    assert_eq!(tree.loaded(), ["/usr/lib64/liba.so.1.2.3", "/usr/lib64/libb.so.1", "/usr/lib64/libc.so.6"]);
}

#[test]
fn rpath_is_inherited_and_runpath_is_not() {
    let tree = |app: ElfFacts, a: ElfFacts| {
        let tree = Tree::glibc().elf("/bin/app", app).elf("/opt/liba.so", a).elf("/opt/libb.so", library(&[]));
        tree.loaded()
    };
    let app = || program(LD, &["liba.so"]);
    let a = || library(&["libb.so"]);
    assert_eq!(tree(with_rpath("/opt", app()), a()), ["/opt/liba.so", "/opt/libb.so"]);
    assert_eq!(tree(with_runpath("/opt", app()), a()), ["/opt/liba.so", "!libb.so"]);
    let both = with_rpath("/opt", with_runpath("/else", app()));
    assert_eq!(tree(both, a()), ["!liba.so"], "RPATH does not count beside RUNPATH");
    let own = with_runpath("/else", a());
    assert_eq!(tree(with_rpath("/opt", app()), own), ["/opt/liba.so", "!libb.so"], "nor those of loaders");
}

#[test]
fn places_are_looked_into_in_order() {
    let everywhere = |tree: Tree| {
        ["/rpath", "/env", "/runpath", "/cached", "/usr/lib64"]
            .iter()
            .fold(tree, |tree, folder| tree.elf(&format!("{folder}/liba.so"), library(&[])))
    };
    let cache = written(&[(0x303, 0, "liba.so", "/cached/liba.so")], true);
    let tree = |app: ElfFacts| everywhere(Tree::glibc()).file("/etc/ld.so.cache", &cache).elf("/bin/app", app);
    let app = || program(LD, &["liba.so"]);
    assert_eq!(tree(with_rpath("/rpath", app())).env("LD_LIBRARY_PATH=/env").loaded(), ["/rpath/liba.so"]);
    assert_eq!(tree(with_runpath("/runpath", app())).env("LD_LIBRARY_PATH=/none:/env").loaded(), ["/env/liba.so"]);
    assert_eq!(tree(with_runpath("/runpath", app())).loaded(), ["/runpath/liba.so"]);
    assert_eq!(tree(app()).loaded(), ["/cached/liba.so"]);
    assert_eq!(tree(app()).file("/etc/ld.so.cache", b"").loaded(), ["/usr/lib64/liba.so"]);
    let stale = written(&[(0x303, 0, "liba.so", "/gone/liba.so")], true);
    assert_eq!(tree(app()).file("/etc/ld.so.cache", &stale).loaded(), ["/usr/lib64/liba.so"]);
}

#[test]
fn a_loader_s_own_folders_and_cache_count() {
    let facts = crate::layer::probe::LoaderFacts { directories: vec![bytes("/nix/lib/")], cache: Some(bytes("/nix/cache")) };
    let loader = ElfFacts { loader: Some(facts.into()), ..with_soname("ld-linux-x86-64.so.2", library(&[])) };
    let tree = Tree::default()
        .elf("/nix/ld.so", loader)
        .elf("/bin/app", program("/nix/ld.so", &["liba.so", "libb.so", "libc.so.6"]))
        .file("/nix/cache", &written(&[(0x303, 0, "libb.so", "/opt/libb.so")], true))
        .elf("/nix/lib/liba.so", library(&[]))
        .elf("/opt/libb.so", library(&[]))
        .elf("/usr/lib64/libc.so.6", library(&[]));
    assert_eq!(tree.loaded(), ["/nix/lib/liba.so", "/opt/libb.so", "!libc.so.6"]);
    assert_eq!(tree.closure("/bin/app").missing[0].searched, [b"/nix/cache".to_vec(), b"/nix/lib/".to_vec()]);
}

#[test]
fn a_cache_that_was_not_read_leaves_open_what_is_missing() {
    let mut tree = Tree::glibc().elf("/bin/app", program(LD, &["liba.so"])).add("/etc/ld.so.cache", Content::default());
    let closure = tree.closure("/bin/app");
    let reason = "/etc/ld.so.cache was not read: its content was not kept";
    assert_eq!((closure.missing.len(), closure.not_examined.as_deref()), (0, Some(reason)));
    tree.limits.linker_file_bytes = 8;
    let closure = tree.closure("/bin/app");
    assert!(closure.missing.is_empty() && closure.not_examined.is_some_and(|reason| reason.contains("linker-file-bytes")));
}

#[test]
fn tokens_stand_for_the_object_s_own_folder_and_for_the_system_s() {
    let tree = Tree::glibc()
        .elf("/bin/app", with_runpath("$ORIGIN/../opt:/y/${LIB}/$PLATFORM", program(LD, &["liba.so", "libb.so"])))
        .link("/opt/liba.so", "/real/deep/liba.so")
        .elf("/real/deep/liba.so", with_runpath("$ORIGIN/own", library(&["libc.so"])))
        .elf("/opt/own/libc.so", library(&[]))
        .elf("/y/lib64/x86_64/libb.so", library(&[]));
    assert_eq!(tree.loaded(), ["/real/deep/liba.so", "/y/lib64/x86_64/libb.so", "/opt/own/libc.so"]);
}

#[test]
fn relative_folders_and_names_with_a_slash_start_at_the_working_directory() {
    let mut tree = Tree::glibc()
        .elf("/bin/app", with_runpath("lib:", program(LD, &["liba.so", "libb.so", "./sub/libc.so", "/opt/libd.so"])))
        .elf("/srv/lib/liba.so", library(&[]))
        .elf("/srv/libb.so", library(&[]))
        .elf("/srv/sub/libc.so", library(&[]))
        .elf("/opt/libd.so", library(&[]));
    tree.config.working_dir = "/srv".to_owned();
    assert_eq!(tree.loaded(), ["/srv/lib/liba.so", "/srv/libb.so", "/srv/sub/libc.so", "/opt/libd.so"]);
}

#[test]
fn libraries_of_other_machines_and_classes_are_passed_over() {
    let tree = Tree::glibc()
        .elf("/bin/app", program(LD, &["liba.so", "libb.so"]))
        .env("LD_LIBRARY_PATH=/arm:/small:/right")
        .elf("/arm/liba.so", ElfFacts { machine: 183, ..library(&[]) })
        .elf("/small/liba.so", ElfFacts { is_64: false, ..library(&[]) })
        .elf("/right/liba.so", library(&[]))
        .elf("/arm/libb.so", ElfFacts { machine: 183, ..library(&[]) });
    assert_eq!(tree.loaded(), ["/right/liba.so", "!libb.so"]);
}

#[test]
fn what_is_loaded_is_found_again_by_soname_and_by_file() {
    let tree = Tree::glibc()
        .elf("/bin/app", program(LD, &["/opt/real.so", "libalias.so", "libc.so"]))
        .elf("/opt/real.so", with_soname("libsoname.so", library(&["libsoname.so"])))
        .link("/usr/lib64/libalias.so", "/opt/real.so")
        .elf("/usr/lib64/libc.so", library(&["libalias.so", "real.so"]));
    assert_eq!(tree.loaded(), ["/opt/real.so", "/usr/lib64/libc.so", "!real.so"], "the base name of a path is no name");
}

#[test]
fn a_set_user_id_program_trusts_neither_the_environment_nor_origin() {
    let tree = || {
        Tree::glibc()
            .elf("/bin/app", with_runpath("$ORIGIN/lib:$ORIGIN/../usr/lib64/x", program(LD, &["liba.so", "libb.so", "libc.so"])))
            .env("LD_LIBRARY_PATH=/env")
            .elf("/env/liba.so", library(&[]))
            .elf("/bin/lib/libb.so", library(&[]))
            .elf("/usr/lib64/x/libc.so", library(&[]))
    };
    assert_eq!(tree().loaded(), ["/env/liba.so", "/bin/lib/libb.so", "/usr/lib64/x/libc.so"]);
    assert_eq!(tree().setuid("/bin/app").loaded(), ["/usr/lib64/x/libc.so", "!liba.so", "!libb.so"]);
    assert_eq!(tree().capable("/bin/app").loaded(), ["/usr/lib64/x/libc.so", "!liba.so", "!libb.so"]);
}

#[test]
fn default_folders_can_be_switched_off() {
    let cache = written(&[(0x303, 0, "liba.so", "/usr/lib64/liba.so"), (0x303, 0, "libb.so", "/opt/libb.so")], true);
    let tree = Tree::glibc()
        .elf("/bin/app", ElfFacts { is_without_default_folders: true, ..program(LD, &["liba.so", "libb.so"]) })
        .file("/etc/ld.so.cache", &cache)
        .elf("/usr/lib64/liba.so", library(&[]))
        .elf("/opt/libb.so", library(&[]));
    assert_eq!(tree.loaded(), ["/opt/libb.so", "!liba.so"]);
}

#[test]
fn preloaded_libraries_come_first_and_may_be_absent() {
    let tree = Tree::glibc()
        .elf("/bin/app", program(LD, &["liba.so"]))
        .env("LD_PRELOAD=libgone.so /opt/trace.so")
        .elf("/opt/trace.so", library(&["libb.so"]))
        .elf("/usr/lib64/liba.so", library(&[]))
        .elf("/usr/lib64/libb.so", library(&[]));
    assert_eq!(tree.loaded(), ["/opt/trace.so", "/usr/lib64/liba.so", "/usr/lib64/libb.so"]);
}

#[test]
fn the_loader_s_file_brings_libraries_after_those_of_the_variable_for_every_program() {
    let tree = Tree::glibc()
        .elf("/bin/app", program(LD, &["liba.so"]))
        .env("LD_PRELOAD=/opt/trace.so")
        .file("/etc/ld.so.preload", b"# hooks\n/opt/hook.so:libgone.so\n")
        .elf("/opt/trace.so", library(&[]))
        .elf("/opt/hook.so", library(&["libb.so"]))
        .elf("/usr/lib64/liba.so", library(&[]))
        .elf("/usr/lib64/libb.so", library(&[]));
    assert_eq!(tree.loaded(), ["/opt/trace.so", "/opt/hook.so", "/usr/lib64/liba.so", "/usr/lib64/libb.so"]);
    assert_eq!(tree.setuid("/bin/app").loaded(), ["/opt/hook.so", "/usr/lib64/liba.so", "/usr/lib64/libb.so"]);
}

#[test]
fn a_loader_s_file_that_was_not_read_is_said() {
    let tree = Tree::glibc().elf("/bin/app", program(LD, &[])).add("/etc/ld.so.preload", Content::default());
    assert!(tree.closure("/bin/app").not_examined.is_some_and(|reason| reason.contains("ld.so.preload was not read")));
}

#[test]
fn filters_are_needed_and_auxiliaries_may_be_absent() {
    let elf = ElfFacts { auxiliaries: vec![bytes("libx.so")], filters: vec![bytes("libf.so")], ..program(LD, &[]) };
    assert_eq!(Tree::glibc().elf("/bin/app", elf).loaded(), ["!libf.so"]);
}

#[test]
fn folders_for_better_processors_are_looked_into_last() {
    let tree = Tree::glibc()
        .elf("/bin/app", program(LD, &["liba.so", "libb.so"]))
        .elf("/usr/lib64/glibc-hwcaps/x86-64-v3/liba.so", library(&[]))
        .elf("/usr/lib64/liba.so", library(&[]))
        .elf("/usr/lib64/glibc-hwcaps/x86-64-v3/libb.so", library(&[]));
    assert_eq!(tree.loaded(), ["/usr/lib64/liba.so", "/usr/lib64/glibc-hwcaps/x86-64-v3/libb.so"]);
}

#[test]
fn versions_must_be_defined_unless_weak_or_the_library_defines_none() {
    let needs = [("GLIBC_2.36", false), ("GLIBC_2.38", false), ("GLIBC_2.39", true)];
    let libc = |definitions: Option<&[&str]>, faults: &[&str]| ElfFacts {
        version_definitions: definitions.map(|names| names.iter().map(|name| bytes(name)).collect()),
        faults: faults.iter().map(|fault| (*fault).into()).collect(),
        ..library(&[])
    };
    let missing = |libc: ElfFacts| {
        let app = with_versions("libc.so.6", &needs, program(LD, &["libc.so.6"]));
        let tree = Tree::glibc().elf("/bin/app", app).elf("/usr/lib64/libc.so.6", libc);
        let versions = tree.closure("/bin/app").versions;
        versions.iter().map(|one| one.name.escape_ascii().to_string()).collect::<Vec<_>>()
    };
    assert_eq!(missing(libc(Some(&["GLIBC_2.2.5", "GLIBC_2.36"]), &[])), ["GLIBC_2.38"]);
    assert!(missing(libc(None, &[])).is_empty());
    assert!(missing(libc(Some(&["GLIBC_2.36"]), &["cut off"])).is_empty(), "what may be defined is not said to be missing");
}
