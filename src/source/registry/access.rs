//! How registries may be reached and as whom: what a command line or a server's configuration says. Pure data.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// A password or token: never printed, logged or compared.
#[derive(Clone, Default)]
pub struct Secret(String);

impl Secret {
    /// Wraps what must not be shown.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text itself, for the one header or form that it is meant for.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether there is nothing to hide.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

/// Who asks.
#[derive(Debug, Clone)]
pub enum Credential {
    /// A name and a password.
    Basic {
        /// The name.
        username: String,
        /// The password, or an access token that stands in for one.
        password: Secret,
    },
    /// A refresh token of OAuth 2 (Docker's `identitytoken`), which buys tokens from the registry's token service.
    Identity(Secret),
    /// A token that the registry itself takes.
    Bearer(Secret),
}

/// A file of credentials, in the format of Docker's `config.json`, which `auth.json` of podman and skopeo shares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthFile {
    /// Where it is.
    pub path: PathBuf,
    /// What messages call it: reports hold no path of the host.
    pub name: &'static str,
}

/// A registry that is asked first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mirror {
    /// Whose images it has.
    pub of: String,
    /// Its host and port.
    pub host: String,
    /// What it puts before the names of repositories; may be empty.
    pub prefix: String,
}

/// Which addresses may be connected to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Networks {
    /// Any.
    #[default]
    Any,
    /// Any but those at which clouds have their metadata services: link-local ones, and a few others.
    NoMetadata,
    /// Those of the public internet. Then no proxy is used, since a proxy resolves names itself.
    Public,
}

/// How registries may be reached, and as whom.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// Hosts that are spoken to without TLS; loopback hosts need not be listed.
    pub plain_http: Vec<String>,
    /// Certificate authorities in PEM, beside those of the system.
    pub ca_files: Vec<PathBuf>,
    /// Mirrors, in the order in which they are tried.
    pub mirrors: Vec<Mirror>,
    /// Credentials for the reference's own host, and what messages call their source.
    pub given: Option<(Credential, &'static str)>,
    /// Files of credentials; of several that know a host, the first counts. They are read when they are needed.
    pub auth_files: Vec<AuthFile>,
    /// Whether the files may name programs to run for credentials (`docker-credential-...`).
    pub run_helpers: bool,
    /// Which addresses hosts may resolve to.
    pub networks: Networks,
    /// What the reference's own registry is sent as `Authorization`, as it is; then nobody logs in. An empty one is nobody.
    pub authorization: Option<Secret>,
    /// Hosts of token services that a registry may name, beside its own host and the domains above it; None: any that speaks TLS.
    pub token_hosts: Option<Vec<String>>,
    /// What to do about a refusal; None: what helps on a command line.
    pub login_advice: Option<String>,
    /// Connections that others have made and may use again; None: they are made anew.
    #[cfg(feature = "registry")]
    pub connections: Option<super::Connections>,
    /// Who is told what registries answer.
    pub observer: Option<Arc<dyn Observer>>,
}

/// Counts.
pub trait Observer: fmt::Debug + Send + Sync {
    /// The registry `host` has answered; 0: it has not.
    fn answered(&self, host: &str, status: u16);
    /// So many bytes of a blob were read.
    fn read(&self, bytes: u64);
}

impl Mirror {
    /// Reads `HOST=MIRROR`, where MIRROR may have a path that goes before the repository.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let how = "write HOST=MIRROR, such as docker.io=mirror.example or docker.io=proxy.example:5000/hub";
        let (of, mirror) = text.split_once('=').ok_or(how)?;
        let (host, prefix) = mirror.split_once('/').unwrap_or((mirror, ""));
        let is_prefix = prefix.is_empty() || crate::oci::is_repository(prefix);
        if !crate::oci::is_host(of) || !crate::oci::is_host(host) || !is_prefix {
            return Err(how.to_owned());
        }
        Ok(Self { of: of.to_ascii_lowercase(), host: host.to_ascii_lowercase(), prefix: prefix.to_owned() })
    }
}

/// Whether a host, with or without a port, is this machine by its very name.
#[cfg(any(test, feature = "registry"))]
pub(super) fn is_loopback(host: &str) -> bool {
    let name = name_of(host);
    let is_address = name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    is_address || name == "localhost" || name.ends_with(".localhost")
}

/// A host without its port and brackets.
#[cfg(any(test, feature = "registry"))]
pub(super) fn name_of(host: &str) -> &str {
    match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(rest),
        None => host.split(':').next().unwrap_or(host),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_shown() {
        let given = Some((Credential::Basic { username: "me".into(), password: Secret::new("hunter2".into()) }, "x"));
        let shown = format!("{:?}", Access { given, ..Access::default() });
        assert!(shown.contains("hidden") && !shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn loopback_is_told_by_the_name_alone() {
        for host in ["localhost", "localhost:5000", "127.0.0.1:80", "127.9.9.9", "[::1]:5000", "x.localhost"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["localhost.example", "128.0.0.1", "registry.example:5000", "[::2]", "127.0.0.1.example", "notlocalhost"] {
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[test]
    fn mirrors_have_a_host_and_may_have_a_path() {
        let mirror = Mirror::parse("docker.io=proxy.example:5000/hub/x").unwrap();
        assert_eq!(
            (mirror.of.as_str(), mirror.host.as_str(), mirror.prefix.as_str()),
            ("docker.io", "proxy.example:5000", "hub/x")
        );
        assert_eq!(Mirror::parse("docker.io=mirror.example").unwrap().prefix, "");
        for text in ["", "docker.io", "docker.io=", "=x.example", "docker.io=https://x.example", "docker.io=u@x.example", "a=b/C"]
        {
            assert!(Mirror::parse(text).is_err(), "{text}");
        }
    }
}
