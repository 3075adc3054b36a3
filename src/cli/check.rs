//! `plimsoll check IMAGE`: the verdict.

use clap::ValueEnum;

use super::input::Input;
use super::output::{self, Format};
use super::{Context, DONE, FAILED, UNVERIFIABLE, progress};

use crate::policy::{Date, Policy, Severity};
use crate::report::model::{Report, Verdict};
use crate::report::{json, text};
use crate::verify::{self, Request};

const AFTER_HELP: &str = "\
Examples:
  docker save shop:1.4 | plimsoll check -
  podman save --format oci-archive shop:1.4 | plimsoll check -
  docker buildx build -o type=oci,dest=shop.tar . && plimsoll check shop.tar
  plimsoll check shop.tar --platform linux/arm64 --fail-on medium
  plimsoll check shop.tar --format json > report.json

Exit codes:
  0  pass: everything was examined, and no finding is as severe as --fail-on
  1  fail: some finding is
  2  wrong use
  3  the image could not be verified; this is never a pass";

/// Verify an image and report what is wrong with it
///
/// Reads every byte of the image, verifies all digests, rebuilds the final
/// filesystem and looks for what should not be shipped. Nothing is run,
/// unpacked or sent anywhere.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Args {
    #[command(flatten)]
    input: Input,

    /// How to write the report
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "text")]
    format: Format,

    /// The least severe finding that fails the image
    #[arg(long, value_enum, value_name = "SEVERITY", default_value = "high")]
    fail_on: FailOn,

    /// Exit with 0 although findings fail the image (an image that cannot be verified still gives 3)
    #[arg(long)]
    exit_zero: bool,

    /// Let an image pass although some content could not be examined
    #[arg(long)]
    allow_incomplete: bool,
}

/// Severities, as `--fail-on` takes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum FailOn {
    Low,
    Medium,
    High,
    Critical,
}

impl From<FailOn> for Severity {
    fn from(fail_on: FailOn) -> Self {
        match fail_on {
            FailOn::Low => Self::Low,
            FailOn::Medium => Self::Medium,
            FailOn::High => Self::High,
            FailOn::Critical => Self::Critical,
        }
    }
}

pub(super) fn run(args: &Args, context: Context) -> u8 {
    let report = progress::shown(!context.quiet, |progress| verify::verify(&args.request(), progress));
    let code = exit_code(&report, args.exit_zero);
    output::to_stdout(code, |out| match args.format {
        Format::Text => out.write_all(text::render(&report, output::look(context.color)).as_bytes()),
        Format::Json => json::write(&report, out),
    })
}

impl Args {
    pub(super) fn request(&self) -> Request {
        Request {
            source: self.input.request(),
            policy: Policy { fail_on: self.fail_on.into(), allow_incomplete: self.allow_incomplete, ..Policy::default() },
            as_of: Date::default(),
            limits: self.input.limits(),
            ..Request::default()
        }
    }
}

pub(super) fn exit_code(report: &Report, exit_zero: bool) -> u8 {
    match report.verdict {
        Verdict::Pass => DONE,
        Verdict::Fail if exit_zero => DONE,
        Verdict::Fail => FAILED,
        Verdict::Unverifiable => UNVERIFIABLE,
    }
}
