//! From what is known to the published report: no decision but the verdict, no format.

mod components;
mod filesystem;
mod reach;
mod score;

pub(super) use components::component;
pub(super) use score::score;

use std::collections::BTreeSet;

use super::Request;
use super::image::{Examined, Problem};
use super::judgement::{gained, origin_of_layer};
use super::{locations, policy_report};
use crate::archive::compression::Compression;
use crate::build::attribution::Attribution;
use crate::build::base::Base;
use crate::build::{Step, redact};
use crate::checks;
use crate::facts::{Image, NotExamined};
use crate::finding::{Evidence, Finding, Observation};
use crate::limits::LimitHit;
use crate::oci::{Healthcheck, Place, Platform, escape, escape_text};
use crate::policy::{Policy, requirement};
use crate::report::model as out;
use crate::score::Gain;
use crate::source::{self, ImageRecord, LayerRecord, Source};

pub(super) fn source(source: &dyn Source) -> out::SourceReport {
    out::SourceReport { kind: Some(source.kind().as_str().to_owned()), name: escape_text(source.name()) }
}

/// The report of a source that could not be opened.
pub(super) fn refused(request: &Request, error: &source::Error) -> out::Report {
    out::Report {
        schema: out::Schema::current(),
        tool: out::Tool::current(),
        source: out::SourceReport { kind: None, name: request.source.name() },
        policy: policy_report::policy(request, &BTreeSet::new()),
        images: Vec::new(),
        errors: vec![problem(&Problem::of_source(error))],
        verdict: out::Verdict::Unverifiable,
    }
}

/// The report of one image.
pub(super) fn image(record: &ImageRecord, examined: &Examined, request: &Request) -> out::ImageReport {
    let policy = &request.policy;
    let attribution = &examined.judgement.attribution;
    let known = examined.image.as_ref();
    let steps = known.map_or_else(|| steps_of(record), |image| image.steps.clone());
    out::ImageReport {
        reference: record.reference.as_deref().map(escape_text),
        platform: record.config.as_ref().map(|config| platform(&config.platform)),
        manifest_digest: record.manifest_digest.as_ref().map(ToString::to_string),
        config_digest: record.config_digest.as_ref().map(ToString::to_string),
        distribution: known.and_then(distribution),
        layers: layers(record, examined, &steps),
        base: examined.judgement.base.as_ref().map(base),
        dockerfile: locations::dockerfile(attribution),
        user: known.map(user),
        healthcheck: record.config.as_ref().map(|config| healthcheck(config.runtime.healthcheck.as_ref())),
        measurements: known.map(|_| score::measurements(examined)),
        ballast: known.map(|_| score::ballast(examined)),
        filesystem: known.map(|image| filesystem::filesystem(image, &examined.judgement.ballast)),
        reach: known.map(reach::reach),
        components: known.map(components::components).unwrap_or_default(),
        score: examined.judgement.scored.as_ref().map(score::score),
        findings: examined.judgement.findings.iter().map(|(found, gain)| finding(found, *gain, policy, attribution)).collect(),
        left_out: policy_report::left_out(&examined.judgement.left_out),
        controls: policy_report::controls(policy, &examined.judgement.controls),
        notes: examined.notes.iter().map(|said| note(said, attribution)).collect(),
        trees_differ: known.map(differences).unwrap_or_default(),
        verdict: verdict(examined, policy),
        errors: examined.problems.iter().map(problem).collect(),
        examined: counts(examined),
    }
}

/// Errors first: without them a failing finding decides; then what was not examined; only then a pass.
fn verdict(examined: &Examined, policy: &Policy) -> out::Verdict {
    if examined.image.is_none() || !examined.problems.is_empty() {
        out::Verdict::Unverifiable
    } else if examined.judgement.findings.iter().any(|(finding, _)| policy.fails(finding)) {
        out::Verdict::Fail
    } else if !examined.unseen.is_empty() && !policy.allow_incomplete {
        out::Verdict::Unverifiable
    } else {
        out::Verdict::Pass
    }
}

