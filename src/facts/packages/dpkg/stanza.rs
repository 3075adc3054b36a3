//! One stanza of a control file, as deb-control(5) and dpkg's `status` write them.

use super::super::{Package, Report, text};
use super::relations;

/// The fields of a stanza that are used.
#[derive(Default)]
pub(super) struct Stanza<'a> {
    is_empty: bool,
    package: Option<&'a [u8]>,
    status: Option<&'a [u8]>,
    version: Option<&'a [u8]>,
    architecture: Option<&'a [u8]>,
    source: Option<&'a [u8]>,
    essential: Option<&'a [u8]>,
    priority: Option<&'a [u8]>,
    /// `Pre-Depends` and `Depends`.
    requires: Vec<u8>,
    provides: Vec<u8>,
    folded: Folded,
}

/// The field that a line with white space before it goes on with, when it is one that is used.
#[derive(Default, Clone, Copy)]
enum Folded {
    #[default]
    Other,
    Requires,
    Provides,
}

impl<'a> Stanza<'a> {
    pub(super) fn new() -> Self {
        Self { is_empty: true, ..Self::default() }
    }

    pub(super) fn add(&mut self, line: &'a [u8], report: &mut Report) {
        self.is_empty = false;
        if line.starts_with(b" ") || line.starts_with(b"\t") {
            // of the fields that are used only relations may be folded
            if let Some(list) = self.list() {
                list.push(b' ');
                list.extend_from_slice(line);
            }
            return;
        }
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            report.note("a line is neither a field nor the continuation of one");
            return;
        };
        let (name, rest) = line.split_at_checked(colon).unwrap_or_default();
        self.folded = Folded::Other;
        let value = rest.get(1..).unwrap_or_default().trim_ascii();
        let field = match name.to_ascii_lowercase().as_slice() {
            b"package" => &mut self.package,
            b"status" => &mut self.status,
            b"version" => &mut self.version,
            b"architecture" => &mut self.architecture,
            b"source" => &mut self.source,
            b"essential" => &mut self.essential,
            b"priority" => &mut self.priority,
            b"depends" | b"pre-depends" => return self.open(Folded::Requires, value),
            b"provides" => return self.open(Folded::Provides, value),
            _ => return,
        };
        *field = Some(value);
    }

    fn open(&mut self, folded: Folded, value: &[u8]) {
        self.folded = folded;
        if let Some(list) = self.list() {
            list.extend([b", ", value].concat());
        }
    }

    fn list(&mut self) -> Option<&mut Vec<u8>> {
        match self.folded {
            Folded::Other => None,
            Folded::Requires => Some(&mut self.requires),
            Folded::Provides => Some(&mut self.provides),
        }
    }

    /// The package, when its files are there: `Status` has want, flag and state, and a stanza without `Status`
    /// (distroless) counts.
    pub(super) fn into_package(self, report: &mut Report) -> Option<Package> {
        if self.is_empty {
            return None;
        }
        let state = self.status.map(|status| status.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).nth(2));
        if matches!(state, Some(Some(b"not-installed" | b"config-files"))) {
            return None;
        }
        if matches!(state, Some(None)) {
            report.note("a status has fewer than three words");
        }
        let Some(name) = self.package.filter(|name| !name.is_empty()) else {
            report.note("a stanza has no package name");
            return None;
        };
        if self.version.is_none_or(<[u8]>::is_empty) {
            report.note("a package has no version");
        }
        let source = self.source.and_then(|source| source.split(u8::is_ascii_whitespace).next()).map(text);
        Some(Package {
            name: text(name),
            version: self.version.map(text).unwrap_or_default(),
            architecture: self.architecture.map(text).unwrap_or_default(),
            source,
            requires: relations::parse(&self.requires),
            provides: relations::parse(&self.provides),
            asked_for: None,
            is_base: self.essential == Some(b"yes") || self.priority == Some(b"required"),
        })
    }
}
