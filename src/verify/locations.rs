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

/// The line that brought one path of a layer, where one names it or its package.
pub(super) fn of_path(attribution: &Attribution, layer: usize, path: &[u8], package: Option<&str>) -> Option<LocationReport> {
    let evidence = Evidence { path: Some(path.to_vec()), package: package.map(str::to_owned), ..Evidence::default() };
    attribution.of_layer(layer, &tokens("", &evidence)).map(|location| report(attribution, &location))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::attribution::{AtHand, Dockerfiles, FoundBy, attribute};
    use crate::build::base::Making;
    use crate::limits::Limits;
    use crate::oci::History;

    const TEXT: &str =
        "FROM a\nRUN apt-get update \\\n && apt-get install -y gcc \\\n    curl \\\n && chmod u+s /bin/x\nUSER 1\n";

    fn attribution(path: &str) -> Attribution {
        let entry = |text: &str, empty_layer| History { created_by: text.to_owned(), empty_layer, ..History::default() };
        let history = [
            entry("ADD x /", false),
            entry("RUN apt-get update && apt-get install -y gcc curl && chmod u+s /bin/x", false),
            entry("USER 1", true),
        ];
        let diff_ids: Vec<_> = (0..2).map(|layer| format!("sha256:{layer:064x}").parse().unwrap()).collect();
        let file = AtHand { path: path.to_owned(), bytes: TEXT.as_bytes().to_vec() };
        let at_hand = Dockerfiles { files: vec![file], found_by: FoundBy::Given, cut: None };
        let making = Making { diff_ids: &diff_ids, layer_digests: &[], history: &history, provenance: &[] };
        attribute(&making, None, &at_hand, &Limits::default())
    }

    fn in_layer(layer: usize, path: &str, package: Option<&str>) -> Evidence {
        Evidence {
            path: Some(path.as_bytes().to_vec()),
            layer: Some(layer),
            package: package.map(str::to_owned),
            ..Evidence::default()
        }
    }

    /// Line and confidence of each location, and the indexes of the evidence.
    fn placed(check: &str, evidence: &[Evidence]) -> (Vec<String>, Vec<Option<usize>>) {
        let (locations, indexes) = of_finding(&attribution("Dockerfile"), check, evidence);
        (locations.iter().map(|it| format!("{} {}", it.line, it.confidence)).collect(), indexes)
    }

    fn lines(lines: &[&str]) -> Vec<String> {
        lines.iter().map(|line| (*line).to_owned()).collect()
    }

    #[test]
    fn own_lines_come_before_those_of_the_base_and_each_is_there_once() {
        let evidence =
            [in_layer(0, "/a", None), in_layer(1, "/b", None), in_layer(0, "/c", None), Evidence::of_config("config.User")];
        let expected = (lines(&["2 aligned", "6 aligned", "1 base"]), vec![Some(2), Some(0), Some(2), Some(1)]);
        assert_eq!(placed("compiler", &evidence), expected);
    }

    #[test]
    fn places_of_one_instruction_go_with_the_only_line_that_names_one_of_them() {
        let evidence = [in_layer(1, "/usr/bin/gcc", Some("gcc")), in_layer(1, "/usr/lib/cc1", Some("gcc-14"))];
        assert_eq!(placed("compiler", &evidence), (lines(&["3 aligned"]), vec![Some(0), Some(0)]));
        let evidence = [in_layer(1, "/a", Some("curl")), in_layer(1, "/b", Some("gcc")), in_layer(1, "/c", None)];
        assert_eq!(
            placed("compiler", &evidence),
            (lines(&["2 aligned", "3 aligned", "4 aligned"]), vec![Some(2), Some(1), Some(0)])
        );
    }

    #[test]
    fn a_mode_is_on_the_line_that_sets_it() {
        let evidence = [in_layer(1, "/usr/bin/x", Some("curl"))];
        assert_eq!(placed("setuid-file", &evidence).0, lines(&["4 aligned"]));
        let evidence = [in_layer(1, "/bin/x", Some("curl"))];
        assert_eq!(placed("setuid-file", &evidence).0, lines(&["5 aligned"]));
    }

    #[test]
    fn what_has_no_place_is_about_the_image_as_a_whole() {
        assert_eq!(placed("x", &[]), (lines(&["1 stage"]), vec![]));
        assert_eq!(placed("x", &[Evidence::of_config("config.Healthcheck")]), (lines(&["1 stage"]), vec![Some(0)]));
        assert_eq!(placed("x", &[in_layer(7, "/a", None)]), (vec![], vec![None]));
        assert_eq!(of_finding(&Attribution::default(), "x", &[in_layer(0, "/a", None)]), (vec![], vec![None]));
    }

    #[test]
    fn names_are_escaped() {
        let found = attribution("a\nb\u{202e}/Dockerfile");
        assert_eq!(dockerfile(&found).unwrap().file, "a\\x0ab\\xe2\\x80\\xae/Dockerfile");
        assert_eq!(of_layer(&found, 1).unwrap().file, "a\\x0ab\\xe2\\x80\\xae/Dockerfile");
    }
}
