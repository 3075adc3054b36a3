//! Compressed input: counts offsets, looks ahead over buffer edges, and remembers whether the world failed.

use std::io::{self, BufRead, Read};

/// Bytes that can be looked at ahead: the longest frame header of zstd (RFC 8878, 3.1.1.1).
const AHEAD: usize = 18;

/// A reader under a decoder.
pub(super) struct Input<R> {
    inner: R,
    offset: u64,
    ahead: [u8; AHEAD],
    start: usize,
    end: usize,
    /// The reader itself returned an error: it is no fault of the compressed data.
    pub(super) has_failed: bool,
}

impl<R: BufRead> Input<R> {
    pub(super) fn new(inner: R) -> Self {
        Self { inner, offset: 0, ahead: [0; AHEAD], start: 0, end: 0, has_failed: false }
    }

    /// Bytes consumed.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// The next `count` bytes (at most 18), fewer at the end, without consuming them.
    pub(super) fn peek(&mut self, count: usize) -> io::Result<&[u8]> {
        if self.start > 0 {
            self.ahead.copy_within(self.start..self.end, 0);
            self.end = self.end.saturating_sub(self.start);
            self.start = 0;
        }
        while self.end < count.min(AHEAD) {
            let inner = loop {
                match self.inner.fill_buf() {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    // asked again below: the borrow of the buffer cannot leave the loop
                    Ok(_) => break self.inner.fill_buf(),
                    Err(error) => break Err(error),
                }
            };
            let buffer = inner.inspect_err(|_| self.has_failed = true)?;
            let free = self.ahead.get_mut(self.end..count.min(AHEAD)).unwrap_or_default();
            let taken = free.len().min(buffer.len());
            if taken == 0 {
                break;
            }
            for (target, byte) in free.iter_mut().zip(buffer) {
                *target = *byte;
            }
            self.inner.consume(taken);
            self.end = self.end.saturating_add(taken);
        }
        Ok(self.ahead.get(..self.end.min(count)).unwrap_or_default())
    }
}

impl<R: BufRead> Read for Input<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let taken = self.fill_buf()?.read(buffer)?;
        self.consume(taken);
        Ok(taken)
    }
}

impl<R: BufRead> BufRead for Input<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.start < self.end {
            return Ok(self.ahead.get(self.start..self.end).unwrap_or_default());
        }
        self.inner.fill_buf().inspect_err(|error| self.has_failed = error.kind() != io::ErrorKind::Interrupted)
    }

    fn consume(&mut self, count: usize) {
        self.offset = self.offset.saturating_add(count as u64);
        if self.start < self.end {
            self.start = self.start.saturating_add(count).min(self.end);
        } else {
            self.inner.consume(count);
        }
    }
}
