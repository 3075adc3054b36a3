//! `[profiles.NAME]`: policies, and what becomes of what they find.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::reader::{At, Faults, Section, shown};
use super::{BY_MATCH, BreakGlass, Mode, OnProblem, OnUnknown, Profile, RequireDigest};
use crate::oci::{Platform, escape_text};
use crate::serve::host::Host;
use crate::serve::key;

/// The profile of requests that nothing matches.
const DEFAULT: &str = "default";
/// Letters of a profile's name: it is part of paths and of metrics.
const MOST_LETTERS: usize = 63;

pub(super) fn profiles(root: &mut Section<'_>, faults: &Faults<'_>, host: &Host) -> BTreeMap<String, Arc<Profile>> {
    let mut profiles = BTreeMap::new();
    for (name, section) in root.named("profiles") {
        if !is_name(&name.value) {
            let problem = format!("'{}' cannot name a profile; use at most 63 of a-z, 0-9 and -", shown(&name.value));
            faults.add(name.at, problem);
        }
        if name.value == BY_MATCH {
            let problem = format!("'{BY_MATCH}' cannot name a profile: in the path of a hook it stands for what [[match]] says");
            faults.add(name.at, problem);
        }
        let profile = profile(name.value.clone(), section, faults, host);
        profiles.insert(name.value, Arc::new(profile));
    }
    profiles.entry(DEFAULT.to_owned()).or_insert_with(|| {
        let policy = At { value: Profile::default().policy_name, at: 0 };
        Arc::new(judged_by(Profile::default(), &policy, faults, host))
    });
    profiles
}

fn is_name(name: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !name.is_empty() && name.len() <= MOST_LETTERS && name.bytes().all(is_letter)
}

fn profile(name: String, mut section: Section<'_>, faults: &Faults<'_>, host: &Host) -> Profile {
    const PROBLEM: [(&str, OnProblem); 3] = [("deny", OnProblem::Deny), ("allow", OnProblem::Allow), ("warn", OnProblem::Warn)];
    const UNKNOWN: [(&str, OnUnknown); 4] =
        [("verify", OnUnknown::Verify), ("deny", OnUnknown::Deny), ("allow", OnUnknown::Allow), ("warn", OnUnknown::Warn)];
    const DIGEST: [(&str, RequireDigest); 3] =
        [("deny", RequireDigest::Deny), ("warn", RequireDigest::Warn), ("resolve", RequireDigest::Resolve)];
    let plain = Profile::default();
    let start = section.at;
    let policy = section.text("policy").unwrap_or_else(|| At { value: plain.policy_name.clone(), at: start });
    let mode = section.word("mode", &[("enforce", Mode::Enforce), ("warn", Mode::Warn), ("off", Mode::Off)]);
    let profile = Profile {
        name,
        mode: mode.unwrap_or(plain.mode),
        on_error: section.word("on_error", &PROBLEM).unwrap_or(plain.on_error),
        on_unknown: section.word("on_unknown", &UNKNOWN).unwrap_or(plain.on_unknown),
        sync_max_bytes: section.bytes("sync_max_bytes").unwrap_or(plain.sync_max_bytes),
        require_digest: section.word("require_digest", &DIGEST).unwrap_or(plain.require_digest),
        platforms: platforms(&mut section, faults),
        enforces_workloads: section.flag("enforce_workloads").unwrap_or(plain.enforces_workloads),
        break_glass: section.section("break_glass").and_then(|section| break_glass(section, faults)),
        ..plain
    };
    section.finish();
    judged_by(profile, &policy, faults, host)
}

fn platforms(section: &mut Section<'_>, faults: &Faults<'_>) -> Vec<Platform> {
    let read = |text: At<String>| {
        let platform = text.value.parse().ok();
        if platform.is_none() {
            faults.add(text.at, format!("'{}' is no platform; write linux/amd64 or linux/arm/v7", shown(&text.value)));
        }
        platform
    };
    section.texts("platforms").into_iter().filter_map(read).collect()
}

fn break_glass(mut section: Section<'_>, faults: &Faults<'_>) -> Option<BreakGlass> {
    let at = section.at;
    let annotation = section.text("annotation");
    let groups: Vec<String> = section.texts("groups").into_iter().map(|group| group.value).collect();
    let is_for_image_reviews = section.flag("image_reviews").unwrap_or_default();
    section.finish();
    if annotation.is_none() || groups.is_empty() {
        faults.add(at, "`annotation` and `groups` are both needed: the annotation alone proves nothing");
    }
    Some(BreakGlass { annotation: annotation?.value, groups, is_for_image_reviews })
}

/// The profile with its policy, a shipped one or a file next to the configuration.
fn judged_by(profile: Profile, policy: &At<String>, faults: &Faults<'_>, host: &Host) -> Profile {
    // as the policy room tells files from names
    let is_file = policy.value.contains('/') || Path::new(&policy.value).extension().is_some_and(|ending| ending == "toml");
    let name = if is_file { faults.path(&policy.value).to_string_lossy().into_owned() } else { policy.value.clone() };
    match (host.open_policy)(&name) {
        Ok(loaded) => {
            let policy_digest = key::policy_digest(&loaded.policy);
            Profile { policy_name: escape_text(&loaded.policy.name), policy: Arc::new(loaded.policy), policy_digest, ..profile }
        }
        Err(errors) => {
            for error in errors {
                faults.add(policy.at, format!("the policy is not in order: {}", escape_text(&error.to_string())));
            }
            profile
        }
    }
}
