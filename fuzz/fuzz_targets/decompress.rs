//! Arbitrary bytes as compressed data: no panic, and no more output than the limits allow.

#![no_main]

use std::io::Read as _;

use libfuzzer_sys::fuzz_target;
use plimsoll::archive::compression::{Compression, decoder, sniff};
use plimsoll::limits::Limits;

/// Output that is read at most: what is beyond is more of the same.
const OUTPUT: u64 = 1 << 22;

fuzz_target!(|data: &[u8]| {
    let compressions =
        [sniff(data), Compression::Gzip, Compression::Zstd { leading_skippable: false }, Compression::Xz, Compression::None];
    for compression in compressions {
        if let Ok(reader) = decoder(compression, data, &Limits::default()) {
            let _ = reader.take(OUTPUT).read_to_end(&mut Vec::new());
        }
    }
});
