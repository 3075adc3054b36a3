//! Where verdicts are kept: in the process, and behind it in a store that replicas share.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use crate::cache::{Claim, Token};
use crate::serve::key::Key;
use crate::serve::verdict::Judged;

/// A store of reports that outlives the process. Calls block; each is bounded by the store's own timeouts. What it returns is what was
/// put under exactly this key: it must have checked that.
pub trait Shared: Send + Sync {
    /// The report under this key, as it was put; Err when the store cannot be asked.
    fn find(&self, key: &Key) -> Result<Option<Vec<u8>>, String>;

    /// Keeps a report; Err when the store cannot be asked.
    fn keep(&self, key: &Key, report: &[u8]) -> Result<(), String>;

    /// Whether it can be asked.
    fn is_reachable(&self) -> bool;

    /// Whether this replica, or another, is to verify what the key is of. A store without leases leaves it to everybody.
    fn claim(&self, _: &Key) -> Claim {
        Claim::Unknown
    }

    /// Gives a claim back.
    fn release(&self, _: &Key, _: &Token) {}
}

/// Bytes that a verdict takes beside its report.
const OVERHEAD: usize = 512;

/// Verdicts in the process: those that were not asked for longest go first, once there is no room.
#[derive(Debug)]
pub(super) struct Memory {
    most_bytes: usize,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    by_key: HashMap<Key, (u64, Arc<Judged>)>,
    /// By when they were last asked for.
    by_age: BTreeMap<u64, Key>,
    clock: u64,
    bytes: usize,
}

impl Memory {
    pub(super) fn new(most_bytes: usize) -> Self {
        Self { most_bytes, held: Mutex::default() }
    }

    pub(super) fn find(&self, key: &Key) -> Option<Arc<Judged>> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let now = held.tick();
        let (age, judged) = held.by_key.get_mut(key)?;
        let (before, judged) = (std::mem::replace(age, now), Arc::clone(judged));
        if let Some(key) = held.by_age.remove(&before) {
            held.by_age.insert(now, key);
        }
        Some(judged)
    }

    pub(super) fn put(&self, key: &Key, judged: &Arc<Judged>) {
        let weight = weight(judged);
        if weight > self.most_bytes {
            return;
        }
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.remove(key);
        while held.bytes.saturating_add(weight) > self.most_bytes {
            let Some(oldest) = held.by_age.first_key_value().map(|(_, key)| key.clone()) else { break };
            held.remove(&oldest);
        }
        let now = held.tick();
        held.bytes = held.bytes.saturating_add(weight);
        held.by_age.insert(now, key.clone());
        held.by_key.insert(key.clone(), (now, Arc::clone(judged)));
    }
}

impl Held {
    fn tick(&mut self) -> u64 {
        self.clock = self.clock.saturating_add(1);
        self.clock
    }

    fn remove(&mut self, key: &Key) {
        if let Some((age, judged)) = self.by_key.remove(key) {
            self.by_age.remove(&age);
            self.bytes = self.bytes.saturating_sub(weight(&judged));
        }
    }
}

fn weight(judged: &Judged) -> usize {
    let failing: usize = judged.failing.iter().map(String::len).sum();
    judged.report.len().saturating_add(failing).saturating_add(OVERHEAD)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::model::Verdict;

    fn key(name: &str) -> Key {
        Key { digest: name.to_owned(), judged_by: String::new() }
    }

    fn judged(name: &str, bytes: usize) -> Arc<Judged> {
        let report = vec![b' '; bytes].into();
        Arc::new(Judged { digest: name.to_owned(), verdict: Verdict::Pass, score: None, failing: vec![], limit: None, report })
    }

    #[test]
    fn what_was_not_asked_for_longest_goes_first() {
        let memory = Memory::new(3 * (OVERHEAD + 100));
        for name in ["a", "b", "c"] {
            memory.put(&key(name), &judged(name, 100));
        }
        assert!(memory.find(&key("a")).is_some());
        memory.put(&key("d"), &judged("d", 100));
        assert_eq!(["a", "b", "c", "d"].map(|name| memory.find(&key(name)).is_some()), [true, false, true, true]);
    }

    #[test]
    fn what_is_bigger_than_the_room_is_not_kept_and_drives_nothing_out() {
        let memory = Memory::new(2_000);
        memory.put(&key("a"), &judged("a", 10));
        memory.put(&key("b"), &judged("b", 2_000));
        assert!(memory.find(&key("a")).is_some() && memory.find(&key("b")).is_none());
    }

    proptest::proptest! {
        #[test]
        fn the_room_is_never_exceeded_and_every_key_gives_its_own(names in proptest::collection::vec((0_u8..20, 0_usize..900), 0..200)) {
            let memory = Memory::new(5_000);
            for (name, bytes) in names {
                let name = name.to_string();
                memory.put(&key(&name), &judged(&name, bytes));
                let held = memory.held.lock().unwrap();
                assert!(held.bytes <= 5_000 && held.by_key.len() == held.by_age.len());
                let sum: usize = held.by_key.values().map(|(_, judged)| weight(judged)).sum();
                assert_eq!(sum, held.bytes);
                drop(held);
                assert_eq!(memory.find(&key(&name)).unwrap().digest, name);
            }
        }
    }
}
