//! The log: one JSON object a line on standard error. Only this program's own entries: libraries may log what they were sent.

use std::io;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// How much is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// What an operator must look at.
    Error,
    /// And what may become so.
    Warn,
    /// And every decision.
    Info,
    /// And what helps to find a fault.
    Debug,
}

impl From<Level> for LevelFilter {
    fn from(level: Level) -> Self {
        match level {
            Level::Error => Self::ERROR,
            Level::Warn => Self::WARN,
            Level::Info => Self::INFO,
            Level::Debug => Self::DEBUG,
        }
    }
}

/// Starts the log, once for the process; and has panics logged by their place alone: what they say may hold what they were given.
pub fn start(level: Level) {
    let only_own = Targets::new().with_target(env!("CARGO_PKG_NAME"), LevelFilter::from(level));
    let lines = tracing_subscriber::fmt::layer().json().flatten_event(true).with_current_span(false).with_span_list(false);
    let lines = lines.with_target(false).with_writer(io::stderr);
    // a process that has a log already keeps it
    let _ = tracing_subscriber::registry().with(only_own).with(lines).try_init();
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "fault of the program");
    }));
}
