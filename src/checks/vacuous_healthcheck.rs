//! `vacuous-healthcheck`: a health check that cannot fail.

use super::shell::{self, Command, Joint};
use super::{Check, Family, Reference};
use crate::facts::Image;
use crate::finding::{Evidence, Observation, Severity};
use crate::oci::{Healthcheck, escape_text};

/// The check.
pub(super) static CHECK: Check = Check {
    id: "vacuous-healthcheck",
    title: "The health check cannot fail",
    family: Family::Config,
    severity: Severity::Low,
    what: "The health check ends well whatever the service does: `true`, `exit 0`, `... || true`, `...; exit 0`, `kill -0 1`, `echo`. \
           Only the words of the test are looked at; a line that is more than simple commands is not judged.",
    why: "It reports a hung service as healthy, and hides that nobody asks it.",
    fix: "Ask the service itself and let the failure through: no `|| true`, and `|| exit 1` where the program's own code may be another.",
    example: "HEALTHCHECK CMD curl -fsS http://localhost:8080/healthz || exit 1\n",
    references: &[
        Reference { name: "CIS Docker 4.6", url: "https://www.cisecurity.org/benchmark/docker" },
        Reference { name: "Dockerfile: HEALTHCHECK", url: "https://docs.docker.com/reference/dockerfile/#healthcheck" },
    ],
    since: "0.1.0",
    run,
};

fn run(image: &Image) -> Vec<Observation> {
    let Some(healthcheck) = image.config.runtime.healthcheck.as_ref().filter(|healthcheck| healthcheck.is_run()) else {
        return Vec::new();
    };
    if can_fail(healthcheck) {
        return Vec::new();
    }
    let words: Vec<&str> = healthcheck.test.iter().skip(1).map(String::as_str).collect();
    let message = format!("The health check cannot fail: {}", shortened(&escape_text(&words.join(" "))));
    vec![Observation { message, evidence: vec![Evidence::of_config("config.Healthcheck")], ..Observation::default() }]
}

/// The first characters of a long line.
fn shortened(line: &str) -> String {
    const SHOWN: usize = 80;
    if line.chars().count() <= SHOWN {
        return line.to_owned();
    }
    format!("{}...", line.chars().take(SHOWN).collect::<String>())
}

fn can_fail(healthcheck: &Healthcheck) -> bool {
    let Some((kind, rest)) = healthcheck.test.split_first() else { return true };
    if kind == "CMD-SHELL" {
        return rest.first().is_none_or(|text| text_can_fail(text));
    }
    let words: Vec<&str> = rest.iter().map(String::as_str).collect();
    if let Some(text) = shell::text_of(&words) {
        return text_can_fail(text);
    }
    let command = Command { joint: Joint::Next, words: rest.to_vec() };
    // builtins of a shell are no programs
    matches!(command.program(), "exit" | ":") || outcome(&command) != Outcome::Succeeds
}

/// How a command may end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// Always well.
    Succeeds,
    /// Never well.
    Fails,
    /// Either.
    Either,
    /// The line ends here, well or not.
    Ends { well: bool },
    /// The line ends here as the command before it did.
    EndsAsBefore,
}

fn outcome(command: &Command) -> Outcome {
    let words: Vec<&str> = command.words.iter().map(String::as_str).collect();
    match (command.program(), words.get(1..).unwrap_or_default()) {
        // process 1 is there as long as the container is
        ("true" | ":" | "echo" | "printf" | "sleep" | "pwd" | "date", _)
        | ("kill", ["-0" | "-s0" | "-n0", "1"] | ["-s" | "-n", "0", "1"]) => Outcome::Succeeds,
        ("false", _) => Outcome::Fails,
        ("exit", []) => Outcome::EndsAsBefore,
        ("exit", [code, ..]) => {
            code.parse::<i64>().map_or(Outcome::Either, |code| Outcome::Ends { well: code.rem_euclid(256) == 0 })
        }
        _ => Outcome::Either,
    }
}