fn steps_of(record: &ImageRecord) -> Vec<Step> {
    record.config.as_ref().map(|config| crate::build::steps(&config.history, record.layers.len())).unwrap_or_default()
}

fn platform(platform: &Platform) -> out::PlatformReport {
    out::PlatformReport {
        os: escape_text(&platform.os),
        architecture: escape_text(&platform.architecture),
        variant: platform.variant.as_deref().map(escape_text),
    }
}

fn distribution(image: &Image) -> Option<String> {
    let release = image.os_release.as_ref()?;
    let name = release.pretty_name.clone().or_else(|| {
        let version = release.version_id.as_deref().unwrap_or_default();
        (!release.id.is_empty()).then(|| format!("{} {version}", release.id).trim_end().to_owned())
    });
    name.as_deref().map(escape_text)
}

fn layers(record: &ImageRecord, examined: &Examined, steps: &[Step]) -> Vec<out::LayerReport> {
    let layer = |(index, layer): (usize, &LayerRecord)| {
        let read = examined.layers.get(index).and_then(Option::as_ref);
        out::LayerReport {
            index,
            diff_id: layer.diff_id.to_string(),
            digest: layer.digest.as_ref().map(ToString::to_string),
            media_type: (!layer.media_type.is_empty()).then(|| escape_text(&layer.media_type)),
            uncompressed_bytes: read.map_or(0, |read| read.uncompressed_bytes),
            compressed_bytes: read.filter(|read| read.compression != Compression::None).map(|read| read.compressed_bytes),
            instruction: steps.get(index).and_then(|step| step.instruction.as_deref()).map(|text| escape_text(&redact(text))),
            origin: examined.judgement.base.as_ref().map(|base| origin_of_layer(base, index).as_str().to_owned()),
            location: locations::of_layer(&examined.judgement.attribution, index),
        }
    };
    record.layers.iter().enumerate().map(layer).collect()
}

fn base(base: &Base) -> out::BaseReport {
    out::BaseReport {
        name: base.name.as_deref().map(escape_text),
        layers: base.layers,
        told_by: base.told_by.as_str().to_owned(),
        confidence: base.confidence.as_str().to_owned(),
        reason: escape_text(&base.reason),
    }
}

fn user(image: &Image) -> out::UserReport {
    let user = &image.user;
    out::UserReport {
        configured: escape_text(&user.configured),
        uid: user.uid,
        gid: user.gid,
        groups: user.groups.clone(),
        resolved: user.problem.is_none(),
    }
}

fn healthcheck(healthcheck: Option<&Healthcheck>) -> out::HealthcheckReport {
    let test = healthcheck.map(|healthcheck| healthcheck.test.as_slice()).unwrap_or_default();
    let present = healthcheck.is_some_and(Healthcheck::is_run);
    out::HealthcheckReport { present, test: test.iter().map(|word| escape_text(&redact(word))).collect() }
}

fn finding(finding: &Finding, gain: Gain, policy: &Policy, attribution: &Attribution) -> out::FindingReport {
    let fix = fix_of(&finding.check, policy);
    let bytes = finding.bytes();
    let observation = &finding.observation;
    let (locations, evidence) = placed(&finding.check, observation, attribution);
    out::FindingReport {
        check: finding.check.clone(),
        code: observation.code.map(|code| code.to_string()),
        severity: Some(finding.severity.as_str().to_owned()),
        subject: escape_text(&observation.subject),
        message: observation.message.clone(),
        fix: observation.fix.clone().unwrap_or_else(|| fix.to_owned()),
        evidence,
        locations,
        bytes: (bytes > 0).then_some(bytes),
        gain: Some(out::Gain { points: gained(gain.tenths), bytes: gain.bytes }),
        origin: finding.origin.map(|origin| origin.as_str().to_owned()),
        allowed: (finding.allowed > 0).then_some(finding.allowed),
        waived: finding.waiver.and_then(|index| policy_report::waived(policy, index)),
        fails: policy.fails(finding),
    }
}

