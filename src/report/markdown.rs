//! The report for a step summary or a pull request: GitHub-flavoured Markdown, within GitHub's 1 MiB for a summary.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::model::{ErrorReport, FindingReport, ImageReport, ReachReport, Report, Verdict};
use super::quantity::{bytes, counted};
use super::text::page::disarm;
use super::wording::reach;
use crate::policy::Grade;

/// Images that are shown; JSON has all of them.
const IMAGES: usize = 20;
/// Findings, and errors, of one image that are shown.
const ROWS: usize = 50;
/// Packages that nothing needs, and reasons, of one image that are shown.
const PACKAGES: usize = 5;
const REASONS: usize = 3;
/// Characters of one text that are shown.
const CHARACTERS: usize = 150;
/// Bytes of the whole: GitHub shows no part of a summary of more than 1 MiB. An image that would exceed it is left out wholly.
const BYTES: usize = 900_000;

/// The whole report.
#[must_use]
pub fn render(report: &Report) -> String {
    let mut text = String::new();
    line(&mut text, &format!("## plimsoll: {}", verdict(report.verdict)));
    errors(&mut text, &report.errors);
    let mut shown = 0usize;
    for image in report.images.iter().take(IMAGES) {
        let mut section = String::new();
        write_image(&mut section, report, image);
        if text.len().saturating_add(section.len()) > BYTES {
            break;
        }
        text.push_str(&section);
        shown = shown.saturating_add(1);
    }
    let more = report.images.len().saturating_sub(shown);
    if more > 0 {
        line(&mut text, &format!("\nand {}: the JSON report has all of them", counted(more, "more image")));
    }
    text
}

fn write_image(text: &mut String, report: &Report, image: &ImageReport) {
    let name = image.reference.as_ref().unwrap_or(&report.source.name);
    let platform = image.platform.as_ref().map(|it| format!(" {}/{}", it.os, it.architecture)).unwrap_or_default();
    let mut told = vec![format!("**{}**", verdict(image.verdict))];
    if let Some(score) = &image.score {
        // of a saved report, this may be any text
        let grade = Grade::ALL.iter().map(|grade| grade.as_str()).find(|known| *known == score.grade).unwrap_or("?");
        told.push(format!("score **{:.0}** of 100, grade **{grade}**", score.value));
    }
    if let (Some(ballast), Some(measured)) = (&image.ballast, &image.measurements) {
        told.push(format!("ballast {} of {}", bytes(ballast.bytes), bytes(measured.shipped_bytes)));
    }
    line(text, &format!("\n### {}\n\n{}\n", code(&format!("{name}{platform}")), told.join(", ")));
    errors(text, &image.errors);
    if let Some(found) = &image.reach {
        reach_section(text, found);
    }
    let (waived, findings): (Vec<&FindingReport>, Vec<&FindingReport>) =
        image.findings.iter().partition(|finding| finding.waived.is_some());
    if !findings.is_empty() {
        let heads = ["severity", "check", "what", "layers", "gain", "fix"].map(str::to_owned);
        let rows = findings.iter().take(ROWS).map(|finding| row(finding)).collect();
        table(text, &heads, &[false, false, false, false, true, false], rows);
    }
    let unseen = image.examined.not_examined.len();
    let counts = [
        (findings.len().saturating_sub(ROWS), "more finding", ": the JSON report lists them"),
        (waived.len(), "finding", " waived"),
        (unseen, "place", " not examined, and so not judged"),
    ];
    for (number, noun, rest) in counts {
        if number > 0 {
            line(text, &format!("\n{}{rest}.", counted(number, noun)));
        }
    }
}

/// Which packages the start-up path needs, and the heaviest of the others.
fn reach_section(text: &mut String, found: &ReachReport) {
    match &found.unknown {
        Some(reason) => line(text, &format!("Reach not known: {}\n", code(reason))),
        None => line(text, &format!("Reach: {}\n", reach(found))),
    }
    for reason in found.not_known.iter().take(REASONS) {
        line(text, &format!("- not known: {}", code(reason)));
    }
    for one in found.biggest.iter().take(PACKAGES) {
        let layer = one.layer.map(|layer| format!(", layer {layer}")).unwrap_or_default();
        line(text, &format!("- not reached: {} {}{layer}", code(&format!("{} {}", one.name, one.version)), bytes(one.bytes)));
    }
    line(text, "");
}

