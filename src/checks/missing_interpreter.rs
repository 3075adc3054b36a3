//! `missing-interpreter`: what is to run a program on the start-up path is not there.

use super::start::{self, Cause};
use super::{Check, Family, Reference};
use crate::facts::Image;
use crate::finding::{Observation, Severity};

/// The check.
pub(super) static CHECK: Check = Check {
    id: "missing-interpreter",
    title: "No interpreter for what is started",
    family: Family::Startup,
    severity: Severity::Critical,
    what: "The loader that an ELF program on the start-up path names (`PT_INTERP`, such as `/lib64/ld-linux-x86-64.so.2`), or the \
           interpreter of a script's `#!` line, directly or through `/usr/bin/env`, is not in the image or cannot be run by `USER`.",
    why: "The kernel says \"no such file or directory\" of a file that is plainly there, and the container ends. The classics are a \
          program built for glibc on Alpine or scratch, and a script for bash where there is only sh.",
    fix: "Build the program statically or on the base that it runs on, or install the interpreter that the script names.",
    example: "FROM golang:1.24 AS build\nRUN CGO_ENABLED=0 go build -o /app ./cmd/app\nFROM scratch\nCOPY --from=build /app /app\n",
    references: &[
        Reference { name: "execve(2)", url: "https://man7.org/linux/man-pages/man2/execve.2.html" },
        Reference { name: "ld.so(8)", url: "https://man7.org/linux/man-pages/man8/ld.so.8.html" },
    ],
    since: "0.1.0",
    run,
};

fn run(image: &Image) -> Vec<Observation> {
    start::observations(image, Cause::Interpreter)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Builder, paths};
    use super::*;

    fn message(builder: &mut Builder) -> String {
        builder.message(&CHECK)
    }

    #[test]
    fn fires_on_a_loader_that_is_not_there() {
        let mut builder = Builder::default();
        builder.needs_loader("/app", "/lib64/ld-linux-x86-64.so.2").cmd(&["/app"]);
        let seen = builder.run(&CHECK);
        assert_eq!(seen[0].message, "/lib64/ld-linux-x86-64.so.2, the loader of /app, is not in the image");
        assert_eq!((paths(&seen[0]), seen[0].subject.as_str()), (vec!["/app".to_owned()], "/lib64/ld-linux-x86-64.so.2"));
    }

    #[test]
    fn fires_on_an_interpreter_that_is_not_there() {
        let mut builder = Builder::default();
        builder.script_of("/app", "#!/bin/bash\nexec x\n").cmd(&["/app"]);
        assert_eq!(message(&mut builder), "/bin/bash, the interpreter of /app, is not in the image");
        let mut builder = Builder::default();
        builder.script_of("/app", "#!/usr/bin/env bash\nexec x\n").machine_code("/usr/bin/env").cmd(&["/app"]);
        assert_eq!(message(&mut builder), "bash, the interpreter of /app, is in no folder of PATH");
        let mut builder = Builder::default();
        builder
            .script_of("/app", "#!/usr/bin/env python3 -u\n")
            .machine_code("/usr/bin/env")
            .machine_code("/bin/python3")
            .cmd(&["/app"]);
        assert_eq!(message(&mut builder), "python3 -u, the interpreter of /app, is in no folder of PATH", "env without -S");
    }

    #[test]
    fn fires_on_a_virtual_environment_that_was_copied_without_its_interpreter() {
        let environment = || {
            let mut builder = Builder::default();
            builder
                .text("/opt/venv/pyvenv.cfg", "home = /usr/local/bin\n")
                .link("/opt/venv/bin/python", "/usr/local/bin/python3");
            builder
                .script_of("/opt/venv/bin/gunicorn", "#!/opt/venv/bin/python\nimport gunicorn\n")
                .cmd(&["/opt/venv/bin/gunicorn"]);
            builder
        };
        let expected = "/opt/venv/bin/python, the interpreter of /opt/venv/bin/gunicorn, is a symbolic link that leads nowhere";
        assert_eq!(message(&mut environment()), expected);
        assert!(environment().machine_code("/usr/local/bin/python3").run(&CHECK).is_empty());
    }

    #[test]
    fn is_silent_where_interpreters_are_there() {
        let mut builder = Builder::default();
        builder.needs_loader("/bin/sh", "/lib/ld-musl-x86_64.so.1").machine_code("/lib/ld-musl-x86_64.so.1");
        builder.script_of("/app", "#!/bin/sh\nexec sh\n").cmd(&["/app"]);
        assert!(builder.run(&CHECK).is_empty());
        let mut builder = Builder::default();
        builder.machine_code("/usr/bin/env").machine_code("/usr/bin/python3").script_of("/app", "#!/usr/bin/env -S python3 -u\n");
        assert!(builder.cmd(&["/app"]).run(&CHECK).is_empty());
    }

    #[test]
    fn is_silent_on_programs_that_are_not_started() {
        let mut builder = Builder::default();
        builder.machine_code("/app").script_of("/other", "#!/bin/bash\n").needs_loader("/more", "/gone").cmd(&["/app"]);
        assert!(builder.run(&CHECK).is_empty());
    }
}
