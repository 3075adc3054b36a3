//! One store after the other, the nearest first; what fails is left alone for a while.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use super::{Fault, Key, Store, entry};

/// Stores in the order in which they are asked. Cheap to clone: clones share everything.
#[derive(Debug, Clone, Default)]
pub struct Tiers {
    tiers: Arc<[Tier]>,
}

#[derive(Debug)]
struct Tier {
    store: Box<dyn Store>,
    reading: Gate,
    writing: Gate,
    hits: AtomicU64,
    misses: AtomicU64,
    spoilt: AtomicU64,
    faults: AtomicU64,
    kept: AtomicU64,
    /// The first fault, until it was reported.
    warning: Mutex<Option<String>>,
}

/// What became of what one store was asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Entries found, and good.
    pub hits: u64,
    /// Entries not there.
    pub misses: u64,
    /// Entries that were damaged, and removed.
    pub spoilt: u64,
    /// Times that the store failed.
    pub faults: u64,
    /// Entries handed to it.
    pub kept: u64,
}

/// Closed for a while after a failure.
#[derive(Debug, Default)]
struct Gate(Mutex<Option<Instant>>);

impl Gate {
    fn is_open(&self) -> bool {
        let mut until = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if until.is_some_and(|until| Instant::now() >= until) {
            *until = None;
        }
        until.is_none()
    }

    fn close(&self, store: &dyn Store) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now().checked_add(store.pause());
    }
}

impl Tier {
    fn new(store: Box<dyn Store>) -> Self {
        Self {
            store,
            reading: Gate::default(),
            writing: Gate::default(),
            hits: AtomicU64::default(),
            misses: AtomicU64::default(),
            spoilt: AtomicU64::default(),
            faults: AtomicU64::default(),
            kept: AtomicU64::default(),
            warning: Mutex::default(),
        }
    }

    fn failed(&self, gate: &Gate, fault: &Fault) {
        gate.close(self.store.as_ref());
        if count(&self.faults) == 0 {
            let warning = format!("the {} is not used for now: {fault}", self.store.name());
            *self.warning.lock().unwrap_or_else(PoisonError::into_inner) = Some(warning);
        }
    }

    fn get(&self, key: &Key) -> Option<Vec<u8>> {
        if !self.reading.is_open() {
            return None;
        }
        match self.store.get(key) {
            Ok(Some(entry)) => return Some(entry),
            Ok(None) => drop(count(&self.misses)),
            Err(fault) => self.failed(&self.reading, &fault),
        }
        None
    }

    fn put(&self, key: &Key, entry: &[u8]) {
        if !self.writing.is_open() {
            return;
        }
        match self.store.put(key, entry) {
            Ok(()) => drop(count(&self.kept)),
            Err(fault) => self.failed(&self.writing, &fault),
        }
    }
}

impl Tiers {
    /// The stores, nearest first.
    #[must_use]
    pub fn new(stores: Vec<Box<dyn Store>>) -> Self {
        Self { tiers: stores.into_iter().map(Tier::new).collect() }
    }

    /// Whether there is no store at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tiers.is_empty()
    }

    /// What `read` makes of the value that is kept under `key`. An entry that is damaged, or of which `read` makes nothing, is
    /// removed, and the next store is asked. What a farther store has is put into the nearer ones.
    pub fn find<T>(&self, key: &Key, read: impl Fn(Vec<u8>) -> Option<T>) -> Option<T> {
        for (at, tier) in self.tiers.iter().enumerate() {
            let Some(bytes) = tier.get(key) else { continue };
            let Some(found) = entry::opened(key, &bytes).and_then(&read) else {
                count(&tier.spoilt);
                tier.store.remove(key);
                continue;
            };
            count(&tier.hits);
            for nearer in self.tiers.iter().take(at) {
                nearer.put(key, &bytes);
            }
            return Some(found);
        }
        None
    }

    /// Keeps a value in every store that takes it.
    pub fn keep(&self, key: &Key, value: &[u8]) {
        if self.tiers.iter().all(|tier| !tier.writing.is_open()) {
            return;
        }
        let Some(entry) = entry::sealed(key, value) else { return };
        for tier in self.tiers.iter() {
            tier.put(key, &entry);
        }
    }

    /// Name and counts of every store.
    #[must_use]
    pub fn counts(&self) -> Vec<(&'static str, Counts)> {
        let of = |tier: &Tier| {
            let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
            let [hits, misses, spoilt, faults, kept] =
                [&tier.hits, &tier.misses, &tier.spoilt, &tier.faults, &tier.kept].map(read);
            (tier.store.name(), Counts { hits, misses, spoilt, faults, kept })
        };
        self.tiers.iter().map(of).collect()
    }

    /// What is to be told of stores that failed: once for each, whatever follows.
    #[must_use]
    pub fn take_warnings(&self) -> Vec<String> {
        self.tiers.iter().filter_map(|tier| tier.warning.lock().unwrap_or_else(PoisonError::into_inner).take()).collect()
    }
}

