//! `[registries."HOST"]`, and hosts as references and URLs write them.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};

use super::reader::{At, Faults, Section, shown};
use super::{Auth, Registry};
use crate::limits::MIB;
use crate::serve::host::Host;
use crate::serve::tls;

/// What `auth` says, before its file is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Anonymous,
    DockerConfig,
    BasicFile,
    TokenFile,
}

pub(super) fn registries(root: &mut Section<'_>, faults: &Faults<'_>, host: &Host) -> BTreeMap<String, Registry> {
    let mut registries = BTreeMap::new();
    for (name, section) in root.named("registries") {
        if !is_authority(&name.value) || name.value.to_lowercase() != name.value {
            let problem =
                format!("'{}' is no registry's host; write it as references do: registry.example:5000", shown(&name.value));
            faults.add(name.at, problem);
        }
        registries.insert(name.value, registry(section, faults, host));
    }
    registries
}

fn registry(mut section: Section<'_>, faults: &Faults<'_>, host: &Host) -> Registry {
    const KINDS: [(&str, Kind); 4] = [
        ("anonymous", Kind::Anonymous),
        ("docker-config", Kind::DockerConfig),
        ("basic-file", Kind::BasicFile),
        ("token-file", Kind::TokenFile),
    ];
    let at = section.at;
    let kind = section.word("auth", &KINDS).unwrap_or(Kind::Anonymous);
    let file = section.path("auth_file").map(|file| file.value);
    let auth = match (kind, file) {
        (Kind::Anonymous, None) => Auth::Anonymous,
        (Kind::Anonymous, Some(_)) => {
            faults.add(at, "`auth_file` needs `auth` to say what is in it: docker-config, basic-file or token-file");
            Auth::Anonymous
        }
        (Kind::DockerConfig, Some(file)) => Auth::DockerConfig(file),
        (Kind::BasicFile, Some(file)) => Auth::BasicFile(file),
        (Kind::TokenFile, Some(file)) => Auth::TokenFile(file),
        (_, None) => {
            faults.add(at, "this `auth` needs `auth_file`, the path of the file that holds it");
            Auth::Anonymous
        }
    };
    let ca = section.path("ca").map(|ca| {
        let read = (host.read)(&ca.value, MIB).and_then(|text| tls::certificates(&text));
        if let Err(problem) = read {
            faults.add(ca.at, format!("`ca` cannot be used: {problem}"));
        }
        ca.value
    });
    let registry = Registry {
        auth,
        ca,
        is_insecure: section.flag("insecure").unwrap_or_default(),
        allows_private: section.flag("allow_private").unwrap_or_default(),
        token_hosts: token_hosts(&mut section, faults),
        concurrency: section.count("concurrency", 0, 10_000).and_then(|count| count.try_into().ok()).unwrap_or_default(),
    };
    section.finish();
    registry
}

fn token_hosts(section: &mut Section<'_>, faults: &Faults<'_>) -> Vec<String> {
    let mut hosts = Vec::new();
    for host in section.texts("token_hosts") {
        if !is_authority(&host.value) {
            faults.add(host.at, format!("'{}' is no host of a token service, such as auth.example", shown(&host.value)));
        }
        hosts.push(host.value.to_lowercase());
    }
    hosts
}

/// The registry behind the gate: its URL without a slash at the end.
pub(super) fn upstream(url: &At<String>, registries: &BTreeMap<String, Registry>, faults: &Faults<'_>) -> Option<String> {
    const WANTED: &str = "a registry's URL without path or user, such as https://registry.example";
    let plain = url.value.strip_suffix('/').unwrap_or(&url.value);
    let (is_tls, authority) = match (plain.strip_prefix("https://"), plain.strip_prefix("http://")) {
        (Some(authority), _) => (true, authority),
        (None, Some(authority)) => (false, authority),
        (None, None) => (true, ""),
    };
    if !is_authority(authority) {
        // a URL may hold a password: it is not repeated
        faults.add(url.at, format!("`upstream` must be {WANTED}"));
        return None;
    }
    let may_be_plain = is_loopback(authority) || registries.get(authority).is_some_and(|registry| registry.is_insecure);
    if !is_tls && !may_be_plain {
        let advice = format!("use https://, or set `insecure = true` in [registries.\"{}\"]", shown(authority));
        faults.add(url.at, format!("`upstream` is plain HTTP and not on loopback; {advice}"));
    }
    Some(plain.to_owned())
}

/// `host`, `host:port`, `[::1]:port`: nothing else of a URL.
pub(super) fn is_authority(text: &str) -> bool {
    let (host, port) = split(text);
    let is_port = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|number| number > 0 && !port.starts_with('+')));
    let is_name = |host: &str| {
        let label = |label: &str| {
            !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        };
        host.len() <= 253 && host.split('.').all(label)
    };
    let is_v6 =
        host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).is_some_and(|host| host.parse::<Ipv6Addr>().is_ok());
    is_port && (is_v6 || is_name(host))
}

fn split(text: &str) -> (&str, Option<&str>) {
    match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    }
}

/// Whether a host is this machine, so far as its name alone tells.
fn is_loopback(authority: &str) -> bool {
    let (host, _) = split(authority);
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_is_a_host_and_perhaps_a_port() {
        for good in ["registry.example", "registry.example:5000", "localhost:1", "10.0.0.1", "[::1]:5000", "[::1]", "my_registry"]
        {
            assert!(is_authority(good), "{good}");
        }
        for bad in [
            "",
            ":5000",
            "a:",
            "a:0",
            "a:65536",
            "a:+1",
            "user@a",
            "a/b",
            "a b",
            "::1",
            "[::1",
            "a..b",
            "a?b",
            "a#b",
            "é.example",
        ] {
            assert!(!is_authority(bad), "{bad}");
        }
    }

    #[test]
    fn loopback_is_told_by_name_or_address() {
        for own in ["localhost", "localhost:5000", "127.0.0.1:5000", "127.9.9.9", "[::1]:5000"] {
            assert!(is_loopback(own), "{own}");
        }
        for other in ["localhost.example", "10.0.0.1", "[fe80::1]:1", "0.0.0.0"] {
            assert!(!is_loopback(other), "{other}");
        }
    }
}
