//! The report for people: what the image is, what was found, what to do next, and the verdict as the last line.

mod accepted;
mod findings;
mod header;
pub(crate) mod page;
mod score;
#[cfg(test)]
mod tests;
mod trouble;
mod verdict;

pub use page::Look;

use page::Page;

use super::model::{ImageReport, Report, Verdict};

/// The whole report as text, with ANSI styles when `look` asks for colour.
#[must_use]
pub fn render(report: &Report, look: Look) -> String {
    whole(report, look, false)
}

/// As [`render`], with the findings that are waived, and why they are.
#[must_use]
pub fn render_with_waived(report: &Report, look: Look) -> String {
    whole(report, look, true)
}

fn whole(report: &Report, look: Look, with_waived: bool) -> String {
    let mut page = Page::new(look);
    let several = report.images.len() > 1;
    for (index, image) in report.images.iter().enumerate() {
        header::write(&mut page, report, image, index);
        write_image(&mut page, image, with_waived);
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

fn write_image(page: &mut Page, image: &ImageReport, with_waived: bool) {
    findings::all(page, &image.findings, &image.layers);
    accepted::waived(page, image, with_waived);
    accepted::left_out(page, &image.left_out);
    page.blank();
    accepted::controls(page, &image.controls);
    findings::notes(page, &image.notes);
    trouble::differences(page, &image.trees_differ);
    trouble::not_examined(page, &image.examined.not_examined, image.verdict);
    trouble::errors(page, &image.errors);
}
