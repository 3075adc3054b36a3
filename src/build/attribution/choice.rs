//! Which Dockerfile an image was built from: the one in its provenance, compared with those at hand, else the one at hand that fits
//! its history.

use std::collections::BTreeMap;

use super::history::{Fit, Lines, counted};
use super::plan::{Plan, Spot};
use super::recorded::{self, Recorded};
use super::{AtHand, Attribution, Confidence, Dockerfiles, Found, FoundBy, Known, Mark};
use crate::build::base::{Base, Making};
use crate::limits::Limits;

/// Files that one message names.
const NAMED: usize = 5;

pub(super) fn choose(making: &Making<'_>, base: Option<&Base>, at_hand: &Dockerfiles, limits: &Limits) -> Attribution {
    let layers = making.diff_ids.len();
    let digests = making.layer_digests;
    let recorded = making.provenance.iter().find_map(|statement| recorded::read(statement, digests, layers, limits).ok());
    let Some(recorded) = recorded else { return of_history(making, base, at_hand, limits) };
    let told = filled(recorded, making, base);
    match found_again(&told.plan, at_hand) {
        Again::Nowhere if told.plan.path.is_empty() => {
            unknown(at_hand, None, "BuildKit's provenance names no path for its Dockerfile")
        }
        Again::Nowhere => known(told, FoundBy::Provenance, None),
        Again::Same(path) => {
            let mut told = told;
            told.plan.path = path;
            known(told, at_hand.found_by, at_hand.cut.as_deref())
        }
        Again::Changed(file) => match Plan::read(&file.path, &file.bytes, &BTreeMap::new(), limits) {
            Ok(plan) => carried(&told, plan, at_hand),
            Err(error) => unreadable(file, at_hand, &error.to_string()),
        },
        Again::Unclear(path, reason) => unknown(at_hand, path, &reason),
    }
}

/// What provenance tells, with what the history adds.
struct Told {
    plan: Plan,
    stage: usize,
    confidence: Confidence,
    marks: Vec<Option<Mark>>,
    detail: String,
}

/// Layers of which provenance tells nothing are looked up in the history.
fn filled(recorded: Recorded, making: &Making<'_>, base: Option<&Base>) -> Told {
    let Recorded { plan, stage, marks } = recorded;
    let layers = making.diff_ids.len();
    let lines = Lines::read(making.history, layers);
    let aligned = || {
        let lines = lines.as_ref().ok()?;
        let fit = lines.fits(&plan, Some(stage), base).pop()?;
        Some(lines.marks(&plan, &fit))
    };
    let (confidence, marks, detail) = match marks {
        Ok(marks) => {
            let missing = marks.iter().filter(|mark| mark.is_none()).count();
            let mut detail = "BuildKit's provenance names the line of every layer".to_owned();
            let more = if missing > 0 { aligned() } else { None }.unwrap_or_default();
            if missing > 0 {
                detail = format!("BuildKit's provenance names the lines of the layers, but not of {missing} of {layers}");
            }
            let both = marks.iter().enumerate().map(|(layer, mark)| mark.or_else(|| more.get(layer).copied().flatten()));
            (Confidence::Exact, both.collect(), detail)
        }
        Err(reason) => match aligned() {
            Some(marks) => (Confidence::Aligned, marks, format!("{reason}; the history and its Dockerfile agree")),
            None => (Confidence::Given, vec![None; layers], reason),
        },
    };
    Told { plan, stage, confidence, marks, detail }
}

/// Where the Dockerfile of the provenance lies among those at hand.
enum Again<'a> {
    /// There are none at hand.
    Nowhere,
    Same(String),
    /// The same file with another text.
    Changed(&'a AtHand),
    /// The file to name, and why it is not known to be the one.
    Unclear(Option<&'a str>, String),
}

fn found_again<'a>(plan: &Plan, at_hand: &'a Dockerfiles) -> Again<'a> {
    if at_hand.files.is_empty() && at_hand.found_by == FoundBy::Given {
        return Again::Nowhere;
    }
    let same: Vec<&AtHand> = at_hand.files.iter().filter(|file| is_same(&file.bytes, &plan.bytes)).collect();
    let by_path = |files: &[&'a AtHand]| files.iter().copied().find(|file| file.path == plan.path);
    match same.as_slice() {
        [] => {}
        [one] => return Again::Same(one.path.clone()),
        several => {
            let reason = || format!("several Dockerfiles are the one of BuildKit's provenance: {}", named(several));
            return by_path(several).map_or_else(
                || Again::Unclear(several.first().map(|file| file.path.as_str()), reason()),
                |file| Again::Same(file.path.clone()),
            );
        }
    }
    let all: Vec<&AtHand> = at_hand.files.iter().collect();
    let only = match all.as_slice() {
        [one] if at_hand.found_by == FoundBy::Given => Some(*one),
        _ => None,
    };
    match by_path(&all).or(only) {
        Some(file) => Again::Changed(file),
        None => Again::Unclear(None, "the Dockerfile of BuildKit's provenance is not below the source root".to_owned()),
    }
}

