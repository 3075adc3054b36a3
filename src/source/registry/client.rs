//! One request to a registry: mirrors before the registry itself, logins, redirects, and tries until it is answered.

use std::io::Read;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ureq::http::HeaderMap;
use ureq::{Agent, Body};

use super::access::{Access, Secret, is_loopback, name_of};
use super::auth::Session;
use super::failure;
use super::permits::Permit;
use super::reach::Connections;
use super::retry::{Again, Failure, Pace, is_busy, retried, retry_after};
use super::url::Url;
use crate::limits::{LimitHit, Limits};
use crate::oci::{BlobDigest, Code, Reference};
use crate::source::Error;
use crate::source::oci_graph::MANIFEST_TYPES;

/// What speaks to the registry of one reference, and to its mirrors.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) access: Access,
    pub(super) limits: Limits,
    connections: Connections,
    /// When reading the image has to be done.
    until: Option<Instant>,
    /// In the order in which they are asked; the registry itself is the last.
    endpoints: Vec<Endpoint>,
}

/// A repository in one registry.
#[derive(Debug)]
pub(super) struct Endpoint {
    /// What the registry is called; for Docker's own, `docker.io`.
    pub(super) host: String,
    base: Url,
    pub(super) repository: String,
    /// Whether it is the registry that the reference names.
    pub(super) is_asked: bool,
    session: Session,
    /// Whether it could not be reached before: a mirror that is down is not waited for twice.
    is_down: AtomicBool,
    /// Whether it has let something be read.
    is_open: AtomicBool,
}

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Ask<'a> {
    /// A manifest or index by tag or digest.
    Manifest(&'a str),
    /// A blob, from this byte on.
    Blob { digest: &'a BlobDigest, from: u64 },
}

/// An answer with status 200 or 206.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Body,
    /// Which registry it is from.
    pub(super) host: String,
    /// Held as long as something of the body is to come.
    pub(super) permit: Permit,
}

impl Client {
    pub(super) fn new(access: &Access, reference: &Reference, limits: &Limits) -> Result<Self, Error> {
        let connections = match &access.connections {
            Some(connections) => connections.clone(),
            None => Connections::new(access, limits, 0)?,
        };
        let until = Instant::now().checked_add(Duration::from_secs(limits.registry_seconds));
        let mut client = Self { access: access.clone(), limits: limits.clone(), connections, until, endpoints: Vec::new() };
        for mirror in access.mirrors.iter().filter(|mirror| mirror.of == reference.host()) {
            let separator = if mirror.prefix.is_empty() { "" } else { "/" };
            let repository = format!("{}{separator}{}", mirror.prefix, reference.repository());
            let endpoint = client.endpoint(&mirror.host, &mirror.host, repository, false);
            client.endpoints.push(endpoint);
        }
        let address = if reference.host() == "docker.io" { "registry-1.docker.io" } else { reference.host() };
        let endpoint = client.endpoint(reference.host(), address, reference.repository().to_owned(), true);
        client.endpoints.push(endpoint);
        Ok(client)
    }

    fn endpoint(&self, host: &str, address: &str, repository: String, is_asked: bool) -> Endpoint {
        let is_plain = self.is_plain(address) || (is_loopback(address) && self.speaks_no_tls(address));
        let base = Url { is_https: !is_plain, host: address.to_owned(), path: "/".to_owned() };
        Endpoint {
            host: host.to_owned(),
            base,
            repository,
            is_asked,
            session: Session::default(),
            is_down: AtomicBool::new(false),
            is_open: AtomicBool::new(false),
        }
    }

    /// What speaks to `host`.
    pub(super) fn agent(&self, host: &str) -> &Agent {
        self.connections.reach.agent(host)
    }

    /// Err when the time for this image is up.
    pub(super) fn check_time(&self, host: &str) -> Result<(), Error> {
        if self.until.is_none_or(|until| Instant::now() < until) {
            return Ok(());
        }
        let detail =
            format!("reading the image from {host} took longer than registry-seconds ({})", self.limits.registry_seconds);
        Err(failure::error(Code::RegistryUnreachable, host, detail, String::new()))
    }

    /// Whether the user said that a host is spoken to without TLS, with its port or on all of them.
    pub(super) fn is_plain(&self, host: &str) -> bool {
        self.access.plain_http.iter().any(|plain| plain == host || plain == name_of(host))
    }

