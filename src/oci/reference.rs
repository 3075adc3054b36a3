//! The name of an image in a registry, read as the distribution project's grammar has it, and nothing looser.

use std::fmt;
use std::str::FromStr;

use super::{BlobDigest, escape_text};

/// Longest repository that the registries take.
const MAX_REPOSITORY: usize = 255;
/// Longest name that DNS takes.
const MAX_HOST: usize = 253;
const MAX_TAG: usize = 128;

/// `host[:port]/repository[:tag][@digest]`, complete: neither host nor repository is guessed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    host: String,
    repository: String,
    tag: Option<String>,
    digest: Option<BlobDigest>,
}

/// No reference, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct MalformedReference {
    /// One clause, escaped.
    pub reason: String,
}

impl Reference {
    /// The registry's name and port, in lower case; Docker's own is `docker.io`, whatever it was called.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The repository in the registry.
    #[must_use]
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag: the one written, `latest` when neither tag nor digest is; None when a digest alone names the image.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest, which counts more than the tag.
    #[must_use]
    pub fn digest(&self) -> Option<&BlobDigest> {
        self.digest.as_ref()
    }

    /// Whether `text` starts with the name of a registry, as a complete reference must: a first component that has a dot or
    /// a port, or is `localhost`.
    #[must_use]
    pub fn names_host(text: &str) -> bool {
        let first = text.split_once('/').map(|(first, _)| first);
        first.is_some_and(|first| first == "localhost" || first.contains(['.', ':']))
    }
}

impl FromStr for Reference {
    type Err = MalformedReference;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = |reason: String| Err(MalformedReference { reason });
        let shown = || escape_text(text).chars().take(300).collect::<String>();
        if !Self::names_host(text) {
            return wrong(format!("\"{}\" names no registry", shown()));
        }
        let (host, rest) = text.split_once('/').unwrap_or_default();
        if host.contains('@') {
            return wrong("a user or password does not belong into a reference".to_owned());
        }
        if !is_host(host) {
            return wrong(format!("\"{}\" is no name of a registry", escape_text(host)));
        }
        let (rest, digest) = match rest.split_once('@') {
            None => (rest, None),
            Some((rest, digest)) => match digest.parse::<BlobDigest>() {
                Ok(digest) => (rest, Some(digest)),
                Err(error) => return wrong(error.to_string()),
            },
        };
        let (repository, tag) = match rest.rsplit_once(':') {
            None => (rest, None),
            Some((repository, tag)) if is_tag(tag) => (repository, Some(tag.to_owned())),
            Some((_, tag)) => return wrong(format!("\"{}\" is no tag", escape_text(tag))),
        };
        let tag = tag.or_else(|| digest.is_none().then(|| "latest".to_owned()));
        let (host, repository) = completed(host, repository);
        if !is_repository(&repository) {
            let repository: String = escape_text(&repository).chars().take(300).collect();
            return wrong(format!("\"{repository}\" is no name of a repository: lower-case words between slashes"));
        }
        Ok(Self { host, repository, tag, digest })
    }
}

/// Docker's own registry goes by several names, and its official images have a folder that is not written.
fn completed(host: &str, repository: &str) -> (String, String) {
    let is_docker = matches!(host, "docker.io" | "index.docker.io" | "registry-1.docker.io");
    let is_official = is_docker && !repository.contains('/');
    let host = if is_docker { "docker.io".to_owned() } else { host.to_ascii_lowercase() };
    (host, if is_official { format!("library/{repository}") } else { repository.to_owned() })
}

/// Whether `text` is a host, with or without a port: a name, an IPv4 address, or an IPv6 address in brackets.
#[must_use]
pub fn is_host(text: &str) -> bool {
    let (name, port) = match text.strip_prefix('[').map(|rest| rest.split_once(']')) {
        Some(Some((address, ""))) => return address.parse::<std::net::Ipv6Addr>().is_ok(),
        Some(Some((address, port))) => match port.strip_prefix(':') {
            Some(port) => return address.parse::<std::net::Ipv6Addr>().is_ok() && is_port(port),
            None => return false,
        },
        Some(None) => return false,
        None => match text.split_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (text, None),
        },
    };
    let is_label = |label: &str| {
        let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !label.is_empty() && label.bytes().all(is_letter) && !label.starts_with('-') && !label.ends_with('-')
    };
    name.len() <= MAX_HOST && name.split('.').all(is_label) && port.is_none_or(is_port)
}

