//! The registry behind the gate: one pool of connections, with the authorities that the configuration names.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::{Request, Response, Uri};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::body::Pace;
use crate::limits::MIB;
use crate::serve::config::Config;
use crate::serve::host::Host;
use crate::serve::tls;

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(10);
/// How long a connection is kept that nobody uses: less than registries keep theirs.
const IDLE: Duration = Duration::from_secs(30);
/// Connections that are kept.
const MOST_IDLE: usize = 64;

/// A registry that can be asked.
pub(super) struct Upstream {
    client: Client<HttpsConnector<HttpConnector>, Body>,
    /// `https://host[:port]`
    pub(super) url: String,
    /// `host[:port]`
    pub(super) authority: String,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// No connection, or one that broke; what happened, for the log.
    #[error("{0}")]
    Broken(String),
    /// Nothing moved for too long.
    #[error("it did not answer in time")]
    Silent,
}

impl Upstream {
    fn new(url: &str, config: &Config, host: &Host) -> Result<Self, String> {
        let authority = url.split_once("://").map_or(url, |(_, authority)| authority).to_owned();
        let roots = roots(config.registries.get(&authority).and_then(|registry| registry.ca.as_deref()), host)?;
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder.with_safe_default_protocol_versions().map_err(|error| error.to_string())?;
        let tls = builder.with_root_certificates(roots).with_no_client_auth();
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT));
        let connector =
            HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().wrap_connector(connector);
        let mut builder = Client::builder(TokioExecutor::new());
        builder.pool_timer(TokioTimer::new()).pool_idle_timeout(IDLE).pool_max_idle_per_host(MOST_IDLE);
        Ok(Self { client: builder.build(connector), url: url.to_owned(), authority })
    }

    /// Asks `path` of the registry; waits as long as something moves, and no longer than until `deadline`.
    pub(super) async fn ask(
        &self,
        mut request: Request<Body>,
        path: &str,
        pace: &Pace,
        deadline: Option<Instant>,
    ) -> Result<Response<Incoming>, Failure> {
        let uri: Uri = format!("{}{path}", self.url).parse().map_err(|_| Failure::Broken("no such address".to_owned()))?;
        *request.uri_mut() = uri;
        self.send(request, pace, deadline).await
    }

    /// Asks what the request names, be it elsewhere.
    pub(super) async fn send(
        &self,
        request: Request<Body>,
        pace: &Pace,
        deadline: Option<Instant>,
    ) -> Result<Response<Incoming>, Failure> {
        let mut answer = self.client.request(request);
        loop {
            let mut left = pace.left();
            if let Some(deadline) = deadline {
                left = left.min(deadline.saturating_duration_since(Instant::now()));
            }
            if left.is_zero() {
                return Err(Failure::Silent);
            }
            if let Ok(answer) = tokio::time::timeout(left, &mut answer).await {
                return answer.map_err(|error| Failure::Broken(chain(&error)));
            }
        }
    }
}

/// What an error says, and what lies under it.
fn chain(error: &dyn std::error::Error) -> String {
    let parts: Vec<String> = std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string).collect();
    crate::oci::escape_text(&parts.join(": ")).chars().take(300).collect()
}

fn roots(ca: Option<&std::path::Path>, host: &Host) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        roots.add_parsable_certificates(webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().cloned());
    }
    if let Some(ca) = ca {
        let text = (host.read)(ca, MIB).map_err(|error| format!("`ca` cannot be read: {error}"))?;
        roots.add_parsable_certificates(tls::certificates(&text)?);
    }
    Ok(roots)
}

/// The registry of the configuration as it is now.
#[derive(Default)]
pub(super) struct Current(Mutex<Option<(String, Arc<Upstream>)>>);

impl Current {
    /// The registry; another one when the configuration names another, or other authorities.
    pub(super) fn of(&self, config: &Config, host: &Host) -> Result<Arc<Upstream>, String> {
        let url = config.gate.as_ref().map(|gate| gate.upstream.as_str()).unwrap_or_default();
        let authority = url.split_once("://").map_or(url, |(_, authority)| authority);
        let key = format!("{url} {:?}", config.registries.get(authority).map(|registry| &registry.ca));
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((made_of, upstream)) = held.as_ref()
            && *made_of == key
        {
            return Ok(Arc::clone(upstream));
        }
        let upstream = Arc::new(Upstream::new(url, config, host)?);
        *held = Some((key, Arc::clone(&upstream)));
        Ok(upstream)
    }
}
