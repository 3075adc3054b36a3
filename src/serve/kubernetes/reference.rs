//! Names of images as container runtimes read them: `nginx` is `docker.io/library/nginx:latest`.

use crate::oci::{Digest, escape_text};
use crate::serve::verdict::Subject;

const HOST: &str = "docker.io";
const OLD_HOST: &str = "index.docker.io";
const OFFICIAL: &str = "library";
/// Longest name that is looked at: 255 of the repository, 128 of the tag, and a digest.
const MOST_BYTES: usize = 1_024;
/// The longest repository with its host.
const MOST_REPOSITORY_BYTES: usize = 255;
const MOST_TAG_BYTES: usize = 128;
/// Letters of a name that a message shows.
const SHOWN: usize = 100;

/// An image in a registry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Reference {
    /// `host/repository`.
    pub(super) repository: String,
    pub(super) tag: Option<String>,
    /// Counts more than the tag.
    pub(super) digest: Option<String>,
}

impl Reference {
    /// Reads a name; Err is a clause.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        if text.is_empty() {
            return Err("the name is empty");
        }
        if text.len() > MOST_BYTES {
            return Err("the name is too long");
        }
        if is_id(text) {
            return Err("it is the id of an image on a node, and names none in a registry");
        }
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => (name, Some(digest.parse::<Digest>().map_err(|_| "the digest is malformed")?.to_string())),
            None => (text, None),
        };
        let (host, rest) = host_of(name)?;
        let (path, tag) = match rest.rsplit_once(':') {
            Some((path, tag)) => (path, Some(tag)),
            None => (rest, None),
        };
        if tag.is_some_and(|tag| !is_tag(tag)) {
            return Err("the tag is malformed");
        }
        if !is_host(&host) || !path.split('/').all(is_component) {
            return Err("registry and repository are lower-case words between slashes");
        }
        let official = if host == HOST && !path.contains('/') { format!("{OFFICIAL}/") } else { String::new() };
        let repository = format!("{host}/{official}{path}");
        if repository.len() > MOST_REPOSITORY_BYTES {
            return Err("the name is too long");
        }
        Ok(Self { repository, tag: tag.map(str::to_owned), digest })
    }

    /// What names the manifest.
    pub(super) fn subject(&self) -> Subject {
        match (&self.digest, &self.tag) {
            (Some(digest), _) => Subject::Digest(digest.clone()),
            (None, tag) => Subject::Tag(tag.clone().unwrap_or_else(|| "latest".to_owned())),
        }
    }

    /// The same for all names of one manifest.
    pub(super) fn whole(&self) -> String {
        match self.subject() {
            Subject::Digest(digest) => format!("{}@{digest}", self.repository),
            tag => format!("{}:{tag}", self.repository),
        }
    }
}

/// A name as a message shows it.
pub(super) fn shown(text: &str) -> String {
    let cut: String = text.chars().take(SHOWN).collect();
    let rest = if cut.len() < text.len() { "..." } else { "" };
    format!("{}{rest}", escape_text(&cut))
}

/// Runtimes look such a name up among the images that a node has already.
fn is_id(text: &str) -> bool {
    let hex = text.strip_prefix("sha256:").unwrap_or(text);
    hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The registry, and what follows it.
fn host_of(name: &str) -> Result<(String, &str), &'static str> {
    let Some((first, rest)) = name.split_once('/') else { return Ok((HOST.to_owned(), name)) };
    let is_upper = first.bytes().any(|byte| byte.is_ascii_uppercase());
    if first != "localhost" && !first.contains(['.', ':']) {
        // some runtimes take this for a host, others for a malformed repository
        return if is_upper {
            Err("registry and repository are lower-case words between slashes")
        } else {
            Ok((HOST.to_owned(), name))
        };
    }
    let host = first.to_ascii_lowercase();
    Ok((if host == OLD_HOST { HOST.to_owned() } else { host }, rest))
}

