//! Where reports go: one format on standard output, or several from one run, each to a file.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::ValueEnum as _;

use super::output;
use super::{Context, UNVERIFIABLE};
use crate::report::model::Report;
use crate::report::text::{Look, Parts};
use crate::report::{dotenv, github, gitlab, html, in_toto, json, junit, markdown, sarif, text};

/// A format that a report can be written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Text,
    Json,
    InToto,
    Dotenv,
    Sarif,
    Markdown,
    Junit,
    Github,
    GitlabCodequality,
    Html,
}

/// How and where the report is written.
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_field_names, reason = "the option is called --output")]
pub(super) struct Outputs {
    /// How to write the report to standard output
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "text")]
    format: Format,

    /// Write the report in this format to this file, - for standard output (may be given several times: one run, several
    /// reports); without a FORMAT=-, standard output stays empty
    #[arg(short, long = "output", value_name = "FORMAT=FILE", value_parser = parse, conflicts_with = "format")]
    outputs: Vec<Output>,

    /// Show the whole table of the score: every measurement with both baselines and its points (text only)
    #[arg(long)]
    show_score: bool,

    /// List the findings that waivers accept, with reason, owner and last day (text only; json always has them)
    #[arg(long)]
    show_waived: bool,
    #[command(flatten)]
    sarif: Sarif,
}

/// What SARIF alone asks for.
#[derive(Debug, Default, clap::Args)]
struct Sarif {
    /// What tells one upload to code scanning from another, instead of the image's repository and platform; none leaves it to
    /// the uploader (sarif only)
    #[arg(long, value_name = "TEXT|none", value_parser = category)]
    sarif_category: Option<sarif::Category>,

    /// Write waived findings too, as suppressed ones; GitHub does not know of suppressions and shows them as open (sarif only)
    #[arg(long)]
    sarif_waived: bool,
}

impl Sarif {
    fn options(&self) -> sarif::Options {
        sarif::Options { category: self.sarif_category.clone().unwrap_or_default(), shows_waived: self.sarif_waived }
    }
}

/// Characters of a category.
const CATEGORY: usize = 200;

/// Reads a category: one line of text.
fn category(text: &str) -> Result<sarif::Category, String> {
    match text.trim_end_matches('/') {
        "none" => Ok(sarif::Category::None),
        "" => Err("write a text, or none".to_owned()),
        text if text.chars().any(char::is_control) => Err("it holds control characters".to_owned()),
        text if text.chars().count() > CATEGORY => Err(format!("it is longer than {CATEGORY} characters")),
        text => Ok(sarif::Category::Text(text.to_owned())),
    }
}

/// One report: its format, and the file; None is standard output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Output {
    format: Format,
    file: Option<PathBuf>,
}

/// Reads `FORMAT=FILE`.
fn parse(text: &str) -> Result<Output, String> {
    let (format, file) = text.split_once('=').ok_or("write FORMAT=FILE, such as json=report.json")?;
    let format = Format::from_str(format, false).map_err(|_| {
        let known: Vec<String> = Format::value_variants()
            .iter()
            .filter_map(|format| Some(format.to_possible_value()?.get_name().to_owned()))
            .collect();
        format!("there is no format of that name; there are {}", known.join(", "))
    })?;
    match file {
        "" => Err("the file's name is missing".to_owned()),
        "-" => Ok(Output { format, file: None }),
        file => Ok(Output { format, file: Some(PathBuf::from(file)) }),
    }
}

impl Outputs {
    /// Why these outputs cannot be written together.
    pub(super) fn fault(&self) -> Option<String> {
        let mut targets: Vec<Option<&PathBuf>> = self.outputs.iter().map(|output| output.file.as_ref()).collect();
        targets.sort();
        let twice = targets.windows(2).find(|pair| pair.first() == pair.last())?.first().copied().flatten();
        let name = twice.map_or_else(|| "standard output".to_owned(), |file| file.display().to_string());
        Some(format!("two reports cannot both go to {name}"))
    }

