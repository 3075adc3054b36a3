//! What a policy makes of an image: findings that are left out, items of benchmarks, waivers that do nothing.

use maud::{Markup, html};

use super::{brief, shown};
use crate::report::model::{ControlReport, LeftOutReport, Report, Verdict, WaiverReport};
use crate::report::quantity::counted;
use crate::report::text::accepted::{line, tally};

/// Lines of one list that are shown; JSON has all of them.
const ROWS: usize = 200;

/// What the policy leaves out.
pub(super) fn left_out(left_out: &[LeftOutReport]) -> Markup {
    let all = left_out.iter().fold(0_usize, |sum, one| sum.saturating_add(one.findings));
    html! {
        @if !left_out.is_empty() {
            p.left-out {
                b { (counted(all, "finding")) " left out by the policy: " }
                @for (number, one) in left_out.iter().take(ROWS).enumerate() {
                    @if number > 0 { ", " }
                    (one.findings) " " code { (shown(&one.check)) } " (" (why(&one.reason)) ")"
                }
                "."
            }
        }
    }
}

fn why(reason: &str) -> String {
    match reason {
        "below-threshold" => "below the threshold".to_owned(),
        other => shown(other),
    }
}

/// Items of benchmarks, by framework.
pub(super) fn controls(controls: &[ControlReport], number: usize) -> Markup {
    let mut frameworks: Vec<&str> = Vec::new();
    for control in controls {
        if !frameworks.contains(&control.framework.as_str()) {
            frameworks.push(&control.framework);
        }
    }
    html! {
        @if !controls.is_empty() {
            section.card aria-labelledby={ "controls-" (number) } {
                h3 #{ "controls-" (number) } { "Controls" }
                @for framework in frameworks.iter().take(ROWS) {
                    @let members: Vec<&ControlReport> = controls.iter().filter(|control| control.framework == *framework).collect();
                    h4 { (shown(framework)) " " span.quiet { (tally(&members)) } }
                    div.wide {
                        table.rows.controls {
                            caption.unseen { "Items of " (shown(framework)) }
                            thead { tr { th scope="col" { "Item" } th scope="col" { "What it asks" } th scope="col" { "Status" } } }
                            tbody { @for control in members.iter().take(ROWS) { (item(control)) } }
                        }
                    }
                }
            }
        }
    }
}

fn item(control: &ControlReport) -> Markup {
    let (kind, word) = match control.status.as_str() {
        "pass" => ("is-pass", "pass"),
        "fail" => ("is-fail", "fail"),
        "waived" => ("is-waived", "waived"),
        _ => ("is-quiet", "not verifiable"),
    };
    html! {
        tr {
            th scope="row" { (shown(&control.id)) }
            td data-head="What it asks" {
                (shown(&control.title))
                @if !control.note.is_empty() { " " small { (brief(&control.note)) } }
                @if control.status == "fail" { " " small { (counted(control.findings, "finding")) ": " (brief(&control.checks.join(", "))) } }
            }
            td data-head="Status" { span.tag.(kind) { (word) } }
        }
    }
}

/// Waivers that accept nothing: faults of the policy, not of an image.
pub(super) fn waivers(report: &Report) -> Markup {
    let is_judged = !report.images.is_empty() && report.images.iter().all(|image| image.verdict != Verdict::Unverifiable);
    let of = |state: &str| report.policy.waivers.iter().filter(|waiver| waiver.state == state).collect::<Vec<_>>();
    let expired = of("expired");
    let unused = if is_judged { of("unused") } else { Vec::new() };
    html! {
        @if !expired.is_empty() || !unused.is_empty() {
            section.card aria-labelledby="waivers" {
                h2 #waivers { "Waivers to look at" }
                (list("Expired", "Mend what they accepted, or renew them with a reason that still holds.", &expired))
                (list("Unused", "No finding is accepted by them. Remove them, unless other images need them.", &unused))
            }
        }
    }
}

fn list(heading: &str, advice: &str, waivers: &[&WaiverReport]) -> Markup {
    let more = waivers.len().saturating_sub(ROWS);
    html! {
        @if !waivers.is_empty() {
            h3 { (heading) " " span.total { (waivers.len()) } }
            p.lead { (advice) }
            ul.plain { @for waiver in waivers.iter().take(ROWS) { li { (shown(&line(waiver))) p.quiet { (brief(&waiver.reason)) } } } }
            @if more > 0 { p.more { "And " (counted(more, "more waiver")) "." } }
        }
    }
}
