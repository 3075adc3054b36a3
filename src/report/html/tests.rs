//! What the page holds, and that no string of a report becomes markup.

#![expect(clippy::disallowed_methods, reason = "a test that on demand writes pages for tests/html.sh")]

use std::cell::RefCell;
use std::collections::BTreeSet;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{BufferQueue, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts};

use super::*;
use crate::report::model::{EvidenceReport, FilesystemPart};
use crate::report::samples;

/// A name, and attributes with their values.
type Element = (String, Vec<(String, String)>);

/// What a browser makes of a page: its elements with their attributes, and its text.
#[derive(Debug, Default)]
struct Seen {
    elements: RefCell<Vec<Element>>,
    text: RefCell<String>,
}

impl TokenSink for Seen {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        match token {
            Token::TagToken(tag) if tag.kind == TagKind::StartTag => {
                let attributes = tag.attrs.iter().map(|one| (one.name.local.to_string(), one.value.to_string())).collect();
                let name = tag.name.to_string();
                // the page's own title; those in pictures hold markup like all else
                let is_first = !self.elements.borrow().iter().any(|element| element.0 == name);
                self.elements.borrow_mut().push((name.clone(), attributes));
                match name.as_str() {
                    "title" if is_first => TokenSinkResult::RawData(RawKind::Rcdata),
                    "style" => TokenSinkResult::RawData(RawKind::Rawtext),
                    "script" => TokenSinkResult::RawData(RawKind::ScriptData),
                    _ => TokenSinkResult::Continue,
                }
            }
            Token::CharacterTokens(text) => {
                self.text.borrow_mut().push_str(&text);
                TokenSinkResult::Continue
            }
            Token::CommentToken(_) | Token::NullCharacterToken => panic!("the page has no comments and no zero bytes: {token:?}"),
            Token::ParseError(error) => panic!("{error}"),
            _ => TokenSinkResult::Continue,
        }
    }
}

impl Seen {
    fn of(page: &str) -> Self {
        let (tokenizer, queue) = (Tokenizer::new(Self::default(), TokenizerOpts::default()), BufferQueue::default());
        queue.push_back(StrTendril::from_slice(page));
        let _ = tokenizer.feed(&queue);
        tokenizer.end();
        tokenizer.sink
    }

    fn count(&self, name: &str) -> usize {
        self.elements.borrow().iter().filter(|element| element.0 == name).count()
    }

    fn with_class(&self, name: &str, class: &str) -> usize {
        let has = |(key, value): &(String, String)| key == "class" && value.split(' ').any(|one| one == class);
        self.elements.borrow().iter().filter(|element| element.0 == name && element.1.iter().any(has)).count()
    }

    fn values(&self, attribute: &str) -> BTreeSet<String> {
        let elements = self.elements.borrow();
        elements.iter().flat_map(|element| &element.1).filter(|one| one.0 == attribute).map(|one| one.1.clone()).collect()
    }

    /// Names of elements and of their attributes, in order; labels of the map are left out, since they depend on what fits.
    fn skeleton(&self) -> Vec<String> {
        let is_label = |element: &&Element| element.0 == "text" || element.0 == "svg" && element.1.iter().any(|one| one.0 == "y");
        let shape = |element: &Element| {
            let names: Vec<&str> = element.1.iter().map(|one| one.0.as_str()).collect();
            format!("{} {}", element.0, names.join(" "))
        };
        self.elements.borrow().iter().filter(|element| !is_label(element)).map(shape).collect()
    }
}

/// A report with something in every field that the page shows.
fn full() -> Report {
    let (mut report, policy) = (samples::located(), samples::by_policy());
    let (broken, accepted) = (samples::unverifiable(), policy.images[0].clone());
    let rules = std::mem::take(&mut report.policy.rules);
    report.policy = policy.policy;
    report.policy.rules = rules;
    let image = &mut report.images[0];
    image.errors.clone_from(&broken.images[0].errors);
    image.examined = broken.images[0].examined.clone();
    image.findings.extend(accepted.findings);
    (image.left_out, image.controls) = (accepted.left_out, accepted.controls);
    image.notes = samples::good().images[0].notes.clone();
    image.base = Some(crate::report::model::BaseReport {
        name: Some("debian:13-slim".into()),
        layers: 1,
        told_by: "given".into(),
        confidence: "certain".into(),
        reason: "the diff_ids are equal".into(),
    });
    report.errors = samples::refused().errors;
    report.images.push(report.images[0].clone());
    report
}

