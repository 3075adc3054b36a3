//! Arbitrary bytes as a tar: no panic, and the same events whatever the chunks.

#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll::archive::Error;
use plimsoll::archive::tar::{Entry, Framer, Sink};
use plimsoll::limits::Limits;

/// Everything the framer says, as text.
#[derive(Default)]
struct Events(Vec<String>, Vec<u8>);

impl Events {
    fn flush(&mut self) {
        if !self.1.is_empty() {
            self.0.push(format!("{:?}", std::mem::take(&mut self.1)));
        }
    }
}

impl Sink for Events {
    fn entry(&mut self, entry: Entry) -> Result<(), Error> {
        self.0.push(format!("{entry:?}"));
        Ok(())
    }

    fn data(&mut self, bytes: &[u8]) {
        self.1.extend_from_slice(bytes);
    }

    fn hole(&mut self, length: u64) {
        self.flush();
        self.0.push(format!("hole {length}"));
    }

    fn end_of_entry(&mut self) {
        self.flush();
        self.0.push("end".into());
    }
}

fn events(chunks: impl Iterator<Item = impl AsRef<[u8]>>) -> (Vec<String>, String) {
    let mut framer = Framer::new(&Limits::default());
    let mut events = Events::default();
    for chunk in chunks {
        if let Err(error) = framer.push(chunk.as_ref(), &mut events) {
            events.flush();
            return (events.0, error.to_string());
        }
    }
    let end = framer.finish().map_or_else(|error| error.to_string(), |trailer| format!("{trailer:?}"));
    (events.0, end)
}

fuzz_target!(|data: &[u8]| {
    let size = usize::from(data.first().copied().unwrap_or_default()) + 1;
    assert_eq!(events(std::iter::once(data)), events(data.chunks(size)));
});
