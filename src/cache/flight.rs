//! One does the work, the others wait for what comes of it.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::Key;

/// Work under way, by key.
#[derive(Debug)]
pub struct Flights<T> {
    flying: Mutex<HashMap<Key, Arc<Flight<T>>>>,
}

#[derive(Debug)]
struct Flight<T> {
    end: Mutex<End<T>>,
    landed: Condvar,
}

#[derive(Debug, Clone)]
enum End<T> {
    Flying,
    Landed(T),
    /// Whoever did the work stopped without a result.
    Lost,
}

impl<T> Default for Flights<T> {
    fn default() -> Self {
        Self { flying: Mutex::default() }
    }
}

impl<T: Clone> Flights<T> {
    /// What `work` gives, or what the same work gives that somebody began before. None when that takes longer than `patience`;
    /// it goes on. Work that panics is begun again by one of those who waited.
    pub fn join(&self, key: &Key, patience: Duration, work: impl FnOnce() -> T) -> Option<T> {
        let deadline = Instant::now().checked_add(patience);
        loop {
            let flight = {
                let mut flying = self.flying.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(flight) = flying.get(key) {
                    Arc::clone(flight)
                } else {
                    let flight = Arc::new(Flight { end: Mutex::new(End::Flying), landed: Condvar::new() });
                    flying.insert(key.clone(), Arc::clone(&flight));
                    drop(flying);
                    return Some(self.fly(key, &flight, work));
                }
            };
            match flight.wait(deadline) {
                End::Flying => return None,
                End::Landed(result) => return Some(result),
                End::Lost => {}
            }
        }
    }

    fn fly(&self, key: &Key, flight: &Flight<T>, work: impl FnOnce() -> T) -> T {
        let landing = Landing { flights: self, key, flight };
        let result = work();
        *flight.end.lock().unwrap_or_else(PoisonError::into_inner) = End::Landed(result.clone());
        drop(landing);
        result
    }

    /// How much is under way.
    pub fn count(&self) -> usize {
        self.flying.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

impl<T: Clone> Flight<T> {
    fn wait(&self, deadline: Option<Instant>) -> End<T> {
        let mut end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        while matches!(*end, End::Flying) {
            let left = deadline.map_or(Duration::MAX, |deadline| deadline.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                break;
            }
            end = self.landed.wait_timeout(end, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        end.clone()
    }
}

/// Tells those who wait, also when the work panics.
struct Landing<'a, T> {
    flights: &'a Flights<T>,
    key: &'a Key,
    flight: &'a Flight<T>,
}

impl<T> Drop for Landing<'_, T> {
    fn drop(&mut self) {
        self.flights.flying.lock().unwrap_or_else(PoisonError::into_inner).remove(self.key);
        let mut end = self.flight.end.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*end, End::Flying) {
            *end = End::Lost;
        }
        drop(end);
        self.flight.landed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;
    use crate::cache::Kind;

    const LONG: Duration = Duration::from_secs(20);

    fn key() -> Key {
        Key::new(Kind::Verdict, "work")
    }

    #[test]
    fn many_who_ask_at_once_share_one_piece_of_work() {
        let (flights, times) = (Flights::default(), AtomicU64::new(0));
        let barrier = std::sync::Barrier::new(8);
        let work = || {
            std::thread::sleep(Duration::from_millis(200));
            times.fetch_add(1, Ordering::Relaxed)
        };
        std::thread::scope(|scope| {
            let ask = || {
                barrier.wait();
                flights.join(&key(), LONG, work)
            };
            let asked: Vec<_> = (0..8).map(|_| scope.spawn(ask)).collect();
            assert!(asked.into_iter().all(|asked| asked.join().unwrap() == Some(0)));
        });
        assert_eq!((times.load(Ordering::Relaxed), flights.count()), (1, 0));
    }

    #[test]
    fn who_has_no_patience_goes_and_the_work_goes_on() {
        let flights = Flights::default();
        let (begun, wait_begun) = std::sync::mpsc::channel();
        let (end, wait_end) = std::sync::mpsc::channel::<()>();
        std::thread::scope(|scope| {
            let first = scope.spawn(|| {
                flights.join(&key(), LONG, move || {
                    begun.send(()).unwrap();
                    wait_end.recv().unwrap();
                    1
                })
            });
            wait_begun.recv().unwrap();
            assert_eq!(flights.join(&key(), Duration::from_millis(10), || 2), None);
            end.send(()).unwrap();
            assert_eq!(first.join().unwrap(), Some(1));
        });
    }

    #[test]
    fn work_that_panics_is_done_by_one_of_those_who_wait() {
        let flights = Flights::default();
        let (begun, wait_begun) = std::sync::mpsc::channel();
        std::thread::scope(|scope| {
            let first = scope.spawn(|| {
                flights.join(&key(), LONG, move || {
                    begun.send(()).unwrap();
                    std::thread::sleep(Duration::from_millis(100));
                    panic!("as the test wants it")
                })
            });
            wait_begun.recv().unwrap();
            assert_eq!(flights.join(&key(), LONG, || 2), Some(2));
            assert!(first.join().is_err());
        });
        assert_eq!(flights.count(), 0);
    }
}