/// How to mend what a check, a requirement or an own rule finds.
fn fix_of<'a>(id: &str, policy: &'a Policy) -> &'a str {
    let of_check = checks::find(id).map(|check| check.fix);
    let of_requirement = || requirement::find(id).map(|requirement| requirement.fix);
    let of_rule = || policy.rules.iter().find(|rule| rule.id == id).map(|rule| rule.fix.as_str());
    of_check.or_else(of_requirement).or_else(of_rule).unwrap_or_default()
}

fn note((check, observation): &(&'static str, Observation), attribution: &Attribution) -> out::FindingReport {
    let (locations, evidence) = placed(check, observation, attribution);
    out::FindingReport {
        check: (*check).to_owned(),
        code: observation.code.map(|code| code.to_string()),
        severity: None,
        subject: escape_text(&observation.subject),
        message: observation.message.clone(),
        fix: observation.fix.clone().unwrap_or_default(),
        evidence,
        locations,
        bytes: None,
        gain: None,
        origin: None,
        allowed: None,
        waived: None,
        fails: false,
    }
}

/// The lines of an observation, and its evidence with their indexes.
fn placed(
    check: &str,
    observation: &Observation,
    attribution: &Attribution,
) -> (Vec<out::LocationReport>, Vec<out::EvidenceReport>) {
    let (locations, indexes) = locations::of_finding(attribution, check, &observation.evidence);
    let with_index = |(one, location): (&Evidence, Option<usize>)| out::EvidenceReport { location, ..evidence(one) };
    (locations, observation.evidence.iter().zip(indexes).map(with_index).collect())
}

fn evidence(evidence: &Evidence) -> out::EvidenceReport {
    out::EvidenceReport {
        path: evidence.path.as_deref().map(escape),
        layer: evidence.layer,
        location: None,
        history: evidence.history,
        config: evidence.config.clone(),
        linkname: evidence.linkname.as_deref().map(escape),
        package: evidence.package.as_deref().map(escape_text),
        on_path: evidence.on_path,
        bytes: (evidence.bytes > 0).then_some(evidence.bytes),
    }
}

fn differences(image: &Image) -> Vec<out::DifferenceReport> {
    let difference = |difference: &crate::rootfs::Difference| out::DifferenceReport {
        path: escape(&difference.path),
        stacked: difference.stacked.clone(),
        sequential: difference.sequential.clone(),
    };
    image.differences.iter().map(difference).collect()
}

fn problem(problem: &Problem) -> out::ErrorReport {
    out::ErrorReport {
        code: problem.code.to_string(),
        message: problem.message.clone(),
        place: place(&problem.place),
        limit: problem.limit.as_ref().map(|LimitHit { name, limit, found }| out::LimitReport {
            name: (*name).to_owned(),
            limit: *limit,
            found: *found,
        }),
    }
}

fn place(place: &Place) -> out::PlaceReport {
    out::PlaceReport {
        document: place.document.clone(),
        layer: place.layer,
        path: place.path.as_deref().map(escape),
        offset: place.offset,
    }
}

fn counts(examined: &Examined) -> out::Examined {
    let read = || examined.layers.iter().flatten();
    let not_examined = |(place, reason): &NotExamined| out::NotExaminedReport {
        path: place.path.as_deref().map(escape),
        layer: place.layer,
        reason: reason.clone(),
    };
    out::Examined {
        layers: read().filter(|layer| layer.errors.is_empty()).count(),
        entries: read().map(|layer| count(layer.changes.len())).fold(0, u64::saturating_add),
        bytes: read().map(|layer| layer.uncompressed_bytes).fold(0, u64::saturating_add),
        files_inspected: read().map(|layer| layer.files_inspected).fold(0, u64::saturating_add),
        not_examined: examined.unseen.iter().map(not_examined).collect(),
    }
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
