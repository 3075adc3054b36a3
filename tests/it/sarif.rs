//! SARIF and GitLab Code Quality as the program writes them: every finding is there, and what is not a pass is never empty.
//!
//! `tests/validate.sh` has `write_reports` write what third parties' programs then judge.

use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value;

use crate::program::{command, list, run, shared_images};
use crate::recipe::{self, Recipe};

/// Two platforms, a name that is no path, and files whose names are hostile.
const HOSTILE: &str = r#"
about = "Names that mean something to those who read reports."
containers = ["oci"]
[[layer]]
entries = [
    { file = 'usr/bin/gcc', text = '\x7fELF' },
    { file = 'srv/[x](1)\x0a::error::y/..%2f', text = "s", mode = "4755" },
    { file = 'srv/##[add-path]<script>\\\xff', text = "s", mode = "4755" },
]
[[document]]
name = "config_arm"
text = '''{"architecture":"arm64","variant":"v8/..:x","os":"linux","config":{"User":"[r](0)"},"rootfs":{"type":"layers","diff_ids":["$layer0.diff_id"]},"history":[{"created_by":"RUN [a](1) ::error::"}]}'''
[[document]]
name = "manifest_arm"
text = '''{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":$config_arm,"layers":[$layer0]}'''
[[document]]
name = "index"
text = '''{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{$manifest.fields,"annotations":{"org.opencontainers.image.ref.name":"docker://../[x](1) %zz:1"}},{$manifest_arm.fields,"annotations":{"org.opencontainers.image.ref.name":"app:dev"}}]}'''
[expect]
verdict = "flag"
"#;

fn hostile() -> Recipe {
    let mut recipe = recipe::of_text(HOSTILE);
    "hostile-names".clone_into(&mut recipe.name);
    recipe
}

/// The first container of a recipe.
fn container(recipe: &Recipe, folder: &Path) -> PathBuf {
    recipe::write(recipe, folder).remove(0)
}

