//! The nearest tier: values in this process, the longest unused dropped first, bounded by bytes.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::{Fault, Key, Store};

/// Values by key, at most so many bytes of them.
#[derive(Debug)]
pub struct Memory<V> {
    most_bytes: u64,
    held: Mutex<Held<V>>,
}

#[derive(Debug)]
struct Held<V> {
    bytes: u64,
    clock: u64,
    values: HashMap<Key, Slot<V>>,
    /// Last use, and whose it was.
    uses: BTreeMap<u64, Key>,
}

#[derive(Debug)]
struct Slot<V> {
    value: V,
    bytes: u64,
    used: u64,
}

impl<V: Clone> Memory<V> {
    /// Room for `most_bytes`.
    #[must_use]
    pub fn new(most_bytes: u64) -> Self {
        Self { most_bytes, held: Mutex::new(Held { bytes: 0, clock: 0, values: HashMap::new(), uses: BTreeMap::new() }) }
    }

    /// The value of a key.
    pub fn find(&self, key: &Key) -> Option<V> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let now = held.tick();
        let slot = held.values.get_mut(key)?;
        let before = std::mem::replace(&mut slot.used, now);
        let value = slot.value.clone();
        if let Some(key) = held.uses.remove(&before) {
            held.uses.insert(now, key);
        }
        Some(value)
    }

    /// Keeps a value that takes up `bytes`. One that is larger than a quarter of the room is not kept: it would push out all else.
    pub fn keep(&self, key: &Key, value: V, bytes: u64) {
        self.forget(key);
        if bytes > self.most_bytes / 4 {
            return;
        }
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        while held.bytes.saturating_add(bytes) > self.most_bytes
            && let Some((_, oldest)) = held.uses.pop_first()
        {
            held.drop_value(&oldest);
        }
        let used = held.tick();
        held.bytes = held.bytes.saturating_add(bytes);
        held.uses.insert(used, key.clone());
        held.values.insert(key.clone(), Slot { value, bytes, used });
    }

    /// Drops a value.
    pub fn forget(&self, key: &Key) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(used) = held.drop_value(key) {
            held.uses.remove(&used);
        }
    }

    /// Bytes of all values.
    pub fn bytes(&self) -> u64 {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).bytes
    }
}

impl<V> Held<V> {
    fn tick(&mut self) -> u64 {
        self.clock = self.clock.saturating_add(1);
        self.clock
    }

    fn drop_value(&mut self, key: &Key) -> Option<u64> {
        let slot = self.values.remove(key)?;
        self.bytes = self.bytes.saturating_sub(slot.bytes);
        Some(slot.used)
    }
}

/// Entries in memory.
impl Store for Memory<std::sync::Arc<[u8]>> {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn get(&self, key: &Key) -> Result<Option<Vec<u8>>, Fault> {
        Ok(self.find(key).map(|entry| entry.to_vec()))
    }

    fn put(&self, key: &Key, entry: &[u8]) -> Result<(), Fault> {
        // the key stands in two maps
        let keys = key.text().len().saturating_add(key.name().len()).saturating_mul(2);
        let bytes = entry.len().saturating_add(keys).saturating_add(200);
        self.keep(key, entry.into(), u64::try_from(bytes).unwrap_or(u64::MAX));
        Ok(())
    }

    fn remove(&self, key: &Key) {
        self.forget(key);
    }

    fn pause(&self) -> Duration {
        Duration::ZERO
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::Kind;

    fn key(name: &str) -> Key {
        Key::new(Kind::Layer, name)
    }

    #[test]
    fn the_longest_unused_goes_first() {
        let memory = Memory::new(40);
        for name in ["a", "b", "c", "d"] {
            memory.keep(&key(name), name.to_owned(), 10);
        }
        assert_eq!(memory.find(&key("a")).as_deref(), Some("a"));
        memory.keep(&key("e"), "e".to_owned(), 10);
        assert_eq!(memory.find(&key("b")), None);
        assert!(["a", "c", "d", "e"].into_iter().all(|name| memory.find(&key(name)).is_some()));
        assert_eq!(memory.bytes(), 40);
    }

    #[test]
    fn a_value_that_would_push_out_all_else_is_not_kept() {
        let memory = Memory::new(40);
        memory.keep(&key("a"), 1, 10);
        memory.keep(&key("b"), 2, 11);
        assert_eq!((memory.find(&key("a")), memory.find(&key("b"))), (Some(1), None));
    }

    #[test]
    fn a_value_kept_again_counts_once() {
        let memory = Memory::new(40);
        memory.keep(&key("a"), 1, 10);
        memory.keep(&key("a"), 2, 4);
        assert_eq!((memory.find(&key("a")), memory.bytes()), (Some(2), 4));
        memory.forget(&key("a"));
        assert_eq!((memory.find(&key("a")), memory.bytes()), (None, 0));
    }

    proptest::proptest! {
        #[test]
        fn the_room_is_never_exceeded_and_the_books_agree(steps in proptest::collection::vec((0_u8..12, 0_u64..20, 0_u8..3), 0..200)) {
            let memory = Memory::new(50);
            for (name, bytes, step) in steps {
                let key = key(&name.to_string());
                match step {
                    0 => memory.keep(&key, name, bytes),
                    1 => proptest::prop_assert!(memory.find(&key).is_none_or(|found| found == name)),
                    _ => memory.forget(&key),
                }
                let held = memory.held.lock().unwrap();
                proptest::prop_assert!(held.bytes <= 50);
                proptest::prop_assert_eq!(held.bytes, held.values.values().map(|slot| slot.bytes).sum::<u64>());
                proptest::prop_assert_eq!(held.uses.len(), held.values.len());
            }
        }
    }
}
