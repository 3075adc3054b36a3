//! Logging in: what a challenge asks for, from the credentials of the host that asked. Credentials go to that host, or to the
//! token service that it names, and nowhere else.

use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use serde::Deserialize;

use super::access::{Credential, Secret, is_loopback, name_of};
use super::challenge::{self, Challenge};
use super::client::{Client, Endpoint, bounded, header};
use super::credentials;
use super::failure;
use super::retry::{Again, Failure, is_busy, retry_after};
use super::url::{Url, form};

/// Who one is at one repository of one registry, kept until the registry says 401.
#[derive(Debug, Default)]
pub(super) struct Session {
    state: Mutex<State>,
}

#[derive(Debug, Clone, Default)]
pub(super) struct State {
    /// Counts logins, so that of several readers that meet a 401 one logs in, and the others go on with what it got.
    pub(super) generation: u64,
    /// The value of `Authorization`.
    pub(super) authorization: Option<Secret>,
    /// Where the credentials came from, for messages.
    pub(super) told: String,
}

/// A token service's answer.
#[derive(Deserialize)]
struct Token {
    #[serde(default)]
    token: String,
    #[serde(default)]
    access_token: String,
}

impl Session {
    /// What to send, as far as known.
    pub(super) fn now(&self) -> State {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Logs in anew after a 401 to a request of the generation `seen`.
    pub(super) fn renew(
        &self,
        client: &Client,
        endpoint: &Endpoint,
        headers: &ureq::http::HeaderMap,
        seen: u64,
    ) -> Result<(), Failure> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.generation != seen {
            return Ok(());
        }
        let host = &endpoint.host;
        let offered = headers.get_all("www-authenticate").iter().filter_map(|value| value.to_str().ok());
        let Some(challenge) = challenge::parse(offered) else {
            return Err(failure::nonsense(host, "asks for a way to log in that is not known here"));
        };
        let found = credentials::find(&client.access, host, &endpoint.repository, endpoint.is_asked, &client.limits);
        state.told = found.told;
        let authorization = match (challenge, found.credential) {
            (_, Some(Credential::Bearer(token))) => bearer(host, token.reveal())?,
            (Challenge::Basic, Some(Credential::Basic { username, password })) => basic(&username, &password),
            (Challenge::Basic, _) => {
                return Err(failure::unauthorized(host, Some("it asks for a name and a password"), &state.told));
            }
            (Challenge::Bearer { realm, service }, credential) => {
                let token = token(client, endpoint, &realm, service.as_deref(), credential.as_ref(), &state.told)?;
                bearer(host, token.reveal())?
            }
        };
        state.authorization = Some(authorization);
        state.generation = state.generation.saturating_add(1);
        Ok(())
    }
}

fn basic(username: &str, password: &Secret) -> Secret {
    let pair = format!("{username}:{}", password.reveal());
    Secret::new(format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair)))
}

fn bearer(host: &str, token: &str) -> Result<Secret, Failure> {
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(failure::nonsense(host, "was given a token that no header can hold"));
    }
    Ok(Secret::new(format!("Bearer {token}")))
}

/// The token service's address, when it may be asked: over TLS, or where plain HTTP is allowed. A registry elsewhere has no
/// business with services of this machine.
fn service_url(client: &Client, endpoint: &Endpoint, realm: &str) -> Result<Url, Failure> {
    let refused = |why: &str| failure::nonsense(&endpoint.host, format!("names a token service {why}"));
    let url = Url::parse(realm).ok_or_else(|| refused("whose address is no address of the web"))?;
    if client.access.token_hosts.as_ref().is_some_and(|listed| !is_near_by(&url.host, &endpoint.host, listed)) {
        return Err(refused(&format!("at {}, which is neither its own host nor listed for it", url.host)));
    }
    let is_told = client.is_plain(&url.host);
    let is_near = is_loopback(&url.host) && is_loopback(&endpoint.host);
    if url.is_https || is_told || is_near {
        return Ok(url);
    }
    Err(refused(&format!("that does not speak TLS ({})", url.host)))
}

