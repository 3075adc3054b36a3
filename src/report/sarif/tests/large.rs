//! Reports that are larger than code scanning takes.

use super::*;
use crate::report::model::{EvidenceReport, ImageReport};

/// Letters that no compressor shortens: a xorshift generator from a seed.
fn noise(seed: usize, length: usize) -> String {
    let mut state = u64::try_from(seed).unwrap().wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(b'A' + u8::try_from(state % 58).unwrap())
    };
    (0..length).map(|_| next()).collect()
}

/// A finding on a line of its own, or several would be one result.
fn finding(template: &FindingReport, index: usize, severity: &str) -> FindingReport {
    FindingReport {
        severity: Some(severity.into()),
        subject: format!("/file{index}"),
        message: format!("/file{index}"),
        evidence: Vec::new(),
        locations: vec![location((index + 1, index + 1, index + 1))],
        fails: severity == "high",
        ..template.clone()
    }
}

fn template() -> FindingReport {
    samples::bad().images[0].findings[0].clone()
}

fn with_findings(findings: Vec<FindingReport>) -> Report {
    let mut report = samples::bad();
    report.images[0].findings = findings;
    report
}

#[test]
fn more_results_than_code_scanning_takes_are_cut_from_the_least_severe() {
    let template = template();
    let mut findings: Vec<FindingReport> = (0..limits::RESULTS + 9).map(|index| finding(&template, index, "low")).collect();
    findings.push(finding(&template, limits::RESULTS + 9, "high"));
    let document = usual(&with_findings(findings));
    let results = results(&document);
    assert_eq!(results.len(), limits::RESULTS);
    assert_eq!(
        (&results[0]["level"], &results[0]["message"]["text"]),
        (&"error".into(), &first_sentence(limits::RESULTS + 9).into())
    );
    let last = results.last().unwrap();
    assert_eq!((&last["ruleId"], &last["level"]), (&"report-cut".into(), &"warning".into()));
    assert!(last["message"]["text"].as_str().unwrap().starts_with("11 more results left out"));
}

fn first_sentence(index: usize) -> String {
    let fix = "Fix: Lock the account: passwd -l deploy.";
    format!("/file{index}. Instruction: RUN make. {fix} Image: registry.example/shop/cart, linux/amd64.")
}

#[test]
fn more_images_than_code_scanning_takes_are_cut_and_the_failing_ones_stay() {
    let mut report = samples::good();
    let good = report.images[0].clone();
    report.images = vec![good; RUNS + 3];
    let bad: Vec<ImageReport> = samples::bad().images;
    report.images.extend(bad);
    let document = usual(&report);
    let runs = list(&document["runs"]);
    assert_eq!(runs.len(), RUNS);
    assert_eq!(ids(&document).len(), ids(&document).iter().collect::<BTreeSet<_>>().len());
    assert_eq!(runs.last().unwrap()["properties"]["plimsoll/verdict"], "fail");
    let told = list(&runs[0]["results"]).last().unwrap();
    assert_eq!((&told["ruleId"], &told["level"]), (&"report-cut".into(), &"warning".into()));
    assert!(told["message"]["text"].as_str().unwrap().starts_with("4 more images left out"));
}

#[test]
fn a_document_that_is_too_large_loses_places_and_says_how_many_there_are() {
    let (template, places) = (template(), 400);
    let evidence = |seed: usize| EvidenceReport { path: Some(format!("/{}", noise(seed, 300))), ..EvidenceReport::default() };
    let findings = (0..120).map(|index| FindingReport {
        evidence: (0..places).map(|place| evidence(index * places + place)).collect(),
        ..finding(&template, index, "high")
    });
    let report = with_findings(findings.collect());
    let rules = rules::table(&report);
    let amounts: Vec<Amount> = limits::amounts().collect();
    let fits = |amount: Amount| limits::fits(&document(&report, &Options::default(), &rules, amount)).unwrap();
    assert!(!fits(amounts[0]) && !fits(amounts[1]), "or this test shows nothing");
    assert!(fits(amounts[2]));
    let document = usual(&report);
    let results = results(&document);
    assert_eq!(results.len(), 120, "no result is lost");
    let told = &results[0]["properties"]["plimsoll/findings"][0];
    assert_eq!((told["places"].as_u64(), list(&told["evidence"]).len()), (Some(400), amounts[2].places));
    assert!(results[0]["message"]["text"].as_str().unwrap().contains(" and 390 more paths."));
}
