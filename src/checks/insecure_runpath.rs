//! `insecure-runpath`: search paths in programs and libraries that an attacker can put a library into.

use std::collections::BTreeMap;

use super::elf_files::{self, ElfFile};
use super::{Check, Family, Reference, tools};
use crate::facts::{Image, User};
use crate::finding::{Evidence, Observation, Severity};
use crate::oci::escape;
use crate::rootfs::{Inode, NodeId};

/// The check.
pub(super) static CHECK: Check = Check {
    id: "insecure-runpath",
    title: "Insecure library search paths",
    family: Family::Binaries,
    severity: Severity::High,
    what: "RUNPATH (or RPATH, where there is no RUNPATH) of a program or shared library that no package owns names a folder that is \
           relative, empty, or that the container's user can write to or make; for `$ORIGIN`, a folder that everybody can write to.",
    why: "The dynamic loader looks there before the system's folders. Who can put a file there runs code in every process that loads \
          the program or library.",
    fix: "Link with absolute folders that belong to root, or with `$ORIGIN`; remove what the build left with `patchelf --remove-rpath`.",
    example: "RUN patchelf --set-rpath '$ORIGIN/../lib' /out/bin/server\n",
    references: &[
        Reference { name: "ld.so(8)", url: "https://man7.org/linux/man-pages/man8/ld.so.8.html" },
        Reference { name: "CWE-426", url: "https://cwe.mitre.org/data/definitions/426.html" },
        Reference { name: "CWE-427", url: "https://cwe.mitre.org/data/definitions/427.html" },
    ],
    since: "0.1.0",
    run,
};

