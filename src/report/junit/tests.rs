//! The documents of whole reports, and that they are XML whatever the strings.

use super::*;
use crate::report::model::{EvidenceReport, LeftOutReport, NotExaminedReport};
use crate::report::samples;

/// Checks that `text` is well-formed, as far as this format uses XML: a declaration, elements with quoted attributes, text, the five
/// entities. Returns the elements that were opened, each with its attributes.
fn elements(text: &str) -> Result<Vec<(String, Vec<String>)>, String> {
    let mut rest = text.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n").ok_or("no declaration")?;
    let is_char = |it: char| matches!(it, '\n' | '\t' | ' '..='\u{7e}' | '\u{a0}'..='\u{fffd}' | '\u{10000}'..);
    if let Some(wrong) = text.chars().find(|it| !is_char(*it)) {
        return Err(format!("not a character of XML: {wrong:?}"));
    }
    let (mut open, mut found, mut roots): (Vec<String>, _, _) = (Vec::new(), Vec::new(), 0);
    while let Some((before, tag)) = rest.split_once('<') {
        entities(before)?;
        if open.is_empty() && !before.trim().is_empty() {
            return Err(format!("text outside of the root: {before}"));
        }
        // attributes hold no `>`: it is escaped
        let (tag, after) = tag.split_once('>').ok_or("a tag without end")?;
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            let opened = open.pop().ok_or("closed too often")?;
            if opened != name {
                return Err(format!("{opened} is closed by {name}"));
            }
            continue;
        }
        roots += usize::from(open.is_empty());
        let (tag, is_empty) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
        let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        if !is_empty {
            open.push(name.to_owned());
        }
        found.push((name.to_owned(), attribute_names(attributes)?));
    }
    entities(rest)?;
    if roots != 1 || !open.is_empty() || !rest.trim().is_empty() {
        return Err(format!("{roots} roots, {} open at the end, then {rest}", open.len()));
    }
    Ok(found)
}

fn attribute_names(mut text: &str) -> Result<Vec<String>, String> {
    let mut names: Vec<String> = Vec::new();
    while !text.is_empty() {
        let (name, rest) = text.split_once("=\"").ok_or(format!("no value: {text}"))?;
        let (value, rest) = rest.split_once('"').ok_or(format!("no end: {text}"))?;
        entities(value)?;
        if !name.chars().all(|it| it.is_ascii_lowercase()) || names.iter().any(|known| known == name) {
            return Err(format!("attribute {name}"));
        }
        names.push(name.to_owned());
        text = if rest.is_empty() { rest } else { rest.strip_prefix(' ').ok_or(format!("no gap: {rest}"))? };
    }
    Ok(names)
}

fn entities(text: &str) -> Result<(), String> {
    let known = ["amp;", "lt;", "gt;", "quot;", "apos;"];
    match text.split('&').skip(1).find(|after| !known.iter().any(|entity| after.starts_with(entity))) {
        Some(wrong) => Err(format!("entity &{wrong}")),
        None => Ok(()),
    }
}

fn count(text: &str, element: &str) -> usize {
    elements(text).unwrap().iter().filter(|(name, _)| name == element).count()
}

/// The lines of one testcase.
fn case(report: &Report, name: &str) -> String {
    let text = render(report);
    let from = text.find(&format!("<testcase name=\"{name}\"")).unwrap();
    let text = &text[from..];
    let end = text[1..].find("<testcase").map_or(text.len(), |end| end + 1);
    text[..end].to_owned()
}

#[test]
fn the_document_of_a_bad_image() {
    insta::assert_snapshot!(render(&samples::bad()));
}

#[test]
fn the_document_of_a_good_image() {
    insta::assert_snapshot!(render(&samples::good()));
}

#[test]
fn the_document_of_an_unverifiable_image() {
    insta::assert_snapshot!(render(&samples::unverifiable()));
}

#[test]
fn the_document_of_something_that_is_no_image() {
    insta::assert_snapshot!(render(&samples::refused()));
}

#[test]
fn the_document_of_two_platforms() {
    insta::assert_snapshot!(render(&samples::two_platforms()));
}

#[test]
fn the_document_under_a_policy_with_waivers() {
    insta::assert_snapshot!(render(&samples::by_policy()));
}

#[test]
fn the_elements_and_attributes_are_those_that_jenkins_knows() {
    let allowed: &[(&str, &[&str])] = &[
        ("testsuites", &["name", "tests", "failures", "errors"]),
        ("testsuite", &["name", "tests", "failures", "errors", "skipped"]),
        ("properties", &[]),
        ("property", &["name", "value"]),
        ("testcase", &["name", "classname"]),
        ("failure", &["message", "type"]),
        ("error", &["message", "type"]),
        ("skipped", &["message"]),
        ("system-out", &[]),
    ];
    for (sample, report) in samples::all() {
        for (element, attributes) in elements(&render(&report)).unwrap() {
            let known = allowed.iter().find(|(name, _)| *name == element).unwrap_or_else(|| panic!("{sample}: {element}"));
            assert_eq!(attributes, known.1, "{sample}: {element}");
        }
    }
}

#[test]
fn every_check_is_a_testcase_of_every_image_passes_included() {
    let good = render(&samples::good());
    assert_eq!(count(&good, "testcase"), checks::ALL.len() + 1);
    assert_eq!(count(&good, "failure") + count(&good, "error") + count(&good, "skipped"), 0);
    assert_eq!(count(&render(&samples::two_platforms()), "testcase"), 2 * (checks::ALL.len() + 1));
    // no check of the catalogue
    assert!(case(&samples::bad(), "empty-password").contains("<failure message="));
}

