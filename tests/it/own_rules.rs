//! Own rules from the policy to the reports: a finding like any other, and no pass where a rule has no answer.

use std::path::Path;

use plimsoll::policy::{Policy, Rule, Severity};
use plimsoll::report::json;
use plimsoll::report::model::{Report, Verdict};
use plimsoll::report::text::{Look, render};
use plimsoll::verify::{Progress, Request, verify};

/// The report on a good image by a policy with this rule alone.
fn report(when: &str) -> Report {
    let rule = Rule {
        id: "own-rule".into(),
        title: "Own".into(),
        severity: Severity::Critical,
        when: when.into(),
        message: "It is not as we want it.".into(),
        fix: "Make it so.".into(),
    };
    let mut request =
        Request { policy: Policy { fail_on: Severity::Critical, rules: vec![rule], ..Policy::default() }, ..Request::default() };
    request.source.input = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/images/good.tar");
    verify(&request, &Progress::default())
}

#[test]
fn a_rule_that_holds_fails_the_image_in_every_report() {
    let report = report("files.filter(f, f.path == '/etc/passwd' || f.path == '/etc/group')");
    assert_eq!(report.verdict, Verdict::Fail);
    let found = report.images[0].findings.iter().find(|finding| finding.check == "own-rule").expect("a finding");
    assert_eq!((found.message.as_str(), found.fix.as_str(), found.fails), ("It is not as we want it", "Make it so.", true));
    let place = &found.evidence[0];
    assert_eq!((place.path.as_deref(), place.layer.is_some()), (Some("/etc/group"), true));
    let text = render(&report, Look::default());
    for part in ["CRITICAL", "own-rule", "It is not as we want it", "/etc/passwd", "Make it so."] {
        assert!(text.contains(part), "{part} is not in:\n{text}");
    }
    assert!(!text.contains("explain own-rule"), "{text}");
    let mut bytes = Vec::new();
    json::write(&report, &mut bytes).unwrap();
    assert!(String::from_utf8(bytes).unwrap().contains("\"check\": \"own-rule\""));
}

#[test]
fn a_rule_that_does_not_hold_says_nothing() {
    let report = report("files.exists(f, f.path == '/no/such/file')");
    assert_eq!(report.verdict, Verdict::Pass);
    assert!(report.images[0].findings.iter().all(|finding| finding.check != "own-rule"));
}

#[test]
fn a_rule_without_an_answer_is_no_pass() {
    for when in ["image.labels.no_such_label == ''", "no_such_variable", "files.exists(f,"] {
        let report = report(when);
        assert_eq!(report.verdict, Verdict::Unverifiable, "{when}");
        let reasons: Vec<&str> = report.images[0].examined.not_examined.iter().map(|one| one.reason.as_str()).collect();
        assert!(reasons.iter().any(|reason| reason.starts_with("the policy's rule own-rule: ")), "{when}: {reasons:?}");
    }
}
