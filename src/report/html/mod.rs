//! The report as one page of HTML that needs nothing but itself: no script, no address that is fetched.
//!
//! Every string is escaped by `maud` where it is spliced in, and what is left of control and bidirectional characters is taken out
//! of the finished page. The page's own policy (CSP) forbids scripts and fetches whatever an image managed to write.

mod accepted;
mod evidence;
mod facts;
mod findings;
mod gauge;
mod layers;
mod map;
mod reach;
mod score;
#[cfg(test)]
mod tests;
mod treemap;
mod trouble;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::model::{ImageReport, Report, Verdict};
use super::quantity::counted;
use super::text::{header, verdict};
use super::wording::{shown, source};

/// Images that are shown; JSON has all of them.
const IMAGES: usize = 50;
/// What the page may do: show itself.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";
const STYLE: &str = include_str!("style.css");

/// How many rows of evidence, and how many findings in full, the page still has room for.
#[derive(Debug)]
struct Room {
    rows: usize,
    findings: usize,
}

impl Room {
    /// As many rows as are wanted, at most `most`, and as many as there is still room for.
    fn rows(&mut self, wanted: usize, most: usize) -> usize {
        let given = wanted.min(most).min(self.rows);
        self.rows = self.rows.saturating_sub(given);
        given
    }

    /// As [`Room::rows`], for findings.
    fn findings(&mut self, wanted: usize) -> usize {
        let given = wanted.min(self.findings);
        self.findings = self.findings.saturating_sub(given);
        given
    }
}

/// The whole report.
#[must_use]
pub fn render(report: &Report) -> String {
    let mut room = Room { rows: 1_500, findings: 2_000 };
    let images: Vec<Markup> = report
        .images
        .iter()
        .take(IMAGES)
        .enumerate()
        .map(|(number, image)| image_part(report, image, number, &mut room))
        .collect();
    let title = title(report);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            (head(report, &title))
            body {
                a.skip href="#report" { "Skip to the report" }
                (top(report))
                main #report {
                    h1.unseen { "Report on " (title) }
                    @if report.images.len() > 1 { (contents(report)) }
                    @if !report.errors.is_empty() || report.images.is_empty() { (of_source(report)) }
                    @for image in &images { (image) }
                    @if report.images.len() > IMAGES {
                        p.card { "And " (counted(report.images.len().saturating_sub(IMAGES), "more image")) "; the JSON report has all of them." }
                    }
                    (accepted::waivers(report))
                }
                footer {
                    p { "Made by plimsoll " (shown(&report.tool.version)) ", offline, from the bytes of the image. The same image and policy make the same page. "
                        "The JSON report (" code { "--output json=FILE" } ") holds everything, this page what fits." }
                }
            }
        }
    };
    disarmed(&page.into_string())
}

/// What a browser is told before the page.
fn head(report: &Report, title: &str) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta http-equiv="Content-Security-Policy" content=(POLICY);
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="light dark";
            meta name="referrer" content="no-referrer";
            meta name="generator" content={ "plimsoll " (shown(&report.tool.version)) };
            title { (word(report.verdict)) ": " (title) " - plimsoll" }
            style { (PreEscaped(STYLE)) }
        }
    }
}

/// What the page is about.
fn title(report: &Report) -> String {
    match report.images.as_slice() {
        [image] => shown(&header::title(report, image)),
        _ => shown(source(report)),
    }
}

fn top(report: &Report) -> Markup {
    html! {
        header.top {
            div.brand {
                svg viewBox="0 0 32 32" width="28" height="28" aria-hidden="true" {
                    circle cx="16" cy="16" r="10" fill="none" stroke="currentColor" stroke-width="3" {}
                    path d="M1 16H31" stroke="currentColor" stroke-width="3" {}
                }
                span { "plimsoll" }
            }
            p {
                span { (shown(&header::source(report))) }
                span { "policy " b { (shown(&report.policy.name)) } ", fails on " b { (shown(&report.policy.fail_on)) } " and above" }
                @if let Some(day) = &report.policy.as_of { span { "waivers as of " (shown(day)) } }
            }
        }
    }
}

