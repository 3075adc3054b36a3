//! Registries that are slow, busy or break off, and are honest all the same: the image is examined as if nothing had been.

use std::time::{Duration, Instant};

use super::{check, command, is_examined, refusal};
use crate::program;
use crate::registry_server::image::Store;
use crate::registry_server::{Reply, Sent, Server};

#[test]
fn an_image_is_read_with_one_request_for_each_document_and_blob() {
    let store = Store::image();
    let blobs = store.blobs.len();
    let server = Server::start(move |seen| store.answer(seen));
    let checked = check(&server, &[]);
    assert!(is_examined(&checked), "{}", checked.report);
    assert_eq!(checked.report["source"]["kind"], "registry");
    assert_eq!(checked.report["source"]["name"], format!("{}/shop/cart:1", server.host));
    assert_eq!((server.count("/manifests/"), server.count("/blobs/")), (1, blobs));
    assert!(server.authorizations().is_empty());
}

#[test]
fn a_layer_that_is_known_is_not_fetched_again() {
    let store = Store::image();
    let server = Server::start(move |seen| store.answer(seen));
    let folder = tempfile::tempdir().unwrap();
    let check = || {
        let cache = ["--cache-dir", folder.path().to_str().unwrap()];
        program::checked(&command(&server, ":1", &cache).env_remove("PLIMSOLL_NO_CACHE").output().unwrap())
    };
    let cold = check();
    let fetched = server.count("/blobs/");
    let warm = check();
    assert!(is_examined(&cold), "{}", cold.report);
    assert_eq!(cold.report, warm.report);
    assert_eq!(server.count("/blobs/") - fetched, 1, "the config alone");
}

#[test]
fn blobs_that_break_off_in_any_phase_are_taken_up_where_they_broke() {
    let cuts = [Sent::Closed, Sent::CutAfter(0), Sent::CutAfter(1), Sent::CutAfter(77_777), Sent::Raw(b"HTTP/1.1 2".to_vec())];
    for cut in cuts {
        let store = Store::image();
        let whole = check(
            &Server::start({
                let store = store.clone();
                move |seen| store.answer(seen)
            }),
            &[],
        );
        let server = Server::start({
            let cut = cut.clone();
            move |seen| {
                let reply = store.answer(seen);
                if seen.is_blob() && seen.before < 2 { reply.sent(cut.clone()) } else { reply }
            }
        });
        let checked = check(&server, &[]);
        assert!(is_examined(&checked), "{cut:?}: {}", checked.report);
        assert_eq!(checked.images()[0]["layers"], whole.images()[0]["layers"], "{cut:?}");
        if cut == Sent::CutAfter(77_777) {
            let ranges: Vec<String> = server.seen().iter().map(|seen| seen.header("range").to_owned()).collect();
            assert!(ranges.contains(&"bytes=77777-".to_owned()) && ranges.contains(&"bytes=155554-".to_owned()), "{ranges:?}");
        }
    }
}

#[test]
fn a_registry_that_starts_a_blob_again_is_read_over_what_is_known() {
    let store = Store::image();
    let server = Server::start(move |seen| {
        let mut plain = seen.clone();
        plain.headers.remove("range");
        let reply = store.answer(&plain);
        if seen.is_blob() && seen.before == 0 { reply.sent(Sent::CutAfter(60_000)) } else { reply }
    });
    assert!(is_examined(&check(&server, &[])));
}

#[test]
fn a_part_that_was_not_asked_for_is_refused() {
    for range in ["bytes 0-9/10", "bytes 60001-399999/400000", "items 60000-1/2", "bytes 60000-99999999999999999999/1", ""] {
        let store = Store::image();
        let largest = store.largest();
        let server = Server::start(move |seen| {
            let reply = store.answer(seen);
            match (seen.target.ends_with(&largest), seen.before) {
                (true, 0) => reply.sent(Sent::CutAfter(60_000)),
                (true, _) => Reply::new(206, &store.blobs[&largest][60_000..]).with("Content-Range", range),
                _ => reply,
            }
        });
        let (code, message) = refusal(&check(&server, &[]));
        assert!(code == "registry-error" && message.contains("another part"), "{range}: {message}");
    }
}

#[test]
fn a_blob_that_breaks_off_without_end_is_given_up() {
    let store = Store::image();
    let largest = store.largest();
    let server = Server::start(move |seen| {
        let reply = store.answer(seen);
        if seen.target.ends_with(&largest) { reply.sent(Sent::CutAfter(10)) } else { reply }
    });
    let (code, message) = refusal(&check(&server, &["--limit", "registry-resumes=3"]));
    assert!(code == "registry-unreachable" && message.contains("4 times, last after 40 of"), "{message}");
    assert_eq!(server.seen().iter().filter(|seen| seen.header("range") == "bytes=30-").count(), 1);
}