/// The report with `text` for every string but those of `kept` fields; keys of maps, too.
fn with_every_string(report: &Report, text: &str, kept: &[&str]) -> Report {
    fn change(value: &mut serde_json::Value, text: &str, kept: &[&str]) {
        match value {
            serde_json::Value::String(string) => text.clone_into(string),
            serde_json::Value::Array(values) => values.iter_mut().for_each(|value| change(value, text, kept)),
            serde_json::Value::Object(fields) => {
                fields
                    .iter_mut()
                    .filter(|(key, _)| !kept.contains(&key.as_str()))
                    .for_each(|(_, value)| change(value, text, kept));
                if let Some(serde_json::Value::Object(classes)) = fields.get_mut("by_class") {
                    classes.insert(text.to_owned(), 77.into());
                }
            }
            _ => {}
        }
    }
    let mut value = serde_json::to_value(report).unwrap();
    change(&mut value, text, kept);
    serde_json::from_value(value).unwrap()
}

#[test]
fn no_string_of_a_report_becomes_markup() {
    let hostile = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>&#x0;&lt;b&gt;\u{202e}\u{0}\u{1b}[2J-->]]>";
    let harmless = "x".repeat(hostile.chars().count());
    let known =
        ["verdict", "severity", "check", "class", "status", "state", "origin", "confidence", "code", "unit", "measurement"];
    for kept in [&known[..1], &known[..], &known[..3]] {
        let of = |text: &str| render(&with_every_string(&full(), text, kept));
        let (page, plain) = (of(hostile), of(&harmless));
        let (seen, expected) = (Seen::of(&page), Seen::of(&plain));
        assert!(expected.skeleton().len() > 500, "the report is full");
        assert_eq!(seen.skeleton(), expected.skeleton());
        assert_eq!((seen.count("script"), seen.count("img"), seen.count("a")), (0, 0, expected.count("a")));
        for attribute in ["href", "id", "style", "class"] {
            assert_eq!(seen.values(attribute), expected.values(attribute), "{attribute}");
        }
        assert!(seen.text.borrow().contains("<script>alert(1)</script>"), "it is shown as text");
        assert!(!page.contains(['\u{202e}', '\u{0}', '\u{1b}', '\r', '\t']), "nothing that controls or turns text");
        assert!(seen.text.borrow().contains("&#x0;&lt;b&gt;"), "what looks like an escape is shown as it is");
    }
}

