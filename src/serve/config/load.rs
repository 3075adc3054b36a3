//! From the file to a checked [`Config`]: nothing of it is used unless all of it is in order.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use toml::de::DeTable;

use super::reader::{At, Fault, Faults, Section, shown};
use super::{Cache, Config, Gate, Registry, Server, Tls, hooks, profiles, registries};
use crate::cache::Redis;
use crate::limits::{GIB, KIB, Limits, MIB};
use crate::policy::likest;
use crate::serve::client::ClientName;
use crate::serve::host::Host;
use crate::serve::tls;

/// Bytes of a configuration file.
const MOST_BYTES: u64 = MIB;
/// Bytes of a file with a token.
pub(in crate::serve) const MOST_TOKEN_BYTES: u64 = 64 * KIB;

/// What a server allows of an image by default: less than the command line does, since it is not its caller's own image.
#[must_use]
pub fn limits() -> Limits {
    Limits {
        stored_bytes: 2 * GIB,
        image_bytes: 8 * GIB,
        layer_bytes: 8 * GIB,
        image_entries: 500_000,
        layer_entries: 500_000,
        source_entries: 2_000_000,
        layers: 128,
        index_depth: 2,
        index_manifests: 64,
        layer_name_bytes: 128 * MIB,
        kept_bytes: 256 * MIB,
        merge_steps: 50_000_000,
        tree_path_bytes: 256 * MIB,
        // a worker is busy meanwhile
        registry_seconds: 600,
        registry_tries: 3,
        registry_resumes: 3,
        registry_wait_seconds: 5,
        registry_stall_seconds: 15,
        ..Limits::default()
    }
}

/// Reads, checks and completes the configuration; Err tells everything that is wrong with it.
pub fn load(path: &Path, host: &Host) -> Result<Config, Vec<Fault>> {
    let whole = |problem: String| vec![Fault { file: crate::oci::escape_text(&path.to_string_lossy()), place: None, problem }];
    let text = (host.read)(path, MOST_BYTES).map_err(|error| whole(format!("cannot be read: {error}")))?;
    let faults = Faults::new(path, &text);
    let (table, errors) = DeTable::parse_recoverable(&text);
    for error in &errors {
        faults.add(error.span().map_or(0, |span| span.start), error.message().trim().replace('\n', ", "));
    }
    // what could not be parsed would be told of twice, and wrongly
    let config = if errors.is_empty() { Some(config(table.get_ref(), &faults, host)) } else { None };
    let told = faults.told();
    match config {
        Some(config) if told.is_empty() => Ok(config),
        _ => Err(told),
    }
}

fn config(table: &DeTable<'_>, faults: &Faults<'_>, host: &Host) -> Config {
    let mut root = Section::new(table, 0, faults);
    let registries = registries::registries(&mut root, faults, host);
    let profiles = profiles::profiles(&mut root, faults, host);
    let config = Config {
        server: root.section("server").map_or_else(Server::default, |section| server(section, faults, host)),
        gate: root.section("gate").and_then(|section| gate(section, faults, host, &registries)),
        matches: hooks::matches(&mut root, faults, &profiles),
        profiles,
        limits: root.section("limits").map_or_else(limits, |section| own_limits(&section, faults)),
        cache: root.section("cache").map_or_else(Cache::default, |section| cache(section, faults)),
        registries,
    };
    distinct(&config, faults);
    root.finish();
    config
}

fn server(mut section: Section<'_>, faults: &Faults<'_>, host: &Host) -> Server {
    let plain = Server::default();
    let api = section.address("api");
    let at = api.as_ref().map_or(section.at, |api| api.at);
    let size = |number: Option<u64>, otherwise: usize| number.and_then(|number| number.try_into().ok()).unwrap_or(otherwise);
    let own_tls = section.section("tls");
    let has_tls = own_tls.is_some();
    let server = Server {
        api: api.map_or(plain.api, |api| api.value),
        operations: section.address("operations").map_or(plain.operations, |at| at.value),
        tls: own_tls.and_then(|section| tls(section, faults, host)),
        token_file: section.path("token_file").map(|file| {
            match (host.read)(&file.value, MOST_TOKEN_BYTES) {
                Ok(token) if token.trim().len() >= 16 => {}
                Ok(_) => faults.add(file.at, "the token must have at least 16 characters"),
                Err(error) => faults.add(file.at, format!("the token cannot be read: {error}")),
            }
            file.value
        }),
        public_url: section.parsed("public_url", URL, public_url).map_or(plain.public_url, |url| url.value),
        max_body: section.bytes("max_body").unwrap_or(plain.max_body),
        max_inflight: size(section.count("max_inflight", 1, 100_000), plain.max_inflight),
        max_inflight_per_caller: size(section.count("max_inflight_per_caller", 1, 100_000), plain.max_inflight_per_caller),
        max_inflight_per_namespace: size(
            section.count("max_inflight_per_namespace", 1, 100_000),
            plain.max_inflight_per_namespace,
        ),
        workers: size(section.count("workers", 1, 1_024), plain.workers),
        max_queue: size(section.count("max_queue", 1, 1_000_000), plain.max_queue),
        drain: section.duration("drain").unwrap_or(plain.drain),
    };
    if !has_tls && !server.api.ip().is_loopback() {
        faults.add(at, format!("`api` is {}: only a loopback address may do without [server.tls]", server.api));
    }
    section.finish();
    server
}

