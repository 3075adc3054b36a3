//! `version-control`: programs of version control, and the history of the application.

use std::collections::BTreeMap;

use super::contents::{self, Contents};
use super::{Check, Family, Reference, evidence, tools, wording};
use crate::facts::{Executable, ExecutableName, Image};
use crate::finding::{Evidence, Observation, Severity};
use crate::oci::escape;
use crate::rootfs::{NodeId, Rootfs};
use tools::Form;

/// The check.
pub(super) static CHECK: Check = Check {
    id: "version-control",
    title: "Version control, or its history",
    family: Family::Toolchain,
    severity: Severity::Medium,
    what: "git, Mercurial, Subversion or another program of version control can be run; or the image holds a repository (`.git`, `.hg`, \
           `.svn` with content), which is high. Repositories that packages own, in caches and in modules of others are silent, and those \
           of tools in hidden folders (`.nvm`, `.rbenv`) are medium.",
    why: "A repository holds every file that was ever committed: removed secrets, internal code, names. The programs fetch code from the \
          network, and nothing needs them at run time.",
    fix: "Keep `.git` out of the build context with .dockerignore, and use git in the build stage only.",
    example: "# .dockerignore\n.git\n\nFROM golang:1.25 AS build\nCOPY . /src\n\nFROM gcr.io/distroless/static-debian12\nCOPY --from=build /src/app /app\n",
    references: &[
        Reference { name: "CWE-527", url: "https://cwe.mitre.org/data/definitions/527.html" },
        Reference {
            name: "Docker: .dockerignore files",
            url: "https://docs.docker.com/build/concepts/context/#dockerignore-files",
        },
        Reference { name: "NIST SP 800-190 4.1.2", url: "https://doi.org/10.6028/NIST.SP.800-190" },
    ],
    since: "0.1.0",
    run,
};

/// Labels with the names of their programs.
const PROGRAMS: &[(&str, &[&str])] = &[
    (
        "git",
        &[
            "git",
            "git-receive-pack",
            "git-upload-pack",
            "git-upload-archive",
            "git-shell",
            "git-remote-http",
            "git-remote-https",
            "scalar",
        ],
    ),
    ("Mercurial", &["hg"]),
    ("Subversion", &["svn", "svnadmin", "svnserve"]),
    ("Bazaar", &["bzr", "brz"]),
    ("CVS", &["cvs"]),
    ("Fossil", &["fossil"]),
    ("Darcs", &["darcs"]),
];

/// Folders of repositories.
const REPOSITORIES: &[&[u8]] = &[b".git", b".hg", b".svn", b".bzr"];

fn run(image: &Image) -> Vec<Observation> {
    let mut seen: BTreeMap<&str, Vec<Evidence>> = BTreeMap::new();
    for executable in &image.executables {
        if let Some((label, evidence)) = program(image, executable) {
            seen.entry(label).or_default().extend(evidence);
        }
    }
    let programs = seen.into_iter().map(|(label, evidence)| {
        let message = format!("{label} can be run: {}", wording::names(evidence::base_names(&evidence)));
        Observation { subject: wording::key(label), message, evidence, ..Observation::default() }
    });
    programs.chain(repositories(image)).collect()
}

fn program(image: &Image, executable: &Executable) -> Option<(&'static str, Vec<Evidence>)> {
    let inode = image.rootfs.inode(executable.node);
    let form = tools::form(inode);
    if form == Form::Other
        || tools::is_multi_call(executable, inode)
        || tools::elf(inode).is_some_and(|elf| elf.go_path.is_some())
    {
        return None;
    }
    let is_owned = tools::owner(image, executable.node).is_some();
    let is_module = || tools::own_names(executable).any(|name| has_mercurial_beside(image, &name.path));
    let is_real = form == Form::Program || is_owned || is_module();
    let label_of = |name: &ExecutableName| {
        let base = std::str::from_utf8(name.base_name()).ok()?;
        let (label, _) = PROGRAMS.iter().find(|(_, names)| names.contains(&base))?;
        (is_real && tools::is_command_path(&name.path) || form == Form::Program).then_some(*label)
    };
    let label = executable.names.iter().find_map(label_of)?;
    Some((label, evidence::of_names(image, executable, |name| label_of(name) == Some(label))))
}

/// `bin/hg` beside `lib/pythonX.Y/site-packages/mercurial`, as pip installs it, or `lib/python3/dist-packages/mercurial`, as Debian.
fn has_mercurial_beside(image: &Image, path: &[u8]) -> bool {
    const MODULES: [&[u8]; 2] = [b"site-packages", b"dist-packages"];
    if contents::base_name(path) != b"hg" {
        return false;
    }
    let Some(library) = tools::entry(&image.rootfs, &tools::beside(path, 2, "lib")) else { return false };
    let packages = |(_, python)| MODULES.into_iter().filter_map(move |modules| image.rootfs.child(python, modules));
    image.rootfs.children(library).flat_map(packages).any(|packages| image.rootfs.child(packages, b"mercurial").is_some())
}

fn repositories(image: &Image) -> Vec<Observation> {
    let rootfs = &image.rootfs;
    let mut seen = Vec::new();
    let mut folders = vec![rootfs.root()];
    while let Some(folder) = folders.pop() {
        for (name, node) in rootfs.children(folder).filter(|(_, node)| rootfs.inode(*node).is_directory()) {
            if REPOSITORIES.contains(&name) {
                if has_content(rootfs, name, node) {
                    seen.extend(repository(image, node));
                }
            } else {
                folders.push(node);
            }
        }
    }
    seen.sort_by(|a, b| a.subject.cmp(&b.subject));
    seen
}

