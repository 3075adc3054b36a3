//! `temporary-files`: what was not meant to stay.

use std::collections::BTreeMap;

use super::contents::{self, Contents};
use super::{Check, Family, Reference, tools, wording};
use crate::facts::Image;
use crate::finding::{Observation, Severity};
use crate::rootfs::{Inode, NodeId};

/// The check.
pub(super) static CHECK: Check = Check {
    id: "temporary-files",
    title: "Temporary files and logs",
    family: Family::Hygiene,
    severity: Severity::Low,
    what: "Files with content are left in `/tmp`, `/var/tmp` or `/var/log`, or memory dumps, or what editors and desktops leave beside the files \
           they show. Empty files, those of packages and those in modules of third parties do not count.",
    why: "Nothing reads them. Dumps hold the memory of a process, logs tell of the build, and both are in every copy of the image.",
    fix: "Remove them in the RUN that made them, or put a temporary file system there while it runs.",
    example: "RUN --mount=type=tmpfs,target=/tmp --mount=type=tmpfs,target=/var/log \\\n    \
              apt-get update && apt-get install -y --no-install-recommends ca-certificates \\\n    && rm -rf /var/lib/apt/lists/*\n",
    references: &[
        Reference {
            name: "Dockerfile: RUN --mount=type=tmpfs",
            url: "https://docs.docker.com/reference/dockerfile/#run---mounttypetmpfs",
        },
        Reference { name: "CWE-528", url: "https://cwe.mitre.org/data/definitions/528.html" },
        Reference { name: "CWE-459", url: "https://cwe.mitre.org/data/definitions/459.html" },
    ],
    since: "0.1.0",
    run,
};

/// What a file was left by. The order is that of the observations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Temporary,
    Logs,
    Dumps,
    Editors,
}

impl Kind {
    /// Subject and the start of the message.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Temporary => ("temporary", "Temporary files"),
            Self::Logs => ("logs", "Logs"),
            Self::Dumps => ("core-dumps", "Memory dumps"),
            Self::Editors => ("editors", "What editors and desktops left"),
        }
    }
}

/// Folders of which each name is evidence with all that is below.
const FOLDERS: &[(&[u8], Kind)] = &[(b"/tmp", Kind::Temporary), (b"/var/tmp", Kind::Temporary), (b"/var/log", Kind::Logs)];

fn run(image: &Image) -> Vec<Observation> {
    let mut found: BTreeMap<Kind, (Contents, Vec<Vec<u8>>)> = BTreeMap::new();
    let mut add = |kind: Kind, place: &[u8], node: NodeId| {
        let (sum, names) = found.entry(kind).or_default();
        sum.add(image, place, node);
        names.push(contents::base_name(place).to_vec());
    };
    for (folder, kind) in FOLDERS {
        let Some(node) = tools::entry(&image.rootfs, folder) else { continue };
        for (name, node) in image.rootfs.children(node) {
            let place = [*folder, name].join(&b'/');
            let inode = image.rootfs.inode(node);
            let files = if inode.is_directory() { contents::files_below(&image.rootfs, node) } else { vec![node] };
            files.into_iter().filter(|file| is_left(image, *file)).for_each(|file| add(*kind, &place, file));
        }
    }
    let mut folders = vec![(image.rootfs.root(), Vec::new())];
    while let Some((folder, path)) = folders.pop() {
        for (name, node) in image.rootfs.children(folder) {
            let child = [&path[..], b"/", name].concat();
            if image.rootfs.inode(node).is_directory() {
                if !FOLDERS.iter().any(|(folder, _)| child == *folder) {
                    folders.push((node, child));
                }
            } else if let Some(kind) = kind_of(name, image.rootfs.inode(node))
                && is_left(image, node)
                && !contents::is_of_modules(&child)
            {
                add(kind, &child, node);
            }
        }
    }
    found
        .into_iter()
        .map(|(kind, (sum, names))| {
            let (subject, label) = kind.words();
            let message = format!("{label}: {} ({})", sum.size(), wording::names(names.iter().map(Vec::as_slice)));
            Observation { subject: subject.to_owned(), message, evidence: sum.evidence(), ..Observation::default() }
        })
        .collect()
}

