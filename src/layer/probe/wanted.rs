//! Which small bodies are kept while they stream by, because the facts read them. What is not kept here is asked for again
//! with `read_bodies`, so the table saves second passes and decides nothing.

use super::test_tools::test_tool;
use crate::limits::{KIB, Limits};

/// Files of at most this size are looked at for the form of a user database, whatever their name.
const SNIFFED_BYTES: u64 = 64 * KIB;

/// How a path is recognised.
#[derive(Debug, Clone, Copy)]
enum Rule {
    /// The base name.
    Name(&'static [u8]),
    /// The end of the path, from a slash on.
    End(&'static [u8]),
    /// Any file directly in a folder whose path ends so.
    In(&'static [u8]),
    /// Folder whose path ends so, and the base name's end.
    InWithEnd(&'static [u8], &'static [u8]),
    /// RECORD in the `.dist-info` folder of a test tool.
    TestRecord,
}

/// What is kept, and why.
const TABLE: &[(Rule, &str)] = &[
    (Rule::Name(b"passwd"), "user names, read through links: any folder"),
    (Rule::Name(b"group"), "group names, likewise"),
    (Rule::Name(b"os-release"), "what the image says it is; /etc/os-release is often a link"),
    (Rule::End(b"/dpkg/status"), "packages of Debian and its kin"),
    (Rule::In(b"/dpkg/status.d"), "packages of distroless images, one file each"),
    (Rule::InWithEnd(b"/dpkg/info", b".list"), "the files that a package owns"),
    (Rule::End(b"/dpkg/diversions"), "files of packages that lie under another name"),
    (Rule::End(b"/apk/db/installed"), "packages of Alpine and Wolfi, and their files"),
    (Rule::End(b"/apt/extended_states"), "which packages came for others"),
    (Rule::End(b"/apk/world"), "which packages were asked for"),
    (Rule::End(b"/libdnf5/packages.toml"), "likewise"),
    (Rule::Name(b"rpmdb.sqlite"), "packages of rpm, SQLite"),
    (Rule::Name(b"Packages.db"), "packages of rpm, ndb"),
    (Rule::End(b"/rpm/Packages"), "packages of rpm, Berkeley DB"),
    (Rule::End(b"/node_modules/.package-lock.json"), "which packages of npm only development needs"),
    (Rule::TestRecord, "the files of Python's test tools"),
    (Rule::Name(b"ld.so.cache"), "where glibc's loader finds libraries"),
    (Rule::InWithEnd(b"/etc", b".path"), "where musl's loader looks for them"),
    (Rule::Name(b"release"), "vendor and version of a JDK"),
    (Rule::End(b"/etc/shadow"), "accounts without a password"),
    (Rule::Name(b"sources.list"), "whom apt trusts"),
    (Rule::In(b"/apt/sources.list.d"), "likewise"),
    (Rule::Name(b"apt.conf"), "likewise"),
    (Rule::In(b"/apt/apt.conf.d"), "likewise"),
    (Rule::In(b"/yum.repos.d"), "whom dnf and yum trust"),
    (Rule::In(b"/zypp/repos.d"), "whom zypper trusts"),
    (Rule::Name(b"yum.conf"), "whom yum trusts"),
    (Rule::Name(b"dnf.conf"), "whom dnf trusts"),
    (Rule::Name(b"pip.conf"), "whom pip trusts"),
    (Rule::Name(b".npmrc"), "whom npm trusts"),
    (Rule::Name(b"npmrc"), "likewise"),
    (Rule::Name(b"sudoers"), "who becomes root without a password"),
    (Rule::In(b"/sudoers.d"), "likewise"),
    (Rule::Name(b"doas.conf"), "likewise"),
    (Rule::In(b"/doas.d"), "likewise"),
];

/// Whether a body is wanted for its path.
pub(super) fn is_wanted(path: &[u8], size: u64, limits: &Limits) -> bool {
    let (folder, name) = split(path);
    let rule = TABLE.iter().map(|(rule, _)| rule).find(|rule| match rule {
        Rule::Name(wanted) => name == *wanted,
        Rule::End(end) => path.ends_with(end),
        Rule::In(wanted) => folder.ends_with(wanted),
        Rule::InWithEnd(wanted, end) => folder.ends_with(wanted) && name.ends_with(end),
        Rule::TestRecord => name == b"RECORD" && test_tool(split(folder).1).is_some(),
    });
    match rule {
        Some(Rule::Name(b"passwd" | b"group") | Rule::End(b"/etc/shadow")) => size <= limits.user_database_bytes,
        // the databases of packages are the only large ones
        Some(Rule::Name(b"rpmdb.sqlite" | b"Packages.db") | Rule::In(b"/dpkg/status.d")) => size <= limits.package_database_bytes,
        Some(Rule::Name(b"ld.so.cache") | Rule::InWithEnd(b"/etc", _)) => size <= limits.linker_file_bytes,
        Some(Rule::Name(_) | Rule::In(_)) => size <= SNIFFED_BYTES,
        Some(Rule::TestRecord | Rule::End(b"/node_modules/.package-lock.json")) => size <= limits.kept_file_bytes,
        Some(_) => size <= limits.package_database_bytes,
        None => false,
    }
}

/// Entry scripts of at most this size are kept.
const SCRIPT_BYTES: u64 = 64 * KIB;

/// What scripts that start a container are called, apart from those that end with `.sh`.
const SCRIPT_NAMES: &[&[u8]] = &[b"boot", b"healthcheck", b"init", b"launch", b"run", b"serve", b"start", b"web"];

/// Whether a file may be a script that starts a container or checks its health, by its name.
pub(super) fn is_called_like_an_entry(path: &[u8], size: u64) -> bool {
    let (folder, name) = split(path);
    let is_of_the_system =
        [&b"/usr/share"[..], b"/usr/lib", b"/usr/src", b"/var", b"/etc"].iter().any(|start| folder.starts_with(start));
    let is_entry = name.windows(5).any(|part| part == b"entry") || name.ends_with(b".sh") || SCRIPT_NAMES.contains(&name);
    size <= SCRIPT_BYTES && is_entry && !is_of_the_system
}

/// Whether a file that starts with `head` is for a shell: `#!/bin/sh`, `#!/usr/bin/env bash`.
pub(super) fn is_for_a_shell(head: &[u8]) -> bool {
    let Some(line) = head.strip_prefix(b"#!").and_then(|rest| rest.split(|byte| *byte == b'\n').next()) else { return false };
    line.split(|byte| matches!(byte, b' ' | b'\t' | b'/' | b'\r')).any(|word| matches!(word, b"sh" | b"bash" | b"dash" | b"ash"))
}

/// Whether a file that starts with `head` may be a user database under another name (reached through a link): a first line of
/// seven (passwd) or four (group) fields, the third a number.
pub(super) fn may_be_user_database(head: &[u8], size: u64) -> bool {
    if size > SNIFFED_BYTES {
        return false;
    }
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let fields = line.split(|byte| *byte == b':').count();
    let Some(id) = line.split(|byte| *byte == b':').nth(2) else { return false };
    matches!(fields, 4 | 7) && !id.is_empty() && id.iter().all(u8::is_ascii_digit)
}

fn split(path: &[u8]) -> (&[u8], &[u8]) {
    let slash = path.iter().rposition(|byte| *byte == b'/').unwrap_or_default();
    (path.get(..slash).unwrap_or_default(), path.get(slash.saturating_add(1)..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(path: &str) -> bool {
        is_wanted(path.as_bytes(), 100, &Limits::default())
    }

    #[test]
    fn databases_are_wanted_wherever_a_link_may_find_them() {
        for path in [
            "/etc/passwd",
            "/opt/real/passwd",
            "/etc/group",
            "/usr/lib/os-release",
            "/var/lib/dpkg/status",
            "/var/lib/dpkg/status.d/base-files",
            "/var/lib/dpkg/info/libc6:amd64.list",
            "/var/lib/dpkg/diversions",
            "/lib/apk/db/installed",
            "/usr/lib/apk/db/installed",
            "/var/lib/apt/extended_states",
            "/etc/apk/world",
            "/usr/lib/sysimage/libdnf5/packages.toml",
            "/usr/lib/sysimage/rpm/rpmdb.sqlite",
            "/var/lib/rpm/Packages.db",
            "/var/lib/rpm/Packages",
            "/opt/java/release",
            "/app/node_modules/.package-lock.json",
            "/usr/lib/python3/site-packages/pytest-8.3.4.dist-info/RECORD",
        ] {
            assert!(wanted(path), "{path}");
        }
    }

    #[test]
    fn other_files_are_not_wanted() {
        for path in [
            "/var/lib/dpkg/info/a.md5sums",
            "/srv/status",
            "/etc/passwd-",
            "/srv/Packages",
            "/var/lib/dpkg/status.d/a/b",
            "/a/django-5.dist-info/RECORD",
            "/app/package-lock.json",
        ] {
            assert!(!wanted(path), "{path}");
        }
    }

    #[test]
    fn entry_scripts_are_told_by_name_and_shell() {
        for path in ["/entrypoint.sh", "/usr/local/bin/docker-entrypoint", "/app/start.sh", "/app/run", "/docker-entry"] {
            assert!(is_called_like_an_entry(path.as_bytes(), 9), "{path}");
        }
        for path in ["/usr/share/doc/entrypoint.sh", "/app/server", "/etc/init.d/run", "/var/lib/dpkg/info/a.sh"] {
            assert!(!is_called_like_an_entry(path.as_bytes(), 9), "{path}");
        }
        assert!(!is_called_like_an_entry(b"/entrypoint.sh", SCRIPT_BYTES + 1));
        assert!(is_for_a_shell(b"#!/bin/sh\n") && is_for_a_shell(b"#! /usr/bin/env bash -e\r\nx"));
        assert!(!is_for_a_shell(b"#!/usr/bin/python3\n/bin/sh") && !is_for_a_shell(b"/bin/sh\n"));
    }

    #[test]
    fn bodies_over_the_limits_are_left_to_a_second_pass() {
        let limits = Limits { user_database_bytes: 10, package_database_bytes: 20, ..Limits::default() };
        assert!(is_wanted(b"/etc/passwd", 10, &limits) && !is_wanted(b"/etc/passwd", 11, &limits));
        assert!(is_wanted(b"/var/lib/dpkg/status", 20, &limits) && !is_wanted(b"/var/lib/dpkg/status", 21, &limits));
    }

    #[test]
    fn user_databases_are_told_by_their_first_line() {
        assert!(may_be_user_database(b"root:x:0:0:root:/root:/bin/sh\n", 30));
        assert!(may_be_user_database(b"root:x:0:\n", 10));
        assert!(!may_be_user_database(b"a:b:c:d\n", 8));
        assert!(!may_be_user_database(b"key: value\n", 11));
        assert!(!may_be_user_database(b"root:x:0:\n", SNIFFED_BYTES + 1));
    }
}