fn run(image: &Image) -> Vec<Observation> {
    // one finding for one entry, however many files have it
    let mut entries: BTreeMap<(&'static str, Vec<u8>), Vec<Evidence>> = BTreeMap::new();
    for file in elf_files::of_application(image) {
        let Some(path) = file.elf.runpath.as_deref().or(file.elf.rpath.as_deref()).filter(|path| !path.is_empty()) else {
            continue;
        };
        let mut seen = std::collections::BTreeSet::new();
        for entry in path.split(|byte| *byte == b':').filter(|entry| seen.insert(*entry)) {
            if let Some(fault) = fault(image, &file, entry) {
                entries.entry((fault, entry.to_vec())).or_default().push(Evidence { bytes: 0, ..file.evidence(image) });
            }
        }
    }
    entries.into_iter().map(|((fault, entry), evidence)| observation(fault, &entry, evidence)).collect()
}

fn observation(fault: &str, entry: &[u8], evidence: Vec<Evidence>) -> Observation {
    let first = escape(evidence.first().and_then(|one| one.path.as_deref()).unwrap_or_default());
    let whose = if evidence.len() > 1 { format!("{first} and {} more", evidence.len().saturating_sub(1)) } else { first };
    let entry = escape(entry);
    let message = match entry.as_str() {
        "" => format!("the library search path of {whose} holds an empty folder, which is the working directory"),
        _ => format!("the library search path of {whose} holds {entry}, which {fault}"),
    };
    Observation { subject: entry, message: capitalised(&message), evidence, ..Observation::default() }
}

fn capitalised(text: &str) -> String {
    text.strip_prefix("the ").map_or_else(|| text.to_owned(), |rest| format!("The {rest}"))
}

/// What is wrong with an entry.
fn fault(image: &Image, file: &ElfFile<'_>, entry: &[u8]) -> Option<&'static str> {
    let from_origin = [&b"$ORIGIN"[..], b"${ORIGIN}"].into_iter().find_map(|token| entry.strip_prefix(token));
    if let Some(rest) = from_origin {
        let folder = file.path.iter().rposition(|byte| *byte == b'/').unwrap_or_default();
        let path = [file.path.get(..folder).unwrap_or_default(), rest].concat();
        // who can write to the program's own folders needs no search path: only what everybody can write to is told
        let everybody = User::default();
        return is_writable(image, &path, &everybody).then_some("everybody can write to");
    }
    if !entry.starts_with(b"/") {
        return Some("is relative: it starts at the working directory");
    }
    if image.user.uid == Some(0) {
        return is_writable(image, entry, &User::default()).then_some("everybody can write to");
    }
    is_writable(image, entry, &image.user).then_some("the container's user can write to")
}

/// Whether a user can write to a folder, or make it: to the last folder of the path that exists.
fn is_writable(image: &Image, path: &[u8], user: &User) -> bool {
    let mut at = image.rootfs.root();
    for name in path.split(|byte| *byte == b'/') {
        at = match name {
            b"" | b"." => at,
            b".." => image.rootfs.folder_of(at),
            // tokens of the machine's name stand for folders of the system
            name if name.contains(&b'$') => return false,
            name => match next(image, at, name) {
                Next::Folder(node) => node,
                Next::Nothing => break,
                Next::Other => return false,
            },
        };
    }
    may_write(image.rootfs.inode(at), user)
}

enum Next {
    Folder(NodeId),
    Nothing,
    Other,
}

fn next(image: &Image, at: NodeId, name: &[u8]) -> Next {
    let Some(child) = image.rootfs.child(at, name) else { return Next::Nothing };
    let inode = image.rootfs.inode(child);
    if inode.is_directory() {
        return Next::Folder(child);
    }
    // /lib and its like are links from the root; what other links lead to is left alone
    let target = inode.target().map(|target| target.strip_prefix(b"/").unwrap_or(target));
    let end = target.filter(|_| at == image.rootfs.root()).and_then(|target| tools::entry(&image.rootfs, target));
    end.filter(|end| image.rootfs.inode(*end).is_directory()).map_or(Next::Other, Next::Folder)
}

fn may_write(folder: &Inode, user: &User) -> bool {
    let is_group = user.gid == Some(folder.gid) || user.groups.contains(&folder.gid);
    let mask = if user.uid == Some(folder.uid) {
        0o200
    } else if is_group {
        0o020
    } else {
        0o002
    };
    folder.mode & mask != 0
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Builder, paths};
    use super::*;
    use crate::facts::ElfFacts;

    fn elf(runpath: &str) -> ElfFacts {
        ElfFacts { kind: 3, is_program: true, runpath: Some(runpath.as_bytes().into()), ..ElfFacts::default() }
    }

    fn app() -> User {
        User { uid: Some(1000), gid: Some(1000), ..User::default() }
    }

    fn messages(builder: &mut Builder) -> Vec<String> {
        builder.run(&CHECK).into_iter().map(|one| one.message).collect()
    }

    #[test]
    fn fires_on_relative_and_empty_entries() {
        let seen = messages(Builder::default().elf("/app/x", 9, elf("/usr/lib:lib::")));
        assert_eq!(
            seen,
            [
                "The library search path of /app/x holds an empty folder, which is the working directory",
                "The library search path of /app/x holds lib, which is relative: it starts at the working directory"
            ]
        );
        assert_eq!(messages(Builder::default().elf("/app/x", 9, elf("\\$ORIGIN/lib"))).len(), 1, "an escape that was none");
    }

    #[test]
    fn fires_once_on_a_folder_that_the_user_can_write_to_or_make() {
        let mut builder = Builder::default();
        builder.directory("/srv/lib", 0o755).with_mode("/srv/lib", 0o755, 1000).directory("/tmp", 0o1777).user(app());
        builder.elf("/app/x", 9, elf("/srv/lib")).elf("/app/y", 9, elf("/srv/lib:/tmp/build/lib"));
        let seen = builder.run(&CHECK);
        assert_eq!(paths(&seen[0]), ["/app/x", "/app/y"]);
        assert_eq!(
            seen[0].message,
            "The library search path of /app/x and 1 more holds /srv/lib, which the container's user can write to"
        );
        assert_eq!((seen.len(), seen[1].subject.as_str()), (2, "/tmp/build/lib"));
    }

    #[test]
    fn fires_on_what_everybody_can_write_to_also_for_root_and_from_origin() {
        let mut builder = Builder::default();
        builder.directory("/tmp", 0o1777).user(User { uid: Some(0), gid: Some(0), ..User::default() });
        builder.elf("/tmp/x", 9, elf("$ORIGIN")).elf("/app/y", 9, elf("/tmp/build"));
        assert_eq!(messages(&mut builder).len(), 2);
    }

    #[test]
    fn is_silent_on_folders_of_root_on_origin_on_links_and_on_packages() {
        let mut builder = Builder::default();
        builder.directory("/usr/lib", 0o755).link("/lib", "usr/lib").directory("/app", 0o755).with_mode("/app", 0o755, 1000);
        builder.elf("/app/x", 9, elf("$ORIGIN/../lib:${ORIGIN}:/usr/lib:/lib:/builder/lib:/opt/$LIB:")).user(app());
        builder.elf("/usr/bin/p", 9, elf("lib")).in_package("p", &["/usr/bin/p"]);
        let rpath = ElfFacts { rpath: Some(b"lib"[..].into()), ..elf("/usr/lib") };
        builder.elf("/app/y", 9, rpath).elf("/app/z", 9, elf(""));
        let seen = messages(&mut builder);
        assert_eq!(seen.len(), 1, "but for the empty entry at the end: {seen:?}");
    }
}
