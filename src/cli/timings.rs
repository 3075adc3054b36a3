//! `--timings`: how long each stage took, for people who ask where the time goes. Not part of any report.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::report::quantity::bytes;
use crate::verify::{Stage, Watcher};

/// Writing the reports, which follows the stages of [`verify`](crate::verify).
pub(super) const OUTPUT: &str = "output";
/// As the rows are printed.
const STAGES: [&str; 8] = ["open", "layers", "merge", "facts", "checks", "judgement", "report", OUTPUT];
/// Checks that are named, the slowest first.
const SLOWEST: usize = 3;

/// A stop watch that is told when a stage begins.
#[derive(Debug, Clone)]
pub(super) struct Timings(Arc<Mutex<Laps>>);

#[derive(Debug)]
struct Laps {
    /// When the stage at hand began, and which it is.
    current: Option<(Instant, &'static str, Option<&'static str>)>,
    stages: BTreeMap<&'static str, Duration>,
    checks: BTreeMap<&'static str, Duration>,
}

impl Timings {
    pub(super) fn start() -> Self {
        Self(Arc::new(Mutex::new(Laps { current: None, stages: BTreeMap::new(), checks: BTreeMap::new() })))
    }

    /// What [`crate::verify`] calls.
    pub(super) fn watcher(&self) -> Watcher {
        let timings = self.clone();
        Watcher(Box::new(move |stage| {
            let check = if let Stage::Check(id) = stage { Some(id) } else { None };
            timings.begin(Instant::now(), Some((stage.as_str(), check)));
        }))
    }

    /// A stage that no watcher is told of.
    pub(super) fn enter(&self, stage: &'static str) {
        self.begin(Instant::now(), Some((stage, None)));
    }

    fn begin(&self, now: Instant, next: Option<(&'static str, Option<&'static str>)>) {
        let mut laps = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((since, stage, check)) = laps.current.take() {
            let took = now.saturating_duration_since(since);
            add(&mut laps.stages, stage, took);
            if let Some(check) = check {
                add(&mut laps.checks, check, took);
            }
        }
        laps.current = next.map(|(stage, check)| (now, stage, check));
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
        let start = Instant::now();
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        timings.begin(at(0), Some(("open", None)));
        timings.begin(at(1), Some(("layers", None)));
        timings.begin(at(91), Some(("checks", Some("compiler"))));
        timings.begin(at(94), Some(("checks", Some("root-user"))));
        timings.begin(at(95), Some((OUTPUT, None)));
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
        let all =
            [Stage::Open, Stage::Layers, Stage::Merge, Stage::Facts, Stage::Check("compiler"), Stage::Judgement, Stage::Report];
        assert!(all.iter().all(|stage| STAGES.contains(&stage.as_str())));
    }
}
