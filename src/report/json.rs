//! The report for machines: one JSON document and a newline, the members in the order of the structs.

use std::io::{self, Write};

use super::model::why::Why;
use super::model::{Comparison, EntryReport, Report, Schema, Tool};

/// Version of the format: `MODEL.REVISION.ADDITION`.
pub const SCHEMA_VERSION: &str = "1.3.0";

/// Where the schema of this version is published.
pub const SCHEMA_URL: &str = "https://github.com/plimsoll/plimsoll/blob/main/docs/schema/report-1.3.0.json";

/// Where the schema of a line of `plimsoll ls` is published.
pub const ENTRY_SCHEMA_URL: &str = "https://github.com/plimsoll/plimsoll/blob/main/docs/schema/ls-1.0.0.json";

/// Version of the format of comparisons.
pub const COMPARISON_SCHEMA_VERSION: &str = "1.0.0";

/// Where the schema of comparisons is published.
pub const COMPARISON_SCHEMA_URL: &str = "https://github.com/plimsoll/plimsoll/blob/main/docs/schema/compare-1.0.0.json";

/// Version of the format of `plimsoll why`.
pub const WHY_SCHEMA_VERSION: &str = "1.0.0";

/// Where the schema of `plimsoll why` is published.
pub const WHY_SCHEMA_URL: &str = "https://github.com/plimsoll/plimsoll/blob/main/docs/schema/why-1.0.0.json";

impl Schema {
    /// The format of `plimsoll why`.
    #[must_use]
    pub fn of_why() -> Self {
        Self { version: WHY_SCHEMA_VERSION.to_owned(), url: WHY_SCHEMA_URL.to_owned() }
    }

    /// The format of comparisons.
    #[must_use]
    pub fn of_comparison() -> Self {
        Self { version: COMPARISON_SCHEMA_VERSION.to_owned(), url: COMPARISON_SCHEMA_URL.to_owned() }
    }

    /// The format that this program writes.
    #[must_use]
    pub fn current() -> Self {
        Self { version: SCHEMA_VERSION.to_owned(), url: SCHEMA_URL.to_owned() }
    }
}

impl Tool {
    /// This program.
    #[must_use]
    pub fn current() -> Self {
        Self { name: "plimsoll".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() }
    }
}

/// Writes the report, indented, with a newline at the end.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, report)?;
    out.write_all(b"\n")
}

/// Writes a comparison, likewise.
pub fn write_comparison(comparison: &Comparison, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, comparison)?;
    out.write_all(b"\n")
}

/// Writes what `plimsoll why` tells, likewise.
pub fn write_why(why: &Why, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, why)?;
    out.write_all(b"\n")
}

/// Writes one entry of `plimsoll ls` on one line.
pub fn write_entry(entry: &EntryReport, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, entry)?;
    out.write_all(b"\n")
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    fn written(report: &Report) -> String {
        let mut out = Vec::new();
        write(report, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_report_is_read_back_as_it_was_written() {
        for (name, report) in samples::all() {
            let text = written(&report);
            assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), report, "{name}");
            assert!(text.ends_with("}\n"), "{name}");
            assert_eq!(text, written(&report), "{name}");
        }
    }

    #[test]
    fn the_json_of_a_bad_image() {
        insta::assert_snapshot!(written(&samples::bad()));
    }

    #[test]
    fn an_entry_is_one_line() {
        let mut out = Vec::new();
        for entry in samples::entries() {
            write_entry(&entry, &mut out).unwrap();
        }
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.lines().count(), samples::entries().len());
        insta::assert_snapshot!(text);
    }
}
