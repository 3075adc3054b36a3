//! What every handler is given.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::crowd::{self, Crowd, Place};
use super::decision::{Decision, Hook};
use super::engine::Engine;
use super::host::Host;
use super::http::Peer;
use super::live::Live;
use super::metrics::{self, Metrics, Tier};
use super::request;
use crate::report::model::Report;

/// Writes a report as SARIF.
pub type Sarif = fn(&Report) -> Vec<u8>;

/// The server, as its handlers see it. Clones are the same server.
#[derive(Clone)]
pub struct Context {
    /// The configuration as it is now.
    pub live: Live,
    /// Who is asked for verdicts.
    pub engine: Engine,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Files, policies, the day.
    pub host: Host,
    /// None: this program writes none.
    pub sarif: Option<Sarif>,
    /// Requests by who asks, to the gate and to `/v1`.
    callers: Crowd,
    /// Reviews by namespace.
    namespaces: Crowd,
    is_draining: Arc<AtomicBool>,
}

impl Context {
    /// A server that is not draining.
    #[must_use]
    pub fn new(live: Live, engine: Engine, metrics: Arc<Metrics>, host: Host, sarif: Option<Sarif>) -> Self {
        Self {
            live,
            engine,
            metrics,
            host,
            sarif,
            callers: Crowd::default(),
            namespaces: Crowd::default(),
            is_draining: Arc::default(),
        }
    }

    /// Whether the server is ending.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.is_draining.load(Ordering::Relaxed)
    }

    pub(super) fn drain(&self) {
        self.is_draining.store(true, Ordering::Relaxed);
    }

    /// Whether there is a place for one more request of this caller: it is held until the request is answered.
    #[must_use]
    pub fn has_place(&self, peer: &Peer) -> bool {
        let most = self.live.config().server.max_inflight_per_caller;
        let place = self.callers.enter(&crowd::caller(peer.address.ip()), most);
        if place.is_none() {
            self.metrics.turned_away("caller");
        }
        place.map(request::hold).is_some()
    }

    /// A place for one more review of this namespace; None: it has as many as it may.
    #[must_use]
    pub fn place_of(&self, namespace: &str) -> Option<Place> {
        let place = self.namespaces.enter(namespace, self.live.config().server.max_inflight_per_namespace);
        if place.is_none() {
            self.metrics.turned_away("namespace");
        }
        place
    }

    /// Where the report on a digest can be read; empty when nowhere.
    #[must_use]
    pub fn place(&self, digest: &str) -> String {
        let url = &self.live.config().server.public_url;
        if url.is_empty() || digest.is_empty() { String::new() } else { format!("{url}/v1/verdicts/{digest}") }
    }

    /// Counts and logs a decision; `digest` is empty when it is not known.
    pub fn decided(&self, hook: Hook, profile: &str, digest: &str, decision: &Decision, began: Instant) {
        let took = began.elapsed();
        let tier = request::current().map_or(Tier::Cold, |request| request.tier());
        self.metrics.decided(hook, profile, decision, tier, took);
        let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let (hook, answer, tier) = (hook.as_str(), metrics::name(decision), tier.as_str());
        let (request, message) = (request::id(), decision.message.as_str());
        tracing::info!(
            request,
            hook,
            profile,
            decision = answer,
            digest,
            ms = millis,
            source = tier,
            detail = message,
            "decided"
        );
    }
}
