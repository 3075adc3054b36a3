//! Arbitrary bytes as a layer: no panic, and the same index every time.

#![no_main]

use std::sync::atomic::AtomicU64;

use libfuzzer_sys::fuzz_target;
use plimsoll::layer::{Options, index};
use plimsoll::limits::Limits;
use plimsoll::oci::Algorithm;

fuzz_target!(|data: &[u8]| {
    let once = |mut reader: &[u8]| {
        let (progress, kept) = (AtomicU64::new(0), AtomicU64::new(0));
        let options = Options { algorithm: Algorithm::Sha256, digest_files: true, progress: &progress, kept: &kept };
        format!("{:?}", index(&mut reader, options, &Limits::default()))
    };
    assert_eq!(once(data), once(data));
});
