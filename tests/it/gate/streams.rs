//! What streams through untouched: uploads whole, in chunks and resumed, mounts, ranges, lists, deletes; and what statements are
//! made of, which is looked at in the registry.

use std::io::Write as _;
use std::net::SocketAddr;

use serde_json::json;

use super::real::{Registry, has};
use super::stand_ins::{Scripted, asked, body, say};
use super::*;

const DSSE: &str = "application/vnd.dsse.envelope.v1+json";

/// Path and query of a location at the gate itself.
fn own<'a>(reply: &'a Reply, gate: &Gate) -> &'a str {
    let location = reply.header("location").unwrap_or_else(|| panic!("{reply:?}"));
    location.strip_prefix(&format!("http://{}", gate.address())).unwrap_or(location)
}

fn with(path: &str, pair: &str) -> String {
    format!("{path}{}{pair}", if path.contains('?') { '&' } else { '?' })
}

/// Uploads a blob in one piece.
fn upload(gate: &Gate, repository: &str, blob: &[u8]) {
    let begun = gate.ask("POST", &format!("/v2/{repository}/blobs/uploads/"), &[], b"");
    assert_eq!(begun.status, 202, "{begun:?}");
    let path = with(own(&begun, gate), &format!("digest={}", sha256(blob)));
    let put = gate.ask("PUT", &path, &[("Content-Type", "application/octet-stream")], blob);
    assert_eq!(put.status, 201, "{put:?}");
}

#[test]
fn blobs_are_uploaded_in_chunks_and_resumed_and_read_in_ranges() {
    if !has(&["docker-registry"]) {
        return;
    }
    let registry = Registry::start(false);
    let gate = Gate::before(&registry.host);
    let blob: Vec<u8> = (0..3_000_000_u32).map(|number| u8::try_from(number % 251).unwrap()).collect();
    let begun = gate.ask("POST", "/v2/a/b/blobs/uploads/", &[], b"");
    assert!(
        begun.header("location").unwrap().starts_with(&format!("http://{}/v2/a/b/blobs/uploads/", gate.address())),
        "{begun:?}"
    );
    // with a length, and with chunks of the transfer
    let first = gate.ask("PATCH", own(&begun, &gate), &[("Content-Range", "0-999999")], &blob[..1_000_000]);
    assert_eq!((first.status, first.header("range")), (202, Some("0-999999")));
    let status = gate.ask("GET", own(&first, &gate), &[], b"");
    assert_eq!((status.status, status.header("range")), (204, Some("0-999999")));
    let path = own(&first, &gate).to_owned();
    let mut stream = connected(gate.address());
    let chunked = head("PATCH", &path, &gate.address().to_string(), &[("Transfer-Encoding", "chunked")], None);
    stream.write_all(chunked.as_bytes()).unwrap();
    for part in blob[1_000_000..].chunks(300_000) {
        stream.write_all(&[format!("{:x}\r\n", part.len()).as_bytes(), part, b"\r\n"].concat()).unwrap();
    }
    stream.write_all(b"0\r\n\r\n").unwrap();
    let second = Reply::read(&rest(&stream)).unwrap();
    assert_eq!((second.status, second.header("range")), (202, Some("0-2999999")));
    let done = gate.ask("PUT", &with(own(&second, &gate), &format!("digest={}", sha256(&blob))), &[], b"");
    assert_eq!((done.status, done.header("docker-content-digest")), (201, Some(sha256(&blob).as_str())));

    let path = format!("/v2/a/b/blobs/{}", sha256(&blob));
    assert_eq!(gate.ask("GET", &path, &[], b"").body, blob);
    let part = gate.ask("GET", &path, &[("Range", "bytes=1000-1999")], b"");
    assert_eq!((part.status, part.header("content-range")), (206, Some("bytes 1000-1999/3000000")));
    assert_eq!(part.body, &blob[1_000..2_000]);
    let seen = gate.ask("HEAD", &path, &[], b"");
    assert_eq!((seen.status, seen.header("content-length"), seen.body.len()), (200, Some("3000000"), 0));
    // a wrong digest is the registry's to refuse
    let begun = gate.ask("POST", "/v2/a/b/blobs/uploads/", &[], b"");
    let wrong = gate.ask("PUT", &with(own(&begun, &gate), &format!("digest={}", sha256(b"other"))), &[], b"blob");
    assert_eq!(wrong.code(), (400, "DIGEST_INVALID".into()));
    let begun = gate.ask("POST", "/v2/a/b/blobs/uploads/", &[], b"");
    assert_eq!(gate.ask("DELETE", own(&begun, &gate), &[], b"").status, 204);
}

