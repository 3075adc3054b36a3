//! `documentation`: manuals and translations that nobody reads in a container.

use super::contents::{self, Contents};
use super::{Check, Family, Reference};
use crate::facts::Image;
use crate::facts::places::{self, Purpose};
use crate::finding::{Observation, Severity};
use crate::limits::MIB;
use crate::rootfs::NodeId;

/// What slim images keep is below this; what `path-exclude` would have kept out is above.
const THRESHOLD: u64 = 4 * MIB;

/// The check.
pub(super) static CHECK: Check = Check {
    id: "documentation",
    title: "Documentation",
    family: Family::Hygiene,
    severity: Severity::Low,
    what: "Manual pages, documentation, info pages and translations hold 4 MiB or more. Copyright files do not count: licences ask for \
           them.",
    why: "Nothing reads them at run time, and every pull carries them.",
    fix: "Start from a slim image, or keep documentation out while packages are installed.",
    example: "FROM debian:13-slim\n\n# or, before the first apt-get install:\n\
              RUN printf 'path-exclude=/usr/share/%s/*\\n' doc man info locale > /etc/dpkg/dpkg.cfg.d/nodoc \\\n    \
              && echo 'path-include=/usr/share/doc/*/copyright' >> /etc/dpkg/dpkg.cfg.d/nodoc\n",
    references: &[
        Reference { name: "CIS Docker 4.3", url: "https://www.cisecurity.org/benchmark/docker" },
        Reference { name: "Docker: build best practices", url: "https://docs.docker.com/build/building/best-practices/" },
    ],
    since: "0.1.0",
    run,
};

fn run(image: &Image) -> Vec<Observation> {
    let mut sum = Contents::default();
    let mut folders: Vec<(NodeId, Vec<u8>, Option<Vec<u8>>)> = vec![(image.rootfs.root(), Vec::new(), None)];
    while let Some((folder, path, place)) = folders.pop() {
        for (name, node) in image.rootfs.children(folder) {
            let inode = image.rootfs.inode(node);
            if inode.is_directory() {
                let child = [&path[..], b"/", name].concat();
                let below = place.clone().or_else(|| is_place(image, &child, name, node).then(|| child.clone()));
                folders.push((node, child, below));
            } else if let Some(place) = place.as_ref().filter(|_| inode.is_file() && name != b"copyright") {
                sum.add(image, place, node);
            }
        }
    }
    if sum.bytes < THRESHOLD {
        return Vec::new();
    }
    let message = format!("Manuals, documentation and translations: {}", sum.size());
    vec![Observation { message, evidence: sum.evidence(), ..Observation::default() }]
}

/// A folder of documentation, or of manual pages that a program was unpacked with.
fn is_place(image: &Image, path: &[u8], name: &[u8], node: NodeId) -> bool {
    let is_manual = name == b"man" && image.rootfs.child(node, b"man1").is_some();
    places::of_folder(path) == Some(Purpose::Documentation) || (is_manual && !contents::is_of_modules(path))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Builder, paths};
    use super::*;

    #[test]
    fn fires_above_the_threshold_with_its_folders() {
        let mut builder = Builder::default();
        builder
            .file("/usr/share/doc/a/README.gz", 3 * MIB)
            .file("/usr/share/man/man1/a.1.gz", MIB)
            .file("/usr/share/locale/de/a.mo", 1);
        builder.file("/opt/jdk/man/man1/java.1", 1);
        let seen = builder.run(&CHECK);
        assert_eq!(seen[0].message, "Manuals, documentation and translations: 4 files, 4.0 MiB");
        assert_eq!(paths(&seen[0]), ["/opt/jdk/man", "/usr/share/doc", "/usr/share/locale", "/usr/share/man"]);
    }

    #[test]
    fn is_silent_below_it_on_copyrights_and_on_the_application_s_own() {
        let mut builder = Builder::default();
        builder
            .file("/usr/share/doc/a/changelog.gz", 4 * MIB - 1)
            .file("/usr/share/doc/a/copyright", 9 * MIB)
            .file("/app/docs/manual.pdf", 90 * MIB)
            .file("/app/locale/de.mo", 9 * MIB)
            .file("/usr/share/fonts/x", 9 * MIB);
        assert!(builder.run(&CHECK).is_empty());
    }
}
