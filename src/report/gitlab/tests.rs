//! Entries for GitLab: what they say, where they stand, and that none shares its fingerprint.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::samples;
use super::*;

fn written(report: &Report) -> String {
    let mut out = Vec::new();
    write(report, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn list(report: &Report) -> Vec<Value> {
    serde_json::from_str(&written(report)).unwrap()
}

fn every_sample() -> Vec<(&'static str, Report)> {
    samples::all().into_iter().chain([("located", samples::located())]).collect()
}

#[test]
fn the_entries_of_a_bad_image_with_lines() {
    insta::assert_snapshot!(written(&samples::located()));
}

#[test]
fn the_entries_of_an_unverifiable_image() {
    insta::assert_snapshot!(written(&samples::unverifiable()));
}

#[test]
fn a_clean_image_is_an_empty_array() {
    assert_eq!(written(&samples::good()), "[]\n");
    assert_eq!(written(&samples::all_waived()), "[]\n");
}

#[test]
fn what_could_not_be_verified_is_a_blocker() {
    let refused = list(&samples::refused());
    assert_eq!(
        (refused.len(), &refused[0]["severity"], &refused[0]["location"]["path"]),
        (1, &"blocker".into(), &"Dockerfile".into())
    );
    let mut report = samples::bad();
    report.images[0].findings.clear();
    assert_eq!(list(&report)[0]["check_name"], "verdict");
    report.images[0].verdict = Verdict::Unverifiable;
    assert_eq!(list(&report)[0]["check_name"], "unverifiable");
}

#[test]
fn every_unwaived_place_is_an_entry_of_its_own_with_a_path_and_a_line() {
    for (name, report) in every_sample() {
        let entries = list(&report);
        let is_finding = |entry: &&Value| !matches!(entry["check_name"].as_str(), Some("unverifiable" | "verdict"));
        let findings = report.images.iter().flat_map(|image| &image.findings).filter(|finding| finding.waived.is_none());
        let places: usize = findings.map(|finding| finding.locations.len().max(1)).sum();
        assert_eq!(entries.iter().filter(is_finding).count(), places, "{name}");
        let unique: BTreeSet<String> = entries.iter().map(|entry| entry["fingerprint"].to_string()).collect();
        assert_eq!(unique.len(), entries.len(), "{name}");
        for entry in &entries {
            let path = entry["location"]["path"].as_str().unwrap();
            assert!(!path.is_empty() && !path.starts_with(['.', '/']) && entry["location"]["lines"]["begin"].as_u64() >= Some(1));
        }
    }
}

#[test]
fn fingerprints_stay_from_build_to_build() {
    let of = |report: &Report| list(report).into_iter().map(|entry| entry["fingerprint"].to_string()).collect::<Vec<_>>();
    let mut later = samples::located();
    later.images[0].reference = Some("registry.example/shop/cart:2".into());
    for finding in &mut later.images[0].findings {
        finding.message.push_str(", 7 MiB");
        for location in &mut finding.locations {
            location.line += 3;
        }
    }
    assert_eq!(of(&samples::located()), of(&later));
}
