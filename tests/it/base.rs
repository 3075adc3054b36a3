//! Base image and own layers: `--base`, `plimsoll base`, and what is told without them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::program::{self, list, run, text};
use crate::recipe;

const ELF: &str = r"\x7fELF\x02\x01\x01{\x00*9}\x02\x00>\x00\x01\x00\x00\x00x\x00@{\x00*5}@{\x00*19}@\x008\x00\x01{\x00*7}\x01\x00\x00\x00\x05{\x00*13}@{\x00*7}@{\x00*5}x{\x00*7}x{\x00*8}\x10{\x00*6}";

/// What the base has: a set-user-ID program and a plain one.
fn base_layer() -> String {
    format!("{}, {}", program("bin/helper", "4755"), program("bin/tool", "0755"))
}

fn program(path: &str, mode: &str) -> String {
    format!("{{ file = '{path}', mode = '{mode}', text = '{ELF}' }}")
}

/// Writes a docker-save tar with these layers.
fn image(folder: &Path, name: &str, layers: &[&str]) -> PathBuf {
    let layers = layers.iter().map(|entries| format!("[[layer]]\nentries = [{entries}]\n")).collect::<Vec<_>>().concat();
    let text = format!("about = \"\"\ncontainers = [\"docker\"]\n{layers}[expect]\nverdict = \"accept\"\n");
    let path = folder.join(name);
    std::fs::write(&path, recipe::docker_archive(&recipe::of_text(&text))).unwrap();
    path
}

/// Origin of the finding about each path.
fn origins(report: &Value) -> BTreeMap<String, String> {
    let findings = list(&report["images"][0]["findings"]).filter(|finding| finding["check"] == "setuid-file");
    let origin = |finding: &Value| text(&finding["origin"]).unwrap_or_default();
    findings
        .flat_map(|finding| list(&finding["evidence"]).map(move |one| (text(&one["path"]).unwrap(), origin(finding))))
        .collect()
}

fn checked(image: &Path, base: &Path) -> Value {
    program::check(image, &["--base", base.to_str().unwrap()]).report
}

fn expected(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(path, origin)| ((*path).to_owned(), (*origin).to_owned())).collect()
}

#[test]
fn findings_in_layers_of_the_given_base_are_inherited_and_all_others_yours() {
    let folder = tempfile::tempdir().unwrap();
    let base = image(folder.path(), "base.tar", &[&base_layer()]);
    let child = image(folder.path(), "child.tar", &[&base_layer(), &program("app/server", "4755")]);
    let report = checked(&child, &base);
    assert_eq!(origins(&report), expected(&[("/bin/helper", "inherited"), ("/app/server", "yours")]));
    let image = &report["images"][0];
    assert_eq!(list(&image["layers"]).filter_map(|layer| text(&layer["origin"])).collect::<Vec<_>>(), ["inherited", "yours"]);
    assert_eq!(
        (&image["base"]["layers"], &image["base"]["told_by"], &image["base"]["confidence"]),
        (&1.into(), &"given".into(), &"certain".into())
    );
    let config = list(&image["findings"]).find(|finding| finding["check"] == "root-user").unwrap();
    assert_eq!(config["origin"], "yours");
    // the base itself
    assert_eq!(origins(&checked(&base, &base)), expected(&[("/bin/helper", "inherited")]));
    // another base
    let other = self::image(folder.path(), "other.tar", &[&program("bin/other", "0755")]);
    assert!(checked(&child, &other)["images"][0]["base"].is_null());
}

#[test]
fn a_file_of_the_base_that_an_own_layer_changed_or_linked_is_yours() {
    let folder = tempfile::tempdir().unwrap();
    let base = image(folder.path(), "base.tar", &[&base_layer()]);
    let changed = image(folder.path(), "changed.tar", &[&base_layer(), &program("bin/tool", "4755")]);
    assert_eq!(origins(&checked(&changed, &base)), expected(&[("/bin/helper", "inherited"), ("/bin/tool", "yours")]));
    // a builder that links a file of a lower layer writes it anew
    let link = format!("{}, {{ hardlink = 'app/link', to = 'bin/helper', mode = '4755' }}", program("bin/helper", "4755"));
    let linked = image(folder.path(), "linked.tar", &[&base_layer(), &link]);
    assert_eq!(origins(&checked(&linked, &base)), expected(&[("/bin/helper", "yours"), ("/app/link", "yours")]));
}

