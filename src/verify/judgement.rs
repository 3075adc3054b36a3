//! What is made of one image: checks and own rules, base and own layers, policy.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::image::Examined;
use super::{Moment, Progress, Request, Stage};
use crate::build::attribution::{Attribution, attribute};
use crate::build::base::{self, Base, Confidence, Known, Making, ToldBy};
use crate::build::provenance;
use crate::checks::{self, Check};
use crate::facts::Image;
use crate::finding::{Finding, Observation, Origin};
use crate::policy::control::{self, Answer, Coverage};
use crate::policy::judge::{self, LeftOut, Subject};
use crate::policy::requirement::{self, Whole};
use crate::rules;
use crate::score::{self, Ballast, Choice, Gain, Graded, LayerBytes, Measurements, Pair, Points};
use crate::source::ImageRecord;

/// What was made of one image.
#[derive(Debug, Default)]
pub(super) struct Judgement {
    /// The base image, as far as known.
    pub(super) base: Option<Base>,
    /// The lines of the Dockerfile, as far as known.
    pub(super) attribution: Attribution,
    /// Most severe first, then by what mending them gains, by check, code and evidence.
    pub(super) findings: Vec<(Finding, Gain)>,
    /// What the policy left out.
    pub(super) left_out: Vec<(String, LeftOut)>,
    /// Own rules that could not be evaluated, and why.
    pub(super) not_evaluated: Vec<(String, String)>,
    /// The class of every byte.
    pub(super) ballast: Ballast,
    /// The numbers.
    pub(super) measured: Measurements,
    /// Where the image lies between two baselines.
    pub(super) scored: Option<Scored>,
    /// Indexes of the policy's waivers that accept something here.
    pub(super) used_waivers: BTreeSet<usize>,
    /// One for each of the policy's controls.
    pub(super) controls: Vec<Answer>,
}

/// Where an image lies between two baselines.
#[derive(Debug)]
pub(super) struct Scored {
    pub(super) pair: Pair,
    /// Why this pair, one clause.
    pub(super) chosen_by: String,
    pub(super) points: Points,
    pub(super) graded: Graded,
}

/// Runs checks and rules, measures, and applies the policy.
pub(super) fn judge(
    record: &ImageRecord,
    image: &Image,
    examined: &Examined,
    request: &Request,
    progress: &Progress,
) -> Judgement {
    let policy = &request.policy;
    progress.enter(Stage::Checks);
    let mut findings = observed(image, progress);
    progress.enter(Stage::Judgement);
    let (base, attribution) = made_by(record, image, request);
    let bytes = LayerBytes {
        shipped: examined.shipped_bytes(),
        buried: examined.buried_bytes.iter().copied().fold(0, u64::saturating_add),
    };
    let ballast = score::ballast(image, &findings, bytes, &examined.buried);
    let measured = score::measure(image, &findings, &ballast, bytes);
    let evaluated = rules::evaluate(&policy.rules, image, &request.limits);
    findings.extend(evaluated.findings);
    let subject = Subject {
        references: record.reference.iter().cloned().collect(),
        digests: record.manifest_digest.iter().chain(&record.config_digest).map(ToString::to_string).collect(),
    };
    let judge = |findings| judge::judge(policy, placed(findings, base.as_ref()), &subject, request.as_of);
    let mut judged = judge(findings);
    let scored = scored(image, &measured, &judged.findings, request);
    // the image as a whole is judged last: its score comes from what was found in its parts
    judged.extend(judge(requirement::unmet(policy, &whole(image, examined, &ballast, scored.as_ref()))));
    let coverage = Coverage {
        is_complete: examined.unseen.is_empty() || policy.allow_incomplete,
        not_evaluated: evaluated.not_evaluated.iter().map(|(rule, _)| rule.as_str()).collect(),
    };
    let controls = policy.controls.iter().map(|control| control::answer(control, policy, &judged.findings, &coverage)).collect();
    let pair = scored.as_ref().map(|scored| (&scored.pair, &policy.score));
    let gain = |finding: &Finding| score::gain(image, finding, &ballast, &measured, pair);
    Judgement {
        base,
        attribution,
        findings: sorted(judged.findings, gain),
        left_out: judged.left_out,
        not_evaluated: evaluated.not_evaluated,
        ballast,
        measured,
        scored,
        used_waivers: judged.used_waivers,
        controls,
    }
}

