//! Small images, and what of them the start-up path needs.

use std::sync::Arc;

use super::super::bodies::{Bodies, file_with};
use super::super::executables::executables_through;
use super::super::{linking, packages, startup, users};
use super::*;
use crate::layer::Content;
use crate::layer::probe::ElfFacts;
use crate::limits::Limits;
use crate::oci::{ImageConfig, Platform, RuntimeConfig};
use crate::rootfs::{Inode, InodeKind};

#[derive(Default)]
struct Image {
    rootfs: Rootfs,
    status: String,
    cmd: Vec<String>,
}

impl Image {
    fn starting(cmd: &[&str]) -> Self {
        Self { cmd: cmd.iter().map(|word| (*word).to_owned()).collect(), ..Self::default() }
    }

    /// A package that requires others and owns files, each of 10 bytes.
    fn package(mut self, name: &str, depends: &str, files: &[&str]) -> Self {
        self.status = format!("{}Package: {name}\nVersion: 1\nArchitecture: amd64\nDepends: {depends}\n\n", self.status);
        let list = format!("{}\n", files.join("\n"));
        self.rootfs.insert(format!("/var/lib/dpkg/info/{name}.list").as_bytes(), file_with(list.as_bytes()));
        for file in files {
            self = self.file(file);
        }
        self
    }

    fn file(mut self, path: &str) -> Self {
        self.rootfs.insert(path.as_bytes(), Inode::new(InodeKind::File { size: 10 }, 0o755, 0));
        self
    }

    /// A library, or a program where it has no soname, that needs others.
    fn elf(mut self, path: &str, is_program: bool, needed: &[&str]) -> Self {
        let elf = ElfFacts {
            machine: 62,
            is_64: true,
            is_little_endian: true,
            kind: 3,
            is_dynamic: true,
            is_program,
            needed: needed.iter().map(|name| name.as_bytes().into()).collect(),
            ..ElfFacts::default()
        };
        let content = Content { elf: Some(Box::new(elf)), ..Content::default() };
        let inode = Inode { content: Some(Arc::new(content)), ..Inode::new(InodeKind::File { size: 10 }, 0o755, 0) };
        self.rootfs.insert(path.as_bytes(), inode);
        self
    }

    fn link(mut self, path: &str, target: &str) -> Self {
        let inode = Inode::new(InodeKind::Symlink { target: target.as_bytes().into() }, 0o777, 0);
        self.rootfs.insert(path.as_bytes(), inode);
        self
    }

    fn reach(mut self) -> Result<(Vec<String>, Reach), String> {
        if !self.status.is_empty() {
            self.rootfs.insert(b"/var/lib/dpkg/status", file_with(self.status.as_bytes()));
        }
        let platform = Platform { os: "linux".into(), architecture: "amd64".into(), variant: None };
        let runtime = RuntimeConfig { cmd: self.cmd, ..RuntimeConfig::default() };
        let config = ImageConfig { platform, runtime, diff_ids: Vec::new(), history: Vec::new(), created: None, author: None };
        let limits = Limits::default();
        let mut bodies = Bodies::new(&self.rootfs, &limits);
        let user = users::resolve("", &mut bodies);
        let packages = packages::read(&mut bodies);
        let executables = executables_through(&self.rootfs, &mut bodies.links);
        let (startup, probe) = startup::read(&config, &user, &mut bodies);
        let mut linker = linking::Linker::new(&self.rootfs, &mut bodies.links, &config.runtime, None, &limits);
        let (linking, _) = linking::of(&mut linker, &startup.nodes());
        let starts = [Some(&startup), probe.as_ref()];
        let ground = Ground::of(&self.rootfs, &packages, &executables, starts, &linking, &config.runtime);
        let reach = read(&ground, &mut bodies.links)?;
        let name = |package: &usize| packages.list[*package].name.clone();
        Ok((reach.reached.iter().map(name).collect(), reach))
    }

    fn reached(self) -> Vec<String> {
        self.reach().unwrap().0
    }
}

#[test]
fn a_program_s_package_and_all_that_it_requires_are_reached() {
    let image = Image::starting(&["/usr/sbin/nginx"])
        .package("nginx", "libpcre | other, adduser", &["/usr/sbin/nginx"])
        .package("libpcre", "", &["/usr/lib/libpcre.so.3"])
        .package("adduser", "perl", &["/usr/sbin/adduser"])
        .package("perl", "", &["/usr/bin/perl"])
        .package("curl", "libpcre", &["/usr/bin/curl", "/usr/share/curl"])
        .elf("/usr/sbin/nginx", true, &[]);
    let (names, reach) = image.reach().unwrap();
    assert_eq!(names, ["libpcre", "nginx"]);
    assert_eq!(reach.unreached_bytes, 40);
    assert_eq!(reach.unreached[0], Unreached { package: 1, bytes: 20, layer: Some(0) });
    assert!(reach.not_known.is_empty());
}