    /// Whether a host of this very machine fails at TLS for another reason than its certificate.
    fn speaks_no_tls(&self, host: &str) -> bool {
        let probe = self.agent(host).get(format!("https://{host}/v2/")).call();
        let is_certificate = |error: &rustls::Error| matches!(error, rustls::Error::InvalidCertificate(_));
        match probe {
            Ok(_) => false,
            Err(ureq::Error::Rustls(error)) => !is_certificate(&error),
            Err(ureq::Error::Io(cause)) => {
                !cause.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()).is_some_and(is_certificate)
            }
            Err(_) => true,
        }
    }

    /// Asks until one of the endpoints answers.
    pub(super) fn get(&self, ask: Ask<'_>) -> Result<Answer, Error> {
        for endpoint in self.endpoints.iter().filter(|endpoint| !endpoint.is_asked) {
            if endpoint.is_down.load(Ordering::Relaxed) {
                continue;
            }
            match retried(&self.limits, || self.once(endpoint, ask)) {
                Ok(answer) => return Ok(answer),
                Err(error) if error.code() == Code::RegistryUnreachable => endpoint.is_down.store(true, Ordering::Relaxed),
                // what a mirror does not have or give, the registry may
                Err(_) => {}
            }
        }
        let own = self.endpoints.iter().find(|endpoint| endpoint.is_asked);
        let own =
            own.ok_or_else(|| failure::error(Code::RegistryError, "", "there is no registry to ask".into(), String::new()))?;
        retried(&self.limits, || self.once(own, ask)).map_err(|error| self.advised(error))
    }

    /// The same error, with the advice of who configured this.
    fn advised(&self, error: Error) -> Error {
        match (error, &self.access.login_advice) {
            (Error::Registry { code: code @ Code::RegistryUnauthorized, place, detail, .. }, Some(advice)) => {
                Error::Registry { code, place, detail, advice: advice.clone() }
            }
            (error, _) => error,
        }
    }

    fn permit(&self, host: &str) -> Result<Permit, Failure> {
        let patience = Duration::from_secs(self.limits.registry_stall_seconds.max(1));
        self.connections.permits.take(patience).ok_or_else(|| {
            let detail = format!("{host} is asked as much as it may be, and none of it came to an end");
            Failure::lasting(failure::error(Code::RegistryUnreachable, host, detail, String::new()))
        })
    }

    fn observe(&self, endpoint: &Endpoint, status: u16) {
        if let Some(observer) = &self.access.observer {
            observer.answered(&endpoint.host, status);
        }
    }

    /// One try: a login where one is asked for, and redirects to where the bytes are.
    fn once(&self, endpoint: &Endpoint, ask: Ask<'_>) -> Result<Answer, Failure> {
        self.check_time(&endpoint.host).map_err(Failure::lasting)?;
        let permit = self.permit(&endpoint.host)?;
        let start = endpoint.url(ask);
        let mut url = start.clone();
        let (mut hops, mut has_logged_in) = (0_u64, false);
        loop {
            let is_own = url.is_same_origin(&endpoint.base);
            let state = endpoint.session.now();
            // what one is to the registry is nobody else's business
            let given = self.access.authorization.as_ref().filter(|_| endpoint.is_asked);
            let authorization = given.or(state.authorization.as_ref()).filter(|text| is_own && !text.is_empty());
            let mut request = self.agent(&url.host).get(url.text()).header("accept-encoding", "identity");
            request = match ask {
                Ask::Manifest(_) => request.header("accept", MANIFEST_TYPES.join(", ")),
                Ask::Blob { from: 0, .. } => request,
                Ask::Blob { from, .. } => request.header("range", format!("bytes={from}-")),
            };
            if let Some(authorization) = authorization {
                request = request.header("authorization", authorization.reveal());
            }
            let answer = request.call();
            self.observe(endpoint, answer.as_ref().map_or(0, |answer| answer.status().as_u16()));
            let answer = answer.map_err(|error| failure::of_transport(&url.host, url.is_https, &error))?;
            let (parts, body) = answer.into_parts();
            match parts.status.as_u16() {
                status @ (200 | 206) => {
                    endpoint.is_open.store(true, Ordering::Relaxed);
                    return Ok(Answer { status, headers: parts.headers, body, host: url.host, permit });
                }
                301 | 302 | 303 | 307 | 308 => {
                    hops = hops.saturating_add(1);
                    self.limits.registry_redirects(hops).map_err(|hit| Failure::lasting(hit.into()))?;
                    url = redirected(&url, &parts.headers, endpoint)?;
                }
                401 if is_own && given.is_some() && endpoint.is_open.load(Ordering::Relaxed) => {
                    let detail = format!("{} stopped taking the caller's authorization while the image was read", endpoint.host);
                    let error = failure::error(Code::RegistryUnreachable, &endpoint.host, detail, String::new());
                    return Err(Failure::lasting(error));
                }
                401 if is_own && !has_logged_in && given.is_none_or(Secret::is_empty) => {
                    has_logged_in = true;
                    endpoint.session.renew(self, endpoint, &parts.headers, state.generation)?;
                    url = start.clone();
                }
                status => {
                    let body = bounded(body, self.limits.registry_error_bytes, &self.limits).unwrap_or_default();
                    let said = failure::said_without(&body, authorization);
                    let after = retry_after(header(&parts.headers, "retry-after"));
                    let again = if is_busy(status) { Again::Later(after) } else { Again::Never };
                    let host = if is_own { &endpoint.host } else { &url.host };
                    let told = if given.is_some() { "the caller itself" } else { &state.told };
                    return Err(failure::of_status(host, &ask.shown(endpoint), status, said.as_deref(), told, again));
                }
            }
        }
    }
}

