//! What a policy makes of findings: severities, thresholds, allow lists, waivers.
#![expect(clippy::arithmetic_side_effects, reason = "tests count on small numbers of their own")]

use proptest::prelude::*;

use super::super::{Severity, Waiver, WaiverState};
use super::*;
use crate::finding::{Evidence, Observation};

fn at(path: &str, bytes: u64) -> Evidence {
    Evidence { path: Some(path.into()), bytes, ..Evidence::default() }
}

fn found(check: &str, evidence: Vec<Evidence>) -> Finding {
    let observation = Observation { message: format!("{check} seen"), evidence, ..Observation::default() };
    Finding::new(check, Severity::Medium, observation)
}

fn files(check: &str, paths: &[&str]) -> Finding {
    found(check, paths.iter().map(|path| at(path, 10)).collect())
}

fn of_config(check: &str) -> Finding {
    found(check, vec![Evidence::of_config("config.User")])
}

fn day(text: &str) -> Date {
    Date::parse(text).unwrap()
}

fn waiver(check: &str, path: Option<&str>) -> Waiver {
    Waiver {
        check: check.into(),
        path: path.map(str::to_owned),
        image: None,
        digest: None,
        reason: "known".into(),
        expires: day("2026-12-31"),
        owner: None,
        place: "policy.toml:1".into(),
    }
}

fn with_rule(check: &str, rule: CheckRule) -> Policy {
    Policy { checks: [(check.to_owned(), rule)].into(), ..Policy::default() }
}

fn with_waivers(waivers: Vec<Waiver>) -> Policy {
    Policy { waivers, ..Policy::default() }
}

fn subject() -> Subject {
    Subject { references: vec!["registry.example/shop/cart:1.4".into()], digests: vec!["sha256:aa".into(), "sha256:cc".into()] }
}

fn judged(policy: &Policy, findings: Vec<Finding>) -> Judged {
    judge(policy, findings, &subject(), day("2026-11-21"))
}

fn allowing(globs: &[&str]) -> Policy {
    with_rule("compiler", CheckRule { allow: globs.iter().map(|glob| (*glob).to_owned()).collect(), ..CheckRule::default() })
}

/// By finding: the index of the waiver.
fn waived(waivers: Vec<Waiver>, findings: Vec<Finding>) -> Vec<Option<usize>> {
    judged(&with_waivers(waivers), findings).findings.iter().map(|finding| finding.waiver).collect()
}

#[test]
fn a_policy_that_says_nothing_changes_nothing() {
    let findings = vec![files("compiler", &["/usr/bin/gcc"]), of_config("root-user")];
    let judged = judged(&Policy::default(), findings.clone());
    assert_eq!(judged, Judged { findings, ..Judged::default() });
}

#[test]
fn a_check_that_is_off_is_left_out_and_told() {
    let policy = with_rule("root-user", CheckRule { is_off: true, ..CheckRule::default() });
    let judged = judged(&policy, vec![of_config("root-user"), files("compiler", &["/usr/bin/gcc"])]);
    assert_eq!(judged.left_out, [("root-user".to_owned(), LeftOut::Off)]);
    assert_eq!(judged.findings.len(), 1);
}

#[test]
fn the_policy_s_severity_counts_whatever_the_case() {
    let policy = with_rule("compiler", CheckRule { severity: Some(Severity::Critical), ..CheckRule::default() });
    let judged = judged(&policy, vec![files("compiler", &["/usr/bin/gcc"]), of_config("root-user")]);
    let severities: Vec<Severity> = judged.findings.iter().map(|finding| finding.severity).collect();
    assert_eq!(severities, [Severity::Critical, Severity::Medium]);
}

#[test]
fn what_weighs_less_than_the_threshold_is_left_out_and_what_has_no_weight_is_not() {
    let policy = with_rule("compiler", CheckRule { min_bytes: Some(20), ..CheckRule::default() });
    let judged = judged(&policy, vec![files("compiler", &["/a"]), files("compiler", &["/a", "/b"]), of_config("compiler")]);
    assert_eq!(judged.left_out, [("compiler".to_owned(), LeftOut::BelowThreshold)]);
    assert_eq!(judged.findings.len(), 2);
}

#[test]
fn the_threshold_weighs_what_the_allow_list_takes_out() {
    let mut policy = allowing(&["/a"]);
    policy.checks.get_mut("compiler").unwrap().min_bytes = Some(5);
    let hard_links = found("compiler", vec![at("/a", 10), at("/b", 0)]);
    assert_eq!(judged(&policy, vec![hard_links]).findings.len(), 1, "the bytes of /b stand at its first name");
}

