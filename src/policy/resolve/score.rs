//! The numbers of the score.

use std::collections::BTreeMap;

use super::super::error::PolicyError;
use super::super::file::{CapTable, GradesTable, GroupTable, ScoreTable};
use super::super::{Cap, Grade, Group, Measure, ScoreRule, likeness};
use super::Resolver;

/// The score as the files have it together.
pub(super) fn rule(score: ScoreTable, resolver: &mut Resolver<'_>) -> ScoreRule {
    let groups = groups(score.groups.unwrap_or_default(), resolver);
    if !groups.is_empty() {
        let present = [
            ("bytes_unit", score.bytes_unit.is_some()),
            ("count_unit", score.count_unit.is_some()),
            ("grades", score.grades.is_some()),
        ];
        for (key, _) in present.into_iter().filter(|(_, is_there)| !is_there) {
            let problem = format!("the key `{key}` is missing here: a score with groups needs it (extend default, or give it)");
            let place = resolver.at(&["score"]);
            resolver.fault(PolicyError::Malformed { place, problem });
        }
    }
    let (bytes_unit, count_unit) = (score.bytes_unit.map(|size| size.0), score.count_unit);
    for (key, unit) in [("bytes_unit", bytes_unit), ("count_unit", count_unit)] {
        if unit == Some(0) {
            let place = resolver.at(&["score", key]);
            resolver.fault(PolicyError::Range { place, key: key.to_owned(), found: 0.0, wanted: "1 or more" });
        }
    }
    ScoreRule {
        groups,
        bytes_unit: bytes_unit.unwrap_or_default(),
        count_unit: count_unit.unwrap_or_default(),
        grades: grades(&score.grades.unwrap_or_default(), resolver),
        caps: caps(score.caps.unwrap_or_default(), resolver),
    }
}

fn groups(tables: Vec<GroupTable>, resolver: &mut Resolver<'_>) -> Vec<Group> {
    let mut groups = Vec::new();
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    let mut measured: BTreeMap<String, String> = BTreeMap::new();
    let mut sum = 0.0;
    let is_there = !tables.is_empty();
    for (number, table) in tables.into_iter().enumerate() {
        let number = number.to_string();
        resolver.filled(&table.name, "name", &["score", "groups", &number]);
        if let Some(first) = names.insert(table.name.clone(), number.clone()) {
            let at = |number: &str| resolver.at(&["score", "groups", number, "name"]);
            let (place, first) = (at(&number), at(&first));
            resolver.fault(PolicyError::Duplicate { place, what: "group", name: table.name.clone(), first });
        }
        let mut weights = Vec::new();
        for (name, weight) in table.weights.0 {
            let path = ["score", "groups", &number, "weights", &name];
            let Some(measure) = measure(&name, weight, &path, resolver) else { continue };
            if let Some(first) = measured.insert(name.clone(), number.clone()) {
                let place = resolver.key_at(&path);
                let first = resolver.key_at(&["score", "groups", &first, "weights", &name]);
                resolver.fault(PolicyError::Duplicate { place, what: "measurement", name, first });
            }
            sum += weight;
            weights.push((measure, weight));
        }
        groups.push(Group { name: table.name, weights });
    }
    if is_there && sum <= 0.0 && resolver.faults.is_empty() {
        let place = resolver.at(&["score", "groups"]);
        resolver.fault(PolicyError::Range { place, key: "sum of the weights".to_owned(), found: sum, wanted: "more than 0" });
    }
    groups
}

/// The measurement of that name; None, which is told, when there is none or its weight is out of range.
fn measure(name: &str, weight: f64, path: &[&str], resolver: &mut Resolver<'_>) -> Option<Measure> {
    if !(0.0..=1000.0).contains(&weight) {
        let place = resolver.at(path);
        resolver.fault(PolicyError::Range { place, key: name.to_owned(), found: weight, wanted: "a number from 0 to 1000" });
        return None;
    }
    let found = Measure::parse(name);
    if found.is_none() {
        let names = || Measure::ALL.iter().map(|measure| measure.as_str());
        let all = format!("the measurements are {}", names().collect::<Vec<_>>().join(", "));
        let (place, advice) = (resolver.key_at(path), likeness::advice(name, names(), &all));
        resolver.fault(PolicyError::UnknownWord { place, what: "measurement", word: name.to_owned(), advice });
    }
    found
}

fn grades(table: &GradesTable, resolver: &mut Resolver<'_>) -> Vec<(Grade, f64)> {
    let all = [(Grade::A, table.a), (Grade::B, table.b), (Grade::C, table.c), (Grade::D, table.d)];
    let mut grades: Vec<(Grade, f64)> = Vec::new();
    for (grade, from) in all.into_iter().filter_map(|(grade, from)| Some((grade, from?))) {
        let path = ["score", "grades", grade.as_str()];
        resolver.in_range(&path.join("."), from, &path);
        if let Some((better, better_from)) = grades.last().copied().filter(|(_, better_from)| *better_from <= from) {
            let (place, better, worse) = (resolver.at(&path), better.as_str(), grade.as_str());
            resolver.fault(PolicyError::Grades { place, better, better_from, worse, worse_from: from });
        }
        grades.push((grade, from));
    }
    grades
}

fn caps(tables: Vec<CapTable>, resolver: &mut Resolver<'_>) -> Vec<Cap> {
    let mut caps = Vec::new();
    for (number, table) in tables.into_iter().enumerate() {
        let number = number.to_string();
        let checks = table.checks.unwrap_or_default();
        if checks.is_empty() && table.severity.is_none() {
            let place = resolver.at(&["score", "caps", &number]);
            resolver.fault(PolicyError::CapOfAll { place });
        }
        for (index, id) in checks.iter().enumerate() {
            resolver.known_id(id, |this| this.at(&["score", "caps", &number, "checks", &index.to_string()]));
        }
        caps.push(Cap { grade: table.grade.into(), checks, severity: table.severity.map(Into::into) });
    }
    caps
}
