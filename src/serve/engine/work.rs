//! The workers: threads that verify one image after another.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::Receiver;

use super::Inner;
use super::flights::Job;
use super::images::Opened;
use super::store::Shared;
use super::truth::{self, Finished};
use crate::cache::Claim;
use crate::serve::verdict::{Judged, Outcome};
use crate::verify::{self, Progress};

/// Bytes of a worker's stack: as much as the command line's main thread has.
const STACK: usize = 8 << 20;

/// How often a replica that leaves the work to another looks for what came of it.
const ASK_AGAIN: Duration = Duration::from_millis(100);

/// Starts so many workers. They end once there is nobody who could give them work.
pub(super) fn start(inner: &Arc<Inner>, jobs: Receiver<Job>, workers: usize) -> std::io::Result<()> {
    let jobs = Arc::new(Mutex::new(jobs));
    for _ in 0..workers {
        let (jobs, inner) = (Arc::clone(&jobs), Arc::downgrade(inner));
        thread::Builder::new().name("verify".to_owned()).stack_size(STACK).spawn(move || work(&jobs, &inner))?;
    }
    Ok(())
}

fn work(jobs: &Mutex<Receiver<Job>>, inner: &Weak<Inner>) {
    loop {
        let next = jobs.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv();
        let (Some(job), Some(inner)) = (next, inner.upgrade()) else { return };
        inner.metrics.queued(-1);
        inner.run(&job);
    }
}

impl Inner {
    fn run(&self, job: &Job) {
        let began = Instant::now();
        // a fault of ours costs one verification, not its worker
        let finished = catch_unwind(AssertUnwindSafe(|| self.finished(job))).unwrap_or_else(|_| {
            self.metrics.panicked();
            Finished { outcome: Outcome::Fault { request: job.request.clone() }, is_kept: false }
        });
        let took = began.elapsed();
        let (verdict, limit) = match &finished.outcome {
            Outcome::Judged(judged) => (format!("{:?}", judged.verdict).to_lowercase(), judged.limit.as_deref()),
            Outcome::NotReady { .. } => ("not-ready".to_owned(), None),
            Outcome::Refused { .. } => ("refused".to_owned(), None),
            Outcome::Unavailable { .. } => ("unavailable".to_owned(), None),
            Outcome::Fault { .. } => ("fault".to_owned(), None),
        };
        self.metrics.verified(took, limit);
        let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let profile = &job.ask.profile.name;
        tracing::info!(request = job.request, profile, digest = job.key.digest, verdict, ms = millis, "verified");
        self.flights.land(job, &finished);
    }

    /// Does the work, unless another replica does it and tells in time.
    fn finished(&self, job: &Job) -> Finished {
        let Some(shared) = &self.shared else {
            let finished = self.verify(job);
            self.keep(job, &finished);
            return finished;
        };
        let claim = loop {
            match shared.claim(&job.key) {
                Claim::Theirs => thread::sleep(ASK_AGAIN),
                claim => break claim,
            }
            // whoever has the lease keeps what it found before it gives the lease back
            if let Some(judged) = found(shared.as_ref(), job) {
                self.memory.put(&job.key, &judged);
                return Finished { outcome: Outcome::Judged(judged), is_kept: true };
            }
        };
        let finished = found(shared.as_ref(), job).map_or_else(
            || {
                let finished = self.verify(job);
                self.keep(job, &finished);
                finished
            },
            |judged| Finished { outcome: Outcome::Judged(judged), is_kept: true },
        );
        if let Claim::Mine(token) = claim {
            shared.release(&job.key, &token);
        }
        finished
    }

    fn verify(&self, job: &Job) -> Finished {
        let digest = job.key.digest.as_str();
        let report = match self.images.open(&job.ask, digest) {
            Err(problem) => return Finished { outcome: problem.into(), is_kept: false },
            Ok(Opened::Report(report)) => *report,
            Ok(Opened::Request(source)) => {
                let request = verify::Request {
                    source: *source,
                    policy: job.ask.profile.policy.as_ref().clone(),
                    as_of: job.today,
                    limits: job.limits.clone(),
                    cache: self.layers.clone(),
                    ..verify::Request::default()
                };
                let progress = Progress::default();
                let report = verify::verify(&request, &progress);
                self.metrics.read_layers("uncompressed", progress.bytes.load(Ordering::Relaxed));
                report
            }
        };
        truth::finished(digest, &report)
    }

    /// Keeps what is true of the bytes, before anybody is told: who asks next finds it.
    fn keep(&self, job: &Job, finished: &Finished) {
        let Outcome::Judged(judged) = &finished.outcome else { return };
        if !finished.is_kept {
            return;
        }
        self.memory.put(&job.key, judged);
        if let Some(shared) = &self.shared
            && shared.keep(&job.key, &judged.report).is_err()
        {
            self.metrics.store_failed();
        }
    }
}

/// What a replica has found for this job.
fn found(shared: &dyn Shared, job: &Job) -> Option<Arc<Judged>> {
    let report = shared.find(&job.key).ok().flatten()?;
    truth::kept(&job.key.digest, &report)
}
