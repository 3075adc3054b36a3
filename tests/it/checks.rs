//! Every check has an image that it fires on and one that it is silent on, in `testdata/checks`.

use std::sync::OnceLock;

use serde_json::Value;

use super::program;
use super::recipe::{self, Recipe};

/// Ids of the checks that fire on a recipe's image.
fn fired(recipe: &Recipe) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let image = folder.path().join("oci.tar");
    std::fs::write(&image, recipe::oci_archive(recipe)).unwrap();
    let checked = program::check(&image, &[]);
    assert!(checked.error_codes().is_empty(), "{}: {}", recipe.name, checked.report);
    let findings = checked.images().iter().flat_map(|image| image["findings"].as_array().cloned().unwrap_or_default());
    findings.filter_map(|finding| finding["check"].as_str().map(str::to_owned)).collect()
}

/// The recipes of checks, `CHECK.fires` or `CHECK.silent`, whose image the check did not judge so; run once for all tests.
pub(crate) fn recipes_judged_otherwise() -> &'static [String] {
    static WRONG: OnceLock<Vec<String>> = OnceLock::new();
    WRONG.get_or_init(|| {
        let mut wrong = Vec::new();
        for check in plimsoll::checks::ALL {
            for (kind, fires) in [("fires", true), ("silent", false)] {
                let recipe = recipe::of_check(check.id, kind);
                if fired(&recipe).iter().any(|id| id == check.id) != fires {
                    wrong.push(format!("{}.{kind}", check.id));
                }
            }
        }
        wrong
    })
}

#[test]
fn every_check_has_an_image_it_fires_on_and_one_it_is_silent_on() {
    program::assert_none(recipes_judged_otherwise());
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
