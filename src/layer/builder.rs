//! Builds a [`LayerIndex`] from what the tar framer finds, and lets the probes see every regular file's bytes.

use super::entries::{self, Scratch};
use super::probe::FileProbe;
use super::{ChangeKind, Error, LayerIndex};
use crate::archive;
use crate::archive::tar::{Entry, Sink};
use crate::limits::{LimitHit, Limits};

/// Faults of entries that are listed; a tree cannot be made after the first.
const MOST_ERRORS: usize = 16;

/// What becomes of the bodies of regular files.
pub(super) trait Bodies {
    /// A regular file begins: its number in the changes, path and logical size.
    fn start(&mut self, change: u32, path: &[u8], size: u64) -> Result<(), LimitHit>;
    /// Its next bytes.
    fn data(&mut self, bytes: &[u8]);
    /// A hole of zeros.
    fn hole(&mut self, length: u64);
    /// It is complete.
    fn finish(&mut self, change: u32, index: &mut LayerIndex);
}

/// The sink of one layer's framer.
#[derive(Debug)]
pub(super) struct Builder<'l, B> {
    limits: &'l Limits,
    pub(super) index: LayerIndex,
    pub(super) bodies: B,
    scratch: Scratch,
    /// The regular file whose content is coming.
    current: Option<u32>,
    entries: u64,
    /// Bytes of holes, which count as uncompressed bytes.
    holes: u64,
    attribute_bytes: u64,
}

impl<'l, B: Bodies> Builder<'l, B> {
    pub(super) fn new(limits: &'l Limits, bodies: B) -> Self {
        let index = LayerIndex::default();
        Self { limits, index, bodies, scratch: Scratch::default(), current: None, entries: 0, holes: 0, attribute_bytes: 0 }
    }

    /// The index, when nothing more comes.
    pub(super) fn finish(mut self) -> (LayerIndex, B) {
        self.scratch.finish(&mut self.index);
        (self.index, self.bodies)
    }

    pub(super) fn fail(&mut self, error: impl Into<Error>) {
        if self.index.errors.len() < MOST_ERRORS {
            self.index.errors.push(error.into());
        }
    }

    fn check(&mut self, entry: &Entry) -> Result<(), LimitHit> {
        self.entries = self.entries.saturating_add(1);
        self.limits.layer_entries(self.entries)?;
        let mut all = 0_u64;
        for (name, value) in &entry.xattrs {
            self.limits.xattr_bytes(byte_count(value))?;
            all = all.saturating_add(byte_count(name)).saturating_add(byte_count(value));
        }
        self.limits.xattrs_bytes(all)?;
        self.attribute_bytes = self.attribute_bytes.saturating_add(all);
        let names = byte_count(&self.index.names)
            .saturating_add(byte_count(&entry.path))
            .saturating_add(byte_count(&entry.link))
            .saturating_add(2);
        // spans are 32 bits wide, whatever the limit is raised to
        if names > u64::from(u32::MAX) {
            return Err(LimitHit { name: "layer-name-bytes", limit: u64::from(u32::MAX), found: names });
        }
        self.limits.layer_name_bytes(names.saturating_add(self.attribute_bytes))?;
        if entry.is_sparse {
            self.limits.layer_bytes(self.holes.saturating_add(entry.size))?;
        }
        Ok(())
    }
}

impl<B: Bodies> Sink for Builder<'_, B> {
    fn entry(&mut self, entry: Entry) -> Result<(), archive::Error> {
        self.check(&entry)?;
        self.current = None;
        let size = entry.size;
        match entries::add(entry, &mut self.scratch, self.limits, &mut self.index) {
            Ok(()) => {}
            Err(Error::Limit(hit)) => return Err(hit.into()),
            Err(error) => {
                self.fail(error);
                return Ok(());
            }
        }
        let is_file = self.index.changes.last().is_some_and(|change| change.kind == ChangeKind::File);
        let number = u32::try_from(self.index.changes.len().saturating_sub(1)).unwrap_or(u32::MAX);
        if is_file {
            self.bodies.start(number, self.scratch.path(), size)?;
            self.current = Some(number);
        }
        Ok(())
    }

    fn data(&mut self, bytes: &[u8]) {
        if self.current.is_some() {
            self.bodies.data(bytes);
        }
    }

    fn hole(&mut self, length: u64) {
        self.holes = self.holes.saturating_add(length);
        if self.current.is_some() {
            self.bodies.hole(length);
        }
    }

    fn end_of_entry(&mut self) {
        if let Some(change) = self.current.take() {
            self.bodies.finish(change, &mut self.index);
        }
    }
}

impl Bodies for FileProbe<'_> {
    fn start(&mut self, _change: u32, path: &[u8], size: u64) -> Result<(), LimitHit> {
        FileProbe::start(self, path, size);
        Ok(())
    }

    fn data(&mut self, bytes: &[u8]) {
        FileProbe::data(self, bytes);
    }

    fn hole(&mut self, length: u64) {
        FileProbe::hole(self, length);
    }

    fn finish(&mut self, change: u32, index: &mut LayerIndex) {
        let learnt = FileProbe::finish(self);
        index.files_inspected = index.files_inspected.saturating_add(1);
        index.bodies_left = index.bodies_left.saturating_add(u64::from(learnt.is_body_left));
        let Some(change) = usize::try_from(change).ok().and_then(|change| index.changes.get_mut(change)) else { return };
        change.content = learnt.content;
        if let Some(reason) = learnt.not_examined {
            let path = change.path;
            let path = index.name(&path).to_vec();
            index.not_examined.push((path, reason));
        }
    }
}

fn byte_count(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
