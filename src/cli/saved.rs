//! Reports that were saved as JSON, read again. Whoever wrote the file, no string in it gives orders to a terminal or a page.

use std::io;
use std::path::Path;

use serde_json::Value;

use super::reference::{MOST_BYTES, Refusal, read_text};
use super::{USAGE, text_file};
use crate::finding::Severity;
use crate::oci::{escape_text, escape_unprintable};
use crate::report::model::{Report, Schema};

/// Characters of one reason that are shown: what is wrong may be a word of megabytes.
const SHOWN: usize = 300;

/// The report of a file, or of standard input for `-`.
pub(super) fn read(path: &Path) -> Result<Report, Refusal> {
    if path == Path::new("-") {
        let name = "standard input";
        let text = text_file::read_from(io::stdin().lock(), MOST_BYTES).map_err(|reason| (USAGE, format!("{name}: {reason}")))?;
        return report(&text, name);
    }
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    report(&read_text(path)?, &escape_text(&name))
}

/// A saved report of this major version of the format; `name` is what messages call its file. Members that nobody knows are
/// passed over. Every string is made printable, as this program writes them.
pub(super) fn report(text: &str, name: &str) -> Result<Report, Refusal> {
    let refused = |reason: &str| {
        let reason: String = escape_unprintable(reason).as_deref().unwrap_or(reason).chars().take(SHOWN).collect();
        (USAGE, format!("{name}: no report of `plimsoll check --format json`: {reason}"))
    };
    // of another version, the rest may mean something else, and what cannot be read is then no fault of the file
    let version = serde_json::from_str::<Versioned>(text).map_err(|error| refused(&error.to_string()))?.schema.version;
    if !version.starts_with("1.") {
        return Err(refused(&format!("its version is {}, and this program reads 1.x", escape_text(&version))));
    }
    let report: Report = serde_json::from_str(text).map_err(|error| refused(&error.to_string()))?;
    let severities = report.images.iter().flat_map(|image| &image.findings).map(|finding| finding.severity.as_deref());
    for severity in severities.map(Option::unwrap_or_default) {
        if !Severity::ALL.iter().any(|known| known.as_str() == severity) {
            return Err(refused(&format!("there is no severity {:?}", escape_text(severity))));
        }
    }
    let value = serde_json::to_value(&report).map_err(|error| refused(&error.to_string()))?;
    serde_json::from_value(printable(value)).map_err(|error| refused(&error.to_string()))
}

/// What every version of a report has.
#[derive(serde::Deserialize)]
struct Versioned {
    schema: Schema,
}

/// The value with every string and key made printable. It is made from a [`Report`], and so no deeper than that is.
fn printable(value: Value) -> Value {
    let escaped = |text: String| escape_unprintable(&text).unwrap_or(text);
    match value {
        Value::String(text) => Value::String(escaped(text)),
        Value::Array(values) => values.into_iter().map(printable).collect(),
        Value::Object(members) => members.into_iter().map(|(key, value)| (escaped(key), printable(value))).collect(),
        plain => plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_of_another_version_is_told_by_its_version_whatever_else_it_holds() {
        let (code, reason) = report(r#"{"schema": {"version": "2.0.0", "url": ""}, "pictures": []}"#, "a.json").unwrap_err();
        assert_eq!(code, USAGE);
        assert_eq!(
            reason,
            "a.json: no report of `plimsoll check --format json`: its version is 2.0.0, and this program reads 1.x"
        );
        assert!(report("{}", "a.json").unwrap_err().1.contains("missing field `schema`"));
        assert!(report("", "a.json").is_err() && report("[1]", "a.json").is_err());
    }

    #[test]
    fn reasons_are_printable_and_short_whatever_the_file_holds() {
        let long = format!(r#"{{"schema": {{"version": "1.0.0", "url": ""}}, "verdict": "\u001b[2J{}"}}"#, "x".repeat(9_000));
        let (_, reason) = report(&long, "a.json").unwrap_err();
        assert!(reason.len() < 500 && reason.chars().all(|character| !character.is_control()), "{reason}");
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_a_report_or_a_reason_on_one_line(text: String, verdict in r#"[a-z\\x1b\n"]{0,9}"#) {
            let almost = serde_json::json!({
                "schema": {"version": "1.2.0", "url": &text}, "tool": {"name": &text, "version": &text},
                "source": {"kind": null, "name": &text}, "images": [], "errors": [], "verdict": verdict,
            });
            for text in [text, almost.to_string()] {
                match report(&text, "a.json") {
                    Ok(report) => proptest::prop_assert!(report.source.name.chars().all(|character| !character.is_control())),
                    Err((code, reason)) => {
                        proptest::prop_assert_eq!((code, reason.lines().count()), (USAGE, 1));
                        proptest::prop_assert!(reason.chars().all(|character| !character.is_control()));
                    }
                }
            }
        }
    }
}
