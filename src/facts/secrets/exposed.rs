//! Secrets in the image's config: variables, build arguments, instructions, labels. The config travels with the image, in the clear.

use std::collections::BTreeSet;

use crate::build::{arguments, tidy};
use crate::oci::ImageConfig;
use crate::secret::{Kind, Secret, assigned, is_placeholder, is_secret_name, tokens};

/// Secrets of one config that are kept.
const MOST: usize = 1_000;
/// Characters that the credentials of a header have at least.
const LEAST_HEADER: usize = 8;

/// Where the config tells a secret.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ExposedIn {
    /// `config.Env`: the variable.
    Environment(String),
    /// An instruction of the history: its index.
    Instruction(usize),
    /// An argument of a build, in the history: its index.
    Argument(usize),
    /// `config.Labels`: the label.
    Label(String),
}

/// A secret in the config.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exposed {
    /// Where.
    pub place: ExposedIn,
    /// What, with its name where it has one.
    pub secret: Secret,
}

/// A secret with its value, which does not leave this file but to be masked.
struct Told {
    place: ExposedIn,
    kind: Kind,
    name: String,
    value: String,
}

/// All secrets of a config, at most a thousand of its labels and of the rest, in the order: environment, history, labels.
pub(super) fn exposed(config: &ImageConfig) -> Vec<Exposed> {
    let exposed = |told: Told| {
        let secret = Secret::new(told.kind, 0, told.value.as_bytes());
        Exposed { place: told.place, secret: if told.name.is_empty() { secret } else { secret.called(told.name.as_bytes()) } }
    };
    told(config).into_iter().map(exposed).collect()
}

/// The values of a config's secrets, so that they can be masked wherever they stand: never to be printed or kept.
#[must_use]
pub fn exposed_values(config: &ImageConfig) -> Vec<String> {
    let values: BTreeSet<String> = told(config).into_iter().map(|told| told.value).collect();
    let mut values: Vec<String> = values.into_iter().collect();
    // a value that is a part of another is masked after it
    values.sort_by_key(|value| std::cmp::Reverse(value.len()));
    values
}

fn told(config: &ImageConfig) -> Vec<Told> {
    let mut all = Vec::new();
    for entry in &config.runtime.env {
        let (name, value) = entry.split_once('=').unwrap_or((entry, ""));
        all.extend(of_pair(&ExposedIn::Environment(name.to_owned()), name, value));
    }
    let mut labels = Vec::new();
    for (name, value) in &config.runtime.labels {
        labels.extend(of_pair(&ExposedIn::Label(name.clone()), name, value));
    }
    // what the environment and the labels tell is said there, and not of the instructions that set them
    let said: BTreeSet<(String, String)> = all
        .iter()
        .chain(&labels)
        .flat_map(|told: &Told| [told.name.as_str(), ""].map(|name| (name.to_owned(), told.value.clone())))
        .collect();
    for (index, entry) in config.history.iter().enumerate() {
        let mut here = Vec::new();
        for (name, value) in arguments(&entry.created_by) {
            here.extend(of_pair(&ExposedIn::Argument(index), name, value));
        }
        if let Some(text) = tidy(&entry.created_by) {
            here.extend(of_text(&ExposedIn::Instruction(index), &text));
        }
        here.retain(|told| !said.contains(&(told.name.clone(), told.value.clone())));
        all.extend(here);
        if all.len() >= MOST {
            break;
        }
    }
    all.truncate(MOST);
    all.extend(labels.into_iter().take(MOST));
    all
}

/// What `name` is given: a token of a known format, a secret by its name, or a password in a URL.
fn of_pair(place: &ExposedIn, name: &str, value: &str) -> Vec<Told> {
    let told = |kind, value: &str| Told { place: place.clone(), kind, name: name.to_owned(), value: value.to_owned() };
    let hit = tokens(value.as_bytes()).into_iter().next();
    if let Some((kind, token)) = hit.and_then(|hit| Some((hit.kind, value.get(hit.range)?))) {
        return vec![told(kind, token)];
    }
    if is_secret_name(name) && !is_placeholder(value) {
        return vec![told(Kind::NamedSecret, value.trim_matches(['"', '\'']))];
    }
    let in_urls = assigned(value).into_iter().filter(|one| one.name.is_none());
    let values = in_urls.filter_map(|one| value.get(one.value)).filter(|value| !is_placeholder(value));
    values.map(|value| told(Kind::UrlPassword, value)).take(1).collect()
}

/// What an instruction tells: tokens, and values that are given to names.
fn of_text(place: &ExposedIn, text: &str) -> Vec<Told> {
    let told =
        |kind, name: &str, value: &str| Told { place: place.clone(), kind, name: name.to_owned(), value: value.to_owned() };
    let hits = tokens(text.as_bytes());
    let mut found: Vec<Told> = hits.iter().filter_map(|hit| Some(told(hit.kind, "", text.get(hit.range.clone())?))).collect();
    // the first token that does not end before the value is the only one that can reach into it
    let is_told = |value: &std::ops::Range<usize>| {
        let next = hits.partition_point(|hit| hit.range.end <= value.start);
        hits.get(next).is_some_and(|hit| hit.range.start < value.end)
    };
    for one in assigned(text).into_iter().filter(|one| !is_told(&one.value)) {
        let value = text.get(one.value).unwrap_or_default();
        let name = one.name.and_then(|name| text.get(name)).unwrap_or_default();
        let is_header = name.eq_ignore_ascii_case("authorization");
        let value = if is_header { value.rsplit(' ').next().unwrap_or_default() } else { value };
        let is_named = is_secret_name(name) || (is_header && value.len() >= LEAST_HEADER);
        let is_secret = name.is_empty() || (is_named && !is_version(value) && !is_code(value));
        if is_secret && !is_placeholder(value) {
            let kind = if name.is_empty() { Kind::UrlPassword } else { Kind::NamedSecret };
            found.push(told(kind, name, value));
        }
    }
    found
}

/// `passwd=1:4.13+dfsg1-1` of a package's version, and `=1.7` of one in Python.
fn is_version(value: &str) -> bool {
    let value = value.trim_start_matches(['=', '~', '>', '<', '^']);
    value.starts_with(|c: char| c.is_ascii_digit())
        && value.contains(['.', ':', '*'])
        && value.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || ".:+~-*".contains(c))
}

/// A pattern or an expression of the shell, not a value.
fn is_code(value: &str) -> bool {
    value.contains(['$', '`', '\\', '*', '(', ')', '|', '<', '>']) || value.starts_with(['/', '.', '%', ','])
}
