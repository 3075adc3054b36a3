//! `missing-library`: shared libraries that the container's program needs and that its loader does not find.

use super::{Check, Family, Reference, evidence, wording};
use crate::facts::{Image, MissingLibrary};
use crate::finding::{Evidence, Observation, Severity};
use crate::oci::escape;
use crate::rootfs::NodeId;

/// The check.
pub(super) static CHECK: Check = Check {
    id: "missing-library",
    title: "Missing shared libraries",
    family: Family::Startup,
    severity: Severity::High,
    what: "A shared library that the container's program needs, or a library that it loads, is found nowhere its dynamic loader looks: \
           RPATH and RUNPATH with `$ORIGIN`, `LD_LIBRARY_PATH` of the config, `ld.so.cache`, musl's path file, the default folders.",
    why: "The dynamic loader stops before the first line of the program: the container exits at once with code 127.",
    fix: "Install the library's runtime package in the final stage, or link the program statically; after copying libraries into \
          `/usr/local/lib`, run `ldconfig`.",
    example: "FROM debian:12-slim\nRUN apt-get update && apt-get install -y --no-install-recommends libpq5 && rm -rf \
              /var/lib/apt/lists/*\nCOPY --from=build /out/server /usr/local/bin/server\n",
    references: &[
        Reference { name: "ld.so(8)", url: "https://man7.org/linux/man-pages/man8/ld.so.8.html" },
        Reference { name: "ldconfig(8)", url: "https://man7.org/linux/man-pages/man8/ldconfig.8.html" },
    ],
    since: "0.1.0",
    run,
};

/// Places that a message names.
const SHOWN: usize = 4;

fn run(image: &Image) -> Vec<Observation> {
    image.linking.missing.iter().map(|missing| observation(image, missing)).collect()
}

fn observation(image: &Image, missing: &MissingLibrary) -> Observation {
    let name = escape(&missing.name);
    let path = |node: &NodeId| escape(&image.rootfs.path(*node));
    let needed_by = match missing.needed_by.as_slice() {
        [] => String::new(),
        [one] => format!(", which {} needs,", path(one)),
        [one, rest @ ..] => {
            format!(", which {} and {} need,", path(one), wording::counted(wording::count(rest.len()), "other file"))
        }
    };
    let shown: Vec<_> = missing.searched.iter().take(SHOWN).map(|place| escape(place)).collect();
    let more = if missing.searched.len() > SHOWN { ", ..." } else { "" };
    let message = if shown.is_empty() {
        format!("{name}{needed_by} is not there")
    } else {
        format!("{name}{needed_by} is not found in {}{more}", shown.join(", "))
    };
    let fix = missing.elsewhere.first().map(|node| {
        let folder = escape(&image.rootfs.path(image.rootfs.folder_of(*node)));
        format!(
            "It lies in {folder}, where the loader does not look: run `ldconfig {folder}`, or name the folder in LD_LIBRARY_PATH"
        )
    });
    let of_node = |node: &NodeId| evidence::of_node(image, image.rootfs.path(*node), *node);
    let evidence: Vec<Evidence> = missing.needed_by.iter().map(|node| Evidence { bytes: 0, ..of_node(node) }).collect();
    Observation { subject: wording::path_key(&missing.name), message, evidence, fix, ..Observation::default() }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Builder, paths};
    use super::*;

    #[test]
    fn fires_once_for_a_library_with_all_who_need_it() {
        let mut builder = Builder::default();
        builder.program("/app/server", 9).library("/usr/lib/libx.so", 9);
        builder.missing_library("libpq.so.5", &["/app/server", "/usr/lib/libx.so"], &[]).missing_library(
            "libz.so.1",
            &["/app/server"],
            &[],
        );
        let seen = builder.run(&CHECK);
        assert_eq!(
            seen[0].message,
            "libpq.so.5, which /app/server and 1 other file need, is not found in /etc/ld.so.cache, /usr/lib/"
        );
        assert_eq!(paths(&seen[0]), ["/app/server", "/usr/lib/libx.so"]);
        assert_eq!((seen.len(), seen[1].subject.as_str(), seen[1].fix.as_deref()), (2, "libz.so.1", None));
    }

    #[test]
    fn tells_where_the_library_lies_when_only_the_loader_does_not_find_it() {
        let mut builder = Builder::default();
        builder.program("/app/server", 9).library("/usr/local/lib/libx.so", 9);
        builder.missing_library("libx.so", &["/app/server"], &["/usr/local/lib/libx.so"]);
        let fix = builder.run(&CHECK)[0].fix.clone().unwrap();
        assert!(fix.contains("ldconfig /usr/local/lib"), "{fix}");
    }

    #[test]
    fn is_silent_when_all_are_found() {
        assert!(Builder::default().program("/app/server", 9).loads(&["/app/server"]).run(&CHECK).is_empty());
    }
}
