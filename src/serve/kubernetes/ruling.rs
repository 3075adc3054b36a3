//! From what is said of each image to one answer: allowed or not, warnings, and what the audit log keeps.

use std::collections::BTreeMap;

use super::judge::Said;
use crate::serve::decision::{Answer, Decision};
use crate::serve::metrics;

/// Bytes of a warning: API servers cut longer ones.
const MOST_WARNING_BYTES: usize = 256;
/// Warnings of one answer: kubectl shows them all.
const MOST_WARNINGS: usize = 10;
/// Refusals that a message names.
const MOST_REFUSALS: usize = 5;
/// Bytes of a message, and of a value for the audit log.
const MOST_BYTES: usize = 4_096;

/// Why a refusal is only warned of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lenience {
    /// Pods are made from it, and it is they that are refused.
    Workload,
    /// A pod that a node runs whatever is answered here.
    MirrorPod,
}

/// One answer.
#[derive(Debug)]
pub(super) struct Ruling {
    /// What becomes of the request as a whole.
    pub(super) decision: Decision,
    pub(super) warnings: Vec<String>,
    /// For the audit log.
    pub(super) audit: BTreeMap<&'static str, String>,
    /// Whether somebody overrode a refusal.
    pub(super) is_glass_broken: bool,
    /// Profiles that were asked, separated by commas.
    pub(super) profiles: String,
    /// The digest that was judged first; empty: none was.
    pub(super) digest: String,
}

impl Ruling {
    /// Nothing was asked, and nothing is to be said.
    pub(super) fn unasked(why: &'static str, profile: &str) -> Self {
        Self {
            decision: Decision { answer: Answer::Allow, message: String::new(), failed_open: None, score: None },
            warnings: Vec::new(),
            audit: BTreeMap::from([("decision", "allow".to_owned()), ("skipped", why.to_owned())]),
            is_glass_broken: false,
            profiles: profile.to_owned(),
            digest: String::new(),
        }
    }

    /// One answer from all that is said. `lenience` says why a refusal would be no more than a warning, `glass` whether somebody
    /// may override it: with this reason.
    pub(super) fn of(
        mut said: Vec<Said>,
        lenience: impl Fn(&Said) -> Option<Lenience>,
        glass: impl Fn(&Said) -> Option<String>,
    ) -> Self {
        let mut broken = None;
        for one in &mut said {
            if one.decision.answer == Answer::Allow {
                continue;
            }
            let open = match (lenience(one), glass(one)) {
                (Some(Lenience::Workload), _) => "workload",
                (Some(Lenience::MirrorPod), _) => "mirror-pod",
                (None, Some(reason)) => {
                    one.short = format!("refusal overridden: {}", one.short);
                    broken = Some(reason);
                    "break-glass"
                }
                (None, None) => continue,
            };
            one.decision.answer = Answer::Allow;
            one.decision.failed_open = Some(open);
        }
        let decision = one_decision(&said);
        let mut audit = audit(&said, &decision);
        let profiles = audit.get("profile").cloned().unwrap_or_default();
        if let Some(reason) = &broken {
            audit.insert("break-glass", reason.clone());
        }
        for value in audit.values_mut() {
            *value = cut(value, MOST_BYTES);
        }
        let digest = said.iter().find_map(|one| one.judged.as_ref()).map(|(_, digest)| digest.clone()).unwrap_or_default();
        Self { decision, warnings: warnings(&said), audit, is_glass_broken: broken.is_some(), profiles, digest }
    }
}

/// The worst of all: refused is worse than not yet, that worse than allowed.
fn one_decision(said: &[Said]) -> Decision {
    let refusals: Vec<&Said> = said.iter().filter(|one| one.decision.answer != Answer::Allow).collect();
    let denied = refusals.iter().find(|one| one.decision.answer == Answer::Deny);
    let answer = denied.or(refusals.first()).map_or(Answer::Allow, |one| one.decision.answer);
    let told: Vec<&str> = if refusals.is_empty() {
        said.iter().map(|one| one.short.as_str()).filter(|text| !text.is_empty()).collect()
    } else {
        refusals.iter().map(|one| one.decision.message.as_str()).collect()
    };
    let mut message = told.iter().take(MOST_REFUSALS).copied().collect::<Vec<_>>().join("; ");
    let more = told.len().saturating_sub(MOST_REFUSALS);
    if more > 0 {
        message = format!("{message}; and {more} more");
    }
    let failed_open = match answer {
        Answer::Allow => said.iter().find_map(|one| one.decision.failed_open),
        Answer::Deny | Answer::NotYet { .. } => None,
    };
    Decision { answer, message: cut(&message, MOST_BYTES), failed_open, score: lowest(said) }
}

fn lowest(said: &[Said]) -> Option<f64> {
    said.iter().filter_map(|one| one.decision.score).min_by(f64::total_cmp)
}

fn warnings(said: &[Said]) -> Vec<String> {
    let allowed = said.iter().filter(|one| one.decision.answer == Answer::Allow);
    let told = allowed.flat_map(|one| [&one.short, &one.hint]);
    let mut warnings: Vec<String> = told.filter(|text| !text.is_empty()).cloned().collect();
    let more = warnings.len().saturating_sub(MOST_WARNINGS);
    if more > 0 {
        warnings.truncate(MOST_WARNINGS);
        warnings.push(format!("{more} more images are warned of"));
    }
    warnings.iter().map(|warning| cut(warning, MOST_WARNING_BYTES)).collect()
}

fn audit(said: &[Said], decision: &Decision) -> BTreeMap<&'static str, String> {
    let mut profiles: Vec<&str> = said.iter().map(|one| one.profile.name.as_str()).collect();
    let policy = |one: &Said| match one.profile.policy_digest.as_str() {
        "" => one.profile.policy_name.clone(),
        digest => format!("{}@{digest}", one.profile.policy_name),
    };
    let mut policies: Vec<String> = said.iter().map(policy).collect();
    profiles.sort_unstable();
    profiles.dedup();
    policies.sort_unstable();
    policies.dedup();
    let images: Vec<String> = said
        .iter()
        .filter_map(|one| one.judged.as_ref())
        .map(|(name, digest)| if name.ends_with(digest.as_str()) { name.clone() } else { format!("{name}@{digest}") })
        .collect();
    let mut audit = BTreeMap::from([("decision", metrics::name(decision).to_owned())]);
    let mut put = |key, value: String| {
        if !value.is_empty() {
            audit.insert(key, value);
        }
    };
    put("profile", profiles.join(","));
    put("policy", policies.join(","));
    put("images", images.join(","));
    put("score", decision.score.map(|score| format!("{score:.1}")).unwrap_or_default());
    put("message", decision.message.clone());
    put("failed-open", decision.failed_open.unwrap_or_default().to_owned());
    audit
}

/// At most so many bytes, the last of which say that there were more.
pub(super) fn cut(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(most.saturating_sub(3));
    format!("{}...", text.get(..end).unwrap_or_default())
}
