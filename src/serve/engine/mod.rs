//! The engine: looks verdicts up, and otherwise has images verified, once for all who ask, as many at once as it has workers.

mod breaker;
mod flights;
mod images;
mod kept;
mod registries;
mod store;
mod tags;
#[cfg(test)]
mod tests;
mod truth;
mod work;

use std::str::FromStr as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use super::config::{Config, OnUnknown};
use super::host::Host;
use super::key::{self, Key};
use super::live::Live;
use super::metrics::{Metrics, Tier};
use super::request;
use super::verdict::{Answering, Ask, Judged, Outcome, Subject, Verdicts};
use crate::cache::Layers;
use crate::limits::MIB;
use crate::oci::Digest;

use flights::{Boarded, Flights, Job};
pub use images::{Images, Opened, Problem, Resolved};
pub use kept::{Kept, kept, layers};
pub use registries::Registries;
use store::Memory;
pub use store::Shared;
use tags::{Said, Tags};

/// Verdicts kept in the process where the configuration does not say.
const MEMORY_BYTES: u64 = 64 * MIB;
/// Registries and stores that are asked at once, for what is not a verification.
const MOST_QUESTIONS: usize = 64;
/// How long the shared store may take.
const STORE_PATIENCE: Duration = Duration::from_secs(2);
/// When asking again is worth while, with nobody before one in the queue.
const RETRY_AFTER: Duration = Duration::from_secs(5);
/// The longest that a caller is told to stay away.
const LONGEST_RETRY: u64 = 60;
/// How often a flight of others is joined whose end depends on their rights.
const MOST_JOINS: usize = 3;

/// Answers what hooks ask.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    live: Live,
    host: Host,
    images: Arc<dyn Images>,
    memory: Memory,
    shared: Option<Arc<dyn Shared>>,
    layers: Layers,
    flights: Flights,
    tags: Tags,
    metrics: Arc<Metrics>,
    questions: Arc<Semaphore>,
    workers: usize,
}

impl Engine {
    /// An engine with its workers, which end when it is dropped. Their number, the length of the queue and the size of the memory
    /// are those of the configuration as it is now.
    pub fn start(
        live: Live,
        host: Host,
        images: Arc<dyn Images>,
        (shared, layers): (Option<Arc<dyn Shared>>, Layers),
        metrics: Arc<Metrics>,
    ) -> std::io::Result<Self> {
        let config = live.config();
        let (flights, jobs) = Flights::new(config.server.max_queue);
        let memory = config.cache.memory_bytes.unwrap_or(MEMORY_BYTES);
        let workers = config.server.workers.max(1);
        let inner = Arc::new(Inner {
            live,
            host,
            images,
            memory: Memory::new(usize::try_from(memory).unwrap_or(usize::MAX)),
            shared,
            layers,
            flights,
            tags: Tags::default(),
            metrics,
            questions: Arc::new(Semaphore::new(MOST_QUESTIONS)),
            workers,
        });
        work::start(&inner, jobs, workers)?;
        Ok(Self(inner))
    }

    /// Whether the shared store can be asked; blocks.
    #[must_use]
    pub fn is_store_reachable(&self) -> bool {
        self.0.shared.as_ref().is_none_or(|store| store.is_reachable())
    }

    /// The verdict on a digest, where there is one already.
    pub async fn known(&self, ask: &Ask, digest: &str) -> Option<Arc<Judged>> {
        let key = self.0.key(ask, digest);
        self.0.find(&key).await
    }
}

impl Verdicts for Engine {
    fn verdict(&self, ask: Ask) -> Answering<'_> {
        Box::pin(async move {
            if let Some(outcome) = self.0.at_once(&ask) {
                return outcome;
            }
            let deadline = tokio::time::Instant::from_std(ask.deadline);
            let (inner, current) = (Arc::clone(&self.0), request::current());
            // who goes away before the answer is there still has begun the work
            let task = tokio::spawn(async move {
                match current {
                    Some(current) => request::scope(current, inner.outcome(ask)).await,
                    None => inner.outcome(ask).await,
                }
            });
            // a registry or a store that hangs must not cost the caller its answer
            match tokio::time::timeout_at(deadline, task).await {
                Ok(Ok(outcome)) => outcome,
                Ok(Err(_)) => Outcome::Fault { request: request::id() },
                Err(_) => self.0.not_ready(),
            }
        })
    }
}

