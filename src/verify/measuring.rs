//! The numbers of one image, for baselines.

use super::listing::{name, several};
use super::{Progress, Reading, Request, run};
use crate::report::model::Report;
use crate::score::Baseline;

/// One image's numbers.
#[derive(Debug)]
pub struct Measuring {
    /// Measurements, digest, packages, and the image's name as recipe; family, stage and date are the caller's. None when the tree is
    /// not known: the report says why.
    pub baseline: Option<Baseline>,
    /// The report of the same run.
    pub report: Report,
}

/// Measures the one image that `request` selects.
#[must_use]
pub fn measure(request: &Request, progress: &Progress) -> Measuring {
    let mut baseline = None;
    let mut names = Vec::new();
    let report = run(request, &Reading::default(), progress, |image, examined, _| {
        names.push(name(image));
        baseline = examined.image.map(|known| Baseline {
            recipe: image.reference.clone().unwrap_or_default(),
            digest: image.config_digest.clone().unwrap_or_default(),
            packages: known.packages.list.iter().map(|package| format!("{} {}", package.name, package.version)).collect(),
            measurements: examined.judgement.measured,
            ..Baseline::default()
        });
    });
    match several(request, names, "a baseline is one") {
        Some(report) => Measuring { baseline: None, report },
        None => Measuring { baseline: baseline.filter(|_| report.errors.is_empty()), report },
    }
}
