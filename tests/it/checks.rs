//! Every check has an image that it fires on and one that it is silent on, in `testdata/checks`.

use std::sync::OnceLock;

use serde_json::Value;

use super::program;
use super::recipe;

/// A recipe of `testdata/checks`, and what the program says of it.
pub(crate) struct Judged {
    pub(crate) check: &'static str,
    pub(crate) is_to_fire: bool,
    /// All `findings` of all images, and the `layers` of the first.
    pub(crate) report: Value,
}

impl Judged {
    /// `CHECK.fires` or `CHECK.silent`.
    pub(crate) fn name(&self) -> String {
        format!("{}.{}", self.check, if self.is_to_fire { "fires" } else { "silent" })
    }

    /// Whether the check judged as it should.
    pub(crate) fn is_right(&self) -> bool {
        program::list(&self.report["findings"]).any(|finding| finding["check"] == self.check) == self.is_to_fire
    }
}

/// What the program says of a recipe: all `findings` of all images, and the `layers` of the first.
fn report(recipe: &recipe::Recipe) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let image = folder.path().join("oci.tar");
    std::fs::write(&image, recipe::oci_archive(recipe)).unwrap();
    let checked = program::check(&image, &[]);
    assert!(checked.error_codes().is_empty(), "{}: {}", recipe.name, checked.report);
    let findings: Vec<Value> = checked.images().iter().flat_map(|image| program::list(&image["findings"])).cloned().collect();
    serde_json::json!({ "findings": findings, "layers": checked.images()[0]["layers"] })
}

fn judged(check: &'static str, is_to_fire: bool) -> Judged {
    let report = report(&recipe::of_check(check, if is_to_fire { "fires" } else { "silent" }));
    Judged { check, is_to_fire, report }
}

/// Every recipe of `testdata/checks`, judged once for all tests.
pub(crate) fn recipes() -> &'static [Judged] {
    static ALL: OnceLock<Vec<Judged>> = OnceLock::new();
    ALL.get_or_init(|| {
        plimsoll::checks::ALL.iter().flat_map(|check| [true, false].map(|is_to_fire| judged(check.id, is_to_fire))).collect()
    })
}

#[test]
fn every_check_has_an_image_it_fires_on_and_one_it_is_silent_on() {
    let wrong = recipes().iter().filter(|judged| !judged.is_right()).map(Judged::name);
    program::assert_none(&wrong.collect::<Vec<_>>());
}

#[test]
fn a_source_may_be_an_annotation_of_the_manifest_or_of_its_entry() {
    let annotations = r#""annotations":{"org.opencontainers.image.source":"https://example.com/shop"}"#;
    let manifest = format!("{{\"schemaVersion\":2,\"config\":$config,\"layers\":[$layer0],{annotations}}}");
    let index = format!("{{\"schemaVersion\":2,\"manifests\":[{{$manifest.fields,{annotations}}}]}}");
    let is_silent = |name: &str, text: &str| {
        let document = format!("[[document]]\nname = '{name}'\ntext = '{text}'\n");
        let layer = "[[layer]]\nentries = [{ file = 'k', text = 'x' }]\n";
        let expect = "[expect]\nverdict = 'accept'\n";
        let recipe = recipe::of_text(&format!("about = ''\ncontainers = ['oci']\n{layer}{document}{expect}"));
        !program::list(&report(&recipe)["findings"]).any(|finding| finding["check"] == "missing-source-label")
    };
    assert!(is_silent("manifest", &manifest));
    assert!(is_silent("index", &index));
    assert!(!is_silent("index", &index.replace("image.source", "image.title")));
}

#[test]
fn findings_have_subjects_that_the_next_build_has_too() {
    let demo = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/images/demo.tar");
    let checked = program::check(&demo, &[]);
    let findings = program::list(&checked.images()[0]["findings"]);
    let found: Vec<_> =
        findings.map(|one| (one["check"].as_str().unwrap(), one["subject"].as_str().unwrap_or_default())).collect();
    let expected = [
        ("compiler", "tcc"),
        ("root-user", ""),
        ("setuid-file", "/app/server"),
        ("os-package-manager", "apt"),
        ("missing-healthcheck", ""),
        ("apt-lists", ""),
    ];
    assert_eq!(found, expected);
    assert!(checked.repeated().is_empty());
}

#[test]
fn the_good_image_has_no_finding_and_the_demo_image_the_six_faults() {
    let images = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/images");
    let of = |name: &str| program::check(&images.join(name), &[]);
    let good = of("good.tar");
    assert_eq!((good.exit, good.images()[0]["findings"].as_array().map(Vec::len)), (Some(0), Some(0)));
    let demo = of("demo.tar");
    let found: Vec<&str> =
        demo.images()[0]["findings"].as_array().unwrap().iter().filter_map(|f: &Value| f["check"].as_str()).collect();
    assert_eq!(found, ["compiler", "root-user", "setuid-file", "os-package-manager", "missing-healthcheck", "apt-lists"]);
    assert_eq!(demo.exit, Some(1));
}
