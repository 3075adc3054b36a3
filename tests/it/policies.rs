//! Policies applied to a whole image: verdicts, waivers, allow lists, requirements, controls, base and own layers.

use std::path::Path;

use plimsoll::build::base::{Known, ToldBy};
use plimsoll::finding::{Finding, Observation, Origin};
use plimsoll::policy::{BaseRule, CheckRule, Control, Date, LabelRule, Policy, Scope, Severity, SizeRule, Waiver};
use plimsoll::report::model::{FindingReport, ImageReport, Report, Verdict};
use plimsoll::report::text::{self, Look};
use plimsoll::source;
use plimsoll::verify::{Progress, Request, verify};

/// What the demo image is found guilty of: three high findings, three medium ones.
const HIGH: [&str; 3] = ["compiler", "root-user", "setuid-file"];

fn request(policy: Policy) -> Request {
    let input = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/images/demo.tar");
    let source = source::Request { input, ..source::Request::default() };
    Request { source, policy, as_of: Date::parse("2026-11-21").unwrap(), ..Request::default() }
}

fn judged(policy: Policy) -> Report {
    verify(&request(policy), &Progress::default())
}

fn image(report: &Report) -> &ImageReport {
    &report.images[0]
}

fn of<'a>(report: &'a Report, check: &str) -> &'a FindingReport {
    image(report).findings.iter().find(|finding| finding.check == check).unwrap_or_else(|| panic!("no {check}"))
}

fn waiver(check: &str, path: Option<&str>) -> Waiver {
    Waiver {
        check: check.into(),
        path: path.map(str::to_owned),
        image: Some("localhost/plimsoll/*".into()),
        digest: None,
        reason: "it is a demo".into(),
        expires: Date::parse("2026-12-31").unwrap(),
        owner: Some("demo@example.com".into()),
        place: "demo.toml:1".into(),
    }
}

fn waiving_all() -> Policy {
    Policy { waivers: HIGH.map(|check| waiver(check, None)).into(), ..Policy::default() }
}

fn valid(report: &Report) {
    let schema = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schema/report-1.3.0.json")).unwrap();
    let validator = jsonschema::validator_for(&serde_json::from_slice(&schema).unwrap()).unwrap();
    let value = serde_json::to_value(report).unwrap();
    let errors: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
}

#[test]
fn an_image_whose_failing_findings_are_all_waived_passes() {
    assert_eq!(judged(Policy::default()).verdict, Verdict::Fail);
    let report = judged(waiving_all());
    assert_eq!(report.verdict, Verdict::Pass);
    assert_eq!(image(&report).findings.len(), 6, "waived findings stay in the report");
    let waived = of(&report, "compiler").waived.as_ref().unwrap();
    assert_eq!((waived.waiver, waived.reason.as_str(), waived.owner.as_deref()), (0, "it is a demo", Some("demo@example.com")));
    assert!(HIGH.iter().all(|check| !of(&report, check).fails));
    assert_eq!(report.policy.as_of.as_deref(), Some("2026-11-21"));
    let text = text::render(&report, Look::default());
    assert!(text.contains("3 findings waived: see --show-waived\n") && !text.contains("HIGH"), "{text}");
    assert!(text.ends_with("PASS  3 findings, none of them fails: 3 medium; 3 findings waived\n"), "{text}");
    valid(&report);
}

#[test]
fn the_same_waivers_fail_a_day_after_their_last() {
    let late = Request { as_of: Date::parse("2027-01-01").unwrap(), ..request(waiving_all()) };
    let report = verify(&late, &Progress::default());
    assert_eq!(report.verdict, Verdict::Fail);
    assert!(report.policy.waivers.iter().all(|waiver| waiver.state == "expired"));
    assert!(text::render(&report, Look::default()).contains("EXPIRED WAIVERS"));
}

#[test]
fn a_waiver_for_one_of_two_compilers_does_not_waive_the_finding() {
    let one = || waiver("compiler", Some("/usr/bin/tcc"));
    let report = judged(Policy { waivers: vec![one()], ..Policy::default() });
    assert!(of(&report, "compiler").waived.is_none() && of(&report, "compiler").fails);
    assert_eq!(report.policy.waivers[0].state, "unused");
    let report = judged(Policy { waivers: vec![one(), waiver("compiler", Some("/usr/local/**"))], ..Policy::default() });
    assert!(of(&report, "compiler").waived.is_some());
    assert!(report.policy.waivers.iter().all(|waiver| waiver.state == "used"), "both have a part in it");
}

