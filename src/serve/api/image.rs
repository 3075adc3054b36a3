//! `image` of a request: which repository, and which manifest in it.

use crate::oci::{Digest, escape_text};
use crate::serve::verdict::Subject;

/// Longest name that is looked at.
const MOST_BYTES: usize = 1_024;
const MOST_TAG_BYTES: usize = 128;

/// `host/repository` and what names the manifest, of `host/repository[:tag][@digest]`; a digest counts more than a tag. Err is a
/// sentence.
pub(super) fn parse(text: &str) -> Result<(String, Subject), String> {
    let wrong = |why: &str| format!("'{}' is no image: {why}", escape_text(&text.chars().take(200).collect::<String>()));
    if text.len() > MOST_BYTES {
        return Err(wrong("the name is too long"));
    }
    let (name, digest) = match text.split_once('@') {
        Some((name, digest)) => (name, Some(digest.parse::<Digest>().map_err(|error| wrong(&error.to_string()))?)),
        None => (text, None),
    };
    let Some((host, rest)) = name.split_once('/').filter(|(host, _)| *host == "localhost" || host.contains(['.', ':'])) else {
        return Err(wrong("write the registry too, such as registry.example/shop:1.4 or docker.io/library/debian:13"));
    };
    let (path, tag) = match rest.rsplit_once(':') {
        Some((path, tag)) => (path, Some(tag)),
        None => (rest, None),
    };
    let is_host = host.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-:[]".contains(&byte));
    if !is_host || !path.split('/').all(is_component) {
        return Err(wrong("registry and repository are lower-case words between slashes"));
    }
    if tag.is_some_and(|tag| !is_tag(tag)) {
        return Err(wrong("the tag is malformed"));
    }
    let subject = match digest {
        Some(digest) => Subject::Digest(digest.to_string()),
        None => Subject::Tag(tag.unwrap_or("latest").to_owned()),
    };
    Ok((format!("{host}/{path}"), subject))
}

/// Lower-case letters and digits, joined by `.`, `_` or `-`.
fn is_component(text: &str) -> bool {
    let is_word = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = text.as_bytes();
    bytes.first().is_some_and(is_word)
        && bytes.last().is_some_and(is_word)
        && bytes.iter().all(|byte| is_word(byte) || b"._-".contains(byte))
}

fn is_tag(text: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    !text.is_empty() && text.len() <= MOST_TAG_BYTES && !text.starts_with(['.', '-']) && text.bytes().all(is_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_counts_more_than_a_tag() {
        let digest = format!("sha256:{}", "0a".repeat(32));
        let of = |text: &str| parse(text).map(|(repository, subject)| (repository, subject.to_string())).unwrap();
        assert_eq!(of("registry.example:5000/shop/cart:1.4"), ("registry.example:5000/shop/cart".into(), "1.4".into()));
        assert_eq!(of(&format!("localhost/a:1@{digest}")), ("localhost/a".into(), digest.clone()));
        assert_eq!(of("r.example/a").1, "latest");
    }

    #[test]
    fn what_is_no_image_is_refused() {
        let long = format!("r.example/{}", "a".repeat(2_000));
        for bad in [
            "",
            "debian:13",
            "r.example/",
            "r.example/A",
            "r.example/a//b",
            "r.example/a:",
            "r.example/a@sha256:00",
            "user@r.example/a",
            "https://r.example/a",
            "r.example/a b",
            "r.example/a?x",
            "r.example/../a",
            "R.example/a",
            &long,
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
