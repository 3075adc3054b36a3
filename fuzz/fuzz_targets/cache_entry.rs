//! Arbitrary bytes as an entry of the cache and as the value in one: no panic, and nothing is served that was not written.

#![no_main]

use std::sync::Mutex;

use libfuzzer_sys::fuzz_target;
use plimsoll::cache::{Fault, Key, Kind, Layers, Shape, Store, Tiers, opened, sealed};
use plimsoll::limits::Limits;
use plimsoll::oci::{Algorithm, BlobDigest};

/// Has one entry, for every key.
#[derive(Debug)]
struct One(Mutex<Option<Vec<u8>>>);

impl Store for One {
    fn name(&self) -> &'static str {
        "one entry"
    }

    fn get(&self, key: &Key) -> Result<Option<Vec<u8>>, Fault> {
        // the value is the fuzzer's, the seal is right: what lies under the checksum is reached
        Ok(self.0.lock().unwrap().take().and_then(|value| sealed(key, &value)))
    }

    fn put(&self, _: &Key, _: &[u8]) -> Result<(), Fault> {
        Ok(())
    }

    fn remove(&self, _: &Key) {}
}

fuzz_target!(|data: &[u8]| {
    let key = Key::new(Kind::Layer, "subject");
    assert_eq!(opened(&key, data), None, "nobody hits a SHA-256 by chance");
    let digest: BlobDigest = format!("sha256:{}", "0".repeat(64)).parse().unwrap();
    let shape = Shape::new(Algorithm::Sha256, false, &Limits::default());
    let layers = |value: &[u8]| Layers::new(0, Tiers::new(vec![Box::new(One(Mutex::new(Some(value.to_vec()))))]));
    if let Some(index) = layers(data).find(&digest, &shape) {
        assert!(index.has_digest(&digest) && index.errors.is_empty());
        assert!(index.changes.iter().all(|change| index.name(&change.path).len() <= index.names.len()));
    }
    let _ = layers(data).find_bodies(&digest, &shape, &[1]);
});