/// Whether a folder is what its name says: an empty one, or one of other files, holds no history.
fn has_content(rootfs: &Rootfs, name: &[u8], node: NodeId) -> bool {
    let has = |part: &str| rootfs.child(node, part.as_bytes()).is_some();
    match name {
        b".git" => has("HEAD") && (has("objects") || has("packed-refs") || has("refs")),
        b".hg" => has("requires") || has("store"),
        b".svn" => has("wc.db") || has("entries"),
        _ => has("branch-format"),
    }
}

fn repository(image: &Image, node: NodeId) -> Option<Observation> {
    let path = image.rootfs.path(node);
    let files = contents::files_below(&image.rootfs, node);
    if files.is_empty() || files.iter().any(|file| contents::is_owned(image, *file)) || contents::is_of_modules(&path) {
        return None;
    }
    let mut above = path.split(|byte| *byte == b'/').rev().skip(1);
    let is_hidden = above.clone().any(|folder| folder.starts_with(b"."));
    if above.any(|folder| folder == b".cache" || folder == b".cargo") {
        return None;
    }
    let mut sum = Contents::default();
    for file in files {
        sum.add(image, &path, file);
    }
    let message =
        format!("{} holds the history of {}: {}", escape(&path), if is_hidden { "a tool" } else { "the code" }, sum.size());
    let severity = (!is_hidden).then_some(Severity::High);
    let subject = wording::path_key(&path);
    let fix = (!is_hidden)
        .then(|| "Keep it out of the build context with .dockerignore; what it told is told, so change its secrets".to_owned());
    Some(Observation { severity, subject, message, evidence: sum.evidence(), fix, ..Observation::default() })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Builder, paths};
    use super::*;

    fn repository_at(folder: &str) -> Builder {
        let mut builder = Builder::default();
        builder.file(&format!("{folder}/.git/HEAD"), 23).file(&format!("{folder}/.git/objects/aa/bb"), 1001);
        builder
    }

    #[test]
    fn fires_on_programs() {
        for (path, label) in [("/usr/bin/git", "git"), ("/usr/bin/svn", "subversion"), ("/opt/fossil", "fossil")] {
            assert_eq!(Builder::default().program(path, 9).run(&CHECK)[0].subject, label);
        }
        let mut builder = Builder::default();
        builder
            .program("/usr/bin/git", 9)
            .link("/usr/bin/git-upload-pack", "git")
            .program("/usr/lib/git-core/git-remote-http", 9);
        assert_eq!(
            paths(&builder.run(&CHECK)[0]),
            ["/usr/bin/git", "/usr/bin/git-upload-pack", "/usr/lib/git-core/git-remote-http"]
        );
    }

    #[test]
    fn fires_on_mercurial_of_a_package_or_with_its_module() {
        assert_eq!(Builder::default().script("/usr/bin/hg", 9).in_package("mercurial", &["/usr/bin/hg"]).run(&CHECK).len(), 1);
        let mut builder = Builder::default();
        builder.script("/opt/venv/bin/hg", 9).file("/opt/venv/lib/python3.12/site-packages/mercurial/__init__.py", 1);
        assert_eq!(builder.run(&CHECK).len(), 1);
        let mut copied = Builder::default();
        copied.script("/usr/bin/hg", 9).file("/usr/lib/python3/dist-packages/mercurial/__init__.py", 1);
        assert_eq!(copied.run(&CHECK).len(), 1, "copied without the database");
    }

    #[test]
    fn fires_hard_on_the_application_s_history() {
        let seen = repository_at("/app").run(&CHECK);
        assert_eq!(
            (seen[0].severity, seen[0].message.as_str()),
            (Some(Severity::High), "/app/.git holds the history of the code: 2 files, 1.0 KiB")
        );
        assert_eq!(paths(&seen[0]), ["/app/.git"]);
        for sign in ["/srv/.hg/requires", "/srv/.svn/wc.db"] {
            assert_eq!(Builder::default().file(sign, 1).run(&CHECK).len(), 1, "{sign}");
        }
    }

    #[test]
    fn fires_as_usual_on_the_history_of_a_tool() {
        assert_eq!(repository_at("/opt/.nvm").run(&CHECK)[0].severity, None);
    }

    #[test]
    fn is_silent_on_what_is_no_repository_of_the_application() {
        assert!(
            Builder::default()
                .file("/app/sub/.git", 30)
                .directory("/b/.git", 0o755)
                .file("/app/.github/workflows/ci.yml", 1)
                .run(&CHECK)
                .is_empty()
        );
        assert!(repository_at("/app/node_modules/x").run(&CHECK).is_empty());
        assert!(repository_at("/srv/.cache/pre-commit/repo").run(&CHECK).is_empty());
        assert!(repository_at("/usr/share/x").in_package("x", &["/usr/share/x/.git/HEAD"]).run(&CHECK).is_empty());
    }

    #[test]
    fn is_silent_on_what_is_only_called_so() {
        let mut builder = Builder::default();
        builder
            .script("/app/bin/git", 9)
            .script("/app/bin/hg", 9)
            .go_program("/app/bin/git", "example.org/git")
            .file("/usr/share/git", 9);
        assert!(builder.run(&CHECK).is_empty());
    }
}
