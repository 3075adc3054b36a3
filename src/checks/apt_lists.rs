//! `apt-lists`: package lists that apt downloaded are still there.

use super::{Check, Family, Reference, evidence, tools, wording};
use crate::facts::Image;
use crate::finding::{Evidence, Observation, Severity};

/// The check.
pub(super) static CHECK: Check = Check {
    id: "apt-lists",
    title: "Package lists of apt",
    family: Family::Packages,
    severity: Severity::Medium,
    what: "Files other than `lock` are under `/var/lib/apt/lists` in the final filesystem. Empty folders do not count.",
    why: "The lists take tens of megabytes, are stale the next day, and make a later `apt-get install` in a derived image install \
          outdated packages.",
    fix: "Remove the lists in the same RUN that fetched them: a later one only hides them.",
    example: "RUN apt-get update \\\n && apt-get install -y --no-install-recommends ca-certificates \\\n && rm -rf /var/lib/apt/lists/*\n",
    references: &[
        Reference { name: "Docker: build best practices", url: "https://docs.docker.com/build/building/best-practices/#apt-get" },
        Reference { name: "CIS Docker 4.7", url: "https://www.cisecurity.org/benchmark/docker" },
    ],
    since: "0.1.0",
    run,
};

const FOLDER: &[u8] = b"/var/lib/apt/lists";

fn run(image: &Image) -> Vec<Observation> {
    let evidence = lists(image);
    if evidence.is_empty() {
        return Vec::new();
    }
    let files = wording::counted(wording::count(evidence.len()), "file");
    let message = format!("{files} under /var/lib/apt/lists, {}", wording::bytes(evidence::bytes(&evidence)));
    vec![Observation { message, evidence, ..Observation::default() }]
}

fn lists(image: &Image) -> Vec<Evidence> {
    let mut seen = Vec::new();
    let mut folders: Vec<_> = tools::entry(&image.rootfs, FOLDER).map(|folder| (FOLDER.to_vec(), folder)).into_iter().collect();
    while let Some((path, folder)) = folders.pop() {
        for (name, node) in image.rootfs.children(folder) {
            let inode = image.rootfs.inode(node);
            let path = [&path[..], b"/", name].concat();
            if inode.is_directory() {
                folders.push((path, node));
            } else if name != b"lock" && (inode.is_file() || inode.target().is_some()) {
                seen.push(evidence::of_node(image, path, node));
            }
        }
    }
    seen.sort();
    seen
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Builder, paths};
    use super::*;

    #[test]
    fn fires_on_lists_with_their_bytes() {
        let mut builder = Builder::default();
        builder
            .file("/var/lib/apt/lists/a_InRelease", 1024)
            .file("/var/lib/apt/lists/auxfiles/b", 1024)
            .file("/var/lib/apt/lists/lock", 0);
        let seen = builder.run(&CHECK);
        assert_eq!(seen[0].message, "2 files under /var/lib/apt/lists, 2.0 KiB");
        assert_eq!(paths(&seen[0]), ["/var/lib/apt/lists/a_InRelease", "/var/lib/apt/lists/auxfiles/b"]);
    }

    #[test]
    fn is_silent_on_the_lock_and_on_empty_folders() {
        let mut builder = Builder::default();
        builder
            .file("/var/lib/apt/lists/lock", 0)
            .directory("/var/lib/apt/lists/partial", 0o700)
            .directory("/var/lib/apt/lists/auxfiles", 0o755);
        assert!(builder.run(&CHECK).is_empty());
    }

    #[test]
    fn is_silent_elsewhere() {
        assert!(
            Builder::default().file("/srv/var/lib/apt/lists/a", 1).file("/var/lib/apt/extended_states", 1).run(&CHECK).is_empty()
        );
    }
}
