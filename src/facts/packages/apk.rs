//! apk's database of installed packages (apk-package(5)): one letter, a colon and a value per line, an empty line between packages.

use super::asked;
use super::collect::Collector;
use super::relations::{Relations, Writer, split_word};
use super::{DatabaseKind, ListedFile, Package, Report, Take, text};

/// Where it is: apk-tools 2, and apk-tools 3 with a merged `/usr`.
pub(super) const PATHS: [&[u8]; 2] = [b"/lib/apk/db/installed", b"/usr/lib/apk/db/installed"];

/// What apk gives a file that has no `a:` line.
const FILE_MODE: u16 = 0o644;

pub(super) fn read(collector: &mut Collector<'_, '_>) {
    let before = collector.count();
    for path in PATHS {
        collector.read(DatabaseKind::Apk, path, parse);
    }
    if collector.count() > before
        && let Some(world) = collector.body(asked::APK)
    {
        asked::mark_apk(world, collector.added_since(before));
    }
}

fn parse(body: &[u8], take: &mut Take<'_>) -> Report {
    let mut report = Report::default();
    let mut rest = body;
    while !rest.is_empty() {
        let end = memchr::memmem::find(rest, b"\n\n").unwrap_or(rest.len());
        let (stanza, after) = rest.split_at_checked(end).unwrap_or_default();
        rest = after.get(2..).unwrap_or_default();
        let Some(package) = package(stanza, &mut report) else { continue };
        if let Err(hit) = take(package, &mut files(stanza)) {
            report.failure = Some(hit.to_string());
            break;
        }
    }
    report
}

/// Letter and value of a line.
fn field(line: &[u8]) -> Option<(u8, &[u8])> {
    let (letter, rest) = line.split_first()?;
    Some((*letter, rest.strip_prefix(b":")?))
}

fn package(stanza: &[u8], report: &mut Report) -> Option<Package> {
    let (mut name, mut origin) = (None, None);
    let (mut version, mut architecture) = (&b""[..], &b""[..]);
    let (mut requires, mut provides) = (Relations::default(), Relations::default());
    let mut is_empty = true;
    for line in stanza.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        is_empty = false;
        match field(line) {
            Some((b'P', value)) => name = Some(value).filter(|name| !name.is_empty()),
            Some((b'V', value)) => version = value,
            Some((b'A', value)) => architecture = value,
            Some((b'o', value)) => origin = Some(value),
            Some((b'D', value)) => requires = relations(value),
            Some((b'p', value)) => provides = relations(value),
            Some((b'a', value)) if access(value).is_none() => report.note("a file's access line cannot be read"),
            Some(_) => {}
            None => report.note("a line is no field"),
        }
    }
    if is_empty {
        return None;
    }
    let Some(name) = name else {
        report.note("a package has no name");
        return None;
    };
    if version.is_empty() {
        report.note("a package has no version");
    }
    Some(Package {
        name: text(name),
        version: text(version),
        architecture: text(architecture),
        source: origin.map(text),
        requires,
        provides,
        ..Package::default()
    })
}

/// `musl>=1.2 so:libz.so.1 !conflict`: names that must not be there are left out.
fn relations(value: &[u8]) -> Relations {
    let value = String::from_utf8_lossy(value);
    let mut writer = Writer::default();
    for word in value.split_ascii_whitespace().filter(|word| !word.starts_with('!')) {
        let (name, constraint) = split_word(word);
        // a repository's tag
        writer.one(name.split('@').next().unwrap_or_default(), constraint);
    }
    writer.finish()
}

/// The files of a stanza: `F:` sets the folder, `R:` names a file, `a:` after it gives its mode.
fn files(stanza: &[u8]) -> impl Iterator<Item = ListedFile<'_>> {
    let mut fields = stanza.split(|byte| *byte == b'\n').filter_map(field).peekable();
    let mut folder = &b""[..];
    std::iter::from_fn(move || {
        loop {
            match fields.next()? {
                (b'F', value) => folder = value,
                (b'R', name) => {
                    let mut mode = FILE_MODE;
                    while let Some((letter, value)) = fields.next_if(|(letter, _)| matches!(letter, b'a' | b'Z')) {
                        mode = if letter == b'a' { access(value).unwrap_or(mode) } else { mode };
                    }
                    return Some(ListedFile { folder, name, mode: Some(mode) });
                }
                _ => {}
            }
        }
    })
}

