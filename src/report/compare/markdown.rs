//! A comparison for a pull request: GitHub-flavoured Markdown.

use std::fmt::Write as _;

use super::{changes, grid, letter, name, severities, title};
use crate::report::model::Comparison;
use crate::report::text::page::disarm;

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
    table(&mut text, "", &heads, grid(comparison));
    for (index, side) in comparison.images.iter().enumerate().skip(1) {
        line(&mut text, &format!("\n**Findings, {}**", changes(index, side)));
    }
    if !comparison.findings.is_empty() {
        text.push('\n');
        let rows = comparison.findings.iter().take(FINDINGS).map(|row| (code(&name(row)), severities(row)));
        table(&mut text, "finding", &heads, rows.collect());
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

fn table(text: &mut String, corner: &str, heads: &[String], rows: Vec<(String, Vec<String>)>) {
    line(text, &format!("| {corner} | {} |", heads.join(" | ")));
    line(text, &format!("|---|{}", "---:|".repeat(heads.len())));
    for (label, cells) in rows {
        line(text, &format!("| {label} | {} |", cells.join(" | ")));
    }
}

/// Text of an image as a code span: the fence is longer than any run of backticks within, and a bar cannot end a table's cell.
fn code(text: &str) -> String {
    let text = disarm(text).replace('|', r"\x7c").replace('<', r"\x3c");
    let longest = text.split(|character| character != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.saturating_add(1));
    let gap = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{gap}{text}{gap}{fence}")
}

fn line(text: &mut String, line: &str) {
    // a string takes every text
    let _ = writeln!(text, "{line}");
}