/// Writes the image's reports as `NAME.json`, `NAME.sarif`, `NAME.gitlab.json` and `NAME.junit.xml`.
fn write(image: &Path, folder: &Path, name: &str, more: &[&str]) -> Output {
    let output = |format: &str, ending: &str| format!("{format}={}", folder.join(format!("{name}.{ending}")).display());
    let outputs = [
        output("json", "json"),
        output("sarif", "sarif"),
        output("gitlab-codequality", "gitlab.json"),
        output("junit", "junit.xml"),
    ];
    let mut arguments = vec!["check", image.to_str().unwrap(), "--as-of", "2026-11-21"];
    for output in &outputs {
        arguments.extend(["-o", output]);
    }
    let output = command(&[&arguments, more].concat()).output().unwrap();
    assert!(matches!(output.status.code(), Some(0 | 1 | 3)), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

fn read(folder: &Path, file: &str) -> Value {
    serde_json::from_slice(&std::fs::read(folder.join(file)).unwrap()).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// What a report counts: places of its findings, and whether it is a pass.
fn counted(report: &Value) -> (usize, bool) {
    let findings = list(&report["images"]).flat_map(|image| list(&image["findings"]));
    let unwaived = findings.filter(|finding| finding["waived"].is_null());
    let places = unwaived.map(|finding| list(&finding["locations"]).count().max(1)).sum();
    (places, report["verdict"] == "pass")
}

fn of_sarif(document: &Value) -> (usize, bool) {
    let results: Vec<&Value> = list(&document["runs"]).flat_map(|run| list(&run["results"])).collect();
    let of_findings = results.iter().filter(|result| list(&result["properties"]["plimsoll/findings"]).count() > 0);
    let places: u64 = of_findings.map(|result| result["occurrenceCount"].as_u64().unwrap()).sum();
    (usize::try_from(places).unwrap(), results.iter().all(|result| result["level"] != "error"))
}

fn of_gitlab(entries: &Value) -> (usize, bool) {
    let is_own = |entry: &&Value| matches!(entry["check_name"].as_str(), Some("unverifiable" | "verdict"));
    let (own, places): (Vec<&Value>, Vec<&Value>) = list(entries).partition(is_own);
    let is_bad = |entry: &&Value| matches!(entry["severity"].as_str(), Some("blocker" | "critical"));
    (places.len(), own.is_empty() && !places.iter().any(is_bad))
}

#[test]
fn every_format_counts_the_same() {
    let fires = ["root-user", "compiler", "setuid-file", "apt-lists", "ambiguous-layer"].map(|id| recipe::of_check(id, "fires"));
    let plain = ["names_as_bytes", "digest_with_path", "index_two_same_platform", "user_by_number"].map(recipe::named);
    for (index, recipe) in fires.into_iter().chain(plain).chain([hostile()]).enumerate() {
        let folder = tempfile::tempdir().unwrap();
        let image = container(&recipe, folder.path());
        write(&image, folder.path(), "a", &[]);
        let expected = counted(&read(folder.path(), "a.json"));
        assert_eq!(of_sarif(&read(folder.path(), "a.sarif")), expected, "{index} {}", recipe.name);
        assert_eq!(of_gitlab(&read(folder.path(), "a.gitlab.json")), expected, "{index} {}", recipe.name);
        let before = std::fs::read(folder.path().join("a.sarif")).unwrap();
        write(&image, folder.path(), "a", &[]);
        assert!(before == std::fs::read(folder.path().join("a.sarif")).unwrap(), "{}: the same on every run", recipe.name);
    }
}

#[test]
fn what_is_no_image_is_an_open_alert_and_not_a_clean_upload() {
    let folder = tempfile::tempdir().unwrap();
    let image = folder.path().join("Dockerfile");
    std::fs::write(&image, "FROM scratch\n").unwrap();
    assert_eq!(write(&image, folder.path(), "a", &[]).status.code(), Some(3));
    let document = read(folder.path(), "a.sarif");
    let run = &document["runs"][0];
    assert_eq!((&run["results"][0]["ruleId"], &run["results"][0]["level"]), (&"unverifiable".into(), &"error".into()));
    assert_eq!(run["invocations"][0]["executionSuccessful"], false);
    assert_eq!(read(folder.path(), "a.gitlab.json")[0]["severity"], "blocker");
}

#[test]
fn names_of_an_image_are_no_paths_and_no_schemes() {
    let folder = tempfile::tempdir().unwrap();
    write(&container(&hostile(), folder.path()), folder.path(), "a", &[]);
    let document = read(folder.path(), "a.sarif");
    let ids: Vec<&str> = list(&document["runs"]).map(|run| run["automationDetails"]["id"].as_str().unwrap()).collect();
    assert_eq!(
        ids,
        ["plimsoll/docker_/_x__1__%zz/linux-amd64/".replace('%', "_"), "plimsoll/app/linux-arm64-v8_.._x/".to_owned()]
    );
}

#[test]
fn the_category_is_the_user_s_choice() {
    let image = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/images/good.tar");
    let of = |category: &str| {
        let output = run(&["check", image.to_str().unwrap(), "--format", "sarif", "--sarif-category", category]);
        let document: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        (output.status.code(), document["runs"][0]["automationDetails"]["id"].clone())
    };
    assert_eq!(of("shop/cart"), (Some(0), "shop/cart/".into()));
    assert_eq!(of("none"), (Some(0), Value::Null));
    assert_eq!(of(""), (Some(2), Value::Null));
}

/// Images of the folder beside the project: small ones, and those with provenance.
fn shared() -> Vec<PathBuf> {
    let Some(folder) = shared_images() else { return Vec::new() };
    let mut found: Vec<PathBuf> = ["provenance", "small/images", "small/layouts", "small/realdocker"]
        .iter()
        .filter_map(|below| std::fs::read_dir(folder.join(below)).ok())
        .flat_map(|entries| entries.map(|entry| entry.unwrap().path()))
        .filter(|path| [".tar", ".tar.gz", "oci"].iter().any(|ending| path.to_string_lossy().ends_with(ending)))
        .collect();
    found.sort();
    found
}

#[test]
#[ignore = "tests/validate.sh runs it, and validates what it writes to the folder that PLIMSOLL_REPORTS names"]
fn write_reports() {
    let folder = PathBuf::from(std::env::var_os("PLIMSOLL_REPORTS").expect("PLIMSOLL_REPORTS names a folder"));
    let scratch = tempfile::tempdir().unwrap();
    let checks = plimsoll::checks::ALL.iter().flat_map(|check| ["fires", "silent"].map(|kind| recipe::of_check(check.id, kind)));
    let recipes = recipe::all().into_iter().chain(checks).chain([hostile()]);
    for recipe in recipes {
        let below = scratch.path().join(&recipe.name);
        std::fs::create_dir_all(&below).unwrap();
        write(&container(&recipe, &below), &folder, &format!("recipe-{}", recipe.name), &[]);
    }
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/images");
    write(&demo.join("good.tar"), &folder, "good", &[]);
    write(&demo.join("demo.tar"), &folder, "demo", &[]);
    write(&demo.join("demo.tar"), &folder, "demo-strict", &["--policy", "strict", "--sarif-category", "shop"]);
    let no_image = scratch.path().join("no image.txt");
    std::fs::write(&no_image, "no image").unwrap();
    write(&no_image, &folder, "no-image", &[]);
    for image in shared() {
        let name = image.file_name().unwrap().to_string_lossy().into_owned();
        write(&image, &folder, &format!("shared-{name}"), &[]);
    }
}
