//! Globs over paths of an image, names of images and values of labels.
//!
//! `?` is any one byte, `*` any bytes, `[a-z]` and `[!a-z]` one byte of a set, `{a,b}` either, `\` takes the next character as it is.
//! In paths and names of images `?` and `*` stop at `/`, and `**` as a whole component crosses it: `/usr/bin/*`, `/opt/jdk/**`,
//! `**/node_modules/**`; a set holds what it says, so that `[!a]` fits `/` too. A glob fits the whole text or not at all; paths are compared as raw bytes. `/opt/jdk/**` fits
//! what lies below `/opt/jdk`, not the folder itself.

use globset::{Candidate, Glob, GlobBuilder, GlobSet};

/// Longer globs are refused: nobody writes them, and compiling one takes time and memory in proportion.
const MOST_BYTES: usize = 4096;

/// What a `/` is to a glob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slash {
    /// `*` stops there: paths, names of images.
    Separates,
    /// A character like others: values of labels.
    IsPlain,
}

/// Whether `pattern` is a glob; where it is not, why, in one clause.
pub fn check(pattern: &str) -> Result<(), String> {
    let glob = parse(pattern, Slash::Separates)?;
    GlobSet::new([glob]).map(|_| ()).map_err(|error| error.kind().to_string())
}

/// Whether `pattern` fits the whole of `text`. What is no glob fits nothing.
#[must_use]
pub fn fits(pattern: &str, text: &[u8], slash: Slash) -> bool {
    Globs::new(std::iter::once((0, pattern)), slash).is_match(text)
}

fn parse(pattern: &str, slash: Slash) -> Result<Glob, String> {
    if pattern.len() > MOST_BYTES {
        return Err(format!("a glob of {} bytes; at most {MOST_BYTES} are taken", pattern.len()));
    }
    let mut builder = GlobBuilder::new(pattern);
    builder.literal_separator(slash == Slash::Separates).backslash_escape(true);
    builder.build().map_err(|error| error.kind().to_string())
}

/// Many globs that are asked at once. What is no glob fits nothing: loading a policy tells of it, judging goes on without it.
#[derive(Debug, Clone)]
pub struct Globs {
    set: GlobSet,
    /// By position in the set: the caller's number.
    numbers: Vec<usize>,
}

impl Globs {
    /// Compiles globs, each with a number of the caller's.
    #[must_use]
    pub fn new<'a>(patterns: impl Iterator<Item = (usize, &'a str)>, slash: Slash) -> Self {
        let parsed: Vec<(usize, Glob)> =
            patterns.filter_map(|(number, pattern)| parse(pattern, slash).ok().map(|glob| (number, glob))).collect();
        let (numbers, globs): (Vec<usize>, Vec<Glob>) = parsed.into_iter().unzip();
        // globs that are too big together fit nothing together
        GlobSet::new(globs).map_or_else(|_| Self { set: GlobSet::empty(), numbers: Vec::new() }, |set| Self { set, numbers })
    }

    /// Whether any fits.
    #[must_use]
    pub fn is_match(&self, text: &[u8]) -> bool {
        self.set.is_match_candidate(&Candidate::from_bytes(text))
    }

    /// The numbers of those that fit, in the order they were given; `positions` is scratch space.
    pub(super) fn matches<'a>(&'a self, text: &[u8], positions: &'a mut Vec<usize>) -> impl Iterator<Item = usize> + 'a {
        self.set.matches_candidate_into(&Candidate::from_bytes(text), positions);
        positions.iter().filter_map(|position| self.numbers.get(*position).copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits_path(pattern: &str, path: &[u8]) -> bool {
        fits(pattern, path, Slash::Separates)
    }

    #[test]
    fn a_star_stops_at_a_slash_and_two_cross_it() {
        for (pattern, path, expected) in [
            ("/usr/bin/*", "/usr/bin/su", true),
            ("/usr/bin/*", "/usr/bin/a/su", false),
            ("/usr/*/su", "/usr/bin/su", true),
            ("/usr/bin/s?", "/usr/bin/su", true),
            ("/usr?bin", "/usr/bin", false),
            ("/opt/jdk/**", "/opt/jdk/bin/javac", true),
            ("/opt/jdk/**", "/opt/jdk", false),
            ("/opt/jdk/**", "/opt/jdk2/x", false),
            ("**/node_modules/**", "/srv/node_modules/a/b", true),
            ("**/su", "/su", true),
            ("su", "/usr/bin/su", false),
            ("/usr/bin", "/usr/bin/su", false),
            ("/usr/{bin,sbin}/su", "/usr/sbin/su", true),
            ("/usr/bin/[rs]u", "/usr/bin/su", true),
            ("/usr/bin/[!s]u", "/usr/bin/su", false),
            ("/usr/\\*", "/usr/*", true),
            ("/usr/\\*", "/usr/x", false),
            ("/USR/*", "/usr/x", false),
            ("", "/usr", false),
        ] {
            assert_eq!(fits_path(pattern, path.as_bytes()), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn a_set_holds_the_slash_only_where_it_says_so() {
        assert!(fits_path("/usr[!x]bin", b"/usr/bin") && fits_path("/usr[+-9]bin", b"/usr/bin"));
        assert!(!fits_path("/usr[a-z]bin", b"/usr/bin"));
    }

    #[test]
    fn paths_that_are_not_utf8_and_hold_newlines_are_matched_as_bytes() {
        assert!(fits_path("/srv/*", b"/srv/\xff\n\xfe"));
        assert!(fits_path("/srv/**", b"/srv/\xff/\n"));
        assert!(!fits_path("/srv/a", b"/srv/a\n"));
    }

    #[test]
    fn a_slash_in_the_value_of_a_label_is_a_character_like_others() {
        assert!(fits("https://*", b"https://example.com/a/b", Slash::IsPlain));
        assert!(!fits("https://*", b"http://example.com", Slash::IsPlain));
    }

    #[test]
    fn what_is_no_glob_fits_nothing_and_spoils_no_other() {
        for bad in ["[", "{a", "a}", "[z-a]", "\\", &"a".repeat(5000), &"{".repeat(4000)] {
            assert!(check(bad).is_err(), "{bad}");
            assert!(!fits_path(bad, bad.as_bytes()), "{bad}");
            let globs = Globs::new([(7, bad), (9, "/a/*")].into_iter(), Slash::Separates);
            assert_eq!(globs.matches(b"/a/b", &mut Vec::new()).collect::<Vec<_>>(), [9], "{bad}");
        }
        assert_eq!(check("/usr/**"), Ok(()));
    }

    proptest::proptest! {
        #[test]
        fn no_glob_and_no_path_panics(pattern: String, path: Vec<u8>) {
            let _ = (check(&pattern), fits(&pattern, &path, Slash::Separates), fits(&pattern, &path, Slash::IsPlain));
        }
    }
}
