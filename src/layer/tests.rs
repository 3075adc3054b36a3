//! Tests of the room as a whole: bytes in, index out.

#![expect(clippy::arithmetic_side_effects, reason = "tests count on small numbers of their own")]

use std::io::Read;
use std::sync::atomic::AtomicU64;

use proptest::prelude::*;
use sha2::Digest as _;
use tar::EntryType;

use super::probe::Marker;
use super::test_tar::{TestTar, elf_program, gzip};
use super::*;
use crate::limits::Limits;
use crate::oci::Code;

/// Gives at most `step` bytes per read, and fails after `fail_at`.
struct Stepwise<'b> {
    bytes: &'b [u8],
    step: usize,
    fail_at: usize,
}

impl Read for Stepwise<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        if self.fail_at == 0 {
            return Err(std::io::Error::other("gone"));
        }
        let length = self.step.min(out.len()).min(self.bytes.len()).min(self.fail_at);
        out[..length].copy_from_slice(&self.bytes[..length]);
        self.bytes = &self.bytes[length..];
        self.fail_at -= length;
        Ok(length)
    }
}

fn indexed_with(bytes: &[u8], limits: &Limits, algorithm: Algorithm) -> LayerIndex {
    let progress = AtomicU64::new(0);
    let index =
        index(&mut &*bytes, Options { algorithm, digest_files: false, progress: &progress, kept: &AtomicU64::new(0) }, limits);
    assert_eq!(progress.into_inner(), index.uncompressed_bytes);
    index
}

pub(super) fn indexed(bytes: &[u8]) -> LayerIndex {
    indexed_with(bytes, &Limits::default(), Algorithm::Sha256)
}

fn content<'i>(index: &'i LayerIndex, path: &str) -> Option<&'i Content> {
    index.changes.iter().find(|change| index.name(&change.path) == path.as_bytes())?.content.as_deref()
}

/// Everything but what the compression changes.
fn essence(index: &LayerIndex) -> String {
    format!(
        "{:?} {:?} {:?} {:?} {:?} {:?}",
        index.diff_id, index.changes, index.names, index.not_examined, index.remarks, index.errors
    )
}

fn sample() -> Vec<u8> {
    TestTar::default()
        .directory("etc/")
        .file("etc/passwd", b"root:x:0:0:root:/root:/bin/sh\n")
        .file("opt/users", b"app:x:7:7::/:/bin/sh\n")
        .file("bin/run", b"#!/bin/sh -e\necho\n")
        .file("bin/program", &elf_program(b"Tiny C Compiler, Usage: tcc"))
        .link("bin/again", EntryType::Link, "bin/program")
        .link("sh", EntryType::Symlink, "../../bin/run")
        .end()
}

/// A tar that is large when stored: hashes of counters do not compress.
fn large() -> Vec<u8> {
    let noise: Vec<u8> = (0..40_000_u32).flat_map(|count| sha2::Sha256::digest(count.to_le_bytes())).collect();
    TestTar::default().file("noise", &noise).file("bin/run", b"#!/bin/sh\n").end()
}

#[test]
fn a_change_is_small() {
    assert!(size_of::<Change>() < 100, "{}", size_of::<Change>());
}

