//! Results: one for every rule and line, with what the line brought; and those that say that an image was not verified.

use std::collections::{BTreeMap, BTreeSet};

use super::super::model::{EvidenceReport, ImageReport, LocationReport, Report, Verdict};
use super::super::placed::{self, Placed};
use super::super::quantity::counted;
use super::super::wording::{error, not_examined, shown};
use super::log::{
    ArtifactLocation, EvidenceProperties, FindingProperties, LayerProperties, Level, Location, PhysicalLocation, Region, Result,
    ResultProperties, Rule, Suppression, Text,
};
use super::message::{self, RELATED, escaped};
use super::rules;

/// Errors and places that one message tells.
const TOLD: usize = 10;
/// Characters of one string in the properties.
const CHARACTERS: usize = 16_384;

/// What every result of an image needs to know of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Of<'a> {
    pub(super) report: &'a Report,
    /// None for the source as a whole.
    pub(super) image: Option<&'a ImageReport>,
    pub(super) rules: &'a [Rule],
    /// Places that a result's properties hold at most.
    pub(super) places: usize,
}

/// Findings of one rule at one place, the worst first; waived ones apart.
struct Group<'a> {
    id: String,
    is_waived: bool,
    placed: Vec<Placed<'a>>,
}

/// What findings of one result share: rule, whether they are waived, file and line.
type Key<'a> = (&'a str, bool, Option<(&'a str, usize)>);

/// All results, the worst first.
pub(super) fn all<'a>(of: Of<'a>, shows_waived: bool) -> Vec<Result<'a>> {
    let mut results: Vec<Result<'a>> = unverified(of).into_iter().collect();
    if let Some(image) = of.image {
        let mut seen = BTreeMap::new();
        for group in groups(image, shows_waived) {
            results.extend(of_group(of, image, &group, &mut seen));
        }
        if image.verdict == Verdict::Fail && !image.findings.iter().any(|it| it.fails && it.waived.is_none()) {
            let told = ["The image fails the policy, and none of its findings says why".to_owned()];
            results.extend(of_whole(of, rules::VERDICT, Level::Error, &told));
        }
    }
    results
}

/// That an image, or the source, could not be verified; None when it was.
fn unverified(of: Of<'_>) -> Option<Result<'_>> {
    let (errors, verdict, unseen) = match of.image {
        Some(image) => (&image.errors, image.verdict, image.examined.not_examined.as_slice()),
        None => (&of.report.errors, of.report.verdict, [].as_slice()),
    };
    let more = |all: usize, noun: &str| {
        let more = all.saturating_sub(TOLD);
        (more > 0).then(|| format!("And {}", counted(more, &format!("more {noun}"))))
    };
    if let Some(first) = errors.first() {
        let mut told = vec![format!("The image could not be verified: {}", shown(&first.code))];
        told.extend(errors.iter().take(TOLD).map(|it| format!("{}: {}", shown(&it.code), error(it))));
        told.extend(more(errors.len(), "error"));
        return of_whole(of, rules::UNVERIFIABLE, Level::Error, &told);
    }
    match (verdict, unseen) {
        (Verdict::Unverifiable, []) => {
            let told = ["The image could not be verified".to_owned()];
            of_whole(of, rules::UNVERIFIABLE, Level::Error, &told)
        }
        (Verdict::Unverifiable, places) => {
            let mut told = vec!["Some content could not be examined, so the image is not verified".to_owned()];
            told.extend(places.iter().take(TOLD).map(not_examined));
            told.extend(more(places.len(), "place"));
            of_whole(of, rules::NOT_EXAMINED, Level::Error, &told)
        }
        _ => None,
    }
}

/// A result about an image as a whole, on its synthetic path.
pub(super) fn of_whole<'a>(of: Of<'a>, rule: &'static str, level: Level, told: &[String]) -> Option<Result<'a>> {
    let rule_index = rules::find(of.rules, rule)?;
    let (repository, platform) = (placed::repository(of.report, of.image), placed::platform(of.image));
    let own = placed::fingerprint([rule, repository, &platform]);
    Some(Result {
        rule_id: &of.rules.get(rule_index)?.id,
        rule_index,
        level,
        message: Text { text: message::of_whole(of.report, of.image, told) },
        locations: [synthetic(of)],
        related_locations: Vec::new(),
        partial_fingerprints: fingerprints(of, rule, None, own),
        occurrence_count: 1,
        suppressions: Vec::new(),
        properties: ResultProperties { location: "none", ..ResultProperties::default() },
    })
}

fn groups(image: &ImageReport, shows_waived: bool) -> Vec<Group<'_>> {
    let mut index: BTreeMap<Key<'_>, usize> = BTreeMap::new();
    let mut groups: Vec<Group<'_>> = Vec::new();
    for finding in image.findings.iter().filter(|finding| shows_waived || finding.waived.is_none()) {
        let is_waived = finding.waived.is_some();
        for place in placed::places(finding) {
            let line = place.location.map(|location| (location.file.as_str(), location.line));
            let at = *index.entry((&finding.check, is_waived, line)).or_insert(groups.len());
            match groups.get_mut(at) {
                Some(group) => group.placed.push(place),
                None => groups.push(Group { id: shown(&finding.check), is_waived, placed: vec![place] }),
            }
        }
    }
    for group in &mut groups {
        // keeps the order of the report within a rank
        group.placed.sort_by_key(rank);
    }
    groups.sort_by_key(|group| (group.is_waived, group.placed.first().map(rank)));
    groups
}

