//! Files that lie elsewhere than their package's list says, because another package or the administrator wants the place
//! (dpkg-divert(1)): three lines each, the place, where the file lies instead, and who wants the place (`:` is nobody's package).

use std::collections::HashMap;

use super::super::Report;

pub(super) const PATH: &[u8] = b"/var/lib/dpkg/diversions";

/// Every diversion, by the place.
#[derive(Debug, Default)]
pub(super) struct Diversions<'a>(HashMap<&'a [u8], Diversion<'a>>);

#[derive(Debug)]
struct Diversion<'a> {
    to: &'a [u8],
    package: &'a [u8],
}

impl<'a> Diversions<'a> {
    pub(super) fn parse(body: &'a [u8], report: &mut Report) -> Self {
        let mut found = HashMap::new();
        let mut lines = body.split(|byte| *byte == b'\n');
        while let Some(from) = lines.next().filter(|from| !from.is_empty()) {
            let (Some(to), Some(package)) = (lines.next(), lines.next().filter(|package| !package.is_empty())) else {
                report.note("the list of diversions ends within one");
                break;
            };
            if found.insert(from, Diversion { to, package }).is_some() {
                report.note("a file is diverted twice");
            }
        }
        Self(found)
    }

    /// Where the file lies that the list of `package` has at `path`.
    pub(super) fn place_of(&self, package: &str, path: &'a [u8]) -> &'a [u8] {
        match self.0.get(path) {
            Some(diversion) if diversion.package != package.as_bytes() => diversion.to,
            _ => path,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(body: &[u8]) -> (Diversions<'_>, Vec<String>) {
        let mut report = Report::default();
        let diversions = Diversions::parse(body, &mut report);
        (diversions, report.notes)
    }

    #[test]
    fn the_place_is_its_package_s_and_the_file_of_all_others_lies_elsewhere() {
        let (diversions, notes) = parsed(b"/bin/sh\n/bin/sh.distrib\ndash\n/usr/bin/su\n/usr/bin/su.real\n:\n");
        assert!(notes.is_empty());
        assert_eq!(diversions.place_of("dash", b"/bin/sh"), b"/bin/sh");
        assert_eq!(diversions.place_of("bash", b"/bin/sh"), b"/bin/sh.distrib");
        assert_eq!(diversions.place_of("util-linux", b"/usr/bin/su"), b"/usr/bin/su.real");
        assert_eq!(diversions.place_of("util-linux", b"/usr/bin/mount"), b"/usr/bin/mount");
    }

    #[test]
    fn a_list_that_is_cut_short_or_says_two_things_is_noted() {
        assert_eq!(parsed(b"/a\n/b\n").1, ["the list of diversions ends within one"]);
        assert_eq!(parsed(b"/a").1, ["the list of diversions ends within one"]);
        assert_eq!(parsed(b"/a\n/b\nx\n/a\n/c\ny\n").1, ["a file is diverted twice"]);
        assert!(parsed(b"").1.is_empty());
    }
}