/// A file with content that no package brought.
fn is_left(image: &Image, node: NodeId) -> bool {
    let inode = image.rootfs.inode(node);
    inode.is_file() && inode.size() > 0 && !contents::is_owned(image, node)
}

fn kind_of(name: &[u8], inode: &Inode) -> Option<Kind> {
    // ET_CORE
    if tools::elf(inode).is_some_and(|elf| elf.kind == 4) || is_virtual_machine_dump(name) {
        return Some(Kind::Dumps);
    }
    let is_swap = name.starts_with(b".") && (name.ends_with(b".swp") || name.ends_with(b".swo"));
    let is_backup = name.len() > 1 && name.ends_with(b"~");
    let is_autosave = name.len() > 2 && name.starts_with(b"#") && name.ends_with(b"#");
    let is_desktop = matches!(name, b".DS_Store" | b"Thumbs.db" | b"desktop.ini");
    (is_swap || is_backup || is_autosave || is_desktop).then_some(Kind::Editors)
}

/// `java_pid17.hprof`, `hs_err_pid17.log`.
fn is_virtual_machine_dump(name: &[u8]) -> bool {
    (name.starts_with(b"java_pid") && name.ends_with(b".hprof")) || (name.starts_with(b"hs_err_pid") && name.ends_with(b".log"))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Builder, paths};
    use super::*;
    use crate::facts::ElfFacts;

    #[test]
    fn fires_on_each_kind_once() {
        let mut builder = Builder::default();
        builder.file("/tmp/build/a", 1000).file("/tmp/build/b/c", 24).file("/var/tmp/x", 1).file("/var/log/dpkg.log", 5);
        builder.file("/var/log/apt/term.log", 5).file("/app/.main.py.swp", 1).file("/app/main.py~", 1).file("/app/.DS_Store", 1);
        builder.elf("/core.17", 2048, ElfFacts { kind: 4, ..ElfFacts::default() }).file("/app/java_pid7.hprof", 1);
        let seen = builder.run(&CHECK);
        let messages: Vec<_> = seen.iter().map(|one| one.message.as_str()).collect();
        assert_eq!(
            messages,
            [
                "Temporary files: 3 files, 1.0 KiB (build, x)",
                "Logs: 2 files, 10 bytes (apt, dpkg.log)",
                "Memory dumps: 2 files, 2.0 KiB (core.17, java_pid7.hprof)",
                "What editors and desktops left: 3 files, 3 bytes (.DS_Store, .main.py.swp, main.py~)",
            ]
        );
        assert_eq!(paths(&seen[0]), ["/tmp/build", "/var/tmp/x"]);
    }

    #[test]
    fn is_silent_on_empty_files_folders_and_what_packages_own() {
        let mut builder = Builder::default();
        builder
            .directory("/tmp", 0o1777)
            .directory("/tmp/.X11-unix", 0o1777)
            .file("/var/log/btmp", 0)
            .file("/var/log/apt/history.log", 0)
            .file("/var/log/README", 9)
            .in_package("base-files", &["/var/log/README"])
            .link("/var/log/nginx/access.log", "/dev/stdout");
        assert!(builder.run(&CHECK).is_empty());
    }

    #[test]
    fn is_silent_on_what_is_only_called_so() {
        let mut builder = Builder::default();
        builder
            .file("/app/core.py", 9)
            .file("/app/core", 9)
            .file("/app/node_modules/x/.DS_Store", 9)
            .file("/app/tmp/x", 9)
            .file("/app/a.swp", 9)
            .file("/app/~", 9)
            .file("/etc/passwd-", 9);
        assert!(builder.run(&CHECK).is_empty());
    }
}
