//! Documents of the samples, and what holds for every document.

mod hostile;
mod large;
mod written;

use serde_json::Value;

use super::super::model::{FindingReport, LocationReport};
use super::super::samples;
use super::*;

/// The document of a report, read back.
fn written(report: &Report, options: &Options) -> Value {
    let mut out = Vec::new();
    write(report, options, &mut out).unwrap();
    assert!(out.ends_with(b"}\n"));
    serde_json::from_slice(&out).unwrap()
}

fn usual(report: &Report) -> Value {
    written(report, &Options::default())
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn results(document: &Value) -> Vec<&Value> {
    list(&document["runs"]).iter().flat_map(|run| list(&run["results"])).collect()
}

fn ids(document: &Value) -> Vec<&str> {
    list(&document["runs"]).iter().filter_map(|run| run["automationDetails"]["id"].as_str()).collect()
}

/// Without the table of rules, which grows with the catalogue.
fn without_rules(report: &Report, options: &Options) -> String {
    let mut document = written(report, options);
    for run in document["runs"].as_array_mut().unwrap() {
        run["tool"]["driver"]["rules"] = Value::Null;
        for result in run["results"].as_array_mut().unwrap() {
            result["ruleIndex"] = Value::Null;
        }
    }
    serde_json::to_string_pretty(&document).unwrap()
}

fn every_sample() -> Vec<(&'static str, Report)> {
    samples::all().into_iter().chain([("located", samples::located())]).collect()
}

#[test]
fn the_document_of_a_good_image() {
    insta::assert_snapshot!(without_rules(&samples::good(), &Options::default()));
}

#[test]
fn the_document_of_a_bad_image_without_lines() {
    insta::assert_snapshot!(without_rules(&samples::bad(), &Options::default()));
}

#[test]
fn the_document_of_a_bad_image_with_lines() {
    insta::assert_snapshot!(without_rules(&samples::located(), &Options::default()));
}

#[test]
fn the_document_of_something_that_is_no_image() {
    insta::assert_snapshot!(without_rules(&samples::refused(), &Options::default()));
}

#[test]
fn the_document_of_an_unverifiable_image() {
    insta::assert_snapshot!(without_rules(&samples::unverifiable(), &Options::default()));
}

#[test]
fn the_document_of_waived_findings_that_are_asked_for() {
    let options = Options { shows_waived: true, ..Options::default() };
    insta::assert_snapshot!(without_rules(&samples::all_waived(), &options));
}

#[test]
fn a_rule_says_what_why_how_and_where_more_is() {
    let document = usual(&samples::located());
    let rules = list(&document["runs"][0]["tool"]["driver"]["rules"]);
    let of = |id: &str| rules.iter().find(|rule| rule["id"] == id).unwrap();
    let chosen: Vec<&Value> = ["compiler", "no-test-data", "required-label", "unverifiable"].map(of).into();
    insta::assert_snapshot!(serde_json::to_string_pretty(&chosen).unwrap());
}

#[test]
fn every_unwaived_place_of_every_finding_is_counted_once() {
    for (name, report) in every_sample() {
        for shows_waived in [false, true] {
            let document = written(&report, &Options { shows_waived, ..Options::default() });
            let findings = report.images.iter().flat_map(|image| &image.findings);
            let places: usize = findings
                .filter(|finding| shows_waived || finding.waived.is_none())
                .map(|finding| finding.locations.len().max(1))
                .sum();
            let counted =
                results(&document).into_iter().filter(|result| !list(&result["properties"]["plimsoll/findings"]).is_empty());
            let counted: u64 = counted.map(|result| result["occurrenceCount"].as_u64().unwrap()).sum();
            assert_eq!(counted, u64::try_from(places).unwrap(), "{name}");
        }
    }
}

#[test]
fn a_rule_and_a_line_have_one_result() {
    for (name, report) in every_sample() {
        for run in list(&usual(&report)["runs"]) {
            let mut seen = BTreeSet::new();
            for result in list(&run["results"]) {
                let key = format!("{} {}", result["ruleId"], result["locations"][0]["physicalLocation"]["region"]["startLine"]);
                let file = &result["locations"][0]["physicalLocation"]["artifactLocation"];
                assert!(seen.insert(format!("{key} {file}")), "{name}: {key}");
            }
        }
    }
}

#[test]
fn what_is_not_a_pass_is_never_without_results_and_a_pass_has_the_empty_list() {
    for (name, report) in every_sample() {
        let document = usual(&report);
        let is_failed = |result: &&Value| result["level"] == "error";
        assert_eq!(results(&document).iter().any(is_failed), report.verdict != Verdict::Pass, "{name}");
        for run in list(&document["runs"]) {
            assert!(run["results"].is_array(), "{name}");
        }
    }
    let unverifiable = usual(&samples::unverifiable());
    assert_eq!(unverifiable["runs"][0]["invocations"][0]["executionSuccessful"], false);
    let mut report = samples::bad();
    report.images[0].findings.clear();
    assert_eq!(results(&usual(&report))[0]["ruleId"], "verdict");
    report.images[0].verdict = Verdict::Unverifiable;
    assert_eq!(results(&usual(&report))[0]["ruleId"], "unverifiable");
    report.images[0].examined.not_examined = samples::unverifiable().images[0].examined.not_examined.clone();
    assert_eq!(results(&usual(&report))[0]["ruleId"], "not-examined");
}

#[test]
fn every_run_has_an_id_of_its_own_and_the_user_s_word_counts() {
    let of = |report: &Report, category| written(report, &Options { category, shows_waived: false });
    let mut report = samples::two_platforms();
    let cart = "plimsoll/registry.example/shop/cart";
    assert_eq!(ids(&usual(&report)), [format!("{cart}/linux-amd64/"), format!("{cart}/linux-arm64-v8/")]);
    assert_eq!(ids(&of(&report, Category::None)), ["linux-amd64/", "linux-arm64-v8/"]);
    assert_eq!(ids(&of(&report, Category::Text("shop".into()))), ["shop/linux-amd64/", "shop/linux-arm64-v8/"]);
    report.images[1].platform = report.images[0].platform.clone();
    report.images[1].reference = Some("registry.example/shop/cart:other".into());
    assert_eq!(ids(&usual(&report)), [format!("{cart}/linux-amd64/"), format!("{cart}/linux-amd64-2/")]);
    report.images.truncate(1);
    assert_eq!(ids(&of(&report, Category::Text("shop".into()))), ["shop/"]);
    assert!(ids(&of(&report, Category::None)).is_empty());
    assert_eq!(ids(&usual(&samples::refused())), ["plimsoll/Dockerfile/unknown/"]);
}

#[test]
fn a_new_build_of_the_same_image_changes_neither_messages_nor_fingerprints_nor_paths() {
    let said = |report: &Report| {
        let document = usual(report);
        let of = |result: &Value| format!("{} {} {}", result["message"], result["partialFingerprints"], result["locations"]);
        results(&document).into_iter().map(of).collect::<Vec<String>>()
    };
    for sample in [samples::bad(), samples::located()] {
        let mut later = sample.clone();
        let image = &mut later.images[0];
        image.reference = Some("registry.example/shop/cart:1.5.0@sha256:00".into());
        (image.manifest_digest, image.config_digest) = (None, None);
        for finding in &mut image.findings {
            finding.message.push_str(", 7.5 MiB");
            finding.bytes = Some(1);
            for evidence in &mut finding.evidence {
                evidence.bytes = Some(2);
            }
        }
        assert_eq!(said(&sample), said(&later));
    }
}

/// `RUN make` on these lines of a Dockerfile: the one to show, the first, the last.
fn location((line, start_line, end_line): (usize, usize, usize)) -> LocationReport {
    LocationReport {
        file: "Dockerfile".into(),
        line,
        start_line,
        end_line,
        confidence: "exact".into(),
        instruction: "RUN make".into(),
        line_hash: None,
        related: Vec::new(),
    }
}

/// A compiler on these lines.
fn on_lines(subject: &str, lines: &[(usize, usize, usize)]) -> FindingReport {
    let locations = lines.iter().copied().map(location).collect();
    FindingReport { subject: subject.into(), locations, ..samples::bad().images[0].findings[1].clone() }
}

#[test]
fn findings_of_one_rule_and_line_share_a_result_that_tells_them_all() {
    let mut report = samples::bad();
    report.images[0].findings = vec![on_lines("gcc", &[(3, 3, 3)]), on_lines("clang", &[(3, 3, 3), (5, 5, 5)])];
    report.images[0].findings[1].message = "Clang can be run: [a](1)".into();
    let document = usual(&report);
    let results = results(&document);
    assert_eq!(results.len(), 2);
    let text = results[0]["message"]["text"].as_str().unwrap();
    assert!(text.starts_with("GCC can be run: 24 files. Also: Clang can be run: \\[a\\](1). Paths: "), "{text}");
    assert_eq!(results[0]["occurrenceCount"], 2);
    let own = |result: &Value| result["partialFingerprints"]["plimsollFinding/v1"].clone();
    assert_ne!(own(results[0]), own(results[1]));
}

#[test]
fn a_region_is_one_line_within_its_instruction() {
    let mut report = samples::bad();
    report.images[0].findings = vec![on_lines("a", &[(3, 3, 3), (4, 4, 9), (6, 4, 9)])];
    let document = usual(&report);
    let of = |result: &Value| {
        let region = &result["locations"][0]["physicalLocation"]["region"];
        [&region["startLine"], &region["startColumn"], &region["endLine"], &region["endColumn"]].map(|it| it.as_u64().unwrap())
    };
    let regions: Vec<[u64; 4]> = results(&document).into_iter().map(of).collect();
    assert_eq!(regions, [[3, 1, 3, 9], [4, 1, 4, 4], [6, 1, 6, 2]]);
    let context = &results(&document)[2]["locations"][0]["physicalLocation"]["contextRegion"];
    assert_eq!((&context["startLine"], &context["endLine"]), (&4.into(), &9.into()));
}
