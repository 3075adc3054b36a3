//! `plimsoll policy`: a policy with everything that it extends, every value with its place, for people and for machines.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::checks;
use crate::oci::escape_text;
use crate::policy::effective::{Effective, Section, Setting};
use crate::policy::{Loaded, Place, Policy, Scope};

use super::quantity;
use super::text::Look;
use super::text::page::{GOOD, Page, QUIET, STRONG, columns};

/// Values wider than this do not move the comments of the others.
const MOST_ALIGNED: usize = 56;

/// The policy as TOML that, loaded again, gives the same policy; where each value comes from stands behind it as a comment.
#[must_use]
pub fn toml(loaded: &Loaded, look: Look) -> String {
    let mut out = String::new();
    let comment = |text: &str| paint(look, QUIET, &format!("# {text}"));
    let files: Vec<String> = loaded.effective.files.iter().map(|file| shown(file)).collect();
    let _ = writeln!(out, "{}", comment(&format!("the policy {}, from {}", shown(&loaded.policy.name), files.join(", "))));
    for section in &loaded.effective.sections {
        out.push('\n');
        let head = header(section);
        if section.settings.is_empty() {
            let _ = writeln!(out, "{}  {}", paint(look, STRONG, &head), comment(&place(&section.place)));
        } else if !head.is_empty() {
            let _ = writeln!(out, "{}", paint(look, STRONG, &head));
        }
        let lines: Vec<String> = section.settings.iter().map(line).collect();
        let widths = lines.iter().map(|line| columns(line));
        let widest = widths.filter(|width| *width <= MOST_ALIGNED).max().unwrap_or(0);
        for (setting, line) in section.settings.iter().zip(&lines) {
            let gap = widest.saturating_sub(columns(line));
            let _ = writeln!(out, "{line}{}  {}", " ".repeat(gap), comment(&place(&setting.place)));
        }
    }
    let own: Vec<_> = checks::ALL.iter().filter(|check| !loaded.policy.checks.contains_key(check.id)).collect();
    if !own.is_empty() {
        let _ = writeln!(out, "\n{}", comment("checks that no file speaks of keep their own severity:"));
        for check in own {
            let _ = writeln!(out, "{}", comment(&format!("  {:<26}{}", check.id, check.severity.as_str())));
        }
    }
    out
}

/// The same as one JSON document: the files, every value with its place, and every check with the severity that holds.
#[must_use]
pub fn json(loaded: &Loaded) -> String {
    let values: Vec<Value> = loaded
        .effective
        .sections
        .iter()
        .flat_map(|section| section.settings.iter().map(move |setting| (section, setting)))
        .map(|(section, setting)| {
            let Place { file, line, column } = &setting.place;
            let table = if section.path.is_empty() { Value::Null } else { json!(section.path) };
            json!({ "table": table, "number": section.number, "key": setting.key, "value": setting.value,
                "file": file, "line": line, "column": column })
        })
        .collect();
    let checks: Vec<Value> = checks::ALL
        .iter()
        .map(|check| {
            let rule = loaded.policy.checks.get(check.id);
            let severity = rule.and_then(|rule| rule.severity).unwrap_or(check.severity).as_str();
            json!({ "id": check.id, "severity": severity, "enabled": rule.is_none_or(|rule| !rule.is_off) })
        })
        .collect();
    let page = json!({ "name": loaded.policy.name, "files": loaded.effective.files, "values": values, "checks": checks });
    format!("{page:#}\n")
}

