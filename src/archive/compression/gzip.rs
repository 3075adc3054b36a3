//! gzip (RFC 1952): every member, each with its checksum and size, and nothing between or after them.

use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;

use super::input::Input;
use super::{Error, GZIP_MAGIC, wrap};

/// Reads all members.
pub(super) struct Decoder<R> {
    /// None after the last member, and after an error.
    member: Option<GzDecoder<Input<R>>>,
    member_offset: u64,
    has_failed: bool,
}

impl<R: BufRead> Decoder<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { member: Some(GzDecoder::new(Input::new(reader))), member_offset: 0, has_failed: false }
    }

    fn next(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(mut member) = self.member.take() {
            match member.read(buffer) {
                Ok(0) => self.end_member(member.into_inner())?,
                Ok(count) => {
                    self.member = Some(member);
                    return Ok(count);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => self.member = Some(member),
                Err(error) if member.get_ref().has_failed => return Err(error),
                Err(error) => return Err(wrap(Error::Gzip { offset: self.member_offset, reason: error.to_string() })),
            }
        }
        Ok(0)
    }

    /// Starts the next member, if there is one.
    fn end_member(&mut self, mut input: Input<R>) -> io::Result<()> {
        let offset = input.offset();
        let next = input.peek(GZIP_MAGIC.len())?;
        if next.is_empty() {
            return Ok(());
        }
        if next != GZIP_MAGIC {
            return Err(wrap(Error::GzipTrailingData { offset }));
        }
        self.member_offset = offset;
        self.member = Some(GzDecoder::new(input));
        Ok(())
    }
}

impl<R: BufRead> Read for Decoder<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        if self.has_failed {
            return Err(wrap(Error::Gzip { offset: self.member_offset, reason: "reading stopped at an earlier error".into() }));
        }
        self.next(buffer).inspect_err(|_| self.has_failed = true)
    }
}
