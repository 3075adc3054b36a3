//! The class of every file, on images of plain data.

use std::collections::BTreeSet;

use super::*;
use crate::facts::{Executable, ExecutableName, Package, Packages, Runtime, SearchPath, User};
use crate::finding::{Evidence, Observation, Severity};
use crate::oci::{ImageConfig, Platform, RuntimeConfig};
use crate::rootfs::{InodeKind, Rootfs};

/// An image with findings, as the checks would make them.
#[derive(Default)]
pub(super) struct Sketch {
    pub(super) rootfs: Rootfs,
    packages: Packages,
    findings: Vec<Finding>,
    test_files: BTreeSet<u32>,
}

impl Sketch {
    /// Files of 10 bytes.
    pub(super) fn of(paths: &[&str]) -> Self {
        let mut sketch = Self::default();
        for path in paths {
            sketch.file(path, 10);
        }
        sketch
    }

    /// A file that everybody may execute where it lies in a folder called `bin`.
    pub(super) fn file(&mut self, path: &str, size: u64) -> &mut Self {
        let mode = if path.contains("bin/") { 0o755 } else { 0o644 };
        self.rootfs.insert(path.as_bytes(), Inode::new(InodeKind::File { size }, mode, 0));
        self
    }

    fn node(&self, path: &str) -> NodeId {
        node_at(&self.rootfs, path.as_bytes()).unwrap_or_else(|| panic!("{path} is not there"))
    }

    pub(super) fn hard_link(&mut self, path: &str, existing: &str) -> &mut Self {
        let node = self.node(existing);
        self.rootfs.insert_hard_link(path.as_bytes(), node);
        self
    }

    fn link(&mut self, path: &str, target: &str) -> &mut Self {
        self.rootfs.insert(path.as_bytes(), Inode::new(InodeKind::Symlink { target: target.as_bytes().into() }, 0o777, 0));
        self
    }

    /// A package that owns these files, which are made when they are not there.
    fn package(&mut self, name: &str, paths: &[&str]) -> &mut Self {
        let package = self.packages.list.len();
        let (version, architecture) = (String::new(), String::new());
        self.packages.list.push(Package { name: name.to_owned(), version, architecture, ..Package::default() });
        for path in paths {
            if node_at(&self.rootfs, path.as_bytes()).is_none() {
                self.file(path, 10);
            }
            let number = self.rootfs.inode_number(self.node(path));
            self.packages.owned.insert(number, OwnedFile { package, mode: None });
        }
        self
    }

    /// A finding with this file or folder as evidence.
    pub(super) fn finding(&mut self, check: &str, path: &str) -> &mut Self {
        let target = self.rootfs.inode(self.node(path)).target().map(<[u8]>::to_vec);
        let evidence = vec![Evidence { path: Some(path.into()), linkname: target, ..Evidence::default() }];
        self.findings.push(Finding::new(check, Severity::High, Observation { evidence, ..Observation::default() }));
        self
    }

    fn image(&mut self) -> Image {
        let rootfs = std::mem::take(&mut self.rootfs);
        let entries = rootfs.entries();
        let files = entries.iter().filter(|(_, node)| rootfs.inode(*node).is_executable_file());
        let name = |path: &Vec<u8>, node, linkname| ExecutableName { path: path.clone(), node, linkname };
        let mut executables: Vec<Executable> =
            files.map(|(path, node)| Executable { node: *node, names: vec![name(path, *node, None)] }).collect();
        // links of these tests have absolute targets
        for (path, node) in &entries {
            let Some(target) = rootfs.inode(*node).target() else { continue };
            let end = executables.iter_mut().find(|executable| executable.names[0].path == target);
            end.unwrap().names.push(name(path, *node, Some(target.to_vec())));
        }
        let platform = Platform { os: "linux".into(), architecture: "amd64".into(), variant: None };
        let (runtime, diff_ids, history) = (RuntimeConfig::default(), Vec::new(), Vec::new());
        Image {
            config: ImageConfig { platform, runtime, diff_ids, history, created: None, author: None },
            rootfs,
            differences: Vec::new(),
            remarks: Vec::new(),
            steps: Vec::new(),
            user: User::default(),
            os_release: None,
            packages: std::mem::take(&mut self.packages),
            executables,
            search_path: SearchPath::default(),
            runtime: Runtime::default(),
            entry_files: Vec::new(),
            test_packages: Vec::new(),
            startup: crate::facts::Startup::default(),
            probe: None,
            linking: crate::facts::StartupLinking::default(),
            test_files: std::mem::take(&mut self.test_files),
            buried: Vec::new(),
            buried_bytes: 0,
            as_of: None,
            accounts: Vec::new(),
            config_files: Vec::new(),
            secrets: crate::facts::SecretFacts::default(),
        }
    }

