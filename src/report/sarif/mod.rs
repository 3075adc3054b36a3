//! The report as SARIF 2.1.0, for GitHub code scanning and whatever else reads it: a run for every image, a result for every rule and line.
//!
//! Findings stand on the line of the Dockerfile that caused them; those without a line, on a path made of the image's repository, so that
//! nothing that changes from build to build (tag, digest, weight) makes a new alert of an old finding.

mod limits;
mod log;
mod message;
mod results;
mod rules;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::io::{self, Write};

use super::model::{ErrorReport, ImageReport, Report, Verdict};
use super::placed;
use super::quantity::counted;
use super::wording::{error, not_examined, shown};
use limits::{Amount, RUNS};
use log::{AutomationDetails, Driver, Invocation, Level, Log, Notification, Result, Rule, Run, RunProperties, Text, Tool};
use results::Of;

/// Where the schema of the format is published.
const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
/// Where the program is published.
const HOME: &str = "https://github.com/plimsoll/plimsoll";
/// Notifications of a run.
const NOTIFICATIONS: usize = 100;

/// What tells one upload from another: code scanning takes results that are missing in the next one of a category for mended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Category {
    /// The image's repository and platform.
    #[default]
    OfImage,
    /// None, so that the uploader's own setting counts; the platform alone where there are several runs, which cannot do without.
    None,
    /// This text; with the platform where there are several runs.
    Text(String),
}

/// How the report is written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// What tells one upload from another.
    pub category: Category,
    /// Whether waived findings are written, as suppressed ones. Code scanning does not know of suppressions and shows them as open.
    pub shows_waived: bool,
}

/// Writes the report, indented, with a newline at the end. It holds as much as code scanning takes, and says what it leaves out.
pub fn write(report: &Report, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    let rules = rules::table(report);
    for amount in limits::amounts() {
        let log = document(report, options, &rules, amount);
        if amount.is_least() || limits::fits(&log)? {
            serde_json::to_writer_pretty(&mut *out, &log)?;
            return out.write_all(b"\n");
        }
    }
    Ok(())
}

fn document<'a>(report: &'a Report, options: &Options, rules: &'a [Rule], amount: Amount) -> Log<'a> {
    let mut subjects: Vec<Option<&ImageReport>> = report.images.iter().map(Some).collect();
    if subjects.is_empty() || !report.errors.is_empty() {
        subjects.push(None);
    }
    let left_out = limits::keep_worst(&mut subjects, RUNS, |subject| subject.map_or(Verdict::Unverifiable, |it| it.verdict));
    let ids = ids(report, &subjects, &options.category);
    let mut runs: Vec<Run<'a>> = subjects
        .iter()
        .zip(ids)
        .map(|(image, id)| run(Of { report, image: *image, rules, places: amount.places }, id, options, amount))
        .collect();
    if let (Some(worst), Some(first)) = (left_out.iter().max(), runs.first_mut()) {
        let level = if *worst == Verdict::Pass { Level::Warning } else { Level::Error };
        let told = format!("{} left out: code scanning takes {RUNS} at once", counted(left_out.len(), "more image"));
        let of = Of { report, image: subjects.first().copied().flatten(), rules, places: amount.places };
        cut(first, of, level, &told);
    }
    Log { schema: SCHEMA, version: "2.1.0", runs }
}

fn run<'a>(of: Of<'a>, id: Option<String>, options: &Options, amount: Amount) -> Run<'a> {
    let Of { report, image, rules, .. } = of;
    let mut results: Vec<Result<'a>> = results::all(of, options.shows_waived);
    // room for what says that something was cut
    let most = amount.results.saturating_sub(1);
    let cut_off = results.get(most..).unwrap_or_default();
    let (more, worst) = (cut_off.len(), cut_off.iter().map(|result| result.level).max());
    results.truncate(most);
    let mut run = Run {
        tool: Tool {
            driver: Driver { name: &report.tool.name, semantic_version: &report.tool.version, information_uri: HOME, rules },
        },
        automation_details: id.map(|id| AutomationDetails { id }),
        invocations: [invocation(of)],
        column_kind: "utf16CodeUnits",
        results,
        properties: properties(report, image),
    };
    if let Some(level) = worst {
        let told = format!("{} left out, the least severe ones: code scanning takes no more", counted(more, "more result"));
        cut(&mut run, of, level, &told);
    }
    run
}

/// Says in a run that something was left out: as a result, which people see, and as a notification.
fn cut<'a>(run: &mut Run<'a>, of: Of<'a>, level: Level, told: &str) {
    let level = level.max(Level::Warning);
    run.results.extend(results::of_whole(of, rules::CUT, level, &[told.to_owned()]));
    let [invocation] = &mut run.invocations;
    let message = Text { text: message::escaped(told) };
    invocation.tool_execution_notifications.push(Notification { level: Level::Warning, message });
}

fn properties<'a>(report: &'a Report, image: Option<&'a ImageReport>) -> RunProperties<'a> {
    RunProperties {
        source: &report.source.name,
        reference: image.and_then(|image| image.reference.as_deref()),
        manifest_digest: image.and_then(|image| image.manifest_digest.as_deref()),
        config_digest: image.and_then(|image| image.config_digest.as_deref()),
        policy: &report.policy.name,
        verdict: image.map_or(report.verdict, |image| image.verdict),
    }
}

/// Whether the run verified what it was to verify, and what stood in the way.
fn invocation(of: Of<'_>) -> Invocation {
    let (errors, verdict, unseen) = match of.image {
        Some(image) => (&image.errors, image.verdict, image.examined.not_examined.as_slice()),
        None => (&of.report.errors, of.report.verdict, [].as_slice()),
    };
    let of_error = |it: &ErrorReport| (Level::Error, format!("{}: {}", shown(&it.code), error(it)));
    let mut all: Vec<(Level, String)> = errors.iter().take(NOTIFICATIONS).map(of_error).collect();
    all.extend(unseen.iter().take(NOTIFICATIONS).map(|it| (Level::Warning, not_examined(it))));
    let more = errors.len().saturating_add(unseen.len()).saturating_sub(all.len());
    if more > 0 {
        all.push((Level::Warning, format!("and {} of the kind", counted(more, "more message"))));
    }
    let notification = |(level, text): (Level, String)| Notification { level, message: Text { text: message::escaped(&text) } };
    Invocation {
        execution_successful: verdict != Verdict::Unverifiable,
        tool_execution_notifications: all.into_iter().map(notification).collect(),
    }
}

/// The id of every run: no two are equal, since GitHub refuses such a file. Where images share one, the later ones get a number.
fn ids(report: &Report, subjects: &[Option<&ImageReport>], category: &Category) -> Vec<Option<String>> {
    let is_alone = subjects.len() == 1;
    let mut taken = BTreeSet::new();
    let id = |image: Option<&ImageReport>| {
        let platform = placed::platform(image);
        let start = match category {
            Category::None if is_alone => return None,
            Category::None => platform,
            Category::Text(text) if is_alone => text.clone(),
            Category::Text(text) => format!("{text}/{platform}"),
            Category::OfImage => format!("plimsoll/{}/{platform}", placed::synthetic(report, image)),
        };
        let numbered = (2..=usize::MAX).map(|number| format!("{start}-{number}"));
        let free = std::iter::once(start.clone()).chain(numbered).find(|id| taken.insert(id.clone()));
        Some(format!("{}/", free.unwrap_or(start)))
    };
    subjects.iter().copied().map(id).collect()
}
