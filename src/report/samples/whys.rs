//! Answers of `plimsoll why` made by hand.

use super::super::model::why::{
    ChainReport, FolderReport, HopReport, LayerShareReport, LinkReport, NamedFinding, OwnerReport, PackageRemoval, PackageReport,
    PackagesReport, PartReport, RemovalReport, ShareReport, SizedFile, VersionReport, Why, WriterReport,
};
use super::super::model::{ComponentReport, EntryReport, LocationReport, Schema, Tool};
use super::{MIB, entry};

/// A file of a package, one of an application's package, a link, a folder, and a file that is gone.
pub(crate) fn whys() -> Vec<(&'static str, Why)> {
    vec![("file", file()), ("component", component()), ("link", link()), ("folder", folder()), ("gone", gone())]
}

fn writer(layer: usize, instruction: &str) -> WriterReport {
    WriterReport { layer, instruction: Some(instruction.into()), origin: Some("yours".into()), location: None }
}

fn part(files: u64, bytes: u64, biggest: &[(&str, u64)]) -> PartReport {
    let sized = |(path, bytes): &(&str, u64)| SizedFile { path: (*path).to_owned(), bytes: *bytes };
    PartReport { files, bytes, biggest: biggest.iter().map(sized).collect() }
}

fn packages(count: u64, bytes: u64, names: &[&str]) -> PackagesReport {
    PackagesReport { count, bytes, names: names.iter().map(|name| (*name).to_owned()).collect() }
}

fn base(path: &str) -> Why {
    Why {
        schema: Schema::of_why(),
        tool: Tool { version: "0.0.0".into(), ..Tool::current() },
        source: "shop.tar".into(),
        reference: Some("shop:1.4".into()),
        platform: Some("linux/amd64".into()),
        layers: 6,
        asked: path.into(),
        present: true,
        entry: EntryReport { mode: "0755".into(), size: Some(27 * MIB + 5), layer: 2, ..entry(path) },
        link: None,
        names: Vec::new(),
        name_count: 0,
        written_by: writer(2, "RUN apt-get update && apt-get install -y build-essential"),
        earlier: Vec::new(),
        deleted_by: None,
        package: None,
        component: None,
        layer_files: part(4_210, 310 * MIB, &[("/usr/lib/gcc/12/cc1", 27 * MIB + 5), ("/usr/lib/gcc/12/lto1", 26 * MIB)]),
        folder: None,
        findings: Vec::new(),
        removal: RemovalReport::default(),
    }
}

fn location() -> LocationReport {
    LocationReport {
        file: "Dockerfile".into(),
        line: 7,
        start_line: 6,
        end_line: 8,
        confidence: "aligned".into(),
        instruction: "RUN apt-get update && apt-get install -y build-essential".into(),
        line_hash: None,
        related: Vec::new(),
    }
}

fn file() -> Why {
    let chain = |packages: &[&str], root: &str| ChainReport {
        packages: packages.iter().map(|name| (*name).to_owned()).collect(),
        root: root.into(),
    };
    let package = PackageReport { name: "cpp-12".into(), version: "12.2.0-14".into(), architecture: "amd64".into() };
    let old = VersionReport {
        written_by: writer(0, "ADD rootfs.tar.xz /"),
        r#type: "file".into(),
        mode: "0755".into(),
        uid: 0,
        gid: 0,
        size: Some(MIB),
        fate: "replaced".into(),
        ended_by: 2,
    };
    Why {
        names: vec!["/usr/bin/cc1".into()],
        name_count: 3,
        written_by: WriterReport {
            location: Some(location()),
            ..writer(2, "RUN apt-get update && apt-get install -y build-essential")
        },
        earlier: vec![old],
        package: Some(OwnerReport {
            package,
            files: part(31, 56 * MIB, &[("/usr/lib/gcc/12/cc1", 27 * MIB + 5), ("/usr/bin/cpp-12", MIB)]),
            standing: "needed".into(),
            chains: vec![chain(&["cpp-12", "gcc-12", "gcc", "build-essential"], "asked-for"), chain(&["cpp-12", "cpp"], "base")],
            more_chains: true,
            required_by: packages(2, 90 * MIB, &["cpp", "gcc-12"]),
            problem: None,
        }),
        findings: vec![NamedFinding {
            check: "compiler".into(),
            severity: "high".into(),
            message: "a compiler can be run".into(),
        }],
        removal: RemovalReport {
            bytes: 0,
            earlier_bytes: MIB,
            package: Some(PackageRemoval {
                bytes: 56 * MIB,
                dependents: packages(
                    9,
                    90 * MIB,
                    &["build-essential", "cpp", "g++", "g++-12", "gcc", "gcc-12", "libstdc++-12-dev"],
                ),
                orphans: packages(1, 2 * MIB, &["libmpc3"]),
                total_bytes: 148 * MIB,
            }),
        },
        ..base("/usr/lib/gcc/12/cc1")
    }
}

