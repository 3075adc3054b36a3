//! Ballast, and where the image lies between its baselines.

use super::page::Page;
use crate::policy::Measure;
use crate::report::model::{BallastReport, ImageReport, PartReport, ScoreReport};
use crate::report::quantity::{bytes, count};

/// Measurements that are named as having lost points; the table and JSON have all.
const LOSSES: usize = 4;

/// The lines of the header.
pub(super) fn write(page: &mut Page, image: &ImageReport) {
    if let (Some(ballast), Some(measured)) = (&image.ballast, &image.measurements) {
        page.field("ballast", &ballast_line(ballast, measured.shipped_bytes));
    }
    if let Some(score) = &image.score {
        page.field("score", &score_line(score));
        let lost = lost(score);
        if !lost.is_empty() {
            page.field("lost", &lost);
        }
    }
}

/// The whole table: every measurement that the policy weighs.
pub(super) fn table(page: &mut Page, score: &ScoreReport) {
    page.text(0, &format!("Score: {} and why", score_line(score)));
    let single = &score.baseline.single;
    let multi = &score.baseline.multi;
    for (end, baseline) in [("0 points", single), ("100 points", multi)] {
        page.text(2, &format!("{end}: {}", baseline.recipe));
    }
    page.blank();
    let mut group = "";
    for part in &score.parts {
        if part.group != group {
            page.text(2, &part.group);
            group = &part.group;
        }
        let earned = if part.counts { format!("{:.1} of {:.1}", part.points, part.most) } else { "does not count".to_owned() };
        let numbers =
            format!("{} (single {}, multi {})", number(part, part.image), number(part, part.single), number(part, part.multi));
        page.verbatim(4, &format!("{:<18} {earned:>14}  {numbers}", label(part)));
    }
    page.blank();
}

pub(in crate::report) fn ballast_line(ballast: &BallastReport, shipped: u64) -> String {
    if ballast.bytes == 0 {
        return format!("none of {}", bytes(shipped));
    }
    let ballast_classes = ["toolchain", "cache", "documentation", "buried", "package-manager", "test-dependency"];
    let mut classes: Vec<(&str, u64)> =
        ballast_classes.iter().map(|class| (*class, ballast.by_class.get(*class).copied().unwrap_or(0))).collect();
    classes.retain(|(_, bytes)| *bytes > 0);
    classes.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
    let told: Vec<String> = classes.iter().take(LOSSES).map(|(class, weight)| format!("{class} {}", bytes(*weight))).collect();
    format!("{} of {} is not needed at run time: {}", bytes(ballast.bytes), bytes(shipped), told.join(", "))
}

pub(in crate::report) fn score_line(score: &ScoreReport) -> String {
    let cap = score.cap.as_ref().map(|cap| format!(" ({} by points; {})", cap.uncapped, cap.reason)).unwrap_or_default();
    format!("{:.0} of 100, grade {}{cap}, between the {} baselines", score.value, score.grade, score.baseline.name)
}

/// The measurements that cost most.
fn lost(score: &ScoreReport) -> String {
    let mut lost: Vec<(f64, &PartReport)> = score.parts.iter().map(|part| (part.most - part.points, part)).collect();
    lost.retain(|(points, part)| *points >= 0.5 && part.counts);
    lost.sort_by(|a, b| b.0.total_cmp(&a.0));
    let told: Vec<String> = lost
        .iter()
        .take(LOSSES)
        .map(|(points, part)| match part.unit.as_str() {
            "yes-no" => format!("{} {points:.1}", label(part)),
            _ => format!("{} {points:.1} ({}, at best {})", label(part), number(part, part.image), number(part, part.multi)),
        })
        .collect();
    told.join("; ")
}

pub(in crate::report) fn label(part: &PartReport) -> &str {
    Measure::parse(&part.measurement).map_or(part.measurement.as_str(), |measure| measure.label())
}

pub(in crate::report) fn number(part: &PartReport, value: u64) -> String {
    match part.unit.as_str() {
        "bytes" => bytes(value),
        "yes-no" => if value == 0 { "no" } else { "yes" }.to_owned(),
        _ => count(value),
    }
}