    pub(super) fn ballast(&mut self) -> (Image, Ballast) {
        let image = self.image();
        let ballast = ballast(&image, &self.findings, LayerBytes::default(), &[]);
        (image, ballast)
    }

    /// Class of each regular file, by path.
    fn classes(&mut self) -> Vec<(String, &'static str)> {
        let (image, ballast) = self.ballast();
        let class = |node| ballast.class_of(&image, node).map(Class::as_str);
        let entries = image.rootfs.entries().into_iter();
        entries.filter_map(|(path, node)| Some((String::from_utf8(path).unwrap(), class(node)?))).collect()
    }

    /// Fails unless every file is of this class.
    fn all_are(&mut self, class: &str) {
        for (path, found) in self.classes() {
            assert_eq!(found, class, "{path}");
        }
    }

    fn class(&mut self, path: &str) -> &'static str {
        self.classes().into_iter().find(|(found, _)| found == path).unwrap().1
    }
}

#[test]
fn places_that_tools_and_the_hierarchy_fix_tell_a_class() {
    let by_class: &[(&str, &[&str])] = &[
        (
            "toolchain",
            &["/usr/include/stdio.h", "/usr/local/include/node/v8.h", "/usr/share/aclocal/x.m4", "/usr/lib/pkgconfig/z.pc"],
        ),
        ("toolchain", &["/usr/lib/gcc/x86_64-linux-gnu/12/cc1", "/usr/lib/cmake/Z/z.cmake", "/srv/app/.git/objects/pack/a.pack"]),
        ("toolchain", &["/usr/lib/libz.a", "/usr/lib/x86_64-linux-gnu/crt1.o", "/usr/local/lib/python3.11/config-3.11/python.o"]),
        ("toolchain", &["/usr/share/dotnet/sdk/8.0.1/csc.dll", "/usr/share/dotnet/packs/Microsoft.NETCore.App.Ref/a.dll"]),
        ("cache", &["/var/cache/debconf/templates.dat", "/tmp/x", "/var/tmp/x", "/var/log/dpkg.log", "/var/lib/apt/lists/x"]),
        ("cache", &["/home/shop/.cache/pip/x", "/root/.npm/_cacache/x"]),
        (
            "documentation",
            &["/usr/share/doc/x/copyright", "/usr/local/share/man/man1/x.1", "/usr/share/locale/de/x.mo", "/opt/x/man/man1/x.1"],
        ),
        ("package-manager", &["/usr/local/lib/node_modules/npm/index.js", "/usr/lib/python3.11/ensurepip/_bundled/pip.whl"]),
        ("package-manager", &["/app/venv/lib/python3.11/site-packages/pip/__init__.py", "/opt/yarn-v1.22.22/bin/yarn.js"]),
        ("package-manager", &["/app/venv/lib/python3.11/site-packages/pip-23.0.dist-info/METADATA"]),
        ("system", &["/etc/passwd", "/var/lib/dpkg/status", "/usr/lib/sysimage/rpm/rpmdb.sqlite", "/lib/apk/db/installed"]),
        (
            "application",
            &["/app/server", "/app/include/x.h", "/app/data.a", "/app/npm/index.js", "/srv/doc/x", "/home/shop/x/.cache/y"],
        ),
        (
            "application",
            &["/app/gcc/x", "/usr/share/doctor/x", "/app/lib/libx.so.1", "/app/site-packages/pipeline/x.py", "/app/packs/x.js"],
        ),
    ];
    for (class, paths) in by_class {
        Sketch::of(paths).all_are(class);
    }
}