#[test]
fn allowed_places_are_taken_out_and_counted() {
    let judged =
        judged(&allowing(&["/opt/jdk/**", "/usr/bin/a?"]), vec![files("compiler", &["/opt/jdk/bin/javac", "/usr/bin/as", "/x"])]);
    let finding = &judged.findings[0];
    assert_eq!((finding.allowed, finding.bytes()), (2, 10));
    assert_eq!(finding.observation.message, "compiler seen; 2 places allowed by the policy");
    assert_eq!(finding.observation.evidence, [at("/x", 10)]);
    let one = super::judge(&allowing(&["/a"]), vec![files("compiler", &["/a", "/b"])], &subject(), Date::default());
    assert!(one.findings[0].observation.message.ends_with("; 1 place allowed by the policy"));
}

#[test]
fn a_finding_whose_places_are_all_allowed_is_left_out() {
    let judged =
        judged(&allowing(&["/opt/**"]), vec![files("compiler", &["/opt/a", "/opt/b"]), files("build-tool", &["/opt/make"])]);
    assert_eq!(judged.left_out, [("compiler".to_owned(), LeftOut::Allowed)]);
    assert_eq!(judged.findings.len(), 1, "another check's finding stays");
}

#[test]
fn config_and_places_without_a_path_are_never_allowed_by_a_path() {
    let with_both = Evidence { path: Some(b"/etc/passwd".into()), ..Evidence::of_config("config.User") };
    let layer = Evidence { layer: Some(1), ..Evidence::default() };
    for evidence in [vec![Evidence::of_config("config.User")], vec![with_both], vec![layer], vec![]] {
        let finding = found("compiler", evidence);
        assert_eq!(judged(&allowing(&["**", "/**", "*"]), vec![finding.clone()]).findings, [finding]);
    }
    let mixed = found("compiler", vec![at("/a", 1), Evidence::of_config("config.User")]);
    let judged = judged(&allowing(&["/**"]), vec![mixed]);
    assert_eq!(judged.findings[0].observation.evidence, [Evidence::of_config("config.User")]);
}

#[test]
fn globs_that_are_none_allow_and_waive_nothing() {
    let finding = files("compiler", &["/["]);
    assert_eq!(judged(&allowing(&["[", "/["]), vec![finding.clone()]).findings, std::slice::from_ref(&finding));
    let mut of_image = waiver("compiler", None);
    of_image.image = Some("[".into());
    assert_eq!(waived(vec![waiver("compiler", Some("/[")), of_image], vec![finding]), [None]);
}

#[test]
fn a_waiver_accepts_findings_of_its_check() {
    let findings = vec![files("compiler", &["/a"]), of_config("root-user"), found("compiler", vec![])];
    assert_eq!(waived(vec![waiver("compiler", None)], findings), [Some(0), None, Some(0)]);
}

#[test]
fn requirements_and_own_rules_can_be_waived_like_checks() {
    let findings = vec![of_config("required-label"), found("no-node-modules", vec![])];
    assert_eq!(waived(vec![waiver("required-label", None), waiver("no-node-modules", None)], findings), [Some(0), Some(1)]);
}

#[test]
fn a_finding_is_waived_only_when_every_place_is_covered() {
    let findings = || vec![files("compiler", &["/a/x", "/b/y"])];
    let (a, b) = (waiver("compiler", Some("/a/*")), waiver("compiler", Some("/b/*")));
    assert_eq!(waived(vec![a.clone()], findings()), [None]);
    let both = judged(&with_waivers(vec![a.clone(), b.clone()]), findings());
    assert!(both.findings[0].waiver.is_some());
    assert_eq!(both.used_waivers, [0, 1].into());
    let other = Waiver { check: "build-tool".into(), ..b.clone() };
    assert_eq!(waived(vec![a.clone(), other], findings()), [None], "another check's waiver covers nothing");
    let expired = Waiver { expires: day("2026-11-20"), ..b };
    let partly = judged(&with_waivers(vec![a, expired]), findings());
    assert_eq!((partly.findings[0].waiver, partly.used_waivers.len()), (None, 0));
}

#[test]
fn a_path_never_covers_a_place_without_one() {
    let everywhere = || vec![waiver("root-user", Some("**")), waiver("root-user", Some("/**"))];
    assert_eq!(waived(everywhere(), vec![of_config("root-user"), found("root-user", vec![])]), [None, None]);
    let mixed = found("root-user", vec![at("/a", 1), Evidence::of_config("config.User")]);
    assert_eq!(waived(everywhere(), vec![mixed.clone()]), [None]);
    assert_eq!(waived(vec![waiver("root-user", None)], vec![mixed]), [Some(0)]);
}

