//! `buried-files`: bytes that every pull pays for and no container shows.

use super::{Check, Family, Reference, wording};
use crate::facts::Image;
use crate::finding::{Evidence, Observation, Severity};
use crate::limits::MIB;
use crate::oci::escape;
use crate::rootfs::{Buried, Fate};

/// Below this all together are not worth a word: every installation rewrites a database.
const THRESHOLD: u64 = MIB;

/// What package managers write again with every installation: nobody can help it, short of installing all at once.
const STATE: &[&[u8]] = &[
    b"/etc/ld.so.cache",
    b"/lib/apk/db/",
    b"/usr/lib/apk/db/",
    b"/usr/lib/sysimage/rpm/",
    b"/var/cache/debconf/",
    b"/var/cache/ldconfig/",
    b"/var/lib/dpkg/",
    b"/var/lib/rpm/",
];

/// Files that are evidence, the heaviest first.
const LISTED: usize = 20;

/// Files that the message names.
const NAMED: usize = 3;

/// The check.
pub(super) static CHECK: Check = Check {
    id: "buried-files",
    title: "Files that were removed or replaced later",
    family: Family::Layers,
    severity: Severity::Medium,
    what: "Layers ship files that the final filesystem does not show from them, because a later instruction deleted or replaced them, or \
           copied them with `chmod` or `chown`: together 1 MiB or more, without the databases that package managers write again. The \
           heaviest are listed with the layer that ships them and the one that hides them.",
    why: "What one instruction writes and another removes is still stored, pulled and readable for whoever unpacks the layers.",
    fix: "Remove files in the instruction that made them, copy them with their owner and mode, or take the result from a build stage.",
    example: "COPY --chown=10001:10001 --chmod=0755 app/ /app/\n\nRUN --mount=type=bind,from=build,source=/wheels,target=/wheels \\\n    \
              pip install --no-cache-dir /wheels/*.whl\n",
    references: &[
        Reference { name: "Docker: build best practices", url: "https://docs.docker.com/build/building/best-practices/" },
        Reference { name: "image-spec: layers", url: "https://github.com/opencontainers/image-spec/blob/main/layer.md" },
    ],
    since: "0.1.0",
    run,
};

fn run(image: &Image) -> Vec<Observation> {
    let is_state = |file: &&Buried| STATE.iter().any(|place| file.path.starts_with(place));
    let state = image.buried.iter().filter(is_state).fold(0_u64, |sum, file| sum.saturating_add(file.bytes));
    if image.buried_bytes.saturating_sub(state) < THRESHOLD {
        return Vec::new();
    }
    let listed: Vec<&Buried> = image.buried.iter().filter(|file| !is_state(file)).take(LISTED).collect();
    let named: Vec<String> = listed.iter().take(NAMED).map(|file| described(file)).collect();
    let most = if named.is_empty() { String::new() } else { format!("; the most: {}", named.join(", ")) };
    let message = format!("{} are shipped and not shown{most}", wording::bytes(image.buried_bytes));
    let evidence = listed.iter().flat_map(|file| evidence(image, file)).collect();
    vec![Observation { message, evidence, fix: fix(&image.buried), ..Observation::default() }]
}

fn described(file: &Buried) -> String {
    let fate = match (file.fate, file.hidden_by) {
        (_, None) => "hidden",
        (Fate::Deleted, _) => "deleted",
        (Fate::Replaced, _) => "replaced",
        (Fate::Copied, _) => "copied with another mode or owner",
    };
    format!("{} ({}, {fate})", escape(&file.path), wording::bytes(file.bytes))
}

/// The name in the layer that ships it, with its bytes, and in the layer that hides it.
fn evidence(image: &Image, file: &Buried) -> Vec<Evidence> {
    let at = |layer: usize, bytes: u64| Evidence {
        path: Some(file.path.clone()),
        layer: Some(layer),
        history: image.steps.get(layer).and_then(|step| step.history),
        bytes,
        ..Evidence::default()
    };
    let hider = file.hidden_by.filter(|layer| *layer != file.layer).map(|layer| at(layer, 0));
    std::iter::once(at(file.layer, file.bytes)).chain(hider).collect()
}

/// What helps when most of the heaviest bytes are copies.
fn fix(files: &[Buried]) -> Option<String> {
    let sum = |is_wanted: fn(&Buried) -> bool| {
        files.iter().filter(|file| is_wanted(file)).fold(0_u64, |sum, file| sum.saturating_add(file.bytes))
    };
    let (copied, all) = (sum(|file| file.fate == Fate::Copied), sum(|_| true));
    (copied > all / 2).then(|| "Give files their owner and mode while copying them: COPY --chown=... --chmod=...".to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::testing::Builder;
    use super::*;

    fn seen(files: &[(&str, u64, Option<usize>, Fate)], bytes: u64) -> Vec<Observation> {
        Builder::default().run_with(&CHECK, |image| {
            image.buried_bytes = bytes;
            image.buried = files
                .iter()
                .map(|(path, bytes, hidden_by, fate)| Buried {
                    layer: 0,
                    path: path.as_bytes().to_vec(),
                    bytes: *bytes,
                    hidden_by: *hidden_by,
                    fate: *fate,
                })
                .collect();
        })
    }

    #[test]
    fn fires_from_a_mebibyte_on_with_both_layers() {
        let seen = seen(&[("/wheels/x.whl", 900_000, Some(1), Fate::Deleted), ("/a", 200_000, None, Fate::Deleted)], MIB);
        assert_eq!(
            seen[0].message,
            "1.0 MiB are shipped and not shown; the most: /wheels/x.whl (879 KiB, deleted), /a (195 KiB, hidden)"
        );
        let places: Vec<_> = seen[0].evidence.iter().map(|one| (one.layer, one.history, one.bytes)).collect();
        assert_eq!(places, [(Some(0), Some(1), 900_000), (Some(1), None, 0), (Some(0), Some(1), 200_000)]);
        assert_eq!((seen[0].fix.as_deref(), seen[0].subject.as_str()), (None, ""));
    }

    #[test]
    fn fires_with_another_fix_on_copies() {
        let seen = seen(&[("/app/x", 5 * MIB, Some(1), Fate::Copied)], 5 * MIB);
        assert!(seen[0].fix.as_deref().is_some_and(|fix| fix.contains("--chown")));
    }

    #[test]
    fn is_silent_below_it() {
        assert!(seen(&[("/app/x", 90_000, Some(1), Fate::Replaced)], MIB - 1).is_empty());
        assert!(seen(&[("/var/cache/debconf/templates.dat", 9 * MIB, Some(1), Fate::Replaced)], 9 * MIB + 5).is_empty());
        assert!(seen(&[], 0).is_empty());
    }
}
