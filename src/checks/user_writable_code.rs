//! `user-writable-code`: the process can rewrite itself.
//!
//! Looked at are the files that the command line names, and the code in the working directory, in the folders of those files, and in
//! the folders that modules of the application's language are installed into.

use std::collections::BTreeMap;

use super::{Check, Family, Reference, access, evidence, wording};
use crate::facts::{Image, Language};
use crate::finding::{Evidence, Observation, Severity};
use crate::rootfs::{Inode, NodeId};

/// The check.
pub(super) static CHECK: Check = Check {
    id: "user-writable-code",
    title: "The user can overwrite the code that runs",
    family: Family::Privilege,
    severity: Severity::Low,
    what: "The container's user, who is not root, may write to a file that the entry point names, or to code in its folder, in the working \
           directory or among the modules of the application's language, or may replace it through its folder.",
    why: "Whoever gets hold of the process changes the program for good: the change runs with the next request or restart.",
    fix: "Let root own the code, and give the user only the folders that it must write data to; run with a read-only root file system.",
    example: "# no --chown: root owns the code, the user reads it\nCOPY app/ /app/\nRUN install -d -o 10001 -g 10001 /var/lib/app\nUSER 10001\n",
    references: &[
        Reference { name: "CIS Docker 5.12", url: "https://www.cisecurity.org/benchmark/docker" },
        Reference { name: "CWE-732", url: "https://cwe.mitre.org/data/definitions/732.html" },
    ],
    since: "0.1.0",
    run,
};

/// Endings of files that are run or loaded, whatever their mode.
const CODE: &[&[u8]] = &[
    b".py", b".pyc", b".so", b".js", b".mjs", b".cjs", b".node", b".jar", b".war", b".class", b".rb", b".php", b".pl", b".pm",
    b".lua", b".dll", b".sh",
];

/// Folders of the system, which are never the application's as a whole.
const SYSTEM: &[&[u8]] = &[
    b"/",
    b"/bin",
    b"/sbin",
    b"/usr",
    b"/usr/bin",
    b"/usr/sbin",
    b"/usr/lib",
    b"/lib",
    b"/etc",
    b"/tmp",
    b"/var",
    b"/var/tmp",
    b"/home",
    b"/opt",
];

/// What the user may write to below one folder.
#[derive(Debug, Default)]
struct Found {
    files: u64,
    /// By layer, the folder with the bytes: 0, since the permission goes and the bytes stay.
    evidence: BTreeMap<usize, Evidence>,
}

fn run(image: &Image) -> Vec<Observation> {
    if !access::is_ordinary(image) {
        return Vec::new();
    }
    let mut evidence: Vec<Evidence> = image
        .entry_files
        .iter()
        .filter(|node| access::may_replace(image, **node))
        .map(|node| Evidence { bytes: 0, ..evidence::of_node(image, image.rootfs.path(*node), *node) })
        .collect();
    let named = evidence.len();
    let mut files = 0_u64;
    for (path, root) in roots(image) {
        let found = writable_code(image, root, &path);
        files = files.saturating_add(found.files);
        evidence.extend(found.evidence.into_values());
    }
    let names = || wording::names(evidence.iter().take(named).filter_map(|one| one.path.as_deref()));
    let uid = image.user.uid.unwrap_or_default();
    let code = wording::counted(files, "file");
    let message = match (named, files) {
        (0, 0) => return Vec::new(),
        (0, _) => format!("uid {uid}, who runs the container, may overwrite {code} of code"),
        (_, 0) => format!("uid {uid}, who runs the container, may overwrite what it runs: {}", names()),
        _ => format!("uid {uid}, who runs the container, may overwrite what it runs ({}), and {code} of code", names()),
    };
    vec![Observation { message, evidence, ..Observation::default() }]
}

/// The folders that the application's code lies in, none below another.
fn roots(image: &Image) -> Vec<(Vec<u8>, NodeId)> {
    let rootfs = &image.rootfs;
    let limits = crate::limits::Limits::default();
    let working_dir = rootfs.resolve(image.config.runtime.working_dir.as_bytes(), &limits).ok();
    let beside = image.entry_files.iter().map(|node| rootfs.folder_of(*node));
    let mut found: BTreeMap<Vec<u8>, NodeId> = BTreeMap::new();
    for node in working_dir.into_iter().chain(beside).filter(|node| rootfs.inode(*node).is_directory()) {
        found.insert(rootfs.path(node), node);
    }
    let modules: &[&[u8]] = match image.runtime.language {
        Language::Python => &[b"site-packages"],
        Language::Node => &[b"node_modules"],
        _ => &[],
    };
    if !modules.is_empty() {
        let mut folders = vec![rootfs.root()];
        while let Some(folder) = folders.pop() {
            for (name, node) in rootfs.children(folder).filter(|(_, node)| rootfs.inode(*node).is_directory()) {
                if modules.contains(&name) {
                    found.insert(rootfs.path(node), node);
                } else {
                    folders.push(node);
                }
            }
        }
    }
    found.retain(|path, _| !SYSTEM.contains(&path.as_slice()));
    let mut roots: Vec<(Vec<u8>, NodeId)> = Vec::new();
    for (path, node) in found {
        let is_below = |root: &(Vec<u8>, NodeId)| path.strip_prefix(root.0.as_slice()).is_some_and(|rest| rest.starts_with(b"/"));
        if !roots.iter().any(is_below) {
            roots.push((path, node));
        }
    }
    roots
}

