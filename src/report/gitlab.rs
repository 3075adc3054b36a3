//! The report as GitLab Code Quality: one entry for every finding and line, shown in merge requests.
//!
//! GitLab drops entries of equal fingerprint, and wants paths relative to the repository without `./`. Waived findings are left out.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use super::model::{ImageReport, Report, Verdict};
use super::placed::{self, Placed};
use super::wording::{error, image as title, not_examined, shown};

/// One entry; the members that GitLab documents.
#[derive(Debug, Serialize)]
struct Entry {
    description: String,
    check_name: String,
    fingerprint: String,
    severity: &'static str,
    location: Location,
}

#[derive(Debug, Serialize)]
struct Location {
    path: String,
    lines: Lines,
}

#[derive(Debug, Serialize)]
struct Lines {
    begin: usize,
}

/// Writes the report, indented, with a newline at the end: an empty array where nothing is wrong.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &entries(report))?;
    out.write_all(b"\n")
}

fn entries(report: &Report) -> Vec<Entry> {
    let mut written = Entries { report, seen: BTreeMap::new(), all: Vec::new() };
    let errors = report.errors.iter().map(|it| format!("{}: {}", shown(&it.code), error(it))).collect();
    written.unverified(None, report.images.is_empty() && report.verdict != Verdict::Pass, errors);
    for image in &report.images {
        written.of_image(image);
    }
    written.all
}

struct Entries<'a> {
    report: &'a Report,
    /// How often a fingerprint was given.
    seen: BTreeMap<String, usize>,
    all: Vec<Entry>,
}

impl Entries<'_> {
    fn of_image(&mut self, image: &ImageReport) {
        let is_unverified = image.verdict == Verdict::Unverifiable;
        let mut told: Vec<String> = image.errors.iter().map(|it| format!("{}: {}", shown(&it.code), error(it))).collect();
        if told.is_empty() && is_unverified {
            told.extend(image.examined.not_examined.iter().map(not_examined));
        }
        self.unverified(Some(image), is_unverified, told);
        let unwaived = || image.findings.iter().filter(|finding| finding.waived.is_none());
        if image.verdict == Verdict::Fail && !unwaived().any(|finding| finding.fails) {
            self.of_whole(Some(image), "verdict", "the image fails the policy, and none of its findings says why");
        }
        for finding in unwaived() {
            for placed in placed::places(finding) {
                self.of_place(image, &placed);
            }
        }
    }

    /// One entry for each reason why it could not be verified; one in any case where `is_unverified`.
    fn unverified(&mut self, image: Option<&ImageReport>, is_unverified: bool, mut told: Vec<String>) {
        if told.is_empty() && is_unverified {
            told.push("no verdict is possible".to_owned());
        }
        for told in told {
            self.of_whole(image, "unverifiable", &format!("could not be verified: {told}"));
        }
    }

    fn of_whole(&mut self, image: Option<&ImageReport>, rule: &str, told: &str) {
        let name = image.map_or_else(|| shown(placed::repository(self.report, None)), |image| title(self.report, image));
        let identity = [placed::without_digests(told)];
        let location = Location { path: placed::synthetic(self.report, image), lines: Lines { begin: 1 } };
        self.push(image, rule, &identity, "blocker", format!("{name}: {told}"), location);
    }

    fn of_place(&mut self, image: &ImageReport, placed: &Placed<'_>) {
        let finding = placed.finding;
        let severity = match finding.severity.as_deref() {
            Some("critical") => "blocker",
            Some("high") => "critical",
            Some("medium") => "major",
            Some("low") => "minor",
            _ => "info",
        };
        let path = placed.location.and_then(|location| placed::path(&location.file));
        let begin = if path.is_some() { placed.location.map_or(1, |location| location.line.max(1)) } else { 1 };
        let path = path.unwrap_or_else(|| placed::synthetic(self.report, Some(image)));
        let description = format!("{} ({})", shown(&finding.message), title(self.report, image));
        let location = Location { path, lines: Lines { begin } };
        self.push(Some(image), &shown(&finding.check), &placed::identity(placed), severity, description, location);
    }

    fn push(
        &mut self,
        image: Option<&ImageReport>,
        rule: &str,
        identity: &[String],
        severity: &'static str,
        description: String,
        location: Location,
    ) {
        let (repository, platform) = (placed::repository(self.report, image), placed::platform(image));
        let known = [rule, repository, platform.as_str()];
        let mut fingerprint = placed::fingerprint(known.into_iter().chain(identity.iter().map(String::as_str)));
        let count = self.seen.entry(fingerprint.clone()).or_default();
        *count = count.saturating_add(1);
        if *count > 1 {
            fingerprint = placed::fingerprint([fingerprint.as_str(), &count.to_string()]);
        }
        self.all.push(Entry { description, check_name: rule.to_owned(), fingerprint, severity, location });
    }
}