/// A DNS name or an address, and maybe a port.
fn is_host(host: &str) -> bool {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, Some(port)),
        _ => (host, None),
    };
    let is_port = |port: &str| !port.is_empty() && port.len() <= 5 && port.bytes().all(|byte| byte.is_ascii_digit());
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_label = |label: &str| {
        !label.is_empty() && !label.starts_with('-') && !label.ends_with('-') && label.bytes().all(|b| is_word(b) || b == b'-')
    };
    let is_name = match name.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => name.split('.').all(is_label),
    };
    is_name && port.is_none_or(is_port)
}

/// Lower-case letters and digits, joined by one `.`, one or two `_`, or any number of `-`.
fn is_component(text: &str) -> bool {
    let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let is_joint = |joint: &str| matches!(joint, "" | "." | "_" | "__") || joint.bytes().all(|byte| byte == b'-');
    text.starts_with(is_word) && text.ends_with(is_word) && text.split(is_word).all(is_joint)
}

fn is_tag(text: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    !text.is_empty() && text.len() <= MOST_TAG_BYTES && !text.starts_with(['.', '-']) && text.bytes().all(is_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_are_what_a_runtime_makes_of_them() {
        let digest = format!("sha256:{}", "0a".repeat(32));
        for (text, expected) in [
            ("nginx", "docker.io/library/nginx:latest"),
            ("nginx:1.25", "docker.io/library/nginx:1.25"),
            ("bitnami/nginx", "docker.io/bitnami/nginx:latest"),
            ("docker.io/nginx", "docker.io/library/nginx:latest"),
            ("index.docker.io/nginx", "docker.io/library/nginx:latest"),
            ("index.docker.io/a/b:1", "docker.io/a/b:1"),
            ("localhost/a", "localhost/a:latest"),
            ("localhost:5000/a:1", "localhost:5000/a:1"),
            ("registry.example/a/b/c", "registry.example/a/b/c:latest"),
            ("Registry.Example:443/a", "registry.example:443/a:latest"),
            ("[::1]:5000/a:1", "[::1]:5000/a:1"),
            ("a__b/c--d.e_f", "docker.io/a__b/c--d.e_f:latest"),
            (&format!("nginx:1@{digest}"), &format!("docker.io/library/nginx@{digest}")),
            (&format!("r.example/a@{digest}"), &format!("r.example/a@{digest}")),
        ] {
            assert_eq!(Reference::parse(text).unwrap().whole(), expected, "{text}");
        }
    }

    #[test]
    fn what_names_no_image_is_refused() {
        let id = "0a".repeat(32);
        let long = format!("r.example/{}", "a/".repeat(200) + "a");
        for bad in [
            "",
            " ",
            "nginx ",
            " nginx",
            "NGINX",
            "Foo/bar",
            "r.example/",
            "r.example/A",
            "r.example/a//b",
            "/a",
            "a/",
            "a:",
            "a:b:c",
            "a@",
            "a@sha256:00",
            "a@b@c",
            "user@r.example/a",
            "https://r.example/a",
            "a b",
            "a?x",
            "../a",
            "r.example/../a",
            "r..example/a",
            "r.example:port/a",
            "r.example:/a",
            "-r.example/a",
            "a...b",
            "a.-b",
            "a___b",
            "a\n",
            "a\u{202e}b",
            "[::1/a",
            "r.example/a:.x",
            "r.example/a:-x",
            "😀",
            "a:😀",
            &id,
            &format!("sha256:{id}"),
            &id.to_uppercase(),
            &long,
            &"a".repeat(5_000),
            &format!("a:{}", "b".repeat(129)),
        ] {
            assert!(Reference::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_name_is_shown_without_what_a_terminal_would_obey() {
        assert_eq!(shown("a\u{1b}[2Jb"), "a\\x1b[2Jb");
        assert_eq!(shown(&"x".repeat(200)).len(), 103);
    }
}
