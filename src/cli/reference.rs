//! The baselines that images are compared with: `--baseline`, `--single`, `--multi`.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::{Context, UNVERIFIABLE, USAGE, progress};
use crate::limits::{Limits, MIB};
use crate::report::model::Report;
use crate::report::text;
use crate::score::{Baseline, Choice, Pair};
use crate::verify::{self, Request};

/// A recorded baseline is some KiB; the report of a large image some MiB.
const MOST_BYTES: u64 = 64 * MIB;

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
    pub(super) fn choice(&self, limits: &Limits, context: Context) -> Result<Choice, Refusal> {
        let fixed = |pair: Pair, chosen_by: &str| Choice::Fixed { pair: Box::new(pair), chosen_by: chosen_by.to_owned() };
        if let Some(name) = &self.baseline {
            return match Pair::shipped(name) {
                Ok(pair) => Ok(fixed(pair, "--baseline names it")),
                Err(error) => Err((USAGE, error.to_string())),
            };
        }
        let (Some(single), Some(multi)) = (&self.single, &self.multi) else { return Ok(Choice::ByLanguage) };
        let (single, multi) = (read(single, limits, context)?, read(multi, limits, context)?);
        let is_pair = crate::policy::Measure::ALL.iter().any(|it| single.measurements.of(*it) > multi.measurements.of(*it));
        if !is_pair {
            let reason = "these two are no pair: in no measurement is the image of --multi better than that of --single";
            return Err((USAGE, reason.to_owned()));
        }
        Ok(fixed(Pair { name: "own".to_owned(), single, multi }, "--single and --multi give it"))
    }
}

/// A baseline from a recorded file, a saved report or an image.
fn read(path: &Path, limits: &Limits, context: Context) -> Result<Baseline, Refusal> {
    let has_ending = |ending: &str| path.extension().is_some_and(|found| found.eq_ignore_ascii_case(ending));
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    if has_ending("toml") {
        let text = read_text(path)?;
        return Baseline::parse(&text, &name).map_err(|error| (USAGE, error.to_string()));
    }
    if has_ending("json") {
        return of_report(&read_text(path)?, &name).map_err(|reason| (USAGE, format!("{name}: {reason}")));
    }
    let source = crate::source::Request { input: path.to_path_buf(), ..crate::source::Request::default() };
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
    let name = path.display();
    let failed = |reason: String| (USAGE, format!("{name}: {reason}"));
    let file = File::open(path).map_err(|error| failed(error.to_string()))?;
    let mut text = String::new();
    file.take(MOST_BYTES).read_to_string(&mut text).map_err(|error| failed(error.to_string()))?;
    if u64::try_from(text.len()).unwrap_or(u64::MAX) >= MOST_BYTES {
        return Err(failed(format!("larger than {} MiB", MOST_BYTES / MIB)));
    }
    Ok(text)
}

fn of_report(text: &str, name: &str) -> Result<Baseline, String> {
    let report: Report =
        serde_json::from_str(text).map_err(|error| format!("no report of plimsoll check --format json: {error}"))?;
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
