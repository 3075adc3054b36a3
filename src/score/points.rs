//! From measurements to points: where each lies between the two baselines, weighed.

use crate::policy::{Measure, ScoreRule, Unit};

use super::Measurements;

/// Tenths of a point in 100 points.
const TENTHS: u64 = 1_000;

/// What one measurement adds.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// The measurement.
    pub measure: Measure,
    /// The policy's group.
    pub group: String,
    /// The policy's weight.
    pub weight: f64,
    /// Whether it counts for this pair.
    pub counts: bool,
    /// The number of the single-stage baseline.
    pub single: u64,
    /// The number of the multi-stage baseline.
    pub multi: u64,
    /// The image's number.
    pub image: u64,
    /// 0 to 1.
    pub position: f64,
    /// Tenths of points it adds.
    pub tenths: u64,
    /// Tenths of points it can add at most.
    pub most_tenths: u64,
}

/// The points of an image.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Points {
    /// Tenths of points, 0 to 1,000; the sum of the parts.
    pub tenths: u64,
    /// One for each measurement that the policy weighs, in its order.
    pub parts: Vec<Part>,
}

/// Places an image between two baselines. None when nothing counts: the policy weighs nothing, or the pair is no pair, since in
/// nothing that is weighed the multi-stage baseline is better.
#[must_use]
pub fn points(image: &Measurements, single: &Measurements, multi: &Measurements, rule: &ScoreRule) -> Option<Points> {
    let mut parts = Vec::new();
    for group in &rule.groups {
        for (measure, weight) in &group.weights {
            let (s, m, x) = (single.of(*measure), multi.of(*measure), image.of(*measure));
            parts.push(Part {
                measure: *measure,
                group: group.name.clone(),
                weight: *weight,
                counts: s > m && *weight > 0.0,
                single: s,
                multi: m,
                image: x,
                position: position(s, m, x, unit(*measure, rule)),
                tenths: 0,
                most_tenths: 0,
            });
        }
    }
    let sum = counted(&parts, |part| part.weight);
    if sum <= 0.0 || !sum.is_finite() {
        return None;
    }
    let reached = counted(&parts, |part| part.weight * part.position);
    let tenths = to_tenths(reached / sum);
    let shares = parts.iter().map(|part| if part.counts { part.weight * part.position / sum } else { 0.0 }).collect::<Vec<_>>();
    let most = parts.iter().map(|part| if part.counts { part.weight / sum } else { 0.0 }).collect::<Vec<_>>();
    let spread_points = spread(&shares, tenths);
    let spread_most = spread(&most, TENTHS);
    for (part, (tenths, most)) in parts.iter_mut().zip(spread_points.into_iter().zip(spread_most)) {
        (part.tenths, part.most_tenths) = (tenths, most);
    }
    Some(Points { tenths, parts })
}

fn counted(parts: &[Part], number: impl Fn(&Part) -> f64) -> f64 {
    parts.iter().filter(|part| part.counts).map(number).sum()
}

fn unit(measure: Measure, rule: &ScoreRule) -> u64 {
    match measure.unit() {
        Unit::Bytes => rule.bytes_unit,
        Unit::Count => rule.count_unit,
        Unit::YesNo => 1,
    }
}

/// Where `x` lies from `s` (0) to `m` (1) on a logarithmic scale; beyond `m` when `s` is no worse than `m`.
fn position(s: u64, m: u64, x: u64, unit: u64) -> f64 {
    let scale = |number: u64| (1.0 + as_f64(number) / as_f64(unit.max(1))).log2();
    if s > m {
        ((scale(s) - scale(x)) / (scale(s) - scale(m))).clamp(0.0, 1.0)
    } else if x <= m {
        1.0
    } else {
        (1.0 - (scale(x) - scale(m))).clamp(0.0, 1.0)
    }
}

#[expect(clippy::cast_precision_loss, reason = "a score has three digits; a f64 keeps fifteen")]
fn as_f64(number: u64) -> f64 {
    number as f64
}

/// A share of 1 in tenths of a point.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0 to 1,000 before")]
fn to_tenths(share: f64) -> u64 {
    (share * 1_000.0).round().clamp(0.0, 1_000.0) as u64
}

/// Whole tenths for each share, so that they add up to `sum`: rounded down first, the rest to those that lost most, first ones first.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "shares are at most 1, so at most 1,000 tenths")]
fn spread(shares: &[f64], sum: u64) -> Vec<u64> {
    let mut whole: Vec<u64> = shares.iter().map(|share| (share * 1_000.0).floor().clamp(0.0, 1_000.0) as u64).collect();
    let mut order: Vec<usize> = (0..shares.len()).filter(|at| shares.get(*at).is_some_and(|share| *share > 0.0)).collect();
    let lost = |at: usize| shares.get(at).map_or(0.0, |share| share * 1_000.0 - (share * 1_000.0).floor());
    order.sort_by(|a, b| lost(*b).total_cmp(&lost(*a)).then(a.cmp(b)));
    let mut rest = sum.saturating_sub(whole.iter().sum());
    for at in order.into_iter().cycle().take(shares.len().saturating_mul(2)) {
        if rest == 0 {
            break;
        }
        if let Some(tenths) = whole.get_mut(at) {
            *tenths = tenths.saturating_add(1);
            rest = rest.saturating_sub(1);
        }
    }
    // rounding down may leave one too many, when every share is whole but for the last bit of a float
    let mut over = whole.iter().sum::<u64>().saturating_sub(sum);
    for tenths in whole.iter_mut().rev() {
        let less = over.min(*tenths);
        *tenths = tenths.saturating_sub(less);
        over = over.saturating_sub(less);
    }
    whole
}
