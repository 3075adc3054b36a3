//! Moves a blob's bytes, stored and uncompressed, to one consumer: on two threads when there is inflating to do.

use std::io::{BufRead, ErrorKind, Read};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};

use super::Error;
use crate::archive::compression::{Compression, decoder, into_error, sniff};
use crate::limits::Limits;

/// Bytes of one read and of one inflated buffer: below 64 KiB the inflater loses, above 512 KiB only memory grows.
const BUFFER_BYTES: usize = 256 * 1024;

/// Buffers that may wait between the two threads.
const CHANNEL_DEPTH: usize = 8;

/// Receives the bytes of one blob, each side in order.
pub(super) trait Consumer {
    /// Bytes as they are stored.
    fn stored(&mut self, bytes: &[u8]);
    /// Uncompressed bytes.
    fn plain(&mut self, bytes: &[u8]);
    /// Bytes of a blob that is not compressed: both sides at once. The consumer minds the limit, as these bytes are read anyway.
    fn identical(&mut self, bytes: &[u8]);
}

/// How far the reading came.
#[derive(Debug)]
pub(super) struct Outcome {
    /// The compression that was found.
    pub(super) compression: Compression,
    /// The stored bytes were read to the end.
    pub(super) stored_is_complete: bool,
    /// The uncompressed bytes were read to the end.
    pub(super) plain_is_complete: bool,
    /// What stopped either side.
    pub(super) errors: Vec<Error>,
}

/// Reads `reader` to its end and hands every byte to `consumer`, also the stored bytes after data that cannot be uncompressed.
pub(super) fn stream(reader: &mut (dyn Read + Send), limits: &Limits, consumer: &mut dyn Consumer) -> Outcome {
    let mut head = vec![0; BUFFER_BYTES];
    let length = match fill(reader, &mut head) {
        Ok(length) => length,
        Err(error) => return failed_at_once(error),
    };
    let is_whole = length < head.len();
    head.truncate(length);
    let compression = sniff(&head);
    if compression == Compression::None {
        return stream_identical(reader, head, consumer);
    }
    if is_whole {
        stream_small(&head, compression, limits, consumer)
    } else {
        stream_large(reader, head, compression, limits, consumer)
    }
}

fn failed_at_once(error: std::io::Error) -> Outcome {
    Outcome {
        compression: Compression::None,
        stored_is_complete: false,
        plain_is_complete: false,
        errors: vec![into_error(error).into()],
    }
}

/// An uncompressed blob: nothing runs beside the hashing, so one thread is enough.
fn stream_identical(reader: &mut (dyn Read + Send), head: Vec<u8>, consumer: &mut dyn Consumer) -> Outcome {
    let mut outcome =
        Outcome { compression: Compression::None, stored_is_complete: true, plain_is_complete: true, errors: Vec::new() };
    let mut buffer = head;
    let mut length = buffer.len();
    while length > 0 {
        let bytes = buffer.get(..length).unwrap_or_default();
        consumer.identical(bytes);
        buffer.resize(BUFFER_BYTES, 0);
        match fill(reader, &mut buffer) {
            Ok(read) => length = read,
            Err(error) => {
                outcome.stored_is_complete = false;
                outcome.plain_is_complete = false;
                outcome.errors.push(into_error(error).into());
                break;
            }
        }
    }
    outcome
}

/// A blob that is in memory already: starting a thread would cost more than it gains.
fn stream_small(stored: &[u8], compression: Compression, limits: &Limits, consumer: &mut dyn Consumer) -> Outcome {
    consumer.stored(stored);
    let mut buffer = vec![0; BUFFER_BYTES];
    let error = inflate(stored, compression, limits, &mut |fill| {
        let length = fill(&mut buffer)?;
        consumer.plain(buffer.get(..length).unwrap_or_default());
        Ok(length)
    });
    Outcome { compression, stored_is_complete: true, plain_is_complete: error.is_none(), errors: error.into_iter().collect() }
}

/// A filled part of a buffer, on its way to the consumer.
enum Chunk {
    Stored(Vec<u8>, usize),
    Plain(Vec<u8>, usize),
}

/// One direction of buffers: full ones out, empty ones back.
struct Lane {
    full: SyncSender<Chunk>,
    empty: Receiver<Vec<u8>>,
}

impl Lane {
    fn buffer(&self) -> Vec<u8> {
        self.empty.try_recv().unwrap_or_else(|_| vec![0; BUFFER_BYTES])
    }
}

fn stream_large(
    reader: &mut (dyn Read + Send),
    head: Vec<u8>,
    compression: Compression,
    limits: &Limits,
    consumer: &mut dyn Consumer,
) -> Outcome {
    let (full, chunks) = sync_channel(CHANNEL_DEPTH);
    let (stored_back, stored_empty) = channel();
    let (plain_back, plain_empty) = channel();
    let stored_lane = Lane { full: full.clone(), empty: stored_empty };
    let plain_lane = Lane { full, empty: plain_empty };
    let result = std::thread::scope(|scope| {
        let inflater = std::thread::Builder::new().name("inflate".to_owned()).spawn_scoped(scope, move || {
            let mut tee = Tee::new(reader, head, stored_lane);
            let error = inflate_into(&mut tee, compression, limits, &plain_lane);
            tee.drain();
            (error, tee.failure)
        })?;
        // moved in: should the consumer panic, the channel goes with it, and the inflating thread ends
        consume(chunks, consumer, &stored_back, &plain_back);
        inflater.join().map_err(|_| std::io::Error::other("the inflating thread stopped"))
    });
    let (error, failure) = match result {
        Ok(ends) => ends,
        Err(error) => (None, Some(error)),
    };
    let stored_is_complete = failure.is_none();
    let plain_is_complete = error.is_none() && stored_is_complete;
    // a read that failed explains what the decoder says after it
    let error = failure.map(|failure| into_error(failure).into()).or(error);
    Outcome { compression, stored_is_complete, plain_is_complete, errors: error.into_iter().collect() }
}

