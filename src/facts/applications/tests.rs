//! Tests of the inventory over trees of plain data.

use std::sync::Arc;

use proptest::prelude::*;

use super::super::bodies::file_with;
use super::*;
use crate::facts::{ElfFacts, GoBuildInfo};
use crate::layer::Content;
use crate::layer::probe::{Declared, Marker, Named};
use crate::limits::Limits;
use crate::rootfs::{Inode, InodeKind};

/// A file that declares a name and a version.
fn declaring(name: &str, version: &str) -> Inode {
    let named = Named { name: name.into(), version: Some(version.into()) };
    of_content(100, Content { declared: Some(Box::new(Declared { named: vec![named], fault: None })), ..Content::default() })
}

fn of_content(size: u64, content: Content) -> Inode {
    Inode { content: Some(Arc::new(content)), ..Inode::new(InodeKind::File { size }, 0o755, 2) }
}

fn file(size: u64) -> Inode {
    Inode::new(InodeKind::File { size }, 0o644, 1)
}

fn link(target: &str) -> Inode {
    Inode::new(InodeKind::Symlink { target: target.as_bytes().into() }, 0o777, 1)
}

fn tree(files: Vec<(&str, Inode)>) -> Rootfs {
    let mut rootfs = Rootfs::default();
    for (path, inode) in files {
        rootfs.insert(path.as_bytes(), inode);
    }
    rootfs
}

fn inventory(rootfs: &Rootfs) -> (Applications, usize) {
    let limits = Limits::default();
    let mut bodies = Bodies::new(rootfs, &limits);
    let mut remarks = Vec::new();
    let applications = read(&mut bodies, &Packages::default(), &[], &mut remarks);
    assert!(bodies.not_examined.is_empty(), "{:?}", bodies.not_examined);
    assert_eq!(remarks.len(), applications.list.iter().filter(|component| component.problem.is_some()).count());
    (applications, remarks.len())
}

/// `KIND NAME VERSION PATH BYTES {DETAILS}`, each on a line.
fn lines(rootfs: &Rootfs) -> Vec<String> {
    let line = |component: &Component| {
        let version = component.version.as_deref().unwrap_or("-");
        let bytes = component.bytes.map_or("-".to_owned(), |bytes| bytes.to_string());
        let path = String::from_utf8_lossy(&component.path);
        let details = component.details.iter().fold(String::new(), |all, (name, value)| all + " " + name + "=" + value);
        let problem = component.problem.as_ref().map(|problem| format!(" !{problem}")).unwrap_or_default();
        format!("{} {} {version} {path} {bytes}{details}{problem}", component.kind.as_str(), component.name)
    };
    inventory(rootfs).0.list.iter().map(line).collect()
}

fn owner<'a>(applications: &'a Applications, rootfs: &Rootfs, path: &str) -> Option<&'a str> {
    let node = path.split('/').skip(1).try_fold(rootfs.root(), |at, name| rootfs.child(at, name.as_bytes())).unwrap();
    applications.owner_of(rootfs, node).map(|component| component.name.as_str())
}

#[test]
fn distributions_are_told_by_their_folders_and_weighed_by_their_records() {
    let record = b"django/a.py,sha256=x,10\ndjango-5.0.dist-info/METADATA,,\n../bin/django-admin,,\n/etc/passwd,,\ngone.py,,\n";
    let rootfs = tree(vec![
        ("/venv/site/django-5.0.dist-info/METADATA", declaring("Django", "5.0")),
        ("/venv/site/django-5.0.dist-info/RECORD", file_with(record)),
        ("/venv/site/django/a.py", file(10)),
        ("/venv/bin/django-admin", file(7)),
        ("/etc/passwd", file(1000)),
        ("/usr/lib/python3/dist-packages/six-1.16.0.egg-info", declaring("six", "1.16.0")),
        ("/usr/lib/python3/dist-packages/six.py", file(30)),
        ("/s/old-1.0.dist-info/RECORD", file_with(b"old.py")),
        ("/s/gone-2.0.dist-info", Inode::new(InodeKind::Directory, 0o755, 0)),
        ("/s/some.egg", Inode::new(InodeKind::Directory, 0o755, 0)),
        ("/s/e-1.egg/EGG-INFO/PKG-INFO", declaring("e", "1")),
    ]);
    assert_eq!(
        lines(&rootfs),
        [
            "python-distribution Django 5.0 /venv/site/django-5.0.dist-info 117",
            "python-distribution e 1 /s/e-1.egg 100",
            "python-distribution old 1.0 /s/old-1.0.dist-info 0 !its metadata is not there",
            "python-distribution six 1.16.0 /usr/lib/python3/dist-packages/six-1.16.0.egg-info 130",
        ]
    );
    let (applications, _) = inventory(&rootfs);
    assert_eq!(owner(&applications, &rootfs, "/venv/site/django/a.py"), Some("Django"));
    assert_eq!(owner(&applications, &rootfs, "/venv/bin/django-admin"), Some("Django"));
    assert_eq!(owner(&applications, &rootfs, "/etc/passwd"), None);
    assert_eq!(owner(&applications, &rootfs, "/s/e-1.egg/EGG-INFO/PKG-INFO"), Some("e"));
    assert_eq!(owner(&applications, &rootfs, "/venv"), None);
}

