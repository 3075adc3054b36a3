//! The configuration of the server: what its TOML file says, once it is checked.

mod hooks;
mod load;
mod profiles;
mod reader;
mod registries;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub use load::{limits, load};
pub use reader::Fault;

use super::client::ClientName;
use super::decision::Hook;
use crate::limits::{Limits, MIB};
use crate::oci::Platform;
use crate::policy::Policy;
use crate::policy::glob::{self, Slash};

/// Everything that the file says; a new file makes a new one.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// Listeners and how they behave.
    pub server: Server,
    /// The push gate; None: there is none.
    pub gate: Option<Gate>,
    /// By name; `default` is always there.
    pub profiles: BTreeMap<String, Arc<Profile>>,
    /// Which profile a request gets: the first that fits; none: `default`.
    pub matches: Vec<Match>,
    /// By host, as in a reference (`registry.example:5000`); a host that is not here is not asked.
    pub registries: BTreeMap<String, Registry>,
    /// Caps on what is read of images and registries.
    pub limits: Limits,
    /// Where layer facts and verdicts are kept.
    pub cache: Cache,
}

/// In the path of a hook: the profile is that of the first match. So no profile can have this name.
pub const BY_MATCH: &str = "auto";

/// `[server]`.
#[derive(Debug, Clone)]
pub struct Server {
    /// `/v1` and `/k8s`.
    pub api: SocketAddr,
    /// `/livez`, `/readyz`, `/metrics`; plain HTTP.
    pub operations: SocketAddr,
    /// The certificate of the API; None: plain HTTP, on loopback only.
    pub tls: Option<Tls>,
    /// A file with the bearer token that `/v1` asks for; None: `/v1/verify` answers on loopback, and to client certificates.
    pub token_file: Option<PathBuf>,
    /// Where callers reach `/v1`, for links to reports; empty: none are given.
    pub public_url: String,
    /// Bytes of one request's body (an object and its old one: API servers send up to 3 MiB each).
    pub max_body: u64,
    /// Requests at once, on each listener but that of operations.
    pub max_inflight: usize,
    /// Requests of one address at once, to the gate and to `/v1`; more are turned away.
    pub max_inflight_per_caller: usize,
    /// Reviews of one namespace at once; more get what is known without waiting.
    pub max_inflight_per_namespace: usize,
    /// Images that are verified at once.
    pub workers: usize,
    /// Images that wait to be verified.
    pub max_queue: usize,
    /// How long running requests may go on once the server is told to stop.
    pub drain: Duration,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            api: SocketAddr::from(([127, 0, 0, 1], 8443)),
            operations: SocketAddr::from(([127, 0, 0, 1], 9090)),
            tls: None,
            token_file: None,
            public_url: String::new(),
            max_body: 8 * MIB,
            max_inflight: 256,
            max_inflight_per_caller: 128,
            max_inflight_per_namespace: 64,
            workers: 2,
            max_queue: 1_000,
            drain: Duration::from_secs(25),
        }
    }
}

/// `[server.tls]`, `[gate.tls]`: PEM files, read again when they change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// Certificate chain.
    pub cert: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// Whose client certificates are asked for; None: none are.
    pub client_ca: Option<PathBuf>,
    /// Names of which a client certificate must have one; empty: every certificate of `client_ca` does.
    pub client_names: Vec<ClientName>,
}

/// `[gate]`.
#[derive(Debug, Clone)]
pub struct Gate {
    /// Where clients push to.
    pub listen: SocketAddr,
    /// The certificate; None: plain HTTP.
    pub tls: Option<Tls>,
    /// The registry behind it: `https://host[:port]`, or `http://` for loopback and where `[registries]` says insecure.
    pub upstream: String,
    /// How long a push of a manifest may wait for its verdict (load balancers cut at 60 s).
    pub deadline: Duration,
    /// Media types of layers, beside those of signatures and attestations, that make a manifest no image.
    pub pass_types: Vec<String>,
    /// Whether the reason phrase of HTTP/1.1 says why, for clients that hide bodies.
    pub has_reason_phrase: bool,
}

