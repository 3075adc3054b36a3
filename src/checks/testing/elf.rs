//! What the tests of checks of ELF files say of an image.

use super::Builder;
use crate::facts::{MissingLibrary, MissingVersion};

impl Builder {
    /// Files that the container's program loads, itself among them.
    pub(in crate::checks) fn loads(&mut self, paths: &[&str]) -> &mut Self {
        self.linking.objects = paths.iter().map(|path| self.node(path)).collect();
        self
    }

    /// A library that `needed_by` need and that is found nowhere; `elsewhere` are files of its name.
    pub(in crate::checks) fn missing_library(&mut self, name: &str, needed_by: &[&str], elsewhere: &[&str]) -> &mut Self {
        let nodes = |paths: &[&str]| paths.iter().map(|path| self.node(path)).collect();
        let (needed_by, elsewhere) = (nodes(needed_by), nodes(elsewhere));
        let searched = vec![b"/etc/ld.so.cache".to_vec(), b"/usr/lib/".to_vec()];
        self.linking.missing.push(MissingLibrary { name: name.as_bytes().to_vec(), needed_by, searched, elsewhere });
        self
    }

    /// A version that `needed_by` needs and that `library` does not define.
    pub(in crate::checks) fn missing_version(&mut self, name: &str, library: &str, needed_by: &str) -> &mut Self {
        let (library, needed_by) = (self.node(library), self.node(needed_by));
        self.linking.versions.push(MissingVersion { name: name.as_bytes().to_vec(), library, needed_by });
        self
    }
}