#[test]
fn the_last_day_is_one_on_which_it_holds() {
    let policy = with_waivers(vec![waiver("compiler", None)]);
    let on = |date: &str| judge(&policy, vec![files("compiler", &["/a"])], &subject(), day(date)).findings[0].waiver;
    assert_eq!([on("2026-12-30"), on("2026-12-31"), on("2027-01-01")], [Some(0), Some(0), None]);
    let unsaid = judge(&policy, vec![files("compiler", &["/a"])], &subject(), Date::default());
    assert_eq!(unsaid.findings[0].waiver, None, "who does not say what day it is finds every waiver expired");
}

#[test]
fn the_waiver_that_is_named_is_the_first_to_end_of_those_needed() {
    let until = |path, expires| Waiver { expires: day(expires), ..waiver("compiler", path) };
    let long_and_short = vec![until(None, "2026-12-01"), until(None, "2027-06-01")];
    assert_eq!(waived(long_and_short, vec![files("compiler", &["/a"])]), [Some(1)], "the longer one alone is enough");
    let two = vec![until(Some("/a"), "2027-06-01"), until(Some("/b"), "2026-12-01")];
    assert_eq!(waived(two, vec![files("compiler", &["/a", "/b"])]), [Some(1)], "both are needed");
}

#[test]
fn a_waiver_may_speak_of_some_images_only() {
    let of = |image: Option<&str>, digest: Option<&str>| {
        let scoped = Waiver { image: image.map(str::to_owned), digest: digest.map(str::to_owned), ..waiver("compiler", None) };
        waived(vec![scoped], vec![files("compiler", &["/a"])])[0].is_some()
    };
    for image in
        ["registry.example/shop/cart:1.4", "registry.example/shop/cart", "registry.example/shop/*", "**/cart", "*/*/cart:1.?"]
    {
        assert!(of(Some(image), None), "{image}");
    }
    for image in ["registry.example/*", "cart", "registry.example/shop/cart:1.5", "registry.example/shop/cart:", "shop/cart", ""]
    {
        assert!(!of(Some(image), None), "{image}");
    }
    assert!(of(None, Some("sha256:aa")) && of(None, Some("sha256:cc")), "manifest or config");
    assert!(!of(None, Some("sha256:a")) && !of(None, Some("")), "a digest is given in full");
    assert!(of(Some("**/cart"), Some("sha256:aa")));
    assert!(!of(Some("**/cart"), Some("sha256:bb")) && !of(Some("**/shop"), Some("sha256:aa")), "both must fit");
}

#[test]
fn a_name_is_compared_with_and_without_tag_and_digest() {
    let is_about = |glob: &str, reference: &str| {
        let scoped = Waiver { image: Some(glob.into()), ..waiver("compiler", None) };
        let subject = Subject { references: vec![reference.into()], digests: Vec::new() };
        judge(&with_waivers(vec![scoped]), vec![files("compiler", &["/a"])], &subject, day("2026-11-21")).findings[0]
            .waiver
            .is_some()
    };
    assert!(is_about("localhost:5000/cart", "localhost:5000/cart"), "a port is no tag");
    assert!(is_about("localhost:5000/cart", "localhost:5000/cart:1@sha256:aa"));
    assert!(is_about("localhost:5000/cart:1", "localhost:5000/cart:1@sha256:aa"));
    assert!(!is_about("localhost", "localhost:5000/cart"));
    assert!(is_about("cart", "cart:1") && !is_about("cart:2", "cart:1"));
    let nameless = Subject::default();
    let scoped = Waiver { image: Some("**".into()), ..waiver("compiler", None) };
    let judged = judge(&with_waivers(vec![scoped]), vec![files("compiler", &["/a"])], &nameless, day("2026-11-21"));
    assert_eq!(judged.findings[0].waiver, None, "an image without a name is no image of that name");
}

#[test]
fn the_state_tells_used_unused_and_expired() {
    let it = waiver("compiler", None);
    let (before, after) = (day("2026-12-31"), day("2027-01-01"));
    assert_eq!(it.state(before, true), WaiverState::Used);
    assert_eq!(it.state(before, false), WaiverState::Unused);
    assert_eq!(it.state(after, false), WaiverState::Expired);
    let names = [WaiverState::Used, WaiverState::Unused, WaiverState::Expired].map(WaiverState::as_str);
    assert_eq!(names, ["used", "unused", "expired"]);
}

#[test]
fn a_million_places_are_judged_in_time() {
    let evidence: Vec<Evidence> = (0..1_000_000).map(|n| at(&format!("/srv/app/{}/file{n}", n % 100), 1)).collect();
    let mut policy = allowing(&["/opt/**", "**/node_modules/**", "/usr/bin/*", "/srv/app/7/*"]);
    policy.waivers = (0..200).map(|n| waiver("compiler", Some(&format!("/srv/app/{n}/*")))).collect();
    let judged = judged(&policy, vec![found("compiler", evidence)]);
    assert_eq!(judged.findings[0].allowed, 10_000);
    assert!(judged.findings[0].waiver.is_some());
    assert_eq!(judged.used_waivers.len(), 99);
}