/// Most severe first, then by what mending them gains, by check, code and evidence.
fn sorted(findings: Vec<Finding>, gain: impl Fn(&Finding) -> Gain) -> Vec<(Finding, Gain)> {
    let with_gain = |finding| {
        let gain = gain(&finding);
        (finding, gain)
    };
    let mut findings: Vec<(Finding, Gain)> = findings.into_iter().map(with_gain).collect();
    findings.sort_by(|(a, gain_a), (b, gain_b)| {
        let weight = (Reverse(a.severity), Reverse(gain_a.tenths)).cmp(&(Reverse(b.severity), Reverse(gain_b.tenths)));
        let name = (&a.check, a.observation.code).cmp(&(&b.check, b.observation.code));
        weight.then(name).then_with(|| a.observation.evidence.cmp(&b.observation.evidence))
    });
    findings
}

/// Points and grade, when the policy weighs anything and there is a pair.
fn scored(image: &Image, measured: &Measurements, findings: &[Finding], request: &Request) -> Option<Scored> {
    let (pair, chosen_by) = match &request.baselines {
        Choice::Fixed { pair, chosen_by } => (pair.as_ref().clone(), chosen_by.clone()),
        Choice::ByLanguage => (Pair::of_language(image.runtime.language).ok()?, image.runtime.reason.clone()),
    };
    let rule = &request.policy.score;
    let points = score::points(measured, &pair.single.measurements, &pair.multi.measurements, rule)?;
    let graded = score::grade(points.tenths, findings, rule);
    Some(Scored { pair, chosen_by, points, graded })
}

/// Evidence sorted and without doubles, and who brought it.
fn placed(mut findings: Vec<Finding>, base: Option<&Base>) -> Vec<Finding> {
    for finding in &mut findings {
        finding.observation.evidence.sort();
        finding.observation.evidence.dedup();
        finding.origin = base.map(|base| origin(base, finding));
        finding.is_origin_certain = base.is_some_and(|base| base.confidence == Confidence::Certain);
    }
    findings
}

/// Names that one thread's checks look at before another would have begun.
const WORTH_A_THREAD: usize = 4_000;

