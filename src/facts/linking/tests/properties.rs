//! Whatever files say of each other, linking ends, and tells each file and each name once.

use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn any_web_of_needs_ends(
        libraries in proptest::collection::vec(
            (0_usize..6, proptest::collection::vec(0_usize..8, 0..5), "[:/a-c$]{0,8}|\\$ORIGIN|/f[0-3]", any::<bool>()),
            0..8,
        ),
        library_path in "[:/a-f0-3$]{0,12}",
        is_musl: bool,
    ) {
        let (mut tree, loader) = if is_musl { (Tree::musl(), LD_MUSL) } else { (Tree::glibc(), LD) };
        tree = tree.elf("/bin/app", program(loader, &["n0", "n1", "./n2"])).env(&format!("LD_LIBRARY_PATH={library_path}:/f0:/f1"));
        for (number, (folder, needed, path, is_rpath)) in libraries.iter().enumerate() {
            let names: Vec<String> = needed.iter().map(|need| format!("n{need}")).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let with = if *is_rpath { with_rpath } else { with_runpath };
            tree = tree.elf(&format!("/f{}/n{number}", folder % 4), with(path, with_soname(&format!("n{folder}"), library(&names))));
        }
        let closure = tree.closure("/bin/app");
        let objects: std::collections::BTreeSet<_> = closure.objects.iter().collect();
        prop_assert_eq!(objects.len(), closure.objects.len());
        let names: std::collections::BTreeSet<_> = closure.missing.iter().map(|missing| &missing.name).collect();
        prop_assert_eq!(names.len(), closure.missing.len());
        prop_assert!(closure.missing.iter().all(|missing| missing.needed_by.iter().all(|by| objects.contains(by))));
        prop_assert_eq!((&closure.unknown, &closure.not_examined), (&None, &None));
    }
}
