//! `development-files`: what programs are built against, and nothing runs.

use std::collections::BTreeMap;

use super::contents::{self, Contents};
use super::{Check, Family, Reference, tools, wording};
use crate::facts::Image;
use crate::facts::places::{self, Purpose};
use crate::finding::{Observation, Severity};
use crate::oci::escape_text;
use crate::rootfs::NodeId;

/// Owners that a message names.
const NAMED: usize = 3;

/// The check.
pub(super) static CHECK: Check = Check {
    id: "development-files",
    title: "Headers and static libraries",
    family: Family::Toolchain,
    severity: Severity::Low,
    what: "Files that are only needed to build programs: headers in `include` folders, static libraries, object files and libtool archives \
           among the libraries, `.pc` files. Those that modules of Python, Node.js and Ruby bring for themselves do not count.",
    why: "They weigh, and most come with development packages whose advisories then count against the image.",
    fix: "Install development packages in the build stage only, and the libraries themselves in the final one.",
    example: "FROM debian:13 AS build\nRUN apt-get update && apt-get install -y libpq-dev gcc\n\n\
              FROM debian:13-slim\nRUN apt-get update && apt-get install -y --no-install-recommends libpq5 && rm -rf /var/lib/apt/lists/*\n",
    references: &[
        Reference { name: "Docker: multi-stage builds", url: "https://docs.docker.com/build/building/multi-stage/" },
        Reference { name: "CIS Docker 4.3", url: "https://www.cisecurity.org/benchmark/docker" },
    ],
    since: "0.1.0",
    run,
};

fn run(image: &Image) -> Vec<Observation> {
    let mut found = Found::default();
    let mut folders: Vec<(NodeId, Vec<u8>, Option<Vec<u8>>)> = vec![(image.rootfs.root(), Vec::new(), None)];
    while let Some((folder, path, place)) = folders.pop() {
        for (name, node) in image.rootfs.children(folder) {
            let inode = image.rootfs.inode(node);
            let child = || [&path[..], b"/", name].concat();
            if inode.is_directory() {
                let child = child();
                let is_place = places::of_folder(&child) == Some(Purpose::Development) || name == b"pkgconfig";
                let below = place.clone().or_else(|| is_place.then(|| child.clone()));
                folders.push((node, child, below));
            } else if !inode.is_file() || contents::is_of_modules(&child()) || is_of_python(&path) {
                // what cannot be removed alone is nobody's leftover
            } else if let Some(place) = &place {
                found.add(image, place, node);
            } else if places::is_for_linking(&path, name) {
                found.add(image, &child(), node);
            }
        }
    }
    found.observation().into_iter().collect()
}

/// `lib/python3.12/config-3.12-x86_64-linux-gnu`, which `sysconfig` reads at run time.
fn is_of_python(folder: &[u8]) -> bool {
    contents::base_name(folder).starts_with(b"config-3")
}

#[derive(Default)]
struct Found {
    sum: Contents,
    /// Bytes by package.
    owners: BTreeMap<String, u64>,
}

impl Found {
    fn add(&mut self, image: &Image, place: &[u8], node: NodeId) {
        let before = self.sum.bytes;
        self.sum.add(image, place, node);
        if let Some(owner) = tools::owner(image, node) {
            let bytes = self.owners.entry(owner.to_owned()).or_default();
            *bytes = bytes.saturating_add(self.sum.bytes.saturating_sub(before));
        }
    }

    fn observation(self) -> Option<Observation> {
        if self.sum.files == 0 {
            return None;
        }
        let mut owners: Vec<(String, u64)> = self.owners.into_iter().filter(|(_, bytes)| *bytes > 0).collect();
        owners.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let named: Vec<String> = owners
            .iter()
            .take(NAMED)
            .map(|(name, bytes)| format!("{} ({})", escape_text(name), wording::bytes(*bytes)))
            .collect();
        let most = if named.is_empty() { String::new() } else { format!("; most of {}", named.join(", ")) };
        let message = format!("Headers, static libraries and the like: {}{most}", self.sum.size());
        Some(Observation { message, evidence: self.sum.evidence(), ..Observation::default() })
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Builder, paths};
    use super::*;

    #[test]
    fn fires_once_with_bytes_and_owners() {
        let mut builder = Builder::default();
        builder.file("/usr/include/a.h", 1024).file("/usr/include/c++/12/vector", 2048).file("/usr/lib/libx.a", 4096);
        builder.file("/usr/lib/pkgconfig/x.pc", 10).file("/usr/local/include/node/v8.h", 5).file("/usr/lib/libx.la", 5);
        builder.in_package("libc6-dev", &["/usr/include/a.h"]).in_package("libx-dev", &["/usr/lib/libx.a"]);
        let seen = builder.run(&CHECK);
        assert_eq!(
            seen[0].message,
            "Headers, static libraries and the like: 6 files, 7.0 KiB; most of libx-dev (4.0 KiB), libc6-dev (1.0 KiB)"
        );
        assert_eq!(
            paths(&seen[0]),
            ["/usr/include", "/usr/lib/libx.a", "/usr/lib/libx.la", "/usr/lib/pkgconfig", "/usr/local/include"]
        );
    }

    #[test]
    fn is_silent_on_empty_folders_and_on_what_modules_bring() {
        let mut builder = Builder::default();
        builder
            .directory("/usr/include", 0o755)
            .file("/opt/venv/lib/python3.12/site-packages/numpy/core/include/a.h", 9)
            .file("/opt/venv/lib/python3.12/site-packages/numpy/core/lib/libnpymath.a", 9)
            .file("/app/node_modules/nan/nan.h", 9)
            .file("/usr/local/lib/python3.12/config-3.12-x86_64-linux-gnu/python.o", 9)
            .file("/app/data.a", 9)
            .file("/app/include/partial.html", 9)
            .file("/usr/lib/libx.so", 9);
        assert!(builder.run(&CHECK).is_empty());
    }
}
