//! One line on the terminal about long work, redrawn in place and erased at its end.

use std::io::{self, IsTerminal};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use super::output::complain;
use crate::report::quantity::bytes;
use crate::verify::Progress;

/// Work that ends sooner is not worth a line.
const PATIENCE: Duration = Duration::from_millis(400);
/// Between two drawings.
const PERIOD: Duration = Duration::from_millis(100);
/// Back to the first column, and erase to the end of the line (ECMA-48, EL).
const ERASE: &str = "\r\u{1b}[K";

/// Does the work, and meanwhile shows how far it is when `wanted` and standard error is a terminal.
pub(super) fn shown<T>(wanted: bool, work: impl FnOnce(&Progress) -> T) -> T {
    watched(wanted, &Progress::default(), work)
}

/// The same, with counters that the caller has his own use for.
pub(super) fn watched<T>(wanted: bool, progress: &Progress, work: impl FnOnce(&Progress) -> T) -> T {
    if !wanted || !io::stderr().is_terminal() {
        return work(progress);
    }
    std::thread::scope(|scope| {
        // dropped when the work ends, or panics: then the thread ends
        let (working, done) = channel::<()>();
        scope.spawn(move || draw(progress, &done));
        let result = work(progress);
        drop(working);
        result
    })
}

fn draw(progress: &Progress, done: &Receiver<()>) {
    let start = Instant::now();
    let mut wait = PATIENCE;
    while done.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
        complain(&format!("{ERASE}{}", line(progress, start.elapsed())));
        wait = PERIOD;
    }
    if wait == PERIOD {
        complain(ERASE);
    }
}

/// `reading layer 3 of 9  1.2 GiB  812.0 MiB/s`
fn line(progress: &Progress, elapsed: Duration) -> String {
    let read = progress.bytes.load(Ordering::Relaxed);
    let total = progress.layers_total.load(Ordering::Relaxed);
    let current = progress.layers_done.load(Ordering::Relaxed).saturating_add(1).min(total);
    let layer = if total == 0 { "reading".to_owned() } else { format!("reading layer {current} of {total}") };
    let rate = u128::from(read).saturating_mul(1000).checked_div(elapsed.as_millis()).unwrap_or(0);
    format!("{layer}  {}  {}/s", bytes(read), bytes(u64::try_from(rate).unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_tells_layer_bytes_and_rate() {
        let progress = Progress::default();
        assert_eq!(line(&progress, Duration::ZERO), "reading  0 B  0 B/s");
        progress.bytes.store(3 << 30, Ordering::Relaxed);
        progress.layers_total.store(9, Ordering::Relaxed);
        progress.layers_done.store(2, Ordering::Relaxed);
        assert_eq!(line(&progress, Duration::from_secs(3)), "reading layer 3 of 9  3.0 GiB  1.0 GiB/s");
        progress.layers_done.store(9, Ordering::Relaxed);
        assert!(line(&progress, Duration::from_secs(3)).starts_with("reading layer 9 of 9"));
    }

    #[test]
    fn the_work_is_done_also_when_nobody_watches() {
        assert_eq!(shown(false, |_| 7), 7);
    }
}
