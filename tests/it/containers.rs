//! One image in every container gives one report, but for what the container says of itself.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::program::{self, checked};
use crate::recipe;

/// Recipes that are compared: plain ones, and ones whose findings must not depend on the container either.
const RECIPES: [&str; 5] = ["opq_first", "opq_root", "hardlink_metadata", "user_by_number", "dup_file_spelled"];

/// The report without what describes the container: source, names, manifest, and how layers are stored.
fn bare(mut report: Value) -> Value {
    remove(&mut report, "source");
    for image in report["images"].as_array_mut().unwrap() {
        for key in ["reference", "manifest_digest"] {
            remove(image, key);
        }
        remove(&mut image["measurements"], "compressed_bytes");
        for layer in image["layers"].as_array_mut().unwrap() {
            for key in ["digest", "media_type", "compressed_bytes"] {
                remove(layer, key);
            }
        }
    }
    report
}

fn remove(value: &mut Value, key: &str) {
    let removed = value.as_object_mut().and_then(|object| object.remove(key));
    assert!(removed.is_some(), "the report has no {key}: {value}");
}

fn outer(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut writer = lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::with_preset(1)).unwrap();
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

#[test]
fn every_container_and_outer_compression_gives_the_same_report() {
    for name in RECIPES {
        let folder = tempfile::tempdir().unwrap();
        let mut containers = recipe::write(&recipe::named(name), folder.path());
        assert_eq!(containers.len(), 3, "{name} is for every container");
        for tar in ["oci.tar", "docker.tar"] {
            let bytes = std::fs::read(folder.path().join(tar)).unwrap();
            containers.push(outer(folder.path(), &format!("{tar}.gz"), &gzip(&bytes)));
            containers.push(outer(folder.path(), &format!("{tar}.zst"), &zstd::encode_all(bytes.as_slice(), 1).unwrap()));
            containers.push(outer(folder.path(), &format!("{tar}.xz"), &xz(&bytes)));
        }
        let reports: Vec<String> = containers
            .iter()
            .map(|path| serde_json::to_string_pretty(&bare(program::check(path, &[]).report)).unwrap())
            .collect();
        for (container, report) in containers.iter().zip(&reports) {
            assert_eq!(report, &reports[0], "{name}: {}", container.display());
        }
    }
}

#[test]
fn standard_input_gives_the_same_report_as_the_file() {
    for name in RECIPES {
        let recipe = recipe::named(name);
        let folder = tempfile::tempdir().unwrap();
        recipe::write(&recipe, folder.path());
        for (file, bytes) in [("oci.tar", recipe::oci_archive(&recipe)), ("docker.tar", recipe::docker_archive(&recipe))] {
            let of_file = program::check(&folder.path().join(file), &[]);
            for piped in [bytes.clone(), gzip(&bytes)] {
                let of_pipe = checked(&program::run_with_stdin(&["check", "-", "--format", "json"], &piped));
                assert_eq!(of_pipe.exit, of_file.exit, "{name} {file}");
                assert_eq!(bare(of_pipe.report), bare(of_file.report.clone()), "{name} {file}");
            }
        }
    }
}

#[test]
fn outer_xz_that_is_damaged_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut bytes = xz(&recipe::docker_archive(&recipe::named("opq_first")));
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xff;
    let found = program::check(&outer(folder.path(), "docker.tar.xz", &bytes), &[]);
    assert_eq!(found.exit, Some(3));
    let codes = found.error_codes();
    assert!(codes.contains("xz-malformed") || codes.contains("archive-malformed"), "{codes:?}");
}

#[test]
fn the_report_is_the_same_byte_for_byte_on_every_run() {
    let folder = tempfile::tempdir().unwrap();
    let containers = recipe::write(&recipe::named("opq_root"), folder.path());
    for container in containers {
        let arguments = ["check", container.to_str().unwrap(), "--format", "json"];
        assert_eq!(program::run(&arguments).stdout, program::run(&arguments).stdout);
    }
}
