//! The baselines that images are compared with: `--baseline`, `--single`, `--multi`.

use std::path::{Path, PathBuf};

use super::{Context, UNVERIFIABLE, USAGE, progress, saved, text_file};
use crate::limits::{Limits, MIB};
use crate::policy::ScoreRule;
use crate::report::model::Report;
use crate::report::text;
use crate::score::{self, Baseline, Choice, Measurements, Pair};
use crate::source::registry::Access;
use crate::verify::{self, Request};

/// A recorded baseline is some KiB; the report of a large image some MiB.
pub(super) const MOST_BYTES: u64 = 64 * MIB;

/// What images are compared with.
#[derive(Debug, Default, clap::Args)]
pub(super) struct Reference {
    /// Compare with this pair of baselines, whatever the image runs; `plimsoll baseline list` names them
    #[arg(long, value_name = "NAME", conflicts_with_all = ["single", "multi"])]
    baseline: Option<String>,

    /// Your own single-stage baseline: an image, a saved JSON report, or a file of `baseline record` (.toml); needs --multi
    #[arg(long, value_name = "IMAGE|FILE", requires = "multi")]
    single: Option<PathBuf>,

    /// Your own multi-stage baseline, likewise; needs --single
    #[arg(long, value_name = "IMAGE|FILE", requires = "single")]
    multi: Option<PathBuf>,
}

/// Why a baseline cannot be used: the exit code, and what to say.
pub(super) type Refusal = (u8, String);

impl Reference {
    /// The choice, with the files read and the images measured.
    /// A pair must differ in what `rule` weighs.
    pub(super) fn choice(&self, rule: &ScoreRule, limits: &Limits, access: &Access, context: Context) -> Result<Choice, Refusal> {
        let fixed = |pair: Pair, chosen_by: &str| Choice::Fixed { pair: Box::new(pair), chosen_by: chosen_by.to_owned() };
        if let Some(name) = &self.baseline {
            return match Pair::shipped(name) {
                Ok(pair) => Ok(fixed(pair, "--baseline names it")),
                Err(error) => Err((USAGE, error.to_string())),
            };
        }
        let (Some(single), Some(multi)) = (&self.single, &self.multi) else { return Ok(Choice::ByLanguage) };
        let (single, multi) = (read(single, limits, access, context)?, read(multi, limits, access, context)?);
        if !is_pair(&single.measurements, &multi.measurements, rule) {
            let reason =
                "these two are no pair: in nothing that the policy weighs is the image of --multi better than that of --single";
            return Err((USAGE, reason.to_owned()));
        }
        Ok(fixed(Pair { name: "own".to_owned(), single, multi }, "--single and --multi give it"))
    }
}

/// A policy that weighs nothing scores nothing, whatever the pair.
fn is_pair(single: &Measurements, multi: &Measurements, rule: &ScoreRule) -> bool {
    let weighs = rule.groups.iter().flat_map(|group| &group.weights).any(|(_, weight)| *weight > 0.0);
    !weighs || score::points(multi, single, multi, rule).is_some()
}

/// A baseline from a recorded file, a saved report or an image.
fn read(path: &Path, limits: &Limits, access: &Access, context: Context) -> Result<Baseline, Refusal> {
    let has_ending = |ending: &str| path.extension().is_some_and(|found| found.eq_ignore_ascii_case(ending));
    let name = crate::source::Request { input: path.to_path_buf(), ..crate::source::Request::default() }.name();
    if has_ending("toml") {
        let text = read_text(path)?;
        return Baseline::parse(&text, &name).map_err(|error| (USAGE, error.to_string()));
    }
    if has_ending("json") {
        let report = saved::report(&read_text(path)?, &name)?;
        return of_report(&report, &name).map_err(|reason| (USAGE, format!("{name}: {reason}")));
    }
    let source =
        crate::source::Request { input: path.to_path_buf(), access: access.clone(), ..crate::source::Request::default() };
    let request = Request { source, limits: limits.clone(), ..Request::default() };
    let measuring = progress::shown(!context.quiet, |progress| verify::measure(&request, progress));
    let look = super::output::look_of_errors(context.color);
    let unverifiable = || (UNVERIFIABLE, format!("{name} cannot be measured:\n{}", text::render_errors(&measuring.report, look)));
    let mut baseline = measuring.baseline.clone().ok_or_else(unverifiable)?;
    if baseline.recipe.is_empty() {
        baseline.recipe = name;
    }
    Ok(baseline)
}

/// A text file, within bounds.
pub(super) fn read_text(path: &Path) -> Result<String, Refusal> {
    text_file::read(path, MOST_BYTES).map_err(|reason| (USAGE, format!("{}: {reason}", path.display())))
}

fn of_report(report: &Report, name: &str) -> Result<Baseline, String> {
    let [image] = report.images.as_slice() else {
        return Err(format!("the report has {} images, and a baseline is one", report.images.len()));
    };
    // reports before 1.1.0 hold fewer measurements
    let measured = image.measurements.as_ref().filter(|_| image.ballast.is_some());
    let measured = measured.ok_or("the report has no measurements of ballast: check the image again")?;
    Ok(Baseline {
        recipe: image.reference.clone().unwrap_or_else(|| name.to_owned()),
        digest: image.config_digest.clone().unwrap_or_default(),
        measurements: measured.numbers(),
        ..Baseline::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Measure, Policy};

    fn measured(pairs: &[(Measure, u64)]) -> Measurements {
        let mut measured = Measurements::default();
        for (measure, number) in pairs {
            measured.set(*measure, *number);
        }
        measured
    }

    #[test]
    fn two_images_are_a_pair_when_what_the_policy_weighs_is_better_in_the_second() {
        let rule = Policy::shipped("default").unwrap().score;
        let of = |toolchain, shipped| measured(&[(Measure::ToolchainBytes, toolchain), (Measure::ShippedBytes, shipped)]);
        assert!(is_pair(&of(1, 0), &of(0, 9), &rule), "one thing better is enough");
        assert!(!is_pair(&of(1, 9), &of(1, 0), &rule), "what is not weighed does not count");
        assert!(!is_pair(&of(0, 0), &of(1, 0), &rule));
        assert!(is_pair(&of(0, 0), &of(1, 0), &ScoreRule { groups: Vec::new(), ..rule }), "no policy to be no pair for");
    }

    #[test]
    fn files_are_read_within_bounds_and_as_utf_8() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let reason = || read_text(file.path()).unwrap_err().1;
        file.as_file().set_len(MOST_BYTES + 1).unwrap();
        assert!(reason().ends_with(": larger than 64 MiB"), "{}", reason());
        file.as_file().set_len(0).unwrap();
        std::io::Write::write_all(&mut file.as_file(), b"\xff").unwrap();
        assert!(reason().ends_with(": not UTF-8"), "{}", reason());
        assert!(read_text(Path::new("no/such.toml")).is_err());
    }
}
