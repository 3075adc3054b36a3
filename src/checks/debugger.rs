//! `debugger`: programs that look into other processes can be run.

use std::collections::BTreeMap;

use super::{Check, Family, Reference, evidence, tools, wording};
use crate::facts::{Executable, ExecutableName, Image};
use crate::finding::{Evidence, Observation, Severity};
use tools::Form;

/// The check.
pub(super) static CHECK: Check = Check {
    id: "debugger",
    title: "A debugger can be run",
    family: Family::Toolchain,
    severity: Severity::Medium,
    what: "A debugger, tracer, profiler or network sniffer can be run: gdb, lldb, strace, ltrace, perf, valgrind, bpftrace, tcpdump, \
           tshark, dlv, py-spy and others.",
    why: "They read the memory and the traffic of what runs beside them, secrets included, and are the first thing that an intruder \
          would install.",
    fix: "Leave them out; debug with an ephemeral container that brings its own tools.",
    example: "FROM debian:13-slim\nRUN apt-get update && apt-get install -y --no-install-recommends ca-certificates \\\n    \
              && rm -rf /var/lib/apt/lists/*\n# kubectl debug -it pod/app --image=busybox --target=app\n",
    references: &[
        Reference { name: "CIS Docker 4.3", url: "https://www.cisecurity.org/benchmark/docker" },
        Reference { name: "NIST SP 800-190 4.1.2", url: "https://doi.org/10.6028/NIST.SP.800-190" },
        Reference {
            name: "Kubernetes: ephemeral containers",
            url: "https://kubernetes.io/docs/concepts/workloads/pods/ephemeral-containers/",
        },
        Reference { name: "CWE-489", url: "https://cwe.mitre.org/data/definitions/489.html" },
    ],
    since: "0.1.0",
    run,
};

/// Labels with their names.
const TOOLS: &[(&str, &[&str])] = &[
    ("gdb", &["gdb", "gdbserver", "gdb-multiarch", "gcore", "gdbtui"]),
    ("LLDB", &["lldb", "lldb-server", "lldb-dap", "lldb-argdumper"]),
    ("strace", &["strace", "strace-log-merge"]),
    ("ltrace", &["ltrace"]),
    ("perf", &["perf"]),
    ("Valgrind", &["valgrind", "valgrind.bin", "callgrind_control", "vgdb"]),
    ("bpftrace", &["bpftrace"]),
    ("bpftool", &["bpftool"]),
    ("SystemTap", &["stap", "staprun"]),
    ("Sysdig", &["sysdig"]),
    ("tcpdump", &["tcpdump"]),
    ("Wireshark", &["tshark", "dumpcap"]),
    ("Delve", &["dlv"]),
    ("py-spy", &["py-spy"]),
    ("rbspy", &["rbspy"]),
    ("Heaptrack", &["heaptrack"]),
    ("rr", &["rr"]),
];

/// Names that other programs bear too: they count where a package owns them.
const AMBIGUOUS: &[&str] = &["perf", "rr"];

fn run(image: &Image) -> Vec<Observation> {
    let mut seen: BTreeMap<&str, Vec<Evidence>> = BTreeMap::new();
    for executable in &image.executables {
        if let Some((label, evidence)) = observe(image, executable) {
            seen.entry(label).or_default().extend(evidence);
        }
    }
    seen.into_iter()
        .map(|(label, evidence)| {
            let message = format!("{label} can be run: {}", wording::names(evidence::base_names(&evidence)));
            Observation { subject: wording::key(label), message, evidence, ..Observation::default() }
        })
        .collect()
}

fn observe(image: &Image, executable: &Executable) -> Option<(&'static str, Vec<Evidence>)> {
    let inode = image.rootfs.inode(executable.node);
    let form = tools::form(inode);
    if form == Form::Other || tools::is_multi_call(executable, inode) {
        return None;
    }
    let is_owned = tools::owner(image, executable.node).is_some();
    let go_path = tools::elf(inode).and_then(|elf| elf.go_path.as_deref());
    // of what is written in Go, Delve alone is one
    if go_path.is_some_and(|path| !path.starts_with("github.com/go-delve/")) {
        return None;
    }
    let label_of = |name: &ExecutableName| {
        let (label, ambiguous) = tools::find(name.base_name(), lookup)?.value;
        let is_program = form == Form::Program && !ambiguous;
        (is_program || (is_owned && tools::is_command_path(&name.path))).then_some(label)
    };
    let label = executable.names.iter().find_map(label_of)?;
    Some((label, evidence::of_names(image, executable, |name| label_of(name) == Some(label))))
}

fn lookup(name: &str) -> Option<(&'static str, bool)> {
    let (label, _) = TOOLS.iter().find(|(_, names)| names.contains(&name))?;
    Some((label, AMBIGUOUS.contains(&name)))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Builder, paths};
    use super::*;

    #[test]
    fn fires_on_every_tool_as_a_program() {
        for name in TOOLS.iter().flat_map(|(_, names)| *names).filter(|name| !AMBIGUOUS.contains(name)) {
            assert_eq!(Builder::default().program(&format!("/opt/{name}"), 9).run(&CHECK).len(), 1, "{name}");
        }
        assert_eq!(
            Builder::default().go_program("/go/bin/dlv", "github.com/go-delve/delve/cmd/dlv").run(&CHECK)[0].subject,
            "delve"
        );
    }

    #[test]
    fn fires_on_scripts_and_ambiguous_names_of_packages() {
        let mut builder = Builder::default();
        builder.script("/usr/bin/perf", 9).in_package("linux-perf", &["/usr/bin/perf"]);
        assert_eq!(builder.run(&CHECK)[0].message, "perf can be run: perf");
    }

    #[test]
    fn fires_once_for_the_names_of_a_tool() {
        let mut builder = Builder::default();
        builder.program("/usr/bin/gdb-13.2", 9).program("/usr/bin/gdbserver", 9).link("/usr/bin/gdb", "/usr/bin/gdb-13.2");
        let seen = builder.run(&CHECK);
        assert_eq!(paths(&seen[0]), ["/usr/bin/gdb", "/usr/bin/gdb-13.2", "/usr/bin/gdbserver"]);
    }

    #[test]
    fn is_silent_on_what_is_only_called_so() {
        let mut builder = Builder::default();
        builder
            .script("/app/bin/strace", 9)
            .program("/app/bin/perf", 9)
            .program("/app/bin/rr", 9)
            .go_program("/app/bin/tcpdump", "example.org/tcpdump")
            .library("/usr/lib/gdb", 9)
            .file("/usr/share/bash-completion/completions/gdb", 9)
            .directory("/usr/share/gdb", 0o755);
        assert!(builder.run(&CHECK).is_empty());
    }
}