#[test]
fn blobs_are_mounted_and_all_else_of_the_api_behaves() {
    if !has(&["docker-registry"]) {
        return;
    }
    let registry = Registry::start(false);
    let gate = Gate::before(&registry.host);
    let (config, layer) = (b"{}".as_slice(), b"layer".as_slice());
    upload(&gate, "from", config);
    upload(&gate, "from", layer);
    for blob in [config, layer] {
        let mounted = gate.ask("POST", &format!("/v2/to/good/blobs/uploads/?mount={}&from=from", sha256(blob)), &[], b"");
        assert_eq!(mounted.status, 201, "{mounted:?}");
        assert!(own(&mounted, &gate).starts_with("/v2/to/good/blobs/sha256:"));
    }
    let bytes = manifest(&descriptor(CONFIG, config), &[descriptor(LAYER, layer)]);
    let put = gate.put("/v2/to/good/manifests/1", OCI_MANIFEST, &bytes);
    assert_eq!((put.status, put.header("docker-content-digest")), (201, Some(sha256(&bytes).as_str())), "{put:?}");
    assert_eq!(gate.put(&format!("/v2/to/good/manifests/{}", sha256(&bytes)), OCI_MANIFEST, &bytes).status, 201);
    // mounted, and refused all the same
    let mounted = gate.ask("POST", &format!("/v2/to/bad/blobs/uploads/?mount={}&from=from", sha256(layer)), &[], b"");
    assert_eq!(mounted.status, 201);
    assert_eq!(gate.put("/v2/to/bad/manifests/1", OCI_MANIFEST, &bytes).status, 403);
    assert_eq!(registry.manifest("to/bad", "1").status, 404);

    let accept = [("Accept", "application/vnd.example"), ("Accept", OCI_MANIFEST)];
    let got = gate.ask("GET", "/v2/to/good/manifests/1", &accept, b"");
    assert_eq!((got.status, got.header("content-type"), got.body.as_slice()), (200, Some(OCI_MANIFEST), bytes.as_slice()));
    let seen = gate.ask("HEAD", "/v2/to/good/manifests/1", &accept, b"");
    assert_eq!((seen.status, seen.header("content-length")), (200, Some(bytes.len().to_string().as_str())));
    let direct = ask(registry.address(), "GET", "/v2/to/good/tags/list", &[], b"");
    assert_eq!(gate.ask("GET", "/v2/to/good/tags/list", &[], b"").body, direct.body);
    let listed = gate.ask("GET", "/v2/_catalog?n=1", &[], b"");
    assert_eq!(listed.header("link"), ask(registry.address(), "GET", "/v2/_catalog?n=1", &[], b"").header("link"));
    // this registry has no referrers, and says so itself
    let referrers = gate.ask("GET", &format!("/v2/to/good/referrers/{}", sha256(&bytes)), &[], b"");
    assert_eq!(referrers.status, 404);
    assert_eq!(gate.ask("DELETE", &format!("/v2/to/good/manifests/{}", sha256(&bytes)), &[], b"").status, 202);
    assert_eq!(gate.ask("GET", "/v2/to/good/manifests/1", &accept, b"").status, 404);
    assert_eq!(gate.ask("DELETE", &format!("/v2/from/blobs/{}", sha256(layer)), &[], b"").status, 202);
}

