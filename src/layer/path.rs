//! Entry names as runtimes clean them: Go's `filepath.Clean` under the root, and never above it.

use crate::limits::{LimitHit, Limits};
use crate::oci::Code;

/// Why a name can be given to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// The name breaks a rule: its code, and the numbers as one clause.
    Name(Code, String),
    /// A limit that is no property of file systems.
    Limit(LimitHit),
}

/// Spans hold 16 bits of length, whatever the limits are raised to.
const MOST_BYTES: u64 = u16::MAX as u64;

/// Writes the absolute, clean form of `name` to `out`: `/` for the root, else `/a/b`. Returns whether the name was spelled
/// otherwise than with an optional `./` or `/` before and an optional `/` after it.
pub(super) fn clean(name: &[u8], limits: &Limits, out: &mut Vec<u8>) -> Result<bool, Fault> {
    out.clear();
    let mut depth = 0_u64;
    let mut is_odd = false;
    let last = name.split(|byte| *byte == b'/').count().saturating_sub(1);
    for (at, component) in name.split(|byte| *byte == b'/').enumerate() {
        match component {
            b"" | b"." => is_odd |= !(at == 0 || (at == last && component.is_empty())),
            b".." => {
                is_odd = true;
                let parent = out.iter().rposition(|byte| *byte == b'/');
                let parent = parent.ok_or_else(|| Fault::Name(Code::PathEscapesRoot, "climbs above the root".to_owned()))?;
                out.truncate(parent);
                depth = depth.saturating_sub(1);
            }
            component => {
                check_component(component, limits)?;
                out.push(b'/');
                out.extend_from_slice(component);
                depth = depth.saturating_add(1);
            }
        }
    }
    if out.is_empty() {
        out.push(b'/');
    }
    check_length(out, limits.path_bytes, "a path")?;
    limits.path_depth(depth).map_err(Fault::Limit)?;
    Ok(is_odd)
}

/// Checks the length of a symbolic link's target, which is kept as written.
pub(super) fn check_target(target: &[u8], limits: &Limits) -> Result<(), Fault> {
    check_length(target, limits.link_bytes, "a link target")
}

fn check_component(component: &[u8], limits: &Limits) -> Result<(), Fault> {
    let found = byte_count(component);
    if found > limits.name_bytes {
        let detail = format!("a component of {found} bytes, at most {} fit", limits.name_bytes);
        return Err(Fault::Name(Code::NameTooLong, detail));
    }
    Ok(())
}

fn check_length(bytes: &[u8], limit: u64, what: &str) -> Result<(), Fault> {
    let limit = limit.min(MOST_BYTES);
    let found = byte_count(bytes);
    if found > limit {
        return Err(Fault::Name(Code::PathTooLong, format!("{what} of {found} bytes, at most {limit} fit")));
    }
    Ok(())
}

fn byte_count(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cleaned(name: &[u8]) -> Result<(String, bool), Fault> {
        let mut out = Vec::new();
        clean(name, &Limits::default(), &mut out).map(|is_odd| (String::from_utf8_lossy(&out).into_owned(), is_odd))
    }

    #[test]
    fn usual_spellings_are_silent() {
        for (name, path) in [
            (&b"a"[..], "/a"),
            (b"./a", "/a"),
            (b"/a", "/a"),
            (b"a/", "/a"),
            (b"./a/b/", "/a/b"),
            (b"", "/"),
            (b".", "/"),
            (b"./", "/"),
            (b"/", "/"),
            (b"..a/...", "/..a/..."),
        ] {
            assert_eq!(cleaned(name), Ok((path.to_owned(), false)), "{name:?}");
        }
    }

    #[test]
    fn other_spellings_are_cleaned_and_told() {
        for (name, path) in [
            (&b"a//b"[..], "/a/b"),
            (b"//a", "/a"),
            (b"a/./b", "/a/b"),
            (b"././a", "/a"),
            (b"a/../b", "/b"),
            (b"a/b/../../c", "/c"),
            (b"a/..", "/"),
            (b"a/.", "/a"),
            (b"a//", "/a"),
        ] {
            assert_eq!(cleaned(name), Ok((path.to_owned(), true)), "{name:?}");
        }
    }

    #[test]
    fn names_above_the_root_are_refused() {
        for name in [&b".."[..], b"../a", b"/../a", b"a/../../b", b"./.."] {
            assert!(matches!(cleaned(name), Err(Fault::Name(Code::PathEscapesRoot, _))), "{name:?}");
        }
    }

    #[test]
    fn names_that_no_file_system_holds_are_refused() {
        assert!(cleaned(&[b'a'; 255]).is_ok());
        assert!(matches!(cleaned(&[b'a'; 256]), Err(Fault::Name(Code::NameTooLong, _))));
        let long = b"abcdefgh/".repeat(455);
        assert_eq!(cleaned(&long).unwrap().0.len(), 4_095);
        let longer = [&b"x"[..], &long].concat();
        assert!(matches!(cleaned(&longer), Err(Fault::Name(Code::PathTooLong, _))));
        assert!(matches!(check_target(&[b'a'; 4_096], &Limits::default()), Err(Fault::Name(Code::PathTooLong, _))));
    }

    #[test]
    fn depth_is_limited() {
        let limits = Limits { path_depth: 3, ..Limits::default() };
        assert!(clean(b"a/b/c", &limits, &mut Vec::new()).is_ok());
        assert!(matches!(clean(b"a/b/c/d", &limits, &mut Vec::new()), Err(Fault::Limit(_))));
    }

    proptest::proptest! {
        #[test]
        fn a_cleaned_name_is_clean(name in proptest::collection::vec(proptest::sample::select(b"./ab".to_vec()), 0..40)) {
            if let Ok((path, _)) = cleaned(&name) {
                proptest::prop_assert!(path.starts_with('/'));
                let is_clean = path == "/" || path.split('/').skip(1).all(|part| !matches!(part, "" | "." | ".."));
                proptest::prop_assert!(is_clean, "{}", path);
                proptest::prop_assert_eq!(cleaned(path.as_bytes()), Ok((path, false)));
            }
        }
    }
}
