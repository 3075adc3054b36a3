//! `privilege-tool`: programs whose purpose is to become another user can be used.

use std::collections::BTreeMap;

use super::{Check, Family, Reference, evidence, tools, wording};
use crate::facts::{ConfigFile, ConfigKind, ExecutableName, Image};
use crate::finding::{Evidence, Observation, Severity};
use crate::oci::escape;

/// The check.
pub(super) static CHECK: Check = Check {
    id: "privilege-tool",
    title: "A program to become another user",
    family: Family::Privilege,
    severity: Severity::Medium,
    what: "sudo, doas, pkexec or su is there with the set-user-ID bit of root, without which it is of no use. A rule that lets somebody \
           use it without a password (`NOPASSWD`, `!authenticate`, `nopass`) makes it high.",
    why: "A container runs one service as one user. With such a tool, and above all with a rule that asks for no password, a fault in the \
          service is a fault of root.",
    fix: "Do the work of root while the image is built, remove the package or the bit, and start the container as the user it needs.",
    example: "RUN apt-get purge -y --auto-remove sudo && rm -rf /var/lib/apt/lists/*\nRUN chmod u-s /usr/bin/su\nUSER 10001:10001\n",
    references: &[
        Reference {
            name: "Docker: build best practices, USER",
            url: "https://docs.docker.com/build/building/best-practices/#user",
        },
        Reference { name: "CIS Docker 4.8", url: "https://www.cisecurity.org/benchmark/docker" },
        Reference { name: "MITRE ATT&CK T1548.003", url: "https://attack.mitre.org/techniques/T1548/003/" },
        Reference { name: "CWE-250", url: "https://cwe.mitre.org/data/definitions/250.html" },
    ],
    since: "0.1.0",
    run,
};

/// Names of each tool.
const TOOLS: &[(&str, &[&[u8]])] = &[
    ("sudo", &[b"sudo", b"sudoedit", b"sudo-rs"]),
    ("doas", &[b"doas", b"opendoas"]),
    ("pkexec", &[b"pkexec"]),
    ("su", &[b"su", b"su-rs"]),
];

fn run(image: &Image) -> Vec<Observation> {
    let mut seen: BTreeMap<&str, Vec<Evidence>> = BTreeMap::new();
    for executable in &image.executables {
        let inode = image.rootfs.inode(executable.node);
        let is_effective = inode.mode & 0o4000 != 0 && inode.uid == 0 && tools::form(inode) == tools::Form::Program;
        if !is_effective {
            continue;
        }
        for (tool, names) in TOOLS {
            let is_named = |name: &ExecutableName| names.contains(&name.base_name());
            if executable.names.iter().any(is_named) {
                seen.entry(tool).or_default().extend(evidence::of_names(image, executable, is_named));
            }
        }
    }
    seen.into_iter().map(|(tool, evidence)| observe(image, tool, evidence)).collect()
}

fn observe(image: &Image, tool: &str, mut evidence: Vec<Evidence>) -> Observation {
    let listed = wording::names(evidence::base_names(&evidence));
    let kind = match tool {
        "sudo" => Some(ConfigKind::Sudo),
        "doas" => Some(ConfigKind::Doas),
        _ => None,
    };
    let rules: Vec<&ConfigFile> = image
        .config_files
        .iter()
        .filter(|file| Some(file.kind) == kind && file.lines().any(|line| asks_nothing(file.kind, &line)))
        .collect();
    let (severity, message) = match rules.first() {
        None => (None, format!("{tool} can be used to become another user: {listed}")),
        Some(first) => (
            Some(Severity::High),
            format!("{tool} can be used to become another user without a password, by a rule in {}", escape(&first.path)),
        ),
    };
    evidence.extend(rules.iter().map(|file| Evidence { bytes: 0, ..evidence::of_node(image, file.path.clone(), file.node) }));
    Observation { severity, subject: tool.to_owned(), message, evidence, ..Observation::default() }
}

