//! Comparisons as people see them.

use super::*;
use crate::report::model::{Comparison, FindingRow, Schema, Side, Tool};
use crate::report::samples;
use crate::report::text::Look;

fn side(source: &str, verdict: Verdict, counts: [usize; 4]) -> Side {
    let [findings, fixed, added, kept] = counts;
    let platform = Some("linux/amd64".to_owned());
    let reference = Some("registry.example/shop/cart:1".to_owned());
    Side {
        source: source.to_owned(),
        reference,
        platform,
        digest: None,
        verdict,
        score: Some(samples::score()),
        findings,
        fixed,
        added,
        kept,
    }
}

fn row(name: &str, label: &str, unit: &str, values: [Option<u64>; 2]) -> Row {
    Row { name: name.to_owned(), label: label.to_owned(), unit: unit.to_owned(), values: values.to_vec() }
}

fn finding(check: &str, subject: &str, severities: [Option<&str>; 2], waived: [bool; 2]) -> FindingRow {
    FindingRow {
        check: check.to_owned(),
        code: None,
        subject: subject.to_owned(),
        severities: severities.map(|severity| severity.map(str::to_owned)).to_vec(),
        waived: waived.to_vec(),
        message: String::new(),
        change: "kept".to_owned(),
    }
}

fn sample() -> Comparison {
    Comparison {
        schema: Schema::of_comparison(),
        tool: Tool { version: "0.0.0".to_owned(), ..Tool::current() },
        images: vec![side("old.json", Verdict::Fail, [3, 0, 0, 3]), side("new.tar", Verdict::Pass, [2, 1, 1, 2])],
        rows: vec![
            row("shipped_bytes", "shipped", "bytes", [Some(900 << 20), Some(90 << 20)]),
            row("compressed_bytes", "compressed", "bytes", [None, Some(30 << 20)]),
            row("compilers", "compilers", "count", [Some(1_200), Some(0)]),
            row("root", "root user", "yes-no", [Some(1), Some(0)]),
            row("buried_bytes", "buried", "bytes", [Some(0), Some(0)]),
        ],
        findings: vec![
            finding("compiler", "gcc", [Some("high"), None], [false, false]),
            finding("setuid-file", r"/a|b`c<script>\x1b", [Some("high"), Some("high")], [false, true]),
            finding("own-rule", "", [None, Some("medium")], [false, false]),
        ],
        worse: vec![r"new.tar: a new finding, own-rule `x` ::error::y (medium)".to_owned()],
    }
}

#[test]
fn a_comparison_as_text() {
    let text = text(&sample(), Look::default());
    insta::assert_snapshot!(text);
    assert!(text.lines().all(|line| line.len() <= 80), "two images fit the width");
}

#[test]
fn a_comparison_as_markdown() {
    insta::assert_snapshot!(markdown(&sample()));
}

#[test]
fn names_of_an_image_end_no_cell_and_no_code_span() {
    let markdown = markdown(&sample());
    for line in markdown.lines().filter(|line| line.starts_with('|')) {
        assert_eq!(line.matches('|').count(), 4, "{line}");
    }
    assert!(!markdown.contains("<script"), "{markdown}");
    assert!(markdown.contains("``setuid-file"), "a fence longer than the backticks within: {markdown}");
}

#[test]
fn columns_have_letters_while_there_are_some() {
    assert_eq!((letter(0), letter(25), letter(26)), ("A".to_owned(), "Z".to_owned(), "#27".to_owned()));
}
