//! Tests of the decoders.

use std::io::{BufReader, Read, Write};

use super::*;
use crate::oci::Code;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn skippable(bytes: &[u8]) -> Vec<u8> {
    [b"\x5e\x2a\x4d\x18".as_slice(), &(bytes.len() as u32).to_le_bytes(), bytes].concat()
}

/// Decodes with input buffers of `capacity` bytes.
fn decode(compression: Compression, bytes: &[u8], capacity: usize) -> Result<Vec<u8>, Error> {
    let mut decoder = decoder(compression, BufReader::with_capacity(capacity, bytes), &Limits::default())?;
    let mut out = Vec::new();
    let result = decoder.read_to_end(&mut out);
    if result.is_err() {
        assert!(decoder.read(&mut [0; 9]).is_err(), "an error is not forgotten");
    }
    result.map(|_| out).map_err(into_error)
}

/// The code of the error, whatever the buffers.
fn code(compression: Compression, bytes: &[u8]) -> Code {
    let codes: Vec<_> =
        [1, 3, 7, 9000].into_iter().map(|capacity| decode(compression, bytes, capacity).unwrap_err().code()).collect();
    assert!(codes.iter().all(|code| *code == codes[0]), "{codes:?}");
    codes[0]
}

#[test]
fn compression_is_told_by_magic() {
    assert_eq!(sniff(&gzip(b"x")), Compression::Gzip);
    assert_eq!(sniff(b"\xfd7zXZ\0\0\x04"), Compression::Xz);
    assert_eq!(sniff(b"\x28\xb5\x2f\xfd"), Compression::Zstd { leading_skippable: false });
    for other in [b"".as_slice(), b"\x1f\x8b", b"etc/passwd", b"\x5e\x2a\x4d\x18"] {
        assert_eq!(sniff(other), Compression::None);
    }
}

#[test]
fn a_leading_skippable_frame_is_zstd_when_a_frame_may_follow() {
    let frame = skippable(b"abc");
    let leading = Compression::Zstd { leading_skippable: true };
    assert_eq!(sniff(&frame[..8]), leading);
    assert_eq!(sniff(&[&frame[..], b"\x28\xb5\x2f\xfd"].concat()), leading);
    assert_eq!(sniff(&[&frame[..], b"\x50\x2a"].concat()), leading);
    assert_eq!(sniff(&[&frame[..], b"tar!"].concat()), Compression::None);
}

#[test]
fn every_gzip_member_is_read() {
    let bytes = [gzip(b"one "), gzip(b""), gzip(b"two")].concat();
    for capacity in [1, 2, 10, 9000] {
        assert_eq!(decode(Compression::Gzip, &bytes, capacity).unwrap(), b"one two");
    }
}

#[test]
fn gzip_is_refused_when_cut_damaged_or_followed_by_anything() {
    let whole = gzip(b"some text, some text");
    for length in 0..whole.len() {
        assert_eq!(code(Compression::Gzip, &whole[..length]), Code::GzipMalformed, "{length}");
    }
    for at in [whole.len() - 8, whole.len() - 1] {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        assert_eq!(code(Compression::Gzip, &damaged), Code::GzipMalformed);
    }
    for tail in [b"\0".as_slice(), b"\0\0\0\0\0\0", b"\x1f", b"\x1f\x8b", b"garbage"] {
        assert_eq!(code(Compression::Gzip, &[&whole, tail].concat()), Code::GzipTrailingData, "{tail:?}");
    }
    let error = decode(Compression::Gzip, &[&whole[..], &whole[..], b"x"].concat(), 9).unwrap_err();
    assert!(matches!(error, Error::GzipTrailingData { offset } if offset == 2 * whole.len() as u64));
    let error = decode(Compression::Gzip, &[&whole[..], &whole[..20]].concat(), 9).unwrap_err();
    assert!(matches!(error, Error::Gzip { offset, .. } if offset == whole.len() as u64));
}

#[test]
fn no_compression_passes_through() {
    assert_eq!(decode(Compression::None, b"", 9).unwrap(), b"");
    assert_eq!(decode(Compression::None, b"plain", 2).unwrap(), b"plain");
}

struct Broken;

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        Err(std::io::Error::new(std::io::ErrorKind::PermissionDenied, "the disk"))
    }
}

#[test]
fn a_reader_that_fails_is_not_called_malformed_data() {
    let head = gzip(b"some text");
    for compression in [Compression::None, Compression::Gzip, Compression::Xz, Compression::Zstd { leading_skippable: false }] {
        let start: &[u8] = if compression == Compression::Gzip { &head[..12] } else { b"" };
        let Ok(mut decoder) = decoder(compression, BufReader::new(start.chain(Broken)), &Limits::default()) else { continue };
        let error = into_error(decoder.read_to_end(&mut Vec::new()).unwrap_err());
        assert!(matches!(error, Error::Io(_)), "{compression:?}: {error}");
    }
}