    /// Writes the report in every format that was asked for. `code` is returned, or the one for reports that could not be written.
    pub(super) fn write(&self, report: &Report, code: u8, context: Context) -> u8 {
        let parts = Parts { waived: self.show_waived, score: self.show_score };
        if self.outputs.is_empty() {
            return self.to_stdout(self.format, report, parts, code, context);
        }
        let written = self.outputs.iter().map(|Output { format, file }| match file {
            None => self.to_stdout(*format, report, parts, code, context),
            Some(file) => match self.to_file(*format, report, parts, file) {
                Ok(()) => code,
                Err(error) => {
                    output::refuse(&format!("cannot write {}: {error}", file.display()));
                    UNVERIFIABLE
                }
            },
        });
        // every one is tried, and a report that is missing is never a pass
        written.fold(code, |worst, one| if one == UNVERIFIABLE { one } else { worst })
    }

    fn to_stdout(&self, format: Format, report: &Report, parts: Parts, code: u8, context: Context) -> u8 {
        output::to_stdout(code, |out| self.render(format, report, parts, output::look(context.color), out))
    }

    fn render(&self, format: Format, report: &Report, parts: Parts, look: Look, out: &mut dyn Write) -> io::Result<()> {
        match format {
            Format::Text => out.write_all(text::render_with(report, look, parts).as_bytes()),
            Format::Json => json::write(report, out),
            Format::InToto => out.write_all(in_toto::render(report).as_bytes()),
            Format::Dotenv => out.write_all(dotenv::render(report).as_bytes()),
            Format::Sarif => sarif::write(report, &self.sarif.options(), out),
            Format::Junit => out.write_all(junit::render(report).as_bytes()),
            Format::Github => out.write_all(github::render(report).as_bytes()),
            Format::GitlabCodequality => gitlab::write(report, out),
            Format::Markdown => out.write_all(markdown::render(report).as_bytes()),
            Format::Html => out.write_all(html::render(report).as_bytes()),
        }
    }

    fn to_file(&self, format: Format, report: &Report, parts: Parts, file: &Path) -> io::Result<()> {
        let mut out = BufWriter::new(File::create(file)?);
        // a file is no terminal: no colour, 80 columns
        self.render(format, report, parts, Look::default(), &mut out)?;
        out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_and_a_file_are_read() {
        let of = |text: &str| parse(text).map(|output| (output.format, output.file));
        assert_eq!(of("json=a.json"), Ok((Format::Json, Some(PathBuf::from("a.json")))));
        assert_eq!(of("text=-"), Ok((Format::Text, None)));
        assert_eq!(of("text=a=b"), Ok((Format::Text, Some(PathBuf::from("a=b")))));
        assert!(of("json").unwrap_err().contains("FORMAT=FILE"));
        assert!(of("json=").unwrap_err().contains("missing"));
        assert!(of("jsn=a").unwrap_err().contains("json"));
    }

    #[test]
    fn a_category_is_a_line_of_text() {
        assert_eq!(category("none"), Ok(sarif::Category::None));
        assert_eq!(category("shop/cart/"), Ok(sarif::Category::Text("shop/cart".to_owned())));
        for bad in ["", "/", "a\nb", &"x".repeat(CATEGORY + 1)] {
            assert!(category(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn two_reports_never_go_to_one_place() {
        let of = |texts: &[&str]| {
            let outputs = texts.iter().map(|text| parse(text).unwrap()).collect();
            Outputs { format: Format::Text, outputs, show_score: false, show_waived: false, sarif: Sarif::default() }.fault()
        };
        assert_eq!(of(&["json=a", "text=-"]), None);
        assert_eq!(of(&["json=-", "text=-"]).unwrap(), "two reports cannot both go to standard output");
        assert_eq!(of(&["json=a", "text=a"]).unwrap(), "two reports cannot both go to a");
    }
}