#[test]
fn a_record_that_is_cut_is_said() {
    let rootfs = tree(vec![
        ("/s/a-1.dist-info/METADATA", declaring("a", "1")),
        ("/s/a-1.dist-info/RECORD", file_with(b"a.py,sha256=x,10\na/b.py,sha2")),
    ]);
    assert_eq!(lines(&rootfs), ["python-distribution a 1 /s/a-1.dist-info 0 !line 2 of its RECORD is malformed"]);
}

#[test]
fn modules_without_sources_are_told() {
    let rootfs = tree(vec![
        ("/s/site-packages/a-1.dist-info/METADATA", declaring("a", "1")),
        ("/s/site-packages/a-1.dist-info/RECORD", file_with(b"a/x.py,,\n")),
        ("/s/site-packages/a/x.pyc", file(5)),
        ("/s/site-packages/a/sub/y.pyc", file(6)),
        ("/app/main.pyc", file(7)),
        ("/app/pkg/z.pyc", file(8)),
        ("/src/b.py", file(1)),
        ("/src/__pycache__/b.cpython-312.pyc", file(1)),
    ]);
    let expected =
        ["python-distribution a 1 /s/site-packages/a-1.dist-info 11 modules=bytecode", "python-bytecode app - /app 15"];
    assert_eq!(lines(&rootfs), expected);
}

#[test]
fn an_environment_says_whether_its_interpreter_is_there() {
    let cfg = || file_with(b"home = /usr/local/bin\r\ninclude-system-site-packages = false\nversion = 3.12.1\n");
    let rootfs = tree(vec![
        ("/a/pyvenv.cfg", cfg()),
        ("/a/bin/python", link("/usr/local/bin/python3")),
        ("/b/pyvenv.cfg", cfg()),
        ("/b/bin/python", link("python3")),
        ("/b/bin/python3", link("/usr/bin/python3")),
        ("/b/lib/x.py", file(5)),
        ("/c/pyvenv.cfg", file_with(b"nothing")),
        ("/loop/pyvenv.cfg", cfg()),
        ("/loop/bin/python", link("python3")),
        ("/loop/bin/python3", link("python")),
        ("/usr/bin/python3", file(9)),
    ]);
    assert_eq!(
        lines(&rootfs),
        [
            "python-environment a 3.12.1 /a 77 home=/usr/local/bin interpreter=absent",
            "python-environment b 3.12.1 /b 82 home=/usr/local/bin interpreter=present",
            "python-environment c - /c 7 interpreter=absent !its pyvenv.cfg names no home",
            "python-environment loop 3.12.1 /loop 77 home=/usr/local/bin interpreter=absent",
        ]
    );
}

