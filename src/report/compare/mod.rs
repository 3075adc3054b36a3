//! Images side by side, for people: as text and as Markdown.

mod markdown;
#[cfg(test)]
mod tests;
mod text;

pub use markdown::render as markdown;
pub use text::render as text;

use super::model::{Comparison, FindingRow, Row, Side, Verdict};
use super::quantity::{bytes, count};

/// The columns' letters, in the order of the images.
fn letter(index: usize) -> String {
    let number = u8::try_from(index).ok().filter(|index| *index < 26).map(|index| char::from(b'A'.saturating_add(index)));
    number.map_or_else(|| format!("#{}", index.saturating_add(1)), String::from)
}

/// What an image is, in one line.
fn title(side: &Side) -> String {
    let name = side.reference.clone().unwrap_or_default();
    let platform = side.platform.clone().unwrap_or_default();
    [side.source.as_str(), &name, &platform].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("  ")
}

/// The table: a label and a cell for every image. Rows in which every image has nothing are left out.
fn grid(comparison: &Comparison) -> Vec<(String, Vec<String>)> {
    let of = |cell: &dyn Fn(&Side) -> String| comparison.images.iter().map(cell).collect::<Vec<_>>();
    let mut grid = vec![("verdict".to_owned(), of(&|side| verdict(side.verdict).to_owned()))];
    if comparison.images.iter().any(|side| side.score.is_some()) {
        grid.push(("score".to_owned(), of(&|side| side.score.as_ref().map_or_else(none, |score| format!("{:.1}", score.value)))));
        grid.push(("grade".to_owned(), of(&|side| side.score.as_ref().map_or_else(none, |score| score.grade.clone()))));
    }
    for row in &comparison.rows {
        if row.values.iter().any(|value| value.is_some_and(|value| value > 0)) {
            grid.push((row.label.clone(), row.values.iter().map(|value| cell(row, *value)).collect()));
        }
    }
    grid.push(("findings".to_owned(), of(&|side| count(as_u64(side.findings)))));
    grid
}

fn none() -> String {
    "-".to_owned()
}

fn cell(row: &Row, value: Option<u64>) -> String {
    match (value, row.unit.as_str()) {
        (None, _) => none(),
        (Some(value), "bytes") => bytes(value),
        (Some(value), "yes-no") => if value == 0 { "no" } else { "yes" }.to_owned(),
        (Some(value), _) => count(value),
    }
}

fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "fail",
        Verdict::Unverifiable => "unverifiable",
    }
}

/// The check with its code and subject.
fn name(row: &FindingRow) -> String {
    let code = row.code.as_ref().map(|code| format!(": {code}")).unwrap_or_default();
    [format!("{}{code}", row.check), row.subject.clone()].join(" ").trim_end().to_owned()
}

/// The severity in every image, `-` where it is not found, in parentheses where a waiver accepts it.
fn severities(row: &FindingRow) -> Vec<String> {
    let severity = |(severity, waived): (&Option<String>, &bool)| match (severity, waived) {
        (None, _) => none(),
        (Some(severity), false) => severity.clone(),
        (Some(severity), true) => format!("({severity})"),
    };
    row.severities.iter().zip(&row.waived).map(severity).collect()
}

/// How many findings were added, fixed and kept in one image against the first.
fn changes(index: usize, side: &Side) -> String {
    format!("{} against A: {} added, {} fixed, {} kept", letter(index), side.added, side.fixed, side.kept)
}

fn as_u64(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
