//! What formats that stand on lines of a repository share: an image's name without what changes from build to build, places of findings,
//! URIs of files, and fingerprints.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::model::{EvidenceReport, FindingReport, ImageReport, LocationReport, Report};
use super::wording;

/// One place of a finding: a line and what it brought; the whole finding where no line is known.
#[derive(Debug, Clone)]
pub(super) struct Placed<'a> {
    pub(super) finding: &'a FindingReport,
    /// None when no line is known.
    pub(super) location: Option<&'a LocationReport>,
    /// What the line brought. Evidence whose line is not known stands with the first line.
    pub(super) evidence: Vec<&'a EvidenceReport>,
}

/// The places of a finding, one for every location; one without a location where there is none.
pub(super) fn places(finding: &FindingReport) -> Vec<Placed<'_>> {
    if finding.locations.is_empty() {
        return vec![Placed { finding, location: None, evidence: finding.evidence.iter().collect() }];
    }
    let last = finding.locations.len().saturating_sub(1);
    let of = |evidence: &EvidenceReport| evidence.location.filter(|at| *at <= last).unwrap_or(0);
    let mut placed: Vec<Placed<'_>> =
        finding.locations.iter().map(|location| Placed { finding, location: Some(location), evidence: Vec::new() }).collect();
    for evidence in &finding.evidence {
        if let Some(place) = placed.get_mut(of(evidence)) {
            place.evidence.push(evidence);
        }
    }
    placed
}

/// The image's repository: its name without tag and digest, or the file's name where it has none.
pub(super) fn repository<'a>(report: &'a Report, image: Option<&'a ImageReport>) -> &'a str {
    image.and_then(|image| image.reference.as_deref()).map_or_else(|| wording::source(report), without_tag)
}

/// A reference without tag and digest.
pub(super) fn without_tag(reference: &str) -> &str {
    let name = reference.split_once('@').map_or(reference, |(name, _)| name);
    match name.rsplit_once(':') {
        // a colon before a slash belongs to the registry's port
        Some((repository, tag)) if !tag.contains('/') => repository,
        _ => name,
    }
}

/// `linux-amd64`, `linux-arm64-v8`; `unknown` where the config could not be read.
pub(super) fn platform(image: Option<&ImageReport>) -> String {
    let Some(it) = image.and_then(|image| image.platform.as_ref()) else { return "unknown".to_owned() };
    let parts = [Some(&it.os), Some(&it.architecture), it.variant.as_ref()];
    let parts: Vec<String> = parts.into_iter().flatten().filter(|part| !part.is_empty()).map(|part| plain(part, false)).collect();
    if parts.is_empty() { "unknown".to_owned() } else { parts.join("-") }
}

/// Characters of a name that stand in a path.
const NAME: usize = 200;

/// The repository as a path that is no URI of a scheme, never absolute, climbs nowhere and is never empty: what is neither letter, digit
/// nor one of `._-` is an underscore.
pub(super) fn synthetic(report: &Report, image: Option<&ImageReport>) -> String {
    let path = plain(repository(report, image), true);
    let parts: Vec<&str> = path.split('/').filter(|part| !matches!(*part, "" | "." | "..")).collect();
    if parts.is_empty() { "image".to_owned() } else { parts.join("/") }
}

fn plain(text: &str, keeps_slashes: bool) -> String {
    let is_kept = |it: char| it.is_ascii_alphanumeric() || matches!(it, '.' | '_' | '-') || (keeps_slashes && it == '/');
    text.chars().take(NAME).map(|it| if is_kept(it) { it } else { '_' }).collect()
}

/// The relative URI of a file whose path is escaped as in the report, byte by byte (RFC 3986, unreserved characters and slashes stand for
/// themselves). None where nothing is left of it.
pub(super) fn uri(file: &str) -> Option<String> {
    let bytes = path_bytes(file);
    let parts = bytes.split(|byte| *byte == b'/').filter(|part| !matches!(*part, b"" | b"." | b".."));
    let encoded: Vec<String> = parts.map(percent_encoded).collect();
    (!encoded.is_empty()).then(|| encoded.join("/"))
}

