//! The files of the server, read again: on a signal, and every few seconds, since mounted secrets change without one.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::{MissedTickBehavior, interval};

use super::config::{self, Config};
use super::host::Host;
use super::key::sha256;
use super::metrics::Metrics;
use super::tls::Current;

/// How often the files are looked at.
const EVERY: Duration = Duration::from_secs(3);

/// A file that is written in place is cut for a moment, and may be in order and say less: what is new comes into force when it is
/// read a second time, so much later, and is the same.
const SETTLED: Duration = Duration::from_millis(200);

/// A certificate, and what it serves.
pub(super) struct Served {
    pub(super) listener: &'static str,
    pub(super) current: Arc<Current>,
}

/// What there is to read again.
pub(super) struct Reload {
    path: PathBuf,
    host: Host,
    live: watch::Sender<Arc<Config>>,
    served: Vec<Served>,
    metrics: Arc<Metrics>,
    /// Names all that was read last, policies and all.
    last: String,
    /// What was told already, by what it is about: a fault that stays is told once.
    told: BTreeMap<&'static str, String>,
}

impl Reload {
    pub(super) fn new(
        path: PathBuf,
        host: Host,
        live: watch::Sender<Arc<Config>>,
        served: Vec<Served>,
        metrics: Arc<Metrics>,
    ) -> Self {
        let last = fingerprint(&live.borrow());
        let reload = Self { path, host, live, served, metrics, last, told: BTreeMap::new() };
        for served in &reload.served {
            reload.note_end(served);
        }
        reload
    }

    /// Reads them again and again. What is wrong is told, and what was in force stays so.
    pub(super) async fn watch(mut self, again: Arc<Notify>) {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let is_asked = tokio::select! {
                _ = ticks.tick() => false,
                () = again.notified() => true,
            };
            // files may be slow, and what is under way goes on meanwhile
            let task = tokio::task::spawn_blocking(move || {
                self.certificates();
                self.configuration(is_asked);
                self
            });
            match task.await {
                Ok(reload) => self = reload,
                Err(_) => return tracing::error!("the files are not read again any more: fault of the program"),
            }
        }
    }

    fn certificates(&mut self) {
        for index in 0..self.served.len() {
            let Some(served) = self.served.get(index) else { continue };
            let listener = served.listener;
            match served.current.refresh(&self.host) {
                Ok(false) => {
                    self.told.remove(listener);
                }
                Ok(true) => {
                    self.metrics.certificate_reloaded("ok");
                    self.note_end(served);
                    tracing::info!(listener, "new certificate in force");
                    self.told.remove(listener);
                }
                Err(problem) => self.complain(listener, &problem, |metrics| metrics.certificate_reloaded("refused")),
            }
        }
    }

    fn note_end(&self, served: &Served) {
        if let Some(end) = served.current.loaded().expires {
            self.metrics.certificate_expires(served.listener, end);
        }
    }

    fn configuration(&mut self, is_asked: bool) {
        let mut config = match self.settled() {
            Ok(Some(config)) => config,
            // it is looked at again soon
            Ok(None) => return,
            Err(faults) => {
                let problem = faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
                return self.complain("configuration", &problem, |metrics| metrics.config_reloaded("refused"));
            }
        };
        self.told.remove("configuration");
        let fingerprint = fingerprint(&config);
        if fingerprint == self.last {
            if is_asked {
                self.metrics.config_reloaded("unchanged");
                tracing::info!("configuration unchanged");
            }
            return;
        }
        self.last = fingerprint;
        let waiting = held_back(&self.live.borrow(), &mut config);
        if !waiting.is_empty() {
            let keys = waiting.join(", ");
            tracing::warn!(keys, "these keys come into force when the server is started anew");
        }
        self.live.send_replace(Arc::new(config));
        self.metrics.config_reloaded("ok");
        tracing::info!("new configuration in force");
    }

    /// What the files say, once they say the same twice; None when they change while they are read.
    fn settled(&self) -> Result<Option<Config>, Vec<config::Fault>> {
        let first = config::load(&self.path, &self.host)?;
        let read = fingerprint(&first);
        if read == self.last {
            return Ok(Some(first));
        }
        std::thread::sleep(SETTLED);
        let second = config::load(&self.path, &self.host)?;
        Ok((fingerprint(&second) == read).then_some(second))
    }

    fn complain(&mut self, about: &'static str, problem: &str, count: impl Fn(&Metrics)) {
        if self.told.get(about).is_some_and(|told| told == problem) {
            return;
        }
        count(&self.metrics);
        tracing::error!(about, problem, "not used: what was in force stays so");
        self.told.insert(about, problem.to_owned());
    }
}

fn fingerprint(config: &Config) -> String {
    sha256(format!("{config:?}").as_bytes())
}

/// Puts back what cannot change while the server runs, and names its keys.
fn held_back(old: &Config, new: &mut Config) -> Vec<&'static str> {
    fn keep<T: PartialEq + Clone>(key: &'static str, old: &T, new: &mut T, kept: &mut Vec<&'static str>) {
        if old != new {
            new.clone_from(old);
            kept.push(key);
        }
    }
    let mut kept = Vec::new();
    keep("server.api", &old.server.api, &mut new.server.api, &mut kept);
    keep("server.operations", &old.server.operations, &mut new.server.operations, &mut kept);
    keep("server.tls", &old.server.tls, &mut new.server.tls, &mut kept);
    keep("server.max_body", &old.server.max_body, &mut new.server.max_body, &mut kept);
    keep("server.max_inflight", &old.server.max_inflight, &mut new.server.max_inflight, &mut kept);
    keep("server.workers", &old.server.workers, &mut new.server.workers, &mut kept);
    keep("server.max_queue", &old.server.max_queue, &mut new.server.max_queue, &mut kept);
    keep("server.drain", &old.server.drain, &mut new.server.drain, &mut kept);
    keep("cache", &old.cache, &mut new.cache, &mut kept);
    match (&old.gate, &mut new.gate) {
        (None, None) => {}
        (Some(old), Some(new)) => {
            keep("gate.listen", &old.listen, &mut new.listen, &mut kept);
            keep("gate.tls", &old.tls, &mut new.tls, &mut kept);
        }
        (old, new) => {
            new.clone_from(old);
            kept.push("gate");
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_change_stays_and_is_named() {
        let old = Config::default();
        let mut new = Config::default();
        assert!(held_back(&old, &mut new).is_empty());
        new.server.api.set_port(1);
        new.server.workers = 7;
        new.server.public_url = "https://plimsoll.example".into();
        assert_eq!(held_back(&old, &mut new), ["server.api", "server.workers"]);
        assert_eq!((new.server.api, new.server.workers), (old.server.api, old.server.workers));
        assert_eq!(new.server.public_url, "https://plimsoll.example");
    }

    #[test]
    fn another_policy_is_another_configuration() {
        use crate::serve::config::Profile;
        let with = |name: &str| {
            let policy = Arc::new(crate::policy::Policy::shipped(name).unwrap());
            let profile = Arc::new(Profile { policy, ..Profile::default() });
            Config { profiles: [("default".to_owned(), profile)].into(), ..Config::default() }
        };
        assert_eq!(fingerprint(&with("strict")), fingerprint(&with("strict")));
        assert_ne!(fingerprint(&with("strict")), fingerprint(&with("default")));
    }
}
