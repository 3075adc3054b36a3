//! One range of a file's bytes, collected while the file streams by.

use super::elf_head::Head;

/// The bytes from `offset` on, until there are `length`.
#[derive(Debug, Default)]
pub(super) struct Collected {
    offset: u64,
    length: usize,
    /// What was copied; nothing when all of it lies in the head.
    bytes: Vec<u8>,
    is_in_head: bool,
}

impl Collected {
    /// A range of a file whose next byte to come is that at `position`. None when bytes of the range have gone by.
    pub(super) fn new(offset: u64, length: usize, head: &Head, position: u64) -> Option<Self> {
        if length == 0 || head.part(offset, length).is_some() {
            return Some(Self { offset, length, bytes: Vec::new(), is_in_head: true });
        }
        Self::copying(offset, length, head, position)
    }

    /// The same, which outlives the head.
    pub(super) fn copying(offset: u64, length: usize, head: &Head, position: u64) -> Option<Self> {
        let bytes = head.available(offset, length).unwrap_or_default().to_vec();
        let range = Self { offset, length, bytes, is_in_head: false };
        (range.is_complete() || range.next() >= position).then_some(range)
    }

    /// Takes what belongs to the range from a chunk that begins at `at`.
    pub(super) fn push(&mut self, at: u64, chunk: &[u8]) {
        if self.is_complete() {
            return;
        }
        let missing = self.length.saturating_sub(self.bytes.len());
        let Some(start) = self.next().checked_sub(at).and_then(|start| usize::try_from(start).ok()) else { return };
        let available = chunk.get(start..).unwrap_or_default();
        self.bytes.extend_from_slice(available.get(..missing).unwrap_or(available));
    }

    pub(super) fn is_complete(&self) -> bool {
        self.is_in_head || self.bytes.len() >= self.length
    }

    /// What there is of it; `head` is the one that it was made with.
    pub(super) fn bytes<'b>(&'b self, head: &'b Head) -> &'b [u8] {
        if self.is_in_head { head.part(self.offset, self.length).unwrap_or_default() } else { &self.bytes }
    }

    /// What there is of a range that was made to be copied.
    pub(super) fn copied(&self) -> &[u8] {
        &self.bytes
    }

    fn next(&self) -> u64 {
        self.offset.saturating_add(u64::try_from(self.bytes.len()).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(bytes: &[u8]) -> Head {
        let mut head = Head::default();
        head.start(bytes.len());
        head.push(0, bytes);
        head
    }

    #[test]
    fn a_range_is_collected_from_head_and_chunks() {
        let head = head(b"abcd");
        let mut range = Collected::new(2, 5, &head, 4).unwrap();
        assert!(!range.is_complete());
        range.push(4, b"e");
        range.push(5, b"fghi");
        assert!(range.is_complete());
        assert_eq!(range.bytes(&head), b"cdefg");
    }

    #[test]
    fn what_lies_in_the_head_is_not_copied() {
        let head = head(b"abcd");
        let mut range = Collected::new(1, 3, &head, 4).unwrap();
        assert!(range.is_complete() && range.copied().is_empty());
        range.push(4, b"efgh");
        assert_eq!(range.bytes(&head), b"bcd");
        assert_eq!(Collected::default().bytes(&head), b"");
    }

    #[test]
    fn a_range_that_has_gone_by_is_lost() {
        let head = head(b"abcd");
        assert!(Collected::new(2, 5, &head, 6).is_none());
        assert!(Collected::new(5, 1, &head, 6).is_none());
        assert!(Collected::new(0, 4, &head, 600).is_some());
        assert!(Collected::new(700, 4, &head, 600).is_some());
    }
}
