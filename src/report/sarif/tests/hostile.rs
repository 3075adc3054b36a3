//! Whatever strings a report holds, the document is JSON, its URIs are legal and its regions are lines.

use proptest::prelude::*;

use super::*;

fn legal_uri(uri: &str) -> bool {
    let is_legal = |part: &str| {
        let mut hex = 0;
        let all = part.bytes().all(|byte| match byte {
            _ if hex > 0 => {
                hex -= 1;
                byte.is_ascii_hexdigit()
            }
            b'%' => {
                hex = 2;
                true
            }
            _ => byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~'),
        });
        all && hex == 0 && !matches!(part, "" | "." | "..")
    };
    uri.split('/').all(is_legal)
}

/// Every `[text](n)` of a message that is no escaped bracket.
fn links(message: &str) -> Vec<usize> {
    let mut found = Vec::new();
    let mut is_escaped = false;
    for (at, character) in message.char_indices() {
        if character == ']' && !is_escaped {
            let target = message[at + 1..].strip_prefix('(').and_then(|rest| rest.split_once(')')).unwrap().0;
            found.push(target.parse().unwrap());
        }
        is_escaped = character == '\\' && !is_escaped;
    }
    found
}

fn assert_sound(document: &Value) {
    for run in list(&document["runs"]) {
        let rules = list(&run["tool"]["driver"]["rules"]);
        for result in list(&run["results"]) {
            let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
            assert_eq!(rules[index]["id"], result["ruleId"]);
            assert_eq!(list(&result["locations"]).len(), 1);
            let related = list(&result["relatedLocations"]);
            for location in list(&result["locations"]).iter().chain(related) {
                let place = &location["physicalLocation"];
                let uri = place["artifactLocation"]["uri"].as_str().unwrap();
                assert!(legal_uri(uri), "{uri}");
                for region in [&place["region"], &place["contextRegion"]].into_iter().filter(|region| region.is_object()) {
                    assert!(region["startLine"].as_u64().unwrap() >= 1, "{region}");
                    assert!(region["endLine"].as_u64() >= region["startLine"].as_u64(), "{region}");
                    assert!(region["endColumn"].as_u64() >= region["startColumn"].as_u64(), "{region}");
                }
            }
            let text = result["message"]["text"].as_str().unwrap();
            assert!(!text.is_empty() && !text.chars().any(char::is_control), "{text:?}");
            let known: Vec<usize> = related.iter().map(|it| usize::try_from(it["id"].as_u64().unwrap()).unwrap()).collect();
            assert_eq!(links(text), known, "{text}");
        }
    }
}

fn spoiled(texts: &[String], numbers: [usize; 3]) -> Report {
    let mut report = samples::located();
    let text = |index: usize| texts.get(index % texts.len().max(1)).cloned().unwrap_or_default();
    report.source.name = text(0);
    report.policy.rules[0].id = text(1);
    report.policy.rules[0].message = text(2);
    let image = &mut report.images[0];
    image.reference = Some(text(3));
    image.platform.as_mut().unwrap().os = text(4);
    for (index, finding) in image.findings.iter_mut().enumerate() {
        finding.check = text(index);
        finding.message = text(index + 1);
        finding.subject = text(index + 2);
        finding.fix = text(index + 3);
        for evidence in &mut finding.evidence {
            evidence.path = Some(text(index + 4));
            evidence.location = Some(numbers[0] % 4);
        }
        for location in &mut finding.locations {
            location.file = text(index + 5);
            location.instruction = text(index + 6);
            location.confidence = text(index + 7);
            (location.line, location.start_line, location.end_line) = (numbers[0], numbers[1], numbers[2]);
            for related in &mut location.related {
                related.file = text(index + 1);
                related.instruction = text(index + 2);
                (related.start_line, related.end_line) = (numbers[2], numbers[1]);
            }
        }
    }
    report
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_string_of_a_report_breaks_a_document(
        texts in prop::collection::vec("\\PC{0,12}|[\\\\\\[\\]()x0-9a-f/.:%]{0,16}|[\\x00-\\x1f]{1,4}", 1..9),
        numbers in prop::array::uniform3(0usize..9),
    ) {
        assert_sound(&usual(&spoiled(&texts, numbers)));
    }
}

#[test]
fn every_sample_is_sound() {
    for (_, report) in every_sample() {
        assert_sound(&written(&report, &Options { shows_waived: true, ..Options::default() }));
    }
}

#[test]
fn a_link_of_the_image_is_no_link() {
    let mut report = samples::bad();
    report.images[0].findings[0].message = "see [here](1) \\[x](2)".into();
    let document = usual(&report);
    let text = results(&document)[0]["message"]["text"].as_str().unwrap();
    assert!(text.starts_with("see \\[here\\](1) \\\\\\[x\\](2)."), "{text}");
}
