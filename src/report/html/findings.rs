//! Findings, most severe first, with a filter that needs no script; those that a waiver accepts; notes.

use maud::{Markup, html};

use super::{Room, evidence, marked, shown};
use crate::checks;
use crate::policy::requirement;
use crate::report::model::{FindingReport, ImageReport, Report, RuleReport};
use crate::report::quantity::{bytes, counted};
use crate::report::wording::{name, severity};

/// Where the checks are described.
const CHECKS_PAGE: &str = "https://github.com/plimsoll/plimsoll/blob/main/docs/checks.md";
/// Where the codes of an image's form are described.
const CODES_PAGE: &str = "https://github.com/plimsoll/plimsoll/blob/main/docs/findings.md";
/// Severities, heaviest first.
const SEVERITIES: [&str; 4] = ["critical", "high", "medium", "low"];
/// Notes that are shown; JSON has all of them.
const NOTES: usize = 100;

/// Every finding of one image.
pub(super) fn all(report: &Report, image: &ImageReport, number: usize, room: &mut Room) -> Markup {
    let (waived, open): (Vec<&FindingReport>, Vec<&FindingReport>) =
        image.findings.iter().partition(|finding| finding.waived.is_some());
    let of_open = cards(report, image, &open, room);
    let of_waived = cards(report, image, &waived, room);
    let shown_notes = image.notes.iter().take(NOTES).collect::<Vec<_>>();
    let of_notes = cards(report, image, &shown_notes, room);
    html! {
        section.card.findings aria-labelledby={ "findings-" (number) } {
            h3 #{ "findings-" (number) } { "Findings " @if !open.is_empty() || image.errors.is_empty() { span.total { (open.len()) } } }
            @if open.is_empty() {
                p.lead { @if image.errors.is_empty() { "Nothing was found." } @else { "Not judged: the errors stand in the way." } }
            } @else {
                (filter(&open, number))
                ul.list { @for card in &of_open { (card) } }
                (left(open.len(), of_open.len()))
            }
            (super::accepted::left_out(&image.left_out))
            @if !waived.is_empty() {
                details.fold.waived {
                    summary { h4 { (counted(waived.len(), "waived finding")) } }
                    p.lead { "Somebody accepted these: they do not fail the policy until their waivers expire." }
                    ul.list { @for card in &of_waived { (card) } }
                    (left(waived.len(), of_waived.len()))
                }
            }
            @if !image.notes.is_empty() {
                details.fold.notes {
                    summary { h4 { (counted(image.notes.len(), "note")) } }
                    p.lead { "Worth knowing, judged by nobody." }
                    ul.list { @for card in &of_notes { (card) } }
                    (left(image.notes.len(), of_notes.len()))
                }
            }
        }
    }
}

/// Radio buttons: the style sheet hides what is not of the chosen severity.
fn filter(findings: &[&FindingReport], number: usize) -> Markup {
    html! {
        fieldset.filter {
            legend.unseen { "Show findings of one severity" }
            @let everything = format!("show-{number}");
            input.show-all type="radio" name=(everything) id={ (everything) "-all" } checked;
            label for={ (everything) "-all" } { "All " b { (findings.len()) } }
            @for severity_name in SEVERITIES {
                @let count = findings.iter().filter(|finding| severity(finding) == severity_name).count();
                @if count > 0 {
                    input.{ "show-" (severity_name) } type="radio" name=(everything) id={ (everything) "-" (severity_name) };
                    label.{ "s-" (severity_name) } for={ (everything) "-" (severity_name) } { (severity_name) " " b { (count) } }
                }
            }
        }
    }
}

/// One item for each finding there is room for.
fn cards(report: &Report, image: &ImageReport, findings: &[&FindingReport], room: &mut Room) -> Vec<Markup> {
    let given = room.findings(findings.len());
    findings.iter().take(given).map(|finding| card(report, image, finding, room)).collect()
}