/// `some text` as xz writes it, with a dictionary of 256 KiB.
const XZ: &[u8] = b"\xfd\x37\x7a\x58\x5a\x00\x00\x04\xe6\xd6\xb4\x46\x02\x00\x21\x01\x0c\x00\x00\x00\x8f\x98\x41\x9c\
      \x01\x00\x08\x73\x6f\x6d\x65\x20\x74\x65\x78\x74\x00\x00\x00\x00\x91\x80\x54\x63\xbb\x2f\x70\xaf\
      \x00\x01\x21\x09\x6c\x18\xc5\xd5\x1f\xb6\xf3\x7d\x01\x00\x00\x00\x00\x04\x59\x5a";

#[test]
fn every_xz_stream_is_read_and_damage_refused() {
    let bytes = [XZ, XZ].concat();
    for capacity in [1, 10, 9000] {
        assert_eq!(decode(Compression::Xz, &bytes, capacity).unwrap(), b"some textsome text");
    }
    for length in 0..XZ.len() {
        assert_eq!(code(Compression::Xz, &XZ[..length]), Code::XzMalformed, "{length}");
    }
    let mut damaged = XZ.to_vec();
    damaged[30] ^= 1;
    assert_eq!(code(Compression::Xz, &damaged), Code::XzMalformed);
    assert_eq!(code(Compression::Xz, &[XZ, b"tail"].concat()), Code::XzMalformed);
}

#[test]
fn xz_memory_over_the_limit_is_a_limit_that_was_hit() {
    let limits = Limits { xz_memory_bytes: 100 * crate::limits::KIB, ..Limits::default() };
    let mut decoder = decoder(Compression::Xz, XZ, &limits).unwrap();
    let error = into_error(decoder.read_to_end(&mut Vec::new()).unwrap_err());
    assert!(matches!(&error, Error::Limit(hit) if hit.name == "xz-memory-bytes"), "{error}");
}

#[cfg(feature = "zstd-c")]
mod zstd {
    use super::*;

    const ZSTD: Compression = Compression::Zstd { leading_skippable: false };

    fn frame(bytes: &[u8]) -> Vec<u8> {
        ::zstd::encode_all(bytes, 3).unwrap()
    }

    #[test]
    fn every_frame_and_skippable_frame_is_read() {
        let bytes =
            [skippable(b"s"), frame(b"one "), skippable(b""), skippable(b"toc"), frame(b""), frame(b"two"), skippable(b"z")];
        for capacity in [1, 2, 10, 9000] {
            assert_eq!(decode(ZSTD, &bytes.concat(), capacity).unwrap(), b"one two");
        }
    }

    #[test]
    fn large_frames_come_out_whole() {
        let text: Vec<u8> = (0..3_000_000_u32).map(|n| (n / 7).to_le_bytes()[0]).collect();
        for capacity in [64, 256 << 10] {
            assert!(decode(ZSTD, &[frame(&text), frame(b"!")].concat(), capacity).unwrap() == [&text[..], b"!"].concat());
        }
    }

    #[test]
    fn zstd_is_refused_when_cut_damaged_or_followed_by_anything() {
        let whole = [skippable(b"abc"), frame(b"some text, some text")].concat();
        for length in 0..whole.len() {
            let skipped = length == 11;
            let result = decode(ZSTD, &whole[..length], 5);
            assert_eq!(result.is_ok(), skipped, "{length}");
            if !skipped && length > 15 {
                assert_eq!(code(ZSTD, &whole[..length]), Code::ZstdMalformed, "{length}");
            }
        }
        for tail in [b"\0".as_slice(), b"\x28\xb5\x2f", b"garbage and more garbage"] {
            assert_eq!(code(ZSTD, &[&whole, tail].concat()), Code::ZstdTrailingData, "{tail:?}");
        }
        let mut damaged = whole.clone();
        damaged[15] ^= 0x08; // a reserved bit
        assert_eq!(code(ZSTD, &damaged), Code::ZstdMalformed);
    }

    #[test]
    fn a_window_over_the_limit_is_a_limit_that_was_hit() {
        let bytes = b"\x28\xb5\x2f\xfd\x00\xa8\x01\x00\x00"; // window descriptor 0xa8: 2 GiB
        let error = decode(ZSTD, bytes, 9).unwrap_err();
        assert!(matches!(&error, Error::Limit(hit) if hit.name == "zstd-window-bytes" && hit.found == 2 << 30), "{error}");
        let at_the_limit = b"\x28\xb5\x2f\xfd\x00\x88\x01\x00\x00";
        assert_eq!(decode(ZSTD, at_the_limit, 9).unwrap(), b"");
    }
}

proptest::proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes: Vec<u8>, which in 0..3, capacity in 1_usize..99) {
        let (magic, compression): (&[u8], _) = match which {
            0 => (&GZIP_MAGIC, Compression::Gzip),
            1 => (&ZSTD_MAGIC, Compression::Zstd { leading_skippable: false }),
            _ => (&XZ_MAGIC, Compression::Xz),
        };
        let bytes = [magic, &bytes].concat();
        let _ = (sniff(&bytes), decode(compression, &bytes, capacity));
    }
}
