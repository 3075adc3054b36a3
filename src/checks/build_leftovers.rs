//! `build-leftovers`: what a build needed or the build context held, and nothing runs.

use std::collections::BTreeMap;

use super::contents::{self, Contents};
use super::{Check, Family, Reference, wording};
use crate::facts::Image;
use crate::facts::places;
use crate::finding::{Observation, Severity};
use crate::rootfs::{Inode, NodeId};

/// The check.
pub(super) static CHECK: Check = Check {
    id: "build-leftovers",
    title: "Leftovers of the build",
    family: Family::Hygiene,
    severity: Severity::Low,
    what: "Packages that were installed from files (`*.whl`, `*.deb`, `*.rpm`), object files, source archives, Dockerfiles and Compose files, \
           settings of CI and editors are in the final filesystem. Those that packages own, and those in modules of third parties and in \
           caches, do not count.",
    why: "They weigh, and tell how and from what the image is built.",
    fix: "List them in .dockerignore, copy only what runs, and install packages from a mount instead of a copy.",
    example: "# .dockerignore\nDockerfile*\ncompose*.yaml\n.github\n.vscode\n\n\
              RUN --mount=type=bind,from=build,source=/wheels,target=/wheels \\\n    pip install --no-cache-dir /wheels/*.whl\n",
    references: &[
        Reference {
            name: "Docker: .dockerignore files",
            url: "https://docs.docker.com/build/concepts/context/#dockerignore-files",
        },
        Reference { name: "CWE-538", url: "https://cwe.mitre.org/data/definitions/538.html" },
    ],
    since: "0.1.0",
    run,
};

/// What a file is left over from. The order is that of the observations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Packages,
    Objects,
    Sources,
    Container,
    Ci,
    Editor,
}

impl Kind {
    /// Subject and the start of the message.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Packages => ("packages", "Packages that were installed from files"),
            Self::Objects => ("object-files", "Object files"),
            Self::Sources => ("source-archives", "Source archives"),
            Self::Container => ("container-files", "Files of the container's own build"),
            Self::Ci => ("ci-files", "Settings of CI"),
            Self::Editor => ("editor-files", "Settings of editors"),
        }
    }
}

/// Folders that are leftovers as a whole.
const FOLDERS: &[(&[u8], Kind)] = &[
    (b".circleci", Kind::Ci),
    (b".vscode", Kind::Editor),
    (b".idea", Kind::Editor),
    (b".devcontainer", Kind::Editor),
    (b".vs", Kind::Editor),
];

/// Names of files, in lower case.
const NAMES: &[(&str, Kind)] = &[
    ("dockerfile", Kind::Container),
    ("containerfile", Kind::Container),
    (".dockerignore", Kind::Container),
    (".containerignore", Kind::Container),
    ("docker-compose.yml", Kind::Container),
    ("docker-compose.yaml", Kind::Container),
    ("compose.yml", Kind::Container),
    ("compose.yaml", Kind::Container),
    (".gitlab-ci.yml", Kind::Ci),
    (".travis.yml", Kind::Ci),
    ("jenkinsfile", Kind::Ci),
    ("azure-pipelines.yml", Kind::Ci),
    ("bitbucket-pipelines.yml", Kind::Ci),
    (".drone.yml", Kind::Ci),
    ("appveyor.yml", Kind::Ci),
];

fn run(image: &Image) -> Vec<Observation> {
    let rootfs = &image.rootfs;
    let mut found: BTreeMap<Kind, (Contents, Vec<Vec<u8>>)> = BTreeMap::new();
    let mut add = |kind: Kind, place: &[u8], nodes: &[NodeId]| {
        let (sum, names) = found.entry(kind).or_default();
        for node in nodes {
            sum.add(image, place, *node);
        }
        names.push(contents::base_name(place).to_vec());
    };
    let mut folders = vec![(rootfs.root(), Vec::new())];
    while let Some((folder, path)) = folders.pop() {
        for (name, node) in rootfs.children(folder) {
            let child = [&path[..], b"/", name].concat();
            let inode = rootfs.inode(node);
            if inode.is_directory() {
                match folder_kind(image, name, node).filter(|_| !is_elsewhere_judged(&child)) {
                    Some(kind) => {
                        let files = contents::files_below(rootfs, node);
                        if files.iter().any(|file| !contents::is_owned(image, *file)) {
                            add(kind, &child, &files);
                        }
                    }
                    None => folders.push((node, child)),
                }
            } else if inode.is_file()
                && let Some(kind) = file_kind(&path, name, inode)
                && !is_elsewhere_judged(&child)
                && !contents::is_owned(image, node)
            {
                add(kind, &child, &[node]);
            }
        }
    }
    found.into_iter().map(|(kind, (sum, names))| observe(kind, sum, &names)).collect()
}

fn observe(kind: Kind, sum: Contents, names: &[Vec<u8>]) -> Observation {
    let (subject, label) = kind.words();
    let message = format!("{label}: {} ({})", sum.size(), wording::names(names.iter().map(Vec::as_slice)));
    Observation { subject: subject.to_owned(), message, evidence: sum.evidence(), ..Observation::default() }
}

/// `.github` counts for its workflows.
fn folder_kind(image: &Image, name: &[u8], node: NodeId) -> Option<Kind> {
    if name == b".github" {
        return image.rootfs.child(node, b"workflows").map(|_| Kind::Ci);
    }
    FOLDERS.iter().find(|(folder, _)| name == *folder).map(|(_, kind)| *kind)
}

