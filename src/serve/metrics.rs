//! `/metrics`: what the server counts. No names of images are labels: their number has no end.

use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::decision::{Answer, Decision, Hook};

/// Labels, each with its value.
type Labels = Vec<(&'static str, String)>;

/// Seconds at which the buckets of answers end.
const ANSWERS: [f64; 14] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 50.0];
/// Seconds at which the buckets of verifications end.
const VERIFICATIONS: [f64; 12] = [0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0];

/// Where a verdict came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tier {
    /// The process's own memory.
    L1,
    /// The store behind it.
    L2,
    /// It was worked out for this request, or there is none.
    Cold,
}

impl Tier {
    /// The name in metrics and logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::L1 => "l1",
            Self::L2 => "l2",
            Self::Cold => "cold",
        }
    }
}

/// Everything that is counted. Clones of a family count together.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<Labels, Counter>,
    durations: Family<Labels, Histogram, fn() -> Histogram>,
    cache: Family<Labels, Counter>,
    verifications: Histogram,
    failed_open: Family<Labels, Counter>,
    break_glass: Counter,
    limits: Family<Labels, Counter>,
    expiries: Family<Labels, Gauge>,
    config_reloads: Family<Labels, Counter>,
    certificate_reloads: Family<Labels, Counter>,
    panics: Counter,
    queue: Gauge,
    inflight: Family<Labels, Gauge>,
    layer_bytes: Family<Labels, Counter>,
    registry_requests: Family<Labels, Counter>,
    breakers: Family<Labels, Gauge>,
    store_errors: Counter,
    turned_away: Family<Labels, Counter>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::default(),
            requests: Family::default(),
            durations: Family::new_with_constructor(|| Histogram::new(ANSWERS)),
            cache: Family::default(),
            verifications: Histogram::new(VERIFICATIONS),
            failed_open: Family::default(),
            break_glass: Counter::default(),
            limits: Family::default(),
            expiries: Family::default(),
            config_reloads: Family::default(),
            certificate_reloads: Family::default(),
            panics: Counter::default(),
            queue: Gauge::default(),
            inflight: Family::default(),
            layer_bytes: Family::default(),
            registry_requests: Family::default(),
            breakers: Family::default(),
            store_errors: Counter::default(),
            turned_away: Family::default(),
        };
        metrics.register();
        metrics
    }
}

impl Metrics {
    /// Names and meanings; `_total` is added to counters as they are written.
    fn register(&mut self) {
        let to = &mut self.registry;
        to.register("plimsoll_admission_requests", "Decisions, by hook, profile and decision", self.requests.clone());
        to.register("plimsoll_admission_duration_seconds", "Time to a decision", self.durations.clone());
        to.register("plimsoll_verdict_cache", "Verdicts asked for, by tier and result", self.cache.clone());
        to.register("plimsoll_verify_seconds", "Time of one verification", self.verifications.clone());
        to.register("plimsoll_fail_open", "Requests that went on unverified, by reason", self.failed_open.clone());
        to.register("plimsoll_break_glass", "Refusals that somebody overrode", self.break_glass.clone());
        to.register("plimsoll_limit_hits", "Images that hit a limit, by limit", self.limits.clone());
        to.register("plimsoll_cert_expiry_seconds", "Seconds since 1970 at which a certificate ends", self.expiries.clone());
        to.register("plimsoll_config_reload", "Configurations read again, by result", self.config_reloads.clone());
        to.register("plimsoll_cert_reload", "Certificates read again, by result", self.certificate_reloads.clone());
        to.register("plimsoll_panics", "Faults of the program that cost one request its answer", self.panics.clone());
        to.register("plimsoll_queue_depth", "Images that wait to be verified", self.queue.clone());
        to.register("plimsoll_inflight", "Requests that are being answered, by listener", self.inflight.clone());
        to.register("plimsoll_layer_bytes", "Bytes of layers read, by kind", self.layer_bytes.clone());
        to.register("plimsoll_registry_requests", "Requests to registries, by host and code", self.registry_requests.clone());
        to.register("plimsoll_registry_breaker_open", "1 while a registry is not asked", self.breakers.clone());
        to.register("plimsoll_store_errors", "Times that the shared store could not be asked", self.store_errors.clone());
        to.register(
            "plimsoll_turned_away",
            "Requests beyond what one crowd may have at once, by bound",
            self.turned_away.clone(),
        );
    }

    /// The page, in the text format of OpenMetrics.
    #[must_use]
    pub fn page(&self) -> String {
        let mut page = String::new();
        // writing to a String does not fail
        let _ = encode(&mut page, &self.registry);
        page
    }

    /// A hook has decided.
    pub fn decided(&self, hook: Hook, profile: &str, decision: &Decision, tier: Tier, took: Duration) {
        let name = name(decision);
        let labels = vec![("hook", hook.as_str().to_owned()), ("profile", profile.to_owned()), ("decision", name.to_owned())];
        self.requests.get_or_create(&labels).inc();
        self.answered(hook, tier, took);
        if let Some(reason) = decision.failed_open {
            self.failed_open.get_or_create(&vec![("reason", reason.to_owned())]).inc();
        }
    }

    /// A hook has answered.
    pub(super) fn answered(&self, hook: Hook, tier: Tier, took: Duration) {
        let labels = vec![("hook", hook.as_str().to_owned()), ("source", tier.as_str().to_owned())];
        self.durations.get_or_create(&labels).observe(took.as_secs_f64());
    }

