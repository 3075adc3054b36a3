//! `plimsoll convert`: saved reports in every format, also those that somebody else wrote.

use std::path::Path;

use serde_json::Value;

use crate::desk::{Desk, is_annotation, root, said};
use crate::program::{run, run_with_stdin};

/// Every format that this build has.
fn formats() -> Vec<String> {
    let help = String::from_utf8(run(&["convert", "--help"]).stdout).unwrap();
    let list = help.split("[possible values:").nth(1).unwrap().split(']').next().unwrap();
    let names: Vec<String> = list.split(',').map(|name| name.trim().to_owned()).collect();
    assert!(names.len() >= 7 && names.contains(&"in-toto".to_owned()), "{names:?}");
    names
}

const DAY: [&str; 2] = ["--as-of", "2026-11-21"];

fn image(name: &str) -> String {
    root().join("testdata/images").join(name).to_str().unwrap().to_owned()
}

fn report(image: &str) -> Value {
    serde_json::from_slice(&run(&[&["check", image, "--format", "json"], &DAY[..]].concat()).stdout).unwrap()
}

/// What is written of a saved report, which must succeed.
fn converted(report: &Value, format: &str) -> String {
    let output = run_with_stdin(&["convert", "-", "--format", format], report.to_string().as_bytes());
    assert_eq!(output.status.code(), Some(0), "{format}: {}", said(&output));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_saved_report_gives_in_every_format_what_the_check_gave() {
    let desk = Desk::new();
    desk.hostile_image("work/hostile.tar");
    let path = |name: &str| desk.path("work").join(name).to_str().unwrap().to_owned();
    for image in ["shop.tar", "good.tar", "cut.tar", "hostile.tar"].map(path) {
        let saved = report(&image);
        for format in formats() {
            let checked = run(&[&["check", &image, "--format", &format], &DAY[..]].concat());
            assert_eq!(converted(&saved, &format), String::from_utf8(checked.stdout).unwrap(), "{image} as {format}");
        }
    }
}

#[test]
fn several_formats_are_written_at_once_and_the_exit_code_is_0_whatever_the_verdict() {
    let desk = Desk::new();
    let path = |name: &str| desk.path(name).to_str().unwrap().to_owned();
    desk.write("saved.json", report(&image("demo.tar")).to_string().as_bytes());
    let outputs = [format!("junit={}", path("a.xml")), format!("in-toto={}", path("a.jsonl"))];
    let output = run(&["convert", &path("saved.json"), "-o", &outputs[0], "-o", &outputs[1], "-o", "text=-", "--show-score"]);
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8(output.stdout).unwrap();
    let checked = run(&[&["check", &image("demo.tar"), "--show-score"], &DAY[..]].concat());
    assert_eq!(text, String::from_utf8(checked.stdout).unwrap());
    assert!(desk.read("a.xml").starts_with("<?xml ") && desk.read("a.jsonl").starts_with("{\"_type\""));
    let nowhere = format!("json={}", path("no/such/a.json"));
    assert_eq!(run(&["convert", &path("saved.json"), "-o", &nowhere]).status.code(), Some(3));
}

#[test]
fn what_is_no_report_is_refused_with_2_and_a_reason() {
    let desk = Desk::new();
    let refused = |name: &str, bytes: &[u8]| {
        desk.write(name, bytes);
        let output = run(&["convert", desk.path(name).to_str().unwrap()]);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{name}: {}", said(&output));
        let said = said(&output);
        assert!(said.starts_with("error: ") && said.lines().count() == 1 && said.len() < 600, "{said}");
        assert!(!said.contains('\u{1b}'), "{said}");
        said
    };
    let saved = report(&image("good.tar"));
    let with = |pointer: &str, value: Value| {
        let mut changed = saved.clone();
        *changed.pointer_mut(pointer).unwrap() = value;
        changed.to_string()
    };
    assert!(refused("a.tar", b"not json").contains("no report of `plimsoll check --format json`"));
    assert!(refused("a.json", b"").contains("EOF"));
    assert!(refused("a.json", with("/schema/version", "2.0.0".into()).as_bytes()).contains("this program reads 1.x"));
    assert!(refused("a.json", with("/verdict", "\u{1b}[2J\n::error::".into()).as_bytes()).contains("unknown variant"));
    assert!(refused("a.json", with("/images", "x".repeat(9_000).into()).as_bytes()).contains("invalid type"));
    assert!(refused("a.json", "[".repeat(100_000).as_bytes()).contains("no report"));
    std::fs::File::create(desk.path("big.json")).unwrap().set_len((64 << 20) + 1).unwrap();
    let output = run(&["convert", desk.path("big.json").to_str().unwrap()]);
    assert!(said(&output).contains("larger than 64 MiB") && output.status.code() == Some(2));
    assert_eq!(run(&["convert", root().to_str().unwrap()]).status.code(), Some(2));
    assert_eq!(run(&["convert", "no-such.json"]).status.code(), Some(2));
    let output = run_with_stdin(&["convert", "-"], b"{}");
    assert!(said(&output).contains("standard input: no report") && output.status.code() == Some(2));
}

#[test]
fn older_reports_are_read_and_members_that_nobody_knows_passed_over() {
    let mut old = report(&image("demo.tar"));
    let text = converted(&old, "text");
    old["schema"]["version"] = "1.0.0".into();
    old["policy"].as_object_mut().unwrap().remove("rules");
    let image = old["images"][0].as_object_mut().unwrap();
    for since in ["dockerfile", "filesystem", "left_out", "controls"] {
        image.remove(since);
    }
    assert_eq!(converted(&old, "text"), text);
    let mut new = old.clone();
    new["schema"]["version"] = "1.99.0".into();
    new["weather"] = serde_json::json!({ "wind": [1, 2, 3] });
    new["images"][0]["findings"][0]["mood"] = "grim".into();
    assert_eq!(converted(&new, "text"), text);
}

/// Every string of the report but those that only a few values can stand for.
fn poison(value: &mut Value, key: &str, with: &str) {
    match value {
        Value::String(text) if !["verdict", "severity", "version"].contains(&key) => with.clone_into(text),
        Value::Array(values) => values.iter_mut().for_each(|value| poison(value, key, with)),
        Value::Object(members) => members.iter_mut().for_each(|(key, value)| poison(value, key, with)),
        _ => {}
    }
}

/// Nothing that a terminal, a runner, a browser or a reader of Markdown would obey.
fn assert_is_disarmed(text: &str, format: &str) {
    // GitLab finds a file by its real name
    let hidden = if format == "gitlab-codequality" { "" } else { "\u{202e}\u{200b}\u{2028}\u{feff}" };
    let is_odd = |c: char| c != '\n' && (c.is_control() || hidden.contains(c));
    assert!(!text.contains(is_odd), "{format}: {text:?}");
    for line in text.lines().filter(|line| line.trim_start().starts_with("::")) {
        assert!(format == "github" && is_annotation(line), "{format}: {line}");
    }
    // readers of these parse them: no runner takes them for its log
    let is_log = !["json", "in-toto", "sarif", "gitlab-codequality", "html"].contains(&format);
    assert!(!is_log || !["##[", "##vso["].iter().any(|order| text.contains(order)), "{format}: {text}");
    if ["markdown", "junit", "html"].contains(&format) {
        assert!(!text.contains("<img"), "{format}: {text}");
    }
}

#[test]
fn strings_of_a_report_that_somebody_else_wrote_give_no_orders_in_any_format() {
    let hostile = "\u{1b}[2J\r\n::stop-commands::x\n##[error]y ##vso[task.complete]\u{202e}\u{200b}\u{2028}|`]](x)<img src=x onerror=alert(1)>'\"&,%0A::error::z]]>";
    let mut saved = report(&image("demo.tar"));
    let extra = serde_json::json!({
        "errors": [{"code": "a", "message": "b", "place": {"document": "c", "path": "d"}}],
        "policy": {"name": "a", "fail_on": "b", "as_of": "c", "waivers": [{"check": "a", "path": "b", "image": "c", "digest": "d", "reason": "e",
            "expires": "f", "owner": "g", "place": "h", "state": "unused"}], "rules": [{"id": "a", "title": "b", "severity": "low", "message": "c", "fix": "d"}]},
    });
    for key in ["errors", "policy"] {
        saved[key] = extra[key].clone();
    }
    let location = serde_json::json!({"file": "a", "line": 1, "start_line": 1, "end_line": 2, "confidence": "exact", "instruction": "b", "line_hash": "c",
        "related": [{"file": "a", "start_line": 1, "end_line": 2, "instruction": "b"}]});
    let image = &mut saved["images"][0];
    image["errors"] = extra["errors"].clone();
    image["examined"]["not_examined"] = serde_json::json!([{"path": "a", "layer": 77, "reason": "b"}]);
    image["trees_differ"] = serde_json::json!([{"path": "a", "stacked": "b", "sequential": "c"}]);
    image["controls"] = serde_json::json!([{"framework": "a", "id": "b", "title": "c", "status": "fail", "checks": ["d"], "findings": 1, "note": "e"}]);
    image["left_out"] = serde_json::json!([{"check": "a", "reason": "off", "findings": 1}]);
    image["dockerfile"] = serde_json::json!({"file": "a", "found_by": "b", "target": "c", "confidence": "d", "detail": "e"});
    image["base"] = serde_json::json!({"name": "a", "layers": 99, "told_by": "b", "confidence": "c", "reason": "d"});
    image["notes"] = serde_json::json!([image["findings"][0].clone()]);
    image["findings"][0]["locations"] = serde_json::json!([location]);
    // places that are not there
    image["findings"][0]["evidence"][0]["location"] = 55.into();
    image["findings"][0]["evidence"][0]["layer"] = 66.into();
    image["findings"][1]["waived"] = serde_json::json!({"waiver": 44, "reason": "a", "expires": "b", "owner": "c"});
    for verdict in ["fail", "unverifiable", "pass"] {
        let mut poisoned = saved.clone();
        poison(&mut poisoned, "", hostile);
        poisoned["images"][0]["verdict"] = verdict.into();
        for format in formats() {
            assert_is_disarmed(&converted(&poisoned, &format), &format);
        }
    }
}

#[test]
fn an_in_toto_statement_names_the_image_by_its_digest() {
    let saved = report(&image("demo.tar"));
    let statement: Value = serde_json::from_str(&converted(&saved, "in-toto")).unwrap();
    let digest = saved["images"][0]["manifest_digest"].as_str().unwrap().strip_prefix("sha256:").unwrap();
    assert_eq!(statement["subject"][0]["digest"]["sha256"], digest);
    assert_eq!(statement["predicate"]["result"], "FAILED");
    let passed = report(&image("good.tar"));
    let statement: Value = serde_json::from_str(&converted(&passed, "in-toto")).unwrap();
    assert_eq!(statement["predicate"]["result"], "PASSED");
    assert!(Path::new(&image("good.tar")).is_file());
}