fn some_path() -> impl Strategy<Value = String> {
    proptest::sample::select(vec!["/a", "/a/b", "/a/c", "/b", "/b/c/d"]).prop_map(str::to_owned)
}

fn some_check() -> impl Strategy<Value = String> {
    proptest::sample::select(vec!["compiler", "build-tool"]).prop_map(str::to_owned)
}

fn some_finding() -> impl Strategy<Value = Finding> {
    let severity = proptest::sample::select(Severity::ALL.to_vec());
    (some_check(), proptest::collection::vec(proptest::option::of(some_path()), 0..4), severity).prop_map(
        |(check, paths, severity)| {
            let place = |path: Option<String>| path.map_or_else(|| Evidence::of_config("config.User"), |path| at(&path, 1));
            Finding { severity, ..found(&check, paths.into_iter().map(place).collect()) }
        },
    )
}

fn some_waiver() -> impl Strategy<Value = Waiver> {
    let globs = proptest::sample::select(vec!["/a", "/a/*", "/**", "/b/**", "["]);
    let days = proptest::sample::select(vec!["2026-11-20", "2026-11-21", "2027-01-01"]);
    let image = proptest::sample::select(vec![None, Some("**/cart"), Some("other")]);
    (some_check(), proptest::option::of(globs), days, image, 0_u8..9).prop_map(|(check, path, expires, image, number)| Waiver {
        expires: day(expires),
        image: image.map(str::to_owned),
        reason: number.to_string(),
        ..waiver(&check, path)
    })
}

fn findings_and_waivers() -> impl Strategy<Value = (Vec<Finding>, Vec<Waiver>)> {
    (proptest::collection::vec(some_finding(), 0..6), proptest::collection::vec(some_waiver(), 1..6))
}

fn fails(policy: &Policy, findings: &[Finding]) -> bool {
    judged(policy, findings.to_vec()).findings.iter().any(|finding| policy.fails(finding))
}

proptest! {
    #[test]
    fn a_waiver_never_changes_another_finding((findings, waivers) in findings_and_waivers()) {
        let with = judged(&with_waivers(waivers.clone()), findings.clone());
        let rest = waivers.get(1..).unwrap_or_default().to_vec();
        let without = judged(&with_waivers(rest), findings);
        for (with, without) in with.findings.iter().zip(&without.findings) {
            let unwaived = |finding: &Finding| Finding { waiver: None, ..finding.clone() };
            prop_assert_eq!(unwaived(with), unwaived(without), "nothing but the waiver is touched");
            if with.check != waivers[0].check {
                prop_assert_eq!(with.waiver, without.waiver.map(|index| index + 1), "findings of other checks are not touched");
            }
        }
        prop_assert_eq!(with.left_out, without.left_out);
    }

    #[test]
    fn the_order_of_waivers_does_not_matter((findings, waivers) in findings_and_waivers(), turn in 0_usize..6) {
        let mut turned = waivers.clone();
        turned.rotate_left(turn % waivers.len());
        turned.reverse();
        let named = |waivers: &[Waiver]| -> (Vec<Option<Waiver>>, Vec<Waiver>) {
            let judged = judged(&with_waivers(waivers.to_vec()), findings.clone());
            let mut used: Vec<Waiver> = judged.used_waivers.iter().map(|index| waivers[*index].clone()).collect();
            used.sort();
            (judged.findings.iter().map(|finding| finding.waiver.map(|index| waivers[index].clone())).collect(), used)
        };
        prop_assert_eq!(named(&waivers), named(&turned));
    }

    #[test]
    fn removing_a_waiver_never_turns_a_fail_into_a_pass((findings, waivers) in findings_and_waivers(), at in 0_usize..6) {
        let policy = with_waivers(waivers);
        let mut less = policy.clone();
        less.waivers.remove(at % policy.waivers.len());
        prop_assert!(!fails(&policy, &findings) || fails(&less, &findings));
    }

    #[test]
    fn a_named_waiver_is_used_holds_and_is_of_the_check((findings, waivers) in findings_and_waivers()) {
        let judged = judged(&with_waivers(waivers.clone()), findings);
        for finding in &judged.findings {
            if let Some(index) = finding.waiver {
                prop_assert!(judged.used_waivers.contains(&index));
                prop_assert!(waivers[index].holds(day("2026-11-21")) && waivers[index].check == finding.check);
            }
        }
    }
}
