//! The arguments and the environment that say how registries are reached, and as whom.

use std::env;
use std::path::PathBuf;

use crate::oci::is_host;
use crate::source::registry::{Access, AuthFile, Credential, Mirror, Secret};

/// How images in registries are reached.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Registry")]
pub(super) struct Registry {
    /// Trust these certificate authorities too, a PEM file (may be given several times)
    #[arg(long = "registry-ca", value_name = "FILE")]
    ca_files: Vec<PathBuf>,

    /// Ask a mirror first, such as docker.io=mirror.example; then the registry itself (may be given several times)
    #[arg(long = "registry-mirror", value_name = "HOST=MIRROR", value_parser = Mirror::parse)]
    mirrors: Vec<Mirror>,

    /// Speak to this registry without TLS; hosts such as localhost need no leave (may be given several times)
    #[arg(long = "plain-http", value_name = "HOST", value_parser = host)]
    plain_http: Vec<String>,
}

impl Registry {
    /// The arguments, with what the environment says of credentials.
    pub(super) fn access(&self) -> Access {
        Access {
            plain_http: self.plain_http.clone(),
            ca_files: self.ca_files.clone(),
            mirrors: self.mirrors.clone(),
            given: given(variable),
            auth_files: auth_files(variable),
            run_helpers: true,
            ..Access::default()
        }
    }
}

fn host(text: &str) -> Result<String, String> {
    let refused = "write a host and its port, such as registry.example:5000";
    if is_host(text) { Ok(text.to_ascii_lowercase()) } else { Err(refused.to_owned()) }
}

/// A variable that is set to something.
fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// The credential of the environment: a token, or a name and a password.
fn given(variable: impl Fn(&str) -> Option<String>) -> Option<(Credential, &'static str)> {
    if let Some(token) = variable("PLIMSOLL_REGISTRY_TOKEN") {
        return Some((Credential::Bearer(Secret::new(token)), "PLIMSOLL_REGISTRY_TOKEN"));
    }
    let username = variable("PLIMSOLL_REGISTRY_USERNAME")?;
    let password = Secret::new(variable("PLIMSOLL_REGISTRY_PASSWORD")?);
    Some((Credential::Basic { username, password }, "PLIMSOLL_REGISTRY_USERNAME and PLIMSOLL_REGISTRY_PASSWORD"))
}

/// Where docker, podman, skopeo and helm keep what they log in with; the file that `REGISTRY_AUTH_FILE` names is the only one
/// when it is set.
fn auth_files(variable: impl Fn(&str) -> Option<String>) -> Vec<AuthFile> {
    if let Some(path) = variable("REGISTRY_AUTH_FILE") {
        return vec![AuthFile { path: path.into(), name: "REGISTRY_AUTH_FILE" }];
    }
    let home = || variable("HOME").map(PathBuf::from);
    let docker = variable("DOCKER_CONFIG").map(PathBuf::from).or_else(|| home().map(|home| home.join(".docker")));
    let runtime = variable("XDG_RUNTIME_DIR").map(PathBuf::from);
    let config = variable("XDG_CONFIG_HOME").map(PathBuf::from).or_else(|| home().map(|home| home.join(".config")));
    let places = [
        (docker.map(|folder| folder.join("config.json")), "Docker's config.json"),
        (runtime.map(|folder| folder.join("containers/auth.json")), "podman's auth.json"),
        (config.map(|folder| folder.join("containers/auth.json")), "podman's auth.json"),
    ];
    places.into_iter().filter_map(|(path, name)| Some(AuthFile { path: path?, name })).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(variables: &'static [(&str, &str)]) -> impl Fn(&str) -> Option<String> + Copy {
        move |name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    }

    #[test]
    fn a_token_counts_more_than_a_password_and_half_a_password_is_none() {
        let both = [("PLIMSOLL_REGISTRY_TOKEN", "t"), ("PLIMSOLL_REGISTRY_USERNAME", "u"), ("PLIMSOLL_REGISTRY_PASSWORD", "p")];
        let look = |from: usize, to: usize| {
            given(|name: &str| both[from..to].iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
        };
        assert!(matches!(look(0, 3), Some((Credential::Bearer(_), _))));
        assert!(matches!(look(1, 3), Some((Credential::Basic { .. }, _))));
        assert!(look(1, 2).is_none() && look(2, 3).is_none());
    }

    #[test]
    fn files_are_looked_for_where_docker_and_podman_keep_them() {
        let paths = |variables| {
            let files = auth_files(with(variables));
            files.iter().map(|file| file.path.display().to_string()).collect::<Vec<_>>()
        };
        let podman = "/u/me/.config/containers/auth.json";
        assert_eq!(paths(&[("HOME", "/u/me")]), ["/u/me/.docker/config.json", podman]);
        let all = &[("HOME", "/u/me"), ("DOCKER_CONFIG", "/d"), ("XDG_RUNTIME_DIR", "/run/me")];
        assert_eq!(paths(all), ["/d/config.json", "/run/me/containers/auth.json", podman]);
        assert_eq!(paths(&[("HOME", "/u/me"), ("REGISTRY_AUTH_FILE", "/f.json")]), ["/f.json"]);
        assert!(paths(&[]).is_empty());
    }
}