fn component() -> Why {
    let component = ComponentReport {
        kind: "npm-package".into(),
        name: "express".into(),
        version: Some("4.18.2".into()),
        path: "/app/node_modules/express".into(),
        layer: 2,
        bytes: Some(MIB),
        package: None,
        details: std::collections::BTreeMap::new(),
        problem: None,
    };
    Why { component: Some(component), ..base("/app/node_modules/express/index.js") }
}

fn link() -> Why {
    let at = |path: &str, target: Option<&str>| EntryReport {
        r#type: if target.is_some() { "symlink" } else { "file" }.into(),
        mode: "0777".into(),
        size: target.is_none().then_some(125_640),
        linktarget: target.map(str::to_owned),
        ..entry(path)
    };
    let hop = |path: &str, target: &str| HopReport { path: path.into(), target: target.into() };
    Why {
        asked: "/bin/awk".into(),
        entry: at("/usr/bin/awk", Some("/etc/alternatives/awk")),
        link: Some(LinkReport {
            hops: vec![hop("/usr/bin/awk", "/etc/alternatives/awk"), hop("/etc/alternatives/awk", "/usr/bin/mawk")],
            end: Some(at("/usr/bin/mawk", None)),
            package: Some("mawk 1.3.4".into()),
            problem: None,
        }),
        written_by: WriterReport { layer: 0, instruction: None, origin: Some("inherited".into()), location: None },
        ..base("/usr/bin/awk")
    }
}

fn folder() -> Why {
    let share = |package: &str, files, bytes| ShareReport { package: package.into(), files, bytes };
    let from = |layer, bytes| LayerShareReport { written_by: writer(layer, "RUN make install"), files: 60, bytes };
    Why {
        entry: EntryReport { r#type: "dir".into(), mode: "0755".into(), size: None, ..entry("/usr/lib/gcc") },
        folder: Some(FolderReport {
            files: part(120, 70 * MIB, &[("/usr/lib/gcc/12/cc1", 27 * MIB + 5)]),
            layers: vec![from(2, 69 * MIB), from(3, MIB)],
            owners: vec![share("cpp-12", 3, 54 * MIB), share("gcc-12", 80, 15 * MIB)],
            owner_count: 4,
            unowned: part(1, MIB, &[("/usr/lib/gcc/own.a", MIB)]),
        }),
        removal: RemovalReport { bytes: 70 * MIB, ..RemovalReport::default() },
        ..base("/usr/lib/gcc")
    }
}

fn gone() -> Why {
    Why {
        present: false,
        entry: EntryReport { mode: "0600".into(), size: Some(120), ..entry("/app/.env") },
        deleted_by: Some(writer(4, "RUN rm /app/.env")),
        removal: RemovalReport { bytes: 120, ..RemovalReport::default() },
        ..base("/app/.env")
    }
}
