//! Items of benchmarks, answered from the findings of the checks that they are mapped to.

use std::collections::BTreeSet;

use super::{Control, Policy, requirement};
use crate::checks;
use crate::finding::Finding;

/// What can be said of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// Its checks ran and found nothing, or nothing that the policy does not allow.
    Pass,
    /// There is an unwaived finding, whatever its severity.
    Fail,
    /// All findings are waived.
    Waived,
    /// No check answers it here: none is mapped, or all are off, or the image was not examined wholly.
    NotVerifiable,
}

impl Status {
    /// The name in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Waived => "waived",
            Self::NotVerifiable => "not-verifiable",
        }
    }
}

/// An item's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// What can be said.
    pub status: Status,
    /// How many unwaived findings of its checks there are.
    pub findings: usize,
}

/// Which of an image's checks could answer.
#[derive(Debug, Clone, Default)]
pub struct Coverage<'a> {
    /// Whether the image was examined wholly, or the policy does without: only then is silence a pass.
    pub is_complete: bool,
    /// Own rules that could not be evaluated: their silence is no pass either.
    pub not_evaluated: BTreeSet<&'a str>,
}

/// Answers one item from an image's judged findings.
#[must_use]
pub fn answer(control: &Control, policy: &Policy, findings: &[Finding], coverage: &Coverage<'_>) -> Answer {
    let asked: BTreeSet<&str> = control.checks.iter().map(String::as_str).filter(|id| is_asked(policy, id)).collect();
    let of_it = || findings.iter().filter(|finding| asked.contains(finding.check.as_str()));
    let unwaived = of_it().filter(|finding| finding.waiver.is_none()).count();
    let is_silent_for_sure = coverage.is_complete && asked.is_disjoint(&coverage.not_evaluated);
    let status = if unwaived > 0 {
        Status::Fail
    } else if asked.is_empty() || !is_silent_for_sure {
        Status::NotVerifiable
    } else if of_it().next().is_some() {
        Status::Waived
    } else {
        Status::Pass
    };
    Answer { status, findings: unwaived }
}

/// Whether the policy has this check run: it is known, not off, and where it is a requirement the policy makes it.
fn is_asked(policy: &Policy, id: &str) -> bool {
    let is_off = policy.checks.get(id).is_some_and(|rule| rule.is_off);
    let is_known = checks::find(id).is_some() || policy.rules.iter().any(|rule| rule.id == id);
    !is_off && (is_known || requirement::is_made(policy, id))
}

#[cfg(test)]
mod tests {
    use super::super::{CheckRule, LabelRule, Rule};
    use super::*;
    use crate::finding::{Observation, Severity};

    fn control(checks: &[&str]) -> Control {
        Control {
            framework: "Guide".into(),
            id: "4.1".into(),
            title: "Run as a user".into(),
            checks: checks.iter().map(|id| (*id).to_owned()).collect(),
            note: String::new(),
        }
    }

    fn found(check: &str, waiver: Option<usize>) -> Finding {
        Finding { waiver, ..Finding::new(check, Severity::Low, Observation::default()) }
    }

    fn status(checks: &[&str], policy: &Policy, findings: &[Finding]) -> Status {
        answer(&control(checks), policy, findings, &Coverage { is_complete: true, ..Coverage::default() }).status
    }

    #[test]
    fn an_item_fails_with_any_unwaived_finding_of_its_checks() {
        let policy = Policy::default();
        let findings = [found("compiler", None), found("root-user", Some(0)), found("compiler", Some(0))];
        assert_eq!(status(&["compiler", "root-user"], &policy, &findings), Status::Fail);
        assert_eq!(status(&["root-user"], &policy, &findings), Status::Waived);
        assert_eq!(status(&["setuid-file"], &policy, &findings), Status::Pass);
        let all = Coverage { is_complete: true, ..Coverage::default() };
        assert_eq!(answer(&control(&["compiler"]), &policy, &findings, &all), Answer { status: Status::Fail, findings: 1 });
    }

    #[test]
    fn an_item_that_no_check_answers_is_not_verifiable() {
        let mut policy = Policy::default();
        assert_eq!(status(&[], &policy, &[]), Status::NotVerifiable);
        assert_eq!(status(&["no-such-check"], &policy, &[]), Status::NotVerifiable);
        policy.checks.insert("root-user".into(), CheckRule { is_off: true, ..CheckRule::default() });
        assert_eq!(status(&["root-user"], &policy, &[]), Status::NotVerifiable);
        assert_eq!(status(&["root-user", "unknown-user"], &policy, &[]), Status::Pass, "the other check answers");
    }

    #[test]
    fn a_requirement_answers_only_where_the_policy_makes_it() {
        let mut policy = Policy::default();
        assert_eq!(status(&["required-label"], &policy, &[]), Status::NotVerifiable);
        policy.labels.insert("owner".into(), LabelRule::default());
        assert_eq!(status(&["required-label"], &policy, &[]), Status::Pass);
        assert_eq!(status(&["required-label"], &policy, &[found("required-label", None)]), Status::Fail);
    }

    #[test]
    fn silence_of_what_was_not_examined_is_no_pass() {
        let mut policy = Policy::default();
        let text = String::new;
        let rule = Rule { id: "own".into(), title: text(), severity: Severity::Low, when: text(), message: text(), fix: text() };
        policy.rules.push(rule);
        let control = control(&["own", "compiler"]);
        let of = |is_complete, not_evaluated: &[&'static str], findings: &[Finding]| {
            let coverage = Coverage { is_complete, not_evaluated: not_evaluated.iter().copied().collect() };
            answer(&control, &policy, findings, &coverage).status
        };
        assert_eq!(of(true, &[], &[]), Status::Pass);
        assert_eq!(of(false, &[], &[]), Status::NotVerifiable);
        assert_eq!(of(true, &["own"], &[]), Status::NotVerifiable);
        assert_eq!(of(true, &["another"], &[]), Status::Pass);
        assert_eq!(of(false, &["own"], &[found("compiler", None)]), Status::Fail);
    }

    #[test]
    fn names_are_for_ever() {
        let all = [Status::Pass, Status::Fail, Status::Waived, Status::NotVerifiable];
        assert_eq!(all.map(Status::as_str), ["pass", "fail", "waived", "not-verifiable"]);
    }
}
