//! Arbitrary bytes as an image config: no panic.

#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll::oci::document;
use plimsoll::oci::json::Bounds;

fuzz_target!(|data: &[u8]| {
    let _ = document::config(data, Bounds { depth: 64, members: 100_000 });
});
