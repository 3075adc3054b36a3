//! Registries that lie, flood and mislead: none is believed, none is waited for without end, and each is called what it is.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{check, command, is_examined, refusal};
use crate::program;
use crate::registry_server::image::{INDEX, MANIFEST, Store, digest};
use crate::registry_server::{Reply, Seen, Sent, Server};

/// What comes of a registry that answers like `script`, where it answers otherwise than a faithful one.
fn refused(script: impl Fn(&Store, &Seen) -> Option<Reply> + Send + Sync + 'static) -> (String, String) {
    let store = Store::image();
    let server = Server::start(move |seen| script(&store, seen).unwrap_or_else(|| store.answer(seen)));
    refusal(&check(&server, &[]))
}

#[test]
fn lies_about_digests_are_found() {
    let header = refused(|store, seen| {
        seen.is_manifest().then(|| Reply { headers: vec![], ..store.answer(seen) }.with("Docker-Content-Digest", digest(b"x")))
    });
    assert!(header.0 == "digest-mismatch" && header.1.contains("Docker-Content-Digest"), "{header:?}");
    let malformed = refused(|store, seen| {
        seen.is_manifest()
            .then(|| Reply { headers: vec![], ..store.answer(seen) }.with("Docker-Content-Digest", "sha256:../../x"))
    });
    assert_eq!(malformed.0, "digest-mismatch");
    let blob = refused(|store, seen| {
        let mut reply = store.answer(seen);
        let at = reply.body.len() / 2;
        reply.body[at] ^= 1;
        (seen.target.ends_with(&store.largest())).then_some(reply)
    });
    assert!(blob.0.contains("digest-mismatch"), "{blob:?}");
    let config = refused(|store, seen| {
        let mut reply = store.answer(seen);
        (seen.is_blob() && reply.body.starts_with(b"{")).then(|| {
            reply.body[1] = b' ';
            reply
        })
    });
    assert_eq!(config.0, "digest-mismatch");
}

#[test]
fn a_reference_by_digest_takes_nothing_else() {
    let (store, other) = (Store::image(), Store::index(&["amd64"]));
    let wanted = format!("@{}", store.root);
    let honest = Server::start({
        let store = store.clone();
        move |seen| store.answer(seen)
    });
    assert!(is_examined(&program::checked(&command(&honest, &wanted, &[]).output().unwrap())));
    assert!(is_examined(&program::checked(&command(&honest, &format!(":tag{wanted}"), &[]).output().unwrap())));
    let liar = Server::start(move |_| Reply::new(200, other.manifests[&other.root].1.clone()).with("Content-Type", INDEX));
    let checked = program::checked(&command(&liar, &wanted, &[]).output().unwrap());
    assert_eq!(refusal(&checked).0, "digest-mismatch");
}

#[test]
fn lies_about_sizes_are_found_before_or_as_the_bytes_come() {
    let longer = |reply: Reply| Reply { body: [reply.body, vec![0; 9]].concat(), ..reply };
    let length = refused(move |store, seen| seen.is_blob().then(|| longer(store.answer(seen))));
    assert!(length.0 == "size-mismatch" && length.1.contains("its descriptor says"), "{length:?}");
    let no_length = refused(move |store, seen| {
        seen.target.ends_with(&store.largest()).then(|| longer(store.answer(seen)).sent(Sent::WithoutLength))
    });
    assert!(no_length.0 == "size-mismatch" && no_length.1.contains("sends more"), "{no_length:?}");
    let shorter = refused(|store, seen| {
        let reply = store.answer(seen);
        seen.is_blob().then(|| Reply { body: reply.body[1..].to_vec(), ..reply })
    });
    assert_eq!(shorter.0, "size-mismatch");
    let two = refused(|store, seen| {
        seen.target
            .ends_with(&store.largest())
            .then(|| store.answer(seen).with("Content-Length", "9").with("Content-Length", "99"))
    });
    assert!(["size-mismatch", "registry-error", "registry-unreachable"].contains(&two.0.as_str()), "{two:?}");
}

#[test]
fn endless_bodies_end_here() {
    let started = Instant::now();
    let endless = |kind: &str| Reply::new(200, vec![b' '; 65_536]).with("Content-Type", kind).sent(Sent::Endlessly);
    let manifest = refused(move |_, seen| seen.is_manifest().then(|| endless(MANIFEST)));
    assert!(manifest.0 == "limit-exceeded" && manifest.1.contains("document-bytes"), "{manifest:?}");
    let blob = refused(move |store, seen| seen.target.ends_with(&store.largest()).then(|| endless("x/y")));
    assert!(blob.0.contains("size-mismatch"), "{blob:?}");
    let error = refused(move |_, _| Some(Reply { status: 404, ..endless("application/json") }));
    assert_eq!(error.0, "registry-not-found");
    let huge = refused(|_, _| Some(Reply::new(200, "x").with("Content-Length", "99999999999").with("Content-Type", MANIFEST)));
    assert_eq!(huge.0, "limit-exceeded");
    assert!(started.elapsed() < Duration::from_mins(1));
}

