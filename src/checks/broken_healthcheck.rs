//! `broken-healthcheck`: the health check's command cannot be run.

use super::start;
use super::{Check, Family, Reference};
use crate::facts::Image;
use crate::finding::{Observation, Severity};

/// The check.
pub(super) static CHECK: Check = Check {
    id: "broken-healthcheck",
    title: "Health check that cannot run",
    family: Family::Config,
    severity: Severity::High,
    what: "The command of the HEALTHCHECK, the shell that its line needs, or a program that the line runs first or last, is not in the \
           image or cannot be run by `USER`: `curl` where nobody installed it is the classic. A program that another one stands in for \
           (`wget ... || curl ...`) is not missed.",
    why: "The container is unhealthy for ever, however well the service works: Swarm and Compose restart it or never route to it.",
    fix: "Ask with a program that is in the image, best with the application itself, or install the one that the line names.",
    example: "HEALTHCHECK --interval=30s --timeout=3s CMD [\"/app/server\", \"health\"]\n",
    references: &[
        Reference { name: "Dockerfile: HEALTHCHECK", url: "https://docs.docker.com/reference/dockerfile/#healthcheck" },
        Reference { name: "CIS Docker 4.6", url: "https://www.cisecurity.org/benchmark/docker" },
    ],
    since: "0.1.0",
    run,
};

fn run(image: &Image) -> Vec<Observation> {
    start::of_probe(image)
}

#[cfg(test)]
mod tests {
    use super::super::testing::Builder;
    use super::*;

    /// An image with a shell and wget.
    fn messages(test: &[&str]) -> Vec<String> {
        let mut builder = Builder::default();
        builder.machine_code("/bin/sh").machine_code("/usr/bin/wget").machine_code("/app").healthcheck(test);
        builder.run(&CHECK).into_iter().map(|one| one.message).collect()
    }

    #[test]
    fn fires_on_a_program_that_is_not_there() {
        assert_eq!(messages(&["CMD", "curl", "-f", "http://localhost/"]), ["curl is in no folder of PATH"]);
        assert_eq!(messages(&["CMD", "/app/health"]), ["/app/health lies below /app, which is no directory"]);
        for line in [
            "curl -f http://localhost/ || exit 1",
            "curl -f http://localhost/",
            "curl -s http://localhost/ | wget x",
            "wget x && curl y",
            "curl -f x || echo unhealthy",
            "test -e /x; curl -f x",
            "curl -f x; exit $?",
            "[ -e /x ] || true; exec curl -f x",
        ] {
            assert_eq!(messages(&["CMD-SHELL", line]), ["curl is in no folder of PATH"], "{line}");
        }
    }

    #[test]
    fn fires_when_the_shell_is_not_there() {
        let seen = Builder::default().machine_code("/app").healthcheck(&["CMD-SHELL", "/app health"]).run(&CHECK);
        assert_eq!(seen[0].message, "/bin/sh is not in the image");
        assert_eq!(seen[0].evidence[0].config.as_deref(), Some("config.Healthcheck"));
        let mut builder = Builder::default();
        builder.runtime.shell = vec!["/bin/bash".to_owned(), "-c".to_owned()];
        let seen = builder.machine_code("/bin/sh").healthcheck(&["CMD-SHELL", "true"]).run(&CHECK);
        assert_eq!(seen[0].message, "/bin/bash is not in the image");
    }

    #[test]
    fn fires_when_the_user_may_not_run_it() {
        let mut builder = Builder::default();
        builder.machine_code("/check").with_mode("/check", 0o700, 0).runs_as(7).healthcheck(&["CMD", "/check"]);
        assert_eq!(builder.run(&CHECK)[0].message, "/check cannot be executed by uid 7 (0700 0:0)");
    }

    #[test]
    fn is_silent_on_what_runs_and_on_what_is_not_known() {
        for test in [
            &["CMD", "/app", "health"][..],
            &["CMD", "wget", "-q", "x"],
            &["CMD-SHELL", "wget -q x || exit 1"],
            &["CMD-SHELL", "wget -q x || curl -f x"],
            &["CMD-SHELL", "curl -f x || wget -q x"],
            &["CMD-SHELL", "command -v curl && curl -f x || wget x"],
            &["CMD-SHELL", "if [ -e /x ]; then curl x; fi"],
            &["CMD-SHELL", "$PROBE x"],
            &["CMD-SHELL", "test \"$(curl -f x)\" = ok"],
            &["NONE"],
        ] {
            assert_eq!(messages(test), [] as [&str; 0], "{test:?}");
        }
        assert!(Builder::default().run(&CHECK).is_empty());
    }
}
