//! `sensitive-volume`: a volume hides or opens a part of the system.

use super::{Check, Family, Reference};
use crate::facts::Image;
use crate::finding::{Evidence, Observation, Severity};
use crate::oci::escape_text;

/// The check.
pub(super) static CHECK: Check = Check {
    id: "sensitive-volume",
    title: "A volume lies over a part of the system",
    family: Family::Config,
    severity: Severity::High,
    what: "`VOLUME` names `/`, a folder of the system (`/etc`, `/bin`, `/lib`, `/usr`, `/root`, ...), a file system of the kernel \
           (`/proc`, `/sys`, `/dev`) or below it, or the socket of a container engine.",
    why: "Every container then gets such a mount without being asked: of the engine's socket it is root on the host, and a volume over \
          the system's folders keeps files from before an update and lets other containers write to them.",
    fix: "Declare volumes for the application's data only, or none, and let whoever starts the container mount what it needs.",
    example: "VOLUME /var/lib/app\n",
    references: &[
        Reference { name: "CIS Docker 5.6", url: "https://www.cisecurity.org/benchmark/docker" },
        Reference {
            name: "OWASP Docker rule 1",
            url: "https://cheatsheetseries.owasp.org/cheatsheets/Docker_Security_Cheat_Sheet.html",
        },
        Reference { name: "CWE-552", url: "https://cwe.mitre.org/data/definitions/552.html" },
    ],
    since: "0.1.0",
    run,
};

/// Folders that are the system's, as a whole.
const FOLDERS: &[&str] = &[
    "/",
    "/bin",
    "/boot",
    "/etc",
    "/lib",
    "/lib32",
    "/lib64",
    "/root",
    "/sbin",
    "/usr",
    "/usr/bin",
    "/usr/lib",
    "/usr/lib64",
    "/usr/local",
    "/usr/local/bin",
    "/usr/local/lib",
    "/usr/sbin",
];

/// Folders of which every part is the kernel's or an engine's.
const TREES: &[&str] =
    &["/dev", "/proc", "/sys", "/boot", "/var/lib/docker", "/var/lib/containerd", "/var/lib/kubelet", "/run/containerd"];

/// Files in `/etc` that decide who may do what.
const FILES: &[&str] = &["/etc/passwd", "/etc/shadow", "/etc/group", "/etc/sudoers", "/etc/ssh", "/etc/pam.d", "/etc/kubernetes"];

/// Names of the sockets of container engines.
const SOCKETS: &[&str] = &["docker.sock", "containerd.sock", "crio.sock", "podman.sock", "cri-dockerd.sock"];

fn run(image: &Image) -> Vec<Observation> {
    let mut seen: Vec<Observation> = Vec::new();
    for volume in &image.config.runtime.volumes {
        let path = cleaned(volume);
        let name = path.rsplit('/').next().unwrap_or_default();
        let reason = if SOCKETS.contains(&name) {
            "the socket of a container engine, which is root on the host"
        } else if TREES.iter().any(|tree| path.strip_prefix(tree).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))) {
            if path == "/dev/shm" || path.starts_with("/dev/shm/") {
                continue;
            }
            "a file system of the kernel or an engine"
        } else if FOLDERS.contains(&path.as_str()) || FILES.contains(&path.as_str()) {
            "a part of the system"
        } else {
            continue;
        };
        let message = format!("VOLUME {} is {reason}", escape_text(volume));
        let evidence = vec![Evidence::of_config("config.Volumes")];
        if !seen.iter().any(|one| one.subject == path) {
            seen.push(Observation { subject: path, message, evidence, ..Observation::default() });
        }
    }
    seen
}

/// The path without `.`, `..`, doubled and trailing slashes, from the root.
fn cleaned(path: &str) -> String {
    let mut names: Vec<&str> = Vec::new();
    for name in path.split('/') {
        match name {
            "" | "." => {}
            ".." => drop(names.pop()),
            _ => names.push(name),
        }
    }
    format!("/{}", names.join("/"))
}

#[cfg(test)]
mod tests {
    use super::super::testing::Builder;
    use super::*;

    fn subjects(volumes: &[&str]) -> Vec<String> {
        let mut builder = Builder::default();
        builder.runtime.volumes = volumes.iter().map(|&volume| volume.to_owned()).collect();
        builder.run(&CHECK).into_iter().map(|one| one.subject).collect()
    }

    #[test]
    fn fires_on_parts_of_the_system_and_sockets() {
        for volume in [
            "/",
            "/etc",
            "/etc/",
            "//usr//",
            "/proc",
            "/proc/sys",
            "/sys/fs/cgroup",
            "/dev",
            "/var/run/docker.sock",
            "/run/containerd/containerd.sock",
            "/etc/passwd",
            "/data/../etc",
        ] {
            assert_eq!(subjects(&[volume]).len(), 1, "{volume}");
        }
        assert_eq!(subjects(&["/etc", "/etc/"]), ["/etc"]);
    }

    #[test]
    fn is_silent_on_data() {
        assert_eq!(
            subjects(&[
                "/data",
                "/var/lib/postgresql/data",
                "/tmp",
                "/dev/shm",
                "/etc/nginx/conf.d",
                "/usr/share/x",
                "/var/log",
                "/devices",
                "/var/cache"
            ]),
            [] as [&str; 0]
        );
    }
}
