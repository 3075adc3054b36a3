//! Secrets made for tests, so that none stands in the sources as it would be used.

#![expect(clippy::arithmetic_side_effects, reason = "tests count on small numbers of their own")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::alphabet::{base62, crc32};

/// As many characters that look random; others for another seed.
pub(crate) fn noise(alphabet: &[u8], length: usize, seed: u64) -> String {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap() % alphabet.len()
    };
    (0..length).map(|_| char::from(alphabet[next()])).collect()
}

pub(crate) const ALPHANUMERIC: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
pub(crate) const HEX: &[u8] = b"0123456789abcdef";

/// A token with its checksum.
pub(crate) fn checksummed(prefix: &str, seed: u64) -> String {
    let random = noise(ALPHANUMERIC, 30, seed);
    let checksum = base62(crc32(random.as_bytes()));
    format!("{prefix}{random}{}", String::from_utf8_lossy(&checksum))
}

/// A key in its frame: `inside` in DER, or as it is.
pub(crate) fn framed(label: &str, bytes: &[u8]) -> String {
    let body: Vec<String> =
        STANDARD.encode(bytes).into_bytes().chunks(64).map(|line| String::from_utf8_lossy(line).into_owned() + "\n").collect();
    format!("-----BEGIN {label}-----\n{}-----END {label}-----\n", body.concat())
}

/// A DER sequence of a version and noise.
pub(crate) fn der(length: u16, seed: u64) -> Vec<u8> {
    let noise = noise(ALPHANUMERIC, usize::from(length) - 3, seed);
    [&[0x30, 0x82][..], &length.to_be_bytes(), &[0x02, 0x01, 0x00], noise.as_bytes()].concat()
}

/// An RSA private key, as far as its frame and its first bytes go.
pub(crate) fn rsa_key(seed: u64) -> String {
    framed("RSA PRIVATE KEY", &der(600, seed))
}
