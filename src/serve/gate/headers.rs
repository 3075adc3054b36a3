//! Headers across the gate: all that is said to the other end, in order and repeated as it was; nothing that is said to the gate.

use axum::http::header::{
    CONNECTION, CONTENT_LENGTH, EXPECT, FORWARDED, HOST, LOCATION, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER,
    TRANSFER_ENCODING, UPGRADE,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Uri};

use super::path::Target;
use crate::serve::http::Peer;

/// RFC 9110, 7.6.1, and the older ones that it names.
const OF_ONE_HOP: [HeaderName; 9] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    HeaderName::from_static("http2-settings"),
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
    PROXY_AUTHENTICATE,
];

/// What would have the registry see another request than the gate does, or what the gate says itself.
const NOT_FROM_CLIENTS: [&str; 11] = [
    "x-http-method-override",
    "x-http-method",
    "x-method-override",
    "x-original-url",
    "x-rewrite-url",
    "x-original-uri",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-forwarded-port",
    "x-forwarded-prefix",
    "x-forwarded-ssl",
];

/// Where the client believes it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Facade {
    /// `https` where the gate speaks TLS, or where what stands before it says so.
    pub(super) scheme: &'static str,
    /// Host and port.
    pub(super) authority: HeaderValue,
}

impl Facade {
    /// None when the request names no host, or no such thing.
    pub(super) fn of(headers: &HeaderMap, uri: &Uri, is_tls: bool) -> Option<Self> {
        let mut hosts = headers.get_all(HOST).iter();
        let (host, second) = (hosts.next(), hosts.next());
        let authority = match uri.authority() {
            _ if second.is_some() => return None,
            Some(authority) => HeaderValue::from_str(authority.as_str()).ok()?,
            None => host?.clone(),
        };
        let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(byte);
        if authority.is_empty() || authority.len() > 300 || !authority.as_bytes().iter().all(is_plain) {
            return None;
        }
        let says_https = headers.get("x-forwarded-proto").is_some_and(|proto| proto.as_bytes().eq_ignore_ascii_case(b"https"));
        Some(Self { scheme: if is_tls || says_https { "https" } else { "http" }, authority })
    }
}

/// The headers of a request as they are forwarded; its length is told by its body.
pub(super) fn onward(headers: &HeaderMap, facade: &Facade, peer: &Peer, upstream: &str) -> HeaderMap {
    let mut out = without_hop(headers, |name| {
        let is_ours = NOT_FROM_CLIENTS.contains(&name.as_str());
        // the body is asked for as it is forwarded
        is_ours || matches!(*name, HOST | CONTENT_LENGTH | EXPECT | FORWARDED | PROXY_AUTHORIZATION)
    });
    let mut insert = |name: &'static str, value: Option<HeaderValue>| {
        if let Some(value) = value {
            out.insert(HeaderName::from_static(name), value);
        }
    };
    insert("host", HeaderValue::from_str(upstream).ok());
    insert("x-forwarded-host", Some(facade.authority.clone()));
    insert("x-forwarded-proto", Some(HeaderValue::from_static(facade.scheme)));
    if let Ok(address) = HeaderValue::from_str(&peer.address.ip().to_string()) {
        out.append(HeaderName::from_static("x-forwarded-for"), address);
    }
    out
}

/// The headers of an answer as they are handed on.
pub(super) fn back(headers: &HeaderMap, facade: &Facade, upstream: &str) -> HeaderMap {
    let mut out = without_hop(headers, |_| false);
    let moved = out.get(LOCATION).and_then(|location| moved(location.to_str().ok()?, facade, upstream));
    if let Some(moved) = moved {
        out.insert(LOCATION, moved);
    }
    out
}

fn without_hop(headers: &HeaderMap, is_dropped: impl Fn(&HeaderName) -> bool) -> HeaderMap {
    let named: Vec<String> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|name| name.trim().to_ascii_lowercase())
        .collect();
    let mut out = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers {
        let is_hop = OF_ONE_HOP.contains(name) || named.iter().any(|named| named == name.as_str());
        if !is_hop && !is_dropped(name) {
            out.append(name.clone(), value.clone());
        }
    }
    out
}

