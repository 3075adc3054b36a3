//! `plimsoll compare A B [C...]`: images side by side.

use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::cache::{self, Caching};
use super::reference::{Reference, Refusal, read_text};
use super::registry::Registry;
use super::{Context, DONE, FAILED, UNVERIFIABLE, USAGE, judging, output, progress, saved};
use crate::limits::Limits;
use crate::oci::Platform;
use crate::policy::{Date, Policy};
use crate::report::model::{Comparison, ImageReport, Report, Verdict};
use crate::report::{compare, json, text};
use crate::score::Choice;
use crate::verify::{self, Compared, Request};

const AFTER_HELP: &str = "\
Examples:
  plimsoll compare old.tar new.tar
  plimsoll compare single.tar multi.tar distroless.tar
  plimsoll compare main.json build/shop.oci --no-worse
  plimsoll compare old.tar new.tar --format markdown >> \"$GITHUB_STEP_SUMMARY\"

Exit codes:
  0  compared (with --no-worse: and nothing is worse than in the first)
  1  --no-worse: something is
  2  wrong use
  3  an image could not be verified";

/// Compare images side by side: sizes, ballast, findings, scores
///
/// Each is an image, as `check` takes it, or a report that `check --format
/// json` saved (its name ends with .json). The first is what the others are
/// compared with. All are scored by the same policy and the same baselines:
/// those of the last image, unless you choose.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Args {
    /// Images or saved JSON reports; at least two
    #[arg(value_name = "IMAGE|REPORT", num_args = 2.., required = true)]
    images: Vec<PathBuf>,

    /// How to write the comparison
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "text")]
    format: Format,

    /// Fail when a finding that fails the policy is new, or a score is lower than that of the first image
    #[arg(long)]
    no_worse: bool,

    /// The policy: default, strict, cis-docker, admission, or a TOML file
    #[arg(long, value_name = "NAME|FILE", default_value = "default")]
    policy: String,

    /// The day by which waivers and ends of support are judged; without it, today
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = judging::date)]
    as_of: Option<Date>,

    /// Which platform of indexes, such as linux/arm64
    #[arg(long, value_name = "OS/ARCH[/VARIANT]")]
    platform: Option<Platform>,

    #[command(flatten)]
    reference: Reference,

    /// Change a limit, such as layer-bytes=64GiB; `plimsoll limits` lists them (may be given several times)
    #[arg(long = "limit", value_name = "NAME=VALUE", value_parser = super::input::limit)]
    limits: Vec<(&'static str, u64)>,

    #[command(flatten)]
    caching: Caching,

    #[command(flatten)]
    registry: Registry,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
    Markdown,
}

pub(super) fn run(args: &Args, context: Context) -> u8 {
    match compared(args, context) {
        Ok((comparison, is_verified)) => {
            let code = match (is_verified, args.no_worse && !comparison.worse.is_empty()) {
                (false, _) => UNVERIFIABLE,
                (true, true) => FAILED,
                (true, false) => DONE,
            };
            output::to_stdout(code, |out| match args.format {
                Format::Text => out.write_all(compare::text(&comparison, output::look(context.color)).as_bytes()),
                Format::Json => json::write_comparison(&comparison, out),
                Format::Markdown => out.write_all(compare::markdown(&comparison).as_bytes()),
            })
        }
        Err((code, reason)) => {
            output::refuse(&reason);
            code
        }
    }
}

/// The comparison, and whether every image in it was verified.
fn compared(args: &Args, context: Context) -> Result<(Comparison, bool), Refusal> {
    let policy = judging::policy(&args.policy)?;
    let mut limits = Limits::default();
    for (name, value) in &args.limits {
        limits.set(name, *value);
    }
    let baselines = args.reference.choice(&policy.score, &limits, &args.registry.access(), context)?;
    let mut images = Vec::with_capacity(args.images.len());
    for path in &args.images {
        images.push(one(path, args, &policy, &limits, &baselines, context)?);
    }
    let is_verified = images.iter().all(|one| one.image.verdict != Verdict::Unverifiable);
    Ok((verify::compare(&images, &policy, &baselines), is_verified))
}

