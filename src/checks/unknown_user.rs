//! `unknown-user`: the container will not start as the configured user.

use super::{Check, Family, Reference};
use crate::facts::{Image, UserProblem};
use crate::finding::{Evidence, Observation, Severity};
use crate::oci::{Code, escape_text};

/// The check.
pub(super) static CHECK: Check = Check {
    id: "unknown-user",
    title: "The configured user does not exist",
    family: Family::Privilege,
    severity: Severity::High,
    what: "`USER` names a user or a group that the image's own `/etc/passwd` or `/etc/group` does not know, is a number outside 0 to \
           2147483647, or cannot be read. A number without an entry in `/etc/passwd` is fine.",
    why: "The runtime refuses to start the container; with a number out of range, older ones wrapped it around to root.",
    fix: "Create the user in the final stage (users of a build stage are not copied along), or give its number.",
    example: "FROM gcr.io/distroless/static-debian12\n# passwd and group of the build stage are not here: use numbers\nUSER 65532:65532\n",
    references: &[
        Reference { name: "CIS Docker 4.1", url: "https://www.cisecurity.org/benchmark/docker" },
        Reference {
            name: "CVE-2024-40635",
            url: "https://github.com/containerd/containerd/security/advisories/GHSA-265r-hfxg-fhmg",
        },
        Reference { name: "image-spec: config.User", url: "https://github.com/opencontainers/image-spec/blob/main/config.md" },
    ],
    since: "0.1.0",
    run,
};

fn run(image: &Image) -> Vec<Observation> {
    let Some(problem) = &image.user.problem else { return Vec::new() };
    let written = escape_text(&image.user.configured);
    let (code, reason) = match problem {
        UserProblem::UnknownUser(name) => {
            (Code::UserUnresolved, format!("the image's /etc/passwd has no user \"{}\"", escape_text(name)))
        }
        UserProblem::UnknownGroup(name) => {
            (Code::UserUnresolved, format!("the image's /etc/group has no group \"{}\"", escape_text(name)))
        }
        UserProblem::OutOfRange(number) => (Code::UserOutOfRange, format!("{} is outside 0 to 2147483647", escape_text(number))),
        UserProblem::Malformed(_) => (Code::UserUnresolved, "it is not of the form user or user:group".to_owned()),
    };
    let message = format!("The container will not start as USER \"{written}\": {reason}");
    vec![Observation { code: Some(code), message, evidence: vec![Evidence::of_config("config.User")], ..Observation::default() }]
}

#[cfg(test)]
mod tests {
    use super::super::testing::Builder;
    use super::*;
    use crate::facts::User;

    fn observed(configured: &str, problem: Option<UserProblem>) -> Vec<Observation> {
        Builder::default().user(User { configured: configured.to_owned(), problem, ..User::default() }).run(&CHECK)
    }

    #[test]
    fn fires_on_every_problem_with_its_code() {
        let cases = [
            ("ghost", UserProblem::UnknownUser("ghost".into()), Code::UserUnresolved, "no user \"ghost\""),
            ("0:g\x1b", UserProblem::UnknownGroup("g\x1b".into()), Code::UserUnresolved, "no group \"g\\x1b\""),
            ("4294967296", UserProblem::OutOfRange("4294967296".into()), Code::UserOutOfRange, "4294967296 is outside"),
            ("a:b:c", UserProblem::Malformed("a:b:c".into()), Code::UserUnresolved, "not of the form"),
        ];
        for (configured, problem, code, part) in cases {
            let seen = observed(configured, Some(problem));
            assert_eq!(seen[0].code, Some(code));
            assert!(seen[0].message.contains(part), "{}", seen[0].message);
        }
    }

    #[test]
    fn is_silent_on_a_user_that_resolves() {
        assert!(observed("1000", None).is_empty());
    }
}
