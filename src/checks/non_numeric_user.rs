//! `non-numeric-user`: Kubernetes cannot tell that the user is not root.

use super::{Check, Family, Reference};
use crate::facts::Image;
use crate::finding::{Evidence, Observation, Severity};
use crate::oci::escape_text;

/// The check.
pub(super) static CHECK: Check = Check {
    id: "non-numeric-user",
    title: "The user is a name",
    family: Family::Privilege,
    severity: Severity::Low,
    what: "`USER` is the name of an ordinary user. Names of root, and names that the image does not know, are said by `root-user` and \
           `unknown-user`.",
    why: "A kubelet does not look into the image: with `runAsNonRoot: true` and no `runAsUser` it refuses to start a container whose user is \
          a name. What the name means can also change with any layer that writes /etc/passwd.",
    fix: "Give the user's number.",
    example: "RUN useradd --uid 10001 --no-create-home app\nUSER 10001:10001\n",
    references: &[
        Reference {
            name: "Kubernetes: Configure a security context",
            url: "https://kubernetes.io/docs/tasks/configure-pod-container/security-context/",
        },
        Reference { name: "CIS Docker 4.1", url: "https://www.cisecurity.org/benchmark/docker" },
    ],
    since: "0.1.0",
    run,
};

fn run(image: &Image) -> Vec<Observation> {
    let user = &image.user;
    let name = user.configured.split(':').next().unwrap_or_default();
    let is_number = name.strip_prefix('+').unwrap_or(name).bytes().all(|byte| byte.is_ascii_digit());
    let Some(uid) = user.uid.filter(|uid| *uid != 0 && !is_number && user.problem.is_none()) else { return Vec::new() };
    let message =
        format!("USER is the name \"{}\", which Kubernetes cannot tell from root's: its number is {uid}", escape_text(name));
    let fix = Some(format!("Write the number: USER {uid}"));
    vec![Observation { message, fix, evidence: vec![Evidence::of_config("config.User")], ..Observation::default() }]
}

#[cfg(test)]
mod tests {
    use super::super::testing::Builder;
    use super::*;
    use crate::facts::{User, UserProblem};

    fn messages(configured: &str, uid: Option<u32>, problem: Option<UserProblem>) -> Vec<String> {
        let user = User { configured: configured.to_owned(), uid, problem, ..User::default() };
        Builder::default().user(user).run(&CHECK).into_iter().map(|one| one.message).collect()
    }

    #[test]
    fn fires_on_the_name_of_an_ordinary_user() {
        let expected = "USER is the name \"app\", which Kubernetes cannot tell from root's: its number is 1000";
        assert_eq!(messages("app", Some(1000), None), [expected]);
        assert_eq!(messages("app:0", Some(1000), None).len(), 1);
        assert_eq!(messages("1000x", Some(1000), None).len(), 1);
    }

    #[test]
    fn is_silent_on_numbers_on_root_and_on_unknown_names() {
        assert!(messages("1000", Some(1000), None).is_empty());
        assert!(messages("1000:app", Some(1000), None).is_empty());
        assert!(messages("", Some(0), None).is_empty());
        assert!(messages("toor", Some(0), None).is_empty());
        assert!(messages("ghost", None, Some(UserProblem::UnknownUser("ghost".into()))).is_empty());
    }
}
