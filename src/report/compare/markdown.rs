//! A comparison for a pull request: GitHub-flavoured Markdown.

use super::{changes, grid, letter, name, severities, title};
use crate::report::markdown::{code, line, table};
use crate::report::model::Comparison;

/// Findings that are listed; JSON has all of them.
const FINDINGS: usize = 100;

/// The whole comparison.
#[must_use]
pub fn render(comparison: &Comparison) -> String {
    let mut text = String::from("## Images compared by plimsoll\n\n");
    for (index, side) in comparison.images.iter().enumerate() {
        line(&mut text, &format!("- **{}** {}", letter(index), code(&title(side))));
    }
    let heads: Vec<String> = (0..comparison.images.len()).map(letter).collect();
    text.push('\n');
    side_by_side(&mut text, "", &heads, grid(comparison));
    for (index, side) in comparison.images.iter().enumerate().skip(1) {
        line(&mut text, &format!("\n**Findings, {}**", changes(index, side)));
    }
    if !comparison.findings.is_empty() {
        text.push('\n');
        let rows = comparison.findings.iter().take(FINDINGS).map(|row| (code(&name(row)), severities(row)));
        side_by_side(&mut text, "finding", &heads, rows.collect());
    }
    let more = comparison.findings.len().saturating_sub(FINDINGS);
    if more > 0 {
        line(&mut text, &format!("\nand {more} more"));
    }
    text.push('\n');
    if comparison.worse.is_empty() {
        line(&mut text, "No worse: no finding that fails is new, and no score fell.");
    }
    for reason in &comparison.worse {
        line(&mut text, &format!("- **worse** {}", code(reason)));
    }
    text
}

/// A table of a label and a number for each image.
fn side_by_side(text: &mut String, corner: &str, heads: &[String], rows: Vec<(String, Vec<String>)>) {
    let heads: Vec<String> = std::iter::once(corner.to_owned()).chain(heads.iter().cloned()).collect();
    let is_number: Vec<bool> = (0..heads.len()).map(|column| column > 0).collect();
    let rows = rows.into_iter().map(|(label, cells)| std::iter::once(label).chain(cells).collect()).collect();
    table(text, &heads, &is_number, rows);
}