#[test]
fn every_finding_is_told_once() {
    for (name, report) in samples::all() {
        let text = render(&report);
        for finding in report.images.iter().flat_map(|image| &image.findings) {
            let line = escaped(&format!("{} {}: {}", severity(finding), super::name(finding), shown(&finding.message)));
            let same = report.images.iter().flat_map(|image| &image.findings).filter(|other| *other == finding).count();
            assert_eq!(text.matches(&line).count(), same, "{name}: {line}");
        }
    }
}

#[test]
fn a_check_with_a_finding_that_fails_and_a_waived_one_fails_and_is_not_skipped() {
    let mut report = samples::all_waived();
    let mut failing = report.images[0].findings[0].clone();
    (failing.waived, failing.fails) = (None, true);
    report.images[0].findings.push(failing);
    let compiler = case(&report, "compiler");
    assert!(compiler.contains("<failure") && !compiler.contains("<skipped") && compiler.contains("waived until 2026-12-31"));
}

#[test]
fn a_check_is_skipped_when_all_its_findings_are_waived_and_passes_when_one_is_only_mild() {
    let mut report = samples::all_waived();
    assert!(case(&report, "compiler").contains("<skipped message=\"waived until 2026-12-31 by security@example.com: "));
    let mut mild = report.images[0].findings[0].clone();
    mild.waived = None;
    report.images[0].findings.push(mild);
    let compiler = case(&report, "compiler");
    assert!(!compiler.contains("<skipped") && !compiler.contains("<failure") && compiler.contains("<system-out>"));
}

#[test]
fn a_check_that_the_policy_switches_off_is_skipped() {
    let mut report = samples::good();
    report.images[0].left_out = vec![LeftOutReport { check: "setgid-file".into(), reason: "off".into(), findings: 4 }];
    assert!(case(&report, "setgid-file").contains("<skipped message=\"the policy switches it off: 4 findings left out\"/>"));
}

#[test]
fn nothing_passes_in_an_image_that_could_not_be_verified() {
    let mut report = samples::good();
    report.verdict = Verdict::Unverifiable;
    report.images[0].verdict = Verdict::Unverifiable;
    report.images[0].examined.not_examined =
        vec![NotExaminedReport { path: Some("/lib/db".into()), layer: None, reason: "it cannot be parsed".into() }];
    let text = render(&report);
    assert_eq!((count(&text, "error"), count(&text, "skipped")), (1, checks::ALL.len()));
    report.images.clear();
    assert_eq!(count(&render(&report), "error"), 1);
}

#[test]
fn a_verdict_that_no_finding_explains_is_a_failure_all_the_same() {
    let mut report = samples::good();
    report.images[0].verdict = Verdict::Fail;
    assert_eq!(count(&render(&report), "failure"), 1);
}

#[test]
fn the_class_has_no_tag_no_digest_and_one_dot() {
    assert!(case(&samples::good(), "compiler").contains("classname=\"plimsoll.registry_example/shop/cart linux/amd64\""));
    for (reference, expected) in [("a:5000/b", "a:5000/b"), ("a:5000/b:1@sha256:00", "a:5000/b"), ("b:1", "b"), ("b", "b")] {
        assert_eq!(without_tag(reference), expected);
    }
}

#[test]
fn two_images_of_one_repository_and_platform_have_two_classes() {
    let mut report = samples::good();
    report.images.push(report.images[0].clone());
    assert!(render(&report).contains("classname=\"plimsoll.registry_example/shop/cart linux/amd64 (2)\""));
}

#[test]
fn very_many_findings_and_very_long_names_are_cut_and_counted() {
    let mut report = samples::bad();
    let image = &mut report.images[0];
    image.findings = vec![image.findings[4].clone(); 1201];
    let longest = &mut image.findings[0];
    longest.message = "m".repeat(1 << 20);
    longest.evidence = vec![EvidenceReport { path: Some("p".repeat(1 << 16)), ..EvidenceReport::default() }; 51];
    let text = render(&report);
    assert!(text.contains("and 1 more place; the JSON report lists all of them") && text.contains("and 1,001 more findings"));
    assert!(text.contains("; and 1,200 more findings\""));
    assert!(text.len() < 200_000, "{}", text.len());
}

proptest::proptest! {
    #[test]
    fn any_strings_give_well_formed_xml(text in "(::|\\PC|[<>&\"'\u{0}-\u{1f}\u{fffe}\u{ffff}\u{85}\\]]){0,40}") {
        let mut report = samples::by_policy();
        text.clone_into(&mut report.source.name);
        let image = &mut report.images[0];
        image.reference = Some(text.clone());
        image.distribution = Some(text.clone());
        image.layers[0].instruction = Some(text.clone());
        image.errors = samples::unverifiable().images.remove(0).errors;
        image.errors[0].message.clone_from(&text);
        image.errors[0].code.clone_from(&text);
        for finding in &mut image.findings {
            for field in [&mut finding.check, &mut finding.message, &mut finding.fix] {
                field.clone_from(&text);
            }
            finding.severity = Some(text.clone());
            finding.evidence = vec![EvidenceReport { path: Some(text.clone()), layer: Some(0), ..EvidenceReport::default() }];
        }
        let rendered = render(&report);
        proptest::prop_assert!(elements(&rendered).is_ok(), "{:?}: {rendered}", elements(&rendered).err());
        proptest::prop_assert_eq!(count(&rendered, "testsuite"), 1);
        // on standard output GitHub's runner would take such a line for a command
        proptest::prop_assert!(!rendered.lines().any(|line| line.trim_start().starts_with("::")), "{rendered}");
    }
}
