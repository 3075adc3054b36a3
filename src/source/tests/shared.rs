//! The shared images and edge cases, when they are there.

use std::path::{Path, PathBuf};

use super::build::open_path;
use crate::source::{Error, Request};

/// The folder that the environment variable names, or the usual one.
fn folder(variable: &str, usual: &str) -> Option<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "tells tests where the shared images are")]
    let named = std::env::var(variable).map(PathBuf::from).ok();
    let folder = named.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join(usual));
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: {} is not there", folder.display());
    None
}

fn listed(folder: &Path) -> Vec<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "lists the shared images")]
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// Codes of errors first, then of remarks.
fn codes(input: &Path) -> (Vec<String>, Vec<String>) {
    match open_path(input, Request::default()) {
        Err(error) => (vec![error.code().to_string()], Vec::new()),
        Ok(source) => {
            let images = source.images();
            let errors = images.iter().flat_map(|image| &image.errors).map(|error: &Error| error.code().to_string());
            let remarks = images.iter().flat_map(|image| &image.remarks).map(|remark| remark.code.to_string());
            (errors.collect(), remarks.collect())
        }
    }
}

#[test]
fn every_sound_image_opens_without_errors() {
    let Some(shared) = folder("PLIMSOLL_SHARED", "../shared/images") else { return };
    let mut seen = 0;
    for sub in ["images", "layouts", "realdocker"] {
        for path in listed(&shared.join("small").join(sub)) {
            if path.extension().is_some_and(|extension| extension == "json" || extension == "zst") {
                continue;
            }
            let (errors, remarks) = codes(&path);
            let is_bundle = path.ends_with("two-images.tar.gz");
            let expected: &[&str] = if is_bundle { &["archive-several-images"] } else { &[] };
            assert_eq!(errors, expected, "{}", path.display());
            assert_eq!(remarks, [""; 0], "{}", path.display());
            seen += 1;
        }
    }
    assert!(seen > 60);
}

#[test]
fn every_malformed_graph_has_its_code() {
    let Some(shared) = folder("PLIMSOLL_SHARED", "../shared/images") else { return };
    let expected = [
        ("m-config-json", "json-malformed"),
        ("m-digest-algo", "digest-malformed"),
        ("m-digest-path", "digest-malformed"),
        ("m-docker-no-manifest", "not-an-image"),
        ("m-docker-truncated", "archive-malformed"),
        ("m-empty-index", "not-an-image"),
        ("m-encrypted", "layer-media-type"),
        ("m-foreign-layer", "blob-missing"),
        ("m-layer-count", "diff-ids-count"),
        ("m-layer-missing", "blob-missing"),
        ("m-layer-size", "size-mismatch"),
        ("m-layer-truncated", "size-mismatch"),
        ("m-no-index", "not-an-image"),
    ];
    for (name, code) in expected {
        for path in listed(&shared.join("small/malformed").join(name)) {
            assert_eq!(codes(&path).0, [code], "{}", path.display());
        }
    }
}

/// Codes of edge cases that the graph decides; all other cases are decided by their layers and open here.
const GRAPH_CODES: &[&str] = &[
    "archive-ambiguous",
    "archive-duplicate-member",
    "archive-link-escapes",
    "archive-several-images",
    "blob-missing",
    "config-name-mismatch",
    "descriptor-data-mismatch",
    "diff-ids-count",
    "digest-malformed",
    "index-ambiguous-platform",
    "index-too-deep",
    "json-case-variant-key",
    "json-duplicate-key",
    "json-trailing-data",
    "layer-media-type",
    "layer-nondistributable",
    "lazy-toc-unchecked",
    "manifest-ambiguous",
    "media-types-mixed",
    "not-an-image",
    "platform-mismatch",
    "size-mismatch",
];

#[test]
fn every_edge_case_opens_or_fails_as_expected_in_all_its_containers() {
    let Some(cases) = folder("PLIMSOLL_EDGE_CASES", "../edge-cases") else { return };
    for case in listed(&cases) {
        let text = String::from_utf8(bytes_of(&case.join("expected.json"))).unwrap();
        let expected: serde_json::Value = serde_json::from_str(&text).unwrap();
        let mut findings: Vec<&str> = expected["findings"].as_array().unwrap().iter().filter_map(|code| code.as_str()).collect();
        findings
            .retain(|code| GRAPH_CODES.contains(code) || (*code == "digest-mismatch" && case.ends_with("config_digest_wrong")));
        let mut configs = Vec::new();
        for container in ["oci", "oci.tar", "docker.tar"].map(|name| case.join(name)).iter().filter(|path| path.exists()) {
            let (errors, remarks) = codes(container);
            let mut found: Vec<String> = errors.into_iter().chain(remarks).collect();
            found.sort();
            found.dedup();
            assert_eq!(found, findings, "{}", container.display());
            if let Ok(source) = open_path(container, Request::default()) {
                configs.extend(source.images().iter().take(1).map(|image| image.config_digest.clone()));
            }
        }
        configs.dedup();
        assert!(configs.len() <= 1, "{}", case.display());
    }
}

fn bytes_of(path: &Path) -> Vec<u8> {
    #[expect(clippy::disallowed_methods, reason = "reads what a shared case expects")]
    std::fs::read(path).unwrap()
}

#[test]
fn third_party_images_never_panic() {
    let Some(shared) = folder("PLIMSOLL_SHARED", "../shared/images") else { return };
    for path in listed(&shared.join("small/thirdparty")) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let has_truth = path.with_file_name(format!("{name}.truth.json")).exists();
        let opened = open_path(&path, Request::default());
        assert!(!has_truth || opened.is_ok_and(|source| source.images().iter().all(|image| image.errors.is_empty())), "{name}");
    }
}