fn writable_code(image: &Image, root: NodeId, path: &[u8]) -> Found {
    let mut found = Found::default();
    let mut folders = vec![root];
    while let Some(folder) = folders.pop() {
        for (name, node) in image.rootfs.children(folder) {
            let inode = image.rootfs.inode(node);
            if inode.is_directory() {
                folders.push(node);
            } else if is_code(name, inode) && !image.entry_files.contains(&node) && access::may_replace(image, node) {
                found.files = found.files.saturating_add(1);
                let history = image.steps.get(inode.layer).and_then(|step| step.history);
                let evidence =
                    || Evidence { path: Some(path.to_vec()), layer: Some(inode.layer), history, ..Evidence::default() };
                found.evidence.entry(inode.layer).or_insert_with(evidence);
            }
        }
    }
    found
}

fn is_code(name: &[u8], inode: &Inode) -> bool {
    inode.is_file() && (inode.is_executable_file() || CODE.iter().any(|ending| name.ends_with(ending)))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Builder, paths};
    use super::super::tools;
    use super::*;

    fn seen(builder: &mut Builder, entry: &[&str], language: Language) -> Vec<Observation> {
        builder.runtime.working_dir = "/app".into();
        builder.run_with(&CHECK, |image| {
            image.runtime.language = language;
            image.entry_files = entry.iter().map(|path| tools::entry(&image.rootfs, path.as_bytes()).unwrap()).collect();
        })
    }

    #[test]
    fn fires_on_an_entry_point_that_belongs_to_the_user() {
        let mut builder = Builder::default();
        builder.program("/srv/server", 9).owned_by("/srv/server", 0o755, 1000, 1000).as_uid(1000);
        let seen = seen(&mut builder, &["/srv/server"], Language::Go);
        assert_eq!(seen[0].message, "uid 1000, who runs the container, may overwrite what it runs: /srv/server");
    }

    #[test]
    fn fires_on_code_beside_it_and_on_modules() {
        let mut builder = Builder::default();
        builder.script("/usr/bin/gunicorn", 9).text("/app/wsgi.py", "x").owned_by("/app/wsgi.py", 0o644, 1000, 1000);
        builder
            .text("/venv/lib/site-packages/m.py", "x")
            .owned_by("/venv/lib/site-packages/m.py", 0o644, 1000, 1000)
            .as_uid(1000);
        let seen = seen(&mut builder, &["/usr/bin/gunicorn"], Language::Python);
        assert_eq!(seen[0].message, "uid 1000, who runs the container, may overwrite 2 files of code");
        assert_eq!(paths(&seen[0]), ["/app", "/venv/lib/site-packages"]);
    }

    #[test]
    fn fires_on_a_folder_that_lets_its_files_be_replaced() {
        let mut builder = Builder::default();
        builder.directory("/app", 0o755).owned_by("/app", 0o755, 1000, 1000).text("/app/a.js", "x").as_uid(1000);
        assert_eq!(seen(&mut builder, &["/app/a.js"], Language::Node).len(), 1);
    }

    #[test]
    fn is_silent_on_code_of_root_and_on_data_of_the_user() {
        let mut builder = Builder::default();
        builder.program("/app/server", 9).text("/app/a.py", "x").text("/app/data.json", "x").owned_by(
            "/app/data.json",
            0o644,
            1000,
            1000,
        );
        builder.text("/tmp/x.py", "x").owned_by("/tmp/x.py", 0o644, 1000, 1000).as_uid(1000);
        assert!(seen(&mut builder, &["/app/server"], Language::Python).is_empty());
    }

    #[test]
    fn is_silent_when_root_runs_it() {
        let mut builder = Builder::default();
        builder.program("/app/server", 9).as_uid(0);
        assert!(seen(&mut builder, &["/app/server"], Language::Go).is_empty());
    }
}