/// Counts one more; the count before it.
fn count(counter: &AtomicU64) -> u64 {
    counter.fetch_add(1, Ordering::Relaxed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::testing::{Failing, Held};
    use crate::cache::{Kind, Memory, sealed};

    fn key() -> Key {
        Key::new(Kind::Layer, "subject")
    }

    #[test]
    fn what_a_farther_store_has_is_put_into_the_nearer() {
        let (near, far) = (Held::default(), Held::default());
        Tiers::new(vec![Box::new(far.clone())]).keep(&key(), b"value");
        let tiers = Tiers::new(vec![Box::new(near.clone()), Box::new(far)]);
        assert_eq!(tiers.find(&key(), Some).as_deref(), Some(&b"value"[..]));
        assert_eq!(Tiers::new(vec![Box::new(near)]).find(&key(), Some).as_deref(), Some(&b"value"[..]));
    }

    #[test]
    fn a_damaged_entry_is_removed_and_the_next_store_is_asked() {
        let (near, far) = (Held::default(), Held::default());
        let tiers = Tiers::new(vec![Box::new(near.clone()), Box::new(far)]);
        tiers.keep(&key(), b"value");
        near.put(&key(), b"PLIMSOLL rubbish").unwrap();
        assert_eq!(tiers.find(&key(), Some).as_deref(), Some(&b"value"[..]));
        assert_eq!(near.get(&key()).unwrap(), sealed(&key(), b"value"), "the good entry took its place");
        assert_eq!(tiers.counts()[0].1.spoilt, 1);
    }

    #[test]
    fn a_value_of_which_nothing_can_be_made_is_removed() {
        let held = Held::default();
        let tiers = Tiers::new(vec![Box::new(held.clone())]);
        tiers.keep(&key(), b"value");
        assert_eq!(tiers.find(&key(), |_| None::<()>), None);
        assert_eq!(held.get(&key()).unwrap(), None);
    }

    #[test]
    fn a_store_that_fails_is_a_miss_and_is_left_alone_and_reported_once() {
        let failing = Failing::default();
        let tiers = Tiers::new(vec![Box::new(failing.clone())]);
        for _ in 0..10 {
            tiers.keep(&key(), b"value");
            assert_eq!(tiers.find(&key(), Some), None);
        }
        assert_eq!(failing.asked(), 2, "once to read and once to write, then it is left alone");
        assert_eq!(tiers.counts()[0].1, Counts { faults: 2, ..Counts::default() });
        assert_eq!(tiers.take_warnings(), ["the test store is not used for now: out of order"]);
        assert!(tiers.take_warnings().is_empty());
    }

    #[test]
    fn a_store_that_fails_does_not_keep_the_next_from_being_asked() {
        let held = Held::default();
        let tiers = Tiers::new(vec![Box::new(Failing::default()), Box::new(held)]);
        tiers.keep(&key(), b"value");
        assert_eq!(tiers.find(&key(), Some).as_deref(), Some(&b"value"[..]));
    }

    #[test]
    fn memory_is_a_store_like_any_other() {
        let tiers = Tiers::new(vec![Box::new(Memory::<std::sync::Arc<[u8]>>::new(10_000))]);
        tiers.keep(&key(), b"value");
        assert_eq!(tiers.find(&key(), Some).as_deref(), Some(&b"value"[..]));
        assert_eq!(tiers.counts()[0].1, Counts { hits: 1, kept: 1, ..Counts::default() });
    }
}