/// 0 for the worst: what fails before what does not, then by severity.
fn rank(placed: &Placed<'_>) -> (bool, usize) {
    let severities = ["critical", "high", "medium", "low"];
    let told = placed.finding.severity.as_deref();
    (!placed.finding.fails, severities.iter().position(|severity| told == Some(*severity)).unwrap_or(severities.len()))
}

/// What fails is an error; nothing else is, so that errors are what the exit code speaks of.
fn level(placed: &Placed<'_>) -> Level {
    let of_severity = rules::level(placed.finding.severity.as_deref());
    if placed.finding.fails { Level::Error } else { of_severity.min(Level::Warning) }
}

fn of_group<'a>(of: Of<'a>, image: &'a ImageReport, group: &Group<'a>, seen: &mut BTreeMap<String, usize>) -> Option<Result<'a>> {
    let rule_index = rules::find(of.rules, &group.id)?;
    let worst = group.placed.first()?;
    let location = worst.location;
    let mut fingerprint = own_fingerprint(of, group);
    let count = seen.entry(fingerprint.clone()).or_default();
    *count = count.saturating_add(1);
    if *count > 1 {
        fingerprint = placed::fingerprint([fingerprint.as_str(), &count.to_string()]);
    }
    let related = location.map(|it| it.related.as_slice()).unwrap_or_default();
    let related = related.iter().take(RELATED).zip(1usize..).filter_map(|(it, id)| {
        let region = lines(it.start_line, it.end_line, &it.instruction);
        let physical_location = PhysicalLocation {
            artifact_location: ArtifactLocation { uri: placed::uri(&it.file)? },
            region,
            context_region: None,
        };
        Some(Location { id: Some(id), physical_location, message: Some(Text { text: escaped(&it.instruction) }) })
    });
    Some(Result {
        rule_id: &of.rules.get(rule_index)?.id,
        rule_index,
        level: level(worst),
        message: Text { text: message::of_findings(of.report, image, &group.placed) },
        locations: [location.and_then(on_line).unwrap_or_else(|| synthetic(of))],
        related_locations: related.collect(),
        partial_fingerprints: fingerprints(of, &group.id, location, fingerprint),
        occurrence_count: group.placed.len(),
        suppressions: suppressions(group),
        properties: properties(of, image, group),
    })
}

fn own_fingerprint(of: Of<'_>, group: &Group<'_>) -> String {
    let platform = placed::platform(of.image);
    let identities: BTreeSet<Vec<String>> = group.placed.iter().map(placed::identity).collect();
    let known = [group.id.as_str(), placed::repository(of.report, of.image), &platform];
    placed::fingerprint(known.into_iter().chain(identities.iter().flatten().map(String::as_str)))
}