#[test]
fn everything_is_learnt_in_one_pass() {
    let index = indexed(&sample());
    assert!(index.errors.is_empty() && index.remarks.is_empty() && index.not_examined.is_empty());
    assert_eq!(index.digest.as_ref().unwrap().0, index.diff_id.as_ref().unwrap().0);
    assert!(content(&index, "/etc/passwd").unwrap().body.is_some());
    assert!(content(&index, "/opt/users").unwrap().body.is_some());
    assert_eq!(content(&index, "/bin/run").unwrap().shebang.as_deref(), Some(&b"/bin/sh -e"[..]));
    let elf = content(&index, "/bin/program").unwrap().elf.as_deref().unwrap();
    assert_eq!(elf.interpreter.as_deref(), Some(&b"/lib64/ld-linux-x86-64.so.2"[..]));
    assert_eq!(elf.needed.iter().map(|name| &**name).collect::<Vec<_>>(), [&b"libc.so.6"[..], b"libm.so.6"]);
    assert_eq!(elf.soname.as_deref(), Some(&b"me"[..]));
    assert!(elf.is_program && elf.is_64 && elf.is_little_endian && elf.machine == 62);
    assert_eq!(elf.markers.iter().copied().collect::<Vec<_>>(), [Marker::Tcc]);
    let link = index.changes.iter().find(|change| change.kind == ChangeKind::HardLink).unwrap();
    assert_eq!(index.name(&link.link), b"/bin/program");
}

#[test]
fn compression_changes_nothing_but_digest_and_compression() {
    for tar in [sample(), large()] {
        let plain = indexed(&tar);
        let zipped = indexed(&gzip(&tar));
        assert_eq!(essence(&plain), essence(&zipped));
        assert_ne!(plain.digest, zipped.digest);
        assert_eq!(zipped.compressed_bytes, gzip(&tar).len() as u64);
    }
}

#[test]
fn reads_of_any_size_give_one_index() {
    let stored = gzip(&large());
    let whole = format!("{:?}", indexed(&stored));
    for step in [1_000, 4_097, 300_000] {
        let progress = AtomicU64::new(0);
        let options =
            Options { algorithm: Algorithm::Sha256, digest_files: false, progress: &progress, kept: &AtomicU64::new(0) };
        let mut reader = Stepwise { bytes: &stored, step, fail_at: usize::MAX };
        assert_eq!(format!("{:?}", index(&mut reader, options, &Limits::default())), whole);
    }
}

#[test]
fn a_failed_read_is_an_error_and_gives_no_digest() {
    let stored = gzip(&large());
    for fail_at in [0, 1_000, 500_000, stored.len() - 1] {
        let progress = AtomicU64::new(0);
        let options =
            Options { algorithm: Algorithm::Sha256, digest_files: false, progress: &progress, kept: &AtomicU64::new(0) };
        let index = index(&mut Stepwise { bytes: &stored, step: 65_536, fail_at }, options, &Limits::default());
        assert!(index.errors.iter().any(|error| error.code() == Code::InputUnreadable), "{:?}", index.errors);
        assert!(index.digest.is_none() && index.diff_id.is_none());
    }
}

#[test]
fn stored_bytes_are_hashed_to_the_end_whatever_breaks() {
    let mut broken = gzip(&large());
    let middle = broken.len() / 3;
    broken[middle..middle + 64].fill(0xff);
    let index = indexed(&broken);
    assert_eq!(index.compressed_bytes, broken.len() as u64);
    let digest = crate::oci::Digest::of_bytes(Algorithm::Sha256, &sha2::Sha256::digest(&broken));
    assert_eq!(index.digest.unwrap().0, digest);
    assert!(index.diff_id.is_none());
    assert!(index.errors.iter().any(|error| error.code() == Code::GzipMalformed), "{:?}", index.errors);
}

#[test]
fn after_a_broken_tar_both_sides_are_hashed_on() {
    let mut tar = large();
    tar[148] ^= 1;
    let index = indexed(&gzip(&tar));
    assert_eq!(index.errors.iter().map(Error::code).collect::<Vec<_>>(), [Code::TarMalformed]);
    assert_eq!(index.uncompressed_bytes, tar.len() as u64);
    assert!(index.diff_id.is_some() && index.digest.is_some());
}

#[test]
fn limits_are_errors_of_their_own() {
    let tar = sample();
    for limits in [
        Limits { layer_bytes: 1_000, ..Limits::default() },
        Limits { layer_entries: 3, ..Limits::default() },
        Limits { layer_name_bytes: 20, ..Limits::default() },
    ] {
        for bytes in [tar.clone(), gzip(&tar)] {
            let index = indexed_with(&bytes, &limits, Algorithm::Sha256);
            assert!(index.errors.iter().any(|error| error.code() == Code::LimitExceeded), "{limits:?}");
            assert_eq!(index.digest, indexed(&bytes).digest);
        }
    }
}

