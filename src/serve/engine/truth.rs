//! From a report to what is told and what is kept: only what is true of the bytes is kept.

use std::sync::Arc;

use crate::oci::Code;
use crate::report::json;
use crate::report::model::{ErrorReport, Report, Verdict};
use crate::serve::verdict::{Judged, Outcome};

/// What an error of a report is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Truth {
    /// The bytes that the digest names: whoever asks again hears the same.
    OfContent,
    /// What was served under the digest is not what it names: refused, and asked anew the next time.
    OfDelivery,
    /// The image, or a part of it, is not there.
    NotThere,
    /// We, or the way to the bytes.
    OfWorld,
}

/// What a code is about. A name that is not known is no truth about the bytes.
pub(super) fn truth(code: &str) -> Truth {
    match code {
        "digest-mismatch" | "size-mismatch" | "descriptor-data-mismatch" => Truth::OfDelivery,
        "blob-missing" | "image-not-found" | "registry-not-found" | "registry-unauthorized" => Truth::NotThere,
        "input-unreadable" | "content-not-kept" | "registry-unreachable" | "registry-error" => Truth::OfWorld,
        known if Code::ALL.iter().any(|code| code.as_str() == known) => Truth::OfContent,
        _ => Truth::OfWorld,
    }
}

/// What became of one verification.
#[derive(Debug, Clone)]
pub(super) struct Finished {
    /// What the callers are told.
    pub(super) outcome: Outcome,
    /// Whether the verdict is true of the bytes, and kept.
    pub(super) is_kept: bool,
}

/// What a report on the image `digest` says.
pub(super) fn finished(digest: &str, report: &Report) -> Finished {
    let errors = || report.errors.iter().chain(report.images.iter().flat_map(|image| &image.errors));
    let worst = errors().map(|error| (truth(&error.code), error)).max_by_key(|(truth, _)| *truth);
    let told = |outcome| Finished { outcome, is_kept: false };
    match worst {
        Some((Truth::OfWorld, error)) => told(Outcome::Unavailable { reason: clause(error), retry_after: None }),
        Some((Truth::NotThere, error)) => told(Outcome::Refused { reason: clause(error) }),
        Some((Truth::OfDelivery, _)) => told(Outcome::Judged(Arc::new(judged(digest, report)))),
        Some((Truth::OfContent, _)) | None => {
            Finished { outcome: Outcome::Judged(Arc::new(judged(digest, report))), is_kept: true }
        }
    }
}

fn clause(error: &ErrorReport) -> String {
    format!("{}: {}", error.code, error.message.trim_end_matches('.'))
}

/// What a report that was kept says; None when it is none that would have been.
pub(super) fn kept(digest: &str, bytes: &[u8]) -> Option<Arc<Judged>> {
    let report: Report = serde_json::from_slice(bytes).ok()?;
    match finished(digest, &report) {
        Finished { outcome: Outcome::Judged(judged), is_kept: true } => Some(judged),
        _ => None,
    }
}

fn judged(digest: &str, report: &Report) -> Judged {
    let errors: Vec<&ErrorReport> = report.errors.iter().chain(report.images.iter().flat_map(|image| &image.errors)).collect();
    let mut bytes = Vec::new();
    // writing to a Vec does not fail, and every value of a report can be written
    let _ = json::write(report, &mut bytes);
    let scores = report.images.iter().filter_map(|image| image.score.as_ref().map(|score| score.value));
    Judged {
        digest: digest.to_owned(),
        // a report that names no image says nothing good of it
        verdict: if report.images.is_empty() { Verdict::Unverifiable } else { report.verdict },
        score: scores.min_by(f64::total_cmp),
        failing: match report.verdict {
            Verdict::Unverifiable => codes(&errors),
            Verdict::Pass | Verdict::Fail => failing(report),
        },
        limit: errors.iter().find_map(|error| error.limit.as_ref().map(|limit| limit.name.clone())),
        report: bytes.into(),
    }
}

/// Codes, each once; where there is none, something was not examined.
fn codes(errors: &[&ErrorReport]) -> Vec<String> {
    let codes = distinct(errors.iter().map(|error| error.code.as_str()));
    if codes.is_empty() { vec!["not-examined".to_owned()] } else { codes }
}

/// Ids of what fails, the most severe first.
fn failing(report: &Report) -> Vec<String> {
    const WORST_FIRST: [&str; 4] = ["critical", "high", "medium", "low"];
    let fails = || report.images.iter().flat_map(|image| &image.findings).filter(|finding| finding.fails);
    let of = |severity: &'static str| fails().filter(move |finding| finding.severity.as_deref() == Some(severity));
    distinct(WORST_FIRST.into_iter().flat_map(of).chain(fails()).map(|finding| finding.check.as_str()))
}