#[test]
fn evidence_of_a_check_tells_a_class_and_a_folder_all_that_is_below() {
    assert_eq!(Sketch::of(&["/app/tcc"]).finding("compiler", "/app/tcc").class("/app/tcc"), "toolchain");
    assert_eq!(Sketch::of(&["/app/apk"]).finding("os-package-manager", "/app/apk").class("/app/apk"), "package-manager");
    let mut caches = Sketch::of(&["/srv/cache/a/b", "/srv/cache/c"]);
    caches.finding("package-cache", "/srv/cache").all_are("cache");
    // of a check that says nothing of bytes
    assert_eq!(Sketch::of(&["/app/su"]).finding("setuid-file", "/app/su").class("/app/su"), "application");
}

#[test]
fn what_only_tests_need_is_its_own_class() {
    let mut sketch = Sketch::of(&["/app/pytest.py"]);
    sketch.test_files.insert(sketch.rootfs.inode_number(sketch.node("/app/pytest.py")));
    sketch.all_are("test-dependency");
}

#[test]
fn the_class_that_stands_first_wins() {
    let mut sketch = Sketch::of(&["/usr/share/doc/x.h", "/var/cache/man/man1/x.1"]);
    sketch.finding("compiler", "/usr/share/doc/x.h");
    assert_eq!(sketch.classes().into_iter().map(|(_, class)| class).collect::<Vec<_>>(), ["toolchain", "cache"]);
}

#[test]
fn a_file_with_several_names_is_ballast_only_when_all_of_them_are() {
    let mut both = Sketch::of(&["/usr/share/doc/x"]);
    both.hard_link("/usr/include/x.h", "/usr/share/doc/x").all_are("toolchain");
    for (first, second) in [("/app/x", "/usr/include/x.h"), ("/usr/include/x.h", "/app/x")] {
        let mut one = Sketch::of(&[first]);
        let (_, ballast) = one.hard_link(second, first).ballast();
        assert_eq!((ballast.of(Class::Application), ballast.total(), ballast.final_bytes()), (10, 0, 10), "{first}");
    }
    let mut owned = Sketch::of(&["/app/x"]);
    owned.hard_link("/etc/x", "/app/x").all_are("system");
}

#[test]
fn files_of_packages_are_of_the_system_unless_the_package_is_ballast() {
    Sketch::default().package("libc6", &["/usr/lib/libc.so.6"]).package("gcc-12-base", &["/usr/lib/x"]).all_are("system");
    Sketch::default().package("gcc-12", &["/usr/bin/gcc-12", "/usr/lib/x"]).all_are("toolchain");
    Sketch::default().package("apt", &["/usr/bin/apt", "/usr/lib/apt/methods/http"]).all_are("package-manager");
    let mut documented = Sketch::default();
    assert_eq!(
        documented.package("libc6", &["/usr/share/doc/libc6/copyright"]).class("/usr/share/doc/libc6/copyright"),
        "documentation"
    );
}

#[test]
fn a_file_of_a_package_is_no_cache_by_its_place() {
    Sketch::default().package("fontconfig", &["/var/cache/fontconfig/x", "/var/log/x"]).all_are("system");
}

#[test]
fn what_owns_a_compiler_was_installed_for_it() {
    let mut sketch = Sketch::default();
    sketch.package("mycc", &["/usr/bin/mycc", "/usr/lib/mycc/specs"]).finding("compiler", "/usr/bin/mycc").all_are("toolchain");
    // a link tells of what it ends at
    let mut linked = Sketch::default();
    linked.package("mycc", &["/usr/bin/mycc", "/usr/lib/mycc/specs"]).link("/usr/bin/cc", "/usr/bin/mycc");
    linked.finding("compiler", "/usr/bin/cc").all_are("toolchain");
    // but not what owns a cache
    let mut cache = Sketch::default();
    cache.package("shop", &["/srv/x.cache", "/srv/x"]).finding("package-cache", "/srv/x.cache");
    assert_eq!(cache.class("/srv/x"), "system");
    // nor what owns a static library beside what runs
    let mut library = Sketch::default();
    library.package("shop", &["/usr/lib/libx.a", "/usr/lib/libx.so"]).finding("development-files", "/usr/lib/libx.a");
    assert_eq!(library.class("/usr/lib/libx.so"), "system");
}