/// What a policy holds, in a few lines.
#[must_use]
pub fn summary(loaded: &Loaded, look: Look) -> String {
    let Policy { checks, labels, base, sizes, waivers, rules, score, controls, floors, .. } = &loaded.policy;
    let mut page = Page::new(look);
    page.headline(GOOD, "OK", &shown(&loaded.policy.name), "");
    let mut field = |label: &str, text: &str| page.field(label, text);
    let files: Vec<String> = loaded.effective.files.iter().map(|file| shown(file)).collect();
    field("files", &files.join(", over "));
    let whose = if loaded.policy.fail_on_origin == Scope::All { "" } else { ", yours alone" };
    field("fails on", &format!("{} and above{whose}", loaded.policy.fail_on.as_str()));
    let off = checks.values().filter(|rule| rule.is_off).count();
    let severity = checks.values().filter(|rule| rule.severity.is_some()).count();
    let allow = checks.values().filter(|rule| !rule.allow.is_empty()).count();
    field("checks", &format!("{off} off, {severity} with a severity of the policy, {allow} with an allow list"));
    let mut asked = vec![];
    if !labels.is_empty() {
        asked.push(quantity::counted(labels.len(), "label"));
    }
    if base.is_required {
        asked.push(format!("one of {}", quantity::counted(base.allowed.len(), "known base")));
    }
    let limits = [("shipped", sizes.shipped), ("compressed", sizes.compressed), ("ballast", sizes.ballast)];
    let limits = limits.into_iter().filter_map(|(what, most)| Some(format!("at most {} {what}", quantity::bytes(most?))));
    asked.extend(limits);
    asked.extend(floors.score.map(|score| format!("a score of {score}")));
    asked.extend(floors.grade.map(|grade| format!("grade {}", grade.as_str())));
    field("requires", if asked.is_empty() { "nothing of the image as a whole".to_owned() } else { asked.join(", ") }.as_str());
    let first = waivers.iter().map(|waiver| waiver.expires).min().map(|day| format!("; the first ends on {day}"));
    field("waivers", &format!("{}{}", waivers.len(), first.unwrap_or_default()));
    field("own rules", &rules.len().to_string());
    let weighed: usize = score.groups.iter().map(|group| group.weights.len()).sum();
    let caps = quantity::counted(score.caps.len(), "cap");
    let weighed =
        format!("{} in {}, {caps}", quantity::counted(weighed, "measurement"), quantity::counted(score.groups.len(), "group"));
    field("score", if score.groups.is_empty() { "none" } else { &weighed });
    let open = controls.iter().filter(|control| control.checks.is_empty()).count();
    let answered = format!("{}, {open} of them without a check that answers", controls.len());
    field("controls", if controls.is_empty() { "none" } else { &answered });
    page.finish()
}

/// Names and purposes of shipped policies.
#[must_use]
pub fn list(policies: &[Loaded], look: Look) -> String {
    let mut page = Page::new(look);
    let widest = policies.iter().map(|loaded| loaded.policy.name.len()).max().unwrap_or(0);
    for loaded in policies {
        page.columns(&[(&loaded.policy.name, widest, STRONG)], description(&loaded.effective));
    }
    page.blank();
    page.text(0, "plimsoll policy show NAME shows all that one of them says; a file of your own extends it.");
    page.finish()
}

fn description(effective: &Effective) -> &str {
    let top = effective.sections.iter().filter(|section| section.path.is_empty()).flat_map(|section| &section.settings);
    top.filter(|setting| setting.key == "description").find_map(|setting| setting.value.as_str()).unwrap_or_default()
}

fn header(section: &Section) -> String {
    let path: Vec<String> = section.path.iter().map(|key| key_text(key)).collect();
    match (path.is_empty(), section.number) {
        (true, _) => String::new(),
        (false, None) => format!("[{}]", path.join(".")),
        (false, Some(_)) => format!("[[{}]]", path.join(".")),
    }
}

fn line(setting: &Setting) -> String {
    format!("{} = {}", key_text(&setting.key), value_text(&setting.value))
}

fn key_text(key: &str) -> String {
    let is_bare = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    if is_bare { key.to_owned() } else { string_text(key) }
}

