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
    // reports before 1.1.0 have no subjects: what they found is compared by check and code alone
    let has_subjects = compared.iter().all(|one| one.image.measurements.is_none() || one.image.ballast.is_some());
    let mut rows: BTreeMap<Key, FindingRow> = BTreeMap::new();
    for (index, one) in compared.iter().enumerate() {
        for finding in &one.image.findings {
            let subject = if has_subjects { finding.subject.clone() } else { String::new() };
            let key = (finding.check.clone(), finding.code.clone(), subject.clone());
            let row = rows.entry(key).or_insert_with(|| FindingRow {
                check: finding.check.clone(),
                code: finding.code.clone(),
                subject,
                severities: vec![None; compared.len()],
                waived: vec![false; compared.len()],
                message: String::new(),
                change: String::new(),
            });
            row.message.clone_from(&finding.message);
            if let (Some(severity), Some(waived)) = (row.severities.get_mut(index), row.waived.get_mut(index)) {
                note(severity, waived, finding);
            }
        }
    }
    let mut rows: Vec<FindingRow> = rows.into_values().collect();
    for row in &mut rows {
        let is_in = |severity: Option<&Option<String>>| severity.is_some_and(Option::is_some);
        let change = match (is_in(row.severities.first()), is_in(row.severities.last())) {
            (false, true) => "added",
            (true, false) => "fixed",
            (true, true) => "kept",
            (false, false) => "absent",
        };
        change.clone_into(&mut row.change);
    }
    rows.sort_by_key(|row| Reverse(row.severities.iter().flatten().filter_map(|name| severity(name)).max()));
    rows
}