#[test]
fn a_busy_registry_is_asked_again_as_often_as_the_limit_allows() {
    for status in [408, 429, 500, 502, 503, 504] {
        let store = Store::image();
        let server = Server::start(move |seen| match seen.before {
            0..=3 => Reply::new(status, "busy").with("Retry-After", "86400"),
            _ => store.answer(seen),
        });
        assert!(is_examined(&check(&server, &[])), "{status}");
        assert_eq!(server.count("/manifests/"), 5);
    }
    let server = Server::start(|_| Reply::new(503, r#"{"errors":[{"code":"UNAVAILABLE","message":"come back"}]}"#));
    let (code, message) = refusal(&check(&server, &[]));
    assert!(code == "registry-error" && message.contains("503") && message.contains("UNAVAILABLE: come back"), "{message}");
    assert_eq!(server.seen().len(), 5);
}

#[test]
fn what_a_busy_registry_asks_to_wait_is_waited() {
    let store = Store::image();
    let server = Server::start(move |seen| match (seen.is_manifest(), seen.before) {
        (true, 0) => Reply::new(429, "").with("Retry-After", "2"),
        _ => store.answer(seen),
    });
    let started = Instant::now();
    assert!(is_examined(&check(&server, &["--limit", "registry-wait-seconds=3"])));
    assert!((2..20).contains(&started.elapsed().as_secs()), "{:?}", started.elapsed());
}

#[test]
fn silence_and_drips_are_ended() {
    for sent in [Sent::Never, Sent::Dripping(Duration::from_millis(100))] {
        for is_blob in [false, true] {
            let store = Store::image();
            let largest = store.largest();
            let server = Server::start({
                let sent = sent.clone();
                move |seen| {
                    let reply = store.answer(seen);
                    let is_slow = if is_blob { seen.target.ends_with(&largest) } else { seen.is_manifest() };
                    if is_slow { reply.sent(sent.clone()) } else { reply }
                }
            });
            let started = Instant::now();
            let (code, message) = refusal(&check(&server, &["--limit", "registry-tries=1", "--limit", "registry-resumes=1"]));
            assert_eq!(code, "registry-unreachable", "{sent:?} {is_blob}: {message}");
            assert!(started.elapsed() < Duration::from_secs(30), "{sent:?} {is_blob}");
        }
    }
}

#[test]
fn a_registry_that_is_not_there_is_said_to_be_unreachable() {
    let host = Server::start(|_| Reply::new(200, "")).host.clone();
    let arguments = ["check", &format!("{host}/shop/cart:1"), "--format", "json", "--limit", "registry-wait-seconds=0"];
    let checked = crate::program::checked(&super::bare(&arguments).output().unwrap());
    assert_eq!(refusal(&checked).0, "registry-unreachable");
}

#[test]
fn a_mirror_is_asked_first_and_the_registry_where_it_fails() {
    let store = Store::image();
    let largest = store.largest();
    let origin = Server::start({
        let store = store.clone();
        move |seen| store.answer(seen)
    });
    let mirror = Server::start({
        let store = store.clone();
        move |seen| if seen.target.ends_with(&largest) { Reply::new(404, "") } else { store.answer(seen) }
    });
    let told = format!("{}={}/hub", origin.host, mirror.host);
    let more = ["--registry-mirror", &told, "--plain-http", &mirror.host];
    assert!(is_examined(&check(&origin, &more)));
    assert_eq!((origin.count("/manifests/"), origin.count("/blobs/"), mirror.count("/v2/hub/shop/cart/manifests/1")), (0, 1, 1));
    let gone = Server::start(|_| Reply::new(200, "")).host.clone();
    let told = format!("{}={gone}", origin.host);
    assert!(is_examined(&check(&origin, &["--registry-mirror", &told, "--plain-http", &gone])));
}

#[test]
fn of_an_index_only_the_platform_that_is_wanted_is_fetched() {
    let store = Store::index(&["amd64", "arm64", "s390x"]);
    let total = store.manifests.len();
    let server = Server::start(move |seen| store.answer(seen));
    let all = check(&server, &[]);
    assert_eq!((all.images().len(), is_examined(&all), server.count("/manifests/")), (3, true, total));
    let before = server.seen().len();
    let one = check(&server, &["--platform", "linux/arm64"]);
    assert_eq!((one.images().len(), is_examined(&one)), (1, true));
    // the index, the manifest, its config and its layer
    assert_eq!(server.seen().len() - before, 4);
    let (code, message) = refusal(&check(&server, &["--platform", "linux/ppc64le"]));
    assert!(code == "image-not-found" && message.contains("linux/amd64, linux/arm64, linux/s390x"), "{message}");
}

#[test]
fn a_platform_that_the_registry_lacks_is_noted_as_in_a_file() {
    let mut store = Store::index(&["amd64", "arm64"]);
    let image = store.manifests.iter().find(|(digest, (_, bytes))| {
        **digest != store.root
            && store.blobs.iter().any(|(blob, config)| {
                String::from_utf8_lossy(bytes).contains(blob.as_str()) && String::from_utf8_lossy(config).contains("arm64")
            })
    });
    let image = image.unwrap().0.clone();
    store.manifests.remove(&image);
    let server = Server::start(move |seen| store.answer(seen));
    let checked = check(&server, &[]);
    assert_eq!((checked.images().len(), is_examined(&checked)), (1, true), "{}", checked.report);
    assert!(checked.report.to_string().contains("index-entry-not-examined"));
}
