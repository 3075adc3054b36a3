//! xz: every stream, with a cap on the decoder's memory.

use std::io::{self, BufRead, Read};

use lzma_rust2::XzReader;

use super::input::Input;
use super::{Error, wrap};
use crate::limits::{KIB, LimitHit, Limits};

/// Reads all streams.
pub(super) struct Decoder<R: BufRead> {
    inner: XzReader<Input<R>>,
    memory_limit: u64,
    has_failed: bool,
}

impl<R: BufRead> Decoder<R> {
    pub(super) fn new(reader: R, limits: &Limits) -> Self {
        let memory_limit = limits.xz_memory_bytes;
        // the largest value would mean no limit
        let kib = u32::try_from(memory_limit / KIB).unwrap_or(u32::MAX).min(u32::MAX.wrapping_sub(1));
        Self { inner: XzReader::new_mem_limit(Input::new(reader), true, kib), memory_limit, has_failed: false }
    }

    fn error(&self, error: io::Error) -> io::Error {
        if self.inner.inner().has_failed {
            error
        } else if error.kind() == io::ErrorKind::OutOfMemory {
            // the decoder does not say how much it wants
            let found = self.memory_limit.saturating_add(1);
            wrap(LimitHit { name: "xz-memory-bytes", limit: self.memory_limit, found })
        } else {
            wrap(Error::Xz { reason: error.to_string() })
        }
    }
}

impl<R: BufRead> Read for Decoder<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.has_failed {
            return Err(wrap(Error::Xz { reason: "reading stopped at an earlier error".into() }));
        }
        match self.inner.read(buffer) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                self.has_failed = true;
                Err(self.error(error))
            }
            result => result,
        }
    }
}
