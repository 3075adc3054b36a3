//! `ambiguous-layer`: entries that runtimes treat differently, or that hide from common tools.

use super::remarks::{self, Subject};
use super::{Check, Family, Reference, wording};
use crate::facts::Image;
use crate::finding::{Evidence, Observation, Severity};

/// The check.
pub(super) static CHECK: Check = Check {
    id: "ambiguous-layer",
    title: "Layers that runtimes read differently",
    family: Family::Layers,
    severity: Severity::High,
    what: "A layer holds something that runtimes, unpackers and scanners do not agree on: duplicate entries, whiteouts at odds with \
           their siblings, entries through links of lower layers, overlay attributes, conflicting sizes or names, data after the end. \
           Each case has its own code; what only looks unusual is medium.",
    why: "What one tool scanned is then not what another one runs: files can be hidden from review this way.",
    fix: "Rebuild the image with a current builder; if that does not help, ask where the layer came from.",
    example: "# flatten a suspicious base image into one plain layer\nFROM suspicious/base AS base\nFROM scratch\nCOPY --from=base / /\n",
    references: &[
        Reference { name: "image-spec: layer", url: "https://github.com/opencontainers/image-spec/blob/main/layer.md" },
        Reference { name: "NIST SP 800-190 4.1.3", url: "https://doi.org/10.6028/NIST.SP.800-190" },
        Reference { name: "CWE-436", url: "https://cwe.mitre.org/data/definitions/436.html" },
    ],
    since: "0.1.0",
    run,
};

fn run(image: &Image) -> Vec<Observation> {
    let mut observations = remarks::observe(image, Subject::Layer);
    observations.extend(differences(image));
    observations
}

/// The consequence of ambiguous entries: two trees.
fn differences(image: &Image) -> Option<Observation> {
    let evidence: Vec<_> = image
        .differences
        .iter()
        .map(|difference| Evidence { path: Some(difference.path.clone()), ..Evidence::default() })
        .collect();
    let paths = wording::counted(wording::count(evidence.len()), "path");
    let message = format!("Overlay and sequential runtimes see different files at {paths}");
    (!evidence.is_empty()).then(|| Observation { severity: Some(Severity::High), message, evidence, ..Observation::default() })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Builder, paths};
    use super::*;
    use crate::oci::{Code, Remark};

    #[test]
    fn fires_once_for_a_code_with_all_its_places() {
        let mut builder = Builder::default();
        for path in ["/b", "/a"] {
            let mut remark = Remark::at(Code::DuplicateEntry, path.as_bytes().to_vec(), "a file and a link");
            remark.place = remark.place.in_layer(0);
            builder.remark(remark);
        }
        let seen = builder.run(&CHECK);
        assert_eq!((seen.len(), seen[0].code, seen[0].severity), (1, Some(Code::DuplicateEntry), Some(Severity::High)));
        assert_eq!(paths(&seen[0]), ["/a", "/b"]);
        assert_eq!((seen[0].evidence[0].layer, seen[0].evidence[0].history), (Some(0), Some(1)));
        assert!(seen[0].message.ends_with("(a file and a link), at 2 places"), "{}", seen[0].message);
    }

    #[test]
    fn fires_lightly_on_a_flag() {
        let seen = Builder::default().remark(Remark::at(Code::TarTrailingData, b"/".to_vec(), "")).run(&CHECK);
        assert_eq!(seen[0].severity, Some(Severity::Medium));
    }

    #[test]
    fn fires_on_trees_that_differ() {
        let seen = Builder::default().difference("/a").difference("/b").run(&CHECK);
        assert_eq!((seen[0].severity, seen[0].code), (Some(Severity::High), None));
        assert_eq!(seen[0].message, "Overlay and sequential runtimes see different files at 2 paths");
        assert_eq!(paths(&seen[0]), ["/a", "/b"]);
    }

    #[test]
    fn is_silent_on_notes_and_on_what_other_checks_say() {
        let mut builder = Builder::default();
        for code in [Code::PathNotNormal, Code::UserIsRoot, Code::UserUnresolved, Code::PlatformMismatch] {
            builder.remark(Remark::at(code, b"/a".to_vec(), ""));
        }
        assert!(builder.run(&CHECK).is_empty());
    }
}
