//! Images out of registries: those of the configuration, as it says for each, and the one behind the gate.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::breaker::{Breakers, Watch};
use super::images::{Images, Opened, Problem, Resolved};
use super::truth::{self, Truth};
use crate::limits::Limits;
use crate::oci::Reference;
use crate::serve::config::{Auth, Config, Registry};
use crate::serve::host::Host;
use crate::serve::live::Live;
use crate::serve::metrics::Metrics;
use crate::serve::verdict::{Access, Ask, Subject};
use crate::source::registry::{self, Asked, AuthFile, Connections, Credential, Manifest, Networks, Secret};
use crate::source::{self, Error};

/// Bytes of a file with a name and a password, or a token.
const MOST_SECRET_BYTES: u64 = crate::limits::MIB;
/// How long connections of a registry are used before its certificate authority is read again.
const FRESH: Duration = Duration::from_mins(1);
/// Seconds that naming a tag's digest may take.
const RESOLVE_SECONDS: u64 = 30;

/// What the configuration's registries hold.
#[derive(Debug)]
pub struct Registries {
    live: Live,
    host: Host,
    metrics: Arc<Metrics>,
    breakers: Arc<Breakers>,
    connections: Mutex<BTreeMap<String, Held>>,
}

/// Connections to one registry, for as long as its configuration is the same.
#[derive(Debug)]
struct Held {
    made_of: Registry,
    made_at: Instant,
    connections: Connections,
}

impl Registries {
    /// Nothing is connected yet.
    #[must_use]
    pub fn new(live: Live, host: Host, metrics: Arc<Metrics>) -> Self {
        let breakers = Arc::new(Breakers::new(Arc::clone(&metrics)));
        Self { live, host, metrics, breakers, connections: Mutex::default() }
    }

    /// How the registry of a question is reached, and as whom.
    fn access(&self, ask: &Ask, host: &str, config: &Config) -> Result<registry::Access, Problem> {
        if let Some(refused) = super::refused(config, &ask.repository) {
            return Err(Problem::Refused { reason: refused });
        }
        self.breakers.check(host, Instant::now())?;
        let entry = config.registries.get(host);
        let plain = Registry::default();
        let settings = entry.unwrap_or(&plain);
        let upstream = config.gate.as_ref().and_then(|gate| gate.upstream.split_once("://"));
        let is_upstream = upstream.is_some_and(|(_, authority)| authority == host);
        let is_plain = settings.is_insecure || (is_upstream && upstream.is_some_and(|(scheme, _)| scheme == "http"));
        let mut access = registry::Access {
            plain_http: if is_plain { vec![host.to_owned()] } else { Vec::new() },
            ca_files: settings.ca.iter().cloned().collect(),
            // pushes go there whatever its address
            networks: if settings.allows_private || (is_upstream && entry.is_none()) {
                Networks::NoMetadata
            } else {
                Networks::Public
            },
            token_hosts: Some(settings.token_hosts.clone()),
            observer: Some(Arc::new(Watch::new(host, Arc::clone(&self.metrics), Arc::clone(&self.breakers)))),
            ..registry::Access::default()
        };
        match &ask.access {
            Access::Caller(authorization) => {
                access.authorization = Some(Secret::new(authorization.to_string()));
                access.login_advice = Some("who pushes must be allowed to pull, too".to_owned());
            }
            Access::Configured => {
                access.login_advice = Some(format!("see `auth` of [registries.\"{host}\"]"));
                self.configured(&settings.auth, &mut access)?;
            }
        }
        access.connections = Some(self.connections(host, settings, &access, &config.limits)?);
        Ok(access)
    }

