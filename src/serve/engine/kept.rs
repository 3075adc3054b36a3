//! The store behind the process: verdicts and leases in the folder and the server that the configuration names.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::store::Shared;
use crate::cache::{self, Claim, Directory, Key as CacheKey, Kind, Layers, Leases as _, Question, Redis, Store, Tiers};
use crate::limits::{GIB, MIB};
use crate::serve::config::Cache;
use crate::serve::key::Key;

/// Bytes of layer facts that are kept in the process.
const LAYER_BYTES: u64 = 64 * MIB;
/// Bytes of a folder.
const FOLDER_BYTES: u64 = 10 * GIB;
/// How long a server may take over a verdict, and over the facts of a layer.
const VERDICT_PATIENCE: Duration = Duration::from_millis(500);
const LAYER_PATIENCE: Duration = Duration::from_secs(5);
/// How long others leave the work to a replica that has taken it; one that dies is not waited for longer.
const LEASE: Duration = Duration::from_secs(30);

/// Verdicts that outlive the process.
#[derive(Debug)]
pub struct Kept {
    verdicts: cache::Verdicts,
    server: Option<Redis>,
    /// Faults that were counted already.
    seen: AtomicU64,
}

/// What the configuration says; None where it names neither folder nor server.
///
/// # Errors
/// A folder that cannot be used, an address that is none.
pub fn kept(config: &Cache) -> Result<Option<Kept>, String> {
    let server = config.redis.as_deref().map(|address| redis(address, VERDICT_PATIENCE)).transpose()?;
    let tiers = tiers(config, VERDICT_PATIENCE)?;
    let has_store = !tiers.is_empty();
    Ok(has_store.then(|| Kept { verdicts: cache::Verdicts::new(tiers), server, seen: AtomicU64::default() }))
}

/// The facts of layers, kept in the process and beyond it.
///
/// # Errors
/// As [`kept`].
pub fn layers(config: &Cache) -> Result<Layers, String> {
    Ok(Layers::new(config.layer_bytes.unwrap_or(LAYER_BYTES), tiers(config, LAYER_PATIENCE)?))
}

fn redis(address: &str, patience: Duration) -> Result<Redis, String> {
    Redis::new(address, patience).map_err(|error| error.to_string())
}

fn tiers(config: &Cache, patience: Duration) -> Result<Tiers, String> {
    let mut stores: Vec<Box<dyn Store>> = Vec::new();
    if let Some(folder) = &config.directory {
        stores.push(Box::new(directory(folder)?));
    }
    if let Some(address) = &config.redis {
        stores.push(Box::new(redis(address, patience)?));
    }
    Ok(Tiers::new(stores))
}

fn directory(folder: &Path) -> Result<Directory, String> {
    Directory::open(folder, FOLDER_BYTES).map_err(|refused| {
        format!("the cache folder {} cannot be used: {refused}", crate::oci::escape(folder.as_os_str().as_encoded_bytes()))
    })
}

/// What is kept under a key: the manifest is named by the digest of its bytes.
fn question<'a>(key: &'a Key, manifest: &'a crate::oci::BlobDigest) -> Question<'a> {
    Question { manifest, platform: None, judged_by: &key.judged_by }
}

impl Kept {
    /// Err when the store has failed since this was asked last.
    fn check(&self) -> Result<(), String> {
        let faults = self.verdicts.tiers().counts().iter().fold(0, |sum: u64, (_, counts)| sum.saturating_add(counts.faults));
        for warning in self.verdicts.tiers().take_warnings() {
            tracing::warn!(detail = warning, "store");
        }
        let before = self.seen.swap(faults, Ordering::Relaxed);
        if faults > before { Err("the store failed".to_owned()) } else { Ok(()) }
    }

    fn lease(key: &Key) -> CacheKey {
        CacheKey::new(Kind::Verdict, &format!("lease\n{}\n{}", key.digest, key.judged_by))
    }
}

impl Shared for Kept {
    fn find(&self, key: &Key) -> Result<Option<Vec<u8>>, String> {
        let Ok(digest) = key.digest.parse() else { return Ok(None) };
        match self.verdicts.find(&question(key, &digest)) {
            Some(report) => Ok(Some(report)),
            None => self.check().map(|()| None),
        }
    }

    fn keep(&self, key: &Key, report: &[u8]) -> Result<(), String> {
        let Ok(digest) = key.digest.parse() else { return Ok(()) };
        self.verdicts.keep(&question(key, &digest), report);
        self.check()
    }

    fn is_reachable(&self) -> bool {
        let any = CacheKey::new(Kind::Verdict, "whether it answers");
        self.server.as_ref().is_none_or(|server| server.get(&any).is_ok())
    }

    fn claim(&self, key: &Key) -> Claim {
        match self.server.as_ref().map(|server| server.claim(&Self::lease(key), LEASE)) {
            Some(claim) => claim,
            None => Claim::Unknown,
        }
    }

    fn release(&self, key: &Key, token: &cache::Token) {
        if let Some(server) = &self.server {
            server.release(&Self::lease(key), token);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(digit: &str) -> Key {
        Key { digest: format!("sha256:{}", digit.repeat(64)), judged_by: "p".into() }
    }

    #[test]
    fn verdicts_outlive_the_process_in_a_folder_and_each_answers_its_own_key() {
        let folder = tempfile::tempdir().unwrap();
        let config = Cache { directory: Some(folder.path().join("cache")), ..Cache::default() };
        let first = kept(&config).unwrap().unwrap();
        first.keep(&key("a"), b"{}").unwrap();
        let second = kept(&config).unwrap().unwrap();
        assert_eq!(second.find(&key("a")).unwrap().as_deref(), Some(&b"{}"[..]));
        assert_eq!(second.find(&key("b")).unwrap(), None);
        assert_eq!(second.find(&Key { judged_by: "q".into(), ..key("a") }).unwrap(), None);
        assert!(second.is_reachable() && second.claim(&key("a")) == Claim::Unknown);
    }

    #[test]
    fn without_folder_and_server_nothing_is_kept() {
        assert!(kept(&Cache::default()).unwrap().is_none());
        assert!(layers(&Cache::default()).unwrap().tiers().is_empty());
    }

    #[test]
    fn a_server_that_is_not_there_fails_once_and_is_told() {
        let config = Cache { redis: Some("redis://127.0.0.1:1".into()), ..Cache::default() };
        let kept = kept(&config).unwrap().unwrap();
        assert!(kept.find(&key("a")).is_err() && !kept.is_reachable());
        assert_eq!(kept.find(&key("a")), Ok(None), "it is left alone for a while");
        assert_eq!(kept.claim(&key("a")), Claim::Unknown);
    }
}
