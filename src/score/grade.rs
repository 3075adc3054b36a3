//! Grades: by points, then capped by what must not be averaged away.

use std::collections::BTreeSet;

use crate::finding::Finding;
use crate::policy::{Cap, Grade, ScoreRule};

/// A grade, and why it is not the one that the points give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Graded {
    /// The grade.
    pub grade: Grade,
    /// The grade by points alone.
    pub by_points: Grade,
    /// When a cap made it worse: the checks whose findings do.
    pub capped_by: BTreeSet<String>,
    /// The cap, as a clause.
    pub reason: String,
}

/// Grades `tenths` of points. Waived findings cap nothing.
#[must_use]
pub fn grade(tenths: u64, findings: &[Finding], rule: &ScoreRule) -> Graded {
    let by_points = by_points(tenths, rule);
    let mut graded = Graded { grade: by_points, by_points, capped_by: BTreeSet::new(), reason: String::new() };
    for cap in rule.caps.iter().filter(|cap| cap.grade < by_points) {
        let checks: BTreeSet<String> =
            findings.iter().filter(|finding| caps(cap, finding)).map(|finding| finding.check.clone()).collect();
        if !checks.is_empty() && cap.grade < graded.grade {
            graded.grade = cap.grade;
            graded.reason = reason(cap, &checks);
            graded.capped_by = checks;
        }
    }
    graded
}

fn by_points(tenths: u64, rule: &ScoreRule) -> Grade {
    let points = f64::from(u32::try_from(tenths).unwrap_or(u32::MAX)) / 10.0;
    rule.grades.iter().filter(|(_, least)| points >= *least).map(|(grade, _)| *grade).max().unwrap_or(Grade::F)
}

fn caps(cap: &Cap, finding: &Finding) -> bool {
    let is_named = cap.checks.is_empty() || cap.checks.contains(&finding.check);
    finding.waiver.is_none() && is_named && cap.severity.is_none_or(|least| finding.severity >= least)
}

fn reason(cap: &Cap, checks: &BTreeSet<String>) -> String {
    let names = checks.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    match cap.severity.filter(|_| cap.checks.is_empty()) {
        Some(severity) => {
            format!("no better than {} with a finding of severity {}: {names}", cap.grade.as_str(), severity.as_str())
        }
        None => format!("no better than {} with {names}", cap.grade.as_str()),
    }
}
