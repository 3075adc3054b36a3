//! A policy applied to what the checks saw: severities, allow lists, thresholds, waivers.
//!
//! In this order, for each finding:
//! - a check that is off is left out;
//! - so is a finding with paths whose evidence, before the allow list, weighs less than the threshold;
//! - places that a glob of the allow list (`glob`) fits are taken out and counted; a finding with no place left is left out. Fields of
//!   the config and places without a path stay;
//! - the policy's severity replaces the check's;
//! - waivers that hold for this image accept it (`waiver`).

use std::collections::{BTreeMap, BTreeSet};

use super::glob::{Globs, Slash};
use super::waiver::{Holding, path_of};
use super::{CheckRule, Date, Policy};
use crate::finding::Finding;

/// What a policy may know of an image besides its findings.
#[derive(Debug, Clone, Default)]
pub struct Subject {
    /// Its names: as asked or annotated.
    pub references: Vec<String>,
    /// Manifest and config digest, `sha256:...`.
    pub digests: Vec<String>,
}

/// Why a finding was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LeftOut {
    /// The check is switched off.
    Off,
    /// It weighs less than the policy's threshold.
    BelowThreshold,
    /// All its evidence is on the allow list.
    Allowed,
}

impl LeftOut {
    /// The name in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::BelowThreshold => "below-threshold",
            Self::Allowed => "allowed",
        }
    }
}

/// What became of the findings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Judged {
    /// Those that stay, with severity, allowed places and waiver filled in, in the order they came in.
    pub findings: Vec<Finding>,
    /// Check and reason of each that was left out.
    pub left_out: Vec<(String, LeftOut)>,
    /// Indexes of the policy's waivers that have a part in accepting a finding: more than the findings name, where several
    /// accept one together.
    pub used_waivers: BTreeSet<usize>,
}

impl Judged {
    /// Adds what became of further findings of the same image.
    pub fn extend(&mut self, other: Self) {
        self.findings.extend(other.findings);
        self.left_out.extend(other.left_out);
        self.used_waivers.extend(other.used_waivers);
    }
}

/// Applies the policy. Waivers that expired before `as_of` do nothing.
#[must_use]
pub fn judge(policy: &Policy, findings: Vec<Finding>, subject: &Subject, as_of: Date) -> Judged {
    let rules: BTreeMap<&str, Rule<'_>> = policy.checks.iter().map(|(id, rule)| (id.as_str(), Rule::new(rule))).collect();
    let holding = Holding::new(&policy.waivers, subject, as_of);
    let mut judged = Judged::default();
    for mut finding in findings {
        if let Some(reason) = rules.get(finding.check.as_str()).and_then(|rule| rule.apply(&mut finding)) {
            judged.left_out.push((finding.check, reason));
            continue;
        }
        if let Some(acceptance) = holding.accept(&finding) {
            finding.waiver = Some(acceptance.waiver);
            judged.used_waivers.extend(acceptance.used);
        }
        judged.findings.push(finding);
    }
    judged
}

/// What the policy says of one check, with its globs compiled.
struct Rule<'a> {
    rule: &'a CheckRule,
    allow: Globs,
}

impl<'a> Rule<'a> {
    fn new(rule: &'a CheckRule) -> Self {
        let patterns = rule.allow.iter().map(String::as_str).enumerate();
        Self { rule, allow: Globs::new(patterns, Slash::Separates) }
    }

    /// Changes the finding as the rule says; why it is left out, if it is.
    fn apply(&self, finding: &mut Finding) -> Option<LeftOut> {
        if self.rule.is_off {
            return Some(LeftOut::Off);
        }
        // what cannot be weighed is not light; and before the allow list, which may take out the name that an inode's bytes stand at
        let has_paths = finding.observation.evidence.iter().any(|place| path_of(place).is_some());
        if has_paths && self.rule.min_bytes.is_some_and(|least| finding.bytes() < least) {
            return Some(LeftOut::BelowThreshold);
        }
        if !self.rule.allow.is_empty() && self.allow(finding) {
            return Some(LeftOut::Allowed);
        }
        finding.severity = self.rule.severity.unwrap_or(finding.severity);
        None
    }

    /// Takes out the places that are allowed; whether that leaves none.
    fn allow(&self, finding: &mut Finding) -> bool {
        let evidence = &mut finding.observation.evidence;
        let before = evidence.len();
        evidence.retain(|place| path_of(place).is_none_or(|path| !self.allow.is_match(path)));
        let allowed = before.saturating_sub(evidence.len());
        let is_empty = evidence.is_empty();
        if allowed > 0 {
            finding.allowed = allowed;
            let places = if allowed == 1 { "1 place".to_owned() } else { format!("{allowed} places") };
            let message = &finding.observation.message;
            finding.observation.message = format!("{message}; {places} allowed by the policy");
        }
        allowed > 0 && is_empty
    }
}

#[cfg(test)]
mod tests;