fn card(report: &Report, image: &ImageReport, finding: &FindingReport, room: &mut Room) -> Markup {
    let evidence = evidence::table(finding, image, room);
    let level = severity(finding);
    html! {
        li.finding.{ "s-" (level) } {
            details {
                summary {
                    span.head {
                        span.severity.{ "s-" (level) } { (level) }
                        h4 { (title(report, finding)) }
                        code.id { (name(finding)) }
                    }
                    span.message { (shown(&finding.message)) }
                    span.meta { @for text in meta(finding) { span { (text) } } }
                }
                div.body {
                    @if let Some(waiver) = &finding.waived {
                        p.waiver {
                            b { "Waived" } " until " (shown(&waiver.expires)) " by "
                            (shown(waiver.owner.as_deref().unwrap_or("somebody who is not named"))) ": " (shown(&waiver.reason))
                        }
                    }
                    (advice(report, finding))
                    (evidence::places_in_source(finding))
                    (evidence)
                }
            }
        }
    }
}

/// What it is called, and for people.
fn title(report: &Report, finding: &FindingReport) -> String {
    let of_check = checks::find(&finding.check).map(|check| check.title);
    let of_requirement = || requirement::find(&finding.check).map(|requirement| requirement.title);
    let of_rule = || rule(report, finding).map(|rule| rule.title.as_str());
    shown(of_check.or_else(of_requirement).or_else(of_rule).unwrap_or(&finding.check))
}

fn rule<'r>(report: &'r Report, finding: &FindingReport) -> Option<&'r RuleReport> {
    report.policy.rules.iter().find(|rule| rule.id == finding.check)
}

/// Lines, places, weight, gain and origin, each a few words.
fn meta(finding: &FindingReport) -> Vec<String> {
    let line = finding.locations.first().map(|at| shown(&format!("{}:{}", at.file, at.line)));
    let paths = finding.evidence.iter().filter(|one| one.path.is_some()).count();
    let paths = (paths > 0).then(|| counted(paths, "path"));
    let gain = finding.gain.filter(|gain| gain.points.abs() >= 0.1).map(|gain| format!("{:+.1} points when mended", gain.points));
    let origin = match finding.origin.as_deref() {
        Some("inherited") => Some("inherited from the base".to_owned()),
        Some("yours") => Some("yours".to_owned()),
        _ => None,
    };
    let fails = finding.fails.then(|| "fails the policy".to_owned());
    [fails, line, paths, finding.bytes.map(bytes), gain, origin].into_iter().flatten().collect()
}

/// Why it matters, how to mend it, and where more is written.
fn advice(report: &Report, finding: &FindingReport) -> Markup {
    let check = checks::find(&finding.check);
    let why = check.map(|check| check.why).or_else(|| requirement::find(&finding.check).map(|it| it.why));
    let is_form = finding.check.starts_with("ambiguous-");
    html! {
        @if let Some(why) = why { div.why { h5 { "Why it matters" } p { (marked(why)) } } }
        @else if let Some(rule) = rule(report, finding) { div.why { h5 { "Rule of the policy" } p { (shown(&rule.message)) } } }
        @if !finding.fix.is_empty() { div.fix { h5 { "How to mend it" } p { (shown(&finding.fix)) } } }
        @if let Some(check) = check {
            p.links {
                a href={ (CHECKS_PAGE) "#" (check.id) } rel="noopener noreferrer" { "About " (check.id) }
                @if is_form { a href=(CODES_PAGE) rel="noopener noreferrer" { "About its code" } }
                @for reference in check.references { a href=(reference.url) rel="noopener noreferrer" { (reference.name) } }
            }
        }
    }
}

fn left(all: usize, given: usize) -> Markup {
    let more = all.saturating_sub(given);
    html! { @if more > 0 { p.more { "And " (counted(more, "more finding")) "; the JSON report has all of them." } } }
}