/// One line for each image, with the verdict on all of them.
fn contents(report: &Report) -> Markup {
    let alike = report.images.iter().filter(|image| image.verdict == report.verdict).count();
    html! {
        section.card aria-labelledby="contents" {
            (banner(report.verdict, &format!("{alike} of {}", counted(report.images.len(), "image")), "images"))
            h2 #contents { "Images" }
            div.wide {
                table.rows {
                    caption.unseen { "The images of this report" }
                    thead { tr { th scope="col" { "Verdict" } th scope="col" { "Image" } th scope="col" { "Findings" } th scope="col" { "Score" } } }
                    tbody {
                        @for (number, image) in report.images.iter().take(IMAGES).enumerate() {
                            tr {
                                td data-head="Verdict" { span.tag.(kind(image.verdict)) { (word(image.verdict)) } }
                                th scope="row" { a href={ "#image-" (number) } { (shown(&header::title(report, image))) } }
                                td data-head="Findings" { (image.findings.iter().filter(|finding| finding.waived.is_none()).count()) }
                                td data-head="Score" { @match &image.score { Some(score) => (format!("{:.0} {}", score.value, shown(&score.grade))), None => "none" } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Why there is no image.
fn of_source(report: &Report) -> Markup {
    html! {
        section.card aria-labelledby="source" {
            (banner(report.verdict, &counted(report.errors.len(), "error"), "source"))
            h2 #source.name { (shown(source(report))) }
            (trouble::errors(&report.errors))
        }
    }
}

fn image_part(report: &Report, image: &ImageReport, number: usize, room: &mut Room) -> Markup {
    let reason = verdict::reason(image.verdict, &[image]);
    let findings = findings::all(report, image, number, room);
    html! {
        article #{ "image-" (number) } aria-labelledby={ "name-" (number) } {
            section.card.hero {
                (banner(image.verdict, &reason, "image"))
                h2.name #{ "name-" (number) } { (shown(&header::title(report, image))) }
                (trouble::errors(&image.errors))
                div.hull {
                    (facts::list(report, image))
                    (gauge::mark(image.score.as_ref(), number))
                }
                (trouble::not_examined(&image.examined.not_examined, image.verdict))
            }
            (findings)
            @if let Some(score) = &image.score { (score::table(score, number)) }
            (map::section(image, number))
            (reach::section(image, number))
            (layers::table(image, number))
            (accepted::controls(&image.controls, number))
            (trouble::differences(&image.trees_differ, number))
        }
    }
}

fn banner(verdict: Verdict, reason: &str, of: &str) -> Markup {
    html! {
        p.banner.(kind(verdict)) {
            strong { (word(verdict)) }
            span { (shown(reason)) @if of == "images" { " " (outcome(verdict)) } }
        }
    }
}

fn outcome(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "fail the policy",
        Verdict::Unverifiable => "could not be verified",
    }
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "Pass",
        Verdict::Fail => "Fail",
        Verdict::Unverifiable => "Unverifiable",
    }
}

fn kind(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "is-pass",
        Verdict::Fail => "is-fail",
        Verdict::Unverifiable => "is-unverifiable",
    }
}

/// A string of the report, cut where it would fill a page by itself.
fn brief(text: &str) -> String {
    const CHARACTERS: usize = 300;
    match text.char_indices().nth(CHARACTERS) {
        Some((at, _)) => format!("{}...", shown(text.get(..at).unwrap_or_default())),
        None => shown(text),
    }
}

/// Static text with `code` in it.
fn marked(text: &str) -> Markup {
    html! {
        @for (number, part) in text.split('`').enumerate() {
            @if number.is_multiple_of(2) { (part) } @else { code { (part) } }
        }
    }
}

/// The page without characters that control a terminal, hide, or turn text around. The page itself has none but line feeds.
fn disarmed(page: &str) -> String {
    let is_harmless = |character: char| {
        character == '\n'
            || !character.is_control()
                && !matches!(u32::from(character),
                    0xAD | 0x61C | 0x180E | 0x200B..=0x200F | 0x2028..=0x202E | 0x2060..=0x206F | 0xFEFF | 0xFFF9..=0xFFFB
                    | 0xFFFE..=0xFFFF | 0xE0000..=0xE0FFF)
    };
    page.chars().map(|character| if is_harmless(character) { character } else { '\u{fffd}' }).collect()
}
