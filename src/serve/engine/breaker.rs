//! Registries that fail again and again are left alone for a while.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::images::Problem;
use crate::serve::metrics::Metrics;
use crate::source::registry::Observer;

/// Answers in a row that are none, before a registry is left alone.
const MOST_FAILURES: u32 = 10;
/// For how long.
const PAUSE: Duration = Duration::from_secs(10);

/// One state for each registry of the configuration.
#[derive(Debug)]
pub(super) struct Breakers {
    metrics: Arc<Metrics>,
    states: Mutex<BTreeMap<String, State>>,
}

#[derive(Debug, Default)]
struct State {
    failures: u32,
    /// When it may be asked again.
    until: Option<Instant>,
}

impl Breakers {
    pub(super) fn new(metrics: Arc<Metrics>) -> Self {
        Self { metrics, states: Mutex::default() }
    }

    /// Err while the registry is left alone. Afterwards one more failure is enough.
    pub(super) fn check(&self, host: &str, now: Instant) -> Result<(), Problem> {
        let states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        let left = states.get(host).and_then(|state| state.until).and_then(|until| until.checked_duration_since(now));
        match left.filter(|left| !left.is_zero()) {
            None => Ok(()),
            Some(left) => {
                let reason = format!("{host} failed {MOST_FAILURES} times in a row and is left alone for a moment");
                Err(Problem::Unavailable { reason, retry_after: Some(left) })
            }
        }
    }

    fn answered(&self, host: &str, status: u16, now: Instant) {
        let mut states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        let state = states.entry(host.to_owned()).or_default();
        if status == 0 || status == 429 || status >= 500 {
            state.failures = state.failures.saturating_add(1);
            if state.failures >= MOST_FAILURES {
                state.until = now.checked_add(PAUSE);
            }
        } else {
            *state = State::default();
        }
        self.metrics.breaker(host, state.until.is_some());
    }
}

/// Counts what one registry answers.
#[derive(Debug)]
pub(super) struct Watch {
    /// As the configuration calls it: redirects and mirrors make no labels.
    host: String,
    metrics: Arc<Metrics>,
    breakers: Arc<Breakers>,
}

impl Watch {
    pub(super) fn new(host: &str, metrics: Arc<Metrics>, breakers: Arc<Breakers>) -> Self {
        Self { host: host.to_owned(), metrics, breakers }
    }
}

impl Observer for Watch {
    fn answered(&self, _: &str, status: u16) {
        self.metrics.registry_answered(&self.host, status);
        self.breakers.answered(&self.host, status, Instant::now());
    }

    fn read(&self, bytes: u64) {
        self.metrics.read_layers("compressed", bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_that_fails_is_left_alone_and_asked_again_after_a_while() {
        let (metrics, now) = (Arc::new(Metrics::default()), Instant::now());
        let breakers = Breakers::new(Arc::clone(&metrics));
        let fails = |times: u32| (0..times).for_each(|_| breakers.answered("r.example", 503, now));
        fails(MOST_FAILURES - 1);
        breakers.answered("r.example", 404, now);
        fails(MOST_FAILURES - 1);
        assert_eq!(breakers.check("r.example", now), Ok(()));
        fails(1);
        let Err(Problem::Unavailable { retry_after, .. }) = breakers.check("r.example", now) else { panic!() };
        assert_eq!(retry_after, Some(PAUSE));
        assert_eq!(breakers.check("other.example", now), Ok(()));
        assert!(metrics.page().contains("plimsoll_registry_breaker_open{host=\"r.example\"} 1"));
        let later = now + PAUSE;
        assert_eq!(breakers.check("r.example", later), Ok(()));
        breakers.answered("r.example", 0, later);
        assert!(breakers.check("r.example", later).is_err());
        breakers.answered("r.example", 200, later);
        assert_eq!(breakers.check("r.example", later), Ok(()));
        assert!(metrics.page().contains("plimsoll_registry_breaker_open{host=\"r.example\"} 0"));
    }
}
