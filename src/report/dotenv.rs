//! The report in five lines of `NAME=VALUE`, for scripts of pipelines: words and numbers of this program only, never the image's.
//!
//! GitLab reads such files as `artifacts:reports:dotenv`; GitHub's and Tekton's wrappers take verdict and score from it.

use super::model::{ImageReport, Report, Verdict};

/// `PLIMSOLL_VERDICT`, `PLIMSOLL_SCORE` (of several images the lowest; empty when there is none), `PLIMSOLL_IMAGES`,
/// `PLIMSOLL_FINDINGS` (those that no waiver accepts) and `PLIMSOLL_FAILING`.
#[must_use]
pub fn render(report: &Report) -> String {
    let scores = report.images.iter().map(|image| image.score.as_ref().map(|score| score.value));
    // an image that has none may be worse than all that have one
    let lowest = scores.collect::<Option<Vec<f64>>>().and_then(|scores| scores.into_iter().min_by(f64::total_cmp));
    let score = lowest.map(|score| format!("{:.1}", score.clamp(-1000.0, 1000.0))).unwrap_or_default();
    let count = |count: fn(&ImageReport) -> usize| report.images.iter().map(count).fold(0, usize::saturating_add);
    let findings = count(|image| image.findings.iter().filter(|finding| finding.waived.is_none()).count());
    let failing = count(|image| image.findings.iter().filter(|finding| finding.fails).count());
    format!(
        "PLIMSOLL_VERDICT={}\nPLIMSOLL_SCORE={score}\nPLIMSOLL_IMAGES={}\nPLIMSOLL_FINDINGS={findings}\nPLIMSOLL_FAILING={failing}\n",
        verdict(report.verdict),
        report.images.len(),
    )
}

fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "fail",
        Verdict::Unverifiable => "unverifiable",
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn a_bad_image() {
        let lines = render(&samples::bad());
        assert!(lines.starts_with("PLIMSOLL_VERDICT=fail\nPLIMSOLL_SCORE="), "{lines}");
        assert!(lines.ends_with("PLIMSOLL_IMAGES=1\nPLIMSOLL_FINDINGS=7\nPLIMSOLL_FAILING=5\n"), "{lines}");
    }

    #[test]
    fn every_line_is_a_name_and_a_word_of_ours_or_a_number() {
        for (name, report) in samples::all() {
            let text = render(&report);
            assert_eq!(text.lines().count(), 5, "{name}");
            let is_plain =
                |value: &str| value.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'.');
            for line in text.lines() {
                let (key, value) = line.split_once('=').unwrap();
                assert!(key.starts_with("PLIMSOLL_") && is_plain(value), "{name}: {line}");
            }
        }
    }

    #[test]
    fn the_lowest_score_of_several_images_counts_and_none_where_one_has_none() {
        let mut report = samples::bad();
        let mut better = report.images[0].clone();
        better.score.as_mut().unwrap().value = 99.9;
        report.images.insert(0, better);
        assert!(!render(&report).contains("PLIMSOLL_SCORE=99.9"));
        report.images[1].score = None;
        assert!(render(&report).contains("PLIMSOLL_SCORE=\n"));
    }
}
