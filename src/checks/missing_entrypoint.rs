//! `missing-entrypoint`: the program that the container is to start cannot be started.

use super::start::{self, Cause};
use super::{Check, Family, Reference};
use crate::facts::Image;
use crate::finding::{Observation, Severity};

/// The check.
pub(super) static CHECK: Check = Check {
    id: "missing-entrypoint",
    title: "Nothing that can be started",
    family: Family::Startup,
    severity: Severity::Critical,
    what: "Entrypoint and Cmd name nothing, or a program that the container cannot start: it is not in the image or in no folder of \
           `PATH`, a directory, a symbolic link that leads nowhere, not machine code, or not executable for `USER` (its mode, and that of \
           every directory on the way). Programs that tini, gosu, env and the line of a shell start are looked at as well. What is \
           mounted or decided at run time is not guessed.",
    why: "The container ends before it runs: \"executable file not found in $PATH\", \"no such file or directory\" or \"permission \
          denied\". Nothing shows it until somebody starts the image.",
    fix: "Copy the program to the path that ENTRYPOINT or CMD names, with its execute bit, below directories that USER may enter.",
    example: "COPY --from=build --chmod=0755 /src/server /app/server\nENTRYPOINT [\"/app/server\"]\n",
    references: &[
        Reference { name: "Dockerfile: ENTRYPOINT", url: "https://docs.docker.com/reference/dockerfile/#entrypoint" },
        Reference { name: "OCI image-spec: config", url: "https://github.com/opencontainers/image-spec/blob/main/config.md" },
    ],
    since: "0.1.0",
    run,
};

fn run(image: &Image) -> Vec<Observation> {
    start::observations(image, Cause::Program)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Builder, paths};
    use super::*;

    fn message(builder: &mut Builder) -> String {
        builder.message(&CHECK)
    }

    #[test]
    fn fires_when_there_is_nothing_to_run() {
        let seen = Builder::default().run(&CHECK);
        assert_eq!(seen[0].message, "Nothing to run: neither Entrypoint nor Cmd names a program");
        assert_eq!(seen[0].evidence[0].config.as_deref(), Some("config.Cmd"));
        assert_eq!(
            message(Builder::default().machine_code("/sbin/tini").entrypoint(&["tini", "--"])),
            "Nothing to run: tini is given no program to start"
        );
    }

    #[test]
    fn fires_on_a_program_that_is_not_there() {
        assert_eq!(message(Builder::default().entrypoint(&["/app/server"])), "/app/server is not in the image");
        assert_eq!(message(Builder::default().cmd(&["gunicorn"])), "gunicorn is in no folder of PATH");
        let mut builder = Builder::default();
        builder.machine_code("/bin/sh").cmd(&["/bin/sh", "-c", "cd / && gunicorn app"]);
        assert_eq!(message(&mut builder), "gunicorn is in no folder of PATH", "a shell's line names it");
        let mut builder = Builder::default();
        builder.machine_code("/sbin/tini").entrypoint(&["/sbin/tini", "--", "/app/server"]);
        assert_eq!(message(&mut builder), "/app/server is not in the image", "a wrapper's argument names it");
    }

    #[test]
    fn fires_on_the_python_of_an_environment_whose_link_leads_nowhere() {
        let mut builder = Builder::default();
        builder.text("/opt/venv/pyvenv.cfg", "home = /usr/local/bin\n").link("/opt/venv/bin/python", "/usr/local/bin/python3");
        builder.runtime.env = vec!["PATH=/opt/venv/bin:/usr/bin".into()];
        assert!(message(builder.cmd(&["python", "app.py"])).contains("python"), "by its name");
        let mut builder = Builder::default();
        builder.link("/opt/venv/bin/python", "/usr/local/bin/python3").cmd(&["/opt/venv/bin/python", "app.py"]);
        assert!(message(&mut builder).starts_with("/opt/venv/bin/python"), "by its path");
    }

    #[test]
    fn fires_on_what_is_no_program() {
        let mut builder = Builder::default();
        builder.directory("/app", 0o755).cmd(&["/app"]);
        assert_eq!(message(&mut builder), "/app is a directory");
        let mut builder = Builder::default();
        builder.link("/app", "/gone").cmd(&["/app"]);
        assert_eq!(message(&mut builder), "/app is a symbolic link that leads nowhere");
        let mut builder = Builder::default();
        builder.file("/app", 0).with_mode("/app", 0o755, 0).cmd(&["/app"]);
        assert_eq!(message(&mut builder), "/app is empty: exec format error");
    }

    #[test]
    fn fires_where_the_user_may_not_go() {
        let mut builder = Builder::default();
        builder.machine_code("/app/run").with_mode("/app/run", 0o744, 0).cmd(&["/app/run"]).runs_as(1000);
        assert_eq!(message(&mut builder), "/app/run cannot be executed by uid 1000 (0744 0:0)");
        let mut builder = Builder::default();
        builder.directory("/app", 0o700).machine_code("/app/run").cmd(&["/app/run"]).runs_as(1000);
        let seen = builder.run(&CHECK);
        assert_eq!(seen[0].message, "/app/run cannot be reached by uid 1000: /app is closed (0700 0:0)");
        let mut builder = Builder::default();
        builder.machine_code("/app/run").with_mode("/app/run", 0o644, 0).cmd(&["/app/run"]);
        let seen = builder.run(&CHECK);
        assert_eq!(seen[0].message, "/app/run cannot be executed by the user (0644 0:0)");
        assert_eq!((paths(&seen[0]), seen[0].subject.as_str()), (vec!["/app/run".to_owned()], "/app/run"));
    }

    #[test]
    fn is_silent_on_what_starts_and_on_what_is_not_known() {
        let mut builder = Builder::default();
        builder.machine_code("/usr/bin/app").cmd(&["app", "-x"]).runs_as(1000);
        assert!(builder.run(&CHECK).is_empty());
        let mut builder = Builder::default();
        builder.machine_code("/bin/sh").cmd(&["/bin/sh", "-c", "$APP --port 80"]);
        assert!(builder.run(&CHECK).is_empty(), "a variable");
        let mut builder = Builder::default();
        builder.runtime.volumes = vec!["/app".to_owned()];
        assert!(builder.cmd(&["/app/run"]).run(&CHECK).is_empty(), "a volume");
    }
}
