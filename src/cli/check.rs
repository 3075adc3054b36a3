//! `plimsoll check IMAGE`: the verdict.

use std::sync::atomic::Ordering;

use clap::ValueEnum;

use super::cache::{self, Caching};
use super::input::Input;
use super::output;
use super::outputs::Outputs;
use super::reference::{Reference, Refusal};
use super::timings::{self, Timings};
use super::{Context, DONE, FAILED, UNVERIFIABLE, USAGE, base, dockerfiles, judging, progress};
use crate::policy::{Date, Scope, Severity};
use crate::report::model::{Report, Verdict};
use crate::verify::{self, Progress, Request};

const AFTER_HELP: &str = "\
Examples:
  docker save shop:1.4 | plimsoll check -
  podman save --format oci-archive shop:1.4 | plimsoll check -
  docker buildx build -o type=oci,dest=shop.tar . && plimsoll check shop.tar
  plimsoll check registry.example/shop/cart:1.4
  plimsoll check shop.tar --platform linux/arm64 --fail-on medium
  plimsoll check shop.tar --format json > report.json
  plimsoll check shop.tar -o json=report.json -o text=-
  plimsoll check shop.tar --policy strict --show-waived
  plimsoll check shop.tar --dockerfile docker/Dockerfile

Exit codes:
  0  pass: everything was examined, and no finding fails the policy
  1  fail: some finding does
  2  wrong use
  3  the image could not be verified; this is never a pass";

/// Verify an image and report what is wrong with it
///
/// Reads every byte of the image, verifies all digests, rebuilds the final
/// filesystem and looks for what should not be shipped. Nothing is run,
/// unpacked or sent anywhere.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(super) struct Args {
    #[command(flatten)]
    input: Input,

    #[command(flatten)]
    outputs: Outputs,

    /// What the image is judged by: the name of a shipped policy, or a TOML file
    #[arg(long, value_name = "NAME|FILE", default_value = judging::DEFAULT)]
    policy: String,

    /// The least severe finding that fails the image, instead of the policy's (high by default)
    #[arg(long, value_enum, value_name = "SEVERITY")]
    fail_on: Option<FailOn>,

    /// Only what the image's own layers and config brought fails it, not what its base image did; the base must be known for
    /// certain, by --base or the policy's list: what history or provenance say of it excuses nothing
    #[arg(long)]
    yours_only: bool,

    /// The day by which waivers and ends of support are judged, such as 2026-11-21; today in UTC when it is not given
    #[arg(long, value_name = "DATE", value_parser = judging::date)]
    as_of: Option<Date>,

    #[command(flatten)]
    reference: Reference,

    /// Exit with 0 although findings fail the image (an image that cannot be verified still gives 3)
    #[arg(long)]
    exit_zero: bool,

    /// Let an image pass although some content could not be examined
    #[arg(long)]
    allow_incomplete: bool,

    #[command(flatten)]
    bases: base::Given,

    #[command(flatten)]
    source: dockerfiles::Source,

    #[command(flatten)]
    caching: Caching,

    /// Tell on standard error how long each stage took
    #[arg(long)]
    timings: bool,
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
    let mut request = match args.request(context) {
        Ok(request) => request,
        Err((code, reason)) => {
            output::refuse(&reason);
            return code;
        }
    };
    request.cache = args.caching.open(context);
    let timings = args.timings.then(Timings::start);
    let progress = Progress { watcher: timings.as_ref().map(Timings::watcher), ..Progress::default() };
    let report = progress::watched(!context.quiet, &progress, |progress| verify::verify(&request, progress));
    cache::tell(&request.cache, context);
    if let Some(timings) = &timings {
        timings.enter(timings::OUTPUT);
    }
    let code = args.outputs.write(&report, exit_code(&report, args.exit_zero), context);
    if let Some(timings) = &timings {
        output::complain(&timings.table(progress.bytes.load(Ordering::Relaxed)));
    }
    code
}

impl Args {
    /// What is asked for; why it cannot be done, otherwise.
    pub(super) fn request(&self, context: Context) -> Result<Request, Refusal> {
        if let Some(fault) = self.outputs.fault() {
            return Err((USAGE, fault));
        }
        let mut policy = judging::policy(&self.policy)?;
        policy.fail_on = self.fail_on.map_or(policy.fail_on, Severity::from);
        policy.allow_incomplete |= self.allow_incomplete;
        if self.yours_only {
            policy.fail_on_origin = Scope::Yours;
        }
        let limits = self.input.limits();
        let baselines = self.reference.choice(&policy.score, &limits, &self.input.access(), context)?;
        let mut request = Request {
            source: self.input.request(),
            policy,
            as_of: self.as_of.unwrap_or_else(judging::today),
            baselines,
            dockerfiles: self.source.read(&limits)?,
            limits,
            ..Request::default()
        };
        self.bases.read_into(&mut request, context)?;
        Ok(request)
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
