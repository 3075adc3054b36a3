//! The lines of the Dockerfile that a finding comes from.

use std::collections::{BTreeMap, BTreeSet};

use crate::build::attribution::{Attribution, Confidence, Lined, Location, Token};
use crate::finding::Evidence;
use crate::oci::escape_text;
use crate::report::model::{DockerfileReport, LocationReport, RelatedReport};

/// Places of one finding whose names are looked for on lines; the others are on the first line of their instruction.
const SEARCHED: usize = 500;

/// Checks whose places come from setting a mode.
const OF_MODES: [&str; 2] = ["setgid-file", "setuid-file"];

/// The Dockerfile and how its lines are known.
pub(super) fn dockerfile(attribution: &Attribution) -> Option<DockerfileReport> {
    let found = attribution.dockerfile.as_ref()?;
    Some(DockerfileReport {
        file: escape_text(&found.path),
        found_by: found.found_by.as_str().to_owned(),
        target: found.target.as_deref().map(escape_text),
        confidence: found.confidence.map_or("none", Confidence::as_str).to_owned(),
        detail: escape_text(&found.detail),
    })
}

/// The line that made a layer.
pub(super) fn of_layer(attribution: &Attribution, layer: usize) -> Option<LocationReport> {
    attribution.of_layer(layer, &[]).map(|location| report(attribution, &location))
}

/// The lines of a finding, own ones before those of the base, and by line; and for each place of evidence the index of its line.
pub(super) fn of_finding(
    attribution: &Attribution,
    check: &str,
    evidence: &[Evidence],
) -> (Vec<LocationReport>, Vec<Option<usize>>) {
    if evidence.is_empty() {
        return (attribution.of_image().iter().map(|location| report(attribution, location)).collect(), Vec::new());
    }
    let mut found: Vec<Option<Location>> =
        evidence.iter().enumerate().map(|(index, one)| of_evidence(attribution, check, one, index < SEARCHED)).collect();
    gather(&mut found);
    let mut distinct: Vec<&Location> = Vec::new();
    let mut seen = BTreeSet::new();
    for location in found.iter().flatten() {
        if seen.insert(place(location)) {
            distinct.push(location);
        }
    }
    distinct.sort_by_key(|location| place(location));
    let indexes: BTreeMap<Place, usize> = distinct.iter().enumerate().map(|(index, location)| (place(location), index)).collect();
    let index = |location: &Option<Location>| indexes.get(&place(location.as_ref()?)).copied();
    (distinct.iter().map(|location| report(attribution, location)).collect(), found.iter().map(index).collect())
}

/// What sets lines of one finding apart, in the order that they are shown.
type Place = (bool, usize, usize, Confidence);

fn place(location: &Location) -> Place {
    (location.confidence == Confidence::Base, location.line, location.instruction.start, location.confidence)
}

/// Where the places of one instruction stand on a single one of its lines, those without a line of their own go with them.
fn gather(found: &mut [Option<Location>]) {
    let mut lines: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for location in found.iter().flatten().filter(|location| location.line != location.instruction.start) {
        lines.entry(location.instruction.start).or_default().insert(location.line);
    }
    let of_line: BTreeMap<usize, (usize, Option<String>)> = found
        .iter()
        .flatten()
        .filter(|location| lines.get(&location.instruction.start).is_some_and(|lines| lines.len() == 1))
        .filter(|location| location.line != location.instruction.start)
        .map(|location| (location.instruction.start, (location.line, location.line_hash.clone())))
        .collect();
    for location in found.iter_mut().flatten() {
        if let Some((line, hash)) = of_line.get(&location.instruction.start) {
            location.line = *line;
            location.line_hash.clone_from(hash);
        }
    }
}

fn of_evidence(attribution: &Attribution, check: &str, evidence: &Evidence, is_searched: bool) -> Option<Location> {
    if let Some(layer) = evidence.layer {
        let tokens = if is_searched { tokens(check, evidence) } else { Vec::new() };
        return attribution.of_layer(layer, &tokens);
    }
    match &evidence.config {
        Some(field) => attribution.of_config(field),
        None => attribution.of_image(),
    }
}

/// What may stand on the line that brought a place, the surest first.
fn tokens(check: &str, evidence: &Evidence) -> Vec<Token> {
    let path = evidence.path.as_deref().and_then(|path| std::str::from_utf8(path).ok());
    let mut tokens = Vec::new();
    if let Some(path) = path.filter(|_| OF_MODES.contains(&check)) {
        let name = path.rsplit('/').next().unwrap_or_default();
        tokens.extend([path, name].map(|name| Token::Mode(name.to_owned())));
    }
    tokens.extend(path.into_iter().chain(evidence.package.as_deref()).map(|name| Token::Name(name.to_owned())));
    tokens
}

fn report(attribution: &Attribution, location: &Location) -> LocationReport {
    let file = attribution.dockerfile.as_ref().map(|found| escape_text(&found.path)).unwrap_or_default();
    let related = |lined: &Lined| RelatedReport {
        file: file.clone(),
        start_line: lined.start,
        end_line: lined.end,
        instruction: escape_text(&lined.text),
    };
    LocationReport {
        line: location.line,
        start_line: location.instruction.start,
        end_line: location.instruction.end,
        confidence: location.confidence.as_str().to_owned(),
        instruction: escape_text(&location.instruction.text),
        line_hash: location.line_hash.clone(),
        related: location.related.iter().map(related).collect(),
        file,
    }
}