#[test]
fn a_package_with_a_virtual_machine_or_an_interpreter_is_no_ballast_as_a_whole() {
    let npm = "/usr/lib/node_modules/npm/bin/npm-cli.js";
    let mut node = Sketch::default();
    node.package("nodejs", &["/usr/bin/node", npm, "/usr/lib/node_modules/npm/index.js"]).link("/usr/bin/npm", npm);
    let classes = node.finding("language-package-manager", "/usr/bin/npm").classes();
    assert_eq!(classes.iter().map(|(_, class)| *class).collect::<Vec<_>>(), ["system", "package-manager", "package-manager"]);
    let home = "/usr/lib/jvm/temurin-17-jdk-amd64";
    let paths = ["bin/java", "bin/javac", "lib/modules", "lib/ct.sym", "lib/src.zip", "include/jni.h", "jmods/java.base.jmod"]
        .map(|path| format!("{home}/{path}"));
    let mut java = Sketch::default();
    java.package("temurin-17-jdk", &paths.each_ref().map(String::as_str)).finding("compiler", &paths[1]);
    let system: Vec<String> = java.classes().into_iter().filter(|(_, class)| *class == "system").map(|(path, _)| path).collect();
    assert_eq!(system, [paths[0].clone(), paths[2].clone()]);
    let mut erlang = Sketch::default();
    erlang.package("erlang-base", &["/usr/bin/erlc", "/usr/lib/erlang/bin/beam.smp"]).finding("compiler", "/usr/bin/erlc");
    assert_eq!(erlang.class("/usr/lib/erlang/bin/beam.smp"), "system");
    let mut python = Sketch::default();
    assert_eq!(python.package("python3.11-dev", &["/usr/bin/python3.11", "/usr/lib/x"]).class("/usr/lib/x"), "system");
}

#[test]
fn an_unpacked_jdk_is_told_by_its_places() {
    let mut java =
        Sketch::of(&["/opt/java/bin/java", "/opt/java/include/jni.h", "/opt/java/lib/modules", "/opt/java/lib/ct.sym"]);
    let classes: Vec<_> = java.classes().into_iter().map(|(_, class)| class).collect();
    assert_eq!(classes, ["application", "toolchain", "toolchain", "application"]);
}

#[test]
fn a_package_in_node_modules_comes_as_a_whole() {
    let mut sketch = Sketch::of(&["/app/node_modules/typescript/bin/tsc", "/app/node_modules/typescript/lib/tsc.js"]);
    sketch.finding("compiler", "/app/node_modules/typescript/bin/tsc").all_are("toolchain");
    let scoped =
        ["/app/node_modules/@x/cc/bin/cc", "/app/node_modules/@x/cc/y", "/app/node_modules/@x/run/y", "/app/node_modules/.bin/z"];
    let class = |path| Sketch::of(&scoped).finding("compiler", scoped[0]).finding("compiler", scoped[3]).class(path);
    assert_eq!(scoped.map(class), ["toolchain", "toolchain", "application", "toolchain"]);
}

#[test]
fn an_unpacked_toolchain_comes_as_a_whole_and_what_shares_its_folder_does_not() {
    let go = ["/usr/local/go/bin/go", "/usr/local/go/pkg/tool/linux_amd64/compile", "/usr/local/go/src/fmt/print.go"];
    Sketch::of(&go).finding("compiler", go[0]).all_are("toolchain");
    Sketch::of(&go).finding("compiler", go[1]).all_are("toolchain");
    let rust = ["/usr/local/rustup/toolchains/1.80/bin/rustc", "/usr/local/rustup/toolchains/1.80/lib/rustlib/x/lib/libstd.so"];
    Sketch::of(&rust).finding("compiler", rust[0]).all_are("toolchain");
    // no sign of a toolchain, a folder that others share, an environment of conda, a system in a folder
    for paths in [
        ["/opt/shop/bin/tcc", "/opt/shop/lib/shop.so", "/opt/shop/lib/x"],
        ["/usr/local/bin/clang", "/usr/local/share/shop", "/usr/local/lib/clang/17/x"],
        ["/opt/conda/bin/gcc", "/opt/conda/conda-meta/gcc.json", "/opt/conda/lib/gcc/x"],
        ["/rootfs/usr/bin/gcc", "/rootfs/usr/bin/sh", "/rootfs/usr/lib/gcc/x"],
    ] {
        assert_eq!(Sketch::of(&paths).finding("compiler", paths[0]).class(paths[1]), "application", "{paths:?}");
    }
}

