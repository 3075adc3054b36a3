//! `secret-token`: a token of a known format stands in a small text file.

use super::{Check, Family, Reference, secret_words};
use crate::facts::Image;
use crate::finding::{Observation, Severity};
use crate::secret::Group;

/// The check.
pub(super) static CHECK: Check = Check {
    id: "secret-token",
    title: "A token of a known service is in the image",
    family: Family::Secrets,
    severity: Severity::High,
    what: "A text file of at most 1 MiB (`--limit secret-file-bytes`) holds a token of a known format: of AWS, Google Cloud, Azure, \
           GitHub, GitLab, Slack, Stripe, npm, PyPI, Docker Hub, Vault and others, or a signed JSON web token. Lengths, alphabets and \
           checksums must be right, an AWS identifier must have its secret beside it, and the examples of the vendors' documents do \
           not count, nor does what packages publish with their tests and examples. In a folder of the image's own tests it is \
           `medium`.",
    why: "Whoever can pull the image can use the token as its owner does, until it is revoked.",
    fix: "Revoke the token, and give a new one to the container when it runs, or to the build as a secret mount.",
    example: "RUN --mount=type=secret,id=github_token GITHUB_TOKEN=$(cat /run/secrets/github_token) ./fetch.sh\n",
    references: &[
        Reference { name: "CIS Docker 4.10", url: "https://www.cisecurity.org/benchmark/docker" },
        Reference { name: "NIST SP 800-190 4.1.4", url: "https://doi.org/10.6028/NIST.SP.800-190" },
        Reference { name: "CWE-798", url: "https://cwe.mitre.org/data/definitions/798.html" },
    ],
    since: "0.1.0",
    run,
};

fn run(image: &Image) -> Vec<Observation> {
    secret_words::files(image, Group::Token, |_| None)
}

#[cfg(test)]
mod tests {
    use super::super::testing::Builder;
    use super::*;
    use crate::secret::testing::{ALPHANUMERIC, checksummed, noise};

    #[test]
    fn fires_on_a_file_once_with_all_its_tokens() {
        let text = format!("a = '{}'\nb = '{}'\n", checksummed("ghp_", 1), checksummed("npm_", 2));
        let seen = Builder::default().searched("/app/settings.py", &text).run(&CHECK);
        assert_eq!(seen.len(), 1);
        let expected = "/app/settings.py holds a GitHub token (ghp_..., 40 characters, line 1), \
                        an npm token (npm_..., 40 characters, line 2)";
        assert_eq!(seen[0].message, expected);
    }

    #[test]
    fn fires_less_in_own_tests() {
        let seen = Builder::default().searched("/app/tests/x.py", &checksummed("ghp_", 1)).run(&CHECK);
        assert_eq!(seen[0].severity, Some(Severity::Medium));
    }

    #[test]
    fn is_silent_on_wrong_checksums_examples_and_published_packages() {
        let mut builder = Builder::default();
        builder.searched("/app/a", &format!("ghp_{}", noise(ALPHANUMERIC, 36, 1)));
        builder.searched("/app/b", "AKIAIOSFODNN7EXAMPLE wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
        builder.searched("/app/node_modules/x/README.md", &checksummed("ghp_", 1));
        assert!(builder.run(&CHECK).is_empty());
    }

    #[test]
    fn is_silent_where_a_file_of_credentials_is_told_of() {
        let text = format!("GITHUB_TOKEN={}\n", checksummed("ghp_", 1));
        assert!(Builder::default().searched("/app/.env", &text).run(&CHECK).is_empty());
    }
}
