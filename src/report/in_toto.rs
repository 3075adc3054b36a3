//! The report as in-toto statements: one for each image, on a line of its own, not signed.
//!
//! [Statement v1](https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md) with the predicate
//! [Test Result v0.1](https://github.com/in-toto/attestation/blob/main/spec/predicates/test-result.md). A subject is known by its
//! digest alone: an image without one gets no statement.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde::Serialize;

use super::model::{FindingReport, ImageReport, Report, Verdict};
use super::wording::shown;
use crate::checks;
use crate::oci::Digest;

const STATEMENT: &str = "https://in-toto.io/Statement/v1";
const PREDICATE: &str = "https://in-toto.io/attestation/test-result/v0.1";
const TOOL: &str = "https://github.com/plimsoll/plimsoll";

#[derive(Serialize)]
struct Statement {
    #[serde(rename = "_type")]
    kind: &'static str,
    subject: [Descriptor; 1],
    #[serde(rename = "predicateType")]
    predicate_type: &'static str,
    predicate: Predicate,
}

/// The fields of a ResourceDescriptor that are used here; one of `uri` and `digest` is always there.
#[derive(Serialize)]
struct Descriptor {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    digest: BTreeMap<&'static str, String>,
    annotations: BTreeMap<&'static str, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Predicate {
    result: &'static str,
    configuration: [Descriptor; 2],
    passed_tests: BTreeSet<String>,
    warned_tests: BTreeSet<String>,
    failed_tests: BTreeSet<String>,
}

/// One statement a line; empty when no image has a digest.
#[must_use]
pub fn render(report: &Report) -> String {
    let mut lines = String::new();
    for image in &report.images {
        if let Some(line) = statement(report, image).and_then(|statement| serde_json::to_string(&statement).ok()) {
            lines.push_str(&line);
            lines.push('\n');
        }
    }
    lines
}

fn statement(report: &Report, image: &ImageReport) -> Option<Statement> {
    Some(Statement {
        kind: STATEMENT,
        subject: [subject(image)?],
        predicate_type: PREDICATE,
        predicate: predicate(report, image),
    })
}

/// The image by the digest of its manifest; by that of its config for archives that hold no manifest, which the annotation tells.
fn subject(image: &ImageReport) -> Option<Descriptor> {
    let of = |text: &Option<String>| text.as_deref().and_then(|text| text.parse::<Digest>().ok());
    let (digest, digested) = match of(&image.manifest_digest) {
        Some(digest) => (digest, "manifest"),
        None => (of(&image.config_digest)?, "config"),
    };
    let mut annotations = BTreeMap::from([("digest-of", digested.to_owned())]);
    if let Some(it) = &image.platform {
        let variant = it.variant.as_ref().map(|variant| format!("/{variant}")).unwrap_or_default();
        annotations.insert("platform", shown(&format!("{}/{}{variant}", it.os, it.architecture)));
    }
    Some(Descriptor {
        name: image.reference.as_deref().map(shown),
        uri: None,
        digest: BTreeMap::from([(digest.algorithm().as_str(), digest.hex().to_owned())]),
        annotations,
    })
}

fn predicate(report: &Report, image: &ImageReport) -> Predicate {
    let (mut passed, mut warned, mut failed) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for finding in &image.findings {
        if finding.fails { &mut failed } else { &mut warned }.insert(id(finding));
    }
    let is_whole = image.errors.is_empty() && image.examined.not_examined.is_empty();
    match (image.verdict, is_whole) {
        (Verdict::Unverifiable, _) => failed.insert("verification".to_owned()),
        // the policy lets what was not examined pass
        (_, false) => warned.insert("verification".to_owned()),
        (_, true) => passed.insert("verification".to_owned()),
    };
    if image.verdict == Verdict::Fail && failed.is_empty() {
        failed.insert("verdict".to_owned());
    }
    if image.verdict != Verdict::Unverifiable && is_whole {
        passed.extend(evaluated(report, image));
    }
    warned.retain(|id| !failed.contains(id));
    passed.retain(|id| !failed.contains(id) && !warned.contains(id));
    let result = match image.verdict {
        Verdict::Pass if failed.is_empty() && warned.is_empty() => "PASSED",
        Verdict::Pass if failed.is_empty() => "WARNED",
        Verdict::Pass | Verdict::Fail | Verdict::Unverifiable => "FAILED",
    };
    Predicate { result, configuration: configuration(report), passed_tests: passed, warned_tests: warned, failed_tests: failed }
}

/// Checks that the program which wrote the report has, and rules of the policy, but for those that the policy switches off.
fn evaluated(report: &Report, image: &ImageReport) -> BTreeSet<String> {
    let wrote = version(&report.tool.version);
    let known =
        checks::ALL.iter().filter(|check| wrote.is_some_and(|wrote| version(check.since).is_some_and(|since| since <= wrote)));
    let ids = known.map(|check| check.id).chain(report.policy.rules.iter().map(|rule| rule.id.as_str()));
    let off: BTreeSet<&str> = image.left_out.iter().filter(|left| left.reason == "off").map(|left| left.check.as_str()).collect();
    ids.filter(|id| !off.contains(id)).map(shown).collect()
}

fn version(text: &str) -> Option<[u64; 3]> {
    let numbers = text.split_once(['-', '+']).map_or(text, |(numbers, _)| numbers);
    let numbers: Option<Vec<u64>> = numbers.split('.').map(|number| number.parse().ok()).collect();
    numbers?.try_into().ok()
}

fn id(finding: &FindingReport) -> String {
    shown(&finding.check)
}

/// The policy, which has no digest in the report, and the program.
fn configuration(report: &Report) -> [Descriptor; 2] {
    let policy = &report.policy;
    let mut annotations = BTreeMap::from([("fail-on", shown(&policy.fail_on))]);
    if let Some(day) = &policy.as_of {
        annotations.insert("as-of", shown(day));
    }
    let of = |name: &str, uri: String, annotations| Descriptor {
        name: Some(shown(name)),
        uri: Some(uri),
        digest: BTreeMap::new(),
        annotations,
    };
    let version = BTreeMap::from([("version", shown(&report.tool.version))]);
    [
        of(&policy.name, format!("plimsoll:policy/{}", percent_encoded(&policy.name)), annotations),
        of("plimsoll", TOOL.to_owned(), version),
    ]
}

/// Text as one segment of a URI's path (RFC 3986, section 2): all but unreserved characters become `%XX`.
fn percent_encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in shown(text).bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => {
                // writing to a String cannot fail
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}