/// GitHub's own hash of a line goes where GitHub looks for it. Where there is a file and no hash, its upload fills it in from the
/// checkout; where there is none, nothing would: the rule and the image stand for the line.
fn fingerprints(of: Of<'_>, rule: &str, location: Option<&LocationReport>, own: String) -> BTreeMap<&'static str, String> {
    let line = if let Some(location) = location {
        location.line_hash.clone()
    } else {
        let hash = placed::fingerprint([rule, placed::repository(of.report, of.image), &placed::platform(of.image)]);
        hash.get(..16).map(|start| format!("{start}:1"))
    };
    let line = line.map(|line| ("primaryLocationLineHash", line));
    line.into_iter().chain([("plimsollFinding/v1", own)]).collect()
}

/// Every waiver that accepts one of the findings, once.
fn suppressions(group: &Group<'_>) -> Vec<Suppression> {
    let waived = group.placed.iter().filter_map(|it| it.finding.waived.as_ref());
    let reasons: BTreeSet<String> = waived
        .map(|it| {
            let owner = it.owner.as_ref().map(|owner| format!(" by {owner}")).unwrap_or_default();
            shown(&format!("waived until {}{owner}: {}", it.expires, it.reason))
        })
        .collect();
    let reason = |justification| Suppression { kind: "external", status: "accepted", justification };
    reasons.into_iter().take(TOLD).map(reason).collect()
}

/// The path of what has no line of a source.
fn synthetic(of: Of<'_>) -> Location {
    let region = Region { start_line: 1, start_column: Some(1), end_line: 1, end_column: Some(1), snippet: None };
    let artifact_location = ArtifactLocation { uri: placed::synthetic(of.report, of.image) };
    Location { id: None, physical_location: PhysicalLocation { artifact_location, region, context_region: None }, message: None }
}

/// One line, so that one edited line of a long instruction does not hide the alert in a pull request; the whole instruction is the context.
fn on_line(location: &LocationReport) -> Option<Location> {
    let line = location.line.max(1);
    let is_one_line = location.start_line == location.end_line;
    // where the line ends is known when the instruction is the line; its first word is there in any case, unless the line is a later one
    let shown = match location.instruction.split_whitespace().next() {
        _ if is_one_line => location.instruction.as_str(),
        Some(word) if location.line == location.start_line => word,
        _ => "",
    };
    let end_column = columns(shown).max(1).saturating_add(1);
    let region = Region { start_line: line, start_column: Some(1), end_line: line, end_column: Some(end_column), snippet: None };
    let (start, end) = (location.start_line.clamp(1, line), location.end_line.max(line));
    let context_region = Some(lines(start, end, &location.instruction));
    let artifact_location = ArtifactLocation { uri: placed::uri(&location.file)? };
    Some(Location { id: None, physical_location: PhysicalLocation { artifact_location, region, context_region }, message: None })
}

/// Whole lines and the instruction on them.
fn lines(start: usize, end: usize, instruction: &str) -> Region {
    let start_line = start.max(1);
    let snippet = (!instruction.is_empty()).then(|| Text { text: shown(instruction) });
    Region { start_line, start_column: None, end_line: end.max(start_line), end_column: None, snippet }
}

/// Columns as SARIF counts them here: UTF-16 code units.
fn columns(text: &str) -> usize {
    text.encode_utf16().count()
}

fn properties<'a>(of: Of<'a>, image: &'a ImageReport, group: &Group<'a>) -> ResultProperties<'a> {
    let location = group.placed.first().and_then(|it| it.location);
    let indexes: BTreeSet<usize> = group.placed.iter().flat_map(|it| &it.evidence).filter_map(|it| it.layer).collect();
    let layers = image.layers.iter().filter(|layer| indexes.contains(&layer.index)).take(of.places);
    let mut left = of.places;
    let findings = group.placed.iter().take(of.places).map(|placed| {
        let evidence: Vec<EvidenceProperties<'a>> = placed.evidence.iter().take(left).map(|it| of_evidence(it)).collect();
        left = left.saturating_sub(evidence.len());
        let finding = placed.finding;
        FindingProperties {
            code: finding.code.as_deref(),
            subject: clipped(&finding.subject),
            severity: finding.severity.as_deref(),
            fails: finding.fails,
            message: clipped(&finding.message),
            fix: clipped(&finding.fix),
            origin: finding.origin.as_deref(),
            places: placed.evidence.len(),
            evidence,
        }
    });
    let findings = findings.collect();
    let of_layer = |layer: &'a super::super::model::LayerReport| LayerProperties {
        index: layer.index,
        diff_id: &layer.diff_id,
        instruction: layer.instruction.as_deref().map(clipped),
    };
    ResultProperties {
        location: location.map_or("none", |it| &it.confidence),
        instruction: location.map(|it| clipped(&it.instruction)).filter(|it| !it.is_empty()),
        layers: layers.map(of_layer).collect(),
        findings,
    }
}

fn of_evidence(it: &EvidenceReport) -> EvidenceProperties<'_> {
    EvidenceProperties {
        path: it.path.as_deref().map(clipped),
        layer: it.layer,
        config: it.config.as_deref(),
        linkname: it.linkname.as_deref().map(clipped),
        package: it.package.as_deref().map(clipped),
        bytes: it.bytes,
    }
}

/// The start of a string that may be megabytes long; every path of a file system is shorter.
fn clipped(text: &str) -> &str {
    text.char_indices().nth(CHARACTERS).and_then(|(at, _)| text.get(..at)).unwrap_or(text)
}
