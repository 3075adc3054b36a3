//! `missing-source-label`: the image does not say what it was built from.

use super::{Check, Family, Reference};
use crate::facts::Image;
use crate::finding::{Evidence, Observation, Severity};

/// The check.
pub(super) static CHECK: Check = Check {
    id: "missing-source-label",
    title: "The image does not name its source",
    family: Family::Config,
    severity: Severity::Low,
    what: "No label of the config, and no annotation of the manifest or of the index's entry for it, names the source: neither \
           `org.opencontainers.image.source` nor `org.opencontainers.image.revision` has a value, nor their forerunners \
           `org.label-schema.vcs-url` and `vcs-ref`.",
    why: "Who finds a fault in a running container must find the code and the commit that it was built from, and whom to ask.",
    fix: "Label the image with its repository and commit while it is built.",
    example: "ARG REVISION\nLABEL org.opencontainers.image.source=https://example.com/shop/app \\\n      \
              org.opencontainers.image.revision=$REVISION\n",
    references: &[
        Reference {
            name: "image-spec: annotations",
            url: "https://github.com/opencontainers/image-spec/blob/main/annotations.md",
        },
        Reference { name: "Docker: labels and annotations", url: "https://docs.docker.com/build/metadata/annotations/" },
    ],
    since: "0.1.0",
    run,
};

/// Names of labels and annotations.
const NAMES: &[&str] = &[
    "org.opencontainers.image.source",
    "org.opencontainers.image.revision",
    "org.label-schema.vcs-url",
    "org.label-schema.vcs-ref",
];

fn run(image: &Image) -> Vec<Observation> {
    let labels = image.config.runtime.labels.iter().map(|(name, value)| (name, value));
    let is_source = |(name, value): (&String, &String)| NAMES.contains(&name.as_str()) && !value.trim().is_empty();
    if labels.chain(&image.annotations).any(is_source) {
        return Vec::new();
    }
    let message = "No label or annotation names the repository or the commit that the image was built from".to_owned();
    vec![Observation { message, evidence: vec![Evidence::of_config("config.Labels")], ..Observation::default() }]
}

#[cfg(test)]
mod tests {
    use super::super::testing::Builder;
    use super::*;

    fn fires(labels: &[(&str, &str)]) -> bool {
        let mut builder = Builder::default();
        builder.runtime.labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        !builder.run(&CHECK).is_empty()
    }

    #[test]
    fn fires_without_a_value() {
        assert!(fires(&[]));
        assert!(fires(&[("org.opencontainers.image.source", " "), ("org.opencontainers.image.title", "x"), ("source", "x")]));
    }

    #[test]
    fn is_silent_on_an_annotation() {
        let fires = |name: &str, value: &str| {
            let annotated = |image: &mut Image| drop(image.annotations.insert(name.to_owned(), value.to_owned()));
            !Builder::default().run_with(&CHECK, annotated).is_empty()
        };
        assert!(!fires("org.opencontainers.image.source", "https://example.com/x"));
        assert!(fires("org.opencontainers.image.source", "") && fires("org.opencontainers.image.ref.name", "x"));
    }

    #[test]
    fn is_silent_on_either_label() {
        assert!(!fires(&[("org.opencontainers.image.source", "https://example.com/x")]));
        assert!(!fires(&[("org.opencontainers.image.revision", "0123")]));
        assert!(!fires(&[("org.label-schema.vcs-ref", "0123")]));
    }
}
