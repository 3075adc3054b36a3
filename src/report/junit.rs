//! The report as JUnit XML, for the test tabs of Jenkins, GitLab, Azure DevOps and their like.
//!
//! No standard describes the format; what is written is valid by `junit-10.xsd` of Jenkins' xunit plugin. A testcase has at most one
//! of `failure`, `error` and `skipped`: readers look at the first alone, and Jenkins takes a failure that is skipped too for no failure.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::model::{ErrorReport, FindingReport, ImageReport, Report, Verdict};
use super::placed::without_tag;
use super::quantity::counted;
use super::wording::{error, image as title, instructions, name, not_examined, on_platform, places, severity, shown, source};
use crate::checks;

/// Places of one finding that are listed; JSON has all of them.
const PLACES: usize = 50;
/// Layers of one finding that are listed.
const LAYERS: usize = 10;
/// Findings of one check that are listed.
const FINDINGS: usize = 200;
/// Places listed that were not examined.
const NOT_EXAMINED: usize = 200;

/// How a testcase ends.
enum Outcome {
    Passed,
    /// Message, then type and text.
    Failed(String, String, String),
    /// Likewise.
    Error(String, String, String),
    /// Message.
    Skipped(String),
}

struct Case {
    name: String,
    outcome: Outcome,
    /// Lines of the standard output; empty for none.
    said: String,
}

struct Suite {
    name: String,
    class: String,
    properties: Vec<(&'static str, String)>,
    cases: Vec<Case>,
}

impl Suite {
    fn count(&self, is_one: fn(&Outcome) -> bool) -> usize {
        self.cases.iter().filter(|case| is_one(&case.outcome)).count()
    }
}

/// The whole document: a suite for each image, and one for the source when it was refused.
#[must_use]
pub fn render(report: &Report) -> String {
    let mut classes = BTreeMap::new();
    let mut suites: Vec<Suite> = report.images.iter().map(|image| of_image(report, image, &mut classes)).collect();
    if !report.errors.is_empty() || report.images.is_empty() {
        suites.push(of_source(report));
    }
    let sum = |is_one: fn(&Outcome) -> bool| suites.iter().fold(0usize, |sum, suite| sum.saturating_add(suite.count(is_one)));
    let mut xml = Xml(String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"));
    xml.open(
        0,
        "testsuites",
        &[
            ("name", "plimsoll"),
            ("tests", &sum(|_| true).to_string()),
            ("failures", &sum(is_failed).to_string()),
            ("errors", &sum(is_error).to_string()),
        ],
    );
    for suite in &suites {
        write_suite(&mut xml, suite);
    }
    xml.close(0, "testsuites");
    xml.0
}

fn is_failed(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Failed(..))
}

fn is_error(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Error(..))
}

fn is_skipped(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Skipped(_))
}

fn of_image(report: &Report, image: &ImageReport, classes: &mut BTreeMap<String, usize>) -> Suite {
    let of = |name: &'static str, value: Option<&str>| value.map(|value| (name, shown(value)));
    let score = image.score.as_ref().map(|score| format!("{:.1} ({})", score.value, score.grade));
    let properties = [
        of("source", Some(source(report))),
        of("manifest-digest", image.manifest_digest.as_deref()),
        of("config-digest", image.config_digest.as_deref()),
        of("distribution", image.distribution.as_deref()),
        of("policy", Some(&report.policy.name)),
        of("score", score.as_deref()),
        of("verdict", Some(verdict(image.verdict))),
    ];
    let mut cases = vec![verification(image)];
    let found = image.findings.iter().chain(&image.notes).map(|finding| finding.check.as_str());
    let left_out = image.left_out.iter().map(|left| left.check.as_str());
    let ids: BTreeSet<&str> = checks::ALL.iter().map(|check| check.id).chain(found).chain(left_out).collect();
    cases.extend(ids.into_iter().map(|id| rule(image, id)));
    if image.verdict == Verdict::Fail && !cases.iter().any(|case| is_failed(&case.outcome)) {
        let message = "the image fails the policy, and none of its findings says why".to_owned();
        let outcome = Outcome::Failed(message.clone(), "verdict".to_owned(), message);
        cases.push(Case { name: "verdict".to_owned(), outcome, said: String::new() });
    }
    let properties = properties.into_iter().flatten().collect();
    Suite { name: title(report, image), class: class(report, image, classes), properties, cases }
}

