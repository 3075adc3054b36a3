//! Arbitrary bytes as a manifest, an index and `manifest.json`: no panic.

#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll::oci::document;
use plimsoll::oci::json::Bounds;

const BOUNDS: Bounds = Bounds { depth: 64, members: 100_000 };

fuzz_target!(|data: &[u8]| {
    let _ = document::graph(data, BOUNDS);
    let _ = document::docker_manifests(data, BOUNDS);
    let _ = document::layout_version(data, BOUNDS);
});