    /// Somebody has overridden a refusal.
    pub fn broke_glass(&self) {
        self.break_glass.inc();
    }

    pub(super) fn looked_up(&self, tier: &'static str, result: &'static str) {
        self.cache.get_or_create(&vec![("tier", tier.to_owned()), ("result", result.to_owned())]).inc();
    }

    pub(super) fn verified(&self, took: Duration, limit: Option<&str>) {
        self.verifications.observe(took.as_secs_f64());
        if let Some(limit) = limit {
            self.limits.get_or_create(&vec![("limit", limit.to_owned())]).inc();
        }
    }

    pub(super) fn queued(&self, by: i64) {
        self.queue.inc_by(by);
    }

    pub(super) fn inflight(&self, listener: &'static str, by: i64) {
        self.inflight.get_or_create(&vec![("listener", listener.to_owned())]).inc_by(by);
    }

    pub(super) fn config_reloaded(&self, result: &'static str) {
        self.config_reloads.get_or_create(&vec![("result", result.to_owned())]).inc();
    }

    pub(super) fn certificate_reloaded(&self, result: &'static str) {
        self.certificate_reloads.get_or_create(&vec![("result", result.to_owned())]).inc();
    }

    pub(super) fn certificate_expires(&self, listener: &'static str, at: i64) {
        self.expiries.get_or_create(&vec![("listener", listener.to_owned())]).set(at);
    }

    pub(super) fn panicked(&self) {
        self.panics.inc();
    }

    /// A crowd has as many requests as it may: `listener`, `caller` or `namespace`.
    pub(super) fn turned_away(&self, bound: &'static str) {
        self.turned_away.get_or_create(&vec![("bound", bound.to_owned())]).inc();
    }

    /// Bytes of layers were read, `compressed` or `uncompressed`.
    pub(super) fn read_layers(&self, kind: &'static str, bytes: u64) {
        self.layer_bytes.get_or_create(&vec![("kind", kind.to_owned())]).inc_by(bytes);
    }

    /// A registry has answered, one of the configuration; 0: it has not.
    pub(super) fn registry_answered(&self, host: &str, status: u16) {
        let code = if status == 0 { "none".to_owned() } else { status.to_string() };
        self.registry_requests.get_or_create(&vec![("host", host.to_owned()), ("code", code)]).inc();
    }

    /// Whether a registry is left alone because it failed too often.
    pub(super) fn breaker(&self, host: &str, is_open: bool) {
        self.breakers.get_or_create(&vec![("host", host.to_owned())]).set(is_open.into());
    }

    pub(super) fn store_failed(&self) {
        self.store_errors.inc();
    }
}

/// A decision in metrics and logs.
#[must_use]
pub fn name(decision: &Decision) -> &'static str {
    match decision.answer {
        Answer::Deny => "deny",
        Answer::NotYet { .. } => "not-yet",
        Answer::Allow if decision.is_warning() => "warn",
        Answer::Allow => "allow",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_the_names_of_the_contract_and_no_image() {
        let metrics = Metrics::default();
        let decision = Decision { answer: Answer::Allow, message: "m".into(), failed_open: Some("unknown"), score: None };
        metrics.decided(Hook::Gate, "default", &decision, Tier::L1, Duration::from_millis(2));
        metrics.looked_up("l1", "hit");
        metrics.verified(Duration::from_secs(1), Some("layers"));
        metrics.queued(3);
        metrics.inflight("api", 2);
        metrics.certificate_expires("api", 5);
        metrics.config_reloaded("ok");
        metrics.broke_glass();
        metrics.turned_away("caller");
        let page = metrics.page();
        for line in [
            "plimsoll_admission_requests_total{hook=\"gate\",profile=\"default\",decision=\"warn\"} 1",
            "plimsoll_admission_duration_seconds_count{hook=\"gate\",source=\"l1\"} 1",
            "plimsoll_verdict_cache_total{tier=\"l1\",result=\"hit\"} 1",
            "plimsoll_verify_seconds_count 1",
            "plimsoll_queue_depth 3",
            "plimsoll_inflight{listener=\"api\"} 2",
            "plimsoll_fail_open_total{reason=\"unknown\"} 1",
            "plimsoll_break_glass_total 1",
            "plimsoll_limit_hits_total{limit=\"layers\"} 1",
            "plimsoll_cert_expiry_seconds{listener=\"api\"} 5",
            "plimsoll_config_reload_total{result=\"ok\"} 1",
            "plimsoll_turned_away_total{bound=\"caller\"} 1",
        ] {
            assert!(page.contains(line), "{line}\n{page}");
        }
        assert!(page.ends_with("# EOF\n"));
    }

    #[test]
    fn every_metric_stands_in_the_documentation_under_its_name() {
        let documents = include_str!("../../docs/serve.md");
        // metrics that nothing was counted of are not on the page
        let registering = include_str!("metrics.rs").split("fn register(").nth(1).unwrap().split("    }\n").next().unwrap();
        let names: Vec<&str> = registering.split("\"plimsoll_").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
        let is_there = |name: &str| ["", "_total"].iter().any(|end| documents.contains(&format!("`plimsoll_{name}{end}`")));
        let missing: Vec<_> = names.iter().filter(|name| !is_there(name)).collect();
        assert!(names.len() >= 18 && missing.is_empty(), "{missing:?} of {}", names.len());
    }
}