#[test]
fn allowed_places_are_taken_out_and_findings_left_out_are_counted() {
    let allow = |glob: &str| CheckRule { allow: vec![glob.into()], ..CheckRule::default() };
    let checks = [
        ("compiler".to_owned(), allow("/usr/bin/*")),
        ("setuid-file".to_owned(), allow("/app/**")),
        ("root-user".to_owned(), CheckRule { is_off: true, ..allow("**") }),
        ("apt-lists".to_owned(), CheckRule { min_bytes: Some(1 << 20), ..CheckRule::default() }),
        ("os-package-manager".to_owned(), CheckRule { severity: Some(Severity::Critical), ..CheckRule::default() }),
    ];
    let report = judged(Policy { checks: checks.into(), ..Policy::default() });
    let compiler = of(&report, "compiler");
    assert_eq!((compiler.allowed, compiler.evidence.len()), (Some(1), 1));
    assert!(compiler.message.ends_with("; 1 place allowed by the policy"), "{}", compiler.message);
    let left_out: Vec<(&str, &str)> =
        image(&report).left_out.iter().map(|one| (one.check.as_str(), one.reason.as_str())).collect();
    assert_eq!(left_out, [("apt-lists", "below-threshold"), ("root-user", "off"), ("setuid-file", "allowed")]);
    assert_eq!(image(&report).findings[0].check, "os-package-manager", "the policy's severity sorts");
    let text = text::render(&report, Look::default());
    assert!(text.contains("3 findings left out by the policy: 1 apt-lists (below the threshold)"), "{text}");
    valid(&report);
}

#[test]
fn unmet_requirements_fail_and_can_be_waived() {
    let policy = Policy {
        labels: [("org.example.owner".to_owned(), LabelRule::default())].into(),
        base: BaseRule { is_required: true, allowed: Vec::new() },
        sizes: SizeRule { shipped: Some(1), compressed: Some(1), ballast: None },
        waivers: vec![waiver("required-label", None)],
        ..waiving_all()
    };
    let report = judged(policy);
    let unmet = |check: &str| image(&report).findings.iter().filter(|finding| finding.check == check).count();
    assert_eq!([unmet("required-label"), unmet("unapproved-base"), unmet("image-too-large")], [1, 1, 2]);
    let measured = image(&report).measurements.as_ref().unwrap();
    let messages: Vec<&str> = image(&report).findings.iter().map(|finding| finding.message.as_str()).collect();
    for bytes in [measured.shipped_bytes, measured.compressed_bytes.unwrap()] {
        assert!(messages.iter().any(|message| message.contains(&format!("{bytes} bytes"))), "{messages:?}");
    }
    assert!(!of(&report, "required-label").fails && of(&report, "unapproved-base").fails);
    assert!(of(&report, "required-label").fix.contains("LABEL"));
    assert_eq!(report.verdict, Verdict::Fail);
}

#[test]
fn controls_are_answered_from_the_findings() {
    let control = |id: &str, checks: &[&str]| Control {
        framework: "Guide".into(),
        id: id.into(),
        title: format!("Item {id}"),
        checks: checks.iter().map(|id| (*id).to_owned()).collect(),
        note: String::new(),
    };
    let controls = vec![
        control("1", &["compiler", "unknown-user"]),
        control("2", &["root-user"]),
        control("3", &["unknown-user"]),
        control("4", &[]),
        control("5", &["required-label"]),
    ];
    let report = judged(Policy { controls, waivers: vec![waiver("root-user", None)], ..Policy::default() });
    let statuses: Vec<&str> = image(&report).controls.iter().map(|control| control.status.as_str()).collect();
    assert_eq!(statuses, ["fail", "waived", "pass", "not-verifiable", "not-verifiable"]);
    assert_eq!(image(&report).controls[0].findings, 1);
    let text = text::render(&report, Look::default());
    assert!(text.contains("\n  2  waived          Item 2\n"), "{text}");
    valid(&report);
}

#[test]
fn errors_cannot_be_waived_off_or_allowed() {
    let mut policy = waiving_all();
    policy.allow_incomplete = true;
    for check in ["ambiguous-layer", "ambiguous-image", "truncated-archive", "input-unreadable"] {
        policy.waivers.push(Waiver { image: None, ..waiver(check, None) });
        policy.checks.insert(check.into(), CheckRule { is_off: true, allow: vec!["**".into()], ..CheckRule::default() });
    }
    let bytes = std::fs::read(request(Policy::default()).source.input).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let cut = folder.path().join("cut.tar");
    std::fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
    let mut request = request(policy);
    request.source.input = cut;
    let report = verify(&request, &Progress::default());
    assert_eq!(report.verdict, Verdict::Unverifiable);
    valid(&report);
}

#[test]
fn a_policy_may_fail_on_yours_only_and_believes_only_a_base_that_is_certain() {
    let policy = || Policy { fail_on_origin: Scope::Yours, ..waiving_all() };
    let layers: Vec<String> = judged(Policy::default()).images[0].layers.iter().map(|layer| layer.diff_id.clone()).collect();
    let failing = |bases: Vec<Known>| {
        let report = verify(&Request { bases, ..request(policy()) }, &Progress::default());
        let failing = |finding: &&FindingReport| finding.fails && finding.origin.as_deref() == Some("inherited");
        image(&report).findings.iter().filter(failing).count()
    };
    assert_eq!(failing(vec![Known { name: "all of it".into(), diff_ids: layers, told_by: ToldBy::Given }]), 0);
    let finding = |is_origin_certain| Finding {
        origin: Some(Origin::Inherited),
        is_origin_certain,
        ..Finding::new("compiler", Severity::High, Observation::default())
    };
    assert!(!policy().fails(&finding(true)));
    assert!(policy().fails(&finding(false)), "history is the image maker's word");
}
