//! What a result says: sentences of plain text, of which the first stands alone, the same from build to build.

use super::super::model::{ImageReport, LocationReport, RelatedReport, Report};
use super::super::placed::{self, Placed};
use super::super::quantity::counted;
use super::super::wording::shown;

/// Findings of one rule and line that are told.
const FINDINGS: usize = 10;
/// Paths that are told; the result's properties hold more.
const PATHS: usize = 10;
/// Lines of another stage that are linked.
pub(super) const RELATED: usize = 10;

/// The message of a result that stands for these findings at one place.
pub(super) fn of_findings(report: &Report, image: &ImageReport, group: &[Placed<'_>]) -> String {
    let mut text = String::new();
    for (index, told) in group.iter().take(FINDINGS).enumerate() {
        let lead = if index == 0 { "" } else { "Also: " };
        sentence(&mut text, &format!("{lead}{}", escaped(&placed::stable(told.finding))));
    }
    let more = group.len().saturating_sub(FINDINGS);
    if more > 0 {
        sentence(&mut text, &format!("And {} of this rule", counted(more, "more finding")));
    }
    where_found(&mut text, group);
    if group.iter().all(|it| it.finding.origin.as_deref() == Some("inherited")) {
        sentence(&mut text, "Inherited from the base image");
    }
    if let Some(location) = group.first().and_then(|it| it.location) {
        of_line(&mut text, location);
    }
    let mut fixes: Vec<&str> = group.iter().map(|it| it.finding.fix.as_str()).filter(|fix| !fix.is_empty()).collect();
    fixes.dedup();
    if let Some(fix) = fixes.first() {
        sentence(&mut text, &format!("Fix: {}", escaped(fix)));
    }
    of_image(&mut text, report, Some(image));
    text
}

/// A message about an image as a whole: the first sentence, and more.
pub(super) fn of_whole(report: &Report, image: Option<&ImageReport>, sentences: &[String]) -> String {
    let mut text = String::new();
    for told in sentences {
        sentence(&mut text, &escaped(&placed::without_digests(told)));
    }
    of_image(&mut text, report, image);
    text
}

/// Paths and fields of the config, unless the first sentence tells them all.
fn where_found(text: &mut String, group: &[Placed<'_>]) {
    let evidence = || group.iter().flat_map(|it| &it.evidence);
    let mut paths: Vec<&str> = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    for path in evidence().filter_map(|it| it.path.as_deref()) {
        if seen.insert(path) {
            paths.push(path);
        }
    }
    let shown_paths: Vec<String> = paths.iter().take(PATHS).map(|path| escaped(path)).collect();
    let is_told = paths.len() == 1 && shown_paths.iter().all(|path| text.contains(path.as_str()));
    if !paths.is_empty() && !is_told {
        let more = paths.len().saturating_sub(PATHS);
        let more = if more > 0 { format!(" and {}", counted(more, "more path")) } else { String::new() };
        sentence(text, &format!("Paths: {}{more}", shown_paths.join(", ")));
    }
    let fields: std::collections::BTreeSet<&str> = evidence().filter_map(|it| it.config.as_deref()).collect();
    if !fields.is_empty() {
        let fields: Vec<String> = fields.into_iter().take(PATHS).map(escaped).collect();
        sentence(text, &format!("In: {}", fields.join(", ")));
    }
}

fn of_line(text: &mut String, location: &LocationReport) {
    if !location.instruction.is_empty() {
        sentence(text, &format!("Instruction: {}", escaped(&location.instruction)));
    }
    if location.confidence == "given" {
        sentence(text, "The Dockerfile does not agree with the image, so the line may be wrong");
    }
    let links: Vec<String> = location.related.iter().take(RELATED).zip(1usize..).map(|(it, id)| link(location, it, id)).collect();
    if !links.is_empty() {
        sentence(text, &format!("What it copies is made at {}", links.join(", ")));
    }
}

/// A link to a related location, as SARIF writes it: `[line 4](1)`.
fn link(of: &LocationReport, related: &RelatedReport, id: usize) -> String {
    let file = if related.file == of.file { String::new() } else { format!("{} ", escaped(&related.file)) };
    format!("[{file}line {}]({id})", related.start_line)
}

fn of_image(text: &mut String, report: &Report, image: Option<&ImageReport>) {
    let name = placed::repository(report, image);
    let platform = image.and_then(|image| image.platform.as_ref());
    let variant = |variant: Option<&String>| variant.map(|it| format!("/{it}")).unwrap_or_default();
    let platform = platform.map(|it| format!(", {}/{}{}", it.os, it.architecture, variant(it.variant.as_ref())));
    sentence(text, &format!("Image: {}", escaped(&format!("{name}{}", platform.unwrap_or_default()))));
}

fn sentence(text: &mut String, said: &str) {
    if said.is_empty() {
        return;
    }
    if !text.is_empty() {
        text.push(' ');
    }
    text.push_str(said);
    if !said.ends_with(['.', '!', '?']) {
        text.push('.');
    }
}

/// Text of the image in a message: cut where it is very long, and no link.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in shown(text).chars() {
        if matches!(character, '[' | ']' | '\\') {
            out.push('\\');
        }
        out.push(character);
    }
    out
}
