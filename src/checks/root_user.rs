//! `root-user`: the container's process starts as uid 0.

use super::{Check, Family, Reference};
use crate::facts::Image;
use crate::finding::{Evidence, Observation, Severity};
use crate::oci::{Code, escape_text};

/// The check.
pub(super) static CHECK: Check = Check {
    id: "root-user",
    title: "The container runs as root",
    family: Family::Privilege,
    severity: Severity::High,
    what: "The effective user is uid 0, however `USER` is written: not at all, `0`, `0:0`, `root`, or another name that the image's own \
           `/etc/passwd` maps to 0.",
    why: "Root in the container is root on the host for every fault of the runtime or the kernel that lets a process out, and may \
          change every file of the image while it runs.",
    fix: "Create an unprivileged user and switch to it by number at the end of the Dockerfile: numbers also satisfy Kubernetes' \
          `runAsNonRoot`.",
    example: "RUN useradd --system --uid 10001 --no-create-home app\nUSER 10001:10001\n",
    references: &[
        Reference { name: "CIS Docker 4.1", url: "https://www.cisecurity.org/benchmark/docker" },
        Reference { name: "NIST SP 800-190 4.1.2", url: "https://doi.org/10.6028/NIST.SP.800-190" },
        Reference {
            name: "OWASP Docker rule 2",
            url: "https://cheatsheetseries.owasp.org/cheatsheets/Docker_Security_Cheat_Sheet.html",
        },
        Reference { name: "CWE-250", url: "https://cwe.mitre.org/data/definitions/250.html" },
    ],
    since: "0.1.0",
    run,
};

fn run(image: &Image) -> Vec<Observation> {
    let user = &image.user;
    if user.uid != Some(0) || user.problem.is_some() {
        return Vec::new();
    }
    let name = user.configured.split(':').next().unwrap_or_default();
    let written = escape_text(&user.configured);
    let is_number = name.trim_start_matches('+').bytes().all(|byte| byte.is_ascii_digit()) && !name.is_empty();
    let message = if user.configured.is_empty() {
        "The container runs as root: no USER is set".to_owned()
    } else if name.is_empty() {
        format!("The container runs as root: USER is \"{written}\", a group without a user")
    } else if is_number || name == "root" {
        format!("The container runs as root: USER is \"{written}\"")
    } else {
        format!("The container runs as root: USER is \"{written}\", which the image's /etc/passwd maps to uid 0")
    };
    vec![Observation {
        code: Some(Code::UserIsRoot),
        message,
        evidence: vec![Evidence::of_config("config.User")],
        ..Observation::default()
    }]
}

#[cfg(test)]
mod tests {
    use super::super::testing::Builder;
    use super::*;
    use crate::facts::{User, UserProblem};

    fn observed(configured: &str, uid: Option<u32>, problem: Option<UserProblem>) -> Option<String> {
        let user = User { configured: configured.to_owned(), uid, gid: uid, groups: Vec::new(), problem };
        let mut seen = Builder::default().user(user).run(&CHECK);
        assert!(seen.iter().all(|one| one.code == Some(Code::UserIsRoot)));
        seen.pop().map(|one| one.message)
    }

    #[test]
    fn fires_on_every_spelling_and_says_how_it_is_written() {
        assert_eq!(observed("", Some(0), None).unwrap(), "The container runs as root: no USER is set");
        for written in ["0", "0:0", "root", "root:x", "+0", "000"] {
            assert_eq!(observed(written, Some(0), None).unwrap(), format!("The container runs as root: USER is \"{written}\""));
        }
        assert!(observed("toor", Some(0), None).unwrap().ends_with("\"toor\", which the image's /etc/passwd maps to uid 0"));
        assert!(observed(":5", Some(0), None).unwrap().ends_with("a group without a user"));
    }

    #[test]
    fn is_silent_on_other_users_and_on_those_that_do_not_resolve() {
        assert_eq!(observed("1000", Some(1000), None), None);
        assert_eq!(observed("ghost", None, Some(UserProblem::UnknownUser("ghost".into()))), None);
        assert_eq!(observed("0:ghost", Some(0), Some(UserProblem::UnknownGroup("ghost".into()))), None, "it does not start");
    }
}
