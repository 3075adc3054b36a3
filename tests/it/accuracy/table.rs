//! Hits and misses of every check, and the tables of `docs/accuracy.md` made of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::Value;

use super::labels::{Label, Labels, Source, Unit};
use crate::program::{list, text};

/// How often a check was right.
#[derive(Debug, Default)]
struct Count {
    images: usize,
    /// Images on which it should be silent.
    silent: usize,
    hits: usize,
    false_alarms: usize,
    misses: usize,
    sources: BTreeSet<Source>,
}

/// All checks, over the images counted so far.
#[derive(Default)]
pub(super) struct Tally {
    counts: BTreeMap<String, Count>,
    pub(super) images: usize,
    /// Every false alarm and miss.
    pub(super) wrong: Vec<String>,
}

impl Tally {
    /// Counts what a report says of an image against its labels.
    pub(super) fn add(&mut self, name: &str, image: &Value, labels: &Labels) {
        self.images += 1;
        for (check, (source, label)) in labels {
            let count = self.counts.entry(check.clone()).or_default();
            count.images += 1;
            count.sources.insert(*source);
            let one = || BTreeSet::from([name.to_owned()]);
            let (expected, found) = match label {
                Label::Fires(fires) => {
                    let is_found = list(&image["findings"]).any(|finding| finding["check"] == check.as_str());
                    (fires.then(one).unwrap_or_default(), is_found.then(one).unwrap_or_default())
                }
                Label::These(expected) => (expected.clone(), said(image, check)),
            };
            count.silent += usize::from(expected.is_empty());
            count.hits += expected.intersection(&found).count();
            count.false_alarms += found.difference(&expected).count();
            count.misses += expected.difference(&found).count();
            self.wrong.extend(found.difference(&expected).map(|what| format!("{check} of {name}: false alarm {what}")));
            self.wrong.extend(expected.difference(&found).map(|what| format!("{check} of {name}: missed {what}")));
        }
    }

    /// A row for every check that has labels, and for those of `all` that have none.
    pub(super) fn table<'c>(&self, all: impl Iterator<Item = &'c str>) -> String {
        let mut text =
            "| check | counted | images | to be found | silent images | precision | recall | labels |\n|---|---|--:|--:|--:|--:|--:|---|\n"
                .to_owned();
        for check in all {
            let row = self.counts.get(check).map_or_else(|| "| | | | | | none at hand |".to_owned(), Count::row);
            let unit = Unit::of(check).word();
            writeln!(text, "| [`{check}`](checks.md#{check}) | {unit} {row}").unwrap();
        }
        text
    }
}

impl Count {
    fn row(&self) -> String {
        let (images, positives, silent) = (self.images, self.hits + self.misses, self.silent);
        let recall = if positives == 0 { "none to find".to_owned() } else { three_places(self.hits, positives) };
        let precision = match (self.false_alarms, positives) {
            (0, 0) => "no false alarm".to_owned(),
            _ => three_places(self.hits, self.hits + self.false_alarms),
        };
        let sources: Vec<_> = self.sources.iter().map(|source| source.word()).collect();
        format!("| {images} | {positives} | {silent} | {precision} | {recall} | {} |", sources.join(", "))
    }
}

/// `hits / whole` with three places, rounded down: nothing but all is 1.000.
fn three_places(hits: usize, whole: usize) -> String {
    let thousandths = (hits * 1000).checked_div(whole).unwrap_or(0);
    format!("{}.{:03}", thousandths / 1000, thousandths % 1000)
}

/// What a check says of an image, in its unit.
fn said(image: &Value, check: &str) -> BTreeSet<String> {
    let findings = list(&image["findings"]).filter(|finding| finding["check"] == check);
    match Unit::of(check) {
        Unit::Path => findings.flat_map(|finding| list(&finding["evidence"])).filter_map(|one| text(&one["path"])).collect(),
        Unit::Code => findings.filter_map(|finding| text(&finding["code"])).collect(),
        Unit::Subject | Unit::Image => findings.filter_map(|finding| text(&finding["subject"])).collect(),
    }
}

#[test]
fn parts_are_rounded_down() {
    assert_eq!([(1, 1), (1999, 2000), (0, 3)].map(|(hits, whole)| three_places(hits, whole)), ["1.000", "0.999", "0.000"]);
}

#[test]
fn hits_false_alarms_and_misses_are_counted_in_the_check_s_unit() {
    let image = serde_json::json!({"findings": [
        {"check": "compiler", "subject": "gcc", "evidence": [{"path": "/a"}, {"path": "/b"}]},
        {"check": "root-user", "evidence": []},
    ]});
    let these = |paths: &[&str]| Label::These(paths.iter().map(ToString::to_string).collect());
    let labels = Labels::from([
        ("compiler".to_owned(), (Source::Oracle, these(&["/b", "/c"]))),
        ("root-user".to_owned(), (Source::Script, Label::Fires(true))),
        ("apt-lists".to_owned(), (Source::Script, Label::Fires(false))),
    ]);
    let mut tally = Tally::default();
    tally.add("x", &image, &labels);
    assert_eq!(tally.wrong, ["compiler of x: false alarm /a", "compiler of x: missed /c"]);
    let table = tally.table(["compiler", "root-user", "apt-lists", "debugger"].into_iter());
    let rows: Vec<_> = table.lines().skip(2).collect();
    assert_eq!(
        rows,
        [
            "| [`compiler`](checks.md#compiler) | path | 1 | 2 | 0 | 0.500 | 0.500 | oracle |",
            "| [`root-user`](checks.md#root-user) | image | 1 | 1 | 0 | 1.000 | 1.000 | script |",
            "| [`apt-lists`](checks.md#apt-lists) | image | 1 | 0 | 1 | no false alarm | none to find | script |",
            "| [`debugger`](checks.md#debugger) | path | | | | | | none at hand |",
        ]
    );
}