fn is_port(text: &str) -> bool {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number && text.parse::<u16>().is_ok_and(|port| port > 0)
}

/// Whether `text` is a tag: `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`.
#[must_use]
pub fn is_tag(text: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let is_inner = |byte: u8| is_word(byte) || matches!(byte, b'.' | b'-');
    text.len() <= MAX_TAG && text.bytes().next().is_some_and(is_word) && text.bytes().all(is_inner)
}

/// Whether `text` is a repository: components of lower-case words, joined by `.`, `_`, `__` or dashes.
#[must_use]
pub fn is_repository(text: &str) -> bool {
    text.len() <= MAX_REPOSITORY && text.split('/').all(is_component)
}

fn is_component(text: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let (Some(first), Some(last)) = (text.bytes().next(), text.bytes().next_back()) else { return false };
    let is_joint = |joint: &str| matches!(joint, "" | "." | "_" | "__") || joint.bytes().all(|byte| byte == b'-');
    is_word(first) && is_word(last) && text.split(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit()).all(is_joint)
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.host, self.repository)?;
        if let Some(tag) = self.tag() {
            write!(f, ":{tag}")?;
        }
        match &self.digest {
            Some(digest) => write!(f, "@{digest}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Reference {
        text.parse().unwrap()
    }

    #[test]
    fn references_are_taken_apart() {
        let digest = format!("sha256:{}", "0a".repeat(32));
        let reference = parsed(&format!("registry.example:5000/shop/cart_v2/x--y:1.4@{digest}"));
        assert_eq!((reference.host(), reference.repository()), ("registry.example:5000", "shop/cart_v2/x--y"));
        assert_eq!((reference.tag(), reference.digest().unwrap().to_string()), (Some("1.4"), digest.clone()));
        assert_eq!(parsed("localhost/a").tag(), Some("latest"));
        assert_eq!(parsed(&format!("r.example/a@{digest}")).tag(), None);
        assert_eq!(parsed("[::1]:5000/a").host(), "[::1]:5000");
        let sha512 = format!("r.example/a@sha512:{}", "0".repeat(128));
        assert_eq!(parsed(&sha512).to_string(), sha512);
    }

    #[test]
    fn dockers_own_registry_is_completed() {
        for text in ["docker.io/debian:13", "index.docker.io/library/debian:13", "registry-1.docker.io/debian:13"] {
            assert_eq!(parsed(text).to_string(), "docker.io/library/debian:13");
        }
        assert_eq!(parsed("docker.io/org/app").to_string(), "docker.io/org/app:latest");
    }

    #[test]
    fn what_is_no_complete_reference_is_refused() {
        let long = format!("r.example/{}", "a".repeat(256));
        let tag = format!("r.example/a:{}", "t".repeat(129));
        for text in [
            "",
            "debian:13",
            "library/debian",
            "r.example",
            "r.example/",
            "r.example/A",
            "r.example/a//b",
            "r.example/a/",
            "r.example/-a",
            "r.example/a..b",
            "r.example/a___b",
            "r.example/a:",
            "r.example/a:.x",
            "r.example/a@sha256:00",
            "r.example/a@md5:00",
            "../x.y/z",
            "./a/b",
            "-r.example/a",
            "r..example/a",
            "r.example:0/a",
            "r.example:99999/a",
            "r.example:/a",
            "user:pass@r.example/a",
            "user@r.example/a",
            "[::1/a",
            "[::g]:5/a",
            "[::1]x/a",
            "r.example/a b",
            "r.example/a\n",
            "r.exa\u{301}mple/a",
            "https://r.example/a",
            "r.example/a?x=1",
            "r.example/a#x",
            "r.example/%61",
            &long,
            &tag,
        ] {
            assert!(text.parse::<Reference>().is_err(), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics_and_what_is_taken_reads_back_as_itself(text in "[a-z0-9.:/@_-]{0,40}|localhost/[a-z0-9._:-]{0,20}|\\PC{0,30}") {
            if let Ok(reference) = text.parse::<Reference>() {
                proptest::prop_assert_eq!(reference.to_string().parse::<Reference>().unwrap(), reference.clone());
                proptest::prop_assert!(reference.repository().bytes().all(|byte| byte.is_ascii_graphic()));
            }
        }
    }
}