#[test]
fn the_block_for_a_policy_has_the_images_diff_ids() {
    let folder = tempfile::tempdir().unwrap();
    let base = image(folder.path(), "base.tar", &[&base_layer(), "{ file = 'x' }"]);
    let output = run(&["base", base.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0));
    let block: toml::Table = String::from_utf8(output.stdout).unwrap().parse().unwrap();
    let report = program::check(&base, &[]).report;
    let expected: Vec<String> = list(&report["images"][0]["layers"]).filter_map(|layer| text(&layer["diff_id"])).collect();
    let found: Vec<&str> =
        block["base"]["allowed"][0]["diff_ids"].as_array().unwrap().iter().filter_map(toml::Value::as_str).collect();
    assert_eq!(found, expected);
    assert_eq!(found.len(), 2);
}

#[test]
fn a_base_that_cannot_be_read_ends_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let child = image(folder.path(), "child.tar", &[&base_layer()]);
    let child = child.to_str().unwrap();
    for (base, said) in [("debian:12", "docker save NAME > base.tar"), ("Cargo.toml", "ERROR  not-an-image")] {
        let output = run(&["check", child, "--base", base]);
        let stderr = String::from_utf8_lossy(&output.stderr).split_whitespace().collect::<Vec<_>>().join(" ");
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!((output.status.code(), output.stdout.len()), (Some(3), 0), "{base}: {stderr}");
        assert!(stderr.contains(&said), "{base}: {stderr}");
    }
    let output = run(&["check", child, "--base", "-"]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn what_the_shared_images_are_built_on_is_found_or_left_unsaid() {
    let Some(shared) = program::shared_images() else { return };
    let layout = shared.join("small/layouts/images.oci");
    let index: Value = serde_json::from_slice(&std::fs::read(layout.join("index.json")).unwrap()).unwrap();
    let name = |entry: &Value| text(&entry["annotations"]["org.opencontainers.image.ref.name"]).unwrap();
    let mut images: Vec<(PathBuf, Option<String>, u64)> =
        list(&index["manifests"]).map(name).map(|name| (layout.clone(), Some(name.clone()), layers_of_the_base(&name))).collect();
    for name in ["c-static-good-classic", "f-hc-none-buildkit", "f-opaque-buildkit", "f-user-toor-buildkit", "no-tag"] {
        images.push((shared.join(format!("small/realdocker/{name}.tar.gz")), None, layers_of_the_base(name)));
    }
    for (name, layers) in
        [("classic-builder.docker", 2), ("docker26-provenance-v0.2.oci", 2), ("buildkit0.32-provenance-v1.oci", 0)]
    {
        images.push((shared.join(format!("provenance/{name}.tar.gz")), None, layers));
    }
    let (mut right, mut wrong) = (0, Vec::new());
    for (path, name, expected) in &images {
        let arguments: Vec<&str> = name.iter().flat_map(|name| ["--image", name.as_str()]).collect();
        let found = program::check(path, &arguments).report["images"][0]["base"]["layers"].as_u64().unwrap_or(0);
        if found == *expected {
            right += 1;
        } else {
            wrong.push(format!("{} {name:?}: {found} layers, not {expected}", path.display()));
        }
    }
    program::assert_none(&wrong);
    assert_eq!(right, 42);
}

/// How many layers the `FROM` of the last stage brought, by the Dockerfiles that the images were built from.
fn layers_of_the_base(name: &str) -> u64 {
    let from_scratch = ["c-alpine-good", "c-static-good", "f-entry-shell-form-no-shell", "go-scratch", "task-api-scratch"];
    u64::from(!name.starts_with("b-") && !from_scratch.iter().any(|scratch| name.starts_with(scratch)))
}

#[test]
fn provenance_names_the_base_of_the_last_stage() {
    let Some(shared) = program::shared_images() else { return };
    let report = program::check(&shared.join("provenance/docker26-provenance-v0.2.oci.tar.gz"), &[]).report;
    let base = &report["images"][0]["base"];
    assert_eq!((&base["told_by"], &base["confidence"], &base["layers"]), (&"provenance".into(), &"likely".into(), &2.into()));
    assert!(text(&base["name"]).unwrap().starts_with("docker.io/lab/base:1@sha256:4f3a00a5"), "{base}");
}