/// Where a redirect leads: nowhere without TLS from a registry with it, nor to this machine from elsewhere.
fn redirected(from: &Url, headers: &HeaderMap, endpoint: &Endpoint) -> Result<Url, Failure> {
    let location = header(headers, "location").unwrap_or_default();
    let to =
        from.join(location).ok_or_else(|| failure::nonsense(&endpoint.host, "redirects to what is no address of the web"))?;
    let is_downgrade = !to.is_https && (from.is_https || endpoint.base.is_https);
    let is_inward = is_loopback(&to.host) && !is_loopback(&endpoint.base.host);
    if is_downgrade || is_inward {
        let why = if is_downgrade { "does not speak TLS" } else { "is this machine itself" };
        return Err(failure::nonsense(&endpoint.host, format!("redirects to {}, which {why}", to.host)));
    }
    Ok(to)
}

impl Endpoint {
    fn url(&self, ask: Ask<'_>) -> Url {
        let path = match ask {
            Ask::Manifest(reference) => format!("/v2/{}/manifests/{reference}", self.repository),
            Ask::Blob { digest, .. } => format!("/v2/{}/blobs/{digest}", self.repository),
        };
        Url { path, ..self.base.clone() }
    }
}

impl Ask<'_> {
    fn shown(self, endpoint: &Endpoint) -> String {
        match self {
            Ask::Manifest(reference) if reference.contains(':') => format!("manifest {}@{reference}", endpoint.repository),
            Ask::Manifest(reference) => format!("image {}:{reference}", endpoint.repository),
            Ask::Blob { digest, .. } => format!("blob {}@{digest}", endpoint.repository),
        }
    }
}

/// A header's value, when it is there once and is text.
pub(super) fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let first = values.next().and_then(|value| value.to_str().ok());
    first.filter(|_| values.next().is_none())
}

/// A whole body of at most `most` bytes, in a bounded time.
pub(super) fn bounded(body: Body, most: u64, limits: &Limits) -> Result<Vec<u8>, String> {
    let mut reader = body.into_reader();
    let mut pace = Pace::new(limits, true);
    let mut bytes = Vec::new();
    let mut buffer = [0; 16 * 1024];
    loop {
        let started = Instant::now();
        let count = match reader.read(&mut buffer) {
            Ok(0) => return Ok(bytes),
            Ok(count) => count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(_) => return Err("breaks off in the middle of its answer".to_owned()),
        };
        bytes.extend_from_slice(buffer.get(..count).unwrap_or_default());
        let found = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if found > most {
            return Err(format!("answers with more than {most} bytes"));
        }
        if !pace.keeps_up(started, count) {
            return Err("answers too slowly".to_owned());
        }
    }
}

/// The same for a document of an image, whose size has a limit with a name.
pub(super) fn document(body: Body, host: &str, limits: &Limits) -> Result<Vec<u8>, Failure> {
    let most = limits.document_bytes;
    let over = |found| Failure::lasting(Error::Limit(LimitHit { name: "document-bytes", limit: most, found }));
    if let Some(length) = body.content_length().filter(|length| *length > most) {
        return Err(over(length));
    }
    bounded(body, most, limits).map_err(|reason| {
        if reason.contains("more than") {
            return over(most.saturating_add(1));
        }
        let detail = format!("{host} {reason}");
        Failure { error: failure::error(Code::RegistryUnreachable, host, detail, String::new()), again: Again::Soon }
    })
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