#[test]
fn sha512_is_computed_when_it_is_the_blobs_digest() {
    let index = indexed_with(&gzip(&sample()), &Limits::default(), Algorithm::Sha512);
    assert_eq!(index.digest.unwrap().0.algorithm(), Algorithm::Sha512);
    assert_eq!(index.diff_id, indexed(&sample()).diff_id);
    assert_eq!(index.diff_id_sha512.unwrap().0.algorithm(), Algorithm::Sha512);
}

#[test]
fn bodies_are_read_again_by_number() {
    let bytes = gzip(&sample());
    let bodies = read_bodies(&mut &*bytes, &[1, 3], &Limits::default()).unwrap();
    assert_eq!(bodies, [(1, b"root:x:0:0:root:/root:/bin/sh\n".to_vec()), (3, b"#!/bin/sh -e\necho\n".to_vec())]);
    let limits = Limits { kept_bytes: 10, ..Limits::default() };
    assert_eq!(read_bodies(&mut &*bytes, &[1], &limits).unwrap_err().code(), Code::LimitExceeded);
    assert!(read_bodies(&mut &*bytes, &[5], &Limits::default()).unwrap().is_empty());
}

#[test]
fn the_layers_of_an_image_share_the_room_for_bodies() {
    let bytes = TestTar::default().file("etc/passwd", b"root:x:0:0::/:\n").end();
    let limits = Limits { kept_bytes: 20, ..Limits::default() };
    let (progress, kept) = (AtomicU64::new(0), AtomicU64::new(0));
    let options = Options { algorithm: Algorithm::Sha256, digest_files: false, progress: &progress, kept: &kept };
    let has_body = || {
        let index = index(&mut &*bytes, options, &limits);
        content(&index, "/etc/passwd").is_some_and(|content| content.body.is_some())
    };
    assert!(has_body() && !has_body());
    assert_eq!(kept.into_inner(), 15);
}

#[test]
fn errors_of_entries_are_listed_up_to_sixteen() {
    let tar = (0..40).fold(TestTar::default(), |tar, number| tar.file(&format!("../{number}"), b""));
    assert_eq!(indexed(&tar.end()).errors.len(), 16);
}

#[test]
fn remarks_of_one_code_are_counted_when_there_are_too_many() {
    let tar = (0..1_005).fold(TestTar::default(), |tar, number| tar.file(&format!("a//{number}"), b""));
    let index = indexed(&tar.end());
    assert_eq!(index.remarks.len(), 1_001);
    assert_eq!(index.remarks[1_000].detail, "and 5 more in this layer");
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes: Vec<u8>, zip: bool) {
        let index = indexed(&if zip { gzip(&bytes) } else { bytes });
        prop_assert!(index.digest.is_some());
    }

    #[test]
    fn damaged_layers_never_panic(at in 0_usize..5_000, byte: u8, zip: bool) {
        let mut bytes = sample();
        let at = at % bytes.len();
        bytes[at] = byte;
        let index = indexed(&if zip { gzip(&bytes) } else { bytes });
        prop_assert!(index.diff_id.is_some());
    }

    #[test]
    fn damaged_elf_files_are_facts_broken_or_not_examined(at in 0_usize..500, byte: u8) {
        let mut elf = elf_program(b"");
        let at = at % elf.len();
        elf[at] = byte;
        let index = indexed(&TestTar::default().file("f", &elf).end());
        let known = content(&index, "/f").is_some_and(|content| content.elf.is_some() != content.broken_elf.is_some());
        prop_assert!(known || !index.not_examined.is_empty() || !elf.starts_with(b"\x7fELF"));
    }
}
