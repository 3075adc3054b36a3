//! Reports of several images side by side, scored by one policy and one pair of baselines.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::judgement::Scored;
use super::translate;
use crate::finding::{Finding, Observation, Severity};
use crate::policy::{Measure, Policy, Unit};
use crate::report::model::{Comparison, FindingReport, FindingRow, ImageReport, Row, Schema, ScoreReport, Side, Tool};
use crate::score::{self, Choice, Class, Pair};

/// One image to compare: the report that it is in, and what the report's file or the image's file is called.
#[derive(Debug, Clone)]
pub struct Compared {
    /// File name, raw.
    pub source: String,
    /// The image.
    pub image: ImageReport,
}

/// What makes two findings of two images the same: check, code, subject.
type Key = (String, Option<String>, String);

/// Compares images; the first is the old one. Scores are computed anew, so that they can be compared whatever the reports' own
/// policies and baselines were.
#[must_use]
pub fn compare(compared: &[Compared], policy: &Policy, baselines: &Choice) -> Comparison {
    let pair = pair(compared, baselines);
    let findings = findings(compared);
    let images =
        compared.iter().enumerate().map(|(index, one)| side(index, one, &findings, policy, pair.as_ref())).collect::<Vec<_>>();
    let worse = worse(&images, &findings, policy);
    Comparison { schema: Schema::of_comparison(), tool: Tool::current(), rows: rows(compared), images, findings, worse }
}

/// The pair that was chosen, else that of the last image that has one: the newest tells best what the application is.
fn pair(compared: &[Compared], baselines: &Choice) -> Option<(Pair, String)> {
    match baselines {
        Choice::Fixed { pair, chosen_by } => Some((pair.as_ref().clone(), chosen_by.clone())),
        Choice::ByLanguage => {
            let scores = compared.iter().rev().filter_map(|one| one.image.score.as_ref());
            scores
                .map(|score| &score.baseline)
                .find_map(|baseline| Pair::shipped(&baseline.name).ok().map(|pair| (pair, baseline.chosen_by.clone())))
        }
    }
}

fn side(index: usize, one: &Compared, findings: &[FindingRow], policy: &Policy, pair: Option<&(Pair, String)>) -> Side {
    let image = &one.image;
    let is_in = |row: &&FindingRow, at: usize| row.severities.get(at).is_some_and(Option::is_some);
    let count = |is_wanted: &dyn Fn(&&FindingRow) -> bool| findings.iter().filter(is_wanted).count();
    Side {
        source: crate::oci::escape_text(&one.source),
        reference: image.reference.clone(),
        platform: image.platform.as_ref().map(|platform| format!("{}/{}", platform.os, platform.architecture)),
        digest: image.manifest_digest.clone().or_else(|| image.config_digest.clone()),
        verdict: image.verdict,
        score: scored(image, policy, pair),
        findings: image.findings.iter().filter(|finding| finding.waived.is_none()).count(),
        fixed: count(&|row| is_in(row, 0) && !is_in(row, index)),
        added: count(&|row| !is_in(row, 0) && is_in(row, index)),
        kept: count(&|row| is_in(row, 0) && is_in(row, index)),
    }
}

fn scored(image: &ImageReport, policy: &Policy, pair: Option<&(Pair, String)>) -> Option<ScoreReport> {
    let (pair, chosen_by) = pair?;
    // reports of before 1.1.0 have fewer measurements
    let measured = image.measurements.as_ref().filter(|_| image.ballast.is_some())?.numbers();
    let points = score::points(&measured, &pair.single.measurements, &pair.multi.measurements, &policy.score)?;
    let findings: Vec<Finding> = image.findings.iter().filter_map(as_finding).collect();
    let graded = score::grade(points.tenths, &findings, &policy.score);
    Some(translate::score(&Scored { pair: pair.clone(), chosen_by: chosen_by.clone(), points, graded }))
}

fn as_finding(report: &FindingReport) -> Option<Finding> {
    let severity = severity(report.severity.as_deref()?)?;
    let waiver = report.waived.as_ref().map(|waived| waived.waiver);
    Some(Finding { waiver, ..Finding::new(&report.check, severity, Observation::default()) })
}

fn severity(name: &str) -> Option<Severity> {
    Severity::ALL.into_iter().find(|severity| severity.as_str() == name)
}

