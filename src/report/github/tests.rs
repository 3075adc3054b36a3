//! The annotations of whole reports, and that no string of an image becomes a command.

use super::*;
use crate::report::model::{EvidenceReport, NotExaminedReport};
use crate::report::samples;

/// What GitHub's runner reads off a line: level, title, message. It looks at lines that start with `::` after white space, takes what
/// is before the next `::` for the command, and undoes the escapes after that.
fn read(line: &str) -> Option<(String, String, String)> {
    let (head, message) = line.trim_start().strip_prefix("::")?.split_once("::")?;
    let (level, properties) = head.split_once(' ')?;
    let names: Vec<&str> = properties.split(',').map(|property| property.split('=').next().unwrap_or_default()).collect();
    assert!(matches!(names.as_slice(), ["title"] | ["file", "line", "title"]), "other properties: {line}");
    let title = properties.rsplit(',').next()?.strip_prefix("title=")?;
    let data = |text: &str| text.replace("%0A", "\n").replace("%0D", "\r").replace("%25", "%");
    let title = data(&title.replace("%3A", ":").replace("%2C", ","));
    Some((level.to_owned(), title, data(message)))
}

fn annotations(report: &Report) -> Vec<(String, String, String)> {
    render(report).lines().map(|line| read(line).unwrap_or_else(|| panic!("not an annotation: {line}"))).collect()
}

fn of_level(report: &Report, level: &str) -> Vec<String> {
    annotations(report).into_iter().filter(|it| it.0 == level).map(|it| it.2).collect()
}

/// A report whose every string is `text`.
fn hostile(text: &str) -> Report {
    let mut report = samples::unverifiable();
    text.clone_into(&mut report.source.name);
    let image = &mut report.images[0];
    image.reference = Some(text.to_owned());
    for error in &mut image.errors {
        (error.code, error.message) = (text.to_owned(), text.to_owned());
        error.place.path = Some(text.to_owned());
    }
    for layer in &mut image.layers {
        layer.instruction = Some(text.to_owned());
    }
    let mut finding = samples::bad().images[0].findings[0].clone();
    finding.code = Some(text.to_owned());
    for field in [&mut finding.check, &mut finding.message, &mut finding.fix] {
        text.clone_into(field);
    }
    finding.evidence = vec![EvidenceReport {
        path: Some(text.to_owned()),
        linkname: Some(text.to_owned()),
        package: Some(text.to_owned()),
        layer: Some(0),
        ..EvidenceReport::default()
    }];
    finding.locations = samples::located().images[0].findings[1].locations.clone();
    for location in &mut finding.locations {
        text.clone_into(&mut location.file);
    }
    image.findings = vec![finding.clone(), FindingReport { severity: Some(text.to_owned()), fails: false, ..finding }];
    report
}

#[test]
fn the_annotations_of_a_bad_image() {
    insta::assert_snapshot!(render(&samples::bad()));
}

#[test]
fn the_annotations_of_an_unverifiable_image() {
    insta::assert_snapshot!(render(&samples::unverifiable()));
}

#[test]
fn the_annotations_of_two_platforms() {
    insta::assert_snapshot!(render(&samples::two_platforms()));
}

#[test]
fn the_annotations_under_a_policy_with_waivers() {
    insta::assert_snapshot!(render(&samples::by_policy()));
}

#[test]
fn a_finding_stands_on_the_first_of_its_lines() {
    let mut report = samples::located();
    let location = &mut report.images[0].findings[1].locations[0];
    location.file = "a,b: 50%/Dockerfile".into();
    let line = location.line;
    let rendered = render(&report);
    assert!(rendered.contains(&format!("::error file=a%2Cb%3A 50%25/Dockerfile,line={line},title=")), "{rendered}");
    let findings = report.images[0].findings.iter().filter(|finding| !finding.locations.is_empty()).count();
    assert_eq!(rendered.matches(",line=").count(), findings);
}

#[test]
fn something_that_is_no_image_is_an_error() {
    insta::assert_snapshot!(render(&samples::refused()));
}

#[test]
fn an_image_without_findings_has_no_annotations() {
    assert_eq!(render(&samples::good()), "");
}

