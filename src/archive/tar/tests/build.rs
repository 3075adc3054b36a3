//! Small builders of tar bytes.

use crate::archive::Error;
use crate::archive::tar::{Entry, Framer, Sink, Trailer};
use crate::limits::Limits;

/// A header block under construction.
#[derive(Clone)]
pub(super) struct Raw(pub(super) [u8; 512]);

impl Raw {
    /// A ustar header.
    pub(super) fn new(type_flag: u8, name: &str, size: u64) -> Self {
        let mut raw = Self([0; 512])
            .put(0, name.as_bytes())
            .put(100, b"0000644\0")
            .put(108, b"0000000\0")
            .put(116, b"0000000\0")
            .put(124, format!("{size:011o}\0").as_bytes())
            .put(136, b"00000000000\0")
            .put(257, b"ustar\x0000");
        raw.0[156] = type_flag;
        raw
    }

    pub(super) fn put(mut self, at: usize, bytes: &[u8]) -> Self {
        self.0[at..at + bytes.len()].copy_from_slice(bytes);
        self
    }

    /// The block, with a checksum over unsigned bytes.
    pub(super) fn done(self) -> Vec<u8> {
        let sum: i64 = self.sum(i64::from);
        self.with_checksum(sum)
    }

    /// The block, with a checksum over signed bytes.
    pub(super) fn signed(self) -> Vec<u8> {
        let sum: i64 = self.sum(|b| i64::from(b.cast_signed()));
        self.with_checksum(sum)
    }

    fn sum(&self, value: impl Fn(u8) -> i64) -> i64 {
        (0..512).map(|at| value(if (148..156).contains(&at) { b' ' } else { self.0[at] })).sum()
    }

    fn with_checksum(self, sum: i64) -> Vec<u8> {
        self.put(148, format!("{sum:06o}\0 ").as_bytes()).0.to_vec()
    }
}

/// A header, its content, and padding.
pub(super) fn member(type_flag: u8, name: &str, content: &[u8]) -> Vec<u8> {
    with_content(Raw::new(type_flag, name, content.len() as u64).done(), content)
}

pub(super) fn with_content(header: Vec<u8>, content: &[u8]) -> Vec<u8> {
    let mut bytes = [header, content.to_vec()].concat();
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

/// One PAX record.
pub(super) fn record(key: &str, value: &[u8]) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let length = (1..=7).map(|digits| rest + digits).find(|length| length.to_string().len() + rest == *length).unwrap();
    [format!("{length} {key}=").as_bytes(), value, b"\n"].concat()
}

/// An `x` header with records.
pub(super) fn pax(records: &[(&str, &str)]) -> Vec<u8> {
    let content: Vec<u8> = records.iter().flat_map(|(key, value)| record(key, value.as_bytes())).collect();
    member(b'x', "PaxHeaders/x", &content)
}

pub(super) fn end() -> Vec<u8> {
    vec![0; 1024]
}

/// What the framer said, with the content put together.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) entries: Vec<(Entry, Vec<u8>)>,
    pub(super) ended: usize,
}

impl Sink for Seen {
    fn entry(&mut self, entry: Entry) -> Result<(), Error> {
        assert_eq!(self.entries.len(), self.ended, "the entry before has ended");
        self.entries.push((entry, Vec::new()));
        Ok(())
    }

    fn data(&mut self, bytes: &[u8]) {
        self.entries.last_mut().unwrap().1.extend_from_slice(bytes);
    }

    fn hole(&mut self, length: u64) {
        let content = &mut self.entries.last_mut().unwrap().1;
        content.resize((content.len() as u64).saturating_add(length).min(1 << 20) as usize, 0);
    }

    fn end_of_entry(&mut self) {
        self.ended += 1;
        assert_eq!(self.entries.len(), self.ended);
    }
}

/// Reads a tar in chunks of `chunk` bytes.
pub(super) fn read_in(chunk: usize, limits: &Limits, bytes: &[u8]) -> (Seen, Result<Trailer, Error>) {
    let (mut seen, mut framer) = (Seen::default(), Framer::new(limits));
    for part in bytes.chunks(chunk) {
        if let Err(error) = framer.push(part, &mut seen) {
            return (seen, Err(error));
        }
    }
    assert_eq!(framer.offset(), bytes.len() as u64);
    let result = framer.finish();
    (seen, result)
}

/// Reads a tar that must be well-formed.
pub(super) fn read(parts: &[Vec<u8>]) -> Vec<(Entry, Vec<u8>)> {
    let (seen, result) = read_in(usize::MAX, &Limits::default(), &parts.concat());
    result.unwrap();
    assert_eq!(seen.entries.len(), seen.ended);
    seen.entries
}

/// Reads a tar that must be refused.
pub(super) fn refuse(parts: &[Vec<u8>]) -> Error {
    read_in(usize::MAX, &Limits::default(), &parts.concat()).1.unwrap_err()
}

/// The names of the entries.
pub(super) fn names(entries: &[(Entry, Vec<u8>)]) -> Vec<String> {
    entries.iter().map(|(entry, _)| crate::oci::escape(&entry.path)).collect()
}

/// The codes of all remarks.
pub(super) fn codes(entries: &[(Entry, Vec<u8>)]) -> Vec<&'static str> {
    entries.iter().flat_map(|(entry, _)| entry.remarks.iter().map(|(code, _)| code.as_str())).collect()
}