fn findings(compared: &[Compared]) -> Vec<FindingRow> {
    let mut rows: BTreeMap<Key, FindingRow> = BTreeMap::new();
    for (index, one) in compared.iter().enumerate() {
        for finding in &one.image.findings {
            let key = (finding.check.clone(), finding.code.clone(), finding.subject.clone());
            let row = rows.entry(key).or_insert_with(|| FindingRow {
                check: finding.check.clone(),
                code: finding.code.clone(),
                subject: finding.subject.clone(),
                severities: vec![None; compared.len()],
                waived: vec![false; compared.len()],
                message: String::new(),
                change: String::new(),
            });
            row.message.clone_from(&finding.message);
            if let (Some(severity), Some(waived)) = (row.severities.get_mut(index), row.waived.get_mut(index)) {
                severity.clone_from(&finding.severity);
                *waived = finding.waived.is_some();
            }
        }
    }
    let mut rows: Vec<FindingRow> = rows.into_values().collect();
    for row in &mut rows {
        let is_in = |severity: Option<&Option<String>>| severity.is_some_and(Option::is_some);
        row.change = match (is_in(row.severities.first()), is_in(row.severities.last())) {
            (false, true) => "added",
            (true, false) => "fixed",
            (true, true) => "kept",
            (false, false) => "absent",
        }
        .to_owned();
    }
    rows.sort_by_key(|row| Reverse(row.severities.iter().flatten().filter_map(|name| severity(name)).max()));
    rows
}

/// What is worse in any image than in the first one.
fn worse(images: &[Side], findings: &[FindingRow], policy: &Policy) -> Vec<String> {
    let mut worse = Vec::new();
    let at = |row: &FindingRow, index: usize| row.severities.get(index).and_then(Option::as_deref).and_then(severity);
    for (index, side) in images.iter().enumerate().skip(1) {
        for row in findings.iter().filter(|row| row.waived.get(index) != Some(&true)) {
            let (Some(now), before) = (at(row, index), at(row, 0)) else { continue };
            let name = [row.check.as_str(), row.subject.as_str()].join(" ");
            let name = name.trim_end();
            match before {
                _ if now < policy.fail_on => {}
                None => worse.push(format!("{}: a new finding, {name} ({})", side.source, now.as_str())),
                Some(before) if now > before => {
                    worse.push(format!("{}: {name} rose from {} to {}", side.source, before.as_str(), now.as_str()));
                }
                Some(_) => {}
            }
        }
        let scores = images.first().and_then(|first| first.score.as_ref()).zip(side.score.as_ref());
        if let Some((before, now)) = scores.filter(|(before, now)| now.value < before.value) {
            worse.push(format!("{}: the score fell from {:.1} to {:.1}", side.source, before.value, now.value));
        }
    }
    worse
}

fn rows(compared: &[Compared]) -> Vec<Row> {
    let row = |name: &str, label: &str, unit: Unit, value: &dyn Fn(&ImageReport) -> Option<u64>| Row {
        name: name.to_owned(),
        label: label.to_owned(),
        unit: unit.as_str().to_owned(),
        values: compared.iter().map(|one| value(&one.image)).collect(),
    };
    let is_new = |image: &ImageReport| image.ballast.is_some();
    let mut rows = Vec::new();
    for measure in Measure::ALL {
        rows.push(row(measure.as_str(), measure.label(), measure.unit(), &|image| {
            image.measurements.as_ref().filter(|_| is_new(image)).map(|measured| measured.numbers().of(*measure))
        }));
        if *measure == Measure::ShippedBytes {
            rows.push(row("compressed_bytes", "compressed", Unit::Bytes, &|image| image.measurements.as_ref()?.compressed_bytes));
            rows.push(row("ballast", "ballast", Unit::Bytes, &|image| image.ballast.as_ref().map(|ballast| ballast.bytes)));
        }
    }
    // the other classes are measurements already
    for class in [Class::PackageManager, Class::TestDependency] {
        let name = format!("ballast:{}", class.as_str());
        rows.push(row(&name, &format!("{} bytes", class.as_str()), Unit::Bytes, &|image| {
            image.ballast.as_ref().map(|ballast| ballast.by_class.get(class.as_str()).copied().unwrap_or(0))
        }));
    }
    rows
}
