//! Who to be at a registry: files in the format of Docker's `config.json`, read at the time of use, and the helper programs
//! that they name.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Read as _};

use base64::Engine as _;
use serde::Deserialize;

use super::access::{Access, AuthFile, Credential, Secret};
use super::credential_program;
use crate::limits::Limits;

/// What was found for a host.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) credential: Option<Credential>,
    /// Where it comes from; without one, what was looked at and why it gave none. For messages: no secret, no path.
    pub(super) told: String,
}

/// The parts of `config.json` and `auth.json` that tell who to be.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Config {
    auths: BTreeMap<String, Option<Entry>>,
    #[serde(rename = "credHelpers")]
    helpers: BTreeMap<String, String>,
    #[serde(rename = "credsStore")]
    store: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry {
    auth: String,
    username: String,
    password: String,
    identitytoken: String,
    registrytoken: String,
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(hidden)")
    }
}

/// The credential for `repository` at `host`. `is_asked` says that this is the host of the reference itself: what the
/// environment gives is for that one alone.
pub(super) fn find(access: &Access, host: &str, repository: &str, is_asked: bool, limits: &Limits) -> Found {
    if let Some((credential, name)) = access.given.as_ref().filter(|_| is_asked) {
        return Found { credential: Some(credential.clone()), told: (*name).to_owned() };
    }
    let mut told = Vec::new();
    for file in &access.auth_files {
        match read(file, limits) {
            Ok(None) => {}
            Err(reason) => told.push(format!("{} could not be read ({reason})", file.name)),
            Ok(Some(config)) => match in_config(&config, access, file, host, repository) {
                Ok(None) => {}
                Ok(Some((credential, told))) => return Found { credential: Some(credential), told },
                Err(reason) => told.push(reason),
            },
        }
    }
    if told.is_empty() {
        told.push("no credentials are known for it".to_owned());
    }
    Found { credential: None, told: told.join("; ") }
}

/// Reads a file of credentials; None when it is not there.
fn read(file: &AuthFile, limits: &Limits) -> Result<Option<Config>, String> {
    // looked at before it is opened, since opening a fifo waits for a writer
    match std::fs::metadata(&file.path) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
        Err(error) => return Err(error.kind().to_string()),
        Ok(metadata) if !metadata.is_file() => return Err("it is no regular file".to_owned()),
        Ok(_) => {}
    }
    let opened = File::open(&file.path).map_err(|error| error.kind().to_string())?;
    let mut bytes = Vec::new();
    let most = limits.registry_auth_file_bytes;
    opened.take(most.saturating_add(1)).read_to_end(&mut bytes).map_err(|error| error.kind().to_string())?;
    limits.registry_auth_file_bytes(u64::try_from(bytes.len()).unwrap_or(u64::MAX)).map_err(|hit| hit.to_string())?;
    parse(&bytes).map(Some)
}

/// The reason names no content: a value at fault may be a password.
fn parse(bytes: &[u8]) -> Result<Config, String> {
    serde_json::from_slice(bytes)
        .map_err(|error| format!("no JSON of that format at line {} column {}", error.line(), error.column()))
}

/// Looks into one file: the helper of the host, the entries from the repository up to the host, the helper of all hosts.
fn in_config(
    config: &Config,
    access: &Access,
    file: &AuthFile,
    host: &str,
    repository: &str,
) -> Result<Option<(Credential, String)>, String> {
    let keys = keys(host, repository);
    let of_host = keys.iter().find_map(|key| config.helpers.iter().find(|(name, _)| normal(name) == *key));
    let mut failure = None;
    let asked = of_host.map(|(key, name)| (name.as_str(), key.as_str())).or_else(|| {
        let address = if host == "docker.io" { "https://index.docker.io/v1/" } else { host };
        (!config.store.is_empty()).then_some((config.store.as_str(), address))
    });
    if let Some((name, address)) = asked.filter(|_| access.run_helpers) {
        match credential_program::get(name, address) {
            Ok(Some(credential)) => {
                return Ok(Some((credential, format!("the helper docker-credential-{name}, which {} names", file.name))));
            }
            Ok(None) => {}
            Err(reason) => failure = Some(format!("the helper that {} names gave none: {reason}", file.name)),
        }
    }
    let entries = keys.iter().filter_map(|key| config.auths.iter().find(|(name, _)| normal(name) == *key));
    for (_, entry) in entries {
        if let Some(credential) = entry.as_ref().map(of_entry).transpose()?.flatten() {
            return Ok(Some((credential, file.name.to_owned())));
        }
    }
    failure.map_or(Ok(None), Err)
}

/// What a registry's entry may be called: with the namespaces of the repository (podman's way), longest first, then the host
/// and its other names.
fn keys(host: &str, repository: &str) -> Vec<String> {
    let mut keys = Vec::new();
    let mut namespace = Some(repository);
    while let Some(name) = namespace {
        keys.push(format!("{host}/{name}"));
        namespace = name.rsplit_once('/').map(|(above, _)| above);
    }
    keys.push(host.to_owned());
    if host == "docker.io" {
        keys.extend(["index.docker.io".to_owned(), "registry-1.docker.io".to_owned()]);
    }
    keys
}

/// An entry's name without what older programs put around the host: the scheme and the version of the protocol.
fn normal(name: &str) -> String {
    let name = name.strip_prefix("https://").or_else(|| name.strip_prefix("http://")).unwrap_or(name);
    let name = name.trim_end_matches('/');
    let name = name.strip_suffix("/v1").or_else(|| name.strip_suffix("/v2")).unwrap_or(name);
    let (host, path) = name.split_once('/').map_or((name, None), |(host, path)| (host, Some(path)));
    let host = host.to_ascii_lowercase();
    path.map_or_else(|| host.clone(), |path| format!("{host}/{path}"))
}

fn of_entry(entry: &Entry) -> Result<Option<Credential>, String> {
    let secret = |text: &str| Secret::new(text.to_owned());
    if !entry.identitytoken.is_empty() {
        return Ok(Some(Credential::Identity(secret(&entry.identitytoken))));
    }
    if !entry.registrytoken.is_empty() {
        return Ok(Some(Credential::Bearer(secret(&entry.registrytoken))));
    }
    if !entry.auth.is_empty() {
        let wrong = || "an `auth` in it is not the base64 of NAME:PASSWORD".to_owned();
        let bytes = base64::engine::general_purpose::STANDARD.decode(entry.auth.trim()).map_err(|_| wrong())?;
        let text = String::from_utf8(bytes).map_err(|_| wrong())?;
        let (username, password) = text.split_once(':').ok_or_else(wrong)?;
        let password = secret(password.trim_end_matches('\0'));
        return Ok(Some(Credential::Basic { username: username.to_owned(), password }));
    }
    let is_given = !entry.username.is_empty() && !entry.password.is_empty();
    Ok(is_given.then(|| Credential::Basic { username: entry.username.clone(), password: secret(&entry.password) }))
}

/// For the fuzzer: reads a file's bytes and looks a host up in it.
pub(super) fn probe(bytes: &[u8]) -> bool {
    let Ok(config) = parse(bytes) else { return false };
    let file = AuthFile { path: std::path::PathBuf::new(), name: "the file" };
    matches!(in_config(&config, &Access::default(), &file, "registry.example", "a/b"), Ok(Some(_)))
}

#[cfg(test)]
#[path = "credentials_tests.rs"]
mod tests;