/// The path as text, relative and without steps that lead nowhere; bytes that are no UTF-8 are replaced. None where nothing is left of it.
pub(super) fn path(file: &str) -> Option<String> {
    let bytes = path_bytes(file);
    let text = String::from_utf8_lossy(&bytes);
    let parts: Vec<&str> = text.split('/').filter(|part| !matches!(*part, "" | "." | "..")).collect();
    (!parts.is_empty()).then(|| parts.join("/"))
}

fn percent_encoded(part: &[u8]) -> String {
    let mut out = String::with_capacity(part.len());
    for byte in part {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(*byte));
        } else {
            // writing to a String cannot fail
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// The bytes that the report's escapes stand for: `\xNN` and `\\`. A backslash before anything else stands for itself.
fn path_bytes(escaped: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(escaped.len());
    let mut rest = escaped;
    while let Some((before, after)) = rest.split_once('\\') {
        out.extend_from_slice(before.as_bytes());
        let byte = after.strip_prefix('x').and_then(|hex| hex.get(..2)).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        rest = if let (Some(byte), Some(behind)) = (byte, after.get(3..)) {
            out.push(byte);
            behind
        } else {
            out.push(b'\\');
            after.strip_prefix('\\').unwrap_or(after)
        };
    }
    out.extend_from_slice(rest.as_bytes());
    out
}

/// SHA-256 over the parts, in hex; no two lists of parts are alike.
pub(super) fn fingerprint<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
        hash.update(length.to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().iter().fold(String::with_capacity(64), |mut hex, byte| {
        // writing to a String cannot fail
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// What tells a place from the others of its check, the same from build to build: code, and subject, or the config's field.
/// Where a finding has several lines, the file and the instruction too.
pub(super) fn identity(placed: &Placed<'_>) -> Vec<String> {
    let finding = placed.finding;
    let field = placed.evidence.iter().find_map(|it| it.config.as_deref()).unwrap_or_default();
    let subject = if finding.subject.is_empty() { field } else { &finding.subject };
    let mut parts = vec![finding.code.clone().unwrap_or_default(), subject.to_owned()];
    if finding.locations.len() > 1
        && let Some(location) = placed.location
    {
        parts.extend([location.file.clone(), location.instruction.clone()]);
    }
    parts
}

/// A finding's message without what changes from build to build though the cause is the same: the weight at its end, digests, and how
/// far a size or a score is from what the policy allows.
pub(super) fn stable(finding: &FindingReport) -> String {
    if let Some(told) = of_requirement(&finding.check, &finding.subject) {
        return told.to_owned();
    }
    let clauses: Vec<&str> = finding.message.split("; ").map(without_weight).collect();
    without_digests(&clauses.join("; "))
}

fn of_requirement(check: &str, subject: &str) -> Option<&'static str> {
    Some(match (check, subject) {
        ("image-too-large", "shipped") => "The uncompressed layers weigh more than the policy allows",
        ("image-too-large", "compressed") => "The layers as stored weigh more than the policy allows",
        ("image-too-large", "ballast") => "The ballast weighs more than the policy allows",
        ("score-too-low", "score") => "The score is lower than the policy asks for",
        ("score-too-low", "grade") => "The grade is lower than the policy asks for",
        _ => return None,
    })
}

/// `9 files under /var/lib/apt/lists, 19 MiB` without its end.
fn without_weight(clause: &str) -> &str {
    let Some((said, weight)) = clause.rsplit_once(", ") else { return clause };
    let is_weight = weight.split_once(' ').is_some_and(|(number, unit)| {
        number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
            && matches!(unit, "byte" | "bytes" | "KiB" | "MiB" | "GiB")
    });
    if is_weight { said } else { clause }
}

/// Hexadecimal digits that follow the name of an algorithm, as in digests and in the names of blobs, are taken out.
pub(super) fn without_digests(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = ["sha256:", "sha512:", "sha256/", "sha512/"].iter().filter_map(|name| rest.find(name)).min() {
        let (before, after) = rest.split_at(at.saturating_add("sha256:".len()));
        let behind = after.trim_start_matches(|it: char| it.is_ascii_hexdigit());
        out.push_str(before);
        if after.len().saturating_sub(behind.len()) >= 32 {
            out.push_str("...");
            rest = behind;
        } else {
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn a_file_s_uri_holds_its_bytes_and_leads_nowhere_else() {
        let of = |file| uri(file).unwrap_or_default();
        assert_eq!(of("services/cart ü/Dockerfile"), "services/cart%20%C3%BC/Dockerfile");
        assert_eq!(of("a\\\\b\\xff:c\\x"), "a%5Cb%FF%3Ac%5Cx");
        assert_eq!(of("/etc/../../x//./y"), "etc/x/y");
        assert_eq!(of("app:dev"), "app%3Adev");
        assert_eq!(of("%2e%2e/x"), "%252e%252e/x");
        assert!(uri("/..").is_none() && uri("").is_none());
        assert_eq!(path("/a/../ü\\x0a\\xff").as_deref(), Some("a/ü\n\u{fffd}"));
    }

    #[test]
    fn repositories_have_neither_tag_nor_digest() {
        assert_eq!(without_tag("localhost:5000/app"), "localhost:5000/app");
        assert_eq!(without_tag("localhost:5000/app:1.2@sha256:00"), "localhost:5000/app");
        assert_eq!(without_tag("app"), "app");
    }

    #[test]
    fn a_synthetic_path_is_never_empty_absolute_or_a_uri_of_a_scheme() {
        let of = |reference: &str| {
            let mut report = samples::good();
            report.images[0].reference = Some(reference.to_owned());
            synthetic(&report, report.images.first())
        };
        assert_eq!(of("localhost:5000/app:1"), "localhost_5000/app");
        assert_eq!(of("/../ü x/./.."), "__x");
        assert_eq!(of(":1"), "image");
        assert_eq!(of(""), "image");
        assert_eq!(synthetic(&samples::refused(), None), "Dockerfile");
        assert_eq!(platform(samples::two_platforms().images.last()), "linux-arm64-v8");
    }

    #[test]
    fn messages_lose_what_changes_from_build_to_build() {
        let of =
            |message: &str| stable(&FindingReport { message: message.into(), ..samples::bad().images[0].findings[0].clone() });
        assert_eq!(of("9 files under /var/lib/apt/lists, 19 MiB"), "9 files under /var/lib/apt/lists");
        assert_eq!(
            of("GCC can be run: 1 program under gcc, 1.5 KiB; /x told by content"),
            "GCC can be run: 1 program under gcc; /x told by content"
        );
        assert_eq!(of("apt can be run: apt, apt-get"), "apt can be run: apt, apt-get");
        assert_eq!(of(&format!("it is sha256:{} and sha256:x", "a".repeat(64))), "it is sha256:... and sha256:x");
        assert_eq!(without_digests(&format!("(blobs/sha256/{}, layer 2)", "0".repeat(64))), "(blobs/sha256/..., layer 2)");
    }

    #[test]
    fn every_place_of_a_finding_is_there_once_with_all_its_evidence() {
        for finding in &samples::located().images[0].findings {
            let placed = places(finding);
            assert_eq!(placed.len(), finding.locations.len().max(1));
            assert_eq!(placed.iter().map(|place| place.evidence.len()).sum::<usize>(), finding.evidence.len());
        }
    }

    #[test]
    fn fingerprints_tell_parts_apart() {
        assert_ne!(fingerprint(["a", "b"]), fingerprint(["ab"]));
        assert_ne!(fingerprint(["a", ""]), fingerprint(["", "a"]));
        assert_eq!(fingerprint([]).len(), 64);
    }
}