/// A scalar or a list of scalars as TOML has it. Tables have sections of their own.
fn value_text(value: &Value) -> String {
    match value {
        Value::String(text) => string_text(text),
        Value::Array(list) => format!("[{}]", list.iter().map(value_text).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}

/// A basic string of TOML; what a terminal or a pipeline's runner would obey is escaped.
fn string_text(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        let is_plain = escape_text(character.encode_utf8(&mut [0; 4])).starts_with(character);
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            '\n' => out.push_str("\\n"),
            '#' if out.ends_with('#') => out.push_str("\\u0023"),
            _ if is_plain => out.push(character),
            _ => {
                // writing to a String cannot fail
                let _ = write!(out, "\\U{:08X}", u32::from(character));
            }
        }
    }
    out.push('"');
    out
}

fn place(place: &Place) -> String {
    format!("{}:{}", shown(&place.file), place.line)
}

/// A name as it is safe to print.
fn shown(name: &str) -> String {
    escape_text(name).replace("##", r"#\x23")
}

fn paint(look: Look, style: anstyle::Style, text: &str) -> String {
    if look.colour { format!("{style}{text}{style:#}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::policy::{PolicyError, SHIPPED, load};

    use super::*;

    const FULL: &str = include_str!("../policy/testing/full.toml");

    fn loaded(text: &str) -> Loaded {
        load("ci/policy.toml", &mut |_: &Path| Ok(text.to_owned()), |_| Ok(())).unwrap_or_else(|errors: Vec<PolicyError>| {
            panic!("{errors:?}\n{text}");
        })
    }

    #[test]
    fn what_is_shown_is_the_same_policy_when_it_is_loaded() {
        let strings = "extends = 'default'\nname = \"a\\\"b\\\\c\\u202E\\n##[x]\"\n[labels.\"a b\"]\nvalue = 'ü*'\n";
        let texts = SHIPPED.iter().map(|(_, text)| *text).chain([
            FULL,
            strings,
            "",
            "[[controls]]\nframework='f'\nid='1'\ntitle='t'\nchecks=[]\n",
        ]);
        for text in texts {
            let first = loaded(text);
            let shown = toml(&first, Look::default());
            let mut second = loaded(&shown).policy;
            for (again, waiver) in second.waivers.iter_mut().zip(&first.policy.waivers) {
                again.place.clone_from(&waiver.place);
            }
            assert_eq!(second, first.policy, "{shown}");
            assert!(!shown.contains("##") && shown.chars().all(|one| one == '\n' || !one.is_control()), "{shown}");
        }
    }

    #[test]
    fn a_policy_shown_with_its_places() {
        insta::assert_snapshot!(toml(&loaded(FULL), Look::default()));
    }

    #[test]
    fn a_policy_over_the_default_one_summed_up() {
        let text = "extends = 'strict'\n[[waivers]]\ncheck = 'compiler'\nreason = 'r'\nexpires = 2027-01-01\n";
        insta::assert_snapshot!(summary(&loaded(text), Look::default()));
    }

    #[test]
    fn a_policy_as_json() {
        let text = "extends = 'strict'\n[checks.compiler]\nseverity = 'low'\n";
        let page: Value = serde_json::from_str(&json(&loaded(text))).unwrap();
        assert_eq!(page["files"], json!(["ci/policy.toml", "policies/strict.toml", "policies/default.toml"]));
        let value = |key: &str| page["values"].as_array().unwrap().iter().find(|value| value["key"] == key).unwrap().clone();
        let severity = page["values"].as_array().unwrap().iter().find(|value| value["table"] == json!(["checks", "compiler"]));
        assert_eq!((&severity.unwrap()["value"], &severity.unwrap()["line"]), (&json!("low"), &json!(3)));
        assert_eq!(
            (value("fail_on")["value"].as_str(), value("fail_on")["file"].as_str()),
            (Some("medium"), Some("policies/strict.toml"))
        );
        let compiler = page["checks"].as_array().unwrap().iter().find(|check| check["id"] == "compiler").unwrap();
        assert_eq!(compiler, &json!({ "id": "compiler", "severity": "low", "enabled": true }));
    }
}
