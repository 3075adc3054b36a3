//! The report as annotations of GitHub Actions: one workflow command to a line. A finding stands on the first of its lines of the
//! Dockerfile, where one is known.

#[cfg(test)]
mod tests;

use super::model::{FindingReport, ImageReport, LayerReport, Report, Verdict};
use super::quantity::counted;
use super::wording::{error, image as title, instructions, name, places, severity, shown, source};

/// Annotations of one level that GitHub shows of a step.
const SHOWN: usize = 10;
/// Places of one finding that are shown; JSON has all of them.
const PLACES: usize = 3;
/// Layers of one finding that are shown.
const LAYERS: usize = 1;
/// Characters of a title that GitHub takes.
const TITLE: usize = 255;

/// The levels that GitHub knows, most severe first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Error,
    Warning,
    Notice,
}

impl Level {
    const ALL: [Self; 3] = [Self::Error, Self::Warning, Self::Notice];

    fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Notice => "notice",
        }
    }
}

struct Annotation {
    level: Level,
    /// 0 for what cannot be verified, then by severity: the heaviest is shown where GitHub shows few.
    rank: usize,
    title: String,
    /// File and line.
    place: Option<(String, usize)>,
    lines: Vec<String>,
}

/// One line for each annotation, errors first: what could not be verified and findings that fail; warnings: other findings; notices:
/// other findings of low severity. Waived findings are left out. Empty when there is nothing to say.
#[must_use]
pub fn render(report: &Report) -> String {
    let mut all: Vec<Annotation> = of_source(report);
    for image in &report.images {
        all.extend(of_image(report, image));
    }
    // keeps the order of the report within a rank
    all.sort_by_key(|annotation| annotation.rank);
    Level::ALL.into_iter().map(|level| of_level(level, &all)).collect()
}

fn of_level(level: Level, all: &[Annotation]) -> String {
    let found: Vec<&Annotation> = all.iter().filter(|annotation| annotation.level == level).collect();
    let shown = if found.len() > SHOWN { SHOWN.saturating_sub(1) } else { SHOWN };
    let mut text: String = found.iter().take(shown).map(|it| command(level, it.place.as_ref(), &it.title, &it.lines)).collect();
    let more = found.len().saturating_sub(shown);
    if more > 0 {
        let noun = format!("more {}", level.as_str());
        let line = format!("and {}; the text and JSON reports list all of them", counted(more, &noun));
        text.push_str(&command(level, None, "plimsoll", &[line]));
    }
    text
}

fn of_source(report: &Report) -> Vec<Annotation> {
    let name = shown(source(report));
    let mut all: Vec<Annotation> = report.errors.iter().map(|it| unverifiable(&it.code, &name, vec![error(it)])).collect();
    if all.is_empty() && report.images.is_empty() && report.verdict != Verdict::Pass {
        all.push(unverifiable("unverifiable", &name, vec!["no image was verified".to_owned()]));
    }
    all
}

fn of_image(report: &Report, image: &ImageReport) -> Vec<Annotation> {
    let of = title(report, image);
    let mut all: Vec<Annotation> = image.errors.iter().map(|it| unverifiable(&it.code, &of, vec![error(it)])).collect();
    if all.is_empty() && image.verdict == Verdict::Unverifiable {
        let places = counted(image.examined.not_examined.len(), "place");
        all.push(unverifiable("not-examined", &of, vec![format!("{places} could not be examined: the image is not verified")]));
    }
    let unwaived = || image.findings.iter().filter(|finding| finding.waived.is_none());
    if image.verdict == Verdict::Fail && !unwaived().any(|finding| finding.fails) {
        all.push(unverifiable("verdict", &of, vec!["the image fails the policy, and none of its findings says why".to_owned()]));
    }
    all.extend(unwaived().map(|finding| of_finding(finding, &of, &image.layers)));
    all
}

fn unverifiable(code: &str, of: &str, mut lines: Vec<String>) -> Annotation {
    lines.push(format!("image: {of}"));
    Annotation { level: Level::Error, rank: 0, title: format!("plimsoll: {}", shown(code)), place: None, lines }
}

fn of_finding(finding: &FindingReport, of: &str, layers: &[LayerReport]) -> Annotation {
    let (level, rank) = match (finding.fails, finding.severity.as_deref()) {
        (true, Some("critical")) => (Level::Error, 1),
        (true, Some("high")) => (Level::Error, 2),
        (true, Some("medium")) => (Level::Error, 3),
        (true, _) => (Level::Error, 4),
        (false, Some("critical")) => (Level::Warning, 1),
        (false, Some("high")) => (Level::Warning, 2),
        (false, Some("medium")) => (Level::Warning, 3),
        (false, _) => (Level::Notice, 4),
    };
    let mut lines = vec![shown(&finding.message), format!("image: {of}")];
    lines.extend(places(finding, PLACES));
    lines.extend(instructions(finding, layers, LAYERS));
    if finding.origin.as_deref() == Some("inherited") {
        lines.push("inherited from the base image".to_owned());
    }
    lines.push(format!("fix: {}", shown(&finding.fix)));
    let place = finding.locations.first().map(|location| (shown(&location.file), location.line));
    Annotation { level, rank, title: format!("plimsoll: {} ({})", name(finding), severity(finding)), place, lines }
}

/// A workflow command. The lines become one, with the escapes that the runner undoes only after it has found where the command ends.
fn command(level: Level, place: Option<&(String, usize)>, title: &str, lines: &[String]) -> String {
    let title: String = title.chars().take(TITLE).collect();
    let place = place.map(|(file, line)| format!("file={},line={line},", property(file))).unwrap_or_default();
    format!("::{} {place}title={}::{}\n", level.as_str(), property(&title), data(&lines.join("\n")))
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