fn row(finding: &FindingReport) -> Vec<String> {
    let layers: BTreeSet<usize> = finding.evidence.iter().filter_map(|evidence| evidence.layer).collect();
    let layers: Vec<String> = layers.iter().take(5).map(usize::to_string).collect();
    let severity = if finding.fails { "**fails**, " } else { "" };
    let gain = finding.gain.filter(|gain| gain.points.abs() >= 0.1).map(|gain| format!("{:+.1}", gain.points));
    let known = |severity: &str| ["critical", "high", "medium", "low"].into_iter().find(|known| *known == severity);
    vec![
        format!("{severity}{}", finding.severity.as_deref().and_then(known).unwrap_or("note")),
        code(&[Some(finding.check.as_str()), finding.code.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(": ")),
        code(&finding.message),
        layers.join(", "),
        gain.unwrap_or_default(),
        code(&finding.fix),
    ]
}

fn errors(text: &mut String, errors: &[ErrorReport]) {
    for error in errors.iter().take(ROWS) {
        line(text, &format!("- error {} {}", code(&error.code), code(&error.message)));
    }
    let more = errors.len().saturating_sub(ROWS);
    if more > 0 {
        line(text, &format!("- and {}", counted(more, "more error")));
    }
}

fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "fail",
        Verdict::Unverifiable => "unverifiable",
    }
}

/// A table: heads, which columns are numbers, rows of cells that are Markdown already.
pub(super) fn table(text: &mut String, heads: &[String], is_number: &[bool], rows: Vec<Vec<String>>) {
    line(text, &format!("| {} |", heads.join(" | ")));
    let rules: Vec<&str> = is_number.iter().map(|is_number| if *is_number { "---:" } else { "---" }).collect();
    line(text, &format!("|{}|", rules.join("|")));
    for cells in rows {
        line(text, &format!("| {} |", cells.join(" | ")));
    }
}

/// Text of an image as a code span, cut where it is long: the fence is longer than any run of backticks within, and a bar cannot
/// end a table's cell.
pub(super) fn code(text: &str) -> String {
    let mut shown: String = text.chars().take(CHARACTERS).collect();
    if shown.len() < text.len() {
        shown.push_str(" ...");
    }
    let text = disarm(&shown).replace('|', r"\x7c").replace('<', r"\x3c");
    if text.is_empty() {
        return String::new();
    }
    let longest = text.split(|character| character != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.saturating_add(1));
    let gap = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{gap}{text}{gap}{fence}")
}

pub(super) fn line(text: &mut String, line: &str) {
    // a string takes every text
    let _ = writeln!(text, "{line}");
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn a_bad_image() {
        insta::assert_snapshot!(render(&samples::bad()));
    }

    #[test]
    fn an_image_that_could_not_be_verified() {
        insta::assert_snapshot!(render(&samples::unverifiable()));
    }

    #[test]
    fn every_finding_that_is_not_waived_is_a_row_and_every_row_has_six_cells() {
        for (name, report) in samples::all() {
            let text = render(&report);
            let rows: Vec<&str> = text.lines().filter(|line| line.starts_with('|')).collect();
            let expected: usize = report
                .images
                .iter()
                .map(|image| image.findings.iter().filter(|finding| finding.waived.is_none()).count())
                .map(|findings| if findings == 0 { 0 } else { findings + 2 })
                .sum();
            assert_eq!(rows.len(), expected, "{name}");
            assert!(rows.iter().all(|row| row.matches('|').count() == 7), "{name}:\n{text}");
        }
    }

    #[test]
    fn the_longest_report_fits_a_step_summary() {
        let mut report = samples::bad();
        let mut image = report.images[0].clone();
        let mut finding = image.findings[0].clone();
        (finding.message, finding.fix) = ("|".repeat(1_000), "\u{1f6a2}".repeat(1_000));
        (finding.check, finding.code) = ("#".repeat(1_000), Some("[".repeat(1_000)));
        image.findings = vec![finding; 100];
        image.errors = vec![samples::refused().errors[0].clone(); 100];
        image.errors.iter_mut().for_each(|error| error.message = "<".repeat(1_000));
        report.images = vec![image; 30];
        report.errors = report.images[0].errors.clone();
        let text = render(&report);
        assert!((400_000..=BYTES + 100).contains(&text.len()), "{}", text.len());
        assert!(text.ends_with(" more images: the JSON report has all of them\n"), "{}", &text[text.len() - 100..]);
        assert_eq!(text.lines().filter(|line| line.starts_with("### ")).count() * 50, text.matches("**fails**, ").count());
    }

    proptest::proptest! {
        #[test]
        fn a_code_span_holds_any_text_in_one_line(text: String) {
            let span = code(&text);
            let fence = span.chars().take_while(|character| *character == '`').count();
            proptest::prop_assert!(!span.contains(['\n', '\r', '|', '<']));
            proptest::prop_assert!(text.is_empty() || fence > 0 && span.ends_with(&"`".repeat(fence)));
            proptest::prop_assert!(!span[fence..span.len() - fence].split(|it| it != '`').any(|run| run.len() >= fence && fence > 0));
        }
    }
}