/// One image, checked now or read from its saved report.
fn one(
    path: &Path,
    args: &Args,
    policy: &Policy,
    limits: &Limits,
    baselines: &Choice,
    context: Context,
) -> Result<Compared, Refusal> {
    let source = crate::source::Request { input: path.to_path_buf(), ..crate::source::Request::default() }.name();
    let report = if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json")) && !path.is_dir() {
        saved::report(&read_text(path)?, &source)?
    } else {
        let access = args.registry.access();
        let input = crate::source::Request {
            input: path.to_path_buf(),
            platforms: args.platform.iter().cloned().collect(),
            access,
            ..crate::source::Request::default()
        };
        let request = Request {
            source: input,
            policy: policy.clone(),
            as_of: args.as_of.unwrap_or_else(judging::today),
            limits: limits.clone(),
            baselines: baselines.clone(),
            cache: args.caching.open(context),
            ..Request::default()
        };
        let report = progress::shown(!context.quiet, |progress| verify::verify(&request, progress));
        cache::tell(&request.cache, context);
        report
    };
    let look = output::look_of_errors(context.color);
    if report.images.is_empty() {
        return Err((UNVERIFIABLE, format!("{source} could not be read\n{}", text::render_errors(&report, look))));
    }
    let image = chosen(report, args.platform.as_ref()).map_err(|reason| (USAGE, format!("{source}: {reason}")))?;
    Ok(Compared { source, image })
}

fn chosen(report: Report, platform: Option<&Platform>) -> Result<ImageReport, String> {
    let is_wanted = |image: &ImageReport| {
        platform.is_none_or(|wanted| {
            image.platform.as_ref().is_some_and(|it| it.os == wanted.os && it.architecture == wanted.architecture)
        })
    };
    let mut images: Vec<ImageReport> = report.images.into_iter().filter(is_wanted).collect();
    match (images.len(), images.pop()) {
        (1, Some(image)) => Ok(image),
        (0, _) => Err("it has no image of that platform".to_owned()),
        (several, _) => Err(format!("it has {several} images: choose one with --platform")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(platforms: &[&str]) -> Report {
        let image = |platform: &&str| {
            let (os, architecture) = platform.split_once('/').unwrap();
            serde_json::json!({
                "platform": {"os": os, "architecture": architecture}, "layers": [], "findings": [], "notes": [],
                "trees_differ": [], "verdict": "pass", "errors": [], "examined": {"layers": 0, "entries": 0, "bytes": 0, "files_inspected": 0, "not_examined": []},
            })
        };
        serde_json::from_value(serde_json::json!({
            "schema": {"version": "1.1.0", "url": ""}, "tool": {"name": "plimsoll", "version": "0.1.0"},
            "source": {"kind": null, "name": "x"}, "images": platforms.iter().map(image).collect::<Vec<_>>(), "errors": [],
            "verdict": "pass",
        }))
        .unwrap()
    }

    #[test]
    fn one_image_of_a_report_is_chosen_by_its_platform() {
        let wanted = |text: &str| -> Platform { text.parse().unwrap() };
        assert!(chosen(report(&["linux/amd64"]), None).is_ok());
        let both = ["linux/amd64", "linux/arm64"];
        let arm = chosen(report(&both), Some(&wanted("linux/arm64"))).unwrap();
        assert_eq!(arm.platform.unwrap().architecture, "arm64");
        assert_eq!(chosen(report(&both), None).unwrap_err(), "it has 2 images: choose one with --platform");
        assert_eq!(chosen(report(&both), Some(&wanted("linux/s390x"))).unwrap_err(), "it has no image of that platform");
    }
}
