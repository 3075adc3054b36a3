//! `broken-script-entrypoint`: a script on the start-up path cannot be run, or starts what is not there.

use super::start::{self, Cause};
use super::{Check, Family, Reference};
use crate::facts::Image;
use crate::finding::{Observation, Severity};

/// The check.
pub(super) static CHECK: Check = Check {
    id: "broken-script-entrypoint",
    title: "Entry script that cannot do its work",
    family: Family::Startup,
    severity: Severity::High,
    what: "A script on the start-up path ends its `#!` line with a carriage return, has no `#!` line where the kernel needs one, cannot \
           be read by `USER`, or starts a program that is not there: the one that `exec` names, the one of its last line, or any that \
           `set -e` makes it stop at. Only commands in a straight line count; what variables, conditions, functions and downloads decide \
           is not guessed.",
    why: "The container ends as soon as it starts, with a message that names the script and not the reason: \"no such file or \
          directory\", \"exec format error\" or exit code 127. Windows line ends come with a checkout, not with the code.",
    fix: "Give the script Unix line ends and a #! line, and install or copy what it starts.",
    example: "COPY --chmod=0755 docker-entrypoint.sh /usr/local/bin/\nRUN sed -i 's/\\r$//' /usr/local/bin/docker-entrypoint.sh\n\
              ENTRYPOINT [\"docker-entrypoint.sh\"]\n",
    references: &[
        Reference { name: "execve(2)", url: "https://man7.org/linux/man-pages/man2/execve.2.html" },
        Reference { name: "Dockerfile: ENTRYPOINT", url: "https://docs.docker.com/reference/dockerfile/#entrypoint" },
    ],
    since: "0.1.0",
    run,
};

fn run(image: &Image) -> Vec<Observation> {
    start::observations(image, Cause::Script)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Builder, paths};
    use super::*;

    /// An image that starts `/entry` with `server`, which is there.
    fn entry(text: &str) -> Builder {
        let mut builder = Builder::default();
        builder.machine_code("/bin/sh").machine_code("/usr/bin/server").script_of("/entry", text);
        builder.entrypoint(&["/entry"]).cmd(&["server"]);
        builder
    }

    fn messages(text: &str) -> Vec<String> {
        entry(text).run(&CHECK).into_iter().map(|one| one.message).collect()
    }

    #[test]
    fn fires_on_windows_line_ends() {
        let expected = "/entry has a carriage return at the end of its #! line, which belongs to the last word there";
        assert_eq!(messages("#!/bin/sh\r\nexec \"$@\"\r\n"), [expected]);
        assert_eq!(messages("#!/bin/sh -e\r\n"), [expected]);
    }

    #[test]
    fn fires_on_a_file_that_the_kernel_does_not_know() {
        assert_eq!(messages("exec server\n"), ["/entry is neither machine code nor a script with a #! line: exec format error"]);
    }

    #[test]
    fn fires_on_a_script_that_its_interpreter_cannot_read() {
        let mut builder = entry("#!/bin/sh\nserver\n");
        builder.with_mode("/entry", 0o711, 0).runs_as(7);
        let seen = builder.run(&CHECK);
        assert_eq!(seen[0].message, "/entry cannot be read by uid 7, and whatever runs it has to (0711 0:0)");
    }

    #[test]
    fn fires_on_commands_that_are_not_there() {
        for text in [
            "#!/bin/sh\nexec nginx -g 'daemon off;'\n",
            "#!/bin/sh\necho hello\nnginx -g 'daemon off;'\n",
            "#!/bin/sh\nset -e\nnginx -t\nexec \"$@\"\n",
            "#!/bin/sh -e\nnginx -t\nserver\n",
            "#!/bin/sh\nnginx || exit 1\nserver\n",
            "#!/bin/sh\necho a && nginx\n",
            "#!/bin/sh\nif [ -n \"$X\" ]; then echo x; fi\nexec nginx\n",
        ] {
            assert_eq!(messages(text), ["nginx, which /entry starts, is in no folder of PATH"], "{text}");
        }
        let seen = entry("#!/bin/sh\nexec /opt/app\n").run(&CHECK);
        assert_eq!((seen[0].subject.as_str(), paths(&seen[0])), ("/opt/app", vec!["/entry".to_owned()]));
    }

    #[test]
    fn is_silent_on_what_is_there_and_on_what_is_not_known() {
        for text in [
            "#!/bin/sh\nset -e\nexec \"$@\"\n",
            "#!/bin/sh\nnginx\nserver\n",
            "#!/bin/sh\nset -e\nnginx || true\nserver\n",
            "#!/bin/sh\nnginx &\nserver\n",
            "#!/bin/sh\nexec $APP\n",
            "#!/bin/sh\n[ -x /opt/nginx ] && exec nginx\nserver\n",
            "#!/bin/sh\nif true; then exec nginx; fi\nserver\n",
            "#!/bin/sh\ncurl -o /usr/bin/nginx https://example.org\nexec nginx\n",
            "#!/bin/sh\nexport PATH=/opt/$X:$PATH\nexec nginx\n",
            "#!/bin/sh\n. /opt/activate\nexec nginx\n",
            "#!/bin/sh\nrun() { nginx; }\nrun\nserver\n",
            "#!/bin/sh\nexec server\nnginx\n",
            "#!/bin/sh\necho 'unfinished\nexec nginx\n",
        ] {
            assert_eq!(messages(text), [] as [&str; 0], "{text}");
        }
    }
}
