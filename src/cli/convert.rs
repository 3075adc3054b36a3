//! `plimsoll convert REPORT`: a saved report in other formats.

use std::path::PathBuf;

use super::outputs::Outputs;
use super::{Context, DONE, USAGE, output, saved};
use crate::report::model::{Report, Schema};

const AFTER_HELP: &str = "\
Examples:
  plimsoll check shop.tar -o json=report.json -o text=-
  plimsoll convert report.json --format markdown
  plimsoll convert report.json -o junit=junit.xml -o in-toto=shop.intoto.jsonl
  curl -sSf https://ci.example/report.json | plimsoll convert - --show-waived

Reads reports of version 1.x, so those of older and newer releases too; what
this release does not know is left out. Nothing is judged again: verdict,
findings and score are those of the report.

Exit codes:
  0  converted, whatever the report's verdict is: check is the gate
  2  wrong use, or not a report
  3  a report could not be written";

/// Write a saved JSON report in other formats
///
/// One check, and afterwards as many formats as you like, without the image.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Args {
    /// What `check --format json` wrote; - for standard input
    #[arg(value_name = "REPORT")]
    report: PathBuf,

    #[command(flatten)]
    outputs: Outputs,
}

pub(super) fn run(args: &Args, context: Context) -> u8 {
    let report = match args.outputs.fault() {
        Some(fault) => Err((USAGE, fault)),
        None => saved::read(&args.report),
    };
    match report {
        Ok(report) => {
            // of older and newer reports, what is written has the members of this version
            let report = Report { schema: Schema::current(), ..report };
            args.outputs.write(&report, DONE, context)
        }
        Err((code, reason)) => {
            output::refuse(&reason);
            code
        }
    }
}
