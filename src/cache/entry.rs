//! The form of an entry: what was written under a key, or nothing.
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `PLIMSOLL` |
//! | 4 | format, little-endian |
//! | 1 | how the payload is packed: 1 deflate, 2 zstd |
//! | 8 | bytes of the payload unpacked, little-endian |
//! | 32 | SHA-256 of everything else |
//! | rest | the payload, packed: 4 bytes of length and the key's text, then the value |
//!
//! The checksum is looked at before anything is unpacked. It finds damage, not malice: who may write to a store decides what is in it.

use std::io::{Read, Write};

use sha2::{Digest as _, Sha256};

use super::key::{FORMAT, Key};
use crate::limits::MIB;

const MAGIC: [u8; 8] = *b"PLIMSOLL";
const DEFLATE: u8 = 1;
const ZSTD: u8 = 2;
/// Before the checksum.
const FIELDS_BYTES: usize = 21;
const HEADER_BYTES: usize = FIELDS_BYTES + 32;

/// The largest entry that is written or read.
pub(super) const MOST_BYTES: u64 = 256 * MIB;
/// The largest payload, unpacked.
const MOST_PLAIN_BYTES: u64 = 1024 * MIB;

/// The entry of `value` under `key`; None when it is too large to be kept.
#[must_use]
pub fn sealed(key: &Key, value: &[u8]) -> Option<Vec<u8>> {
    let text = key.text().as_bytes();
    let plain_bytes = byte_count(value).saturating_add(byte_count(text)).saturating_add(4);
    if plain_bytes > MOST_PLAIN_BYTES {
        return None;
    }
    let mut entry = Vec::with_capacity(value.len() / 3);
    entry.extend_from_slice(&MAGIC);
    entry.extend_from_slice(&FORMAT.to_le_bytes());
    entry.push(if cfg!(feature = "zstd-c") { ZSTD } else { DEFLATE });
    entry.extend_from_slice(&plain_bytes.to_le_bytes());
    entry.extend_from_slice(&[0; 32]);
    let text_bytes = u32::try_from(text.len()).ok()?.to_le_bytes();
    pack(&mut entry, &[&text_bytes, text, value]).ok()?;
    let checksum = checksum(&entry)?;
    entry.get_mut(FIELDS_BYTES..HEADER_BYTES)?.copy_from_slice(&checksum);
    (byte_count(&entry) <= MOST_BYTES).then_some(entry)
}

/// The value of an entry that was written under `key` by this form; None for all else.
#[must_use]
pub fn opened(key: &Key, entry: &[u8]) -> Option<Vec<u8>> {
    let (fields, rest) = entry.split_at_checked(FIELDS_BYTES)?;
    let (found, packed) = rest.split_at_checked(32)?;
    let (magic, fields) = fields.split_first_chunk::<8>()?;
    let (format, fields) = fields.split_first_chunk::<4>()?;
    let (packing, plain_bytes) = fields.split_first()?;
    let plain_bytes = u64::from_le_bytes(*plain_bytes.first_chunk()?);
    let is_ours = *magic == MAGIC && u32::from_le_bytes(*format) == FORMAT && plain_bytes <= MOST_PLAIN_BYTES;
    if !is_ours || found != checksum(entry)? {
        return None;
    }
    let mut plain = unpack(*packing, packed, plain_bytes)?;
    let (text_bytes, rest) = plain.split_first_chunk::<4>()?;
    let text_bytes = usize::try_from(u32::from_le_bytes(*text_bytes)).ok()?;
    if rest.get(..text_bytes)? != key.text().as_bytes() {
        return None;
    }
    plain.drain(..text_bytes.saturating_add(4));
    Some(plain)
}

fn checksum(entry: &[u8]) -> Option<[u8; 32]> {
    let mut hash = Sha256::new();
    hash.update(entry.get(..FIELDS_BYTES)?);
    hash.update(entry.get(HEADER_BYTES..)?);
    Some(hash.finalize().into())
}

/// Appends the packed parts.
#[cfg(feature = "zstd-c")]
fn pack(entry: &mut Vec<u8>, parts: &[&[u8]]) -> std::io::Result<()> {
    // level 1: nearly as small as 3 on these tables, in half the time
    let mut encoder = zstd::stream::write::Encoder::new(entry, 1)?;
    parts.iter().try_for_each(|part| encoder.write_all(part))?;
    encoder.finish().map(drop)
}

