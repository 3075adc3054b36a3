//! What to do next, and the verdict in one line.

use anstyle::Style;

use super::header::{platform, short};
use super::page::{ALARM, GOOD, Page};
use crate::report::explain;
use crate::report::model::{FindingReport, ImageReport, Report, Verdict};
use crate::report::quantity::counted;

/// Severities, heaviest first.
const SEVERITIES: [&str; 4] = ["critical", "high", "medium", "low"];

/// One line about what to type next; nothing when there is nothing to say.
pub(super) fn next(page: &mut Page, report: &Report) {
    let findings = || report.images.iter().flat_map(|image| &image.findings).filter(|finding| finding.waived.is_none());
    let mut errors = report.errors.iter().chain(report.images.iter().flat_map(|image| &image.errors));
    if let Some(error) = errors.next() {
        page.text(0, &format!("Next: plimsoll explain {} tells what an error means and what follows from it.", error.code));
        return;
    }
    // those that fail first; of the policy's own rules and requirements all that is known stands in the report
    let failing = findings().filter(|finding| finding.fails).chain(findings().filter(|finding| !finding.fails));
    if let Some(id) = failing.map(explained_by).find(|id| explain::is_known(id)) {
        let next = "tells why it matters and shows the fix; --format json lists every path.";
        page.text(0, &format!("Next: plimsoll explain {id} {next}"));
    } else if findings().next().is_some() {
        page.text(0, "Next: --format json lists every path.");
    }
}

/// The checks of an image's form are explained by their codes, all others by themselves.
fn explained_by(finding: &FindingReport) -> &str {
    let is_form = finding.check.starts_with("ambiguous-");
    finding.code.as_ref().filter(|_| is_form).unwrap_or(&finding.check)
}

/// The verdict on one of several images.
pub(super) fn of_image(page: &mut Page, image: &ImageReport) {
    write(page, image.verdict, &reason(image.verdict, &[image]));
}

/// The verdict on everything; with several images, what each of them got.
pub(super) fn of_report(page: &mut Page, report: &Report) {
    let images: Vec<&ImageReport> = report.images.iter().collect();
    if let [_, _, ..] = images.as_slice() {
        summary(page, &images);
        let alike = images.iter().filter(|image| image.verdict == report.verdict).count();
        let outcome = match (report.verdict, alike) {
            (Verdict::Pass, _) => "pass",
            (Verdict::Fail, 1) => "fails",
            (Verdict::Fail, _) => "fail",
            (Verdict::Unverifiable, _) => "could not be verified",
        };
        write(page, report.verdict, &format!("{alike} of {} {outcome}", counted(images.len(), "image")));
    } else if report.errors.is_empty() {
        write(page, report.verdict, &reason(report.verdict, &images));
    } else {
        write(page, report.verdict, &counted(report.errors.len(), "error"));
    }
}

/// One line for each image.
fn summary(page: &mut Page, images: &[&ImageReport]) {
    let widest = images.iter().map(|image| face(image.verdict).1.len()).max().unwrap_or(0);
    for image in images {
        let (style, word) = face(image.verdict);
        let of = image.platform.as_ref().map(platform).unwrap_or_default();
        let digest =
            image.manifest_digest.as_ref().or(image.config_digest.as_ref()).map(|digest| short(digest)).unwrap_or_default();
        page.row(style, word, widest, &format!("{of:<14}  {digest:<19}  {}", image.reference.as_deref().unwrap_or_default()));
    }
    page.blank();
}

/// Why: how many findings fail, or what could not be verified; and how many somebody accepted.
pub(in crate::report) fn reason(verdict: Verdict, images: &[&ImageReport]) -> String {
    let (waived, findings): (Vec<&FindingReport>, Vec<&FindingReport>) =
        images.iter().flat_map(|image| &image.findings).partition(|finding| finding.waived.is_some());
    let reason = of_unwaived(verdict, images, &findings);
    if waived.is_empty() { reason } else { format!("{reason}; {} waived", counted(waived.len(), "finding")) }
}

fn of_unwaived(verdict: Verdict, images: &[&ImageReport], findings: &[&FindingReport]) -> String {
    let failing: Vec<&FindingReport> = findings.iter().copied().filter(|finding| finding.fails).collect();
    match verdict {
        Verdict::Pass if findings.is_empty() => "nothing found".to_owned(),
        Verdict::Pass => format!("{}, none of them fails: {}", counted(findings.len(), "finding"), tally(findings)),
        Verdict::Fail if failing.len() == findings.len() => {
            let verb = if failing.len() == 1 { "fails" } else { "fail" };
            format!("{} {verb}: {}", counted(failing.len(), "finding"), tally(&failing))
        }
        Verdict::Fail => {
            let verb = if failing.len() == 1 { "fails" } else { "fail" };
            format!("{} of {} {verb}: {}", failing.len(), counted(findings.len(), "finding"), tally(&failing))
        }
        Verdict::Unverifiable => {
            let errors: usize = images.iter().map(|image| image.errors.len()).sum();
            let places: usize = images.iter().map(|image| image.examined.not_examined.len()).sum();
            let parts = [(errors, "error"), (places, "place not examined"), (findings.len(), "finding")];
            let told: Vec<String> =
                parts.iter().filter(|(number, _)| *number > 0).map(|(number, noun)| plural(*number, noun)).collect();
            told.join(", ")
        }
    }
}

fn plural(number: usize, noun: &str) -> String {
    match noun.split_once(' ') {
        Some((noun, rest)) => format!("{} {rest}", counted(number, noun)),
        None => counted(number, noun),
    }
}

/// `1 critical, 2 high`.
fn tally(findings: &[&FindingReport]) -> String {
    let of = |severity: &str| findings.iter().filter(|finding| finding.severity.as_deref() == Some(severity)).count();
    let told: Vec<String> =
        SEVERITIES.iter().map(|it| (of(it), it)).filter(|(n, _)| *n > 0).map(|(n, it)| format!("{n} {it}")).collect();
    told.join(", ")
}

fn face(verdict: Verdict) -> (Style, &'static str) {
    match verdict {
        Verdict::Pass => (GOOD, "PASS"),
        Verdict::Fail => (ALARM, "FAIL"),
        Verdict::Unverifiable => (ALARM, "UNVERIFIABLE"),
    }
}

fn write(page: &mut Page, verdict: Verdict, reason: &str) {
    let (style, word) = face(verdict);
    page.headline(style, word, reason, "");
}