/// What the checks saw, with their own severities, in the order of the checks. None knows of another: they run side by side.
fn observed(image: &Image, progress: &Progress) -> Vec<Finding> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut seen = Vec::new();
        while let Some(check) = checks::ALL.get(next.fetch_add(1, Ordering::Relaxed)) {
            progress.tell(Moment::Check(check.id));
            seen.push((check, (check.run)(image)));
        }
        progress.tell(Moment::NoMoreChecks);
        seen
    };
    let most = image.rootfs.most_names().checked_div(WORTH_A_THREAD).unwrap_or_default();
    let others = thread::available_parallelism().map_or(1, NonZero::get).min(most).saturating_sub(1);
    let mut seen = thread::scope(|scope| {
        let threads: Vec<_> = (0..others).map(|_| scope.spawn(work)).collect();
        let mut seen = work();
        for thread in threads {
            // a check that panics does so in every run, and is a fault of ours
            seen.extend(thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        seen
    });
    seen.sort_unstable_by_key(|(check, _)| check.id);
    let finding = |check: &Check, seen: Observation| Finding::new(check.id, seen.severity.unwrap_or(check.severity), seen);
    seen.into_iter().flat_map(|(check, seen)| seen.into_iter().map(move |seen| finding(check, seen))).collect()
}

fn whole(image: &Image, examined: &Examined, ballast: &Ballast, scored: Option<&Scored>) -> Whole {
    Whole {
        labels: image.config.runtime.labels.iter().cloned().collect(),
        diff_ids: image.config.diff_ids.iter().map(ToString::to_string).collect(),
        shipped_bytes: examined.shipped_bytes(),
        compressed_bytes: examined.compressed_bytes(),
        ballast_bytes: ballast.total(),
        score: scored.map(|scored| as_points(scored.points.tenths)),
        grade: scored.map(|scored| scored.graded.grade),
    }
}

/// Points with one decimal.
pub(super) fn as_points(tenths: u64) -> f64 {
    f64::from(u32::try_from(tenths).unwrap_or(u32::MAX)) / 10.0
}

/// Points that are gained, or lost.
pub(super) fn gained(tenths: i64) -> f64 {
    let points = as_points(tenths.unsigned_abs());
    if tenths < 0 { -points } else { points }
}

/// The base image, and the lines of the Dockerfile.
fn made_by(record: &ImageRecord, image: &Image, request: &Request) -> (Option<Base>, Attribution) {
    let listed = request.policy.base.allowed.iter().map(|base| Known {
        name: base.name.clone(),
        diff_ids: base.diff_ids.clone(),
        told_by: ToldBy::Policy,
    });
    let known: Vec<Known> = request.bases.iter().cloned().chain(listed).collect();
    let layer_digests: Vec<Option<String>> =
        record.layers.iter().map(|layer| layer.digest.as_ref().map(ToString::to_string)).collect();
    let provenance = provenance::read(&record.attestations, &request.limits);
    let making = Making {
        diff_ids: &image.config.diff_ids,
        layer_digests: &layer_digests,
        history: &image.config.history,
        provenance: &provenance,
    };
    let base = base::find(&known, &making);
    let attribution = attribute(&making, base.as_ref(), &request.dockerfiles, &request.limits);
    (base, attribution)
}

/// Inherited is what layers of the base alone brought; the config is always one's own, since one's own instructions can change it.
fn origin(base: &Base, finding: &Finding) -> Origin {
    let evidence = &finding.observation.evidence;
    let is_inherited = !evidence.is_empty() && evidence.iter().all(|one| one.layer.is_some_and(|layer| layer < base.layers));
    if is_inherited { Origin::Inherited } else { Origin::Yours }
}

/// Who brought a layer.
pub(super) fn origin_of_layer(base: &Base, layer: usize) -> Origin {
    if layer < base.layers { Origin::Inherited } else { Origin::Yours }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::{Evidence, Observation};
    use crate::policy::Severity;

    fn base(layers: usize) -> Base {
        Base { name: None, layers, told_by: ToldBy::Given, confidence: Confidence::Certain, reason: String::new() }
    }

    fn finding(evidence: Vec<Evidence>) -> Finding {
        Finding::new("setuid-file", Severity::High, Observation { evidence, ..Observation::default() })
    }

    fn in_layer(layer: usize) -> Evidence {
        Evidence { path: Some(b"/bin/su".to_vec()), layer: Some(layer), ..Evidence::default() }
    }

    #[test]
    fn what_layers_of_the_base_alone_brought_is_inherited() {
        assert_eq!(origin(&base(2), &finding(vec![in_layer(0), in_layer(1)])), Origin::Inherited);
        assert_eq!(origin(&base(2), &finding(vec![in_layer(2)])), Origin::Yours);
    }

    #[test]
    fn one_place_in_an_own_layer_makes_the_whole_finding_yours() {
        assert_eq!(origin(&base(2), &finding(vec![in_layer(0), in_layer(2)])), Origin::Yours);
        assert_eq!(origin(&base(2), &finding(vec![in_layer(0), Evidence::of_config("config.User")])), Origin::Yours);
    }

    #[test]
    fn the_config_and_what_has_no_place_are_yours() {
        assert_eq!(origin(&base(2), &finding(vec![Evidence::of_config("config.User")])), Origin::Yours);
        assert_eq!(origin(&base(2), &finding(Vec::new())), Origin::Yours);
    }

    #[test]
    fn layers_before_the_cut_are_inherited() {
        assert_eq!([0, 1, 2].map(|layer| origin_of_layer(&base(2), layer).as_str()), ["inherited", "inherited", "yours"]);
    }
}