/// Stands for the source as a whole.
fn of_source(report: &Report) -> Suite {
    let outcome = match (report.errors.as_slice(), report.verdict) {
        ([], Verdict::Pass) => Outcome::Passed,
        ([], _) => {
            let message = "no image was verified".to_owned();
            Outcome::Error(message.clone(), "unverifiable".to_owned(), message)
        }
        (errors, _) => of_errors(errors),
    };
    let case = Case { name: "verification".to_owned(), outcome, said: String::new() };
    let name = shown(source(report));
    let class = format!("plimsoll.{}", name.replace('.', "_"));
    Suite { name, class, properties: vec![("verdict", verdict(report.verdict).to_owned())], cases: vec![case] }
}

/// `plimsoll.registry_example/shop/cart linux/amd64`: without tag and digest, so that the next build's results are compared with
/// this one's, and with one dot, since readers take what is before the last one for a package.
fn class(report: &Report, image: &ImageReport, classes: &mut BTreeMap<String, usize>) -> String {
    let name = image.reference.as_deref().map_or_else(|| source(report), without_tag);
    let class = format!("plimsoll.{}", on_platform(name, image).replace('.', "_"));
    let seen = classes.entry(class.clone()).or_default();
    *seen = seen.saturating_add(1);
    if *seen == 1 { class } else { format!("{class} ({seen})") }
}

fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "fail",
        Verdict::Unverifiable => "unverifiable",
    }
}

/// Whether the image could be read: an error where it could not.
fn verification(image: &ImageReport) -> Case {
    let places = &image.examined.not_examined;
    let mut said: Vec<String> = places.iter().take(NOT_EXAMINED).map(not_examined).collect();
    let more = places.len().saturating_sub(NOT_EXAMINED);
    if more > 0 {
        said.push(format!("and {} not examined", counted(more, "more place")));
    }
    let outcome = if !image.errors.is_empty() {
        of_errors(&image.errors)
    } else if image.verdict == Verdict::Unverifiable {
        let message = match places.len() {
            0 => "the image could not be verified".to_owned(),
            count => format!("{} could not be examined", counted(count, "place")),
        };
        Outcome::Error(message, "not-examined".to_owned(), said.join("\n"))
    } else {
        Outcome::Passed
    };
    Case { name: "verification".to_owned(), outcome, said: said.join("\n") }
}

fn of_errors(errors: &[ErrorReport]) -> Outcome {
    let lines: Vec<String> = errors.iter().map(|it| format!("error {}: {}", shown(&it.code), error(it))).collect();
    let code = errors.first().map(|it| shown(&it.code)).unwrap_or_default();
    Outcome::Error(with_more(errors.first().map(error), errors.len(), "error"), code, lines.join("\n"))
}

/// The first of several, and how many more there are.
fn with_more(first: Option<String>, all: usize, noun: &str) -> String {
    let first = first.unwrap_or_default();
    match all.saturating_sub(1) {
        0 => first,
        more => format!("{first}; and {}", counted(more, &format!("more {noun}"))),
    }
}

/// What one check, requirement or own rule found. It fails when one of its findings does; it is skipped when all of them are waived,
/// when the policy switches it off, and when an image that could not be verified gives it no reason to fail.
fn rule(image: &ImageReport, id: &str) -> Case {
    let found: Vec<&FindingReport> = image.findings.iter().filter(|finding| finding.check == id).collect();
    let (failing, others): (Vec<&FindingReport>, Vec<&FindingReport>) = found.iter().partition(|finding| finding.fails);
    let waiver = if found.iter().all(|finding| finding.waived.is_some()) { found.first() } else { None };
    let off = image.left_out.iter().find(|left| left.check == id && left.reason == "off");
    let outcome = if let Some(first) = failing.first() {
        let message = with_more(Some(shown(&first.message)), failing.len(), "finding");
        Outcome::Failed(message, severity(first).to_owned(), listed(image, &failing))
    } else if image.verdict == Verdict::Unverifiable {
        Outcome::Skipped("not judged: the image could not be verified wholly".to_owned())
    } else if let Some(waiver) = waiver {
        Outcome::Skipped(with_more(waived(waiver), found.len(), "waived finding"))
    } else if let Some(off) = off {
        Outcome::Skipped(format!("the policy switches it off: {} left out", counted(off.findings, "finding")))
    } else {
        Outcome::Passed
    };
    let notes = image.notes.iter().filter(|note| note.check == id);
    let mut said: Vec<String> = Vec::new();
    let others: Vec<&FindingReport> = others.into_iter().chain(notes).collect();
    if !others.is_empty() {
        said.push(listed(image, &others));
    }
    for left in image.left_out.iter().filter(|left| left.check == id) {
        said.push(format!("left out by the policy ({}): {}", shown(&left.reason), counted(left.findings, "finding")));
    }
    Case { name: shown(id), outcome, said: said.join("\n") }
}

