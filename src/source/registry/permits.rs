//! How many requests a registry is asked at once.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Leave to ask, of which there is so much at a time; none is needed where no number was said.
#[derive(Debug, Clone, Default)]
pub(super) struct Permits(Option<Arc<Shared>>);

#[derive(Debug)]
struct Shared {
    free: Mutex<usize>,
    returned: Condvar,
}

/// One request's leave, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Permit(Option<Arc<Shared>>);

impl Permits {
    /// At most `most` at once; 0: any number.
    pub(super) fn new(most: usize) -> Self {
        Self((most > 0).then(|| Arc::new(Shared { free: Mutex::new(most), returned: Condvar::new() })))
    }

    /// Waits for leave; None when it took too long.
    pub(super) fn take(&self, patience: Duration) -> Option<Permit> {
        let Some(shared) = &self.0 else { return Some(Permit(None)) };
        let began = Instant::now();
        let mut free = shared.free.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(left) = free.checked_sub(1) {
                *free = left;
                return Some(Permit(Some(Arc::clone(shared))));
            }
            let left = patience.checked_sub(began.elapsed()).filter(|left| !left.is_zero())?;
            free = shared.returned.wait_timeout(free, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let Some(shared) = &self.0 else { return };
        let mut free = shared.free.lock().unwrap_or_else(PoisonError::into_inner);
        *free = free.saturating_add(1);
        shared.returned.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_are_given_than_there_are_and_what_is_given_back_is_given_again() {
        let permits = Permits::new(2);
        let soon = Duration::from_millis(20);
        let (first, second) = (permits.take(soon), permits.take(soon));
        assert!(first.is_some() && second.is_some() && permits.take(soon).is_none());
        let waiting = permits.clone();
        let waiter = std::thread::spawn(move || waiting.take(Duration::from_secs(10)).is_some());
        drop(first);
        assert!(waiter.join().unwrap());
        assert!(permits.take(soon).is_some() && permits.take(Duration::ZERO).is_some());
        drop(second);
    }

    #[test]
    fn without_a_number_nobody_waits() {
        let permits = Permits::new(0);
        let all: Vec<_> = (0..1_000).map(|_| permits.take(Duration::ZERO)).collect();
        assert!(all.iter().all(Option::is_some));
    }
}