#[test]
fn the_page_needs_nothing_but_itself() {
    for (name, report) in samples::all().into_iter().chain([("full", full())]) {
        let page = render(&report);
        let seen = Seen::of(&page);
        for element in ["script", "img", "link", "iframe", "object", "embed", "base", "form", "audio", "video", "use", "image"] {
            assert_eq!(seen.count(element), 0, "{name}: {element}");
        }
        assert!(page.contains(r#"<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">"#));
        let names: BTreeSet<String> = seen.elements.borrow().iter().flat_map(|it| it.1.clone()).map(|it| it.0).collect();
        assert!(!names.iter().any(|name| name.starts_with("on") || name == "src" || name == "srcset"), "{names:?}");
        for address in seen.values("href") {
            assert!(address.starts_with("https://") || address.starts_with('#'), "{name}: {address}");
        }
    }
    assert!(!STYLE.contains("url(") && !STYLE.contains('@') || STYLE.matches('@').count() == STYLE.matches("@media").count());
}

#[test]
fn every_finding_of_the_report_is_on_the_page_once_and_is_counted() {
    for (name, report) in samples::all().into_iter().chain([("full", full())]) {
        let page = render(&report);
        let seen = Seen::of(&page);
        let findings: usize = report.images.iter().map(|image| image.findings.len() + image.notes.len()).sum();
        assert_eq!(seen.with_class("li", "finding"), findings, "{name}");
        for image in &report.images {
            let open = image.findings.iter().filter(|finding| finding.waived.is_none()).count();
            let told = open > 0 || image.errors.is_empty();
            assert!(!told || page.contains(&format!(r#"<span class="total">{open}</span>"#)), "{name}: {open}");
            for finding in &image.findings {
                assert!(seen.text.borrow().contains(&shown(&finding.message)), "{name}: {}", finding.message);
            }
        }
    }
}

#[test]
fn an_image_that_could_not_be_verified_says_so_before_all_else() {
    let page = render(&samples::unverifiable());
    let seen = Seen::of(&page);
    let text = seen.text.borrow();
    assert_eq!(seen.with_class("p", "is-unverifiable"), 1);
    assert_eq!((seen.with_class("p", "is-pass"), seen.with_class("p", "is-fail")), (0, 0));
    let at = |what: &str| text.find(what).unwrap_or_else(|| panic!("{what} is not on the page"));
    assert!(at("Why it could not be verified") < at("digest-mismatch") && at("digest-mismatch") < at("Health check"));
    assert!(at("Not examined: 2 places") > 0 && at("Not judged") > 0 && !text.contains("Nothing was found"));
    assert!(Seen::of(&render(&samples::refused())).text.borrow().contains("not-an-image"));
}

#[test]
fn very_many_places_and_findings_are_cut_and_counted() {
    let mut report = samples::bad();
    let long = "/long".repeat(200);
    let evidence = EvidenceReport { path: Some(long.clone()), linkname: Some(long), layer: Some(1), ..EvidenceReport::default() };
    report.images[0].findings[1].evidence = vec![evidence.clone(); 100_000];
    let page = render(&report);
    assert!(page.len() < 200_000, "{} bytes", page.len());
    assert!(Seen::of(&page).text.borrow().contains("And 99,975 more places; the JSON report lists all of them."));
    let mut finding = report.images[0].findings[0].clone();
    finding.evidence = vec![evidence; 30];
    report.images[0].findings = vec![finding; 5_000];
    let page = render(&report);
    assert!(page.len() < 5_000_000, "{} bytes", page.len());
    let seen = Seen::of(&page);
    assert_eq!(seen.with_class("li", "finding"), 2_000);
    assert!(seen.text.borrow().contains("And 3,000 more findings; the JSON report has all of them."));
    assert!(page.contains(r#"<span class="total">5000</span>"#));
}

#[test]
fn the_water_stands_at_the_score_and_never_off_the_hull() {
    let of = |value: f64| {
        let score = crate::report::model::ScoreReport { value, ..samples::score() };
        gauge::mark(Some(&score), 0).into_string()
    };
    assert!(of(0.0).contains("M92 46.0H292") && of(100.0).contains("M92 206.0H292") && of(50.0).contains("M92 126.0H292"));
    assert!(of(-1_000.0).contains("M92 34.0H292") && of(1e300).contains("M92 218.0H292"));
    assert!(of(f64::NAN).contains("M92 46.0H292"));
    let none = gauge::mark(None, 0).into_string();
    assert!(none.contains("no score") && !none.contains(r#"class="water""#));
}

#[test]
fn every_part_of_the_filesystem_is_on_the_map_and_small_ones_together() {
    let mut report = samples::located();
    let filesystem = report.images[0].filesystem.as_mut().unwrap();
    let part = filesystem.parts[0].clone();
    filesystem.parts.extend((0..50).map(|_| FilesystemPart { bytes: 1, ..part.clone() }));
    let page = render(&report);
    let seen = Seen::of(&page);
    assert!(seen.text.borrow().contains("50 smaller places: 50 B, toolchain"));
    // six parts and the small ones, on both sheets, and the deck of the hull
    assert_eq!(seen.count("rect"), 2 * 7 + 1);
}

/// `tests/html.sh` has a browser look at these.
#[test]
fn pages_are_written_for_a_browser() {
    let Ok(folder) = std::env::var("PLIMSOLL_PAGES") else { return };
    let long = format!("/srv/{}<b>\u{202e}\u{4e2d}\u{6587}", "a-name-without-any-place-to-break-".repeat(9));
    let known = ["verdict", "severity", "class", "status", "state", "origin", "unit", "measurement", "check"];
    let mut pages = samples::all();
    pages.extend([("full", full()), ("located", samples::located())]);
    pages.push(("hostile", with_every_string(&full(), &long, &known)));
    for (name, value) in [("score_below", -40.0), ("score_above", 140.0)] {
        let mut report = samples::located();
        report.images[0].score = Some(crate::report::model::ScoreReport { value, ..samples::score() });
        pages.push((name, report));
    }
    let mut many = samples::located();
    let filesystem = many.images[0].filesystem.as_mut().unwrap();
    filesystem.parts = (0..1_500_u64)
        .map(|number| FilesystemPart {
            path: format!("/usr/lib/{}/name-{number}.so", number % 17),
            class: crate::score::Class::ALL[usize::try_from(number % 9).unwrap()].as_str().to_owned(),
            layer: 1,
            bytes: 3_000_000_000 / (number + 1) / (number % 9 + 1),
            files: number,
        })
        .collect();
    pages.push(("many_parts", many));
    for (name, report) in pages {
        std::fs::write(format!("{folder}/{name}.html"), render(&report)).unwrap();
    }
}