impl Inner {
    /// What needs nobody else: a refusal, or a verdict that is in the process.
    fn at_once(&self, ask: &Ask) -> Option<Outcome> {
        if let Some(reason) = refused(&self.live.config(), &ask.repository) {
            return Some(Outcome::Refused { reason });
        }
        let digest = match &ask.subject {
            Subject::Digest(digest) => digest.clone(),
            Subject::Manifest { bytes, .. } => key::sha256(bytes),
            Subject::Tag(_) => self.tags.find(ask, Instant::now())?.ok()?.digest,
        };
        let judged = self.memory.find(&self.key(ask, &digest))?;
        self.metrics.looked_up("l1", "hit");
        request::came_from(Tier::L1, Some(&digest));
        Some(Outcome::Judged(judged))
    }

    async fn outcome(self: &Arc<Self>, ask: Ask) -> Outcome {
        let config = self.live.config();
        let (digest, bytes) = match self.digest(&ask).await {
            Ok(resolved) => (resolved.digest, resolved.bytes),
            Err(problem) => {
                request::came_from(Tier::Cold, None);
                return problem.into();
            }
        };
        let key = self.key(&ask, &digest);
        if let Some(judged) = self.find(&key).await {
            return Outcome::Judged(judged);
        }
        request::came_from(Tier::Cold, Some(&digest));
        let may_wait = match self.fits(&ask, bytes).await {
            Ok(fits) => fits,
            Err(problem) => return problem.into(),
        };
        self.verified(&key, &ask, &config, may_wait).await
    }

    fn key(&self, ask: &Ask, digest: &str) -> Key {
        Key::of(ask, digest, &self.live.config().limits, (self.host.today)())
    }

    /// The digest of the subject, and its compressed bytes where they are known.
    async fn digest(self: &Arc<Self>, ask: &Ask) -> Said {
        match &ask.subject {
            Subject::Digest(digest) => match Digest::from_str(digest) {
                Ok(digest) => Ok(Resolved { digest: digest.to_string(), bytes: None }),
                Err(error) => Err(Problem::Refused { reason: error.to_string() }),
            },
            Subject::Manifest { bytes, .. } => Ok(Resolved { digest: key::sha256(bytes), bytes: None }),
            Subject::Tag(_) => self.resolved(ask).await,
        }
    }

    /// Asks the registry, or takes what it said a moment ago.
    async fn resolved(self: &Arc<Self>, ask: &Ask) -> Said {
        if let Some(said) = self.tags.find(ask, Instant::now()) {
            return said;
        }
        let unavailable = |reason: &str| Problem::Unavailable { reason: reason.to_owned(), retry_after: None };
        // who asks has gone by then: were all to wait on, a registry that hangs would gather them without end
        let patience = ask.deadline.saturating_duration_since(Instant::now()).saturating_add(STORE_PATIENCE);
        let permit = tokio::time::timeout(patience, Arc::clone(&self.questions).acquire_owned()).await;
        let Ok(Ok(permit)) = permit else { return Err(unavailable("too many questions to registries at once")) };
        let (inner, ask) = (Arc::clone(self), ask.clone());
        let task = tokio::task::spawn_blocking(move || {
            // held as long as the registry is asked, whether or not somebody still waits
            let _permit = permit;
            if let Some(said) = inner.tags.find(&ask, Instant::now()) {
                return said;
            }
            let said = inner.images.resolve(&ask);
            inner.tags.put(&ask, &said, Instant::now());
            said
        });
        task.await.unwrap_or_else(|_| Err(unavailable("the question to the registry failed")))
    }