/// Whether a line lets somebody who is not root act without a password.
fn asks_nothing(kind: ConfigKind, line: &str) -> bool {
    let mut words = line.split_whitespace();
    let first = words.next().unwrap_or_default();
    if first.starts_with('#') || first == "root" || first == "#0" {
        return false;
    }
    let rule = line.split(" #").next().unwrap_or_default();
    match kind {
        ConfigKind::Doas => first == "permit" && rule.split_whitespace().any(|word| word == "nopass") && !is_rule_of_root(rule),
        _ if first.starts_with("Defaults") => rule.split([' ', '\t', ',']).any(|word| word == "!authenticate"),
        _ => rule.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').any(|word| word == "NOPASSWD"),
    }
}

/// `permit nopass root ...`: the identity is the first word that is no option.
fn is_rule_of_root(rule: &str) -> bool {
    let options = ["permit", "nopass", "nolog", "persist", "keepenv"];
    rule.split_whitespace().find(|word| !options.contains(word)) == Some("root")
}

#[cfg(test)]
mod tests {
    use super::super::testing::Builder;
    use super::super::testing::plain::add_config;
    use super::*;

    fn tool(path: &str, mode: u16) -> Builder {
        let mut builder = Builder::default();
        builder.program(path, 9).with_mode(path, mode, 0);
        builder
    }

    fn with_rule(kind: ConfigKind, rule: &str) -> Option<Severity> {
        let path = if kind == ConfigKind::Sudo { "/usr/bin/sudo" } else { "/usr/bin/doas" };
        let mut builder = tool(path, 0o4755);
        builder.text("/etc/rules", rule);
        builder.run_with(&CHECK, |image| add_config(image, kind, "/etc/rules"))[0].severity
    }

    #[test]
    fn fires_on_tools_that_work() {
        for name in ["sudo", "doas", "pkexec", "su"] {
            let seen = tool(&format!("/usr/bin/{name}"), 0o4755).run(&CHECK);
            assert_eq!((seen.len(), seen[0].subject.as_str(), seen[0].severity), (1, name, None));
        }
        let linked = tool("/bin/bbsuid", 0o4111).link("/bin/su", "/bin/bbsuid").run(&CHECK);
        assert_eq!(linked[0].message, "su can be used to become another user: su");
    }

    #[test]
    fn fires_harder_where_no_password_is_asked() {
        let high = Some(Severity::High);
        assert_eq!(with_rule(ConfigKind::Sudo, "app ALL=(ALL) NOPASSWD: ALL\n"), high);
        assert_eq!(with_rule(ConfigKind::Sudo, "%wheel ALL=(ALL:ALL) NOPASSWD:SETENV: /bin/x # why"), high);
        assert_eq!(with_rule(ConfigKind::Sudo, "Defaults:app env_reset,!authenticate"), high);
        assert_eq!(with_rule(ConfigKind::Doas, "permit persist nopass app as root"), high);
    }

    #[test]
    fn fires_as_usual_on_rules_that_ask_and_on_those_of_root() {
        for rule in
            ["# app ALL=(ALL) NOPASSWD: ALL", "root ALL=(ALL) NOPASSWD: ALL", "%sudo ALL=(ALL:ALL) ALL", "Defaults env_reset", ""]
        {
            assert_eq!(with_rule(ConfigKind::Sudo, rule), None, "{rule}");
        }
        for rule in ["permit persist app", "permit nopass root", "# permit nopass app", "deny nopass"] {
            assert_eq!(with_rule(ConfigKind::Doas, rule), None, "{rule}");
        }
    }

    #[test]
    fn is_silent_on_tools_without_their_bit_and_on_what_is_only_called_so() {
        assert!(tool("/usr/bin/sudo", 0o755).run(&CHECK).is_empty());
        assert!(tool("/usr/bin/gosu", 0o4755).run(&CHECK).is_empty());
        assert!(tool("/bin/busybox", 0o755).link("/bin/su", "/bin/busybox").run(&CHECK).is_empty());
        assert!(Builder::default().script("/usr/bin/sudo", 9).with_mode("/usr/bin/sudo", 0o4755, 0).run(&CHECK).is_empty());
        assert!(Builder::default().program("/usr/bin/su", 9).with_mode("/usr/bin/su", 0o4755, 7).run(&CHECK).is_empty());
    }
}