/// Of several findings that are one here, the most severe counts, and they are waived when all of them are.
fn note(found: &mut Option<String>, waived: &mut bool, finding: &FindingReport) {
    let weight = |name: &Option<String>| name.as_deref().and_then(severity);
    *waived = finding.waived.is_some() && (found.is_none() || *waived);
    if found.is_none() || weight(&finding.severity) > weight(found) {
        found.clone_from(&finding.severity);
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::model::Verdict;

    /// One image with these findings: check, subject, severity.
    fn compared(source: &str, findings: &[(&str, &str, &str)]) -> Compared {
        let finding = |(check, subject, severity): &(&str, &str, &str)| {
            serde_json::json!({"check": check, "subject": subject, "severity": severity, "message": format!("{check} in {source}"),
                "fix": "", "evidence": [], "fails": false})
        };
        let image = serde_json::json!({
            "layers": [], "findings": findings.iter().map(finding).collect::<Vec<_>>(), "notes": [], "trees_differ": [],
            "verdict": "pass", "errors": [],
            "examined": {"layers": 0, "entries": 0, "bytes": 0, "files_inspected": 0, "not_examined": []},
        });
        Compared { source: source.to_owned(), image: serde_json::from_value(image).unwrap() }
    }

    /// With so many MiB of toolchain, by the python baselines.
    fn measured(source: &str, mib: u64) -> Compared {
        let mut one = compared(source, &[]);
        one.image.measurements = Some(crate::report::model::Measurements { toolchain_bytes: mib << 20, ..Default::default() });
        one.image.ballast = Some(crate::report::model::BallastReport::default());
        one
    }

    fn python() -> Choice {
        Choice::Fixed { pair: Box::new(Pair::shipped("python").unwrap()), chosen_by: "a test".to_owned() }
    }

    fn shipped() -> Policy {
        Policy::shipped("default").unwrap()
    }

    #[test]
    fn findings_are_the_same_by_check_code_and_subject() {
        let old = compared("old", &[("compiler", "gcc", "high"), ("setuid-file", "/a", "low")]);
        let middle = compared("middle", &[("compiler", "go", "high")]);
        let new = compared("new", &[("compiler", "gcc", "critical"), ("apt-lists", "", "medium")]);
        let comparison = compare(&[old, middle, new], &shipped(), &Choice::ByLanguage);
        let told = |row: &FindingRow| format!("{} {} {}: {}", row.check, row.subject, row.change, row.message);
        assert_eq!(
            comparison.findings.iter().map(told).collect::<Vec<_>>(),
            [
                "compiler gcc kept: compiler in new",
                "compiler go absent: compiler in middle",
                "apt-lists  added: apt-lists in new",
                "setuid-file /a fixed: setuid-file in old",
            ]
        );
        let counts = |side: &Side| (side.findings, side.fixed, side.added, side.kept);
        assert_eq!(comparison.images.iter().map(counts).collect::<Vec<_>>(), [(2, 0, 0, 2), (1, 2, 1, 0), (2, 1, 1, 1)]);
    }

    #[test]
    fn beside_a_report_without_subjects_findings_are_compared_by_check_and_code() {
        let mut old = compared("old", &[("compiler", "", "medium"), ("compiler", "", "high"), ("compiler", "", "low")]);
        old.image.measurements = Some(crate::report::model::Measurements::default());
        let mut new = measured("new", 0);
        new.image.findings = compared("new", &[("compiler", "gcc", "high"), ("compiler", "go", "medium")]).image.findings;
        let comparison = compare(&[old, new], &shipped(), &Choice::ByLanguage);
        assert_eq!((comparison.findings.len(), comparison.worse.len()), (1, 0), "{comparison:?}");
        let row = &comparison.findings[0];
        assert_eq!((row.subject.as_str(), row.change.as_str()), ("", "kept"));
        assert_eq!(row.severities, [Some("high".to_owned()), Some("high".to_owned())]);
    }

    #[test]
    fn new_findings_that_fail_and_severities_that_rose_are_worse() {
        let old = || compared("old", &[("compiler", "gcc", "medium"), ("root-user", "", "high")]);
        let worse = |new: &[(&str, &str, &str)]| compare(&[old(), compared("new", new)], &shipped(), &Choice::ByLanguage).worse;
        assert_eq!(worse(&[("root-user", "", "high")]), [""; 0]);
        assert_eq!(worse(&[("root-user", "", "medium"), ("x", "", "medium")]), [""; 0], "below fail_on");
        assert_eq!(worse(&[("compiler", "gcc", "high")]), ["new: compiler gcc rose from medium to high"]);
        assert_eq!(worse(&[("compiler", "go", "high")]), ["new: a new finding, compiler go (high)"]);
    }

    #[test]
    fn a_finding_that_a_waiver_accepts_is_not_worse() {
        let mut new = compared("new", &[("compiler", "gcc", "high")]);
        new.image.findings[0].waived = serde_json::from_value(serde_json::json!({
            "waiver": 0, "reason": "r", "owner": null, "expires": "2027-01-01", "place": "p:1",
        }))
        .ok();
        assert!(new.image.findings[0].waived.is_some());
        let comparison = compare(&[compared("old", &[]), new], &shipped(), &Choice::ByLanguage);
        assert_eq!((comparison.worse.len(), comparison.images[1].findings, comparison.images[1].added), (0, 0, 1));
        assert_eq!(comparison.findings[0].waived, [false, true]);
    }

    #[test]
    fn a_lower_score_is_worse_by_the_same_baselines_for_all() {
        let images = [measured("old", 10), measured("same", 10), measured("new", 100)];
        let comparison = compare(&images, &shipped(), &python());
        assert_eq!(comparison.worse.len(), 1);
        assert!(comparison.worse[0].starts_with("new: the score fell from 9"), "{:?}", comparison.worse);
        assert!(comparison.images.iter().all(|side| side.score.as_ref().unwrap().baseline.name == "python"));
        assert!(compare(&[measured("old", 100), measured("new", 10)], &shipped(), &python()).worse.is_empty());
    }

    #[test]
    fn without_a_choice_the_newest_image_that_has_baselines_chooses() {
        let mut images = [measured("a", 1), measured("b", 1), measured("c", 1)];
        assert!(compare(&images, &shipped(), &Choice::ByLanguage).images.iter().all(|side| side.score.is_none()));
        let score = |name: &str| {
            let pair = Choice::Fixed { pair: Box::new(Pair::shipped(name).unwrap()), chosen_by: name.to_owned() };
            compare(&[measured("x", 1)], &shipped(), &pair).images[0].score.clone()
        };
        images[0].image.score = score("go");
        images[1].image.score = score("node");
        let comparison = compare(&images, &shipped(), &Choice::ByLanguage);
        assert!(comparison.images.iter().all(|side| side.score.as_ref().unwrap().baseline.name == "node"));
        // own baselines of a saved report are not known any more
        images[1].image.score.as_mut().unwrap().baseline.name = "own".to_owned();
        let comparison = compare(&images, &shipped(), &Choice::ByLanguage);
        assert_eq!(comparison.images[0].score.as_ref().unwrap().baseline.name, "go");
    }

    #[test]
    fn what_an_old_report_did_not_measure_is_unknown_and_not_nought() {
        let mut old = measured("old", 10);
        old.image.ballast = None;
        let comparison = compare(&[old, measured("new", 10)], &shipped(), &python());
        assert!(comparison.images[0].score.is_none() && comparison.images[1].score.is_some());
        assert!(comparison.rows.iter().all(|row| row.values.first() == Some(&None)), "{:?}", comparison.rows);
        let toolchain = comparison.rows.iter().find(|row| row.name == "toolchain_bytes").unwrap();
        assert_eq!((toolchain.values.clone(), comparison.worse.len()), (vec![None, Some(10 << 20)], 0));
        assert_eq!(comparison.images[0].verdict, Verdict::Pass);
    }
}