/// Equal but for the ends of lines, which a checkout may change.
fn is_same(a: &[u8], b: &[u8]) -> bool {
    let plain = |bytes: &'_ [u8]| -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len());
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            match line.strip_suffix(b"\r\n") {
                Some(line) => {
                    out.extend_from_slice(line);
                    out.push(b'\n');
                }
                None => out.extend_from_slice(line),
            }
        }
        out
    };
    a == b || (a.len().abs_diff(b.len()) <= a.len().max(b.len()) / 2 && plain(a) == plain(b))
}

fn known(told: Told, found_by: FoundBy, cut: Option<&str>) -> Attribution {
    let Told { plan, stage, confidence, marks, detail } = told;
    let found = Found {
        path: plan.path.clone(),
        found_by,
        target: Some(plan.name(stage)),
        confidence: Some(confidence),
        detail: with_cut(&detail, cut),
    };
    // of a stage in one layer its instructions are known all the same
    let confidence = if confidence == Confidence::Stage { Confidence::Aligned } else { confidence };
    Attribution { dockerfile: Some(found), known: Some(Known::new(plan, stage, confidence, marks)) }
}

/// Lines of a Dockerfile that was changed since the build: an instruction is shown where it stands once in it, else the FROM.
fn carried(told: &Told, plan: Plan, at_hand: &Dockerfiles) -> Attribution {
    let mut places: BTreeMap<String, Vec<Spot>> = BTreeMap::new();
    for spot in plan.spots() {
        places.entry(plan.joined(spot)).or_default().push(spot);
    }
    // a stage without a name is known by its place, which a changed file may have given to another
    let stage = plan.target(Some(&told.plan.name(told.stage))).or_else(|| plan.target(None)).unwrap_or_default();
    let carry = |mark: &Mark| {
        let from = plan.outermost(stage);
        let spot = match places.get(&told.plan.joined(mark.spot)).map(Vec::as_slice) {
            Some([spot]) => *spot,
            _ => from,
        };
        Mark::of(spot, Confidence::Given)
    };
    let marks = told.marks.iter().map(|mark| mark.as_ref().map(carry)).collect();
    let detail =
        "the Dockerfile was changed since BuildKit recorded it: a line is shown where its instruction stands once in both, \
                  else the FROM"
            .to_owned();
    known(Told { stage, confidence: Confidence::Given, marks, detail, plan }, at_hand.found_by, at_hand.cut.as_deref())
}

fn of_history<'a>(making: &Making<'_>, base: Option<&Base>, at_hand: &'a Dockerfiles, limits: &Limits) -> Attribution {
    let layers = making.diff_ids.len();
    let read = |file: &'a AtHand| {
        (file, Plan::read(&file.path, &file.bytes, &BTreeMap::new(), limits).map_err(|error| error.to_string()))
    };
    let plans: Vec<(&AtHand, Result<Plan, String>)> = at_hand.files.iter().map(read).collect();
    let lines = match Lines::read(making.history, layers) {
        Ok(lines) => lines,
        Err(reason) => return unaligned(plans, None, reason, layers, at_hand),
    };
    let mut fits: Vec<(&Plan, Fit)> = Vec::new();
    for plan in plans.iter().filter_map(|(_, plan)| plan.as_ref().ok()) {
        fits.extend(lines.fits(plan, None, base).into_iter().map(|fit| (plan, fit)));
    }
    let longest = fits.iter().map(|(_, fit)| fit.length()).max().unwrap_or(0);
    fits.retain(|(_, fit)| fit.length() == longest);
    let is_told_by_commands = |(plan, fit): &&(&Plan, Fit)| lines.has_commands_of(plan, fit);
    if let (true, [one]) = (fits.len() > 1, fits.iter().filter(is_told_by_commands).collect::<Vec<_>>().as_slice()) {
        fits = vec![(*one).clone()];
    }
    match fits.as_slice() {
        [(plan, fit)] => {
            let marks = lines.marks(plan, fit);
            let is_stage = marks.iter().flatten().any(|mark| mark.confidence == Confidence::Stage);
            let told = Told {
                plan: (*plan).clone(),
                stage: fit.stage,
                confidence: if is_stage { Confidence::Stage } else { Confidence::Aligned },
                detail: format!(
                    "the history ends with the {} of stage {}{}",
                    counted(fit.length(), "instruction"),
                    plan.name(fit.stage),
                    if is_stage { ", of which the builder made one layer" } else { "" }
                ),
                marks,
            };
            known(told, at_hand.found_by, at_hand.cut.as_deref())
        }
        [] => {
            let (path, reason) = parting(&lines, &plans);
            unaligned(plans, path, reason, layers, at_hand)
        }
        several => {
            let stages: Vec<String> =
                several.iter().take(NAMED).map(|(plan, fit)| format!("{} (stage {})", plan.path, plan.name(fit.stage))).collect();
            let more = several.len().saturating_sub(NAMED);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let reason = format!("the history fits several stages equally well: {}{more}", stages.join(", "));
            let path = several
                .first()
                .and_then(|(plan, _)| plans.iter().map(|(file, _)| file.path.as_str()).find(|path| *path == plan.path));
            unaligned(plans, path, reason, layers, at_hand)
        }
    }
}