#[test]
fn waived_findings_are_left_out() {
    assert_eq!(render(&samples::all_waived()), "");
}

#[test]
fn every_finding_that_nobody_waived_is_one_annotation() {
    for (name, report) in samples::all() {
        let findings = report.images.iter().flat_map(|image| &image.findings).filter(|finding| finding.waived.is_none());
        let errors = report.errors.len() + report.images.iter().map(|image| image.errors.len()).sum::<usize>();
        assert_eq!(annotations(&report).len(), findings.count() + errors, "{name}");
    }
}

#[test]
fn an_image_that_is_not_verified_or_fails_always_has_an_error() {
    for verdict in [Verdict::Unverifiable, Verdict::Fail] {
        let mut report = samples::good();
        report.verdict = verdict;
        report.images[0].verdict = verdict;
        report.images[0].examined.not_examined =
            vec![NotExaminedReport { path: None, layer: Some(1), reason: "the codec is not known".into() }];
        assert_eq!(of_level(&report, "error").len(), 1, "{verdict:?}");
        report.images.clear();
        assert_eq!(of_level(&report, "error").len(), 1, "{verdict:?}");
    }
}

#[test]
fn at_most_ten_of_each_level_are_written_and_the_last_says_how_many_more_there_are() {
    let mut report = samples::bad();
    let findings = report.images[0].findings.clone();
    let of = |severity: &str| findings.iter().find(|it| it.severity.as_deref() == Some(severity)).unwrap().clone();
    for (severity, level) in [("high", "error"), ("medium", "warning"), ("low", "notice")] {
        report.images[0].findings = vec![of(severity); 10];
        assert_eq!(of_level(&report, level), vec![of_level(&report, level)[0].clone(); 10]);
        report.images[0].findings = vec![of(severity); 2010];
        let all = of_level(&report, level);
        assert_eq!(all.len(), 10);
        assert_eq!(all[9], format!("and 2,001 more {level}s; the text and JSON reports list all of them"));
    }
}

#[test]
fn the_heaviest_are_shown_where_there_are_many() {
    let mut report = samples::bad();
    let (critical, high) = (report.images[0].findings[0].clone(), report.images[0].findings[1].clone());
    let mut second = report.images[0].clone();
    report.images[0].findings = vec![high; 30];
    second.findings = vec![critical.clone()];
    report.images.push(second);
    assert!(of_level(&report, "error")[0].starts_with(&critical.message));
}

#[test]
fn what_the_runner_undoes_is_escaped_in_titles_and_messages() {
    assert_eq!(data("50%\r\n%0A: a, b"), "50%25%0D%0A%250A: a, b");
    assert_eq!(property("50%\r\n%0A: a, b"), "50%25%0D%0A%250A%3A a%2C b");
}

#[test]
fn hostile_names_start_no_command_and_add_no_property() {
    for text in [
        "a\n::stop-commands::x",
        "\r\n::error file=a,line=1::x",
        "%0A::set-env name=PATH::x",
        "x::warning::y",
        "a,file=b,line=3",
        "title::",
        "##[add-path]x",
        "##vso[task.setvariable variable=x]y",
        "\u{85}::debug::x\u{2028}::debug::x",
        "\u{1b}[2J\u{0}\u{b}\u{c}",
    ] {
        let report = hostile(text);
        let rendered = render(&report);
        assert_eq!(annotations(&report).len(), 4, "{text:?}");
        assert!(!rendered.contains("##[") && !rendered.contains("##vso["), "{rendered}");
        assert!(!rendered.chars().any(|it| it.is_control() && it != '\n'), "{rendered:?}");
    }
}

#[test]
fn a_string_of_megabytes_is_cut() {
    assert!(render(&hostile(&"x".repeat(1 << 20))).len() < 40_000);
}

proptest::proptest! {
    #[test]
    fn any_string_is_within_its_annotation(text: String) {
        let report = hostile(&text);
        let levels: Vec<String> = annotations(&report).into_iter().map(|it| it.0).collect();
        proptest::prop_assert_eq!(levels, ["error", "error", "error", "notice"]);
    }
}