    /// Whether the caller may wait for the verification.
    async fn fits(self: &Arc<Self>, ask: &Ask, bytes: Option<u64>) -> Result<bool, Problem> {
        if ask.profile.on_unknown != OnUnknown::Verify {
            return Ok(false);
        }
        // who pushes waits for as long as it takes
        let has_budget = !matches!(ask.subject, Subject::Manifest { .. }) && ask.profile.sync_max_bytes < u64::MAX;
        if !has_budget {
            return Ok(true);
        }
        let bytes = match (bytes, &ask.subject) {
            (None, Subject::Digest(_)) => self.resolved(ask).await?.bytes,
            (bytes, _) => bytes,
        };
        Ok(bytes.is_none_or(|bytes| bytes <= ask.profile.sync_max_bytes))
    }

    /// What the stores know.
    async fn find(self: &Arc<Self>, key: &Key) -> Option<Arc<Judged>> {
        let found = self.memory.find(key);
        self.metrics.looked_up("l1", if found.is_some() { "hit" } else { "miss" });
        if found.is_some() {
            request::came_from(Tier::L1, Some(&key.digest));
            return found;
        }
        let shared = Arc::clone(self.shared.as_ref()?);
        let asked = key.clone();
        let question = tokio::task::spawn_blocking(move || {
            let found = shared.find(&asked)?;
            Ok::<_, String>(found.and_then(|report| truth::kept(&asked.digest, &report)))
        });
        let found = if let Ok(Ok(Ok(found))) = tokio::time::timeout(STORE_PATIENCE, question).await {
            found
        } else {
            self.metrics.store_failed();
            None
        };
        self.metrics.looked_up("l2", if found.is_some() { "hit" } else { "miss" });
        let judged = found?;
        self.memory.put(key, &judged);
        request::came_from(Tier::L2, Some(&key.digest));
        Some(judged)
    }

    /// Joins or begins a verification, and waits for it where the caller may.
    async fn verified(&self, key: &Key, ask: &Ask, config: &Config, may_wait: bool) -> Outcome {
        for _ in 0..MOST_JOINS {
            let job = |done| {
                self.metrics.queued(1);
                let world = (config.limits.clone(), (self.host.today)());
                Job::new(key.clone(), ask.clone(), world, request::id(), done)
            };
            let (mut done, is_own) = match self.flights.board(key, ask, || self.memory.find(key), job) {
                Boarded::Under { done, is_own } => (done, is_own),
                Boarded::Known(judged) => return Outcome::Judged(judged),
                Boarded::Idle => return self.not_ready(),
                Boarded::Full => {
                    self.metrics.queued(-1);
                    request::was_turned_away();
                    return self.not_ready();
                }
            };
            if !may_wait {
                return self.not_ready();
            }
            let deadline = tokio::time::Instant::from_std(ask.deadline);
            let outcome = match tokio::time::timeout_at(deadline, done.wait_for(Option::is_some)).await {
                Ok(Ok(outcome)) => outcome.clone(),
                Ok(Err(_)) => None,
                Err(_) => return self.not_ready(),
            };
            match outcome {
                Some(Outcome::Refused { .. } | Outcome::Unavailable { .. }) if !is_own => {}
                Some(outcome) => return outcome,
                None => return Outcome::Fault { request: request::id() },
            }
        }
        self.not_ready()
    }

    fn not_ready(&self) -> Outcome {
        let before = self.flights.waiting().checked_div(self.workers).unwrap_or_default();
        let seconds = RETRY_AFTER.as_secs().saturating_add(u64::try_from(before).unwrap_or(u64::MAX));
        Outcome::NotReady { retry_after: Duration::from_secs(seconds.min(LONGEST_RETRY)) }
    }
}

/// Why this repository's registry is not asked: only those of the configuration are, and the one behind the gate.
pub(super) fn refused(config: &Config, repository: &str) -> Option<String> {
    let host = repository.split('/').next().unwrap_or_default();
    let upstream = config.gate.as_ref().and_then(|gate| gate.upstream.split_once("://")).map(|(_, authority)| authority);
    let is_listed = config.registries.contains_key(host) || upstream == Some(host);
    (!is_listed).then(|| format!("the registry {} is not in [registries]", crate::oci::escape_text(host)))
}
