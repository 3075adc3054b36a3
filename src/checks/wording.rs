//! Numbers as people read them, for the messages of checks.

use crate::limits::{GIB, KIB, MIB};
use crate::oci::escape;

/// How many names a message shows before it only counts.
const SHOWN: usize = 4;

/// Bytes in IEC units with at most one decimal: `512 bytes`, `3.4 KiB`, `112 MiB`.
pub(super) fn bytes(count: u64) -> String {
    let (unit, name) = match count {
        0..KIB => return counted(count, "byte"),
        KIB..MIB => (KIB, "KiB"),
        MIB..GIB => (MIB, "MiB"),
        _ => (GIB, "GiB"),
    };
    let tenths = (u128::from(count) * 10 + u128::from(unit) / 2) / u128::from(unit);
    if tenths < 100 { format!("{}.{} {name}", tenths / 10, tenths % 10) } else { format!("{} {name}", (tenths + 5) / 10) }
}

/// A count with its noun, whose plural takes an `s`: `1 file`, `3 files`.
pub(super) fn counted(count: u64, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// A length as a count.
pub(super) fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// The subject of an observation that has a label: `Go modules` becomes `go-modules`.
pub(super) fn key(label: &str) -> String {
    label.to_ascii_lowercase().replace(' ', "-")
}

/// The subject of an observation about one path: the path itself, when it is text. Another starts unlike any path, so that no two
/// are the same.
pub(super) fn path_key(path: &[u8]) -> String {
    String::from_utf8(path.to_vec()).unwrap_or_else(|_| format!("bytes:{}", escape(path)))
}

/// Names from the image, escaped, sorted, each once: `a, b, c, d and 3 more`.
pub(super) fn names<'a>(names: impl Iterator<Item = &'a [u8]>) -> String {
    let sorted: std::collections::BTreeSet<&[u8]> = names.collect();
    let shown: Vec<String> = sorted.iter().take(SHOWN).map(|name| escape(name)).collect();
    match sorted.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read_at_a_glance() {
        let shown: Vec<_> = [0, 1, 1023, 1024, 1536, 10 * 1024, 1024 * 1024 - 1, 117_440_512, 3 * GIB].map(bytes).into();
        assert_eq!(shown, ["0 bytes", "1 byte", "1023 bytes", "1.0 KiB", "1.5 KiB", "10 KiB", "1024 KiB", "112 MiB", "3.0 GiB"]);
        assert!(bytes(u64::MAX).ends_with("GiB"));
    }

    #[test]
    fn paths_that_are_no_text_have_keys_of_their_own() {
        assert_eq!(path_key(b"/usr/bin/caf\xc3\xa9"), "/usr/bin/caf\u{e9}");
        let keys = [&b"/a\xff"[..], b"/a\xfe", b"/a\\xff", "/a\u{fffd}".as_bytes()].map(path_key);
        assert_eq!(std::collections::BTreeSet::from(keys.clone()).len(), keys.len(), "{keys:?}");
    }

    #[test]
    fn many_names_are_cut_and_counted() {
        assert_eq!(names([&b"b"[..], b"a", b"b"].into_iter()), "a, b");
        assert_eq!(names([&b"a"[..], b"b", b"c", b"d", b"e\x1b", b"f"].into_iter()), "a, b, c, d and 2 more");
    }
}
