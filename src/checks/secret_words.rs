//! Secrets in the words of messages, and what the checks of files with secrets have in common.

use super::{evidence, wording};
use crate::facts::{Image, SecretFile, Standing};
use crate::finding::{Evidence, Observation, Severity};
use crate::oci::{escape, escape_text};
use crate::secret::{Group, Kind, Secret};

/// How many secrets a message describes before it only counts.
const DESCRIBED: usize = 3;

/// One secret: what it is, its first characters and its length; never its value.
pub(super) fn phrase(secret: &Secret) -> String {
    let what = match (&secret.name, secret.kind) {
        (Some(name), Kind::NamedSecret) => format!("a value of {}", escape_text(name)),
        _ => secret.kind.label().to_owned(),
    };
    let what = if secret.is_encrypted { format!("{what}, protected by a passphrase") } else { what };
    let line = if secret.line > 0 { format!("line {}", secret.line) } else { String::new() };
    let length = if secret.kind.group() == Group::Key { String::new() } else { masked(secret) };
    let details: Vec<String> = [length, line].into_iter().filter(|detail| !detail.is_empty()).collect();
    if details.is_empty() { what } else { format!("{what} ({})", details.join(", ")) }
}

/// A value as its first characters and its length.
pub(super) fn masked(secret: &Secret) -> String {
    let length = wording::counted(u64::from(secret.length), "character");
    if secret.preview.is_empty() { length } else { format!("{}..., {length}", escape_text(&secret.preview)) }
}

/// Several secrets: the first few, and how many more there are.
pub(super) fn phrases<'a>(secrets: impl Iterator<Item = &'a Secret>, more: u32) -> String {
    let all: Vec<String> = secrets.map(phrase).collect();
    let shown: Vec<&str> = all.iter().take(DESCRIBED).map(String::as_str).collect();
    match wording::count(all.len().saturating_sub(DESCRIBED)).saturating_add(u64::from(more)) {
        0 => shown.join(", "),
        rest => format!("{} and {rest} more", shown.join(", ")),
    }
}

/// The files that hold secrets of `group`, one observation each: those that a published package brought are left out, and those in
/// folders of tests are `medium`. `severity` is for the other files, by their secrets.
pub(super) fn files(image: &Image, group: Group, severity: fn(&[&Secret]) -> Option<Severity>) -> Vec<Observation> {
    let own = image.secrets.files.iter().filter(|file| file.standing != Standing::Published);
    own.filter_map(|file| observe(image, file, group, severity)).collect()
}

fn observe(image: &Image, file: &SecretFile, group: Group, severity: fn(&[&Secret]) -> Option<Severity>) -> Option<Observation> {
    // browsers of distributions come with a key for everybody, among their settings
    let is_published = |secret: &Secret| file.is_owned && secret.kind == Kind::GoogleApiKey;
    let is_meant = |secret: &&Secret| secret.kind.group() == group && !is_published(secret);
    let found: Vec<&Secret> = file.secrets().found.iter().filter(is_meant).collect();
    let (path, _) = file.names.first().filter(|_| !found.is_empty())?;
    let is_test = file.standing == Standing::Test;
    let place = if is_test { ", in a folder or file for tests or examples" } else { "" };
    let message = format!("{} holds {}{place}", escape(path), phrases(found.iter().copied(), file.secrets().more));
    let severity = if is_test { Some(Severity::Medium) } else { severity(&found) };
    let evidence = file.names.iter().enumerate().map(|(number, (path, node))| {
        let one = evidence::of_node(image, path.clone(), *node);
        Evidence { bytes: if number == 0 { one.bytes } else { 0 }, ..one }
    });
    Some(Observation {
        severity,
        subject: wording::path_key(path),
        message,
        evidence: evidence.collect(),
        ..Observation::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_phrase_tells_more_than_four_characters() {
        let secret = Secret::new(Kind::GithubToken, 3, b"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");
        assert_eq!(phrase(&secret), "a GitHub token (ghp_..., 40 characters, line 3)");
        let named = Secret::new(Kind::NamedSecret, 1, b"hunter2").called(b"DB_PASSWORD");
        assert_eq!(phrase(&named), "a value of DB_PASSWORD (7 characters, line 1)");
        let mut key = Secret::new(Kind::RsaKey, 1, b"-----BEGIN");
        key.is_encrypted = true;
        assert_eq!(phrase(&key), "an RSA private key, protected by a passphrase (line 1)");
        let many = [&secret; 5];
        assert!(phrases(many.into_iter(), 7).ends_with(" and 9 more"));
    }
}
