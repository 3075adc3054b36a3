//! Holds the files under `docs/` that are generated from the program's own data.
//!
//! `PLIMSOLL_BLESS=1 INSTA_UPDATE=always cargo test --lib report:: cli::` writes them, and every snapshot, anew.
#![expect(clippy::disallowed_methods, reason = "a test that compares, and on demand writes, files of the repository")]

use std::path::Path;

use super::{checks_page, schema};

/// Fails when `docs/<name>` is not what the program generates, or writes it when asked to.
fn hold(name: &str, generated: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name);
    if std::env::var_os("PLIMSOLL_BLESS").is_some() {
        std::fs::write(&path, generated).unwrap();
    }
    let held = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(held == generated, "docs/{name} is stale: run PLIMSOLL_BLESS=1 cargo test --lib report::generated");
}

#[test]
fn the_schema_of_the_report_is_published() {
    hold("schema/report-1.3.0.json", &schema::report());
}

#[test]
fn the_schema_of_a_listed_entry_is_published() {
    hold("schema/ls-1.0.0.json", &schema::entry());
}

#[test]
fn the_schema_of_comparisons_is_published() {
    hold("schema/compare-1.0.0.json", &schema::comparison());
}

#[test]
fn the_schema_of_why_is_published() {
    hold("schema/why-1.0.0.json", &schema::why());
}

#[test]
fn the_schema_of_policy_files_is_published() {
    hold("schema/policy-1.0.0.json", &schema::policy());
}

#[test]
fn the_page_of_checks_is_that_of_the_list() {
    hold("checks.md", &checks_page::checks());
}

#[test]
fn the_page_of_finding_codes_is_that_of_the_list() {
    hold("findings.md", &checks_page::findings());
}
