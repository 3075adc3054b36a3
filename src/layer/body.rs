//! One file's bytes out of a layer, as they stream by.

use std::io::{BufReader, ErrorKind, Read, Write};

use super::builder::{Bodies, Builder};
use super::{Error, LayerIndex};
use crate::archive::compression::{Compression, decoder, into_error};
use crate::archive::tar::Framer;
use crate::limits::{LimitHit, Limits};

/// Bytes of one read, and of one inflated buffer.
const BUFFER_BYTES: usize = 256 * 1024;

/// Zeros that are written for holes.
static ZEROS: [u8; 64 * 1024] = [0; 64 * 1024];

/// The file that is asked for, as the layer's index has it.
#[derive(Debug, Clone, Copy)]
pub struct WantedBody<'a> {
    /// How the layer is compressed.
    pub compression: Compression,
    /// Its number in [`LayerIndex::changes`].
    pub entry: u32,
    /// Its clean path.
    pub path: &'a [u8],
    /// Its logical bytes.
    pub size: u64,
}

/// Why a body was not written to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BodyError {
    /// The layer cannot be read.
    #[error(transparent)]
    Layer(#[from] Error),
    /// The entry is not there, or is another: these are not the bytes that were indexed.
    #[error("the layer has changed since it was read first")]
    Changed,
    /// The writer took no more.
    #[error("cannot write: {0}")]
    Output(std::io::Error),
}

/// Reads a layer up to the end of one body and writes that, holes as zeros; no more of it is uncompressed than that takes, and no
/// more is kept than a buffer. Whether the layer is the one that was indexed is the caller's to know.
pub fn write_body(
    reader: &mut (dyn Read + Send),
    wanted: WantedBody<'_>,
    out: &mut dyn Write,
    limits: &Limits,
) -> Result<(), BodyError> {
    let layer = |error: std::io::Error| BodyError::Layer(into_error(error).into());
    let stored = BufReader::with_capacity(BUFFER_BYTES, reader);
    let mut plain = decoder(wanted.compression, stored, limits).map_err(|error| BodyError::Layer(error.into()))?;
    let mut framer = Framer::new(limits);
    let mut builder = Builder::new(limits, Passing { wanted, out, left: wanted.size, state: State::Before });
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut total = 0_u64;
    loop {
        let read = match plain.read(&mut buffer) {
            Ok(0) => return Err(BodyError::Changed),
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(layer(error)),
        };
        total = total.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
        limits.layer_bytes(total).map_err(|hit| BodyError::Layer(hit.into()))?;
        let pushed = framer.push(buffer.get(..read).unwrap_or_default(), &mut builder);
        match std::mem::replace(&mut builder.bodies.state, State::Before) {
            State::Done => return Ok(()),
            State::Failed(error) => return Err(error),
            state @ (State::Before | State::Within) => builder.bodies.state = state,
        }
        pushed.map_err(|error| BodyError::Layer(error.into()))?;
    }
}

/// Where the reading is.
enum State {
    Before,
    Within,
    Done,
    Failed(BodyError),
}

/// Passes one body on.
struct Passing<'a> {
    wanted: WantedBody<'a>,
    out: &'a mut dyn Write,
    /// Bytes that are still to come.
    left: u64,
    state: State,
}

impl Passing<'_> {
    fn write(&mut self, bytes: &[u8]) {
        match (&self.state, self.left.checked_sub(u64::try_from(bytes.len()).unwrap_or(u64::MAX))) {
            (State::Within, Some(left)) => {
                self.left = left;
                if let Err(error) = self.out.write_all(bytes) {
                    self.state = State::Failed(BodyError::Output(error));
                }
            }
            (State::Within, None) => self.state = State::Failed(BodyError::Changed),
            _ => {}
        }
    }
}

