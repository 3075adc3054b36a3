//! The image config as runtimes read it: the image-spec's fields and Docker's extensions (Healthcheck, Shell, OnBuild).

use super::{DiffId, Platform};

/// One image config (image-spec config.md), decoded from strictly read JSON; every optional field may have been null.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageConfig {
    /// `os`, `architecture`, `variant`.
    pub platform: Platform,
    /// `config`.
    pub runtime: RuntimeConfig,
    /// `rootfs.diff_ids`, base first.
    pub diff_ids: Vec<DiffId>,
    /// `history`, base first.
    pub history: Vec<History>,
    /// `created`, verbatim.
    pub created: Option<String>,
    /// `author`, verbatim.
    pub author: Option<String>,
}

/// The `config` object: what a container is started with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RuntimeConfig {
    /// `User`, empty when unset.
    pub user: String,
    /// `Env`, in order, as `NAME=value`.
    pub env: Vec<String>,
    /// `Entrypoint`.
    pub entrypoint: Vec<String>,
    /// `Cmd`.
    pub cmd: Vec<String>,
    /// `WorkingDir`, empty when unset.
    pub working_dir: String,
    /// `Labels`, sorted by name.
    pub labels: Vec<(String, String)>,
    /// `ExposedPorts`, sorted.
    pub exposed_ports: Vec<String>,
    /// `Volumes`, sorted.
    pub volumes: Vec<String>,
    /// `StopSignal`.
    pub stop_signal: Option<String>,
    /// `Healthcheck`, None when absent or null.
    pub healthcheck: Option<Healthcheck>,
    /// `Shell`.
    pub shell: Vec<String>,
    /// `OnBuild`.
    pub on_build: Vec<String>,
}

impl RuntimeConfig {
    /// The value of the last environment entry called `name`.
    #[must_use]
    pub fn env(&self, name: &str) -> Option<&str> {
        self.env.iter().rev().find_map(|entry| entry.split_once('=').filter(|(key, _)| *key == name).map(|(_, value)| value))
    }
}

/// Docker's health check.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Healthcheck {
    /// `Test`: empty (inherit), `["NONE"]`, `["CMD", args...]` or `["CMD-SHELL", line]`.
    pub test: Vec<String>,
    /// `Interval`, nanoseconds; 0 when unset.
    pub interval: i64,
    /// `Timeout`, nanoseconds; 0 when unset.
    pub timeout: i64,
    /// `StartPeriod`, nanoseconds; 0 when unset.
    pub start_period: i64,
    /// `Retries`; 0 when unset.
    pub retries: i64,
}

impl Healthcheck {
    /// Whether Docker runs something, as its daemon decides by the first word: every word but these two means no probe
    /// (moby, daemon/health.go), and a probe without a command tells nothing of the service.
    #[must_use]
    pub fn is_run(&self) -> bool {
        match self.test.split_first() {
            Some((kind, command)) if kind == "CMD" => command.first().is_some_and(|program| !program.is_empty()),
            Some((kind, command)) if kind == "CMD-SHELL" => command.iter().any(|line| !line.trim().is_empty()),
            _ => false,
        }
    }
}

/// One line of history.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// `created_by`, empty when absent.
    pub created_by: String,
    /// `empty_layer`.
    pub empty_layer: bool,
    /// `comment`, empty when absent.
    pub comment: String,
    /// `author`, empty when absent.
    pub author: String,
    /// `created`, verbatim (RFC 3339), empty when absent.
    pub created: String,
}
