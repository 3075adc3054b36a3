//! When to ask again, and how long to wait first.

use std::time::{Duration, Instant};

use crate::limits::Limits;
use crate::source::Error;

/// Why a request failed, and whether another try may help.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) error: Error,
    pub(super) again: Again,
}

/// Whether another try may help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    /// The same would come of it.
    Never,
    /// The connection failed.
    Soon,
    /// The registry is busy; with the seconds that it asks for.
    Later(Option<u64>),
}

impl Failure {
    /// One that stays.
    pub(super) fn lasting(error: Error) -> Self {
        Self { error, again: Again::Never }
    }
}

/// Whether a status says that the registry, or what stands before it, is busy.
pub(super) fn is_busy(status: u16) -> bool {
    matches!(status, 408 | 429 | 500 | 502 | 503 | 504)
}

/// Runs `attempt` until it succeeds, fails for good, or was tried as often as the limit allows.
pub(super) fn retried<T>(limits: &Limits, mut attempt: impl FnMut() -> Result<T, Failure>) -> Result<T, Error> {
    let mut tried = 0_u64;
    loop {
        let failure = match attempt() {
            Ok(value) => return Ok(value),
            Err(failure) => failure,
        };
        tried = tried.saturating_add(1);
        match wait(failure.again, tried, limits) {
            Some(wait) if tried < limits.registry_tries => std::thread::sleep(wait),
            _ => return Err(failure.error),
        }
    }
}

/// How long to wait after the try of this number; None when no other is to follow. Doubles from try to try; what the registry
/// asks for counts instead when it is longer, within the limit.
pub(super) fn wait(again: Again, tried: u64, limits: &Limits) -> Option<Duration> {
    let doubled = |first: u64| first.saturating_mul(1_u64 << tried.saturating_sub(1).min(20));
    let wait = match again {
        Again::Never => return None,
        Again::Soon => doubled(250),
        Again::Later(asked) => doubled(1_000).max(asked.unwrap_or(0).saturating_mul(1_000)),
    };
    Some(Duration::from_millis(wait.min(limits.registry_wait_seconds.saturating_mul(1_000))))
}

/// `Retry-After` in seconds; a date is not read, and then the own schedule holds.
pub(super) fn retry_after(value: Option<&str>) -> Option<u64> {
    value.map(str::trim).filter(|text| text.len() <= 10 && text.bytes().all(|byte| byte.is_ascii_digit()))?.parse().ok()
}

/// Whether bytes come at a pace at all: in every span of the limit's seconds that is spent waiting, some KiB must arrive, and
/// a document must be whole after a few such spans.
#[derive(Debug)]
pub(super) struct Pace {
    span: Duration,
    waited: Duration,
    bytes: u64,
    /// What is left of the time for the whole; None for blobs, which may be of any size.
    left: Option<Duration>,
}

/// Bytes for each second of a span, at least.
const SLOWEST: u64 = 1024;

impl Pace {
    pub(super) fn new(limits: &Limits, is_document: bool) -> Self {
        let span = Duration::from_secs(limits.registry_stall_seconds.max(1));
        Self { span, waited: Duration::ZERO, bytes: 0, left: is_document.then(|| span.saturating_mul(4)) }
    }

    /// Notes one read; false when this goes too slowly.
    pub(super) fn keeps_up(&mut self, started: Instant, bytes: usize) -> bool {
        let took = started.elapsed();
        self.waited = self.waited.saturating_add(took);
        self.bytes = self.bytes.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
        if let Some(left) = &mut self.left {
            *left = left.saturating_sub(took);
            if left.is_zero() {
                return false;
            }
        }
        if self.waited < self.span {
            return true;
        }
        let is_slow = self.bytes < SLOWEST.saturating_mul(self.waited.as_secs());
        self.waited = Duration::ZERO;
        self.bytes = 0;
        !is_slow
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oci::Place;

    fn failure(again: Again) -> Failure {
        let error = Error::NotAnImage { place: Place::default(), found: "x".into(), advice: String::new() };
        Failure { error, again }
    }

    #[test]
    fn waits_double_and_are_bounded() {
        let limits = Limits::default();
        let waits = |again, tried| wait(again, tried, &limits).unwrap().as_millis();
        assert_eq!([1, 2, 3, 4].map(|tried| waits(Again::Later(None), tried)), [1_000, 2_000, 4_000, 8_000]);
        assert_eq!(waits(Again::Soon, 1), 250);
        assert_eq!(waits(Again::Later(Some(7)), 1), 7_000);
        assert_eq!(waits(Again::Later(Some(1)), 3), 4_000);
        assert_eq!([1, 60, u64::MAX].map(|tried| waits(Again::Later(Some(9_999_999_999)), tried)), [60_000; 3]);
        assert_eq!(wait(Again::Never, 1, &limits), None);
    }

    #[test]
    fn what_may_pass_is_tried_as_often_as_the_limit_allows_and_what_lasts_once() {
        let limits = Limits { registry_wait_seconds: 0, ..Limits::default() };
        let tries = |again| {
            let mut tries = 0;
            let result: Result<(), _> = retried(&limits, || {
                tries += 1;
                Err(failure(again))
            });
            assert!(result.is_err());
            tries
        };
        assert_eq!((tries(Again::Soon), tries(Again::Later(Some(3))), tries(Again::Never)), (5, 5, 1));
    }

    #[test]
    fn only_seconds_are_read_of_retry_after() {
        assert_eq!(retry_after(Some(" 30 ")), Some(30));
        for text in ["", "-1", "1.5", "99999999999", "Wed, 21 Oct 2026 07:28:00 GMT", "1e9"] {
            assert_eq!(retry_after(Some(text)).filter(|_| !text.is_empty()), None, "{text}");
        }
    }

    #[test]
    fn a_drip_is_too_slow_and_a_stream_is_not() {
        let limits = Limits { registry_stall_seconds: 1, ..Limits::default() };
        let ago = Instant::now().checked_sub(Duration::from_millis(600)).unwrap();
        let mut drip = Pace::new(&limits, false);
        assert!(drip.keeps_up(ago, 1) && !drip.keeps_up(ago, 1));
        let mut stream = Pace::new(&limits, false);
        assert!((0..20).all(|_| stream.keeps_up(ago, 4096)));
        let mut document = Pace::new(&limits, true);
        assert!(!(0..20).all(|_| document.keeps_up(ago, 4096)));
    }
}
