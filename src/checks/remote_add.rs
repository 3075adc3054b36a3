//! `remote-add`: an instruction fetched a file from the network.

use super::{Check, Family, Reference};
use crate::build::{redact, tidy};
use crate::facts::Image;
use crate::finding::{Evidence, Observation, Severity};
use crate::oci::escape_text;

/// Addresses of one instruction that are looked at.
const MOST_SOURCES: usize = 64;

/// The check.
pub(super) static CHECK: Check = Check {
    id: "remote-add",
    title: "ADD fetched from an address",
    family: Family::Config,
    severity: Severity::Medium,
    what: "The image's history shows an `ADD` of an `http`, `https` or `ftp` address, or of a Git repository that is not pinned to a \
           commit. History is what the builder wrote, and does not tell whether `--checksum` was given: where it was, waive the finding.",
    why: "What the address answers decides what is in the image. Without a checksum it can change between two builds, and nobody sees.",
    fix: "Give ADD a checksum, pin Git repositories to a commit, or fetch and verify the file in a build stage.",
    example: "ADD --checksum=sha256:<digest> https://example.com/tool-1.2.tar.gz /opt/\nADD https://github.com/example/tool.git#<commit> /src\n",
    references: &[
        Reference { name: "CIS Docker 4.9", url: "https://www.cisecurity.org/benchmark/docker" },
        Reference { name: "Dockerfile: ADD --checksum", url: "https://docs.docker.com/reference/dockerfile/#add---checksum" },
        Reference { name: "CWE-494", url: "https://cwe.mitre.org/data/definitions/494.html" },
    ],
    since: "0.1.0",
    run,
};

fn run(image: &Image) -> Vec<Observation> {
    let mut seen: Vec<Observation> = Vec::new();
    for (number, entry) in image.config.history.iter().enumerate() {
        let Some(instruction) = tidy(&entry.created_by) else { continue };
        let mut words = instruction.split(' ');
        if !words.next().is_some_and(|word| word.eq_ignore_ascii_case("ADD")) {
            continue;
        }
        let layer = image.steps.iter().position(|step| step.history == Some(number));
        for address in words.map(bare).filter(|word| is_remote(word)).take(MOST_SOURCES) {
            let subject = redact(address);
            let evidence = Evidence { layer, history: Some(number), ..Evidence::default() };
            if let Some(known) = seen.iter_mut().find(|one| one.subject == subject) {
                known.evidence.push(evidence);
            } else {
                let message =
                    format!("ADD fetched {}; the history does not tell whether a checksum was given", escape_text(&subject));
                seen.push(Observation { subject, message, evidence: vec![evidence], ..Observation::default() });
            }
        }
    }
    seen
}

/// A word without the signs of the JSON form.
fn bare(word: &str) -> &str {
    word.trim_matches(['[', ']', '"', ',', '\''])
}

fn is_remote(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    let is_git = lower.starts_with("git@") || lower.starts_with("git://") || lower.starts_with("ssh://");
    if is_git
        || lower.split(['#', '?']).next().and_then(|path| path.rsplit_once('.')).is_some_and(|(_, ending)| ending == "git")
            && lower.contains("://")
    {
        return !is_pinned(word);
    }
    ["http://", "https://", "ftp://"].iter().any(|scheme| lower.starts_with(scheme) && lower.len() > scheme.len())
}

/// `#COMMIT` or `#COMMIT:FOLDER`.
fn is_pinned(address: &str) -> bool {
    let commit = address.split_once('#').map(|(_, fragment)| fragment.split(':').next().unwrap_or_default());
    commit.is_some_and(|commit| matches!(commit.len(), 40 | 64) && commit.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::super::testing::Builder;
    use super::*;
    use crate::oci::History;

    fn seen(lines: &[&str]) -> Vec<Observation> {
        let history = |line: &&str| History { created_by: (*line).to_owned(), ..History::default() };
        Builder::default().run_with(&CHECK, |image| image.config.history = lines.iter().map(history).collect())
    }

    #[test]
    fn fires_on_addresses_of_every_builder() {
        for line in [
            "ADD https://example.com/x.tar.gz /opt/ # buildkit",
            "/bin/sh -c #(nop) ADD https://example.com/x /opt ",
            "ADD --chown=1:1 http://example.com/x /opt",
            "ADD [\"https://example.com/x\", \"/opt\"]",
            "ADD https://github.com/a/b.git#main /src",
            "ADD git@github.com:a/b.git /src",
        ] {
            assert_eq!(seen(&[line]).len(), 1, "{line}");
        }
    }

    #[test]
    fn fires_once_an_address_and_shows_no_password() {
        let found = seen(&["RUN x", "ADD https://u:secret1@example.com/x /a", "ADD https://u:secret1@example.com/x /b"]);
        assert_eq!((found.len(), found[0].evidence.len(), found[0].evidence[0].layer), (1, 2, Some(0)));
        assert!(!format!("{found:?}").contains("secret1"));
    }

    #[test]
    fn is_silent_on_files_and_pinned_repositories() {
        let commit = "0123456789abcdef0123456789abcdef01234567";
        let pinned = format!("ADD https://github.com/a/b.git#{commit}:src /src");
        for line in [
            "/bin/sh -c #(nop) ADD file:5f53fa4c80d65eb1d3 in / ",
            "ADD rootfs.tar.xz / # buildkit",
            "RUN /bin/sh -c curl -O https://example.com/x # buildkit",
            "RUN echo ADD https://example.com/x",
            "COPY https://example.com/x /x",
            "ENV ADD=https://example.com",
            "ADD https.txt /x",
            pinned.as_str(),
        ] {
            assert!(seen(&[line]).is_empty(), "{line}");
        }
    }
}
