//! `missing-healthcheck`: nothing tells whether the service in the container works.

use super::{Check, Family, Reference};
use crate::facts::Image;
use crate::finding::{Evidence, Observation, Severity};
use crate::oci::Healthcheck;

/// The check.
pub(super) static CHECK: Check = Check {
    id: "missing-healthcheck",
    title: "No health check",
    family: Family::Config,
    severity: Severity::Medium,
    what: "The image config holds no `Healthcheck`, an empty one, one that is switched off with `HEALTHCHECK NONE`, or one \
           that Docker does not run: neither `CMD` nor `CMD-SHELL`, or without a command.",
    why: "Docker, Compose and Swarm then take a hung service for a healthy one and never restart or replace it. Kubernetes ignores image \
          health checks and uses its own probes: where only Kubernetes runs the image, switch this check off in the policy.",
    fix: "Add a HEALTHCHECK that asks the service itself, with a program that is in the image.",
    example: "HEALTHCHECK --interval=30s --timeout=3s --start-period=10s \\\n  CMD [\"/app\", \"health\"]\n",
    references: &[
        Reference { name: "CIS Docker 4.6", url: "https://www.cisecurity.org/benchmark/docker" },
        Reference { name: "Dockerfile: HEALTHCHECK", url: "https://docs.docker.com/reference/dockerfile/#healthcheck" },
    ],
    since: "0.1.0",
    run,
};

fn run(image: &Image) -> Vec<Observation> {
    let healthcheck = image.config.runtime.healthcheck.as_ref();
    let message = match healthcheck.map(|healthcheck| healthcheck.test.as_slice()) {
        _ if healthcheck.is_some_and(Healthcheck::is_run) => return Vec::new(),
        None => "No health check is set",
        Some([]) => "The health check is empty, and there is nothing to inherit it from",
        Some([word, ..]) if word == "NONE" => "The health check is switched off: HEALTHCHECK NONE",
        Some([word, ..]) if word == "CMD" || word == "CMD-SHELL" => "The health check has no command",
        Some(_) => "The health check is neither CMD nor CMD-SHELL: Docker ignores it",
    };
    let evidence = vec![Evidence::of_config("config.Healthcheck")];
    vec![Observation { message: message.to_owned(), evidence, ..Observation::default() }]
}

#[cfg(test)]
mod tests {
    use super::super::testing::Builder;
    use super::*;

    #[test]
    fn fires_when_it_is_absent_empty_or_switched_off() {
        let message = |builder: &mut Builder| builder.run(&CHECK)[0].message.clone();
        assert_eq!(message(&mut Builder::default()), "No health check is set");
        assert!(message(Builder::default().healthcheck(&[])).starts_with("The health check is empty"));
        assert!(message(Builder::default().healthcheck(&["NONE"])).starts_with("The health check is switched off"));
    }

    #[test]
    fn fires_when_docker_runs_nothing() {
        for test in [&["none"][..], &[""], &["curl", "-f", "http://localhost/"], &["cmd", "/app"], &["NONE", "x"]] {
            assert_eq!(Builder::default().healthcheck(test).run(&CHECK).len(), 1, "{test:?}");
        }
        for test in [&["CMD"][..], &["CMD", ""], &["CMD-SHELL"], &["CMD-SHELL", " "]] {
            assert_eq!(
                Builder::default().healthcheck(test).run(&CHECK)[0].message,
                "The health check has no command",
                "{test:?}"
            );
        }
    }

    #[test]
    fn is_silent_on_a_test() {
        assert!(Builder::default().healthcheck(&["CMD", "/app", "health"]).run(&CHECK).is_empty());
        assert!(Builder::default().healthcheck(&["CMD-SHELL", "curl -f http://localhost/"]).run(&CHECK).is_empty());
    }
}