#[test]
fn what_is_no_http_or_no_registry_is_said_to_be_that() {
    let page = refused(|_, _| Some(Reply::new(200, "<html>Log in</html>").with("Content-Type", "text/html; charset=utf-8")));
    assert!(page.0 == "registry-error" && page.1.contains("login page"), "{page:?}");
    let header = refused(|store, seen| Some(store.answer(seen).with("X-Huge", "a".repeat(1 << 20))));
    assert_eq!(header.0, "registry-error");
    let many = refused(|store, seen| Some((0..20_000).fold(store.answer(seen), |reply, n| reply.with(&format!("X-{n}"), "a"))));
    assert_eq!(many.0, "registry-error");
    let noise = refused(|_, _| Some(Reply::new(200, "").sent(Sent::Raw(vec![0xFF; 4_000]))));
    assert!(["registry-error", "registry-unreachable"].contains(&noise.0.as_str()), "{noise:?}");
    let encoded = refused(|store, seen| seen.is_blob().then(|| store.answer(seen).with("Content-Encoding", "gzip")));
    assert_eq!(encoded.0, "registry-error");
    let teapot = refused(|_, _| Some(Reply::new(418, "{\"errors\":[{\"code\":\"A\\u001b[2J\",\"message\":\"b\"}]}")));
    assert!(teapot.0 == "registry-error" && teapot.1.contains("418") && teapot.1.contains("A\\x1b[2J"), "{teapot:?}");
}

#[test]
fn documents_that_are_no_image_are_refused_by_what_they_are() {
    let kinds = [
        "application/vnd.docker.distribution.manifest.v1+prettyjws",
        "application/vnd.docker.distribution.manifest.v1+json",
        "application/json",
    ];
    for kind in kinds {
        let body =
            json!({"schemaVersion": 1, "name": "x", "tag": "1", "fsLayers": [], "history": [], "signatures": []}).to_string();
        let found = refused(move |_, seen| seen.is_manifest().then(|| Reply::new(200, body.clone()).with("Content-Type", kind)));
        assert!(found.0 == "not-an-image" && found.1.contains("schema 1"), "{kind}: {found:?}");
    }
    let both = json!({"schemaVersion": 2, "manifests": [], "layers": [], "config": {}}).to_string();
    let found = refused(move |_, seen| seen.is_manifest().then(|| Reply::new(200, both.clone()).with("Content-Type", INDEX)));
    assert!(["manifest-ambiguous", "digest-malformed"].contains(&found.0.as_str()), "{found:?}");
    let manifest_as_index = refused(|store, seen| {
        seen.is_manifest().then(|| Reply { headers: vec![], ..store.answer(seen) }.with("Content-Type", INDEX))
    });
    assert_eq!(manifest_as_index.0, "manifest-ambiguous");
}

#[test]
fn indexes_without_end_are_bounded() {
    let entry = |digest: String| json!({"mediaType": INDEX, "digest": digest, "size": 2});
    let wide: Vec<_> = (0..2_000).map(|n| entry(digest(format!("{n}").as_bytes()))).collect();
    let wide = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": wide}).to_string();
    let found =
        refused(move |_, seen| seen.target.ends_with("/1").then(|| Reply::new(200, wide.clone()).with("Content-Type", INDEX)));
    assert!(found.0 == "limit-exceeded" && found.1.contains("index-manifests"), "{found:?}");
    let mut store = Store::image();
    for _ in 0..10 {
        let inner = store.manifests[&store.root].clone();
        let nested = json!({"schemaVersion": 2, "mediaType": INDEX,
            "manifests": [{"mediaType": inner.0, "digest": store.root, "size": inner.1.len()}]});
        store.root = store.add_manifest(INDEX, &nested)["digest"].as_str().unwrap().to_owned();
    }
    let server = Server::start(move |seen| store.answer(seen));
    assert_eq!(refusal(&check(&server, &[])).0, "index-too-deep");
    assert!(server.seen().len() < 10);
}

#[test]
fn what_is_missing_is_said_to_be_missing() {
    let server = Server::start(|seen| Store::image().answer(seen));
    let checked = program::checked(&command(&server, ":missing", &[]).output().unwrap());
    let (code, message) = refusal(&checked);
    assert!(code == "registry-not-found" && message.contains("MANIFEST_UNKNOWN"), "{message}");
    let blob = refused(|store, seen| seen.target.ends_with(&store.largest()).then(|| Reply::new(404, "")));
    assert_eq!(blob.0, "blob-missing");
}

#[test]
fn redirects_lead_to_blobs_and_not_in_circles_or_away_from_the_web() {
    let store = Store::image();
    let storage = Server::start({
        let store = store.clone();
        move |seen| store.answer(seen)
    });
    let away = storage.host.clone();
    let server = Server::start(move |seen| {
        if seen.is_blob() {
            Reply::new(307, "").with("Location", format!("http://{away}{}", seen.target))
        } else {
            store.answer(seen)
        }
    });
    assert!(is_examined(&check(&server, &[])));
    assert_eq!(storage.count("/blobs/"), 3);
    let circle = refused(|_, seen| Some(Reply::new(302, "").with("Location", seen.target.clone())));
    assert!(circle.0 == "limit-exceeded" && circle.1.contains("registry-redirects"), "{circle:?}");
    for location in ["file:///etc/passwd", "", "//x/y", "ftp://x/", "http://u:p@127.0.0.1/", "gopher:x", "relative"] {
        let found = refused(move |_, _| Some(Reply::new(302, "").with("Location", location)));
        assert!(found.0 == "registry-error" && found.1.contains("redirects"), "{location}: {found:?}");
    }
}
