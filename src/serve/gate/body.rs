//! Bodies that stream through: never held, only watched for standing still.

use std::future::Future as _;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, Incoming, SizeHint};
use tokio::time::Sleep;

/// How long a body may stand still, and an answer keep one waiting that has been asked for wholly.
pub(super) const STALL: Duration = Duration::from_mins(2);

/// When something last moved.
#[derive(Debug, Clone)]
pub(super) struct Pace(Arc<Mutex<Instant>>);

impl Pace {
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(Instant::now())))
    }

    fn moved(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// How much longer nothing need move.
    pub(super) fn left(&self) -> Duration {
        STALL.saturating_sub(self.0.lock().unwrap_or_else(PoisonError::into_inner).elapsed())
    }
}

/// A body on its way to the registry; it tells when it moves.
pub(super) struct Sent {
    pub(super) body: Body,
    pub(super) pace: Pace,
}

impl HttpBody for Sent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        if frame.is_ready() {
            self.pace.moved();
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A body on its way from the registry; it breaks off when the registry stands still.
pub(super) struct Received {
    body: Incoming,
    sleep: Pin<Box<Sleep>>,
    is_sized: bool,
}

impl Received {
    /// `is_sized`: the answer says how long it is.
    pub(super) fn new(body: Incoming, is_sized: bool) -> Self {
        Self { body, sleep: Box::pin(tokio::time::sleep(STALL)), is_sized }
    }
}

impl HttpBody for Received {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(context) {
            if let Some(next) = tokio::time::Instant::now().checked_add(STALL) {
                this.sleep.as_mut().reset(next);
            }
            return Poll::Ready(frame.map(|frame| frame.map_err(axum::Error::new)));
        }
        match this.sleep.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Some(Err(axum::Error::new("the registry stands still")))),
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        // the answer to HEAD is empty and says nothing of the length of what it is about
        self.is_sized && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        if self.is_sized { self.body.size_hint() } else { SizeHint::default() }
    }
}
