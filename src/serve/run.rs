//! The life of the server: bind, serve, read its files again, drain, end.

use std::future::Future;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::config::{Config, Tls};
use super::context::{Context, Sarif};
use super::engine::{Engine, Images, Shared};
use super::host::Host;
use super::http::{Listener, Phase, Rules};
use super::live::Live;
use super::metrics::Metrics;
use super::reload::{Reload, Served};
use super::tls::Current;
use super::{api, operations};
use crate::cache::Layers;

/// How long an answer of the API may take to begin: more than a caller of `/v1/verify` may wait.
const LONGEST_ANSWER: Duration = Duration::from_secs(330);
/// Connections for every request that may be answered at once.
const CONNECTIONS: usize = 8;

/// Routes of a hook, made of the server they belong to.
pub type Plug = fn(Context) -> Router;

/// What the server is put together from.
pub struct Parts {
    /// Where images come from.
    pub images: Arc<dyn Images>,
    /// Where verdicts are kept beyond the process; None: nowhere.
    pub shared: Option<Arc<dyn Shared>>,
    /// Where the facts of layers are kept.
    pub layers: Layers,
    /// Hooks on the listener of the API.
    pub hooks: Vec<Plug>,
    /// The push gate, on a listener of its own.
    pub gate: Option<Plug>,
    /// Who writes SARIF.
    pub sarif: Option<Sarif>,
}

impl Parts {
    /// A server of these images, and of nothing else.
    #[must_use]
    pub fn new(images: Arc<dyn Images>) -> Self {
        Self { images, shared: None, layers: Layers::default(), hooks: Vec::new(), gate: None, sarif: None }
    }
}

/// Makes the parts, which may look at the configuration and count.
pub type Assemble = fn(&Live, &Arc<Metrics>, &Host) -> Result<Parts, String>;

/// Where a server listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Addresses {
    /// `/v1` and the hooks.
    pub api: std::net::SocketAddr,
    /// `/livez` and its like.
    pub operations: std::net::SocketAddr,
    /// The gate.
    pub gate: Option<std::net::SocketAddr>,
}

/// A server that is bound and does not serve yet.
pub struct Server {
    context: Context,
    api: Listener,
    operations: Listener,
    gate: Option<Listener>,
    reload: Reload,
    drain: Duration,
    /// Told to read the files again.
    pub again: Arc<Notify>,
}

impl Server {
    /// Binds all listeners, or says why not.
    pub async fn bind(path: &Path, config: Config, host: Host, assemble: Assemble) -> Result<Self, String> {
        let metrics = Arc::new(Metrics::default());
        let server = config.server.clone();
        let gate = config.gate.clone();
        let (sender, live) = Live::new(config);
        let parts = assemble(&live, &metrics, &host)?;
        let engine = Engine::start(live.clone(), host, parts.images, (parts.shared, parts.layers), Arc::clone(&metrics))
            .map_err(|error| format!("the workers cannot be started: {error}"))?;
        let context = Context::new(live, engine, Arc::clone(&metrics), host, parts.sarif);
        let rules = Rules {
            requests: server.max_inflight,
            connections: server.max_inflight.saturating_mul(CONNECTIONS),
            body: Some(server.max_body),
            answer: Some(LONGEST_ANSWER),
            ..Rules::default()
        };
        let mut served = Vec::new();
        let router = parts.hooks.iter().fold(api::router(context.clone()), |router, plug| router.merge(plug(context.clone())));
        let router = api::otherwise(router, context.clone());
        let tls = current("api", server.tls.as_ref(), &host, &mut served)?;
        let api = bound("api", server.api, tls, rules, router, &metrics).await?;
        // few ask here, and they must be heard when all else is busy
        let few = Rules { requests: 16, connections: 64, body: Some(0), answer: Some(Duration::from_secs(10)), ..rules };
        let routes = operations::router(context.clone());
        let operations = bound("operations", server.operations, None, few, routes, &metrics).await?;
        let gate = match (gate, parts.gate) {
            (None, _) => None,
            (Some(_), None) => return Err("this program was built without the push gate, which [gate] asks for".to_owned()),
            (Some(gate), Some(plug)) => {
                let tls = current("gate", gate.tls.as_ref(), &host, &mut served)?;
                if tls.is_none() && !gate.listen.ip().is_loopback() {
                    tracing::warn!(listener = "gate", "credentials of pushes cross the network in the clear: set [gate.tls]");
                }
                // blobs are as long as they are, and take as long as they take
                let rules = Rules { body: None, answer: None, ..rules };
                Some(bound("gate", gate.listen, tls, rules, plug(context.clone()), &metrics).await?)
            }
        };
        let reload = Reload::new(path.to_owned(), host, sender, served, metrics);
        Ok(Self { context, api, operations, gate, reload, drain: server.drain, again: Arc::default() })
    }

