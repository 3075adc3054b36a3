//! The first bytes of an ELF file, kept until it is known which of them are wanted: the dynamic segment, which tells, comes near the
//! end of a file, and what it names near the beginning.

/// Bytes of a file from its first on, without gaps but those that were named.
#[derive(Debug, Default)]
pub(super) struct Head {
    kept: Vec<u8>,
    /// File offset of the byte that comes next.
    end: u64,
    /// What is left out: first byte and the one after the last, ascending, apart from each other.
    gaps: Vec<(u64, u64)>,
    /// Bytes that may be kept.
    room: usize,
}

/// What is kept of a buffer for the next file: few files need more.
const USUAL_BYTES: usize = 1 << 20;

impl Head {
    /// A file begins, of which `room` bytes may be kept.
    pub(super) fn start(&mut self, room: usize) {
        self.clear();
        self.room = room;
    }

    /// Nothing is wanted any more.
    pub(super) fn clear(&mut self) {
        self.kept.clear();
        self.kept.shrink_to(USUAL_BYTES);
        self.gaps.clear();
        self.end = 0;
        self.room = 0;
    }

    /// Takes what follows on the bytes so far from a chunk that begins at file offset `at`, until there is no room.
    pub(super) fn push(&mut self, at: u64, chunk: &[u8]) {
        if at != self.end {
            // it ended where it was full
            return;
        }
        let mut left = chunk;
        while !left.is_empty() {
            let gap = self.gaps.iter().find(|gap| gap.1 > self.end).copied().unwrap_or((u64::MAX, u64::MAX));
            let is_gap = gap.0 <= self.end;
            let until = to_usize(if is_gap { gap.1 } else { gap.0 }.saturating_sub(self.end));
            let room = if is_gap { usize::MAX } else { self.room.saturating_sub(self.kept.len()) };
            let (piece, rest) = left.split_at_checked(until.min(room)).unwrap_or((left, &[]));
            if piece.is_empty() {
                return;
            }
            if !is_gap {
                self.kept.extend_from_slice(piece);
            }
            self.end = self.end.saturating_add(byte_count(piece));
            left = rest;
        }
    }

    /// Leaves out parts of the file from now on, and drops what was kept of them.
    pub(super) fn leave_out(&mut self, mut gaps: Vec<(u64, u64)>) {
        gaps.retain(|gap| gap.0 < gap.1);
        gaps.sort_unstable();
        let mut apart: Vec<(u64, u64)> = Vec::new();
        for gap in gaps {
            match apart.last_mut().filter(|last| gap.0 <= last.1) {
                Some(last) => last.1 = last.1.max(gap.1),
                None => apart.push(gap),
            }
        }
        for (start, end) in apart.iter().rev() {
            let (start, end) = (to_usize(*start).min(self.kept.len()), to_usize(*end).min(self.kept.len()));
            self.kept.drain(start..end);
        }
        self.gaps = apart;
    }

    /// The bytes before the first gap, which may be set right.
    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.kept
    }

    /// All that is kept. Before anything is left out, these are the file's first bytes.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.kept
    }

    /// Whether some of a part of the file is left out.
    pub(super) fn leaves_out(&self, offset: u64, length: usize) -> bool {
        let end = offset.saturating_add(byte_length(length));
        self.gaps.iter().any(|gap| gap.0 < end && offset < gap.1)
    }

    /// A part of the file, if all of it is kept.
    pub(super) fn part(&self, offset: u64, length: usize) -> Option<&[u8]> {
        self.available(offset, length).filter(|bytes| bytes.len() == length)
    }

    /// The first bytes of a part of the file; None when they do not reach as far as the head does, or are left out.
    pub(super) fn available(&self, offset: u64, length: usize) -> Option<&[u8]> {
        let end = offset.checked_add(byte_length(length))?.min(self.end);
        if offset > end || self.leaves_out(offset, length) {
            return None;
        }
        let before = self.gaps.iter().filter(|gap| gap.1 <= offset).map(|gap| gap.1.saturating_sub(gap.0));
        let start = to_usize(offset.checked_sub(before.fold(0, u64::saturating_add))?);
        self.kept.get(start..start.checked_add(to_usize(end.saturating_sub(offset)))?)
    }
}

fn to_usize(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

fn byte_length(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

fn byte_count(bytes: &[u8]) -> u64 {
    byte_length(bytes.len())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::arithmetic_side_effects, reason = "tests count on small numbers of their own")]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn parts_are_found_around_what_is_left_out() {
        let mut head = Head::default();
        head.start(100);
        head.push(0, b"abcdef");
        head.leave_out(vec![(4, 8)]);
        head.push(6, b"ghijkl");
        assert_eq!(head.bytes(), b"abcdijkl");
        assert_eq!(head.part(8, 3), Some(&b"ijk"[..]));
        assert_eq!(head.part(1, 3), Some(&b"bcd"[..]));
        assert_eq!(head.part(3, 2), None, "the second byte is left out");
        assert_eq!(head.available(10, 9), Some(&b"kl"[..]));
        assert_eq!(head.available(13, 1), None, "it has not come");
    }

    #[test]
    fn it_ends_where_it_is_full() {
        let mut head = Head::default();
        head.start(3);
        head.push(0, b"abcd");
        head.push(4, b"e");
        assert_eq!((head.bytes(), head.part(2, 1), head.part(3, 1)), (&b"abc"[..], Some(&b"c"[..]), None));
        head.start(9);
        assert!(head.bytes().is_empty());
    }

    proptest! {
        #[test]
        fn a_part_that_is_found_is_what_the_file_holds_there(
            file in proptest::collection::vec(any::<u8>(), 0..200),
            chunk in 1_usize..40,
            known_after in 0_usize..200,
            gaps in proptest::collection::vec((0_u64..220, 0_u64..220), 0..4),
            room in 0_usize..220,
            (offset, length) in (0_usize..220, 0_usize..220),
        ) {
            let mut head = Head::default();
            head.start(room);
            let mut at = 0;
            let mut is_known = false;
            for piece in file.chunks(chunk) {
                if at >= known_after && !is_known {
                    is_known = true;
                    head.leave_out(gaps.clone());
                }
                head.push(at as u64, piece);
                at += piece.len();
            }
            prop_assert!(head.bytes().len() <= room);
            let part = head.part(offset as u64, length);
            if let Some(part) = part {
                prop_assert_eq!(Some(part), file.get(offset..offset + length));
            }
            let is_whole = room >= file.len() && offset + length <= file.len();
            let is_left_out = gaps.iter().any(|gap| gap.0 < gap.1 && gap.0 < (offset + length) as u64 && (offset as u64) < gap.1);
            if is_whole && !is_left_out {
                prop_assert!(part.is_some());
            }
        }
    }
}