#[test]
fn npm_packages_are_those_that_lie_in_node_modules() {
    let fault = || {
        of_content(
            1,
            Content { declared: Some(Box::new(Declared { named: vec![], fault: Some("cut".into()) })), ..Content::default() },
        )
    };
    let nameless = || of_content(20, Content { declared: Some(Box::default()), ..Content::default() });
    let rootfs = tree(vec![
        ("/app/package.json", declaring("app", "1.0.0")),
        ("/app/node_modules/a/package.json", declaring("a", "1.0.0")),
        ("/app/node_modules/a/i.js", file(5)),
        ("/app/node_modules/a/node_modules/@s/b/package.json", declaring("@s/b", "2.0.0")),
        ("/app/node_modules/.bin/x", file(5)),
        ("/app/node_modules/@s/b/package.json", declaring("@s/b", "3.0.0")),
        ("/app/node_modules/broken/package.json", fault()),
        ("/app/node_modules/nameless/package.json", nameless()),
        ("/app/node_modules/a/esm/package.json", nameless()),
        ("/app/node_modules/workspace", link("../packages/w")),
        ("/app/packages/w/package.json", declaring("w", "0.1.0")),
        ("/app/node_modules/again", link("a")),
        ("/app/node_modules/nowhere", link("/nowhere")),
        ("/app/node_modules/.pnpm/c@1/node_modules/c/package.json", declaring("c", "1.0.0")),
        ("/app/node_modules/c", link(".pnpm/c@1/node_modules/c")),
    ]);
    assert_eq!(
        lines(&rootfs),
        [
            "npm-package @s/b 2.0.0 /app/node_modules/a/node_modules/@s/b 100",
            "npm-package @s/b 3.0.0 /app/node_modules/@s/b 100",
            "npm-package a 1.0.0 /app/node_modules/a 125",
            "npm-package broken - /app/node_modules/broken 1 !its package.json: cut",
            "npm-package c 1.0.0 /app/node_modules/.pnpm/c@1/node_modules/c 100",
            "npm-package w 0.1.0 /app/packages/w 100",
        ]
    );
    let (applications, _) = inventory(&rootfs);
    assert_eq!(owner(&applications, &rootfs, "/app/node_modules/a/esm/package.json"), Some("a"));
    assert_eq!(owner(&applications, &rootfs, "/app/node_modules/a/node_modules/@s"), Some("a"));
    assert_eq!(owner(&applications, &rootfs, "/app/package.json"), None);
}

#[test]
fn packages_that_only_development_needs_are_told() {
    let rootfs = tree(vec![
        ("/app/node_modules/a/package.json", declaring("a", "1.0.0")),
        ("/app/node_modules/eslint/package.json", declaring("eslint", "9.0.0")),
    ]);
    let (name, path) = ("eslint".to_owned(), b"/app/node_modules/eslint".to_vec());
    let development = [TestPackage { name, path, files: BTreeSet::new() }];
    let limits = Limits::default();
    let mut bodies = Bodies::new(&rootfs, &limits);
    let applications = read(&mut bodies, &Packages::default(), &development, &mut Vec::new());
    let told = |component: &Component| component.details.contains_key("needed_for");
    assert_eq!(applications.list.iter().map(told).collect::<Vec<_>>(), [false, true]);
}

#[test]
fn java_runtimes_are_told_by_release_file_and_virtual_machine() {
    let release = || file_with(b"IMPLEMENTOR=\"Debian\"\nJAVA_VERSION=\"17.0.21\"\nMODULES=\"java.base jdk.compiler\"\n");
    let rootfs = tree(vec![
        ("/opt/jre/release", release()),
        ("/opt/jre/lib/modules", file(50)),
        ("/opt/jre/lib/server/libjvm.so", file(40)),
        ("/opt/jdk/release", release()),
        ("/opt/jdk/bin/java", file(1)),
        ("/opt/jdk/jmods/jdk.compiler.jmod", file(1)),
        ("/opt/old/release", file_with(b"JAVA_VERSION=\"1.8.0_402\"\n")),
        ("/opt/old/jre/lib/amd64/server/libjvm.so", file(2)),
        ("/opt/custom/lib/server/libjvm.so", file(3)),
        ("/etc/release", file_with(b"JAVA_VERSION=\"9\"\n")),
        ("/app/lib/spring-core-6.1.2.jar", file(8)),
    ]);
    assert_eq!(
        lines(&rootfs),
        [
            "java-runtime Debian 17.0.21 /opt/jdk 79 image=jdk modules=java.base jdk.compiler",
            "java-runtime Debian 17.0.21 /opt/jre 167 image=jre modules=java.base jdk.compiler",
            "java-runtime Java - /opt/custom 3 image=jre !it has no release file",
            "java-runtime Java 1.8.0_402 /opt/old 27 image=jre",
            "java-archive spring-core 6.1.2 /app/lib/spring-core-6.1.2.jar 8",
        ]
    );
}

