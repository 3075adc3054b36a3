//! `--timings`: how long each stage took, for people who ask where the time goes. Not part of any report.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use crate::report::quantity::bytes;
use crate::verify::{Moment, Watcher};

/// Writing the reports, which follows the stages of [`verify`](crate::verify).
pub(super) const OUTPUT: &str = "output";
/// As the rows are printed.
const STAGES: [&str; 8] = ["open", "layers", "merge", "facts", "checks", "judgement", "report", OUTPUT];
/// Checks that are named, the slowest first.
const SLOWEST: usize = 3;

/// A stop watch that is told when a stage begins.
#[derive(Debug, Clone)]
pub(super) struct Timings(Arc<Mutex<Laps>>);

#[derive(Debug, Default)]
struct Laps {
    /// When the stage at hand began, and which it is.
    stage: Option<(Instant, &'static str)>,
    /// The same of the check that a thread runs.
    running: HashMap<ThreadId, (Instant, &'static str)>,
    stages: BTreeMap<&'static str, Duration>,
    checks: BTreeMap<&'static str, Duration>,
}

impl Timings {
    pub(super) fn start() -> Self {
        Self(Arc::default())
    }

    /// What [`crate::verify`] calls.
    pub(super) fn watcher(&self) -> Watcher {
        let timings = self.clone();
        Watcher(Box::new(move |moment| {
            let now = Instant::now();
            match moment {
                Moment::Begins(stage) => timings.begin(now, Some(stage.as_str())),
                Moment::Check(id) => timings.run(thread::current().id(), now, Some(id)),
                Moment::NoMoreChecks => timings.run(thread::current().id(), now, None),
            }
        }))
    }

    /// A stage that no watcher is told of.
    pub(super) fn enter(&self, stage: &'static str) {
        self.begin(Instant::now(), Some(stage));
    }

    fn begin(&self, now: Instant, next: Option<&'static str>) {
        let mut laps = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((since, stage)) = laps.stage.take() {
            add(&mut laps.stages, stage, now.saturating_duration_since(since));
        }
        laps.stage = next.map(|stage| (now, stage));
    }

    fn run(&self, thread: ThreadId, now: Instant, next: Option<&'static str>) {
        let mut laps = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((since, check)) = laps.running.remove(&thread) {
            add(&mut laps.checks, check, now.saturating_duration_since(since));
        }
        if let Some(check) = next {
            laps.running.insert(thread, (now, check));
        }
    }

    /// Ends the last stage, and tells of all; `read` is how many uncompressed bytes of layers were read.
    pub(super) fn table(&self, read: u64) -> String {
        self.begin(Instant::now(), None);
        let laps = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        render(&laps, read)
    }
}

fn add(to: &mut BTreeMap<&'static str, Duration>, name: &'static str, took: Duration) {
    let sum = to.entry(name).or_default();
    *sum = sum.saturating_add(took);
}

fn render(laps: &Laps, read: u64) -> String {
    let total: Duration = laps.stages.values().sum();
    let mut table = String::from("timings\n");
    for stage in STAGES {
        let Some(took) = laps.stages.get(stage) else { continue };
        let said = match stage {
            "layers" => format!("  {} uncompressed", bytes(read)),
            "checks" => slowest(&laps.checks),
            _ => String::new(),
        };
        // writing to a String cannot fail
        let _ = writeln!(table, "  {stage:<10}{:>11}{:>6}{said}", milliseconds(*took), percent(*took, total));
    }
    let _ = writeln!(table, "  {:<10}{:>11}", "total", milliseconds(total));
    table
}

/// `  slowest: compiler 3.1 ms, documentation 2.0 ms`
fn slowest(checks: &BTreeMap<&'static str, Duration>) -> String {
    let mut checks: Vec<_> = checks.iter().collect();
    checks.sort_by_key(|(name, took)| (std::cmp::Reverse(**took), **name));
    let named: Vec<String> = checks.iter().take(SLOWEST).map(|(name, took)| format!("{name} {}", milliseconds(**took))).collect();
    if named.is_empty() { String::new() } else { format!("  slowest: {}", named.join(", ")) }
}

fn milliseconds(took: Duration) -> String {
    format!("{:.1} ms", took.as_secs_f64() * 1e3)
}

fn percent(part: Duration, whole: Duration) -> String {
    let share = if whole.is_zero() { 0.0 } else { 100.0 * part.as_secs_f64() / whole.as_secs_f64() };
    format!("{share:.0} %")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stage_has_its_time_and_the_slowest_checks_are_named() {
        let timings = Timings::start();
        let (start, thread) = (Instant::now(), thread::current().id());
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        timings.begin(at(0), Some("open"));
        timings.begin(at(1), Some("layers"));
        timings.begin(at(91), Some("checks"));
        timings.run(thread, at(91), Some("compiler"));
        timings.run(thread, at(94), Some("root-user"));
        timings.run(thread, at(95), None);
        timings.begin(at(95), Some(OUTPUT));
        timings.begin(at(100), None);
        let table = render(&timings.0.lock().unwrap(), 3 << 20);
        let expected = "\
timings
  open           1.0 ms   1 %
  layers        90.0 ms  90 %  3.0 MiB uncompressed
  checks         4.0 ms   4 %  slowest: compiler 3.0 ms, root-user 1.0 ms
  output         5.0 ms   5 %
  total        100.0 ms
";
        assert_eq!(table, expected);
    }

    #[test]
    fn every_stage_that_a_watcher_is_told_of_has_its_row() {
        use crate::verify::Stage::{Checks, Facts, Judgement, Layers, Merge, Open, Report};
        let all = [Open, Layers, Merge, Facts, Checks, Judgement, Report];
        assert!(all.iter().all(|stage| STAGES.contains(&stage.as_str())));
    }
}