#[test]
fn an_interpreter_needs_its_libraries_and_native_extensions_theirs() {
    let image = || {
        Image::starting(&["/usr/local/bin/python3", "app.py"])
            .elf("/usr/local/bin/python3", true, &[])
            .elf("/usr/local/lib/python3.13/lib-dynload/_ssl.so", false, &["libssl.so.3"])
            .elf("/app/node_modules/x/x.node", false, &["libz.so.1"])
            .package("libssl3", "", &["/usr/lib/libssl.so.3"])
            .package("zlib1g", "", &["/usr/lib/libz.so.1.3"])
            .link("/usr/lib/libz.so.1", "libz.so.1.3")
            .package("python3-yaml", "", &["/usr/lib/python3/dist-packages/yaml.py"])
            .package("openssl", "", &["/etc/ssl/openssl.cnf"])
            .package("tzdata", "", &["/usr/share/zoneinfo/UTC"])
    };
    assert_eq!(image().reached(), ["libssl3", "openssl", "tzdata"]);
    let debian = Image { cmd: vec!["/usr/bin/python3".into()], ..image() }
        .package("python3", "", &["/usr/bin/python3.13"])
        .elf("/usr/bin/python3.13", true, &[])
        .link("/usr/bin/python3", "python3.13");
    assert_eq!(debian.reached(), ["libssl3", "openssl", "python3", "python3-yaml", "tzdata"]);
    let node = Image { cmd: vec!["/usr/bin/node".into()], ..image() }.elf("/usr/bin/node", true, &[]);
    assert_eq!(node.reached(), ["tzdata", "zlib1g"]);
}

#[test]
fn plugins_are_needed_with_what_loads_them() {
    let image = Image::starting(&["/usr/sbin/nginx"])
        .package("nginx", "", &["/usr/sbin/nginx"])
        .elf("/usr/sbin/nginx", true, &["libsasl2.so.2"])
        .package("mod-geoip", "libgeoip", &["/usr/lib/nginx/modules/geoip.so"])
        .elf("/usr/lib/nginx/modules/geoip.so", false, &[])
        .package("libgeoip", "", &["/usr/share/geoip"])
        .package("sasl-modules", "", &["/usr/lib/x86_64-linux-gnu/sasl2/libplain.so"])
        .elf("/usr/lib/x86_64-linux-gnu/sasl2/libplain.so", false, &[])
        .package("libldap", "", &["/usr/lib/libldap.so.2"]);
    assert_eq!(image.reached(), ["libgeoip", "mod-geoip", "nginx", "sasl-modules"]);
}

#[test]
fn links_of_the_name_that_is_started_are_needed() {
    let image = Image::starting(&["python3"])
        .package("python3-minimal", "", &["/usr/bin/readme"])
        .package("python3.13", "", &["/usr/bin/python3.13"])
        .elf("/usr/bin/python3.13", true, &[])
        .link("/usr/bin/python3", "python3.13");
    assert_eq!(image.reached(), ["python3.13"]);
}

#[test]
fn what_is_not_known_is_a_reason_and_never_a_number() {
    let none = Image::starting(&["/app"]).elf("/app", true, &[]).reach().unwrap_err();
    assert_eq!(none, "the image has no package database");
    let image = |cmd: &[&str]| Image::starting(cmd).package("a", "", &["/a"]).elf("/app", true, &[]);
    assert_eq!(image(&["/gone"]).reach().unwrap_err(), "the container does not start");
    assert!(image(&[]).reach().is_err());
    let no_files = Image::starting(&["/app"]).package("a", "", &[]).elf("/app", true, &[]);
    assert_eq!(no_files.reach().unwrap_err(), "the package database does not tell whose files are whose");
    assert_eq!(image(&["/app"]).reach().unwrap().0, Vec::<String>::new());
}

#[test]
fn a_shell_that_reads_commands_makes_it_a_lower_bound() {
    let image = Image::starting(&["/bin/sh"]).package("dash", "", &["/bin/sh"]).elf("/bin/sh", true, &[]);
    let (names, reach) = image.reach().unwrap();
    assert_eq!(names, ["dash"]);
    assert_eq!(reach.not_known.len(), 1, "{reach:?}");
}
