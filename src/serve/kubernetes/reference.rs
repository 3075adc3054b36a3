//! Names of images as container runtimes read them, where that differs from a complete reference: `nginx` is
//! `docker.io/library/nginx:latest`.

use crate::oci::{self, escape_text};
use crate::serve::verdict::Subject;

/// Whose names need not be complete.
const HOST: &str = "docker.io";
/// Longest name that is looked at: a host, a repository, a tag and a digest.
const MOST_BYTES: usize = 1_024;
/// Letters of a name that a message shows.
const SHOWN: usize = 100;

/// An image in a registry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Reference(oci::Reference);

impl Reference {
    /// Reads a name; Err is a clause.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("the name is empty".to_owned());
        }
        if text.len() > MOST_BYTES {
            return Err("the name is too long".to_owned());
        }
        if is_id(text) {
            return Err("it is the id of an image on a node, and names none in a registry".to_owned());
        }
        let whole = if oci::Reference::names_host(text) { text.to_owned() } else { format!("{HOST}/{text}") };
        whole.parse().map(Self).map_err(|error: oci::MalformedReference| error.reason)
    }

    /// `host/repository`.
    pub(super) fn repository(&self) -> String {
        format!("{}/{}", self.0.host(), self.0.repository())
    }

    /// Whether the name says which bytes it means.
    pub(super) fn has_digest(&self) -> bool {
        self.0.digest().is_some()
    }

    /// What names the manifest.
    pub(super) fn subject(&self) -> Subject {
        Subject::of(&self.0)
    }

    /// The same for all names of one manifest.
    pub(super) fn whole(&self) -> String {
        let joint = if self.has_digest() { '@' } else { ':' };
        format!("{}{joint}{}", self.repository(), self.subject())
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
