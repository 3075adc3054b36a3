//! A comparison for a terminal.

use super::{changes, grid, letter, name, severities, title};
use crate::report::model::Comparison;
use crate::report::text::Look;
use crate::report::text::page::{ALARM, GOOD, Page, STRONG, columns, disarm};

/// Findings that are listed; JSON has all of them.
const FINDINGS: usize = 40;

/// The whole comparison. Lines are wider than `look` where there are more images than fit.
#[must_use]
pub fn render(comparison: &Comparison, look: Look) -> String {
    let mut page = Page::new(look);
    for (index, side) in comparison.images.iter().enumerate() {
        page.headline(STRONG, &letter(index), &title(side), "");
    }
    page.blank();
    let heads: Vec<String> = (0..comparison.images.len()).map(letter).collect();
    table(&mut page, [(String::new(), heads.clone())].into_iter().chain(grid(comparison)).collect());
    page.blank();
    for (index, side) in comparison.images.iter().enumerate().skip(1) {
        page.headline(STRONG, "findings", &changes(index, side), "");
    }
    let shown = comparison.findings.iter().take(FINDINGS);
    let rows = shown.map(|row| (name(row), severities(row))).collect::<Vec<_>>();
    table(&mut page, [(String::new(), heads)].into_iter().filter(|_| !rows.is_empty()).chain(rows.iter().cloned()).collect());
    let more = comparison.findings.len().saturating_sub(rows.len());
    if more > 0 {
        page.text(2, &format!("and {more} more: --format json lists them"));
    }
    page.blank();
    for reason in &comparison.worse {
        page.headline(ALARM, "WORSE", reason, "");
    }
    if comparison.worse.is_empty() {
        page.headline(GOOD, "NO WORSE", "no finding that fails is new, and no score fell", "");
    }
    page.finish()
}

/// Rows of a label and right-aligned cells.
fn table(page: &mut Page, rows: Vec<(String, Vec<String>)>) {
    let rows: Vec<(String, Vec<String>)> =
        rows.into_iter().map(|(label, cells)| (disarm(&label), cells.iter().map(|cell| disarm(cell)).collect())).collect();
    let label_width = rows.iter().map(|(label, _)| columns(label)).max().unwrap_or(0).clamp(18, 40);
    let cell_width = rows.iter().flat_map(|(_, cells)| cells).map(|cell| columns(cell)).max().unwrap_or(0).max(10);
    for (label, cells) in rows {
        let mut line = format!("{label}{}", " ".repeat(label_width.saturating_sub(columns(&label))));
        for cell in cells {
            line.push_str(&" ".repeat(cell_width.saturating_sub(columns(&cell)).saturating_add(2)));
            line.push_str(&cell);
        }
        page.verbatim(2, line.trim_end());
    }
}
