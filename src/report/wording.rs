//! What images, findings and errors are called in formats that are lines of plain text: JUnit and GitHub's annotations.
//!
//! Nothing here holds a control character, or what runners of pipelines obey wherever it stands in a log.

use std::collections::BTreeSet;

use super::model::{
    ErrorReport, EvidenceReport, FindingReport, ImageReport, LayerReport, NotExaminedReport, ReachReport, Report,
};
use super::quantity::{bytes, count, counted};
use super::text::page::disarm;
use crate::finding::Severity;

/// Characters of one string of the image that are shown; JSON has all of them.
const CHARACTERS: usize = 1000;

/// The image's name, or the file's where it has none, and its platform.
pub(super) fn image(report: &Report, image: &ImageReport) -> String {
    on_platform(image.reference.as_deref().unwrap_or_else(|| source(report)), image)
}

/// A name of the image, and its platform.
pub(super) fn on_platform(name: &str, image: &ImageReport) -> String {
    match &image.platform {
        Some(it) => {
            let variant = it.variant.as_ref().map(|variant| format!("/{variant}")).unwrap_or_default();
            shown(&format!("{name} {}/{}{variant}", it.os, it.architecture))
        }
        None => shown(name),
    }
}

/// The file's name.
pub(super) fn source(report: &Report) -> &str {
    if report.source.name == "-" { "standard input" } else { &report.source.name }
}

/// The check, with the code where there is one.
pub(super) fn name(finding: &FindingReport) -> String {
    match &finding.code {
        Some(code) => shown(&format!("{}: {code}", finding.check)),
        None => shown(&finding.check),
    }
}

/// `low`, `medium`, `high`, `critical`, or `note`.
pub(super) fn severity(finding: &FindingReport) -> &'static str {
    let told = finding.severity.as_deref();
    Severity::ALL.iter().map(|severity| severity.as_str()).find(|known| told == Some(known)).unwrap_or("note")
}

/// `31 of 287 packages are reached from the start-up path; the other 256 hold 412.0 MiB (static analysis)`, or why that is not known.
pub(super) fn reach(found: &ReachReport) -> String {
    let (Some(reached), Some(unreached)) = (found.reached, found.unreached_bytes) else {
        return format!("not known: {}", found.unknown.as_deref().unwrap_or("no reason is told"));
    };
    let number = |number: usize| count(u64::try_from(number).unwrap_or(u64::MAX));
    let at_least = if found.at_least { "at least " } else { "" };
    let packages = counted(found.packages, "package");
    match found.packages.saturating_sub(reached) {
        0 => format!("all of {packages} are reached from the start-up path (static analysis)"),
        others => format!(
            "{at_least}{} of {packages} are reached from the start-up path; the other {} hold {} (static analysis)",
            number(reached),
            number(others),
            bytes(unreached)
        ),
    }
}

/// One line for each place, the biggest files first, at most `most`; then how many more there are.
pub(super) fn places(finding: &FindingReport, most: usize) -> Vec<String> {
    let mut found: Vec<&EvidenceReport> = finding.evidence.iter().collect();
    found.sort_by_key(|it| std::cmp::Reverse(it.bytes.unwrap_or(0)));
    let mut lines: Vec<String> = found.into_iter().filter_map(place).collect();
    let more = lines.len().saturating_sub(most);
    if more > 0 {
        lines.truncate(most);
        lines.push(format!("and {}; the JSON report lists all of them", counted(more, "more place")));
    }
    lines
}

fn place(evidence: &EvidenceReport) -> Option<String> {
    let package = evidence.package.as_ref().map(|package| format!("package {package}"));
    let Some(path) = &evidence.path else {
        return evidence.config.as_ref().map(|field| format!("config {field}")).or(package).map(|text| shown(&text));
    };
    let target = evidence.linkname.as_ref().map(|target| format!(" -> {target}")).unwrap_or_default();
    let layer = evidence.layer.map(|layer| format!("layer {layer}"));
    let known: Vec<String> = [evidence.bytes.map(bytes), package, layer].into_iter().flatten().collect();
    let remark = if known.is_empty() { String::new() } else { format!(" ({})", shown(&known.join(", "))) };
    Some(format!("path {}{remark}", shown(&format!("{path}{target}"))))
}

/// One line for each layer of the evidence with the instruction that made it, at most `most`; then how many more there are.
pub(super) fn instructions(finding: &FindingReport, layers: &[LayerReport], most: usize) -> Vec<String> {
    let indexes: BTreeSet<usize> = finding.evidence.iter().filter_map(|it| it.layer).collect();
    let made = |index: &usize| {
        let instruction = layers.iter().find(|layer| layer.index == *index).and_then(|layer| layer.instruction.as_deref());
        match instruction {
            Some(instruction) => shown(&format!("layer {index}, made by: {instruction}")),
            None => format!("layer {index} (the image's history does not tell what made it)"),
        }
    };
    let mut lines: Vec<String> = indexes.iter().take(most).map(made).collect();
    let more = indexes.len().saturating_sub(most);
    if more > 0 {
        lines.push(format!("and {}", counted(more, "more layer")));
    }
    lines
}

/// What an error says, and its place.
pub(super) fn error(error: &ErrorReport) -> String {
    let place = &error.place;
    let layer = place.layer.map(|layer| format!("layer {layer}"));
    let offset = place.offset.map(|offset| format!("byte {}", count(offset)));
    let places: Vec<String> = [place.document.clone(), layer, place.path.clone(), offset].into_iter().flatten().collect();
    let place = if places.is_empty() { String::new() } else { format!(" ({})", shown(&places.join(", "))) };
    format!("{}{place}", shown(&error.message))
}

/// What could not be looked at, and why.
pub(super) fn not_examined(it: &NotExaminedReport) -> String {
    let layer = it.layer.map(|layer| format!("layer {layer}"));
    let places: Vec<String> = [it.path.clone(), layer].into_iter().flatten().collect();
    let place = if places.is_empty() { "the image as a whole".to_owned() } else { places.join(", ") };
    format!("not examined: {}: {}", shown(&place), shown(&it.reason))
}

/// A string of the report on one line, disarmed, cut where it is very long.
pub(super) fn shown(text: &str) -> String {
    match text.char_indices().nth(CHARACTERS) {
        Some((at, _)) => disarm(text.get(..at).unwrap_or_default()) + "...",
        None => disarm(text),
    }
}