/// `[profiles.NAME]`: what images are judged by, and what becomes of those that fail or cannot be judged.
#[derive(Debug, Clone)]
pub struct Profile {
    /// Its name.
    pub name: String,
    /// What the policy is called.
    pub policy_name: String,
    /// The policy itself.
    pub policy: Arc<Policy>,
    /// Names all that the policy says; verdicts are kept under it. Empty: it is worked out when it is needed.
    pub policy_digest: String,
    /// What a verdict does.
    pub mode: Mode,
    /// When the registry cannot be asked, or we fail.
    pub on_error: OnProblem,
    /// When there is no verdict in time.
    pub on_unknown: OnUnknown,
    /// Compressed bytes up to which an image is verified while the caller of a Kubernetes hook waits.
    pub sync_max_bytes: u64,
    /// What becomes of references without a digest (Kubernetes).
    pub require_digest: RequireDigest,
    /// Platforms that are judged of an index; empty: all.
    pub platforms: Vec<Platform>,
    /// Whether workloads (Deployments and the like) are refused as pods are; otherwise they are warned of.
    pub enforces_workloads: bool,
    /// Who may override a refusal; None: nobody.
    pub break_glass: Option<BreakGlass>,
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            name: "default".to_owned(),
            policy_name: "admission".to_owned(),
            policy: Arc::default(),
            policy_digest: String::new(),
            mode: Mode::Enforce,
            on_error: OnProblem::Deny,
            on_unknown: OnUnknown::Verify,
            sync_max_bytes: 100 * MIB,
            require_digest: RequireDigest::Resolve,
            platforms: Vec::new(),
            enforces_workloads: false,
            break_glass: None,
        }
    }
}

/// What a verdict does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// What does not pass is refused.
    Enforce,
    /// What does not pass is warned of.
    Warn,
    /// Nothing is asked.
    Off,
}

/// What becomes of a request when the image cannot be judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnProblem {
    /// It is refused.
    Deny,
    /// It goes on.
    Allow,
    /// It goes on, with a warning.
    Warn,
}

/// What becomes of a request when there is no verdict yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnUnknown {
    /// The image is verified while the caller waits, where that fits; otherwise the caller is told to try again.
    Verify,
    /// The caller is told to try again; the image is verified meanwhile.
    Deny,
    /// It goes on; the image is verified meanwhile.
    Allow,
    /// It goes on, with a warning; the image is verified meanwhile.
    Warn,
}

/// What becomes of a reference by tag in Kubernetes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RequireDigest {
    /// It is refused.
    Deny,
    /// It is resolved and judged, with a warning.
    Warn,
    /// It is resolved and judged.
    Resolve,
}

/// Who may override a refusal in Kubernetes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BreakGlass {
    /// The annotation that holds the reason.
    pub annotation: String,
    /// Groups of which the caller must be in one.
    pub groups: Vec<String>,
    /// Whether an `ImageReview`, which names no caller, may carry it.
    pub is_for_image_reviews: bool,
}

/// `[[match]]`: a field that is empty fits all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// Who asks.
    pub hooks: Vec<Hook>,
    /// Globs over the namespace.
    pub namespaces: Vec<String>,
    /// Globs over `host/repository`.
    pub repositories: Vec<String>,
    /// The profile's name.
    pub profile: String,
}

/// `[registries."HOST"]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Registry {
    /// Where its credentials are.
    pub auth: Auth,
    /// A PEM file with its authority's certificate.
    pub ca: Option<PathBuf>,
    /// Whether it may be asked over plain HTTP.
    pub is_insecure: bool,
    /// Whether its name may resolve to a private address.
    pub allows_private: bool,
    /// Requests at once; 0: no cap.
    pub concurrency: usize,
    /// Hosts of token services that it may name, beside its own and the domains above it.
    pub token_hosts: Vec<String>,
}

/// Where a registry's credentials are; files are read when they are used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Auth {
    /// It is asked as anybody.
    #[default]
    Anonymous,
    /// A docker `config.json`.
    DockerConfig(PathBuf),
    /// A file with `user:password`.
    BasicFile(PathBuf),
    /// A file with a bearer token.
    TokenFile(PathBuf),
}

/// `[cache]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cache {
    /// Bytes of verdicts kept in the process; None: a default.
    pub memory_bytes: Option<u64>,
    /// Bytes of layer facts kept in the process; None: a default.
    pub layer_bytes: Option<u64>,
    /// A folder; None: none is used.
    pub directory: Option<PathBuf>,
    /// `redis://...` or `redis+unix://...`; None: none is used.
    pub redis: Option<String>,
}

impl Config {
    /// The profile for a request: that of the first match that fits, else `default`.
    #[must_use]
    pub fn profile(&self, hook: Hook, namespace: &str, repository: &str) -> Option<Arc<Profile>> {
        let fits = |globs: &[String], text: &str| {
            globs.is_empty() || globs.iter().any(|glob| glob::fits(glob, text.as_bytes(), Slash::Separates))
        };
        let found = self.matches.iter().find(|one| {
            (one.hooks.is_empty() || one.hooks.contains(&hook))
                && fits(&one.namespaces, namespace)
                && fits(&one.repositories, repository)
        });
        self.profiles.get(found.map_or("default", |one| one.profile.as_str())).cloned()
    }
}
