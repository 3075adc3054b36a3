//! Requests that two readers could read differently: one reading, or none.

use super::stand_ins::{Scripted, asked, body, say};
use super::*;

fn taking() -> Scripted {
    Scripted::start(|head, stream, after| {
        body(head, stream, after);
        say(stream, "201 Created", "", b"");
    })
}

#[test]
fn a_path_that_is_no_plain_one_reaches_no_registry() {
    let registry = taking();
    let gate = Gate::before(&registry.host());
    let bytes = image("path");
    for path in [
        "/v2/smuggled//bad/manifests/1",
        "/v2/smuggled/../bad/manifests/1",
        "/v2/smuggled/bad/blobs/../manifests/1",
        "/v2/smuggled/bad/blobs/uploads/..%2f..%2fmanifests%2f1",
        "/v2/smuggled/bad/blobs/uploads/%2e%2e/%2e%2e/manifests/1",
        "/v2/smuggled/bad%2Fmanifests/1",
        "/v2/smuggled/bad/%256danifests/1",
        "/v2/smuggled/bad/Manifests/1",
        "/V2/smuggled/bad/manifests/1",
        "/v2/smuggled/bad/manifests/1/",
        "/v2/smuggled/bad/manifests/blobs/uploads/1",
        "/v2/smuggled/bad/manifests;x=y/1",
        "/v2/smuggled/bad/manifests/1?_method=DELETE",
        "//v2/smuggled/bad/manifests/1",
        "/./v2/smuggled/bad/manifests/1",
        "/x/../v2/smuggled/bad/manifests/1",
        "/",
        "/metrics",
        "/v1/verify",
    ] {
        for method in ["PUT", "POST", "PATCH", "GET"] {
            if path.contains('?') && method == "GET" {
                continue;
            }
            let reply = gate.ask(method, path, &[("Content-Type", OCI_MANIFEST), ("Authorization", "Bearer x")], &bytes);
            assert!(matches!(reply.status, 400 | 404 | 405), "{method} {path}: {reply:?}");
        }
    }
    assert!(registry.heads().is_empty() && asked(&format!("{}/smuggled/bad", registry.host())).is_empty());
}

#[test]
fn a_push_in_disguise_is_judged_as_the_push_that_it_is() {
    let registry = taking();
    let gate = Gate::before(&registry.host());
    let bytes = image("disguise");
    let host = gate.address().to_string();
    let headers = [("Content-Type", OCI_MANIFEST), ("Authorization", "Bearer x")];
    for target in [
        "/v2/disguise/bad/%6d%61nifests/1".to_owned(),
        "/v2/disguise/b%61d/manifests/%31".to_owned(),
        format!("http://{host}/v2/disguise/bad/manifests/1"),
        "http://elsewhere.example/v2/disguise/bad/manifests/1".to_owned(),
    ] {
        let reply = gate.ask("PUT", &target, &headers, &bytes);
        assert_eq!(reply.code(), (403, "DENIED".into()), "{target}");
    }
    assert!(!registry.has_put());
    // and what is not one stays none for the registry
    let method = [("X-HTTP-Method-Override", "PUT"), ("X-Original-URL", "/v2/disguise/bad/manifests/1")];
    assert_eq!(gate.ask("POST", "/v2/disguise/bad/manifests/1", &method, &bytes).status, 405);
    assert_eq!(gate.ask("GET", "/v2/disguise/bad/manifests/1", &method, b"").status, 201);
    let last = registry.heads().pop().unwrap();
    assert!(last.starts_with("GET /v2/disguise/bad/manifests/1 ") && !last.to_lowercase().contains("override"), "{last}");
    assert!(!last.to_lowercase().contains("x-original-url"));
}

#[test]
fn bodies_whose_length_is_told_twice_hide_no_second_request() {
    let registry = taking();
    let gate = Gate::before(&registry.host());
    let hidden = image("hidden");
    let second = format!(
        "PUT /v2/hidden/bad/manifests/1 HTTP/1.1\r\nHost: x\r\nContent-Type: {OCI_MANIFEST}\r\nContent-Length: {}\r\n\r\n{}",
        hidden.len(),
        String::from_utf8(hidden).unwrap()
    );
    let start = "POST /v2/hidden/good/blobs/uploads/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n";
    for first in [
        format!("{start}Content-Length: {}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", second.len() + 5),
        format!("{start}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"),
        format!("{start}Content-Length: 0\r\nContent-Length: {}\r\n\r\n", second.len()),
        format!("{start}Transfer-Encoding: identity, chunked\r\nContent-Length: 0\r\n\r\n"),
        format!("{start}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n"),
        format!("{start}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
        format!("{start}Content-Length: +0\r\n\r\n"),
        format!("{start}Content-Length: 0x0\r\n\r\n"),
    ] {
        let _ = exchange(gate.address(), format!("{first}{second}").as_bytes());
    }
    assert!(!registry.has_put(), "{:?}", registry.heads());
    // what the registry is told of lengths is ours
    for head in registry.heads() {
        let head = head.to_lowercase();
        assert!(!(head.contains("\r\ntransfer-encoding") && head.contains("\r\ncontent-length")), "{head}");
        assert!(head.matches("\r\ncontent-length").count() <= 1, "{head}");
    }
}

#[test]
fn a_connection_header_takes_nothing_away_that_was_judged() {
    let registry = taking();
    let gate = Gate::before(&registry.host());
    let bytes = image("connection");
    let head = format!(
        "PUT /v2/named/good/manifests/1 HTTP/1.1\r\nHost: x\r\nConnection: close, Content-Type, Content-Length, X-Forwarded-Host\r\n\
         Authorization: Bearer x\r\nContent-Type: {OCI_MANIFEST}\r\nContent-Length: {}\r\n\r\n",
        bytes.len()
    );
    let reply = exchange(gate.address(), &[head.as_bytes(), &bytes].concat()).unwrap();
    assert_eq!(reply.status, 201);
    let seen = registry.heads().pop().unwrap().to_lowercase();
    for line in
        [format!("content-type: {OCI_MANIFEST}"), format!("content-length: {}", bytes.len()), "x-forwarded-host: x".into()]
    {
        assert!(seen.contains(&format!("\r\n{line}\r\n")), "{seen}");
    }
}

#[test]
fn a_request_without_one_host_is_refused() {
    let registry = taking();
    let gate = Gate::before(&registry.host());
    for head in [
        "GET /v2/ HTTP/1.1\r\nConnection: close\r\n\r\n",
        "GET /v2/ HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n",
        "GET /v2/ HTTP/1.1\r\nHost: a/b\r\nConnection: close\r\n\r\n",
        "CONNECT elsewhere.example:443 HTTP/1.1\r\nHost: elsewhere.example\r\nConnection: close\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    ] {
        let reply = exchange(gate.address(), head.as_bytes()).unwrap();
        assert!(matches!(reply.status, 400 | 404 | 405), "{head} {reply:?}");
    }
    assert!(registry.heads().is_empty());
}