/// The mode of `UID:GID:MODE`, octal, perhaps followed by more.
fn access(value: &[u8]) -> Option<u16> {
    let digits = value.split(|byte| *byte == b':').nth(2)?;
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok().filter(|mode| *mode <= 0o7777)
}

#[cfg(test)]
mod tests {
    use super::super::super::bodies::{Bodies, file_with};
    use super::super::relations::shown;
    use super::*;
    use crate::limits::{LimitHit, Limits};
    use crate::rootfs::{Inode, InodeKind, Rootfs};

    #[test]
    fn what_a_package_requires_and_provides_is_read() {
        let (found, report) = parsed(b"P:a\nV:1\nD:musl>=1.2 so:libz.so.1 !bad /bin/sh x@edge=2\np:so:liba.so.1=1.0 cmd:a=1\n");
        assert_eq!(report, Report::default());
        assert_eq!(shown(&found[0].0.requires), ["musl (>= 1.2)", "so:libz.so.1", "/bin/sh", "x (= 2)"]);
        assert_eq!(shown(&found[0].0.provides), ["so:liba.so.1 (= 1.0)", "cmd:a (= 1)"]);
    }

    const SAMPLE: &[u8] = b"C:Q1x\nP:busybox\nV:1.36-r1\nA:x86_64\no:busybox-src\nF:bin\nM:0:0:755\nR:busybox\na:0:0:4755\nZ:Q1y\nR:note\nF:\nR:top\n\nP:musl\nV:1\n";

    type Found = Vec<(Package, Vec<(String, u16)>)>;

    fn parsed(body: &[u8]) -> (Found, Report) {
        let mut found = Vec::new();
        let report = parse(body, &mut |package, files| {
            let name = |file: ListedFile<'_>| format!("{}/{}", text(file.folder), text(file.name));
            found.push((package, files.map(|file| (name(file), file.mode.unwrap())).collect()));
            Ok(())
        });
        (found, report)
    }

    #[test]
    fn packages_come_with_their_files_and_modes() {
        let (found, report) = parsed(SAMPLE);
        assert_eq!(report, Report::default());
        let (busybox, files) = &found[0];
        assert_eq!((busybox.name.as_str(), busybox.version.as_str()), ("busybox", "1.36-r1"));
        assert_eq!((busybox.architecture.as_str(), busybox.source.as_deref()), ("x86_64", Some("busybox-src")));
        let expected = [("bin/busybox", 0o4755), ("bin/note", 0o644), ("/top", 0o644)];
        assert_eq!(*files, expected.map(|(path, mode)| (path.to_owned(), mode)));
        assert_eq!(found[1].0.name, "musl");
    }

    #[test]
    fn oddities_are_noted_and_the_rest_is_read() {
        let (found, report) = parsed(b"V:1\n\nP:a\nthing\na:0:0:755\n\n\nP:b\nV:1\nR:x\na:0:0:rwx\n");
        assert_eq!(found.len(), 2);
        assert_eq!(report.notes.len(), 4, "{report:?}");
    }

    #[test]
    fn a_parser_stops_when_it_is_told_to() {
        let mut count = 0;
        let report = parse(SAMPLE, &mut |_, _| {
            count += 1;
            Err(LimitHit { name: "packages", limit: 0, found: 1 })
        });
        assert_eq!(count, 1);
        assert!(report.failure.is_some());
    }

    #[test]
    fn one_database_under_two_names_is_read_once_and_two_are_both_read() {
        let limits = Limits::default();
        let mut rootfs = Rootfs::default();
        rootfs.insert(PATHS[1], file_with(SAMPLE));
        rootfs.insert(b"/lib", Inode::new(InodeKind::Symlink { target: b"usr/lib".as_slice().into() }, 0o777, 0));
        let program = rootfs.insert(b"/bin/busybox", Inode::new(InodeKind::File { size: 1 }, 0o755, 0));
        let mut bodies = Bodies::new(&rootfs, &limits);
        let packages = super::super::read(&mut bodies);
        assert_eq!(packages.databases.len(), 1);
        assert_eq!(packages.owner(&rootfs, program).and_then(|(_, file)| file.mode), Some(0o4755));
        rootfs.insert(PATHS[0], file_with(b"P:other\nV:1\n"));
        let mut bodies = Bodies::new(&rootfs, &limits);
        let names: Vec<_> = super::super::read(&mut bodies).list.into_iter().map(|package| package.name).collect();
        assert_eq!(names, ["busybox", "musl", "other"]);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_parsed(body: Vec<u8>) {
            let _ = parsed(&body);
        }
    }
}