    /// Files are read at the time of use: secrets are replaced while the server runs.
    fn configured(&self, auth: &Auth, access: &mut registry::Access) -> Result<(), Problem> {
        let unreadable = |reason: String| Problem::Unavailable { reason: format!("its `auth_file` {reason}"), retry_after: None };
        let read = |path: &PathBuf| {
            let text = (self.host.read)(path, MOST_SECRET_BYTES);
            text.map(|text| text.trim().to_owned()).map_err(|reason| unreadable(format!("cannot be read: {reason}")))
        };
        match auth {
            Auth::Anonymous => {}
            Auth::DockerConfig(path) => {
                access.auth_files = vec![AuthFile { path: path.clone(), name: "its `auth_file`" }];
                access.run_helpers = true;
            }
            Auth::BasicFile(path) => {
                let text = read(path)?;
                let pair = text.split_once(':').ok_or_else(|| unreadable("holds no NAME:PASSWORD".to_owned()))?;
                let (username, password) = (pair.0.to_owned(), Secret::new(pair.1.to_owned()));
                access.given = Some((Credential::Basic { username, password }, "its `auth_file`"));
            }
            Auth::TokenFile(path) => {
                access.given = Some((Credential::Bearer(Secret::new(read(path)?)), "its `auth_file`"));
            }
        }
        Ok(())
    }

    fn connections(
        &self,
        host: &str,
        settings: &Registry,
        access: &registry::Access,
        limits: &Limits,
    ) -> Result<Connections, Problem> {
        let mut held = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = held.get(host).filter(|found| found.made_of == *settings && found.made_at.elapsed() < FRESH) {
            return Ok(found.connections.clone());
        }
        let connections = Connections::new(access, limits, settings.concurrency).map_err(problem)?;
        let (made_of, made_at) = (settings.clone(), Instant::now());
        // hosts are those of the configuration: few
        held.insert(host.to_owned(), Held { made_of, made_at, connections: connections.clone() });
        Ok(connections)
    }

    /// The reference of a question, with this tag or digest.
    fn reference(repository: &str, separator: char, name: &str) -> Result<Reference, Problem> {
        let text = format!("{repository}{separator}{name}");
        text.parse().map_err(|error| Problem::Refused { reason: format!("{}: {error}", crate::oci::escape_text(&text)) })
    }
}

impl Images for Registries {
    fn resolve(&self, ask: &Ask) -> Result<Resolved, Problem> {
        let reference = match &ask.subject {
            Subject::Tag(tag) => Self::reference(&ask.repository, ':', tag)?,
            Subject::Digest(digest) => Self::reference(&ask.repository, '@', digest)?,
            Subject::Manifest { .. } => return Err(Problem::Refused { reason: "its manifest is at hand".to_owned() }),
        };
        let config = self.live.config();
        let access = self.access(ask, reference.host(), &config)?;
        let limits = Limits { registry_seconds: RESOLVE_SECONDS, ..config.limits.clone() };
        let named = registry::resolve(&reference, &access, &limits).map_err(problem)?;
        Ok(Resolved { digest: named.digest.to_string(), bytes: named.layer_bytes })
    }

    fn open(&self, ask: &Ask, digest: &str) -> Result<Opened, Problem> {
        let reference = Self::reference(&ask.repository, '@', digest)?;
        let config = self.live.config();
        let access = self.access(ask, reference.host(), &config)?;
        let manifest = match &ask.subject {
            Subject::Manifest { media_type, bytes } => {
                let media_type = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
                Some(Manifest { media_type, bytes: Arc::clone(bytes) })
            }
            Subject::Tag(_) | Subject::Digest(_) => None,
        };
        // whoever asks for this digest later reads this report: where it lies is nobody's business, but for waivers by name
        let is_by_name = ask.profile.policy.waivers.iter().any(|waiver| waiver.image.is_some());
        let input = match &ask.subject {
            Subject::Tag(tag) if is_by_name => format!("docker://{}:{tag}", ask.repository),
            _ if is_by_name => format!("docker://{}@{digest}", ask.repository),
            _ => digest.to_owned(),
        };
        Ok(Opened::Request(Box::new(source::Request {
            input: input.into(),
            platforms: ask.platforms.clone(),
            takes_any_single: true,
            access,
            in_registry: Some(Asked { reference, manifest }),
            ..source::Request::default()
        })))
    }
}

/// What an error means to who asked.
#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn problem(error: Error) -> Problem {
    let code = error.code().as_str();
    let reason = format!("{code}: {error}");
    match truth::truth(code) {
        Truth::OfWorld => Problem::Unavailable { reason, retry_after: None },
        Truth::OfContent | Truth::OfDelivery | Truth::NotThere => Problem::Refused { reason },
    }
}
