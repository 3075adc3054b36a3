//! Bytes of a file from a place on that a search found, collected while the file streams by.

/// At most as many bytes as are wanted, from one place on.
#[derive(Debug, Default)]
pub(super) struct Candidate {
    at: Option<u64>,
    wanted: usize,
    bytes: Vec<u8>,
    is_cut: bool,
}

impl Candidate {
    /// Forgets all.
    pub(super) fn clear(&mut self) {
        *self = Self { bytes: std::mem::take(&mut self.bytes), ..Self::default() };
        self.bytes.clear();
    }

    /// Begins anew at `at`.
    pub(super) fn start(&mut self, at: u64, wanted: usize) {
        self.clear();
        (self.at, self.wanted) = (Some(at), wanted);
    }

    /// Wants as many bytes in all.
    pub(super) fn want(&mut self, wanted: usize) {
        self.wanted = wanted;
    }

    /// Takes what belongs to it from a chunk that begins at `position`.
    pub(super) fn push(&mut self, position: u64, chunk: &[u8]) {
        let Some(at) = self.at.filter(|_| !self.is_full()) else { return };
        let missing = self.wanted.saturating_sub(self.bytes.len());
        let next = at.saturating_add(u64::try_from(self.bytes.len()).unwrap_or(u64::MAX));
        let Some(start) = next.checked_sub(position).and_then(|start| usize::try_from(start).ok()) else { return };
        let rest = chunk.get(start..).unwrap_or_default();
        self.bytes.extend_from_slice(rest.get(..missing).unwrap_or(rest));
    }

    /// Ends it after so many bytes: no more are wanted.
    pub(super) fn cut(&mut self, length: usize) {
        self.bytes.truncate(length);
        (self.wanted, self.is_cut) = (length, true);
    }

    pub(super) fn at(&self) -> Option<u64> {
        self.at
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn wanted(&self) -> usize {
        self.wanted
    }

    /// Whether there are as many bytes as are wanted.
    pub(super) fn is_full(&self) -> bool {
        self.bytes.len() >= self.wanted
    }

    /// Whether its end was found.
    pub(super) fn was_cut(&self) -> bool {
        self.is_cut
    }

    /// Whether nothing was found.
    pub(super) fn is_empty(&self) -> bool {
        self.at.is_none()
    }
}