/// Whether a token service is the registry's own: on its host, on a domain above it (`gitlab.example` for
/// `registry.gitlab.example`), Docker's for Docker's, or one that is listed.
fn is_near_by(service: &str, registry: &str, listed: &[String]) -> bool {
    let (service_name, registry_name) = (name_of(service), name_of(registry));
    let is_address = registry_name.parse::<std::net::IpAddr>().is_ok();
    let is_above = !is_address
        && service_name.contains('.')
        && registry_name.strip_suffix(service_name).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    let is_dockers = registry == "docker.io" && service == "auth.docker.io";
    service_name == registry_name || is_above || is_dockers || listed.iter().any(|one| one == service || one == service_name)
}

/// Asks the token service for leave to pull this repository (distribution's token protocol; with an identity token, OAuth 2).
fn token(
    client: &Client,
    endpoint: &Endpoint,
    realm: &str,
    service: Option<&str>,
    credential: Option<&Credential>,
    told: &str,
) -> Result<Secret, Failure> {
    let url = service_url(client, endpoint, realm)?;
    let scope = format!("repository:{}:pull", endpoint.repository);
    let agent = client.agent(&url.host);
    let mut sent = None;
    let answer = if let Some(Credential::Identity(refresh)) = credential {
        let mut pairs = vec![("grant_type", "refresh_token"), ("client_id", "plimsoll"), ("scope", &scope)];
        pairs.extend(service.map(|service| ("service", service)));
        pairs.push(("refresh_token", refresh.reveal()));
        sent = Some(refresh.clone());
        agent.post(url.text()).content_type("application/x-www-form-urlencoded").send(form(&pairs))
    } else {
        let mut asked = url.clone();
        if let Some(service) = service {
            asked = asked.with("service", service);
        }
        let mut request = agent.get(asked.with("scope", &scope).text()).header("accept", "application/json");
        if let Some(Credential::Basic { username, password }) = credential {
            let authorization = basic(username, password);
            request = request.header("authorization", authorization.reveal());
            sent = Some(password.clone());
        }
        request.call()
    };
    let answer = answer.map_err(|error| failure::of_transport(&url.host, url.is_https, &error))?;
    let status = answer.status().as_u16();
    let after = retry_after(header(answer.headers(), "retry-after"));
    let body = bounded(answer.into_body(), client.limits.registry_token_bytes, &client.limits)
        .map_err(|reason| failure::nonsense(&url.host, format!("(the token service of {}) {reason}", endpoint.host)))?;
    let said = failure::said_without(&body, sent.as_ref());
    match status {
        200 => {}
        400 | 401 | 403 => return Err(failure::unauthorized(&endpoint.host, said.as_deref(), told)),
        300..=399 => {
            return Err(failure::nonsense(&url.host, "(a token service) redirects, which is not followed with credentials"));
        }
        _ => {
            let again = if is_busy(status) { Again::Later(after) } else { Again::Never };
            return Err(failure::of_status(&url.host, "a token", status, said.as_deref(), "", again));
        }
    }
    let no_token = || failure::nonsense(&url.host, "(a token service) answers without a token");
    let token: Token = serde_json::from_slice(&body).map_err(|_| no_token())?;
    let token = if token.token.is_empty() { token.access_token } else { token.token };
    if token.is_empty() { Err(no_token()) } else { Ok(Secret::new(token)) }
}

#[cfg(test)]
mod tests {
    use super::is_near_by;

    #[test]
    fn a_token_service_is_the_registrys_own_or_listed() {
        for (service, registry) in [
            ("registry.example", "registry.example:5000"),
            ("registry.example:5001", "registry.example:5000"),
            ("gitlab.example", "registry.gitlab.example"),
            ("auth.docker.io", "docker.io"),
            ("tokens.example", "registry.other"),
            ("10.0.0.1:80", "10.0.0.1:5000"),
        ] {
            assert!(is_near_by(service, registry, &["tokens.example".to_owned()]), "{service} for {registry}");
        }
        for (service, registry) in [
            ("metadata.internal", "registry.example"),
            ("example", "registry.example"),
            ("istry.example", "registry.example"),
            ("evil.registry.example", "registry.example"),
            ("auth.docker.io", "registry.example"),
            ("0.0.1", "10.0.0.1"),
            ("tokens.example.evil", "registry.other"),
        ] {
            assert!(!is_near_by(service, registry, &["tokens.example".to_owned()]), "{service} for {registry}");
        }
    }
}
