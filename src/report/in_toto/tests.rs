//! Statements of reports made by hand.

use serde_json::Value;

use super::super::samples;
use super::*;
use crate::report::model::NotExaminedReport;

/// Reports of a program that has all checks.
fn current(mut report: Report) -> Report {
    report.tool.version = env!("CARGO_PKG_VERSION").to_owned();
    report
}

fn statements(report: &Report) -> Vec<Value> {
    render(report).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn names(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect()
}

/// What the specification asks of a statement, its subject and this predicate, field by field.
fn assert_is_valid(statement: &Value) {
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<String>>();
    assert_eq!(keys(statement), ["_type", "subject", "predicateType", "predicate"]);
    assert_eq!(statement["_type"], "https://in-toto.io/Statement/v1");
    assert_eq!(statement["predicateType"], "https://in-toto.io/attestation/test-result/v0.1");
    let descriptors = |value: &Value| {
        for descriptor in value.as_array().unwrap() {
            assert!(descriptor.get("uri").or(descriptor.get("digest")).is_some(), "{descriptor}");
            for key in keys(descriptor) {
                assert!(["name", "uri", "digest", "annotations"].contains(&key.as_str()), "{key}");
            }
        }
    };
    descriptors(&statement["subject"]);
    for subject in statement["subject"].as_array().unwrap() {
        for (algorithm, hex) in subject["digest"].as_object().unwrap() {
            assert!(["sha256", "sha512"].contains(&algorithm.as_str()));
            assert!(hex.as_str().unwrap().bytes().all(|digit| digit.is_ascii_hexdigit() && !digit.is_ascii_uppercase()));
        }
    }
    let predicate = &statement["predicate"];
    assert_eq!(keys(predicate), ["result", "configuration", "passedTests", "warnedTests", "failedTests"]);
    assert!(["PASSED", "WARNED", "FAILED"].contains(&predicate["result"].as_str().unwrap()));
    descriptors(&predicate["configuration"]);
    let lists = ["passedTests", "warnedTests", "failedTests"].map(|list| names(&predicate[list]));
    let mut all = lists.concat();
    assert!(lists.iter().all(|list| list.is_sorted()), "{lists:?}");
    let count = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), count, "a test is in one list: {lists:?}");
}

#[test]
fn every_image_with_a_digest_is_a_valid_statement_on_one_line() {
    for (name, report) in samples::all() {
        let found = statements(&current(report.clone()));
        assert_eq!(found.len(), report.images.len(), "{name}");
        for (statement, image) in found.iter().zip(&report.images) {
            assert_is_valid(statement);
            let is_failed = statement["predicate"]["result"] == "FAILED";
            assert_eq!(is_failed, image.verdict != Verdict::Pass, "{name}");
        }
    }
}

#[test]
fn the_statement_of_a_bad_image() {
    let statement = &statements(&samples::bad())[0];
    insta::assert_snapshot!(format!("{statement:#}"));
}

#[test]
fn a_clean_image_passes_every_check_that_its_program_has() {
    let report = current(samples::good());
    let predicate = &statements(&report)[0]["predicate"];
    assert_eq!(predicate["result"], "PASSED");
    let passed = names(&predicate["passedTests"]);
    assert!(checks::ALL.iter().all(|check| passed.contains(&check.id)) && passed.contains(&"verification"), "{passed:?}");
    for odd in ["0.0.9", "new", "1.0", ""] {
        let mut old = report.clone();
        old.tool.version = odd.into();
        assert_eq!(names(&statements(&old)[0]["predicate"]["passedTests"]), ["verification"], "{odd}");
    }
}

#[test]
fn what_could_not_be_evaluated_has_not_passed() {
    let predicate = &statements(&current(samples::unverifiable()))[0]["predicate"];
    assert_eq!((names(&predicate["passedTests"]).len(), &predicate["result"]), (0, &Value::from("FAILED")));
    assert!(names(&predicate["failedTests"]).contains(&"verification"));
    // the policy lets the image pass, and yet nobody looked into all of it
    let mut report = current(samples::good());
    report.images[0].examined.not_examined = vec![NotExaminedReport { path: None, layer: Some(0), reason: "too big".into() }];
    let predicate = &statements(&report)[0]["predicate"];
    assert_eq!((names(&predicate["passedTests"]).len(), &predicate["result"]), (0, &Value::from("WARNED")));
    assert_eq!(names(&predicate["warnedTests"]), ["verification"]);
}

#[test]
fn a_waived_finding_is_a_warning_and_a_check_that_is_off_is_in_no_list() {
    let report = current(samples::all_waived());
    let predicate = &statements(&report)[0]["predicate"];
    assert_eq!(predicate["result"], "WARNED");
    assert!(!names(&predicate["warnedTests"]).is_empty());
    let mut report = current(samples::good());
    report.images[0].left_out =
        vec![super::super::model::LeftOutReport { check: "compiler".into(), reason: "off".into(), findings: 1 }];
    assert!(!statements(&report)[0].to_string().contains("\"compiler\""));
}

#[test]
fn an_image_is_known_by_its_manifest_else_by_its_config_else_not_at_all() {
    let mut report = samples::good();
    report.images[0].manifest_digest = Some(format!("sha256:{}", "ab".repeat(32)));
    report.images[0].config_digest = Some(format!("sha512:{}", "cd".repeat(64)));
    let of = |report: &Report| statements(report).first().map(|statement| statement["subject"][0].clone());
    let subject = of(&report).unwrap();
    assert_eq!(
        (&subject["digest"]["sha256"], &subject["annotations"]["digest-of"]),
        (&"ab".repeat(32).into(), &"manifest".into())
    );
    report.images[0].manifest_digest = Some("sha256:AB".into());
    let subject = of(&report).unwrap();
    assert_eq!((&subject["digest"]["sha512"], &subject["annotations"]["digest-of"]), (&"cd".repeat(64).into(), &"config".into()));
    report.images[0].config_digest = None;
    assert_eq!(of(&report), None);
}

#[test]
fn a_verdict_that_nothing_explains_is_a_failed_test() {
    let mut report = current(samples::good());
    report.images[0].verdict = Verdict::Fail;
    let predicate = &statements(&report)[0]["predicate"];
    assert_eq!((&predicate["result"], names(&predicate["failedTests"])), (&"FAILED".into(), vec!["verdict"]));
    let mut report = current(samples::bad());
    report.images[0].verdict = Verdict::Pass;
    assert_eq!(statements(&report)[0]["predicate"]["result"], "FAILED", "what fails is no pass, whatever the report says");
}

proptest::proptest! {
    #[test]
    fn any_name_of_a_policy_gives_a_uri(name: String) {
        let uri = percent_encoded(&name);
        proptest::prop_assert!(uri.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte)));
    }
}
