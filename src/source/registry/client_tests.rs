//! Hosts that must not be reached, and names that are no way around that.

use std::net::TcpListener;

use super::*;
use crate::source::registry::Networks;

/// What comes of asking for an image there when only public addresses are allowed, and whether anything was connected to.
fn asked(host: &str, port: u16, listener: &TcpListener, is_plain: bool) -> (String, bool) {
    let host = format!("{host}:{port}");
    let plain_http = if is_plain { vec![host.clone()] } else { Vec::new() };
    let access = Access { networks: Networks::Public, plain_http, ..Access::default() };
    let limits = Limits { registry_wait_seconds: 0, registry_stall_seconds: 2, ..Limits::default() };
    let reference: Reference = format!("{host}/a/b:1").parse().unwrap();
    let error = Client::new(&access, &reference, &limits).unwrap().get(Ask::Manifest("1")).err().unwrap();
    assert_eq!(error.code(), Code::RegistryUnreachable, "{error}");
    (error.to_string(), listener.accept().is_ok())
}

#[test]
fn addresses_that_are_not_public_are_not_connected_to_by_whatever_name() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    for host in ["localhost", "127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0.0.0.0", "[::ffff:127.0.0.1]"] {
        for is_plain in [false, true] {
            let (error, is_connected) = asked(host, port, &listener, is_plain);
            assert!(!is_connected, "{host}");
            assert!(error.contains("not a public address"), "{host}: {error}");
        }
    }
}

#[test]
fn mirrors_come_before_the_registry_and_only_for_their_host() {
    let mirror = |text: &str| super::super::Mirror::parse(text).unwrap();
    let mirrors = vec![mirror("docker.io=a.example/hub"), mirror("other.example=b.example"), mirror("docker.io=c.example")];
    let access = Access { mirrors, ..Access::default() };
    let client = Client::new(&access, &"docker.io/debian:13".parse().unwrap(), &Limits::default()).unwrap();
    let urls: Vec<String> = client.endpoints.iter().map(|endpoint| endpoint.url(Ask::Manifest("13")).text()).collect();
    assert_eq!(
        urls,
        [
            "https://a.example/v2/hub/library/debian/manifests/13",
            "https://c.example/v2/library/debian/manifests/13",
            "https://registry-1.docker.io/v2/library/debian/manifests/13",
        ]
    );
}

#[test]
fn redirects_keep_to_tls_and_out_of_this_machine() {
    let access = Access::default();
    let client = Client::new(&access, &"registry.example/a:1".parse().unwrap(), &Limits::default()).unwrap();
    let endpoint = &client.endpoints[0];
    let from = endpoint.url(Ask::Manifest("1"));
    let to = |location: &str| {
        let mut headers = HeaderMap::new();
        headers.insert("location", location.parse().unwrap());
        redirected(&from, &headers, endpoint).map(|url| url.text()).map_err(|failure| failure.error.to_string())
    };
    assert_eq!(to("https://storage.example/x?y").unwrap(), "https://storage.example/x?y");
    assert_eq!(to("/other").unwrap(), "https://registry.example/other");
    assert!(to("http://registry.example/x").unwrap_err().contains("does not speak TLS"));
    assert!(to("https://127.0.0.1:8443/x").unwrap_err().contains("this machine itself"));
    assert!(to("https://localhost/x?signature=sekrit").is_err_and(|error| !error.contains("sekrit")));
}