/// The file that comes closest, and where it parts from the history.
fn parting<'a>(lines: &Lines, plans: &[(&'a AtHand, Result<Plan, String>)]) -> (Option<&'a str>, String) {
    let partings = plans.iter().filter_map(|(file, plan)| Some((file, lines.parting(plan.as_ref().ok()?, None))));
    let closest = partings.max_by(|(_, (a, _)), (_, (b, _))| a.cmp(b));
    match closest {
        Some((file, (_, reason))) if plans.len() == 1 => (Some(&file.path), reason),
        Some((file, (_, reason))) => {
            (Some(&file.path), format!("none of {} fits; of {}: {reason}", counted(plans.len(), "Dockerfile"), file.path))
        }
        None => (None, "no Dockerfile could be read".to_owned()),
    }
}

/// Nothing fits: a file that the user named is shown at the FROM of its last stage, others are not.
fn unaligned(
    plans: Vec<(&AtHand, Result<Plan, String>)>,
    path: Option<&str>,
    reason: String,
    layers: usize,
    at_hand: &Dockerfiles,
) -> Attribution {
    if at_hand.found_by != FoundBy::Given {
        return unknown(at_hand, path, &reason);
    }
    match plans.into_iter().next() {
        None => Attribution::default(),
        Some((file, Err(error))) => unreadable(file, at_hand, &error),
        Some((_, Ok(plan))) => {
            let stage = plan.target(None).unwrap_or_default();
            let from = Mark::of(Spot::from(stage), Confidence::Given);
            let marks = vec![Some(from); layers];
            let found = known(Told { plan, stage, confidence: Confidence::Given, marks, detail: reason }, FoundBy::Given, None);
            let dockerfile = found.dockerfile.map(|found| Found { target: None, ..found });
            Attribution { dockerfile, ..found }
        }
    }
}

/// No line is known; the reason is told beside the file that comes closest, or the first.
fn unknown(at_hand: &Dockerfiles, path: Option<&str>, reason: &str) -> Attribution {
    let first = at_hand.files.first().map(|file| file.path.as_str());
    let Some(path) = path.or(first) else { return Attribution::default() };
    let found = Found {
        path: path.to_owned(),
        found_by: at_hand.found_by,
        target: None,
        confidence: None,
        detail: with_cut(reason, at_hand.cut.as_deref()),
    };
    Attribution { dockerfile: Some(found), known: None }
}

fn unreadable(file: &AtHand, at_hand: &Dockerfiles, error: &str) -> Attribution {
    let found = Found {
        path: file.path.clone(),
        found_by: at_hand.found_by,
        target: None,
        confidence: None,
        detail: format!("it cannot be read as a Dockerfile: {error}"),
    };
    Attribution { dockerfile: Some(found), known: None }
}

fn with_cut(detail: &str, cut: Option<&str>) -> String {
    cut.map_or_else(|| detail.to_owned(), |cut| format!("{detail}; {cut}"))
}

fn named(files: &[&AtHand]) -> String {
    let shown: Vec<&str> = files.iter().take(NAMED).map(|file| file.path.as_str()).collect();
    let more = files.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", shown.join(", "))
}