#[cfg(not(feature = "zstd-c"))]
fn pack(entry: &mut Vec<u8>, parts: &[&[u8]]) -> std::io::Result<()> {
    let mut encoder = flate2::write::DeflateEncoder::new(entry, flate2::Compression::fast());
    parts.iter().try_for_each(|part| encoder.write_all(part))?;
    encoder.finish().map(drop)
}

/// The payload, when it is exactly as long as the header says.
fn unpack(packing: u8, packed: &[u8], plain_bytes: u64) -> Option<Vec<u8>> {
    let reader: Box<dyn Read + '_> = match packing {
        DEFLATE => Box::new(flate2::read::DeflateDecoder::new(packed)),
        #[cfg(feature = "zstd-c")]
        ZSTD => Box::new(zstd::stream::read::Decoder::with_buffer(packed).ok()?),
        _ => return None,
    };
    // what is claimed is believed up to a size that hurts nobody
    let mut plain = Vec::with_capacity(usize::try_from(plain_bytes.min(64 * MIB)).ok()?);
    reader.take(plain_bytes.saturating_add(1)).read_to_end(&mut plain).ok()?;
    (byte_count(&plain) == plain_bytes).then_some(plain)
}

fn byte_count(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::Kind;

    fn key() -> Key {
        Key::new(Kind::Layer, "about this")
    }

    #[test]
    fn what_was_written_is_read() {
        for value in [Vec::new(), b"x".to_vec(), vec![7; 100_000]] {
            assert_eq!(opened(&key(), &sealed(&key(), &value).unwrap()), Some(value));
        }
    }

    #[test]
    fn an_entry_of_another_key_is_nothing() {
        let entry = sealed(&key(), b"value").unwrap();
        assert_eq!(opened(&Key::new(Kind::Layer, "about that"), &entry), None);
        assert_eq!(opened(&Key::new(Kind::Verdict, "about this"), &entry), None);
    }

    #[test]
    fn an_entry_with_any_byte_changed_is_nothing() {
        let entry = sealed(&key(), b"a value of some bytes").unwrap();
        for at in 0..entry.len() {
            for bit in 0..8 {
                let mut altered = entry.clone();
                altered[at] ^= 1 << bit;
                assert_eq!(opened(&key(), &altered), None, "byte {at}, bit {bit}");
            }
        }
    }

    #[test]
    fn an_entry_that_is_cut_short_or_goes_on_is_nothing() {
        let entry = sealed(&key(), b"a value of some bytes").unwrap();
        for length in 0..entry.len() {
            assert_eq!(opened(&key(), &entry[..length]), None, "{length} bytes");
        }
        assert_eq!(opened(&key(), &[&entry[..], b"x"].concat()), None);
    }

    /// A forged entry: the checksum is right, the rest is for the test to say.
    fn forged(packing: u8, plain_bytes: u64, packed: &[u8]) -> Vec<u8> {
        let mut entry = [&MAGIC[..], &FORMAT.to_le_bytes(), &[packing], &plain_bytes.to_le_bytes(), &[0; 32], packed].concat();
        let sum = checksum(&entry).unwrap();
        entry[FIELDS_BYTES..HEADER_BYTES].copy_from_slice(&sum);
        entry
    }

    #[test]
    fn a_payload_that_is_not_as_long_as_it_says_is_nothing() {
        let mut packed = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(&vec![0; 1_000_000]).unwrap();
        let packed = packed.finish().unwrap();
        for claimed in [0, 999_999, 1_000_001, u64::MAX] {
            assert_eq!(unpack(DEFLATE, &packed, claimed.min(MOST_PLAIN_BYTES)), None);
            assert_eq!(opened(&key(), &forged(DEFLATE, claimed, &packed)), None, "{claimed}");
        }
        assert_eq!(unpack(DEFLATE, &packed, 1_000_000).unwrap().len(), 1_000_000);
        assert_eq!(opened(&key(), &forged(9, 1_000_000, &packed)), None, "a packing that is not known");
    }

    proptest::proptest! {
        #[test]
        fn arbitrary_bytes_are_nothing(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..400)) {
            proptest::prop_assert_eq!(opened(&key(), &bytes), None);
            let _ = opened(&key(), &forged(ZSTD, 400, &bytes));
            let _ = opened(&key(), &forged(DEFLATE, 400, &bytes));
        }
    }
}
