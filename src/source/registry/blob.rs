//! A blob as it streams in. A connection that breaks is taken up again at the byte that was reached; who reads does not notice.

use std::io::{self, Read};
use std::time::Instant;

use ureq::BodyReader;

use super::client::{Answer, Ask, Client, header};
use super::failure;
use super::permits::Permit;
use super::retry::{Again, Pace, wait};
use crate::archive;
use crate::oci::{BlobDigest, Code};
use crate::source::Error;
use crate::source::verified::wrong;

/// What is read over at once when a registry starts a blob from its beginning again.
const SKIP: usize = 64 * 1024;

/// A blob of a known size, from its first byte.
pub(super) struct BlobReader<'a> {
    client: &'a Client,
    digest: BlobDigest,
    size: u64,
    at: u64,
    body: Option<Stream>,
    resumed: u64,
    is_ended: bool,
}

/// One answer's body.
struct Stream {
    reader: BodyReader<'static>,
    pace: Pace,
    host: String,
    _permit: Permit,
}

impl<'a> BlobReader<'a> {
    /// Asks for the blob; that it is there, and as long as it should be, is known when this returns.
    pub(super) fn open(client: &'a Client, digest: BlobDigest, size: u64) -> Result<Self, Error> {
        let mut reader = Self { client, digest, size, at: 0, body: None, resumed: 0, is_ended: false };
        reader.body = Some(reader.ask()?);
        Ok(reader)
    }

    /// A stream that stands at `self.at`.
    fn ask(&self) -> Result<Stream, Error> {
        let missing = |error: Error| match error.code() {
            Code::RegistryNotFound => wrong(Code::BlobMissing, "blob", error.to_string()),
            _ => error,
        };
        let ask = Ask::Blob { digest: &self.digest, from: self.at };
        let answer = self.client.get(ask).map_err(missing)?;
        let nonsense = |what: &str| failure::nonsense(&answer.host, format!("{what} {}", self.digest)).error;
        if header(&answer.headers, "content-encoding").is_some_and(|encoding| encoding != "identity") {
            return Err(nonsense("sends encoded, against what it was asked,"));
        }
        let start = self.start(&answer).ok_or_else(|| nonsense("sends another part than it was asked of"))?;
        let expected = self.size.saturating_sub(start);
        if let Some(length) = answer.body.content_length().filter(|length| *length != expected) {
            let whole = start.saturating_add(length);
            let detail = format!("the blob {} has {whole} bytes, its descriptor says {}", self.digest, self.size);
            return Err(wrong(Code::SizeMismatch, "blob", detail));
        }
        let pace = Pace::new(&self.client.limits, false);
        let mut stream = Stream { reader: answer.body.into_reader(), pace, host: answer.host, _permit: answer.permit };
        let skipped = stream.skip(self.at.saturating_sub(start));
        skipped.map_err(|cause| self.broken(&stream.host, &cause.to_string()))?;
        Ok(stream)
    }

    /// Where an answer's bytes start: 0, or the place that was asked for. None when that is not what it says.
    fn start(&self, answer: &Answer) -> Option<u64> {
        if answer.status == 200 {
            return Some(0);
        }
        let range = header(&answer.headers, "content-range")?.strip_prefix("bytes ")?;
        let (range, whole) = range.split_once('/')?;
        let (first, last) = range.split_once('-')?;
        let last = last.parse::<u64>().ok()?.checked_add(1)?;
        let is_right =
            self.at > 0 && first.parse() == Ok(self.at) && last == self.size && (whole == "*" || whole.parse() == Ok(self.size));
        is_right.then_some(self.at)
    }

    fn broken(&self, host: &str, cause: &str) -> Error {
        let detail = format!(
            "{host} broke off the blob {} {} times, last after {} of {} bytes: {}",
            self.digest,
            self.resumed,
            self.at,
            self.size,
            crate::oci::escape_text(cause)
        );
        failure::error(Code::RegistryUnreachable, host, detail, String::new())
    }

    /// Takes up again what broke.
    fn resume(&mut self, host: &str, cause: &str) -> Result<(), Error> {
        self.body = None;
        self.resumed = self.resumed.saturating_add(1);
        let limits = &self.client.limits;
        let pause = wait(Again::Soon, self.resumed, limits).filter(|_| self.resumed <= limits.registry_resumes);
        let Some(pause) = pause else { return Err(self.broken(host, cause)) };
        std::thread::sleep(pause);
        self.body = Some(self.ask()?);
        Ok(())
    }

    /// Whether nothing follows the last byte. A connection that breaks there took nothing with it.
    fn check_end(&mut self) -> io::Result<()> {
        self.is_ended = true;
        let Some(stream) = &mut self.body else { return Ok(()) };
        if stream.reader.read(&mut [0]).unwrap_or(0) == 0 {
            self.body = None;
            return Ok(());
        }
        let detail =
            format!("{} sends more of the blob {} than the {} bytes of its descriptor", stream.host, self.digest, self.size);
        Err(coded(&wrong(Code::SizeMismatch, "blob", detail)))
    }
}

impl Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let started = Instant::now();
        let count = self.reader.read(buffer)?;
        if self.pace.keeps_up(started, count) {
            Ok(count)
        } else {
            Err(io::Error::new(io::ErrorKind::TimedOut, "it sends too slowly"))
        }
    }

    fn skip(&mut self, mut bytes: u64) -> io::Result<()> {
        let mut buffer = vec![0; SKIP];
        while bytes > 0 {
            let wanted = usize::try_from(bytes).unwrap_or(usize::MAX).min(SKIP);
            let count = self.read(buffer.get_mut(..wanted).unwrap_or_default())?;
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            bytes = bytes.saturating_sub(u64::try_from(count).unwrap_or(u64::MAX));
        }
        Ok(())
    }
}

/// An error of the registry, for a reader of bytes to hand on with its code.
fn coded(error: &Error) -> io::Error {
    io::Error::other(archive::Error::Source { code: error.code(), detail: error.to_string() })
}

impl Read for BlobReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let left = usize::try_from(self.size.saturating_sub(self.at)).unwrap_or(usize::MAX);
            if left == 0 {
                if !self.is_ended {
                    self.check_end()?;
                }
                return Ok(0);
            }
            let wanted = left.min(buffer.len());
            self.client
                .check_time(self.body.as_ref().map_or("its registry", |body| &body.host))
                .map_err(|error| coded(&error))?;
            let Some(part) = buffer.get_mut(..wanted).filter(|part| !part.is_empty()) else { return Ok(0) };
            let (host, cause) = match &mut self.body {
                None => (String::new(), "the connection was lost".to_owned()),
                Some(stream) => match stream.read(part) {
                    Ok(0) => (stream.host.clone(), "the connection was closed".to_owned()),
                    Ok(count) => {
                        let bytes = u64::try_from(count).unwrap_or(u64::MAX);
                        self.at = self.at.saturating_add(bytes);
                        if let Some(observer) = &self.client.access.observer {
                            observer.read(bytes);
                        }
                        return Ok(count);
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Err(error) => (stream.host.clone(), error.to_string()),
                },
            };
            self.resume(&host, &cause).map_err(|error| coded(&error))?;
        }
    }
}
