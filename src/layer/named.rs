//! Bodies of files of one name, kept while their layer is indexed: for layers that pass by once.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::atomic::{AtomicU64, Ordering};

use super::builder::Bodies;
use super::indexing::index_with;
use super::probe::FileProbe;
use super::{LayerIndex, Options};
use crate::limits::{LimitHit, Limits};

/// True bytes of bodies, by their number in [`LayerIndex::changes`].
pub type NamedBodies = BTreeMap<u32, Vec<u8>>;

/// As [`super::index()`], and keeps the bodies of the files whose last name is `name`, as long as all that `room` counts is at
/// most `limits.kept_bytes`. Those that find no room are left out.
pub fn index_with_bodies_of(
    reader: &mut (dyn Read + Send),
    options: Options<'_>,
    limits: &Limits,
    name: &[u8],
    room: &AtomicU64,
) -> (LayerIndex, NamedBodies) {
    let probe = FileProbe::new(limits, options);
    let keeping = Keeping { probe, name, limits, room, body: None, bodies: BTreeMap::new() };
    let (index, keeping) = index_with(reader, options, limits, keeping);
    (index, keeping.bodies)
}

/// The probe, and what is kept beside it.
struct Keeping<'l> {
    probe: FileProbe<'l>,
    name: &'l [u8],
    limits: &'l Limits,
    room: &'l AtomicU64,
    body: Option<Vec<u8>>,
    bodies: NamedBodies,
}

impl Bodies for Keeping<'_> {
    fn start(&mut self, change: u32, path: &[u8], size: u64) -> Result<(), LimitHit> {
        let is_called_so = path.rsplit(|byte| *byte == b'/').next() == Some(self.name);
        let grow = |kept: u64| Some(kept.saturating_add(size)).filter(|kept| self.limits.kept_bytes(*kept).is_ok());
        let is_kept = is_called_so && self.room.fetch_update(Ordering::Relaxed, Ordering::Relaxed, grow).is_ok();
        self.body = is_kept.then(Vec::new);
        Bodies::start(&mut self.probe, change, path, size)
    }

    fn data(&mut self, bytes: &[u8]) {
        if let Some(body) = &mut self.body {
            body.extend_from_slice(bytes);
        }
        Bodies::data(&mut self.probe, bytes);
    }

    fn hole(&mut self, length: u64) {
        if let Some(body) = &mut self.body {
            // the size, which counts holes, was found to be within the limits
            body.resize(body.len().saturating_add(usize::try_from(length).unwrap_or_default()), 0);
        }
        Bodies::hole(&mut self.probe, length);
    }

    fn finish(&mut self, change: u32, index: &mut LayerIndex) {
        if let Some(body) = self.body.take() {
            self.bodies.insert(change, body);
        }
        Bodies::finish(&mut self.probe, change, index);
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_tar::TestTar;
    use super::*;
    use crate::oci::Algorithm;

    fn kept(tar: &[u8], name: &str, limits: &Limits) -> NamedBodies {
        let (progress, kept) = (AtomicU64::new(0), AtomicU64::new(0));
        let options = Options { algorithm: Algorithm::Sha256, digest_files: false, progress: &progress, kept: &kept };
        let (index, bodies) = index_with_bodies_of(&mut &*tar, options, limits, name.as_bytes(), &AtomicU64::new(0));
        let plain = super::super::tests::indexed(tar);
        assert_eq!(format!("{:?}", index.changes), format!("{:?}", plain.changes), "the index is the same");
        bodies
    }

    #[test]
    fn bodies_of_that_name_are_kept_as_they_are() {
        let tar = TestTar::default()
            .file("etc/shadow", b"root:$6$abc:1::::::\n")
            .file("shadow", b"")
            .file("etc/shadow-", b"x")
            .file("usr/shadow", b"two")
            .end();
        let expected: [(u32, &[u8]); 3] = [(0, b"root:$6$abc:1::::::\n"), (1, b""), (3, b"two")];
        let found = kept(&tar, "shadow", &Limits::default());
        assert_eq!(found.iter().map(|(entry, body)| (*entry, body.as_slice())).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn what_finds_no_room_is_left_out() {
        let tar = TestTar::default().file("a", b"12345").file("b/a", b"123456").end();
        let limits = Limits { kept_bytes: 5, ..Limits::default() };
        assert_eq!(kept(&tar, "a", &limits).into_keys().collect::<Vec<_>>(), [0]);
    }
}
