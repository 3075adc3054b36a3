//! `ambiguous-image`: manifest, config, index or archive contradict one another.

use super::remarks::{self, Subject};
use super::{Check, Family, Reference};
use crate::facts::Image;
use crate::finding::{Observation, Severity};

/// The check.
pub(super) static CHECK: Check = Check {
    id: "ambiguous-image",
    title: "Manifests that readers take differently",
    family: Family::Layers,
    severity: Severity::Medium,
    what: "Manifest, index, config or archive say different things of the image, or something that readers take differently: another \
           platform in the index than in the config, two images for one platform, mixed media types, a layer that is not of its media \
           type, a user database that is a symbolic link. Each case has its own code.",
    why: "Which image runs, or as whom, then depends on the reader: a scanner may have looked at another one than the runtime starts.",
    fix: "Rebuild and push the image with a current builder, one manifest for each platform.",
    example: "docker buildx build --platform linux/amd64,linux/arm64 --tag registry.example/app:1.0 --push .\n",
    references: &[
        Reference { name: "image-spec: manifest", url: "https://github.com/opencontainers/image-spec/blob/main/manifest.md" },
        Reference {
            name: "CVE-2021-41190",
            url: "https://github.com/opencontainers/distribution-spec/security/advisories/GHSA-mc8v-mgrf-8f4m",
        },
        Reference { name: "CWE-436", url: "https://cwe.mitre.org/data/definitions/436.html" },
    ],
    since: "0.1.0",
    run,
};

fn run(image: &Image) -> Vec<Observation> {
    remarks::observe(image, Subject::Image)
}

#[cfg(test)]
mod tests {
    use super::super::testing::Builder;
    use super::*;
    use crate::oci::{Code, Remark};

    #[test]
    fn fires_on_documents_with_their_name() {
        let mut builder = Builder::default();
        let seen = builder.remark(Remark::on(Code::PlatformMismatch, "index.json", "arm64, not amd64")).run(&CHECK);
        assert_eq!((seen[0].code, seen[0].severity), (Some(Code::PlatformMismatch), Some(Severity::Medium)));
        assert_eq!(seen[0].evidence[0].config.as_deref(), Some("index.json"));
        assert_eq!(seen[0].message, "The index says another platform than the image's config (arm64, not amd64)");
    }

    #[test]
    fn fires_on_a_user_database_that_is_a_link() {
        let mut builder = Builder::default();
        assert_eq!(builder.remark(Remark::at(Code::UserDbSymlink, b"/etc/passwd".to_vec(), "")).run(&CHECK).len(), 1);
    }

    #[test]
    fn is_silent_on_layers_and_users() {
        let mut builder = Builder::default();
        builder.remark(Remark::at(Code::DuplicateEntry, b"/a".to_vec(), "")).remark(Remark::at(
            Code::UserIsRoot,
            b"/a".to_vec(),
            "",
        ));
        assert!(builder.run(&CHECK).is_empty());
    }
}