#[test]
fn a_byte_compiled_module_is_of_the_package_that_owns_its_source() {
    let pyc = "/usr/lib/python3/__pycache__/x.cpython-311.pyc";
    let mut sketch = Sketch::of(&[pyc, "/usr/lib/python3/__pycache__/y.cpython-311.pyc"]);
    sketch.package("mercurial-common", &["/usr/lib/python3/x.py"]);
    assert_eq!(sketch.class(pyc), "toolchain");
    let mut sketch = Sketch::of(&[pyc]);
    assert_eq!(sketch.package("libpython3.11-stdlib", &["/usr/lib/python3/x.py"]).class(pyc), "system");
    assert_eq!(Sketch::of(&[pyc, "/usr/lib/python3/x.py"]).class(pyc), "application");
}

#[test]
fn setuid_and_setgid_bits_count_once_for_each_file() {
    let mut sketch = Sketch::default();
    for (path, mode) in [("/bin/a", 0o6755), ("/bin/b", 0o2755), ("/bin/c", 0o4644), ("/bin/d", 0o1755)] {
        sketch.rootfs.insert(path.as_bytes(), Inode::new(InodeKind::File { size: 1 }, mode, 0));
    }
    sketch.rootfs.insert(b"/srv", Inode::new(InodeKind::Directory, 0o2755, 0));
    assert_eq!(sketch.hard_link("/bin/e", "/bin/a").ballast().1.privileged_files(), 3);
}

/// Class, path and bytes of the biggest.
fn biggest(sketch: &mut Sketch) -> Vec<(String, u64, u64)> {
    let (_, ballast) = sketch.ballast();
    let path = |offender: &Offender| String::from_utf8(offender.path.clone()).unwrap();
    ballast.biggest.iter().map(|offender| (path(offender), offender.bytes, offender.files)).collect()
}

#[test]
fn the_biggest_are_folders_of_one_class_and_files_of_mixed_ones() {
    let mut sketch = Sketch::of(&["/usr/include/a/x.h", "/usr/include/y.h", "/usr/lib/libx.so", "/usr/share/doc/z"]);
    sketch.file("/usr/lib/libx.a", 15).file("/usr/include/empty.txt", 0);
    let expected = [("/usr/include/", 20, 2), ("/usr/lib/libx.a", 15, 1), ("/usr/share/", 10, 1)];
    assert_eq!(biggest(&mut sketch), expected.map(|(path, bytes, files)| (path.to_owned(), bytes, files)));
}

#[test]
fn of_equal_weight_the_first_by_path_comes_first_and_twenty_are_listed() {
    let paths: Vec<String> = (0..30).map(|number| format!("/lib{number:02}/libx.a")).collect();
    let mut sketch = Sketch::of(&paths.iter().map(String::as_str).collect::<Vec<_>>());
    sketch.file("/app/x", 1);
    let found: Vec<String> = biggest(&mut sketch).into_iter().map(|(path, ..)| path).collect();
    assert_eq!(found, (0..20).map(|number| format!("/lib{number:02}/")).collect::<Vec<_>>());
}

#[test]
fn an_image_of_ballast_alone_is_one_offender_and_one_without_any_has_none() {
    assert_eq!(biggest(&mut Sketch::of(&["/tmp/x", "/var/log/y"])), [("/".to_owned(), 20, 2)]);
    assert_eq!(biggest(&mut Sketch::of(&["/app/x"])), []);
}

#[test]
fn buried_files_and_the_framing_are_classes_too() {
    let mut sketch = Sketch::of(&["/app/x", "/tmp/x"]);
    let buried =
        Buried { layer: 1, path: b"/usr/bin/gcc".to_vec(), bytes: 30, hidden_by: None, fate: crate::rootfs::Fate::Deleted };
    let bytes = LayerBytes { shipped: 100, buried: 30 };
    let image = sketch.image();
    let ballast = ballast(&image, &[], bytes, &[buried]);
    let classes = [Class::Application, Class::Cache, Class::Buried, Class::Archive].map(|class| ballast.of(class));
    assert_eq!((classes, ballast.total(), ballast.final_bytes()), ([10, 10, 30, 50], 40, 20));
    assert_eq!(Class::ALL.iter().map(|class| ballast.of(*class)).sum::<u64>(), 100);
    assert_eq!(
        (ballast.biggest[0].class, ballast.biggest[0].path.as_slice(), ballast.biggest[0].layer),
        (Class::Buried, &b"/usr/bin/gcc"[..], 1)
    );
}
