//! `[[match]]`: which request gets which profile.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::reader::{At, Faults, Section, shown};
use super::{Match, Profile};
use crate::policy::glob;
use crate::serve::decision::Hook;

/// Every hook that a match may name.
const HOOKS: [Hook; 4] = [Hook::Gate, Hook::Kubernetes, Hook::ImageReview, Hook::Api];

pub(super) fn matches(root: &mut Section<'_>, faults: &Faults<'_>, profiles: &BTreeMap<String, Arc<Profile>>) -> Vec<Match> {
    root.sections("match").into_iter().filter_map(|section| one(section, faults, profiles)).collect()
}

fn one(mut section: Section<'_>, faults: &Faults<'_>, profiles: &BTreeMap<String, Arc<Profile>>) -> Option<Match> {
    let at = section.at;
    let hooks = section.texts("hooks");
    let hooks = hooks.into_iter().filter_map(|word| hook(&word, &section)).collect();
    let namespaces = globs(section.texts("namespaces"), faults);
    let repositories = globs(section.texts("repositories"), faults);
    let profile = section.text("profile");
    match &profile {
        None => faults.add(at, "`profile` is missing here: the name of a [profiles.NAME]"),
        Some(name) if !profiles.contains_key(&name.value) => {
            let names: Vec<&str> = profiles.keys().map(String::as_str).collect();
            section.unknown(name.at, "profile", &name.value, &names, "the profiles here are");
        }
        Some(_) => {}
    }
    section.finish();
    Some(Match { hooks, namespaces, repositories, profile: profile?.value })
}

fn hook(word: &At<String>, section: &Section<'_>) -> Option<Hook> {
    let found = HOOKS.into_iter().find(|hook| hook.as_str() == word.value);
    if found.is_none() {
        section.unknown(word.at, "hook", &word.value, &HOOKS.map(Hook::as_str), "the hooks are");
    }
    found
}

fn globs(globs: Vec<At<String>>, faults: &Faults<'_>) -> Vec<String> {
    for one in &globs {
        if let Err(problem) = glob::check(&one.value) {
            faults.add(one.at, format!("'{}' is not a glob: {problem}", shown(&one.value)));
        }
    }
    globs.into_iter().map(|glob| glob.value).collect()
}