fn consume(chunks: Receiver<Chunk>, consumer: &mut dyn Consumer, stored_back: &Sender<Vec<u8>>, plain_back: &Sender<Vec<u8>>) {
    for chunk in chunks {
        // a lane that is gone needs no buffers
        match chunk {
            Chunk::Stored(buffer, length) => {
                consumer.stored(buffer.get(..length).unwrap_or_default());
                let _ = stored_back.send(buffer);
            }
            Chunk::Plain(buffer, length) => {
                consumer.plain(buffer.get(..length).unwrap_or_default());
                let _ = plain_back.send(buffer);
            }
        }
    }
}

fn inflate_into(tee: &mut Tee<'_>, compression: Compression, limits: &Limits, lane: &Lane) -> Option<Error> {
    inflate(tee, compression, limits, &mut |fill| {
        let mut buffer = lane.buffer();
        let length = fill(&mut buffer)?;
        // the consumer only goes when it panics: then nothing is waited for
        lane.full.send(Chunk::Plain(buffer, length)).map_err(|_| std::io::Error::other("nobody listens"))?;
        Ok(length)
    })
}

/// Reads a buffer full from the decoder; 0 at its end.
type Fill<'f> = dyn FnMut(&mut Vec<u8>) -> std::io::Result<usize> + 'f;

/// Uncompresses `stored` and lets `deliver` fetch buffer after buffer, until the end, an error or the limit.
fn inflate<R: BufRead + Send>(
    stored: R,
    compression: Compression,
    limits: &Limits,
    deliver: &mut dyn FnMut(&mut Fill<'_>) -> std::io::Result<usize>,
) -> Option<Error> {
    let mut plain = match decoder(compression, stored, limits) {
        Ok(plain) => plain,
        Err(error) => return Some(error.into()),
    };
    let mut total = 0_u64;
    loop {
        match deliver(&mut |buffer| fill(&mut *plain, buffer)) {
            Ok(0) => return None,
            Ok(length) => total = total.saturating_add(byte_count(length)),
            Err(error) => return Some(into_error(error).into()),
        }
        if let Err(hit) = limits.layer_bytes(total) {
            return Some(hit.into());
        }
    }
}

/// A buffered reader that hands every stored byte on, whether the decoder looked at it or not.
struct Tee<'r> {
    reader: &'r mut (dyn Read + Send),
    lane: Lane,
    buffer: Vec<u8>,
    length: usize,
    position: usize,
    failure: Option<std::io::Error>,
}

impl<'r> Tee<'r> {
    fn new(reader: &'r mut (dyn Read + Send), head: Vec<u8>, lane: Lane) -> Self {
        let length = head.len();
        Self { reader, lane, buffer: head, length, position: 0, failure: None }
    }

    /// Hands the current buffer on and reads the next.
    fn next(&mut self) -> std::io::Result<()> {
        let next = self.lane.buffer();
        let done = std::mem::replace(&mut self.buffer, next);
        if self.length > 0 {
            let chunk = Chunk::Stored(done, self.length);
            self.length = 0;
            self.lane.full.send(chunk).map_err(|_| std::io::Error::other("nobody listens"))?;
        }
        self.position = 0;
        if self.failure.is_some() {
            return Err(std::io::Error::other("an earlier read failed"));
        }
        match fill(self.reader, &mut self.buffer) {
            Ok(length) => {
                self.length = length;
                Ok(())
            }
            Err(error) => {
                let copy = std::io::Error::new(error.kind(), error.to_string());
                self.failure = Some(error);
                Err(copy)
            }
        }
    }

    /// Hands on what the decoder left unread.
    fn drain(&mut self) {
        while self.length > 0 {
            if self.next().is_err() {
                return;
            }
        }
    }
}

impl Read for Tee<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let length = self.fill_buf()?.read(out)?;
        self.consume(length);
        Ok(length)
    }
}

impl BufRead for Tee<'_> {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        if self.position >= self.length && self.length > 0 {
            self.next()?;
        }
        Ok(self.buffer.get(self.position..self.length).unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        self.position = self.position.saturating_add(amount).min(self.length);
    }
}

/// Reads until `buffer` is full or the reader ends.
fn fill<R: Read + ?Sized>(reader: &mut R, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut length = 0_usize;
    while let Some(rest) = buffer.get_mut(length..).filter(|rest| !rest.is_empty()) {
        match reader.read(rest) {
            Ok(0) => break,
            Ok(read) => length = length.saturating_add(read.min(rest.len())),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}

fn byte_count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
