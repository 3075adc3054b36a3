//! What the image says it is: `/etc/os-release`, or `/usr/lib/os-release` (os-release(5)).

use super::bodies::Bodies;
use crate::limits::Limits;

/// Where it is looked for, in order.
pub(super) const PATHS: [&[u8]; 2] = [b"/etc/os-release", b"/usr/lib/os-release"];

/// The fields that are used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OsRelease {
    /// `ID`, such as `debian`.
    pub id: String,
    /// `ID_LIKE`, split at spaces.
    pub id_like: Vec<String>,
    /// `VERSION_ID`, such as `12`.
    pub version_id: Option<String>,
    /// `PRETTY_NAME`.
    pub pretty_name: Option<String>,
}

/// The first of [`PATHS`] that is there.
pub(super) fn read(bodies: &mut Bodies<'_>) -> Option<OsRelease> {
    PATHS.into_iter().find_map(|path| bodies.read(path, Limits::kept_file_bytes)).map(parse)
}

/// Reads shell-like assignments; the last one of a name counts, as in a shell. `ID` is `linux` when it is not given.
fn parse(file: &[u8]) -> OsRelease {
    let mut found = OsRelease { id: "linux".to_owned(), ..OsRelease::default() };
    for line in file.split(|byte| *byte == b'\n') {
        let line = line.trim_ascii();
        if line.starts_with(b"#") {
            continue;
        }
        let Some(equals) = line.iter().position(|byte| *byte == b'=') else { continue };
        let (name, rest) = line.split_at_checked(equals).unwrap_or_default();
        let value = unquote(rest.get(1..).unwrap_or_default());
        match name {
            b"ID" => found.id = value,
            b"ID_LIKE" => found.id_like = value.split_whitespace().map(str::to_owned).collect(),
            b"VERSION_ID" => found.version_id = Some(value),
            b"PRETTY_NAME" => found.pretty_name = Some(value),
            _ => {}
        }
    }
    found
}

/// Takes off quotes and the backslashes before `$ " \ `` ` `` that double quotes need.
fn unquote(value: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(value.len());
    let mut quote = None;
    let mut rest = value.iter().copied();
    while let Some(byte) = rest.next() {
        match (quote, byte) {
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), _) if byte == open => quote = None,
            (None, b'\\') => bytes.extend(rest.next()),
            (Some(b'"'), b'\\') => match rest.next() {
                Some(escaped @ (b'$' | b'"' | b'\\' | b'`')) => bytes.push(escaped),
                other => bytes.extend(std::iter::once(byte).chain(other)),
            },
            (None, b' ' | b'\t') => break,
            _ => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::super::bodies::file_with;
    use super::*;
    use crate::rootfs::Rootfs;

    #[test]
    fn the_fields_are_read_without_their_quotes() {
        let found =
            parse(b"# c\nID=debian\nVERSION_ID=\"12\"\r\nID_LIKE='a b  c'\nPRETTY_NAME=\"De\\\"b \\$x \\n\" # no\nNAME=x\nID\n");
        assert_eq!(found.id, "debian");
        assert_eq!(found.version_id.as_deref(), Some("12"));
        assert_eq!(found.id_like, ["a", "b", "c"]);
        assert_eq!(found.pretty_name.as_deref(), Some("De\"b $x \\n"));
    }

    #[test]
    fn the_last_assignment_counts_and_a_missing_id_is_linux() {
        assert_eq!(parse(b"ID=a\nID=b").id, "b");
        assert_eq!(parse(b"").id, "linux");
        assert_eq!(parse(b"ID=a\\\"b").id, "a\"b");
    }

    #[test]
    fn the_file_in_etc_comes_before_the_one_in_usr_lib() {
        let limits = Limits::default();
        let mut rootfs = Rootfs::default();
        assert_eq!(read(&mut Bodies::new(&rootfs, &limits)), None);
        rootfs.insert(b"/usr/lib/os-release", file_with(b"ID=vendor"));
        assert_eq!(read(&mut Bodies::new(&rootfs, &limits)).unwrap().id, "vendor");
        rootfs.insert(b"/etc/os-release", file_with(b"ID=local"));
        assert_eq!(read(&mut Bodies::new(&rootfs, &limits)).unwrap().id, "local");
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_without_growing(file: Vec<u8>) {
            let found = parse(&file);
            // each byte that is no UTF-8 becomes three
            proptest::prop_assert!(found.id.len() <= file.len().saturating_mul(3).max(5));
        }
    }
}
