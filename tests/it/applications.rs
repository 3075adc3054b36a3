//! The inventory of applications against what the ecosystems' own readers say of the unpacked image: importlib.metadata, a walk of
//! `node_modules`, Java's release files, `go version -m`.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::program::{self, list};

/// Images with each language, and one with a virtual environment.
const IMAGES: [&str; 5] = ["fastapi-multi", "django-hardened", "node-three-stage", "java-distroless", "go-single"];

/// Kinds that the truth speaks of. Modules of the tool chain's own programs have no line that says so, and no version.
const KINDS: [&str; 4] = ["python-distribution", "npm-package", "java-runtime", "go-module"];

fn there(program: &str, argument: &str) -> bool {
    let there = Command::new(program).arg(argument).output().is_ok_and(|output| output.status.success());
    if !there {
        eprintln!("skipped: needs {program}");
    }
    there
}

fn lines_of(command: &mut Command) -> Vec<String> {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

fn unpack(image: &Path, folder: &Path) {
    let image = format!("{}:1", image.display());
    lines_of(Command::new("umoci").args(["raw", "unpack", "--rootless", "--image", &image]).arg(folder));
}

/// Programs and modules that `go version -m` lists: kind, module, version, path.
fn go_modules(root: &Path) -> Vec<String> {
    let mut program = String::new();
    let mut found = Vec::new();
    for line in lines_of(Command::new("go").args(["version", "-m"]).arg(root)) {
        let mut fields = line.split('\t').skip(1);
        match (line.starts_with('\t'), fields.next()) {
            (false, _) => {
                let path = line.rsplit_once(": ").unwrap().0;
                path.strip_prefix(root.to_str().unwrap()).unwrap().clone_into(&mut program);
            }
            (true, Some("mod" | "dep" | "=>")) => {
                let (module, version) = (fields.next().unwrap(), fields.next().unwrap());
                found.push(format!("go-module\t{module}\t{version}\t{program}"));
            }
            _ => {}
        }
    }
    found
}

/// A component as a line of the truth, with its bytes where the truth has some.
fn line(component: &Value, truth: &[String]) -> String {
    let field = |name: &str| component[name].as_str().unwrap_or_default();
    let line = format!("{}\t{}\t{}\t{}", field("kind"), field("name"), field("version"), field("path"));
    if truth.contains(&format!("{line}\t-")) {
        return format!("{line}\t-");
    }
    if field("kind") == "go-module" { line } else { format!("{line}\t{}", component["bytes"]) }
}

#[test]
fn components_are_those_that_the_languages_own_readers_find() {
    let Some(folder) = std::env::var_os("PLIMSOLL_IMAGES").map(PathBuf::from) else {
        eprintln!("skipped: PLIMSOLL_IMAGES names no folder with images/");
        return;
    };
    if !(there("umoci", "--version") && there("python3", "--version") && there("go", "version")) {
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let mut wrong = Vec::new();
    for name in IMAGES {
        let image = folder.join(format!("images/{name}/{name}.oci"));
        let root = scratch.path().join(name);
        unpack(&image, &root);
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/applications.py");
        let mut truth = lines_of(Command::new("python3").arg(script).arg(&root));
        truth.extend(go_modules(&root));
        truth.sort();
        let report = program::check(&image, &[]);
        let components = list(&report.images()[0]["components"]);
        let is_meant = |component: &&Value| {
            let is_of_tools = component["kind"] == "go-module" && component["version"].is_null();
            KINDS.iter().any(|kind| component["kind"] == *kind) && !is_of_tools
        };
        let mut ours: Vec<String> = components.filter(is_meant).map(|component| line(component, &truth)).collect();
        ours.sort();
        wrong.extend(program::difference(&truth, &ours).into_iter().map(|line| format!("{name}: {line}")));
        std::fs::remove_dir_all(&root).unwrap();
    }
    program::assert_none(&wrong);
}