#[test]
fn signatures_and_attestations_pass_unjudged_and_what_only_claims_to_be_one_does_not() {
    if !has(&["docker-registry"]) {
        return;
    }
    let registry = Registry::start(false);
    let gate = Gate::before(&registry.host);
    let statement = br#"{"payloadType":"application/vnd.in-toto+json","payload":"e30=","signatures":[]}"#.as_slice();
    // the start of a layer in gzip, called a statement
    let layer = [b"\x1f\x8b\x08\0\0\0\0\0".as_slice(), &[7; 2_000]].concat();
    // `bad`: were it asked about, it would be refused
    let repository = "signed/bad";
    for blob in [b"{}".as_slice(), statement, &layer] {
        upload(&gate, repository, blob);
    }
    let tag = format!("/v2/{repository}/manifests/sha256-{}.att", "0".repeat(64));
    let attestation = manifest(&descriptor(CONFIG, b"{}"), &[descriptor(DSSE, statement)]);
    assert_eq!(gate.put(&tag, OCI_MANIFEST, &attestation).status, 201);
    let pretended = manifest(&descriptor(CONFIG, b"{}"), &[descriptor(DSSE, statement), descriptor(DSSE, &layer)]);
    let reply = gate.put(&tag, OCI_MANIFEST, &pretended);
    assert_eq!(reply.code(), (403, "DENIED".into()), "{reply:?}");
    // the tag alone makes nothing pass
    let image = manifest(&descriptor(CONFIG, b"{}"), &[descriptor(LAYER, &layer)]);
    assert_eq!(gate.put(&tag, OCI_MANIFEST, &image).code(), (403, "DENIED".into()));
    // a blob that is not there was not looked at
    let missing = manifest(&descriptor(CONFIG, b"{}"), &[descriptor(DSSE, b"{\"missing\":1}")]);
    let reply = gate.put(&tag, OCI_MANIFEST, &missing);
    assert_eq!(reply.code(), (403, "DENIED".into()));
    let artifact = json!({ "schemaVersion": 2, "mediaType": OCI_MANIFEST, "artifactType": "application/spdx+json",
        "config": descriptor("application/vnd.oci.empty.v1+json", b"{}"), "layers": [descriptor("application/spdx+json", &layer)] });
    let artifact = artifact.to_string().into_bytes();
    let by_digest = format!("/v2/{repository}/manifests/{}", sha256(&artifact));
    assert_eq!(gate.put(&by_digest, OCI_MANIFEST, &artifact).status, 201);
    // where a registry has no referrers, clients keep a list of them under a tag
    let list = |child: &[u8]| {
        let mut child = descriptor(OCI_MANIFEST, child);
        child["artifactType"] = "application/spdx+json".into();
        json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [child] }).to_string().into_bytes()
    };
    let fallback = format!("/v2/{repository}/manifests/sha256-{}", "0".repeat(64));
    assert_eq!(gate.put(&fallback, OCI_INDEX, &list(&artifact)).status, 201);
    assert_eq!(gate.put(&fallback, OCI_INDEX, &list(&attestation)).status, 201);
    assert_eq!(asked(&format!("{}/{repository}", registry.host)).len(), 1, "only the image was asked about");
    // an image that got in by another door is seen in such a list
    let put = ask(
        registry.address(),
        "PUT",
        &format!("/v2/{repository}/manifests/{}", sha256(&image)),
        &[("Content-Type", OCI_MANIFEST)],
        &image,
    );
    assert_eq!(put.status, 201);
    assert_eq!(gate.put(&fallback, OCI_INDEX, &list(&image)).code(), (403, "DENIED".into()));
}

#[test]
fn statements_are_looked_at_where_they_are_and_rights_stay_at_the_registry() {
    static STORE: std::sync::OnceLock<SocketAddr> = std::sync::OnceLock::new();
    let store = Scripted::start(|_, stream, _| say(stream, "200 OK", "", b"{\"a\":1}"));
    STORE.set(store.address).unwrap();
    let registry = Scripted::start(|head, stream, after| {
        body(head, stream, after);
        let moved = format!("Location: http://{}/bucket/x?sig=y\r\n", STORE.get().unwrap());
        match head.split(' ').next().unwrap() {
            "PUT" => say(stream, "201 Created", "", b""),
            _ if head.contains("/short/") => say(stream, "200 OK", "", b"{}"),
            _ if head.contains("/lying/") => say(stream, "200 OK", "", b"{\"a\":2}"),
            _ if head.contains("/endless/") => say(stream, "307 Temporary Redirect", "Location: /v2/endless/x\r\n", b""),
            _ if head.contains("/away/") => say(stream, "307 Temporary Redirect", &moved, b""),
            _ => say(stream, "500 Internal Server Error", "", b""),
        }
    });
    let gate = Gate::before(&registry.host());
    let statement = manifest(&descriptor(CONFIG, b"{}"), &[descriptor(DSSE, b"{\"a\":1}")]);
    let headers = [("Content-Type", OCI_MANIFEST), ("Authorization", "Bearer of-the-caller")];
    for (repository, status) in [("away", 201), ("short", 503), ("lying", 503), ("endless", 503), ("failing", 503)] {
        let reply = gate.ask("PUT", &format!("/v2/{repository}/good/manifests/1"), &headers, &statement);
        assert_eq!(reply.status, status, "{repository} {}", reply.text());
    }
    assert!(!store.heads()[0].to_lowercase().contains("authorization"), "{:?}", store.heads());
    let puts: Vec<String> = registry.heads().into_iter().filter(|head| head.starts_with("PUT")).collect();
    assert_eq!(puts.len(), 1);
}

#[test]
fn an_answer_that_does_not_say_how_long_it_is_streams_and_a_head_of_it_says_nothing_either() {
    let registry = Scripted::start(|head, stream, _| {
        let start = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\nX-Twice: a\r\nX-Twice: b\r\n\r\n";
        let _ = stream.write_all(start.as_bytes());
        if head.starts_with("GET") {
            let _ = stream.write_all(b"5\r\nhello\r\n0\r\n\r\n");
        }
    });
    let gate = Gate::before(&registry.host());
    let reply = gate.ask("GET", "/v2/a/tags/list", &[], b"");
    assert_eq!((reply.status, reply.text().as_str()), (200, "hello"));
    assert_eq!(reply.headers.iter().filter(|(name, _)| name == "x-twice").count(), 2);
    let reply = gate.ask("HEAD", "/v2/a/tags/list", &[], b"");
    assert_eq!((reply.status, reply.header("content-length")), (200, None), "{reply:?}");
}