impl Bodies for Passing<'_> {
    fn start(&mut self, change: u32, path: &[u8], size: u64) -> Result<(), LimitHit> {
        if change == self.wanted.entry && matches!(self.state, State::Before) {
            let is_same = path == self.wanted.path && size == self.wanted.size;
            self.state = if is_same { State::Within } else { State::Failed(BodyError::Changed) };
        }
        Ok(())
    }

    fn data(&mut self, bytes: &[u8]) {
        self.write(bytes);
    }

    fn hole(&mut self, length: u64) {
        let mut left = length;
        while left > 0 && matches!(self.state, State::Within) {
            let zeros = usize::try_from(left).ok().and_then(|left| ZEROS.get(..left)).unwrap_or(&ZEROS);
            self.write(zeros);
            left = left.saturating_sub(u64::try_from(zeros.len()).unwrap_or(u64::MAX));
        }
    }

    fn finish(&mut self, change: u32, _index: &mut LayerIndex) {
        if change == self.wanted.entry && matches!(self.state, State::Within) {
            self.state = if self.left == 0 { State::Done } else { State::Failed(BodyError::Changed) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_tar::{TestTar, gzip};
    use super::super::tests::indexed;
    use super::*;
    use crate::layer::ChangeKind;

    fn written(layer: &[u8], wanted: WantedBody<'_>) -> Result<Vec<u8>, BodyError> {
        let mut out = Vec::new();
        write_body(&mut &*layer, wanted, &mut out, &Limits::default()).map(|()| out)
    }

    /// Gives one byte a read.
    struct Slow<'b>(&'b [u8]);

    impl Read for Slow<'_> {
        fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
            let one = out.len().min(1);
            self.0.read(&mut out[..one])
        }
    }

    #[test]
    fn every_body_is_what_went_in_and_reading_ends_with_it() {
        let long: Vec<u8> = (0..1_000_000_u32).flat_map(u32::to_be_bytes).collect();
        let bodies: [(&str, &[u8]); 4] = [("a", b""), ("b", b"\0\x1b[2J\n"), ("d/c", &long), ("e", b"last")];
        let tar = bodies.iter().fold(TestTar::default(), |tar, (path, body)| tar.file(path, body)).end();
        for layer in [tar.clone(), gzip(&tar)] {
            let index = indexed(&layer);
            for (entry, (path, body)) in (0..).zip(bodies) {
                let path = format!("/{path}");
                let wanted = WantedBody { compression: index.compression, entry, path: path.as_bytes(), size: body.len() as u64 };
                assert_eq!(index.changes[entry as usize].kind, ChangeKind::File);
                assert!(written(&layer, wanted).unwrap() == body, "{path}");
            }
            let first = WantedBody { compression: index.compression, entry: 1, path: b"/b", size: 6 };
            assert_eq!(written(&layer[..layer.len().min(2_048)], first).unwrap(), b"\0\x1b[2J\n");
            let mut out = Vec::new();
            write_body(&mut Slow(&layer[..layer.len().min(2_048)]), first, &mut out, &Limits::default()).unwrap();
            assert_eq!(out, b"\0\x1b[2J\n");
        }
    }

    #[test]
    fn what_is_not_as_it_was_indexed_is_not_written() {
        let tar = TestTar::default().file("a", b"one").file("b", b"two").end();
        let index = indexed(&tar);
        for wanted in [
            WantedBody { compression: index.compression, entry: 0, path: b"/b", size: 3 },
            WantedBody { compression: index.compression, entry: 0, path: b"/a", size: 4 },
            WantedBody { compression: index.compression, entry: 2, path: b"/c", size: 3 },
        ] {
            assert!(matches!(written(&tar, wanted), Err(BodyError::Changed)));
        }
        let gzipped = gzip(&tar);
        let index = indexed(&gzipped);
        let cut = written(&gzipped[..30], WantedBody { compression: index.compression, entry: 1, path: b"/b", size: 3 });
        assert!(matches!(cut, Err(BodyError::Layer(_))));
    }

    #[test]
    fn a_reader_who_has_seen_enough_ends_the_work() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
                Err(ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let tar = TestTar::default().file("a", b"one").end();
        let index = indexed(&tar);
        let wanted = WantedBody { compression: index.compression, entry: 0, path: b"/a", size: 3 };
        let error = write_body(&mut &*tar, wanted, &mut Full, &Limits::default()).unwrap_err();
        assert!(matches!(error, BodyError::Output(error) if error.kind() == ErrorKind::BrokenPipe));
    }
}
