//! What a policy makes of an image: findings that are waived or left out, items of benchmarks, waivers that do nothing.

use anstyle::Style;

use super::findings::{self, name};
use super::page::{ALARM, GOOD, MILD, Page, QUIET, STRONG, WARNING, columns, disarm};
use crate::report::model::{ControlReport, FindingReport, ImageReport, LeftOutReport, PolicyReport, WaiverReport};
use crate::report::quantity::counted;

/// Waivers of one list that are shown; JSON has all of them.
const WAIVERS: usize = 20;
/// Waived findings that are shown; JSON has all of them.
const FINDINGS: usize = 100;
/// Lines that one waiver takes.
const LINES: usize = 2;

/// Findings that somebody accepted: how many, or with `is_shown` which ones.
pub(super) fn waived(page: &mut Page, image: &ImageReport, is_shown: bool) {
    let waived: Vec<&FindingReport> = image.findings.iter().filter(|finding| finding.waived.is_some()).collect();
    if waived.is_empty() {
        return;
    }
    if !is_shown {
        page.text(0, &format!("{} waived: see --show-waived", counted(waived.len(), "finding")));
        return;
    }
    page.blank();
    for finding in waived.iter().take(FINDINGS) {
        let severity = finding.severity.as_deref().unwrap_or("note");
        page.headline(QUIET, "WAIVED", &name(finding), severity);
        page.text(2, &finding.message);
        findings::places(page, finding);
        if let Some(waiver) = &finding.waived {
            page.field("reason", &waiver.reason);
            page.field("owner", waiver.owner.as_deref().unwrap_or("nobody is named"));
            page.field("until", &waiver.expires);
        }
        page.blank();
    }
    let more = waived.len().saturating_sub(FINDINGS);
    if more > 0 {
        page.text(0, &format!("and {}", counted(more, "more waived finding")));
        page.blank();
    }
}

/// What the policy leaves out, in one line.
pub(super) fn left_out(page: &mut Page, left_out: &[LeftOutReport]) {
    if left_out.is_empty() {
        return;
    }
    let all = left_out.iter().fold(0_usize, |sum, one| sum.saturating_add(one.findings));
    let why = |reason: &str| match reason {
        "below-threshold" => "below the threshold".to_owned(),
        other => other.to_owned(),
    };
    let told: Vec<String> = left_out.iter().map(|one| format!("{} {} ({})", one.findings, one.check, why(&one.reason))).collect();
    page.text(0, &format!("{} left out by the policy: {}", counted(all, "finding"), told.join(", ")));
}

/// Items of benchmarks, by framework.
pub(super) fn controls(page: &mut Page, controls: &[ControlReport]) {
    let mut frameworks: Vec<&str> = Vec::new();
    for control in controls {
        if !frameworks.contains(&control.framework.as_str()) {
            frameworks.push(&control.framework);
        }
    }
    for framework in frameworks {
        let members: Vec<&ControlReport> = controls.iter().filter(|control| control.framework == framework).collect();
        page.blank();
        page.headline(STRONG, "controls", framework, &tally(&members));
        let widest = members.iter().map(|control| columns(&control.id)).max().unwrap_or(0).min(16);
        for control in members {
            let (style, word) = face(&control.status);
            page.columns(&[(&disarm(&control.id), widest, STRONG), (word, 14, style)], &control.title);
        }
        page.blank();
    }
}

/// `3 pass, 1 fail`.
pub(in crate::report) fn tally(controls: &[&ControlReport]) -> String {
    let of = |status: &str| controls.iter().filter(|control| control.status == status).count();
    let told = ["pass", "fail", "waived", "not-verifiable"].map(|status| (of(status), face(status).1));
    let told: Vec<String> = told.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")).collect();
    told.join(", ")
}

fn face(status: &str) -> (Style, &'static str) {
    match status {
        "pass" => (GOOD, "pass"),
        "fail" => (ALARM, "fail"),
        "waived" => (MILD, "waived"),
        _ => (QUIET, "not verifiable"),
    }
}

/// Waivers that accept nothing: they are faults of the policy, not of the image. Of images that were not judged nobody knows what
/// they would need: `is_judged` false leaves out the unused ones.
pub(super) fn waivers(page: &mut Page, policy: &PolicyReport, is_judged: bool) {
    let of = |state: &str| policy.waivers.iter().filter(|waiver| waiver.state == state).collect::<Vec<_>>();
    let day = policy.as_of.as_deref().unwrap_or_default();
    let advice =
        format!("Their last day was before {day}. Mend what they accepted, or renew them with a reason that still holds.");
    list(page, "EXPIRED WAIVERS", &advice, &of("expired"));
    if is_judged {
        let advice = "No finding is accepted by them. Remove them, unless other images need them; a waiver accepts a finding only \
                      when it and others cover every place.";
        list(page, "UNUSED WAIVERS", advice, &of("unused"));
    }
}

fn list(page: &mut Page, heading: &str, advice: &str, waivers: &[&WaiverReport]) {
    if waivers.is_empty() {
        return;
    }
    page.headline(WARNING, heading, "", &counted(waivers.len(), "waiver"));
    page.text(2, advice);
    for waiver in waivers.iter().take(WAIVERS) {
        page.field_cut("waiver", &line(waiver), LINES);
    }
    let more = waivers.len().saturating_sub(WAIVERS);
    if more > 0 {
        page.field("", &format!("and {more} more"));
    }
    page.blank();
}

/// `policy.toml:12: compiler at /opt/jdk/**, of image shop/*, until 2026-10-01, owner Ada`.
pub(in crate::report) fn line(waiver: &WaiverReport) -> String {
    let path = waiver.path.as_ref().map(|path| format!(" at {path}")).unwrap_or_default();
    let image = waiver.image.as_ref().map(|image| format!(", of image {image}")).unwrap_or_default();
    let digest = waiver.digest.as_ref().map(|digest| format!(", of {}", super::header::short(digest))).unwrap_or_default();
    let owner = waiver.owner.as_ref().map(|owner| format!(", owner {owner}")).unwrap_or_default();
    format!("{}: {}{path}{image}{digest}, until {}{owner}", waiver.place, waiver.check, waiver.expires)
}
