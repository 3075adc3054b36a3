//! Policies from files: what is laid over what, what is refused and where.

use std::path::Path;

use proptest::prelude::*;

use super::file::PolicyFile;
use super::*;

/// Loads the first of `files`, which hold all that can be read.
fn loaded(files: &[(&str, &str)]) -> Result<Loaded, Vec<PolicyError>> {
    let mut read = |path: &Path| {
        let known = files.iter().find(|(name, _)| Path::new(name) == path);
        known.map(|(_, text)| (*text).to_owned()).ok_or_else(|| "no such file".to_owned())
    };
    load(files.first().unwrap().0, &mut read, |rule| {
        if rule.when.contains("wrong") { Err("wrong is unknown".to_owned()) } else { Ok(()) }
    })
}

fn policy(files: &[(&str, &str)]) -> Policy {
    loaded(files).unwrap_or_else(|errors| panic!("{errors:?}")).policy
}

/// What is said of a file that is called `p.toml`, one line for each fault.
fn said(text: &str) -> String {
    let errors = loaded(&[("p.toml", text)]).map(|loaded| loaded.policy).expect_err(text);
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_shipped_policy_loads() {
    for (name, _) in SHIPPED {
        let policy = Policy::shipped(name).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(policy.name, name);
        assert!(policy.waivers.is_empty() && policy.rules.is_empty() && !policy.allow_incomplete, "{name}");
        let weights: f64 = policy.score.groups.iter().flat_map(|group| &group.weights).map(|(_, weight)| weight).sum();
        assert!((weights - 100.0).abs() < 1e-9, "{name}: {weights}");
    }
}

#[test]
fn the_default_policy_holds_the_numbers_of_the_score() {
    let policy = Policy::shipped("default").unwrap();
    assert_eq!((policy.fail_on, policy.fail_on_origin), (Severity::High, Scope::All));
    assert_eq!((policy.score.bytes_unit, policy.score.count_unit), (1 << 20, 1));
    let first = policy.score.groups.first().unwrap();
    assert_eq!(first.name, "build tools");
    assert_eq!(first.weights, [("toolchain_bytes".to_owned(), 18.0), ("compilers".to_owned(), 12.0)], "in the file's order");
    assert_eq!(policy.score.grades, [(Grade::A, 90.0), (Grade::B, 75.0), (Grade::C, 60.0), (Grade::D, 40.0)]);
    assert_eq!(policy.score.caps.len(), 3);
    assert_eq!(policy.score.caps[1].checks, ["root-user", "compiler"]);
}

#[test]
fn a_policy_that_does_not_exist_is_told_those_that_do() {
    let error = Policy::shipped("defualt").unwrap_err();
    assert_eq!(error.to_string(), "there is no shipped policy 'defualt'; did you mean default?");
    assert!(Policy::shipped("mine").unwrap_err().to_string().contains("cis-docker; a file's name ends with .toml"));
    assert!(Policy::shipped("./mine.toml").is_err());
}

#[test]
fn every_key_reaches_the_policy() {
    let text = include_str!("testing/full.toml");
    let policy = policy(&[("ci/full.toml", text)]);
    insta::assert_debug_snapshot!(policy);
}

#[test]
fn an_empty_file_is_a_policy_that_says_nothing() {
    assert_eq!(policy(&[("p.toml", "")]), Policy { name: "p.toml".into(), ..Policy::default() });
}
