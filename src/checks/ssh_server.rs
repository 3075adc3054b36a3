//! `ssh-server`: the image can be logged into over SSH, or holds keys for it.

use super::{Check, Family, Reference, evidence, tools, wording};
use crate::facts::{ExecutableName, Image};
use crate::finding::{Evidence, Observation, Severity};

/// The check.
pub(super) static CHECK: Check = Check {
    id: "ssh-server",
    title: "An SSH server",
    family: Family::Privilege,
    severity: Severity::High,
    what: "OpenSSH's `sshd` or `dropbear` is there, a host key of a server, or an `authorized_keys` file with content.",
    why: "A login goes around everything that sees containers start and their commands run. Host keys in an image are the same in every \
          container and readable by whoever can pull it; an authorized key opens all of them.",
    fix: "Remove the server and its keys; `docker exec` and `kubectl exec` open a shell where one is needed.",
    example: "RUN apt-get purge -y openssh-server && rm -rf /etc/ssh /var/lib/apt/lists/*\n",
    references: &[
        Reference { name: "CIS Docker 5.7", url: "https://www.cisecurity.org/benchmark/docker" },
        Reference { name: "NIST SP 800-190 4.1.2", url: "https://doi.org/10.6028/NIST.SP.800-190" },
        Reference { name: "CWE-321", url: "https://cwe.mitre.org/data/definitions/321.html" },
    ],
    since: "0.1.0",
    run,
};

const SERVERS: &[&[u8]] = &[b"sshd", b"dropbear"];

fn run(image: &Image) -> Vec<Observation> {
    let mut server: Vec<Evidence> = Vec::new();
    for executable in &image.executables {
        let is_server = |name: &ExecutableName| SERVERS.contains(&name.base_name());
        let is_program = tools::form(image.rootfs.inode(executable.node)) == tools::Form::Program;
        if is_program && executable.names.iter().any(is_server) {
            server.extend(evidence::of_names(image, executable, is_server));
        }
    }
    let (mut host_keys, mut authorized) = (Vec::new(), Vec::new());
    for (path, node) in image.rootfs.entries() {
        let inode = image.rootfs.inode(node);
        if !inode.is_file() || inode.size() == 0 || tools::owner(image, node).is_some() {
            continue;
        }
        if is_host_key(&path) {
            host_keys.push(evidence::of_node(image, path, node));
        } else if is_authorized(&path) {
            authorized.push(evidence::of_node(image, path, node));
        }
    }
    let names = |evidence: &[Evidence]| wording::names(evidence.iter().filter_map(|one| one.path.as_deref()));
    let found = [
        ("server", format!("An SSH server can be run: {}", names(&server)), server),
        ("host-keys", format!("Host keys of an SSH server are in the image: {}", names(&host_keys)), host_keys),
        ("authorized-keys", format!("Keys are authorized to log in: {}", names(&authorized)), authorized),
    ];
    let seen = found.into_iter().filter(|(_, _, evidence)| !evidence.is_empty());
    seen.map(|(subject, message, evidence)| Observation {
        subject: subject.to_owned(),
        message,
        evidence,
        ..Observation::default()
    })
    .collect()
}

fn split(path: &[u8]) -> (&[u8], &[u8]) {
    let slash = path.iter().rposition(|byte| *byte == b'/').unwrap_or_default();
    (path.get(..slash).unwrap_or_default(), path.get(slash.saturating_add(1)..).unwrap_or_default())
}

/// `/etc/ssh/ssh_host_ed25519_key`, `/etc/dropbear/dropbear_rsa_host_key`; the public halves harm nobody.
fn is_host_key(path: &[u8]) -> bool {
    match split(path) {
        (b"/etc/ssh" | b"/usr/local/etc/ssh" | b"/usr/local/etc", name) => {
            name.starts_with(b"ssh_host_") && name.ends_with(b"_key")
        }
        (b"/etc/dropbear", name) => name.starts_with(b"dropbear_") && name.ends_with(b"_host_key"),
        _ => false,
    }
}

fn is_authorized(path: &[u8]) -> bool {
    let (folder, name) = split(path);
    let is_place = folder.ends_with(b"/.ssh") || folder == b"/etc/dropbear" || folder.starts_with(b"/etc/ssh");
    is_place && matches!(name, b"authorized_keys" | b"authorized_keys2")
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Builder, paths};
    use super::*;

    #[test]
    fn fires_on_servers() {
        assert_eq!(Builder::default().program("/usr/sbin/sshd", 9).run(&CHECK)[0].subject, "server");
        let linked = Builder::default()
            .program("/usr/sbin/dropbearmulti", 9)
            .link("/usr/sbin/dropbear", "/usr/sbin/dropbearmulti")
            .run(&CHECK);
        assert_eq!(paths(&linked[0]), ["/usr/sbin/dropbear"]);
    }

    #[test]
    fn fires_on_keys_each_kind_by_itself() {
        let mut builder = Builder::default();
        builder
            .file("/etc/ssh/ssh_host_rsa_key", 9)
            .file("/etc/ssh/ssh_host_ed25519_key", 9)
            .file("/srv/app/.ssh/authorized_keys", 9);
        let subjects: Vec<_> = builder.run(&CHECK).into_iter().map(|one| (one.subject, one.evidence.len())).collect();
        assert_eq!(subjects, [("host-keys".to_owned(), 2), ("authorized-keys".to_owned(), 1)]);
    }

    #[test]
    fn is_silent_on_clients_public_keys_and_empty_files() {
        let mut builder = Builder::default();
        builder
            .program("/usr/bin/ssh", 9)
            .script("/etc/init.d/sshd", 9)
            .file("/etc/ssh/ssh_config", 9)
            .file("/etc/ssh/ssh_host_rsa_key.pub", 9)
            .file("/srv/.ssh/authorized_keys", 0)
            .file("/srv/.ssh/known_hosts", 9)
            .file("/usr/share/doc/authorized_keys", 9)
            .file("/app/tests/ssh_host_rsa_key", 9);
        assert!(builder.run(&CHECK).is_empty());
    }
}
