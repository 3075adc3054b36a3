//! `shell-form-command`: a shell stands between the container's signals and the program.

use super::{Check, Family, Reference, shell};
use crate::facts::Image;
use crate::finding::{Evidence, Observation, Severity};
use crate::oci::escape_text;

/// The check.
pub(super) static CHECK: Check = Check {
    id: "shell-form-command",
    title: "The command runs through a shell",
    family: Family::Config,
    severity: Severity::Low,
    what: "`ENTRYPOINT` or `CMD` is in shell form, or names a shell with `-c` itself, and the text does not `exec` its last command.",
    why: "The shell is process 1, or stands between it and the program, and does not pass signals on: `docker stop` and Kubernetes wait \
          for the whole grace period and then kill the program, which loses what it was doing.",
    fix: "Write the command in exec form, as a JSON array, or let the shell replace itself with exec.",
    example: "CMD [\"python\", \"-m\", \"app\"]\n\n# where a shell is needed\nCMD [\"/bin/sh\", \"-c\", \"exec python -m app --port \\\"$PORT\\\"\"]\n",
    references: &[
        Reference {
            name: "Dockerfile: shell and exec form",
            url: "https://docs.docker.com/reference/dockerfile/#shell-and-exec-form",
        },
        Reference {
            name: "Docker build check JSONArgsRecommended",
            url: "https://docs.docker.com/reference/build-checks/json-args-recommended/",
        },
    ],
    since: "0.1.0",
    run,
};

fn run(image: &Image) -> Vec<Observation> {
    let runtime = &image.config.runtime;
    let entrypoint: Vec<&str> = runtime.entrypoint.iter().map(String::as_str).collect();
    let cmd: Vec<&str> = runtime.cmd.iter().map(String::as_str).collect();
    let whole: Vec<&str> = entrypoint.iter().chain(&cmd).copied().collect();
    let found = match shell::text_of(&whole).filter(|_| !entrypoint.is_empty()) {
        Some(text) => Some(("ENTRYPOINT", "config.Entrypoint", entrypoint.first(), text)),
        None if signals_all(&entrypoint) => None,
        None => shell::text_of(&cmd).map(|text| ("CMD", "config.Cmd", cmd.first(), text)),
    };
    let Some((name, field, Some(shell), text)) = found.filter(|(_, _, _, text)| !text.trim().is_empty()) else {
        return Vec::new();
    };
    if ends_with_exec(text) {
        return Vec::new();
    }
    let message = format!("{name} runs through {} -c, which does not pass signals on to the program", escape_text(shell));
    vec![Observation { message, evidence: vec![Evidence::of_config(field)], ..Observation::default() }]
}

/// An init that signals the whole group of processes, the shell's children included.
fn signals_all(entrypoint: &[&str]) -> bool {
    let mut words = entrypoint.iter();
    let program = words.next().map(|word| word.rsplit('/').next().unwrap_or_default());
    let has_group = || words.clone().take_while(|word| **word != "--").any(|word| *word == "-g");
    match program {
        Some("dumb-init") => !words.clone().any(|word| matches!(*word, "--single-child" | "-c")),
        Some("tini" | "tini-static" | "docker-init" | "catatonit") => has_group(),
        _ => false,
    }
}

/// Whether the shell replaces itself with its last command, or may do so where the text is beyond what is read.
fn ends_with_exec(text: &str) -> bool {
    match shell::commands(text) {
        Some(commands) => commands.last().is_some_and(|last| last.program() == "exec"),
        None => text.split_whitespace().any(|word| word.trim_start_matches(['(', '{', '"', '\'']) == "exec"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Builder;
    use super::*;

    fn fields(entrypoint: &[&str], cmd: &[&str]) -> Vec<String> {
        let mut builder = Builder::default();
        let owned = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
        builder.runtime.entrypoint = owned(entrypoint);
        builder.runtime.cmd = owned(cmd);
        builder.run(&CHECK).into_iter().flat_map(|one| one.evidence).filter_map(|one| one.config).collect()
    }

    #[test]
    fn fires_on_either_in_shell_form() {
        assert_eq!(fields(&[], &["/bin/sh", "-c", "node server.js"]), ["config.Cmd"]);
        assert_eq!(fields(&["/bin/sh", "-c", "node server.js"], &["ignored"]), ["config.Entrypoint"]);
        assert_eq!(fields(&["/bin/bash", "-o", "pipefail", "-c", "a | b"], &[]), ["config.Entrypoint"]);
        assert_eq!(fields(&["sh", "-c"], &["migrate && serve"]), ["config.Entrypoint"]);
        assert_eq!(fields(&["/docker-entrypoint.sh"], &["/bin/sh", "-c", "node server.js"]), ["config.Cmd"]);
        assert_eq!(fields(&["/sbin/tini", "--"], &["/bin/sh", "-c", "node server.js -g"]), ["config.Cmd"]);
        assert_eq!(fields(&[], &["sh", "-c", "exec 2>&1; serve"]), ["config.Cmd"]);
    }

    #[test]
    fn is_silent_on_exec() {
        for text in [
            "exec node server.js",
            "migrate && exec gunicorn app",
            "A=1 exec serve",
            "if a; then b; fi; exec serve",
            "x=$(y); exec z",
        ] {
            assert_eq!(fields(&[], &["/bin/sh", "-c", text]), [] as [&str; 0], "{text}");
        }
    }

    #[test]
    fn is_silent_on_exec_form_and_on_inits_that_signal_all() {
        for (entrypoint, cmd) in [
            (&[][..], &["node", "server.js"][..]),
            (&[], &["bash"]),
            (&[], &["/bin/sh", "/start.sh"]),
            (&["dumb-init", "--"], &["/bin/sh", "-c", "node server.js"]),
            (&["/usr/bin/tini", "-g", "--"], &["/bin/sh", "-c", "node server.js"]),
            (&["python", "-c", "pass"], &[]),
            (&[], &[]),
        ] {
            assert_eq!(fields(entrypoint, cmd), [] as [&str; 0], "{entrypoint:?} {cmd:?}");
        }
    }
}
