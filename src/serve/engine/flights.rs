//! One verification for all who ask for the same at once, behind a queue that has an end.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{mpsc, watch};

use super::truth::Finished;
use crate::limits::Limits;
use crate::policy::Date;
use crate::serve::key::Key;
use crate::serve::verdict::{Ask, Judged, Outcome};

/// A verification that somebody waits for, or may ask for later.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) key: Key,
    pub(super) ask: Ask,
    pub(super) limits: Limits,
    pub(super) today: Date,
    /// The id of the request that began it.
    pub(super) request: String,
    done: watch::Sender<Option<Outcome>>,
}

struct Flight {
    done: watch::Receiver<Option<Outcome>>,
    /// With whose rights, and where: another caller may be refused where this one is not, and the other way round.
    ask: Ask,
}

/// What became of a request to verify.
#[derive(Debug)]
pub(super) enum Boarded {
    /// It is under way: begun for this question, or for another with the same rights (`is_own`), or with others'.
    Under { done: watch::Receiver<Option<Outcome>>, is_own: bool },
    /// It has ended meanwhile.
    Known(Arc<Judged>),
    /// It is not under way, and nothing may be begun.
    Idle,
    /// Too many wait already.
    Full,
}

/// All verifications that wait or run.
pub(super) struct Flights {
    under_way: Mutex<HashMap<Key, Flight>>,
    queue: mpsc::Sender<Job>,
}

impl Flights {
    /// `most` may wait; who works takes them from the receiver.
    pub(super) fn new(most: usize) -> (Self, mpsc::Receiver<Job>) {
        let (queue, jobs) = mpsc::channel(most.max(1));
        (Self { under_way: Mutex::default(), queue }, jobs)
    }

    /// Joins the verification that is under way for this key, or begins one, unless its end is `known` by now.
    pub(super) fn board(
        &self,
        key: &Key,
        ask: &Ask,
        known: impl FnOnce() -> Option<Arc<Judged>>,
        job: impl FnOnce(watch::Sender<Option<Outcome>>) -> Job,
    ) -> Boarded {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        // verdicts are kept before their flights end
        if let Some(judged) = known() {
            return Boarded::Known(judged);
        }
        if let Some(flight) = under_way.get(key) {
            let is_own = flight.ask.access == ask.access && flight.ask.repository == ask.repository;
            return Boarded::Under { done: flight.done.clone(), is_own };
        }
        if !ask.may_enqueue {
            return Boarded::Idle;
        }
        let (sender, done) = watch::channel(None);
        if self.queue.try_send(job(sender)).is_err() {
            return Boarded::Full;
        }
        under_way.insert(key.clone(), Flight { done: done.clone(), ask: ask.clone() });
        Boarded::Under { done, is_own: true }
    }

    /// Tells all who wait.
    pub(super) fn land(&self, job: &Job, finished: &Finished) {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner).remove(&job.key);
        job.done.send_replace(Some(finished.outcome.clone()));
    }

    /// How many wait for a worker.
    pub(super) fn waiting(&self) -> usize {
        self.queue.max_capacity().saturating_sub(self.queue.capacity())
    }
}

impl Job {
    pub(super) fn new(
        key: Key,
        ask: Ask,
        (limits, today): (Limits, Date),
        request: String,
        done: watch::Sender<Option<Outcome>>,
    ) -> Self {
        Self { key, ask, limits, today, request, done }
    }
}
