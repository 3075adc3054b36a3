//! `missing-symbol-version`: programs built against a newer library than the image has.

use std::collections::BTreeMap;

use super::{Check, Family, Reference, evidence, wording};
use crate::facts::Image;
use crate::finding::{Evidence, Observation, Severity};
use crate::oci::escape;
use crate::rootfs::NodeId;

/// The check.
pub(super) static CHECK: Check = Check {
    id: "missing-symbol-version",
    title: "Missing symbol versions",
    family: Family::Startup,
    severity: Severity::High,
    what: "The container's program, or a library that it loads, needs a version of symbols (such as `GLIBC_2.36`) that the library \
           which its loader finds does not define. musl looks at no versions, and weak needs are not insisted on.",
    why: "glibc's loader stops before the first line of the program: `version 'GLIBC_2.36' not found`. It happens when a program is \
          built on a newer distribution than it runs on.",
    fix: "Build on the same release of the distribution as the final stage, or link the program statically.",
    example: "FROM golang:1.24-bookworm AS build\nRUN go build -o /out/server .\nFROM debian:bookworm-slim\nCOPY --from=build \
              /out/server /usr/local/bin/server\n",
    references: &[Reference { name: "ld.so(8)", url: "https://man7.org/linux/man-pages/man8/ld.so.8.html" }],
    since: "0.1.0",
    run,
};

fn run(image: &Image) -> Vec<Observation> {
    let mut by_library: BTreeMap<NodeId, BTreeMap<&[u8], Vec<NodeId>>> = BTreeMap::new();
    for missing in &image.linking.versions {
        by_library.entry(missing.library).or_default().entry(&missing.name).or_default().push(missing.needed_by);
    }
    by_library.into_iter().map(|(library, versions)| observation(image, library, &versions)).collect()
}

fn observation(image: &Image, library: NodeId, versions: &BTreeMap<&[u8], Vec<NodeId>>) -> Observation {
    let path = image.rootfs.path(library);
    let mut needed_by: Vec<NodeId> = versions.values().flatten().copied().collect();
    needed_by.sort_unstable();
    needed_by.dedup();
    let evidence: Vec<Evidence> =
        needed_by.iter().map(|node| Evidence { bytes: 0, ..evidence::of_node(image, image.rootfs.path(*node), *node) }).collect();
    let names = wording::names(versions.keys().copied());
    let needed_by = wording::names(evidence.iter().filter_map(|one| one.path.as_deref()));
    let message = format!("{} does not define {names}, needed by {needed_by}", escape(&path));
    Observation { subject: wording::path_key(&path), message, evidence, ..Observation::default() }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Builder, paths};
    use super::*;

    #[test]
    fn fires_once_for_a_library_with_all_versions_and_all_who_need_them() {
        let mut builder = Builder::default();
        builder.program("/app/a", 9).library("/app/b.so", 9).library("/lib/libc.so.6", 9);
        builder.missing_version("GLIBC_2.38", "/lib/libc.so.6", "/app/a").missing_version(
            "GLIBC_2.36",
            "/lib/libc.so.6",
            "/app/a",
        );
        builder.missing_version("GLIBC_2.36", "/lib/libc.so.6", "/app/b.so");
        let seen = builder.run(&CHECK);
        assert_eq!(seen[0].message, "/lib/libc.so.6 does not define GLIBC_2.36, GLIBC_2.38, needed by /app/a, /app/b.so");
        assert_eq!((seen.len(), paths(&seen[0])), (1, vec!["/app/a".to_owned(), "/app/b.so".to_owned()]));
    }

    #[test]
    fn is_silent_when_all_are_defined() {
        assert!(Builder::default().program("/app/a", 9).loads(&["/app/a"]).run(&CHECK).is_empty());
    }
}