#[test]
fn programs_give_modules_of_go_and_the_version_of_rustc() {
    let modules = b"path\tx.org/a\nmod\tx.org/a\tv1.0.0\ndep\ty.org/b\tv0.2.0\nbuild\tvcs.revision=abc\n"[..].into();
    let go = Some(Box::new(GoBuildInfo { version: Some("go1.24.1".into()), modules, is_cut: false }));
    let elf = |elf: ElfFacts| of_content(1_000, Content { elf: Some(Box::new(elf)), ..Content::default() });
    let rust =
        ElfFacts { markers: [Marker::RustStd].into(), rustc: Some("1.75.0".into()), is_program: true, ..ElfFacts::default() };
    let cut = GoBuildInfo { is_cut: true, ..GoBuildInfo::default() };
    let rootfs = tree(vec![
        ("/bin/a", elf(ElfFacts { go, is_program: true, ..ElfFacts::default() })),
        ("/bin/cut", elf(ElfFacts { go: Some(Box::new(cut)), is_program: true, ..ElfFacts::default() })),
        ("/bin/r", elf(rust)),
        ("/bin/c", elf(ElfFacts { is_program: true, rustc: Some("1.75.0".into()), ..ElfFacts::default() })),
    ]);
    assert_eq!(
        lines(&rootfs),
        [
            "go-module cut - /bin/cut 1000 !its build information is cut",
            "go-module x.org/a v1.0.0 /bin/a 1000 go=go1.24.1 package=x.org/a revision=abc",
            "go-module y.org/b v0.2.0 /bin/a -",
            "rust-program r - /bin/r 1000 rustc=1.75.0",
        ]
    );
    let (applications, _) = inventory(&rootfs);
    assert_eq!(owner(&applications, &rootfs, "/bin/a"), Some("x.org/a"));
}

#[test]
fn dot_net_ruby_and_php_are_told() {
    let rootfs = tree(vec![
        ("/dotnet/shared/Microsoft.NETCore.App/8.0.1/Microsoft.NETCore.App.deps.json", declaring("no", "1")),
        ("/dotnet/shared/Microsoft.NETCore.App/8.0.1/System.dll", file(9)),
        ("/dotnet/sdk/8.0.101/dotnet.dll", file(4)),
        ("/dotnet/sdk/8.0.101/tool.deps.json", declaring("no", "1")),
        ("/app/app.deps.json", declaring("Serilog", "3.1.1")),
        ("/gems/specifications/rake-13.0.6.gemspec", file(3)),
        ("/gems/gems/rake-13.0.6/rake.rb", file(5)),
        ("/app/vendor/composer/installed.json", declaring("psr/log", "3.0.0")),
        ("/app/vendor/psr/log/L.php", file(6)),
    ]);
    assert_eq!(
        lines(&rootfs),
        [
            "dotnet-framework Microsoft.NETCore.App 8.0.1 /dotnet/shared/Microsoft.NETCore.App/8.0.1 109",
            "dotnet-sdk .NET SDK 8.0.101 /dotnet/sdk/8.0.101 104",
            "nuget-package Serilog 3.1.1 /app/app.deps.json -",
            "ruby-gem rake 13.0.6 /gems/gems/rake-13.0.6 5",
            "composer-package psr/log 3.0.0 /app/vendor/psr/log 6",
        ]
    );
}

#[test]
fn more_components_than_the_limit_are_said_once() {
    let paths = ["/a-1.jar", "/b-1.jar", "/c-1.jar"];
    let rootfs = tree(paths.into_iter().map(|path| (path, file(1))).collect());
    let limits = Limits { components: 1, ..Limits::default() };
    let mut bodies = Bodies::new(&rootfs, &limits);
    let applications = read(&mut bodies, &Packages::default(), &[], &mut Vec::new());
    assert_eq!((applications.list.len(), bodies.not_examined.len()), (1, 1));
    assert!(bodies.not_examined[0].1.contains("components"));
}

proptest! {
    #[test]
    fn any_tree_of_such_names_is_read(
        paths in prop::collection::vec("(/(node_modules|@s|a|a-1\\.dist-info|lib|server|specifications|sdk|shared|__pycache__)){0,4}/(RECORD|METADATA|package\\.json|pyvenv\\.cfg|release|libjvm\\.so|x\\.pyc|x\\.py|a-1\\.gemspec|x\\.jar|bin)", 1..12),
        body in prop::collection::vec(any::<u8>(), 0..60),
        targets in prop::collection::vec("(\\.\\./|/)?(a|node_modules|lib)", 12),
    ) {
        let mut rootfs = Rootfs::default();
        for (number, path) in paths.iter().enumerate() {
            let inode = match number % 3 {
                0 => link(&targets[number]),
                1 => declaring("a", "1"),
                _ => file_with(&body),
            };
            rootfs.insert(path.as_bytes(), inode);
        }
        let limits = Limits::default();
        let applications = read(&mut Bodies::new(&rootfs, &limits), &Packages::default(), &[], &mut Vec::new());
        prop_assert!(applications.list.is_sorted_by_key(|component| (component.kind, component.name.clone())));
        for (_, node) in rootfs.entries() {
            let _ = applications.owner_of(&rootfs, node);
        }
    }
}
