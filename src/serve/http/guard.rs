//! What every request passes through: an id, a place among those that are answered, a cap on its body, an end, and a net for panics.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::Limited;
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::answer;
use super::{Peer, Rules};
use crate::oci::escape_text;
use crate::serve::metrics::Metrics;
use crate::serve::request;

/// How long a request may wait for its place.
const PATIENCE: Duration = Duration::from_secs(2);
/// Characters of a path in the log.
const PATH_SHOWN: usize = 200;

/// The guard of one listener.
pub(super) struct Guard {
    name: &'static str,
    rules: Rules,
    places: Arc<Semaphore>,
    router: TowerToHyperService<Router>,
    metrics: Arc<Metrics>,
}

/// What a connection is doing.
#[derive(Debug)]
pub(super) struct Activity {
    running: AtomicUsize,
    last: Mutex<Instant>,
}

impl Activity {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { running: AtomicUsize::new(0), last: Mutex::new(Instant::now()) })
    }

    /// For how long nothing was asked and nothing answered.
    pub(super) fn idle(&self) -> Duration {
        if self.running.load(Ordering::Acquire) > 0 {
            return Duration::ZERO;
        }
        self.last.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }
}

impl Guard {
    pub(super) fn new(name: &'static str, rules: Rules, router: Router, metrics: Arc<Metrics>) -> Self {
        let places = Arc::new(Semaphore::new(rules.requests));
        Self { name, rules, places, router: TowerToHyperService::new(router), metrics }
    }

    /// Answers, whatever happens.
    pub(super) async fn answer(&self, request: Request<Incoming>, peer: Peer, activity: Arc<Activity>) -> Response<Body> {
        let (running, began) = (Running::new(self, activity), Instant::now());
        let known = request::Request::new();
        // without the query, which may hold what lets somebody in
        let (method, path) = (request.method().clone(), request.uri().path().chars().take(PATH_SHOWN).collect::<String>());
        let (at, held) = (Arc::clone(&known), Arc::clone(&known));
        let id = HeaderValue::try_from(known.id.as_str()).ok();
        let (mut response, place) = request::scope(Arc::clone(&known), self.admitted(request, peer, known)).await;
        let (status, millis) = (response.status().as_u16(), u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX));
        let (method, path) = (method.as_str(), escape_text(&path));
        tracing::debug!(request = at.id, listener = self.name, method, path, status, ms = millis, "answered");
        if let Some(id) = id {
            response.headers_mut().insert("x-request-id", id);
        }
        // the place is taken until the last byte of the answer is sent
        response.map(|body| Body::new(Whole { body, _running: running, _place: place, _request: held }))
    }

    async fn admitted(
        &self,
        request: Request<Incoming>,
        peer: Peer,
        known: Arc<request::Request>,
    ) -> (Response<Body>, Option<OwnedSemaphorePermit>) {
        let place = tokio::time::timeout(PATIENCE, Arc::clone(&self.places).acquire_owned()).await;
        let Ok(Ok(place)) = place else {
            self.metrics.turned_away("listener");
            let busy = answer::error(StatusCode::SERVICE_UNAVAILABLE, "busy", "too many requests at once; try again");
            return (answer::later(busy, Duration::from_secs(1)), None);
        };
        (self.routed(request, peer, known).await, Some(place))
    }

    async fn routed(&self, request: Request<Incoming>, peer: Peer, known: Arc<request::Request>) -> Response<Body> {
        let most = self.rules.body;
        // what says beforehand that it is too long need not be read
        if most.is_some_and(|most| request.body().size_hint().lower() > most) {
            return answer::too_long();
        }
        let cap = |body| match most {
            Some(most) => Body::new(Limited::new(body, usize::try_from(most).unwrap_or(usize::MAX))),
            None => Body::new(body),
        };
        let mut request = request.map(cap);
        request.extensions_mut().insert(peer);
        request.extensions_mut().insert(known);
        let caught = self.caught(request);
        let Some(most) = self.rules.answer else { return caught.await };
        tokio::time::timeout(most, caught)
            .await
            .unwrap_or_else(|_| answer::error(StatusCode::SERVICE_UNAVAILABLE, "timeout", "the answer took too long; try again"))
    }

    /// The answer of the routes; a panic costs this request its answer, and nothing else.
    async fn caught(&self, request: Request<Body>) -> Response<Body> {
        let mut answering = Box::pin(async { self.router.call(request).await });
        let polled = std::future::poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| answering.as_mut().poll(context))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(Ok(response))) => Poll::Ready(Some(response)),
            Err(_) => Poll::Ready(None),
        });
        if let Some(response) = polled.await {
            return response;
        }
        self.metrics.panicked();
        let request = request::id();
        tracing::error!(request, listener = self.name, "a request could not be answered: fault of the program");
        answer::error(StatusCode::INTERNAL_SERVER_ERROR, "fault", "internal error; the log tells more under this request")
    }
}

/// A request that is being answered, for metrics and for the connection.
struct Running {
    name: &'static str,
    metrics: Arc<Metrics>,
    activity: Arc<Activity>,
}

impl Running {
    fn new(guard: &Guard, activity: Arc<Activity>) -> Self {
        activity.running.fetch_add(1, Ordering::AcqRel);
        guard.metrics.inflight(guard.name, 1);
        Self { name: guard.name, metrics: Arc::clone(&guard.metrics), activity }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        *self.activity.last.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        self.activity.running.fetch_sub(1, Ordering::AcqRel);
        self.metrics.inflight(self.name, -1);
    }
}

/// A body that holds its request's place until it is sent.
struct Whole {
    body: Body,
    _running: Running,
    _place: Option<OwnedSemaphorePermit>,
    _request: Arc<request::Request>,
}

impl HttpBody for Whole {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        // a panic while the body is made ends the connection, not the process
        let frame = catch_unwind(AssertUnwindSafe(|| Pin::new(&mut self.body).poll_frame(context)));
        let frame = frame.unwrap_or_else(|_| Poll::Ready(Some(Err(axum::Error::new("the body broke off")))));
        Poll::Ready(ready!(frame))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