fn waived(finding: &FindingReport) -> Option<String> {
    let waived = finding.waived.as_ref()?;
    let owner = waived.owner.as_ref().map(|owner| format!(" by {owner}")).unwrap_or_default();
    Some(shown(&format!("waived until {}{owner}: {}", waived.expires, waived.reason)))
}

/// Findings one after the other: what, where, which instruction, how to mend it.
fn listed(image: &ImageReport, findings: &[&FindingReport]) -> String {
    let mut lines = Vec::new();
    for finding in findings.iter().take(FINDINGS) {
        lines.push(format!("{} {}: {}", severity(finding), name(finding), shown(&finding.message)));
        lines.extend(places(finding, PLACES));
        lines.extend(instructions(finding, &image.layers, LAYERS));
        if finding.origin.as_deref() == Some("inherited") {
            lines.push("inherited from the base image".to_owned());
        }
        lines.extend(waived(finding));
        lines.push(format!("fix: {}", shown(&finding.fix)));
    }
    let more = findings.len().saturating_sub(FINDINGS);
    if more > 0 {
        lines.push(format!("and {}", counted(more, "more finding")));
    }
    lines.join("\n")
}

fn write_suite(xml: &mut Xml, suite: &Suite) {
    xml.open(
        1,
        "testsuite",
        &[
            ("name", &suite.name),
            ("tests", &suite.cases.len().to_string()),
            ("failures", &suite.count(is_failed).to_string()),
            ("errors", &suite.count(is_error).to_string()),
            ("skipped", &suite.count(is_skipped).to_string()),
        ],
    );
    xml.open(2, "properties", &[]);
    for (name, value) in &suite.properties {
        xml.element(3, "property", &[("name", name), ("value", value)], "");
    }
    xml.close(2, "properties");
    for case in &suite.cases {
        write_case(xml, &suite.class, case);
    }
    xml.close(1, "testsuite");
}

fn write_case(xml: &mut Xml, class: &str, case: &Case) {
    let attributes = [("name", case.name.as_str()), ("classname", class)];
    if matches!(case.outcome, Outcome::Passed) && case.said.is_empty() {
        xml.element(2, "testcase", &attributes, "");
        return;
    }
    xml.open(2, "testcase", &attributes);
    match &case.outcome {
        Outcome::Passed => {}
        Outcome::Failed(message, kind, text) => xml.element(3, "failure", &[("message", message), ("type", kind)], text),
        Outcome::Error(message, kind, text) => xml.element(3, "error", &[("message", message), ("type", kind)], text),
        Outcome::Skipped(message) => xml.element(3, "skipped", &[("message", message)], ""),
    }
    if !case.said.is_empty() {
        xml.element(3, "system-out", &[], &case.said);
    }
    xml.close(2, "testcase");
}

/// The document as far as it is written, an element to a line.
struct Xml(String);

impl Xml {
    fn open(&mut self, depth: usize, element: &str, attributes: &[(&str, &str)]) {
        self.start(depth, element, attributes);
        self.0.push_str(">\n");
    }

    fn close(&mut self, depth: usize, element: &str) {
        // a string takes every text
        let _ = writeln!(self.0, "{}</{element}>", "  ".repeat(depth));
    }

    /// An element that holds text alone, or nothing.
    fn element(&mut self, depth: usize, element: &str, attributes: &[(&str, &str)], text: &str) {
        self.start(depth, element, attributes);
        let _ = match text {
            "" => writeln!(self.0, "/>"),
            text => writeln!(self.0, ">{}</{element}>", escaped(text)),
        };
    }

    fn start(&mut self, depth: usize, element: &str, attributes: &[(&str, &str)]) {
        let _ = write!(self.0, "{}<{element}", "  ".repeat(depth));
        for (name, value) in attributes {
            let _ = write!(self.0, " {name}=\"{}\"", escaped(value));
        }
    }
}

/// Text as content and as the value of an attribute. What XML 1.0 has no way to write (its production `Char`) is replaced.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push('\n'),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            other if other.is_control() => out.push('\u{fffd}'),
            other => out.push(other),
        }
    }
    out
}
