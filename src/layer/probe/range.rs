//! One range of a file's bytes, collected while the file streams by.

/// The bytes from `offset` on, until there are `length`.
#[derive(Debug, Default)]
pub(super) struct Collected {
    offset: u64,
    length: usize,
    bytes: Vec<u8>,
}

impl Collected {
    /// A range of a file of which `head` holds the first bytes and the next to come is that at `position`. None when bytes of the
    /// range have gone by.
    pub(super) fn new(offset: u64, length: usize, head: &[u8], position: u64) -> Option<Self> {
        let mut range = Self { offset, length, bytes: Vec::new() };
        range.push(0, head);
        (range.is_complete() || range.next() >= position).then_some(range)
    }

    /// Takes what belongs to the range from a chunk that begins at `at`.
    pub(super) fn push(&mut self, at: u64, chunk: &[u8]) {
        let missing = self.length.saturating_sub(self.bytes.len());
        let Some(start) = self.next().checked_sub(at).and_then(|start| usize::try_from(start).ok()) else { return };
        let available = chunk.get(start..).unwrap_or_default();
        self.bytes.extend_from_slice(available.get(..missing).unwrap_or(available));
    }

    pub(super) fn is_complete(&self) -> bool {
        self.bytes.len() >= self.length
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn next(&self) -> u64 {
        self.offset.saturating_add(u64::try_from(self.bytes.len()).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_collected_from_head_and_chunks() {
        let mut range = Collected::new(2, 5, b"abcd", 4).unwrap();
        assert!(!range.is_complete());
        range.push(4, b"e");
        range.push(5, b"fghi");
        assert!(range.is_complete());
        assert_eq!(range.bytes(), b"cdefg");
    }

    #[test]
    fn a_range_that_has_gone_by_is_lost() {
        assert!(Collected::new(2, 5, b"abcd", 6).is_none());
        assert!(Collected::new(5, 1, b"abcd", 6).is_none());
        assert!(Collected::new(0, 4, b"abcd", 600).is_some());
        assert!(Collected::new(700, 4, b"abcd", 600).is_some());
    }
}
