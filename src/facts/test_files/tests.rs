//! Which files only tests and development need.

use super::*;
use crate::facts::bodies::file_with;

const SITE: &str = "/usr/lib/python3.12/site-packages";

fn tree(files: &[(&str, &str)]) -> Rootfs {
    let mut rootfs = Rootfs::default();
    for (path, body) in files {
        rootfs.insert(path.as_bytes(), file_with(body.as_bytes()));
    }
    rootfs
}

fn found(rootfs: &Rootfs) -> (Vec<String>, Vec<String>, usize) {
    let limits = Limits::default();
    let mut bodies = Bodies::new(rootfs, &limits);
    let packages = read(&mut bodies);
    let numbers = files(rootfs, &packages);
    let entries = rootfs.entries().into_iter().filter(|(_, node)| numbers.contains(&rootfs.inode_number(*node)));
    let names = packages.into_iter().map(|package| package.name).collect();
    (names, entries.map(|(path, _)| path.escape_ascii().to_string()).collect(), bodies.not_examined.len())
}

#[test]
fn files_of_test_tools_are_told_by_their_record() {
    let rootfs = tree(&[
        (
            &format!("{SITE}/pytest-8.dist-info/RECORD"),
            "pytest/a.py,sha256=x,1\n\"_pytest/b,c.py\",,\r\n../../../bin/pytest,,\n../../../../app/main.py,,\n/etc/passwd,,\npytest-8.dist-info/RECORD,,\ngone.py,,",
        ),
        (&format!("{SITE}/pytest/a.py"), "x"),
        (&format!("{SITE}/_pytest/b,c.py"), "x"),
        (&format!("{SITE}/pytest/unlisted.py"), "x"),
        ("/usr/bin/pytest", "x"),
        ("/app/main.py", "x"),
        ("/etc/passwd", "x"),
        (&format!("{SITE}/django-5.dist-info/RECORD"), "django/a.py,,"),
        (&format!("{SITE}/django/a.py"), "x"),
    ]);
    let (names, files, _) = found(&rootfs);
    assert_eq!(names, ["pytest"]);
    let expected = [
        "/usr/bin/pytest",
        &format!("{SITE}/_pytest/b,c.py"),
        &format!("{SITE}/pytest-8.dist-info/RECORD"),
        &format!("{SITE}/pytest/a.py"),
    ];
    assert_eq!(files, expected);
}

#[test]
fn without_a_record_the_folders_of_the_name_count() {
    let rootfs = tree(&[
        ("/usr/lib/python3/dist-packages/pytest_cov-4.egg-info/PKG-INFO", "x"),
        ("/usr/lib/python3/dist-packages/pytest_cov/a.py", "x"),
        ("/usr/lib/python3/dist-packages/mccabe.py", "x"),
        ("/usr/lib/python3/dist-packages/mccabe-1.egg-info", "x"),
        ("/usr/lib/python3/dist-packages/six.py", "x"),
    ]);
    let (names, files, not_examined) = found(&rootfs);
    assert_eq!((names, files.len(), not_examined), (vec!["mccabe".to_owned(), "pytest-cov".to_owned()], 4, 0));
}

#[test]
fn packages_of_npm_are_told_by_the_hidden_lock_file() {
    let lock = r#"{"lockfileVersion": 3, "packages": {"node_modules/jest": {"version": "1", "dev": true}, "node_modules/@types/x":
        {"devOptional": true}, "node_modules/express": {}, "node_modules/express/node_modules/y": {"dev": false},
        "node_modules/@types": {"dev": true}, "node_modules/..": {"dev": true}, "node_modules": {"dev": true}, "../app": {"dev": true}}}"#;
    let rootfs = tree(&[
        ("/app/node_modules/.package-lock.json", lock),
        ("/app/node_modules/jest/a.js", "x"),
        ("/app/node_modules/jest/node_modules/z/b.js", "x"),
        ("/app/node_modules/@types/x/i.d.ts", "x"),
        ("/app/node_modules/@types/y/i.d.ts", "x"),
        ("/app/node_modules/express/a.js", "x"),
        ("/app/server.js", "x"),
    ]);
    let (names, files, _) = found(&rootfs);
    assert_eq!(names, ["@types/x", "jest"]);
    assert_eq!(
        files,
        ["/app/node_modules/@types/x/i.d.ts", "/app/node_modules/jest/a.js", "/app/node_modules/jest/node_modules/z/b.js"]
    );
}

#[test]
fn a_lock_file_that_cannot_be_read_is_not_examined() {
    for body in ["{", "[]", r#"{"packages": {"node_modules/a": {"dev": "yes"}}}"#, "\u{7f}"] {
        let rootfs = tree(&[("/node_modules/.package-lock.json", body), ("/node_modules/a/b", "x")]);
        assert_eq!(found(&rootfs), (vec![], vec![], 1), "{body}");
    }
    let mut rootfs = tree(&[]);
    let large = crate::rootfs::InodeKind::File { size: 65 * 1024 * 1024 };
    rootfs.insert(b"/node_modules/.package-lock.json", crate::rootfs::Inode::new(large, 0o644, 0));
    assert_eq!(found(&rootfs).2, 1, "over the limit");
}

#[test]
fn a_file_with_another_name_elsewhere_is_not_counted() {
    let mut rootfs = tree(&[("/usr/lib/python3.11/test/a.py", "x"), ("/usr/lib/python3.11/test/b.py", "x")]);
    let node = rootfs.resolve(b"/usr/lib/python3.11/test/a.py", &Limits::default()).unwrap();
    rootfs.insert_hard_link(b"/app/a.py", node);
    assert_eq!(found(&rootfs).1, ["/usr/lib/python3.11/test/b.py"]);
}

#[test]
fn the_test_suite_of_cpython_counts_and_other_folders_of_tests_do_not() {
    let rootfs = tree(&[
        ("/usr/lib/python3.11/test/support/a.py", "x"),
        ("/usr/lib/python3.11/lib-dynload/_testcapi.cpython-311.so", "x"),
        ("/usr/lib/python3.11/lib-dynload/_ssl.cpython-311.so", "x"),
        ("/app/test/a.py", "x"),
        ("/usr/lib/python3/test/a.py", "x"),
    ]);
    let (names, files, _) = found(&rootfs);
    assert_eq!((names, files.len()), (vec!["CPython's test suite".to_owned()], 2));
}

#[test]
fn what_jupyter_runs_is_no_tool_of_developers() {
    let mut files = vec![("/site/ipython-8.dist-info/RECORD", "IPython/a.py,,"), ("/site/IPython/a.py", "x")];
    assert_eq!(found(&tree(&files)).0, ["ipython"]);
    files.push(("/site/ipykernel/a.py", "x"));
    assert_eq!(found(&tree(&files)).0, [] as [&str; 0]);
}

proptest::proptest! {
    #[test]
    fn arbitrary_records_and_lock_files_never_panic(record: Vec<u8>, lock: Vec<u8>) {
        let mut rootfs = tree(&[("/site/pytest/a.py", "x")]);
        rootfs.insert(b"/site/pytest-8.dist-info/RECORD", file_with(&record));
        rootfs.insert(b"/site/node_modules/.package-lock.json", file_with(&lock));
        found(&rootfs);
    }
}