/// Whether a line of simple commands can end with anything but 0; a line that cannot be read can.
fn text_can_fail(text: &str) -> bool {
    let Some(commands) = shell::commands(text) else { return true };
    // whether the status may be 0, and may be another, before each command; and whether the line may have ended badly already
    let (mut good, mut bad, mut ended_badly) = (true, false, false);
    let mut commands = commands.iter().peekable();
    let mut pipeline = None;
    while let Some(command) = commands.next() {
        if matches!(command.program(), "set" | "trap" | "!" | "exec" | "eval" | "return") {
            return true;
        }
        // of a pipeline the last command counts; an exit in it ends only that part
        if commands.peek().is_some_and(|next| next.joint == Joint::Pipe) {
            pipeline.get_or_insert(command.joint);
            continue;
        }
        let (runs_after_good, runs_after_bad) = match pipeline.take().unwrap_or(command.joint) {
            Joint::And => (good, false),
            Joint::Or => (false, bad),
            Joint::Next | Joint::Pipe => (good, bad),
        };
        if !runs_after_good && !runs_after_bad {
            continue;
        }
        let (rest_good, rest_bad) = (good && !runs_after_good, bad && !runs_after_bad);
        (good, bad) = match outcome(command) {
            Outcome::Succeeds => (true, rest_bad),
            Outcome::Fails => (rest_good, true),
            Outcome::Either => (true, true),
            Outcome::Ends { well } => {
                ended_badly |= !well;
                (rest_good, rest_bad)
            }
            Outcome::EndsAsBefore => {
                ended_badly |= runs_after_bad;
                (rest_good, rest_bad)
            }
        };
        if !good && !bad {
            break;
        }
    }
    bad || ended_badly
}

#[cfg(test)]
mod tests {
    use super::super::testing::Builder;
    use super::*;

    fn fires(test: &[&str]) -> bool {
        !Builder::default().healthcheck(test).run(&CHECK).is_empty()
    }

    #[test]
    fn fires_on_lines_that_cannot_fail() {
        for text in [
            "true",
            "exit 0",
            ":",
            "curl -f http://localhost/ || true",
            "curl -f http://localhost/ || exit 0",
            "curl -f http://localhost/ > /dev/null 2>&1; exit 0",
            "curl localhost; true",
            "wget -q x && echo ok || echo bad",
            "kill -0 1",
            "kill -0 1 || exit 1",
            "/bin/true",
            "echo ok",
            "curl x | echo done",
            "exit 256",
            "curl x; exit 0; curl y",
        ] {
            assert!(fires(&["CMD-SHELL", text]), "{text}");
        }
    }

    #[test]
    fn fires_on_programs_that_cannot_fail() {
        for test in [
            &["CMD", "true"][..],
            &["CMD", "/bin/true"],
            &["CMD", "kill", "-0", "1"],
            &["CMD", "sh", "-c", "exit 0"],
            &["CMD", "echo", "x"],
        ] {
            assert!(fires(test), "{test:?}");
        }
    }

    #[test]
    fn is_silent_on_lines_that_can_fail() {
        for text in [
            "curl -f http://localhost/ || exit 1",
            "curl -f http://localhost/",
            "curl x && true",
            "true && curl x",
            "curl x || false",
            "set -e; curl x; true",
            "curl x || (exit 0)",
            "if curl x; then exit 0; else exit 1; fi",
            "test \"$(curl x)\" = ok",
            "! true",
            "kill -0 7",
            "pgrep nginx",
            "curl x || exit",
            "curl x || exit $?",
            "false || exit 1; true",
            "echo a | grep b",
            "curl x; test $? -eq 0 || exit 1; exit 0",
            "exit 1",
            "curl x && echo a | cat | true",
        ] {
            assert!(!fires(&["CMD-SHELL", text]), "{text}");
        }
    }

    #[test]
    fn is_silent_on_programs_that_can_fail_and_on_what_is_not_run() {
        for test in [
            &["CMD", "curl", "-f", "x"][..],
            &["CMD", "exit", "0"],
            &["CMD", "/app", "true"],
            &["NONE"],
            &["CMD"],
            &["true"],
            &[],
        ] {
            assert!(!fires(test), "{test:?}");
        }
    }
}
