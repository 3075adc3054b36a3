//! One request that is being answered: its id, and where its verdict came from. It travels with the task, not through every call.

use std::collections::hash_map::RandomState;
use std::future::Future;
use std::hash::{BuildHasher as _, Hasher as _};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use super::crowd::Place;
use super::metrics::Tier;

tokio::task_local! {
    static CURRENT: Arc<Request>;
}

/// What is known of a request while it is answered.
#[derive(Debug)]
pub struct Request {
    /// Under which its entries in the log are found.
    pub id: String,
    tier: AtomicU8,
    was_turned_away: AtomicBool,
    digest: OnceLock<String>,
    place: OnceLock<Place>,
}

impl Request {
    /// A request that has just come in.
    pub(super) fn new() -> Arc<Self> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        static PROCESS: OnceLock<u32> = OnceLock::new();
        // another number for every process, so that ids of two replicas differ
        let process = *PROCESS.get_or_init(|| {
            let random = RandomState::new().build_hasher().finish();
            u32::try_from(random & u64::from(u32::MAX)).unwrap_or_default()
        });
        let id = format!("{process:08x}-{:08x}", COUNT.fetch_add(1, Ordering::Relaxed));
        Arc::new(Self {
            id,
            tier: AtomicU8::new(0),
            was_turned_away: AtomicBool::new(false),
            digest: OnceLock::new(),
            place: OnceLock::new(),
        })
    }

    /// Where the verdict came from: the slowest of all that were asked for.
    pub fn tier(&self) -> Tier {
        match self.tier.load(Ordering::Relaxed) {
            0 | 1 => Tier::L1,
            2 => Tier::L2,
            _ => Tier::Cold,
        }
    }

    /// The digest of the first image that was asked for, once it is known.
    pub fn digest(&self) -> Option<&str> {
        self.digest.get().map(String::as_str)
    }

    /// Whether a verification could not even be queued.
    pub fn was_turned_away(&self) -> bool {
        self.was_turned_away.load(Ordering::Relaxed)
    }
}

/// Answers `future` as this request.
pub async fn scope<F: Future>(request: Arc<Request>, future: F) -> F::Output {
    CURRENT.scope(request, future).await
}

/// The request that this task answers; None outside of one.
#[must_use]
pub fn current() -> Option<Arc<Request>> {
    CURRENT.try_with(Arc::clone).ok()
}

/// The id of the request that this task answers; `-` outside of one.
#[must_use]
pub fn id() -> String {
    current().map_or_else(|| "-".to_owned(), |request| request.id.clone())
}

/// Holds a place until the last byte of the answer is sent.
pub(super) fn hold(place: Place) {
    if let Some(request) = current() {
        // there is one at most
        let _ = request.place.set(place);
    }
}

/// Notes where a verdict came from, and which image it is on.
pub(super) fn came_from(tier: Tier, digest: Option<&str>) {
    let rank = match tier {
        Tier::L1 => 1,
        Tier::L2 => 2,
        Tier::Cold => 3,
    };
    if let Some(request) = current() {
        request.tier.fetch_max(rank, Ordering::Relaxed);
        if let Some(digest) = digest {
            // the first one stays
            let _ = request.digest.set(digest.to_owned());
        }
    }
}

/// Notes that there was no room in the queue.
pub(super) fn was_turned_away() {
    if let Some(request) = current() {
        request.was_turned_away.store(true, Ordering::Relaxed);
    }
}