fn file_kind(folder: &[u8], name: &[u8], inode: &Inode) -> Option<Kind> {
    let name = std::str::from_utf8(name).ok()?.to_ascii_lowercase();
    if let Some((_, kind)) = NAMES.iter().find(|(known, _)| name == *known) {
        return Some(*kind);
    }
    let (stem, ending) = name.rsplit_once('.')?;
    let has_version = || {
        stem.rsplit_once('-').is_some_and(|(before, after)| !before.is_empty() && after.starts_with(|c: char| c.is_ascii_digit()))
    };
    match ending {
        "whl" | "deb" | "rpm" if !stem.is_empty() => Some(Kind::Packages),
        // Dockerfile.prod, api.Dockerfile
        "dockerfile" => Some(Kind::Container),
        _ if stem == "dockerfile" => Some(Kind::Container),
        "yml" | "yaml" if stem.starts_with("docker-compose.") => Some(Kind::Container),
        "o" => {
            let is_object = inode.content.as_deref().and_then(|content| content.elf.as_deref()).is_some_and(|elf| elf.kind == 1);
            (is_object && !places::is_for_linking(folder, name.as_bytes())).then_some(Kind::Objects)
        }
        "tgz" if has_version() => Some(Kind::Sources),
        "gz" | "xz" | "bz2" | "zst" => {
            let stem = stem.strip_suffix(".tar")?;
            let has_version = stem.rsplit_once('-').is_some_and(|(_, after)| after.starts_with(|c: char| c.is_ascii_digit()));
            (has_version || stem.rsplit_once('.').is_some_and(|(_, ending)| ending == "orig")).then_some(Kind::Sources)
        }
        _ => None,
    }
}

/// Modules of third parties, the system's own folders, caches, temporary files.
fn is_elsewhere_judged(path: &[u8]) -> bool {
    let is_below = |folder: &[u8]| path.starts_with(folder);
    let judged: [&[u8]; 5] = [b"/var/cache/", b"/var/lib/", b"/tmp/", b"/var/tmp/", b"/etc/"];
    let is_hidden_cache =
        path.split(|byte| *byte == b'/').any(|folder| matches!(folder, b".cache" | b".npm" | b".m2" | b".gradle"));
    contents::is_of_others(path) || judged.into_iter().any(is_below) || is_hidden_cache
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Builder, paths};
    use super::*;
    use crate::facts::ElfFacts;

    fn subject(path: &str) -> Option<String> {
        Builder::default().file(path, 9).run(&CHECK).pop().map(|one| one.subject)
    }

    #[test]
    fn fires_on_each_kind() {
        for (path, expected) in [
            ("/wheels/numpy-2.0-cp312.whl", "packages"),
            ("/app/tool_1.0_amd64.deb", "packages"),
            ("/x.rpm", "packages"),
            ("/usr/src/openssl-3.0.1.tar.gz", "source-archives"),
            ("/opt/zlib-1.3.tgz", "source-archives"),
            ("/app/Dockerfile", "container-files"),
            ("/app/Dockerfile.prod", "container-files"),
            ("/app/api.Dockerfile", "container-files"),
            ("/app/docker-compose.override.yml", "container-files"),
            ("/app/.dockerignore", "container-files"),
            ("/app/.github/workflows/ci.yml", "ci-files"),
            ("/app/.gitlab-ci.yml", "ci-files"),
            ("/app/Jenkinsfile", "ci-files"),
            ("/app/.vscode/settings.json", "editor-files"),
            ("/app/.idea/modules.xml", "editor-files"),
        ] {
            assert_eq!(subject(path).as_deref(), Some(expected), "{path}");
        }
        let object = ElfFacts { kind: 1, ..ElfFacts::default() };
        assert_eq!(Builder::default().elf("/src/main.o", 9, object).run(&CHECK)[0].subject, "object-files");
    }

    #[test]
    fn fires_once_for_a_kind() {
        let mut builder = Builder::default();
        builder.file("/wheels/a-1.whl", 1024).file("/wheels/b-1.whl", 1024).file("/app/.idea/a", 1).file("/app/.idea/b/c", 1);
        let seen = builder.run(&CHECK);
        assert_eq!(seen[0].message, "Packages that were installed from files: 2 files, 2.0 KiB (a-1.whl, b-1.whl)");
        assert_eq!(paths(&seen[1]), ["/app/.idea"]);
    }

    #[test]
    fn is_silent_on_what_others_brought_and_other_checks_judge() {
        for path in [
            "/usr/local/lib/python3.12/ensurepip/_bundled/pip-24-py3-none-any.whl",
            "/usr/share/python-wheels/pip.whl",
            "/app/node_modules/x/.travis.yml",
            "/app/node_modules/x/.vscode/settings.json",
            "/usr/lib/python3/dist-packages/x/Dockerfile",
            "/app/vendor/x/Dockerfile",
            "/var/cache/apt/archives/x_1_amd64.deb",
            "/usr/share/doc/x/Dockerfile",
            "/go/pkg/mod/x/Dockerfile",
            "/tmp/x-1.tar.gz",
        ] {
            assert_eq!(subject(path), None, "{path}");
        }
        assert!(Builder::default().file("/opt/x/Dockerfile", 9).in_package("x", &["/opt/x/Dockerfile"]).run(&CHECK).is_empty());
    }

    #[test]
    fn is_silent_on_data_of_the_application() {
        for path in [
            "/app/model.tar.gz",
            "/app/dockerfile_parser.py",
            "/app/main.o",
            "/app/.github/CODEOWNERS",
            "/app/x.zip",
            "/app/.deb",
            "/app/data.gz",
            "/app/compose.py",
        ] {
            assert_eq!(subject(path), None, "{path}");
        }
    }
}