    /// Where it listens.
    #[must_use]
    pub fn addresses(&self) -> Addresses {
        Addresses {
            api: self.api.address(),
            operations: self.operations.address(),
            gate: self.gate.as_ref().map(Listener::address),
        }
    }

    /// The server as its handlers see it.
    #[must_use]
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// Serves until `ending` is there; then takes nothing new, lets what runs come to its end, and returns. What still runs when
    /// the time is up, or when `ending` is there again, is cut off.
    pub async fn serve<F: Future<Output = ()>>(self, mut ending: impl FnMut() -> F) {
        let (phase, working) = watch::channel(Phase::Serving);
        let (last, watched) = watch::channel(Phase::Serving);
        let mut listeners = JoinSet::new();
        listeners.spawn(self.api.serve(working.clone()));
        if let Some(gate) = self.gate {
            listeners.spawn(gate.serve(working));
        }
        let operations = tokio::spawn(self.operations.serve(watched));
        let files = tokio::spawn(self.reload.watch(self.again));
        ending().await;
        tracing::info!("ending: nothing new is taken");
        self.context.drain();
        files.abort();
        phase.send_replace(Phase::Draining);
        let all = async { while listeners.join_next().await.is_some() {} };
        let is_done = {
            let mut all = pin!(timeout(self.drain, all));
            tokio::select! {
                done = &mut all => done.is_ok(),
                () = ending() => false,
            }
        };
        if !is_done {
            tracing::warn!("requests that still ran were cut off");
            phase.send_replace(Phase::Cut);
        }
        last.send_replace(Phase::Draining);
        // operators are told until the end
        let _ = timeout(Duration::from_secs(1), operations).await;
        last.send_replace(Phase::Cut);
        tracing::info!("ended");
    }
}

fn current(name: &'static str, tls: Option<&Tls>, host: &Host, served: &mut Vec<Served>) -> Result<Option<Arc<Current>>, String> {
    let Some(tls) = tls else { return Ok(None) };
    let current = Arc::new(Current::new(tls, host)?);
    served.push(Served { listener: name, current: Arc::clone(&current) });
    Ok(Some(current))
}

async fn bound(
    name: &'static str,
    address: std::net::SocketAddr,
    tls: Option<Arc<Current>>,
    rules: Rules,
    router: Router,
    metrics: &Arc<Metrics>,
) -> Result<Listener, String> {
    let is_tls = tls.is_some();
    let listener = Listener::bind(name, address, tls, rules, router, Arc::clone(metrics)).await;
    let listener = listener.map_err(|error| format!("the listener of {name} cannot have {address}: {error}"))?;
    tracing::info!(listener = name, address = listener.address().to_string(), tls = is_tls, "listening");
    Ok(listener)
}

/// Serves as a process: SIGTERM and SIGINT end it, SIGHUP has it read its files again. Err says why it could not begin.
pub fn run(path: &Path, config: Config, host: Host, assemble: Assemble) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("the runtime cannot be started: {error}"))?;
    let result = runtime.block_on(async {
        let wrong = |error: std::io::Error| format!("signals cannot be received: {error}");
        let (mut end, mut interrupt) =
            (signal(SignalKind::terminate()).map_err(wrong)?, signal(SignalKind::interrupt()).map_err(wrong)?);
        let mut hangup = signal(SignalKind::hangup()).map_err(wrong)?;
        let server = Server::bind(path, config, host, assemble).await?;
        let again = Arc::clone(&server.again);
        tokio::spawn(async move {
            while hangup.recv().await.is_some() {
                again.notify_one();
            }
        });
        let (sender, signals) = watch::channel(0_u32);
        tokio::spawn(async move {
            loop {
                tokio::select! { _ = end.recv() => {}, _ = interrupt.recv() => {} }
                sender.send_modify(|count| *count = count.saturating_add(1));
            }
        });
        let mut asked = 0;
        let ending = move || {
            let mut signals = signals.clone();
            asked = u32::saturating_add(asked, 1);
            let wanted = asked;
            async move {
                // the other end lives as long as the runtime
                let _ = signals.wait_for(|count| *count >= wanted).await;
            }
        };
        server.serve(ending).await;
        Ok(())
    });
    // a registry that hangs does not keep the process
    runtime.shutdown_timeout(Duration::from_millis(100));
    result
}
