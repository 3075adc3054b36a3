//! `plimsoll baseline`: record the measurements of a reference image, and hold an image against a record.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};

use super::cache::{self, Caching};
use super::input::Input;
use super::reference::read_text;
use super::{Context, DONE, FAILED, UNVERIFIABLE, USAGE, judging, output, progress};
use crate::policy::{Date, Measure, Unit};
use crate::report::quantity::{bytes, count};
use crate::report::text;
use crate::score::{Baseline, Measurements, Pair};
use crate::verify::{self, Request};

const AFTER_HELP: &str = "\
Examples:
  plimsoll baseline list
  plimsoll baseline record old.tar --family shop --stage single > single.toml
  plimsoll baseline record new.tar --family shop --stage multi > multi.toml
  plimsoll check shop.tar --single single.toml --multi multi.toml
  plimsoll baseline diff single.toml old.tar";

const LIST_AFTER_HELP: &str = "\
Example:
  plimsoll baseline list";

const RECORD_AFTER_HELP: &str = "\
Examples:
  plimsoll baseline record old.tar --family shop --stage single > single.toml
  docker save shop:2 | plimsoll baseline record - --family shop --stage multi > multi.toml

Exit codes:
  0  written    2  wrong use    3  the image could not be measured";

const DIFF_AFTER_HELP: &str = "\
Examples:
  plimsoll baseline diff single.toml old.tar
  plimsoll baseline diff multi.toml new.tar --tolerance 10

Exit codes:
  0  the same, within the tolerance
  1  a number is off by more
  2  wrong use
  3  the image could not be measured";

/// Record reference images that others are scored against
///
/// A score says where an image lies between a single-stage build (0) and a
/// good multi-stage build (100) of the same kind of application. These two
/// ends are recorded measurements of images that were really built.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the pairs of baselines that are shipped
    #[command(after_help = LIST_AFTER_HELP)]
    List,
    /// Measure an image and write a baseline to standard output
    Record(Box<Record>),
    /// Measure an image and compare it with a recorded baseline; exit 1 when a number is off by more than the tolerance
    Diff(Box<Diff>),
}

#[derive(Debug, clap::Args)]
#[command(after_help = RECORD_AFTER_HELP)]
struct Record {
    #[command(flatten)]
    input: Input,

    #[command(flatten)]
    caching: Caching,

    /// The kind of application, such as python
    #[arg(long, value_name = "NAME")]
    family: String,

    /// Which end of the scale
    #[arg(long, value_enum, value_name = "STAGE")]
    stage: Stage,

    /// What the image was built from; without it, the image's name
    #[arg(long, value_name = "TEXT")]
    recipe: Option<String>,

    /// The day of the recording; without it, today
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = judging::date)]
    date: Option<Date>,
}

#[derive(Debug, clap::Args)]
#[command(after_help = DIFF_AFTER_HELP)]
struct Diff {
    /// A file that `baseline record` wrote
    #[arg(value_name = "FILE")]
    file: PathBuf,

    #[command(flatten)]
    input: Input,

    #[command(flatten)]
    caching: Caching,

