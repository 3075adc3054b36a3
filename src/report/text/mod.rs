//! The report for people: what the image is, what was found, what to do next, and the verdict as the last line.

pub(super) mod accepted;
pub(super) mod components;
mod findings;
pub(super) mod header;
pub(crate) mod page;
pub(super) mod score;
#[cfg(test)]
mod tests;
pub(super) mod trouble;
pub(super) mod verdict;

pub use page::Look;

use page::Page;

use super::model::{ImageReport, Report, Verdict};

/// What is shown beyond the usual.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Parts {
    /// The findings that are waived, and why they are.
    pub waived: bool,
    /// The whole table of the score.
    pub score: bool,
}

/// The whole report as text, with ANSI styles when `look` asks for colour.
#[must_use]
pub fn render(report: &Report, look: Look) -> String {
    render_with(report, look, Parts::default())
}

/// As [`render`], with more parts.
#[must_use]
pub fn render_with(report: &Report, look: Look, parts: Parts) -> String {
    let mut page = Page::new(look);
    let several = report.images.len() > 1;
    for (index, image) in report.images.iter().enumerate() {
        header::write(&mut page, report, image, index);
        write_image(&mut page, image, parts);
        page.blank();
        if several {
            verdict::of_image(&mut page, image);
            page.blank();
        }
    }
    if report.images.is_empty() {
        header::of_source(&mut page, report);
    }
    trouble::errors(&mut page, &report.errors);
    let is_judged = !report.images.is_empty() && report.images.iter().all(|image| image.verdict != Verdict::Unverifiable);
    accepted::waivers(&mut page, &report.policy, is_judged);
    page.blank();
    verdict::next(&mut page, report);
    page.blank();
    verdict::of_report(&mut page, report);
    page.finish()
}

/// Only the errors, for commands that have no verdict to give.
#[must_use]
pub fn render_errors(report: &Report, look: Look) -> String {
    let mut page = Page::new(look);
    trouble::errors(&mut page, &report.errors);
    for image in &report.images {
        trouble::errors(&mut page, &image.errors);
    }
    page.blank();
    verdict::next(&mut page, report);
    page.finish()
}

fn write_image(page: &mut Page, image: &ImageReport, parts: Parts) {
    findings::all(page, &image.findings, &image.layers);
    accepted::waived(page, image, parts.waived);
    accepted::left_out(page, &image.left_out);
    page.blank();
    accepted::controls(page, &image.controls);
    if let Some(score) = image.score.as_ref().filter(|_| parts.score) {
        score::table(page, score);
    }
    findings::notes(page, &image.notes);
    trouble::differences(page, &image.trees_differ);
    trouble::not_examined(page, &image.examined.not_examined, image.verdict);
    trouble::errors(page, &image.errors);
}
