//! `plimsoll serve`: the server.

use std::path::PathBuf;
use std::sync::Arc;

use clap::ValueEnum;

use super::{Context, DONE, UNVERIFIABLE, USAGE, judging, output, policy, text_file};
use crate::report::model::Report;
use crate::report::sarif;
use crate::serve::config;
use crate::serve::engine::{self, Registries, Shared};
use crate::serve::host::Host;
use crate::serve::live::Live;
use crate::serve::logs::{self, Level};
use crate::serve::metrics::Metrics;
use crate::serve::run::{self, Parts};
use crate::serve::{gate, kubernetes};

/// The world of the server.
const HOST: Host = Host { read: text_file::read, open_policy: policy::open, today: judging::today };

const AFTER_HELP: &str = "\
Examples:
  plimsoll serve --config plimsoll.toml --check-config
  plimsoll serve --config plimsoll.toml
  kill -HUP PID          to have the files read again at once

docs/serve.md describes every key of the file. The log goes to standard error,
one JSON object a line.

Exit codes:
  0  ended in order, or the file is in order    2  the file is not
  3  the server could not begin";

/// Serve verdicts: a gate for pushes, hooks for Kubernetes, an API
///
/// Reads its file again when it changes, and on SIGHUP; a file that is not in
/// order changes nothing. SIGTERM and SIGINT end it once what runs is answered.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Args {
    /// The configuration
    #[arg(long, value_name = "FILE")]
    config: PathBuf,

    /// Say whether the configuration is in order, and end
    #[arg(long)]
    check_config: bool,

    /// How much is logged
    #[arg(long, value_enum, value_name = "LEVEL", default_value = "info")]
    log_level: LogLevel,
}

/// Levels, as `--log-level` takes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
}

impl From<LogLevel> for Level {
    fn from(level: LogLevel) -> Self {
        match level {
            LogLevel::Error => Self::Error,
            LogLevel::Warn => Self::Warn,
            LogLevel::Info => Self::Info,
            LogLevel::Debug => Self::Debug,
        }
    }
}

/// What the server is put together from: registries, the stores of the configuration, all hooks.
fn parts(live: &Live, metrics: &Arc<Metrics>, host: &Host) -> Result<Parts, String> {
    let cache = &live.config().cache;
    let shared = engine::kept(cache)?.map(|kept| Arc::new(kept) as Arc<dyn Shared>);
    Ok(Parts {
        images: Arc::new(Registries::new(live.clone(), *host, Arc::clone(metrics))),
        shared,
        layers: engine::layers(cache)?,
        hooks: vec![kubernetes::routes],
        gate: Some(gate::router),
        sarif: Some(sarif_of),
    })
}

fn sarif_of(report: &Report) -> Vec<u8> {
    let mut bytes = Vec::new();
    // writing to memory does not fail
    let _ = sarif::write(report, &sarif::Options::default(), &mut bytes);
    bytes
}

pub(super) fn run(args: &Args, context: Context) -> u8 {
    let config = match config::load(&args.config, &HOST) {
        Ok(config) => config,
        Err(faults) => {
            for fault in faults {
                output::refuse(&fault.to_string());
            }
            return USAGE;
        }
    };
    if args.check_config {
        let name = crate::oci::escape_text(&args.config.to_string_lossy());
        let text = if context.quiet { String::new() } else { format!("{name} is in order\n") };
        return output::to_stdout(DONE, |out| out.write_all(text.as_bytes()));
    }
    logs::start(args.log_level.into());
    match run::run(&args.config, config, HOST, parts) {
        Ok(()) => DONE,
        Err(reason) => {
            output::refuse(&reason);
            UNVERIFIABLE
        }
    }
}