    /// By how many percent a number may be off: packages are updated between two builds
    #[arg(long, value_name = "PERCENT", default_value_t = 5)]
    tolerance: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Stage {
    Single,
    Multi,
}

pub(super) fn run(args: &Args, context: Context) -> u8 {
    match &args.command {
        Command::List => list(),
        Command::Record(args) => record(args, context),
        Command::Diff(args) => diff(args, context),
    }
}

fn list() -> u8 {
    output::to_stdout(DONE, |out| {
        for name in Pair::names() {
            match Pair::shipped(name) {
                Ok(Pair { single, multi, .. }) => {
                    for baseline in [&single, &multi] {
                        let shipped = bytes(baseline.measurements.of(Measure::ShippedBytes));
                        writeln!(out, "{name:<8} {:<6} {:>11}  {}  {}", baseline.stage, shipped, baseline.date, baseline.recipe)?;
                    }
                }
                Err(error) => writeln!(out, "{name:<8} {error}")?,
            }
        }
        Ok(())
    })
}

fn measured(input: &Input, caching: &Caching, context: Context) -> Result<Baseline, u8> {
    let request = Request { source: input.request(), limits: input.limits(), cache: caching.open(context), ..Request::default() };
    let measuring = progress::shown(!context.quiet, |progress| verify::measure(&request, progress));
    cache::tell(&request.cache, context);
    measuring.baseline.ok_or_else(|| {
        output::complain(&text::render_errors(&measuring.report, output::look_of_errors(context.color)));
        UNVERIFIABLE
    })
}

fn record(args: &Record, context: Context) -> u8 {
    let measured = match measured(&args.input, &args.caching, context) {
        Ok(measured) => measured,
        Err(code) => return code,
    };
    let baseline = Baseline {
        family: args.family.clone(),
        stage: match args.stage {
            Stage::Single => "single".to_owned(),
            Stage::Multi => "multi".to_owned(),
        },
        recipe: args.recipe.clone().unwrap_or_else(|| named(&measured.recipe, &args.input)),
        date: args.date.unwrap_or_else(judging::today).to_string(),
        ..measured
    };
    output::to_stdout(DONE, |out| out.write_all(baseline.write().as_bytes()))
}

/// The image's name, or that of its file where it has none.
fn named(reference: &str, input: &Input) -> String {
    if reference.is_empty() { input.request().name() } else { reference.to_owned() }
}

fn diff(args: &Diff, context: Context) -> u8 {
    let name = args.file.display().to_string();
    let recorded =
        read_text(&args.file).and_then(|text| Baseline::parse(&text, &name).map_err(|error| (USAGE, error.to_string())));
    let recorded = match recorded {
        Ok(recorded) => recorded,
        Err((code, reason)) => {
            output::refuse(&reason);
            return code;
        }
    };
    let found = match measured(&args.input, &args.caching, context) {
        Ok(found) => found,
        Err(code) => return code,
    };
    let (before, after) = (&recorded.measurements, &found.measurements);
    let is_off = Measure::ALL.iter().any(|measure| is_off(before.of(*measure), after.of(*measure), args.tolerance));
    output::to_stdout(if is_off { FAILED } else { DONE }, |out| {
        out.write_all(table(before, after, args.tolerance).as_bytes())?;
        if is_off {
            writeln!(out, "\nOFF  record the baseline again, or find out what changed")
        } else {
            writeln!(out, "\nSAME  within {} percent", args.tolerance)
        }
    })
}

fn table(before: &Measurements, after: &Measurements, tolerance: u64) -> String {
    let line = |label: &str, before: &str, after: &str, mark: &str| format!("{label:<20} {before:>11} {after:>11}{mark}\n");
    let mut text = line("", "recorded", "found", "");
    for measure in Measure::ALL {
        let shown = |number: u64| if measure.unit() == Unit::Bytes { bytes(number) } else { count(number) };
        let (before, after) = (before.of(*measure), after.of(*measure));
        let mark = if is_off(before, after, tolerance) { "  off" } else { "" };
        text.push_str(&line(measure.as_str(), &shown(before), &shown(after), mark));
    }
    text
}

/// Whether two numbers differ by more than the tolerance: in percent of the larger one.
fn is_off(before: u64, after: u64, tolerance: u64) -> bool {
    let most = u128::from(before.max(after)).saturating_mul(u128::from(tolerance));
    u128::from(before.abs_diff(after)).saturating_mul(100) > most
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_may_be_off_by_the_tolerance_in_percent_of_the_larger_one() {
        assert!(!is_off(100, 95, 5) && !is_off(95, 100, 5));
        assert!(is_off(100, 94, 5) && is_off(94, 100, 5));
        assert!(is_off(0, 1, 99) && !is_off(0, 1, 100) && !is_off(0, 0, 0));
        assert!(is_off(u64::MAX, u64::MAX - 1, 0) && !is_off(u64::MAX, 0, u64::MAX));
    }

    #[test]
    fn the_table_marks_what_is_off() {
        let mut before = Measurements::default();
        before.set(Measure::ToolchainBytes, 3 << 20);
        before.set(Measure::OsPackages, 1_200);
        let mut after = before.clone();
        after.set(Measure::OsPackages, 1_300);
        let table = table(&before, &after, 5);
        assert!(table.contains("toolchain_bytes          3.0 MiB     3.0 MiB\n"), "{table}");
        assert!(table.contains("os_packages                1,200       1,300  off\n"), "{table}");
        assert_eq!(table.lines().count(), Measure::ALL.len() + 1);
    }
}
