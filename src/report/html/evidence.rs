//! Where a finding is: lines of the Dockerfile, paths in the image, and the layers that wrote them.

use maud::{Markup, html};

use super::{Room, brief, shown};
use crate::report::model::{EvidenceReport, FindingReport, ImageReport, LocationReport};
use crate::report::quantity::{bytes, counted};

/// Rows of evidence of one finding; JSON has all of them.
const ROWS: usize = 25;
/// Lines of the Dockerfile of one finding.
const LINES: usize = 10;
/// Lines that belong to one of them.
const RELATED: usize = 5;

/// The lines that caused it.
pub(super) fn places_in_source(finding: &FindingReport) -> Markup {
    html! {
        @if !finding.locations.is_empty() {
            div.source {
                h5 { "In the source" }
                @for location in finding.locations.iter().take(LINES) { (line(location)) }
                @let more = finding.locations.len().saturating_sub(LINES);
                @if more > 0 { p.more { "And " (counted(more, "more line")) "." } }
            }
        }
    }
}

fn line(location: &LocationReport) -> Markup {
    html! {
        figure.snippet {
            figcaption { b { (place(&location.file, location.start_line, location.end_line)) } span { (sure(&location.confidence)) } }
            pre tabindex="0" { span.line { (location.line) } code { (shown(&location.instruction)) } }
            @for related in location.related.iter().take(RELATED) {
                figcaption.related { "made by " b { (place(&related.file, related.start_line, related.end_line)) } }
                pre tabindex="0" { span.line { (related.start_line) } code { (shown(&related.instruction)) } }
            }
            @let more = location.related.len().saturating_sub(RELATED);
            @if more > 0 { figcaption.related { "and " (counted(more, "more line")) } }
        }
    }
}

/// `Dockerfile, lines 11 to 14`.
fn place(file: &str, first: usize, last: usize) -> String {
    let lines = if first == last { format!("line {first}") } else { format!("lines {first} to {last}") };
    format!("{}, {lines}", shown(file))
}

/// How the line is known.
fn sure(confidence: &str) -> String {
    match confidence {
        "exact" => "exact: the builder's provenance says so".to_owned(),
        "aligned" => "aligned: history and Dockerfile agree".to_owned(),
        "stage" => "stage: of the stage as a whole".to_owned(),
        "base" => "base: the base image brought it".to_owned(),
        "given" => "given: the Dockerfile does not agree with the image".to_owned(),
        other => shown(other),
    }
}

/// Paths, fields of the config and packages, the biggest first, and the instructions of their layers.
pub(super) fn table(finding: &FindingReport, image: &ImageReport, room: &mut Room) -> Markup {
    if finding.evidence.is_empty() {
        return html! {};
    }
    let mut found: Vec<&EvidenceReport> = finding.evidence.iter().collect();
    found.sort_by_key(|one| std::cmp::Reverse(one.bytes.unwrap_or(0)));
    let given = room.rows(found.len(), ROWS);
    let more = found.len().saturating_sub(given);
    let is_sized = finding.evidence.iter().any(|one| one.bytes.is_some());
    html! {
        div.evidence {
            h5 { "In the image" }
            @if given > 0 {
                div.wide {
                    table.rows {
                        caption.unseen { "Evidence" }
                        thead { tr {
                            th scope="col" { "Place" }
                            @if is_sized { th.number scope="col" { "Size" } }
                            th scope="col" { "Layer" }
                        } }
                        tbody { @for one in found.iter().take(given) { (row(one, finding, is_sized)) } }
                    }
                }
            }
            @if more > 0 { p.more { "And " (counted(more, "more place")) "; the JSON report lists all of them." } }
            (instructions(&found, image, given))
        }
    }
}

fn row(one: &EvidenceReport, finding: &FindingReport, is_sized: bool) -> Markup {
    let line = one.location.and_then(|at| finding.locations.get(at)).map(|at| at.line);
    html! {
        tr {
            th scope="row" {
                @if let Some(path) = &one.path { code { (brief(path)) } }
                @if let Some(target) = &one.linkname { span.quiet { " links to " } code { (brief(target)) } }
                @if let Some(field) = &one.config { span.quiet { "config " } code { (brief(field)) } }
                @if let Some(package) = &one.package { " " span.package { "package " (brief(package)) } }
                @if one.on_path == Some(false) { " " span.quiet { "not on the PATH" } }
            }
            @if is_sized { td.number data-head="Size" { (one.bytes.map(bytes).unwrap_or_default()) } }
            td data-head="Layer" {
                @if let Some(layer) = one.layer { (layer) } @else { span.quiet { "none" } }
                @if let Some(line) = line { span.quiet { ", line " (line) } }
            }
        }
    }
}

/// What made the layers of the rows that are shown.
fn instructions(found: &[&EvidenceReport], image: &ImageReport, given: usize) -> Markup {
    let mut layers: Vec<usize> = found.iter().take(given.max(1)).filter_map(|one| one.layer).collect();
    layers.sort_unstable();
    layers.dedup();
    let made = |index: &usize| {
        let layer = image.layers.iter().find(|layer| layer.index == *index)?;
        Some((*index, layer.instruction.as_deref()?))
    };
    let known: Vec<(usize, &str)> = layers.iter().filter_map(made).take(LINES).collect();
    html! {
        @if !known.is_empty() {
            dl.made {
                @for (index, instruction) in known { div { dt { "Layer " (index) } dd { code { (brief(instruction)) } } } }
            }
        }
    }
}