fn distinct<'a>(words: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for word in words {
        if !found.iter().any(|known| known == word) {
            found.push(word.to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    /// Every code that can be an error of a report, with what it is about: a new one must be put here by hand.
    const REJECTED: &[(&str, Truth)] = &[
        ("digest-mismatch", Truth::OfDelivery),
        ("size-mismatch", Truth::OfDelivery),
        ("diff-id-mismatch", Truth::OfContent),
        ("diff-ids-count", Truth::OfContent),
        ("blob-missing", Truth::NotThere),
        ("digest-malformed", Truth::OfContent),
        ("descriptor-data-mismatch", Truth::OfDelivery),
        ("json-malformed", Truth::OfContent),
        ("json-duplicate-key", Truth::OfContent),
        ("json-case-variant-key", Truth::OfContent),
        ("json-trailing-data", Truth::OfContent),
        ("manifest-ambiguous", Truth::OfContent),
        ("index-too-deep", Truth::OfContent),
        ("not-an-image", Truth::OfContent),
        ("archive-ambiguous", Truth::OfContent),
        ("archive-duplicate-member", Truth::OfContent),
        ("archive-several-images", Truth::OfContent),
        ("archive-link-escapes", Truth::OfContent),
        ("archive-malformed", Truth::OfContent),
        ("layer-media-type", Truth::OfContent),
        ("gzip-malformed", Truth::OfContent),
        ("gzip-trailing-data", Truth::OfContent),
        ("zstd-malformed", Truth::OfContent),
        ("zstd-trailing-data", Truth::OfContent),
        ("xz-malformed", Truth::OfContent),
        ("tar-malformed", Truth::OfContent),
        ("tar-truncated", Truth::OfContent),
        ("tar-entry-type", Truth::OfContent),
        ("tar-header-too-large", Truth::OfContent),
        ("limit-exceeded", Truth::OfContent),
        ("path-escapes-root", Truth::OfContent),
        ("name-too-long", Truth::OfContent),
        ("path-too-long", Truth::OfContent),
        ("symlink-loop", Truth::OfContent),
        ("parent-not-directory", Truth::OfContent),
        ("root-not-directory", Truth::OfContent),
        ("whiteout-after-sibling", Truth::OfContent),
        ("whiteout-invalid-name", Truth::OfContent),
        ("hardlink-target-not-in-layer", Truth::OfContent),
        ("hardlink-to-directory", Truth::OfContent),
        ("image-not-found", Truth::NotThere),
        ("input-unreadable", Truth::OfWorld),
        ("registry-unreachable", Truth::OfWorld),
        ("registry-unauthorized", Truth::NotThere),
        ("registry-not-found", Truth::NotThere),
        ("registry-error", Truth::OfWorld),
        ("content-not-kept", Truth::OfWorld),
    ];

    #[test]
    fn every_code_that_rejects_was_put_into_the_table_by_hand() {
        use crate::oci::Tier;
        for code in Code::ALL.iter().filter(|code| code.tier() == Tier::Reject) {
            assert!(REJECTED.iter().any(|(known, _)| *known == code.as_str()), "{code} is not in the table");
        }
        for (code, expected) in REJECTED {
            assert_eq!(truth(code), *expected, "{code}");
        }
        for code in Code::ALL.iter().filter(|code| code.tier() != Tier::Reject) {
            assert_eq!(truth(code.as_str()), Truth::OfContent, "{code}");
        }
        assert_eq!(truth("a-code-of-tomorrow"), Truth::OfWorld);
    }

    fn refused(codes: &[&str]) -> Report {
        let mut report = samples::good();
        let error = |code: &&str| ErrorReport {
            code: (*code).to_owned(),
            message: "why.".into(),
            place: crate::report::model::PlaceReport::default(),
            limit: None,
        };
        report.images[0].errors = codes.iter().map(error).collect();
        report.images[0].verdict = Verdict::Unverifiable;
        report.verdict = Verdict::Unverifiable;
        report
    }

    #[test]
    fn what_is_not_true_of_the_bytes_is_never_kept() {
        for (code, truth) in REJECTED {
            let finished = finished("sha256:aa", &refused(&[code]));
            assert_eq!(finished.is_kept, *truth == Truth::OfContent, "{code}");
            let is_told = match truth {
                Truth::OfContent | Truth::OfDelivery => {
                    matches!(&finished.outcome, Outcome::Judged(judged) if judged.verdict == Verdict::Unverifiable && judged.failing == [*code])
                }
                Truth::NotThere => matches!(&finished.outcome, Outcome::Refused { reason } if reason == &format!("{code}: why")),
                Truth::OfWorld => matches!(finished.outcome, Outcome::Unavailable { .. }),
            };
            assert!(is_told, "{code}: {:?}", finished.outcome);
        }
        let both = finished("sha256:aa", &refused(&["gzip-malformed", "input-unreadable"]));
        assert!(!both.is_kept && matches!(both.outcome, Outcome::Unavailable { .. }));
    }

    #[test]
    fn a_failing_image_names_its_checks_the_most_severe_first() {
        let finished = finished("sha256:aa", &samples::bad());
        let Outcome::Judged(judged) = finished.outcome else { panic!() };
        assert!(finished.is_kept && judged.verdict == Verdict::Fail && !judged.failing.is_empty());
        let fails = samples::bad().images[0].findings.iter().filter(|finding| finding.fails).count();
        assert!(judged.failing.len() <= fails && judged.report.starts_with(b"{"));
    }

    #[test]
    fn a_kept_report_says_again_what_it_said() {
        for report in [samples::good(), samples::bad(), refused(&["gzip-malformed"])] {
            let Outcome::Judged(judged) = finished("sha256:aa", &report).outcome else { panic!() };
            assert_eq!(kept("sha256:aa", &judged.report).as_deref(), Some(judged.as_ref()));
        }
        for never in [refused(&["input-unreadable"]), refused(&["digest-mismatch"])] {
            let mut bytes = Vec::new();
            json::write(&never, &mut bytes).unwrap();
            assert_eq!(kept("sha256:aa", &bytes), None);
        }
        assert_eq!(kept("sha256:aa", b"{}"), None);
    }

    #[test]
    fn a_report_without_images_is_no_pass() {
        let report = Report { images: vec![], ..samples::good() };
        let Outcome::Judged(judged) = finished("sha256:aa", &report).outcome else { panic!() };
        assert_eq!(judged.verdict, Verdict::Unverifiable);
    }
}
