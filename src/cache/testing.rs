//! Stores for tests.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use super::{Fault, Key, Store};

/// Holds everything; clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Held(Arc<Mutex<BTreeMap<Key, Vec<u8>>>>);

impl Store for Held {
    fn name(&self) -> &'static str {
        "test store"
    }

    fn get(&self, key: &Key) -> Result<Option<Vec<u8>>, Fault> {
        Ok(self.0.lock().unwrap().get(key).cloned())
    }

    fn put(&self, key: &Key, entry: &[u8]) -> Result<(), Fault> {
        self.0.lock().unwrap().insert(key.clone(), entry.to_vec());
        Ok(())
    }

    fn remove(&self, key: &Key) {
        self.0.lock().unwrap().remove(key);
    }
}

/// Fails, and counts how often it was asked.
#[derive(Debug, Clone, Default)]
pub(super) struct Failing(Arc<AtomicU64>);

impl Failing {
    pub(super) fn asked(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn fail(&self) -> Fault {
        self.0.fetch_add(1, Ordering::Relaxed);
        Fault::Server { what: "out of order".into() }
    }
}

impl Store for Failing {
    fn name(&self) -> &'static str {
        "test store"
    }

    fn get(&self, _: &Key) -> Result<Option<Vec<u8>>, Fault> {
        Err(self.fail())
    }

    fn put(&self, _: &Key, _: &[u8]) -> Result<(), Fault> {
        Err(self.fail())
    }

    fn remove(&self, _: &Key) {}
}
