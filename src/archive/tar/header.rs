//! One header block: checksum, format, fields.
//!
//! The fields that every format has come from the `tar` crate's view of a block. Those of ustar, star and GNU are cut out here: the
//! crate's ustar view wants version `00`, which runtimes do not look at, and it has none for star.

use super::number::{numeric, octal, until_nul};

/// A block of a tar.
pub(super) type Block = [u8; BLOCK];
/// Bytes of a block.
pub(super) const BLOCK: usize = 512;
/// The block that ends an archive.
pub(super) const ZERO: &Block = &[0; BLOCK];

/// The fields of a header block, before extension headers are applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) type_flag: u8,
    pub(super) name: Vec<u8>,
    pub(super) link: Vec<u8>,
    pub(super) size: i64,
    pub(super) mode: i64,
    pub(super) uid: i64,
    pub(super) gid: i64,
    pub(super) dev_major: i64,
    pub(super) dev_minor: i64,
    /// The checksum is right over signed bytes alone.
    pub(super) is_signed: bool,
    /// A GNU header's prefix text was put before the name.
    pub(super) has_gnu_prefix: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    V7,
    Ustar,
    Star,
    Gnu,
}

impl Header {
    /// Reads a block that is not zero. Err says what is wrong with it.
    pub(super) fn parse(block: &Block) -> Result<Self, &'static str> {
        let is_signed = !checksum_matches(block)?;
        let number = |start, length, reason| numeric(field(block, start, length)).ok_or(reason);
        let old = tar::Header::from_byte_slice(block).as_old();
        let [type_flag] = old.linkflag;
        let mut header = Self {
            type_flag,
            name: until_nul(&old.name).to_vec(),
            link: until_nul(&old.linkname).to_vec(),
            size: numeric(&old.size).ok_or("the size field is no number")?,
            mode: numeric(&old.mode).ok_or("the mode field is no number")?,
            uid: numeric(&old.uid).ok_or("the uid field is no number")?,
            gid: numeric(&old.gid).ok_or("the gid field is no number")?,
            dev_major: 0,
            dev_minor: 0,
            is_signed,
            has_gnu_prefix: false,
        };
        numeric(&old.mtime).ok_or("the mtime field is no number")?;
        let format = format(block);
        if format != Format::V7 {
            header.dev_major = number(329, 8, "the devmajor field is no number")?;
            header.dev_minor = number(337, 8, "the devminor field is no number")?;
        }
        let prefix = match format {
            Format::V7 => &[],
            Format::Ustar => until_nul(field(block, 345, 155)),
            Format::Star => {
                number(476, 12, "the atime field is no number")?;
                number(488, 12, "the ctime field is no number")?;
                until_nul(field(block, 345, 131))
            }
            Format::Gnu => gnu_prefix(block),
        };
        if !prefix.is_empty() {
            header.has_gnu_prefix = format == Format::Gnu;
            header.name = [prefix, b"/", &header.name].concat();
        }
        Ok(header)
    }

    /// Types 1 to 6 have no content, whatever their size says.
    pub(super) fn is_bodyless(&self) -> bool {
        matches!(self.type_flag, b'1'..=b'6')
    }
}

fn field(block: &Block, start: usize, length: usize) -> &[u8] {
    block.get(start..start.saturating_add(length)).unwrap_or_default()
}

/// True when the checksum is right over unsigned bytes, false over signed ones.
fn checksum_matches(block: &Block) -> Result<bool, &'static str> {
    const REASON: &str = "the checksum is wrong";
    let value = octal(field(block, 148, 8)).ok_or(REASON)?;
    // the checksum's own field counts as spaces
    let sum = |bytes: &[u8]| bytes.iter().fold(0_u32, |sum, byte| sum.wrapping_add(u32::from(*byte)));
    let own = field(block, 148, 8);
    let unsigned = i64::from(sum(block).wrapping_sub(sum(own)).wrapping_add(8 * 0x20));
    let high_bytes = |bytes: &[u8]| bytes.iter().fold(0_u32, |count, byte| count.wrapping_add(u32::from(byte >> 7)));
    let signed = || unsigned.wrapping_sub(i64::from(high_bytes(block).wrapping_sub(high_bytes(own))).wrapping_mul(256));
    if value == unsigned {
        Ok(true)
    } else if value == signed() {
        Ok(false)
    } else {
        Err(REASON)
    }
}

fn format(block: &Block) -> Format {
    let (magic, version) = (field(block, 257, 6), field(block, 263, 2));
    if magic == b"ustar\0" && field(block, 508, 4) == b"tar\0" {
        Format::Star
    } else if magic == b"ustar\0" {
        Format::Ustar
    } else if magic == b"ustar " && version == b" \0" {
        Format::Gnu
    } else {
        Format::V7
    }
}

/// Go before 1.8 wrote a prefix into GNU headers, where atime and ctime lie. Its reader, and so every runtime, still takes the
/// field for a prefix when one of the times is set and is no number, and the text is ASCII.
fn gnu_prefix(block: &Block) -> &[u8] {
    let is_time = |start| {
        let time = field(block, start, 12);
        time.first() == Some(&0) || numeric(time).is_some()
    };
    let prefix = until_nul(field(block, 345, 155));
    if (is_time(345) && is_time(357)) || !prefix.is_ascii() { &[] } else { prefix }
}