/// A location at the registry itself, as one at the gate; None where it stays as it is: relative, elsewhere (a store of blobs), or
/// nothing that could be asked here.
fn moved(location: &str, facade: &Facade, upstream: &str) -> Option<HeaderValue> {
    let uri: Uri = location.parse().ok()?;
    let (scheme, authority) = (uri.scheme_str()?, uri.authority()?);
    let port = if scheme == "https" { ":443" } else { ":80" };
    let bare = |text: &str| text.strip_suffix(port).unwrap_or(text).to_ascii_lowercase();
    if bare(authority.as_str()) != bare(upstream) || Target::parse(uri.path()).is_err() {
        return None;
    }
    let rest = uri.path_and_query().map_or("/", |rest| rest.as_str());
    HeaderValue::try_from(format!("{}://{}{rest}", facade.scheme, facade.authority.to_str().ok()?)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).fold(
            HeaderMap::new(),
            |mut map, (name, value)| {
                map.append(name, value);
                map
            },
        )
    }

    fn facade() -> Facade {
        Facade { scheme: "https", authority: HeaderValue::from_static("gate.example:5000") }
    }

    fn peer() -> Peer {
        Peer { address: ([192, 0, 2, 7], 1).into(), listener: ([127, 0, 0, 1], 2).into(), client: None }
    }

    #[test]
    fn repeated_headers_survive_and_those_of_the_hop_do_not() {
        let sent = headers(&[
            ("accept", "a/b"),
            ("accept", "c/d, e/f"),
            ("authorization", "Bearer x"),
            ("connection", "close, X-Only-Here"),
            ("x-only-here", "1"),
            ("keep-alive", "5"),
            ("te", "trailers"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "h2c"),
            ("proxy-authorization", "Basic x"),
            ("expect", "100-continue"),
            ("content-length", "5"),
            ("content-range", "0-4"),
            ("x-http-method-override", "PUT"),
            ("x-original-url", "/v2/a/manifests/x"),
            ("x-forwarded-host", "evil.example"),
            ("x-forwarded-for", "198.51.100.1"),
            ("forwarded", "host=evil.example"),
            ("host", "gate.example:5000"),
        ]);
        let out = onward(&sent, &facade(), &peer(), "registry.example");
        let mut lines: Vec<String> = out.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
        lines.sort();
        assert_eq!(
            lines,
            [
                "accept: a/b",
                "accept: c/d, e/f",
                "authorization: Bearer x",
                "content-range: 0-4",
                "host: registry.example",
                "x-forwarded-for: 192.0.2.7",
                "x-forwarded-for: 198.51.100.1",
                "x-forwarded-host: gate.example:5000",
                "x-forwarded-proto: https",
            ]
        );
    }

    #[test]
    fn only_a_location_at_the_registry_that_can_be_asked_here_is_moved() {
        let to =
            |location: &str| moved(location, &facade(), "registry.example:5001").map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(
            to("http://registry.example:5001/v2/a/blobs/uploads/u?_state=x%3D").as_deref(),
            Some("https://gate.example:5000/v2/a/blobs/uploads/u?_state=x%3D")
        );
        assert!(to("https://REGISTRY.example:5001/v2/a/blobs/uploads/u").is_some());
        for kept in [
            "/v2/a/blobs/uploads/u",
            "u",
            "https://store.example/bucket/x?sig=y",
            "https://registry.example/v2/a/blobs/uploads/u",
            "https://registry.example:5001.evil.example/v2/a/blobs/uploads/u",
            "https://user@registry.example:5001/v2/a/blobs/uploads/u",
            "https://registry.example:5001/storage/u",
        ] {
            assert_eq!(to(kept), None, "{kept}");
        }
        let default = moved("https://registry.example:443/v2/a/blobs/uploads/u", &facade(), "registry.example");
        assert!(default.is_some());
    }

    #[test]
    fn a_client_that_names_no_host_or_two_has_none() {
        let of = |pairs: &[_], uri: &str, is_tls| Facade::of(&headers(pairs), &uri.parse().unwrap(), is_tls);
        assert_eq!(of(&[("host", "gate.example:5000")], "/v2/", true), Some(facade()));
        assert_eq!(of(&[], "https://gate.example:5000/v2/", true), Some(facade()));
        assert_eq!(of(&[("host", "gate.example:5000"), ("x-forwarded-proto", "https")], "/v2/", false), Some(facade()));
        assert_eq!(of(&[("host", "a")], "/v2/", false).unwrap().scheme, "http");
        assert_eq!(of(&[], "/v2/", true), None);
        assert_eq!(of(&[("host", "a"), ("host", "b")], "/v2/", true), None);
        assert_eq!(of(&[("host", "a/b")], "/v2/", true), None);
        assert_eq!(of(&[("host", "")], "/v2/", true), None);
    }

    #[test]
    fn challenges_and_repeated_answers_are_handed_on_unchanged() {
        let said = headers(&[
            ("www-authenticate", "Bearer realm=\"https://auth.example/token\",service=\"registry.example\""),
            ("link", "</v2/_catalog?last=a&n=1>; rel=\"next\""),
            ("warning", "299 - \"old\""),
            ("warning", "299 - \"older\""),
            ("content-length", "12"),
            ("connection", "keep-alive"),
        ]);
        let out = back(&said, &facade(), "registry.example");
        assert_eq!(out.len(), 5);
        assert_eq!(out.get_all("warning").iter().count(), 2);
        assert_eq!(out.get("www-authenticate"), said.get("www-authenticate"));
    }
}
