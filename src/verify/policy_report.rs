//! What a policy did, as it is published: waivers and their states, what was left out, controls.

use std::collections::{BTreeMap, BTreeSet};

use super::Request;
use crate::oci::escape_text;
use crate::policy::control::{Answer, Status};
use crate::policy::judge::LeftOut;
use crate::policy::{Control, Policy, Rule, Waiver};
use crate::report::model as out;

/// What images are judged by. `used` are the indexes of the waivers that some image's judgement names.
pub(super) fn policy(request: &Request, used: &BTreeSet<usize>) -> out::PolicyReport {
    let policy = &request.policy;
    let report = |(index, waiver): (usize, &Waiver)| out::WaiverReport {
        check: escape_text(&waiver.check),
        path: waiver.path.as_deref().map(escape_text),
        image: waiver.image.as_deref().map(escape_text),
        digest: waiver.digest.as_deref().map(escape_text),
        reason: escape_text(&waiver.reason),
        expires: waiver.expires.to_string(),
        owner: waiver.owner.as_deref().map(escape_text),
        place: escape_text(&waiver.place),
        state: waiver.state(request.as_of, used.contains(&index)).as_str().to_owned(),
    };
    out::PolicyReport {
        name: escape_text(&policy.name),
        fail_on: policy.fail_on.as_str().to_owned(),
        as_of: (!policy.waivers.is_empty()).then(|| request.as_of.to_string()),
        waivers: policy.waivers.iter().enumerate().map(report).collect(),
        rules: rules(policy),
    }
}

fn rules(policy: &Policy) -> Vec<out::RuleReport> {
    let report = |rule: &Rule| out::RuleReport {
        id: escape_text(&rule.id),
        title: escape_text(&rule.title),
        severity: rule.severity.as_str().to_owned(),
        message: escape_text(&rule.message),
        fix: escape_text(&rule.fix),
    };
    let mut rules: Vec<out::RuleReport> = policy.rules.iter().map(report).collect();
    rules.sort_by(|a, b| a.id.cmp(&b.id));
    rules
}

/// The waiver that accepts a finding.
pub(super) fn waived(policy: &Policy, index: usize) -> Option<out::WaivedReport> {
    let waiver = policy.waivers.get(index)?;
    Some(out::WaivedReport {
        waiver: index,
        reason: escape_text(&waiver.reason),
        expires: waiver.expires.to_string(),
        owner: waiver.owner.as_deref().map(escape_text),
    })
}

/// How many findings of which check were left out, and why.
pub(super) fn left_out(left_out: &[(String, LeftOut)]) -> Vec<out::LeftOutReport> {
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for (check, reason) in left_out {
        let findings = counts.entry((check, reason.as_str())).or_default();
        *findings = findings.saturating_add(1);
    }
    let report = |((check, reason), findings): ((&str, &str), usize)| out::LeftOutReport {
        check: check.to_owned(),
        reason: reason.to_owned(),
        findings,
    };
    counts.into_iter().map(report).collect()
}

/// The policy's controls with their answers; of an image that was not judged, none can be verified.
pub(super) fn controls(policy: &Policy, answers: &[Answer]) -> Vec<out::ControlReport> {
    let report = |(index, control): (usize, &Control)| {
        let unknown = Answer { status: Status::NotVerifiable, findings: 0 };
        let answer = answers.get(index).copied().unwrap_or(unknown);
        let checks: BTreeSet<String> = control.checks.iter().map(|id| escape_text(id)).collect();
        out::ControlReport {
            framework: escape_text(&control.framework),
            id: escape_text(&control.id),
            title: escape_text(&control.title),
            status: answer.status.as_str().to_owned(),
            checks: checks.into_iter().collect(),
            findings: answer.findings,
            note: escape_text(&control.note),
        }
    };
    policy.controls.iter().enumerate().map(report).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Date;

    fn request(waivers: Vec<Waiver>) -> Request {
        let policy = Policy { name: "shop\u{1b}.toml".into(), waivers, ..Policy::default() };
        Request { policy, as_of: Date::parse("2026-11-21").unwrap(), ..Request::default() }
    }

    fn waiver(expires: &str) -> Waiver {
        Waiver {
            check: "compiler".into(),
            path: None,
            image: None,
            digest: None,
            reason: "until\nspring".into(),
            expires: Date::parse(expires).unwrap(),
            owner: None,
            place: "shop.toml:3".into(),
        }
    }

    #[test]
    fn the_day_is_told_only_where_waivers_were_judged_by_it() {
        let report = policy(&request(Vec::new()), &BTreeSet::new());
        assert_eq!((report.name.as_str(), report.fail_on.as_str(), report.as_of), ("shop\\x1b.toml", "high", None));
        let report = policy(&request(vec![waiver("2026-11-21")]), &BTreeSet::new());
        assert_eq!(report.as_of.as_deref(), Some("2026-11-21"));
        assert_eq!(report.waivers[0].reason, "until\\x0aspring");
    }

    #[test]
    fn every_waiver_has_its_state() {
        let waivers = vec![waiver("2026-11-20"), waiver("2026-11-21"), waiver("2026-12-01")];
        let report = policy(&request(waivers), &[1].into());
        let states: Vec<&str> = report.waivers.iter().map(|waiver| waiver.state.as_str()).collect();
        assert_eq!(states, ["expired", "used", "unused"]);
    }

    #[test]
    fn what_was_left_out_is_counted_by_check_and_reason_and_sorted() {
        let of = |check: &str, reason| (check.to_owned(), reason);
        let seen =
            [of("b", LeftOut::BelowThreshold), of("b", LeftOut::Allowed), of("a", LeftOut::Off), of("b", LeftOut::Allowed)];
        let report = left_out(&seen);
        let shown: Vec<(&str, &str, usize)> =
            report.iter().map(|one| (one.check.as_str(), one.reason.as_str(), one.findings)).collect();
        assert_eq!(shown, [("a", "off", 1), ("b", "allowed", 2), ("b", "below-threshold", 1)]);
        assert!(report.is_sorted());
    }

    #[test]
    fn of_an_image_that_was_not_judged_no_control_can_be_verified() {
        let control = Control {
            framework: "Guide".into(),
            id: "1".into(),
            title: "t".into(),
            checks: vec!["root-user".into(), "compiler".into(), "compiler".into()],
            note: "n".into(),
        };
        let policy = Policy { controls: vec![control.clone(), control], ..Policy::default() };
        let report = controls(&policy, &[Answer { status: Status::Fail, findings: 2 }]);
        assert_eq!((report[0].status.as_str(), report[0].findings, report[1].status.as_str()), ("fail", 2, "not-verifiable"));
        assert_eq!(report[0].checks, ["compiler", "root-user"]);
    }
}
