//! zstd (RFC 8878): every frame and skippable frame, with a cap on the window, and nothing between or after them.

use std::io::{self, BufRead, Read};

use ::zstd::stream::raw::{DParameter, Decoder as Raw, InBuffer, Operation, OutBuffer};

use super::input::Input;
use super::{Error, ZSTD_MAGIC, is_skippable, wrap};
use crate::limits::Limits;

/// The longest frame header: magic, descriptor, window, dictionary id, content size.
const HEADER_BYTES: usize = 18;

/// Reads all frames.
pub(super) struct Decoder<R> {
    input: Input<R>,
    raw: Raw<'static>,
    limits: Limits,
    frame_offset: u64,
    is_in_frame: bool,
    has_failed: bool,
}

impl<R: BufRead> Decoder<R> {
    pub(super) fn new(reader: R, limits: &Limits) -> Result<Self, Error> {
        let mut raw = Raw::new()?;
        // the window is checked here by its bytes; libzstd's own cap is a power of two and must not be below it
        let log = u64::BITS.saturating_sub(limits.zstd_window_bytes.saturating_sub(1).leading_zeros()).clamp(10, 31);
        raw.set_parameter(DParameter::WindowLogMax(log))?;
        Ok(Self {
            input: Input::new(reader),
            raw,
            limits: limits.clone(),
            frame_offset: 0,
            is_in_frame: false,
            has_failed: false,
        })
    }

    fn next(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if !self.is_in_frame && !self.begin_frame()? {
                return Ok(0);
            }
            let bytes = match self.input.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                result => result?,
            };
            let is_end = bytes.is_empty();
            let mut source = InBuffer::around(bytes);
            let mut target = OutBuffer::around(&mut *buffer);
            let hint = self.raw.run(&mut source, &mut target);
            let (consumed, written) = (source.pos(), target.pos());
            self.input.consume(consumed);
            self.is_in_frame = hint.map_err(|error| self.malformed(&error.to_string()))? != 0;
            if written > 0 {
                return Ok(written);
            }
            if is_end && self.is_in_frame {
                return Err(self.malformed("it ends inside a frame"));
            }
        }
    }

    /// Checks that a frame starts here; false at the end of the input.
    fn begin_frame(&mut self) -> io::Result<bool> {
        let offset = self.input.offset();
        let head = self.input.peek(HEADER_BYTES)?;
        if head.is_empty() && offset > 0 {
            return Ok(false);
        }
        let is_frame = head.starts_with(&ZSTD_MAGIC);
        if !is_frame && !head.first_chunk::<4>().is_some_and(|magic| is_skippable(*magic)) {
            return Err(match offset {
                0 => self.malformed("it does not start with a frame"),
                _ => wrap(Error::ZstdTrailingData { offset }),
            });
        }
        if let Some(window) = window(head).filter(|_| is_frame) {
            self.limits.zstd_window_bytes(window).map_err(wrap)?;
        }
        self.frame_offset = offset;
        self.is_in_frame = true;
        self.raw.reinit()?;
        Ok(true)
    }

    fn malformed(&self, reason: &str) -> io::Error {
        wrap(Error::Zstd { offset: self.frame_offset, reason: reason.into() })
    }
}

/// Bytes of window that a frame header asks for (RFC 8878, 3.1.1.1.2); None when the header is cut short.
fn window(header: &[u8]) -> Option<u64> {
    let descriptor = *header.get(4)?;
    let rest = header.get(5..)?;
    if descriptor & 0x20 == 0 {
        let byte = *rest.first()?;
        let base = 1_u64.checked_shl(u32::from(byte >> 3).saturating_add(10))?;
        return (base / 8).checked_mul(u64::from(byte & 7))?.checked_add(base);
    }
    // a single segment: the window is the content
    let rest = rest.get(*[0, 1, 2, 4].get(usize::from(descriptor & 3))?..)?;
    match descriptor >> 6 {
        0 => rest.first().map(|byte| u64::from(*byte)),
        1 => rest.first_chunk().map(|bytes| u64::from(u16::from_le_bytes(*bytes)).saturating_add(256)),
        2 => rest.first_chunk().map(|bytes| u64::from(u32::from_le_bytes(*bytes))),
        _ => rest.first_chunk().map(|bytes| u64::from_le_bytes(*bytes)),
    }
}

impl<R: BufRead> Read for Decoder<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        if self.has_failed {
            return Err(self.malformed("reading stopped at an earlier error"));
        }
        self.next(buffer).inspect_err(|_| self.has_failed = true)
    }
}
