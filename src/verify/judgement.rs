//! What is made of one image: checks and own rules, base and own layers, policy.

use std::cmp::Reverse;

use super::Request;
use super::image::Examined;
use crate::build::base::{self, Base, Known, Making, ToldBy};
use crate::checks;
use crate::facts::Image;
use crate::finding::{Finding, Origin};
use crate::policy::judge::{self, Judged, LeftOut, Subject};
use crate::policy::requirement::{self, Whole};
use crate::rules;
use crate::source::ImageRecord;

/// What was made of one image.
#[derive(Debug, Default)]
pub(super) struct Judgement {
    /// The base image, as far as known.
    pub(super) base: Option<Base>,
    /// Most severe first, then by check, code and evidence.
    pub(super) findings: Vec<Finding>,
    /// What the policy left out.
    pub(super) left_out: Vec<(String, LeftOut)>,
    /// Own rules that could not be evaluated, and why.
    pub(super) not_evaluated: Vec<(String, String)>,
}

/// Runs checks and rules, and applies the policy.
pub(super) fn judge(record: &ImageRecord, image: &Image, _examined: &Examined, request: &Request) -> Judgement {
    let policy = &request.policy;
    let base = base_of(record, image, request);
    let mut findings = observed(image);
    let evaluated = rules::evaluate(&policy.rules, image, &request.limits);
    findings.extend(evaluated.findings);
    let subject = Subject {
        references: record.reference.iter().cloned().collect(),
        digests: record.manifest_digest.iter().chain(&record.config_digest).map(ToString::to_string).collect(),
    };
    findings.extend(requirement::unmet(policy, &whole(image)));
    for finding in &mut findings {
        finding.observation.evidence.sort();
        finding.observation.evidence.dedup();
        finding.origin = base.as_ref().map(|base| origin(base, finding));
    }
    let Judged { mut findings, left_out } = judge::judge(policy, findings, &subject, request.as_of);
    findings.sort_by(|a, b| {
        let key = |finding: &Finding| (Reverse(finding.severity), finding.check.clone(), finding.observation.code);
        key(a).cmp(&key(b)).then_with(|| a.observation.evidence.cmp(&b.observation.evidence))
    });
    Judgement { base, findings, left_out, not_evaluated: evaluated.not_evaluated }
}

/// What the checks saw, with their own severities.
fn observed(image: &Image) -> Vec<Finding> {
    let mut findings = Vec::new();
    for check in checks::ALL {
        for observation in (check.run)(image) {
            findings.push(Finding::new(check.id, observation.severity.unwrap_or(check.severity), observation));
        }
    }
    findings
}

fn whole(image: &Image) -> Whole {
    Whole {
        labels: image.config.runtime.labels.iter().cloned().collect(),
        diff_ids: image.config.diff_ids.iter().map(ToString::to_string).collect(),
        ..Whole::default()
    }
}

fn base_of(record: &ImageRecord, image: &Image, request: &Request) -> Option<Base> {
    let listed = request.policy.base.allowed.iter().map(|base| Known {
        name: base.name.clone(),
        diff_ids: base.diff_ids.clone(),
        told_by: ToldBy::Policy,
    });
    let known: Vec<Known> = request.bases.iter().cloned().chain(listed).collect();
    let layer_digests: Vec<Option<String>> =
        record.layers.iter().map(|layer| layer.digest.as_ref().map(ToString::to_string)).collect();
    let making = Making {
        diff_ids: &image.config.diff_ids,
        layer_digests: &layer_digests,
        history: &image.config.history,
        attestations: &record.attestations,
    };
    base::find(&known, &making)
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
    use crate::build::base::Confidence;
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
