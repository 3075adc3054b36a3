//! Findings, most severe first: what, where, which instruction, how to mend it.

use std::collections::{BTreeMap, BTreeSet};

use anstyle::Style;

use super::page::{ALARM, MILD, Page, QUIET, STRONG, WARNING};
use crate::report::model::{EvidenceReport, FindingReport, LayerReport};
use crate::report::quantity::{bytes, counted};

/// Paths of one finding that are shown; JSON has all of them.
const PATHS: usize = 3;
/// Layers of one finding that are shown.
const LAYERS: usize = 3;
/// Lines of the Dockerfile of one finding that are shown.
const LINES: usize = 3;
/// Lines of an instruction that are shown.
const INSTRUCTION_LINES: usize = 2;

/// Findings of one check that are shown; JSON has all of them.
const FINDINGS: usize = 20;

/// Every finding that nobody accepted, but of a check that has very many only the first, most severe ones.
pub(super) fn all(page: &mut Page, findings: &[FindingReport], layers: &[LayerReport]) {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let unwaived = || findings.iter().filter(|finding| finding.waived.is_none());
    let following = unwaived().skip(1).map(Some).chain([None]);
    for (one, next) in unwaived().zip(following) {
        let count = seen.entry(&one.check).or_default();
        *count = count.saturating_add(1);
        if *count <= FINDINGS {
            // the same advice is given once, after the last of its findings that is shown
            let is_repeated = *count < FINDINGS && next.is_some_and(|next| (&next.check, &next.fix) == (&one.check, &one.fix));
            finding(page, one, layers, !is_repeated);
        }
    }
    for (check, count) in seen {
        let more = count.saturating_sub(FINDINGS);
        if more > 0 {
            page.text(0, &format!("{check}: and {}", counted(more, "more finding")));
            page.blank();
        }
    }
}

fn finding(page: &mut Page, finding: &FindingReport, layers: &[LayerReport], with_fix: bool) {
    let severity = finding.severity.as_deref().unwrap_or("note");
    page.headline(style(severity), &severity.to_uppercase(), &name(finding), &weight(finding));
    page.text(2, &finding.message);
    places(page, finding);
    lines(page, finding);
    written_by(page, finding, layers);
    if finding.origin.as_deref() == Some("inherited") {
        page.field("origin", "inherited from the base image");
    }
    if with_fix {
        page.field("fix", &finding.fix);
    }
    page.blank();
}

/// Paths and fields of the config.
pub(super) fn places(page: &mut Page, finding: &FindingReport) {
    paths(page, &finding.evidence);
    configured(page, &finding.evidence);
}

/// What is worth knowing and judged by nobody.
pub(super) fn notes(page: &mut Page, notes: &[FindingReport]) {
    for note in notes {
        page.headline(QUIET, "NOTE", &name(note), "");
        page.text(2, &note.message);
        paths(page, &note.evidence);
        page.blank();
    }
}

pub(super) fn style(severity: &str) -> Style {
    match severity {
        "critical" | "high" => ALARM,
        "medium" => WARNING,
        "low" => MILD,
        _ => STRONG,
    }
}

/// What `plimsoll explain` knows best about it comes last.
pub(super) fn name(finding: &FindingReport) -> String {
    match &finding.code {
        Some(code) => format!("{}: {code}", finding.check),
        None => finding.check.clone(),
    }
}

fn weight(finding: &FindingReport) -> String {
    // one path may be told of in two layers
    let with_path = finding.evidence.iter().filter_map(|evidence| evidence.path.as_ref()).collect::<BTreeSet<_>>().len();
    let places = if with_path > 1 { Some(counted(with_path, "path")) } else { None };
    let gain = finding.gain.filter(|gain| gain.points.abs() >= 0.1).map(|gain| format!("{:+.1} points", gain.points));
    [places, finding.bytes.map(bytes), gain].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn paths(page: &mut Page, evidence: &[EvidenceReport]) {
    let mut found: Vec<&EvidenceReport> = evidence.iter().filter(|it| it.path.is_some()).collect();
    // the biggest tell most; links to them come after
    found.sort_by_key(|it| std::cmp::Reverse(it.bytes.unwrap_or(0)));
    found.dedup_by(|a, b| a.path == b.path);
    let shown = if found.len() == PATHS.saturating_add(1) { found.len() } else { PATHS };
    let more = found.len().saturating_sub(shown);
    let label = if found.len() == 1 { "path" } else { "paths" };
    for (index, it) in found.iter().take(shown).enumerate() {
        page.item(if index == 0 { label } else { "" }, it.path.as_deref().unwrap_or_default(), &remark(it));
    }
    if more > 0 {
        page.field("", &format!("and {more} more"));
    }
}

fn remark(evidence: &EvidenceReport) -> String {
    let owner = evidence.package.as_ref().map(|package| format!("package {package}"));
    let size = evidence.bytes.map(bytes);
    let known = [size, owner].into_iter().flatten().collect::<Vec<_>>().join(", ");
    match (&evidence.linkname, known.is_empty()) {
        (Some(target), true) => format!("-> {target}"),
        (Some(target), false) => format!("-> {target} ({known})"),
        (None, true) => String::new(),
        (None, false) => format!("({known})"),
    }
}

fn configured(page: &mut Page, evidence: &[EvidenceReport]) {
    for it in evidence {
        if let Some(field) = &it.config {
            page.field("config", field);
        }
    }
}

/// Lines of the Dockerfile: `Dockerfile:12: RUN apt-get update && ...`.
fn lines(page: &mut Page, finding: &FindingReport) {
    let label = if finding.locations.len() == 1 { "line" } else { "lines" };
    for (index, it) in finding.locations.iter().take(LINES).enumerate() {
        // of a Dockerfile that does not agree with the image
        let perhaps = if it.confidence == "given" { "perhaps " } else { "" };
        let text = format!("{perhaps}{}:{}: {}", it.file, it.line, it.instruction);
        page.field_cut(if index == 0 { label } else { "" }, &text, INSTRUCTION_LINES);
    }
    let more = finding.locations.len().saturating_sub(LINES);
    if more > 0 {
        page.field("", &format!("and {}", counted(more, "more line")));
    }
}

/// The layers of the evidence, each with its instruction; not those whose own line is shown.
fn written_by(page: &mut Page, finding: &FindingReport, layers: &[LayerReport]) {
    let confidence = |it: &EvidenceReport| finding.locations.get(it.location?).map(|found| found.confidence.as_str());
    let is_told = |it: &EvidenceReport| matches!(confidence(it), Some("exact" | "aligned" | "stage"));
    let unlined = finding.evidence.iter().filter(|it| !is_told(it));
    let indexes: BTreeSet<usize> = unlined.filter_map(|it| it.layer).collect();
    for index in indexes.iter().take(LAYERS) {
        let instruction = layers.iter().find(|layer| layer.index == *index).and_then(|layer| layer.instruction.as_deref());
        let text = match instruction {
            Some(instruction) => format!("{index}, made by: {instruction}"),
            None => format!("{index} (the image's history does not tell what made it)"),
        };
        page.field_cut("layer", &text, INSTRUCTION_LINES);
    }
    let more = indexes.len().saturating_sub(LAYERS);
    if more > 0 {
        page.field("", &format!("and {}", counted(more, "more layer")));
    }
}