const URL: &str = "a URL without path or user, such as https://plimsoll.example:8443";

fn public_url(text: &str) -> Option<String> {
    let url = text.strip_suffix('/').unwrap_or(text);
    let authority = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    registries::is_authority(authority).then(|| url.to_owned())
}

fn tls(mut section: Section<'_>, faults: &Faults<'_>, host: &Host) -> Option<Tls> {
    let at = section.at;
    let (cert, key) = (section.path("cert"), section.path("key"));
    let client_ca = section.path("client_ca");
    let client_names = client_names(&mut section, faults, client_ca.is_some());
    section.finish();
    let (Some(cert), Some(key)) = (cert, key) else {
        faults.add(at, "`cert` and `key` are both needed, each the path of a PEM file");
        return None;
    };
    let tls = Tls { cert: cert.value, key: key.value, client_ca: client_ca.map(|ca| ca.value), client_names };
    if let Err(problem) = tls::load(&tls, host) {
        faults.add(at, problem);
    }
    Some(tls)
}

fn client_names(section: &mut Section<'_>, faults: &Faults<'_>, has_ca: bool) -> Vec<ClientName> {
    let at = section.at;
    if section.has("client_names") && !has_ca {
        faults.add(at, "`client_names` needs `client_ca`, the authority of these certificates");
    }
    let names = section.texts("client_names");
    if section.has("client_names") && names.is_empty() {
        faults.add(at, "`client_names` holds no name; leave it out to take every certificate of `client_ca`");
    }
    let read = |name: At<String>| {
        let read = name.value.parse().ok();
        if read.is_none() {
            let problem = format!("'{}' is no name of a client; write a DNS name, an address, or a URI", shown(&name.value));
            faults.add(name.at, problem);
        }
        read
    };
    names.into_iter().filter_map(read).collect()
}

fn gate(mut section: Section<'_>, faults: &Faults<'_>, host: &Host, registries: &BTreeMap<String, Registry>) -> Option<Gate> {
    let at = section.at;
    let (listen, upstream) = (section.address("listen"), section.text("upstream"));
    let gate_tls = section.section("tls").and_then(|section| tls(section, faults, host));
    let deadline = section.duration("deadline").unwrap_or(Duration::from_secs(50));
    let pass_types = section.texts("pass_types").into_iter().map(|one| one.value).collect();
    let has_reason_phrase = section.flag("reason_phrase").unwrap_or(true);
    section.finish();
    let (Some(listen), Some(upstream)) = (listen, upstream) else {
        faults.add(at, "`listen` and `upstream` are both needed, such as 0.0.0.0:5000 and https://registry.example");
        return None;
    };
    let upstream = registries::upstream(&upstream, registries, faults)?;
    Some(Gate { listen: listen.value, tls: gate_tls, upstream, deadline, pass_types, has_reason_phrase })
}

fn cache(mut section: Section<'_>, faults: &Faults<'_>) -> Cache {
    let cache = Cache {
        memory_bytes: section.bytes("memory"),
        layer_bytes: section.bytes("layer_memory"),
        directory: section.path("directory").map(|folder| folder.value),
        // the URL may hold a password: it is not repeated
        redis: section.text("redis").map(|url| {
            if let Err(error) = Redis::new(&url.value, Duration::ZERO) {
                faults.add(url.at, format!("`redis`: {error}"));
            }
            url.value
        }),
    };
    section.finish();
    cache
}

fn own_limits(section: &Section<'_>, faults: &Faults<'_>) -> Limits {
    let mut limits = limits();
    let names = || Limits::ALL.iter().map(|(name, ..)| *name);
    for (name, value) in section.sizes() {
        let is_known = value.is_none_or(|value| limits.set(&name.value, value)) || names().any(|known| known == name.value);
        if !is_known {
            let alike = likest(&name.value, names());
            let advice = if alike.is_empty() { String::new() } else { format!("did you mean {}? ", alike.join(" or ")) };
            let problem = format!("unknown limit '{}'; {advice}`plimsoll limits` lists them all", shown(&name.value));
            faults.add(name.at, problem);
        }
    }
    limits
}

/// Two listeners cannot share a port.
fn distinct(config: &Config, faults: &Faults<'_>) {
    let mut listeners = vec![("server.api", config.server.api), ("server.operations", config.server.operations)];
    listeners.extend(config.gate.as_ref().map(|gate| ("gate.listen", gate.listen)));
    let collide = |a: SocketAddr, b: SocketAddr| {
        let is_any = a.ip() == b.ip() || a.ip().is_unspecified() || b.ip().is_unspecified();
        a.port() != 0 && a.port() == b.port() && is_any
    };
    for (index, (name, address)) in listeners.iter().enumerate() {
        for (earlier, other) in listeners.iter().take(index) {
            if collide(*address, *other) {
                faults.add(0, format!("{earlier} and {name} both listen on port {}; give each its own", address.port()));
            }
        }
    }
}
