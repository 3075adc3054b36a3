//! Tars and ELF files for the tests of this room.

#![expect(clippy::arithmetic_side_effects, reason = "tests count on small numbers of their own")]

use std::io::Write as _;

use tar::{EntryType, Header};

/// A tar that is being written, entry by entry.
#[derive(Default)]
pub(super) struct TestTar {
    bytes: Vec<u8>,
}

impl TestTar {
    pub(super) fn file(self, name: &str, body: &[u8]) -> Self {
        self.entry(name, EntryType::Regular, "", body, |_| {})
    }

    pub(super) fn directory(self, name: &str) -> Self {
        self.entry(name, EntryType::Directory, "", b"", |header| header.set_mode(0o755))
    }

    pub(super) fn link(self, name: &str, kind: EntryType, target: &str) -> Self {
        self.entry(name, kind, target, b"", |_| {})
    }

    pub(super) fn entry(
        mut self,
        name: &str,
        kind: EntryType,
        target: &str,
        body: &[u8],
        change: impl FnOnce(&mut Header),
    ) -> Self {
        let mut header = Header::new_ustar();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.as_old_mut().linkname[..target.len()].copy_from_slice(target.as_bytes());
        header.set_entry_type(kind);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_size(body.len() as u64);
        change(&mut header);
        header.set_cksum();
        self.bytes.extend_from_slice(header.as_bytes());
        self.bytes.extend_from_slice(body);
        self.bytes.resize(self.bytes.len().next_multiple_of(512), 0);
        self
    }

    /// The tar with its end marker.
    pub(super) fn end(mut self) -> Vec<u8> {
        self.bytes.resize(self.bytes.len() + 1024, 0);
        self.bytes
    }
}

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A position-independent program: interpreter, two libraries, a soname, then `more` in its loaded bytes.
pub(super) fn elf_program(more: &[u8]) -> Vec<u8> {
    const STRINGS: &[u8] = b"\0libc.so.6\0libm.so.6\0me\0";
    let phdr = |kind: u32, offset: u64, length: u64| {
        let mut bytes = kind.to_le_bytes().to_vec();
        bytes.extend_from_slice(&5_u32.to_le_bytes());
        for field in [offset, offset, offset, length, length, 8] {
            bytes.extend_from_slice(&field.to_le_bytes());
        }
        bytes
    };
    let interpreter = b"/lib64/ld-linux-x86-64.so.2\0";
    let interpreter_at = 64 + 3 * 56;
    let dynamic_at = interpreter_at + interpreter.len() as u64;
    let dynamic: Vec<u64> = vec![1, 1, 1, 11, 14, 21, 5, dynamic_at + 96, 10, STRINGS.len() as u64, 0, 0];
    let total = dynamic_at + 96 + STRINGS.len() as u64 + more.len() as u64;
    let mut bytes = b"\x7fELF\x02\x01\x01".to_vec();
    bytes.resize(16, 0);
    bytes.extend_from_slice(&[3, 0, 62, 0, 1, 0, 0, 0]);
    for field in [0_u64, 64, 0] {
        bytes.extend_from_slice(&field.to_le_bytes());
    }
    bytes.extend_from_slice(&[0, 0, 0, 0, 64, 0, 56, 0, 3, 0, 64, 0, 0, 0, 0, 0]);
    bytes.extend(phdr(1, 0, total));
    bytes.extend(phdr(3, interpreter_at, interpreter.len() as u64));
    bytes.extend(phdr(2, dynamic_at, 96));
    bytes.extend_from_slice(interpreter);
    bytes.extend(dynamic.iter().flat_map(|value| value.to_le_bytes()));
    bytes.extend_from_slice(STRINGS);
    bytes.extend_from_slice(more);
    bytes
}
