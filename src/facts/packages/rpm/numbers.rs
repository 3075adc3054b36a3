//! Numbers at an offset; None past the end.

/// `length` bytes from `at`.
pub(super) fn slice(bytes: &[u8], at: usize, length: usize) -> Option<&[u8]> {
    bytes.get(at..at.checked_add(length)?)
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    slice(bytes, at, N)?.try_into().ok()
}

/// Big-endian, 16 bits.
pub(super) fn be16(bytes: &[u8], at: usize) -> Option<u16> {
    array(bytes, at).map(u16::from_be_bytes)
}

/// Big-endian, 32 bits.
pub(super) fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    array(bytes, at).map(u32::from_be_bytes)
}

/// Little-endian, 16 bits.
pub(super) fn le16(bytes: &[u8], at: usize) -> Option<u16> {
    array(bytes, at).map(u16::from_le_bytes)
}

/// Little-endian, 32 bits.
pub(super) fn le32(bytes: &[u8], at: usize) -> Option<u32> {
    array(bytes, at).map(u32::from_le_bytes)
}

/// Sizes of 32 bits fit on every machine that is supported; others read as too large for any file.
pub(super) fn size(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// Marks units of a file (pages) as used, so that none is read twice and every walk ends.
#[derive(Debug)]
pub(super) struct Used(Vec<bool>);

impl Used {
    pub(super) fn new(units: usize) -> Self {
        Self(vec![false; units])
    }

    /// Whether `unit` exists and was not taken before.
    pub(super) fn take(&mut self, unit: usize) -> bool {
        self.0.get_mut(unit).is_some_and(|used| !std::mem::replace(used, true))
    }
}
