//! Two replicas that share a Redis, each of the three killed while it works: no wrong verdict, nothing admitted unverified, nothing
//! lost that was admitted.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::*;
use crate::gate::real::{Registry, has};
use crate::registry_server::image::Store;
use crate::registry_server::{Sent, Server};

const PROGRAMS: [&str; 4] = ["docker-registry", "skopeo", "redis-server", "redis-cli"];

/// A manifest of this repository's first tag, which nobody has seen before.
fn variant(manifest: &[u8], number: usize) -> Vec<u8> {
    let mut value: Value = serde_json::from_slice(manifest).unwrap();
    value["annotations"] = json!({ "number": number.to_string() });
    value.to_string().into_bytes()
}

/// The good and the bad image in a registry, where nobody judged them, and the truth about each.
struct Truth {
    registry: Registry,
    manifests: [(&'static str, Vec<u8>); 2],
}

impl Truth {
    fn start() -> Self {
        let registry = Registry::start(false);
        let manifests = [("good", "good"), ("demo", "demo")].map(|(name, archived)| {
            let (is_done, said) = push(&archive(archived), &registry.host, &format!("{name}:1"), &["--format", "oci"]);
            assert!(is_done, "{said}");
            (name, registry.manifest(name, "1").body)
        });
        Self { registry, manifests }
    }

    /// Pushes variants of both from `from` on, until `is_done`: every answer is right or none, and what was admitted is there.
    /// How many were admitted, refused, and left open.
    fn push_all(&self, gate: SocketAddr, from: usize, is_done: &AtomicBool) -> (usize, usize, usize) {
        let (mut admitted, mut refused, mut open) = (0, 0, 0);
        for number in from.. {
            if is_done.load(Ordering::SeqCst) {
                break;
            }
            for (name, manifest) in &self.manifests {
                let bytes = variant(manifest, number);
                let digest = plimsoll::serve::key::sha256(&bytes);
                let status = put(gate, name, &bytes);
                match (*name, status) {
                    ("good", Some(201)) => {
                        admitted += 1;
                        // the registry answers 500 while another client puts the same manifest
                        until("what was admitted", || (self.registry.manifest(name, &digest).body == bytes).then_some(()));
                    }
                    ("demo", Some(403)) => refused += 1,
                    (_, Some(502 | 503) | None) => {
                        open += 1;
                        // a replica that is gone is not asked a thousand times a second
                        thread::sleep(Duration::from_millis(20));
                    }
                    (name, status) => panic!("{name} {number}: {status:?}"),
                }
                if *name == "demo" {
                    assert_eq!(self.registry.manifest(name, &digest).status, 404, "{number}");
                }
            }
        }
        (admitted, refused, open)
    }
}

/// Status of a push; None where nobody answers.
fn put(gate: SocketAddr, name: &str, bytes: &[u8]) -> Option<u16> {
    use std::io::{Read as _, Write as _};
    let headers = [("Content-Type", crate::gate::OCI_MANIFEST), ("Authorization", "Basic eDp5")];
    let digest = plimsoll::serve::key::sha256(bytes);
    let head =
        crate::gate::head("PUT", &format!("/v2/{name}/manifests/{digest}"), &gate.to_string(), &headers, Some(bytes.len()));
    let mut stream = TcpStream::connect(gate).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(55))).unwrap();
    stream.write_all(&[head.as_bytes(), bytes].concat()).ok()?;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    Reply::read(&answer).map(|reply| reply.status)
}

#[test]
fn what_one_replica_found_the_other_knows_after_its_death() {
    if !has(&PROGRAMS) {
        return;
    }
    let (truth, redis) = (Truth::start(), RedisServer::start());
    let images = ["good", "demo"].map(|name| format!("{}/{name}:1", truth.registry.host));
    let mut first = Replica::start(&truth.registry.host, "", &redis.cache());
    let found = [0, 1].map(|index| said(&first.verify(&images[index], Duration::from_mins(1))).1);
    assert_eq!(found, ["pass", "fail"]);
    first.kill();
    let second = Replica::start(&truth.registry.host, "", &redis.cache());
    let again = [0, 1].map(|index| said(&second.verify(&images[index], Duration::from_mins(1))).1);
    assert_eq!(again, found);
    assert_eq!(second.metric("plimsoll_verify_seconds_count"), 0);
    assert_eq!(second.metric("plimsoll_verdict_cache_total{tier=\"l2\",result=\"hit\"}"), 2);
    // a store that holds nonsense, or one image's report under another's key, is one that holds nothing
    let keys = redis.keys();
    assert!(keys.len() >= 2, "{keys:?}");
    for source in std::iter::once(None).chain(keys.iter().map(Some)) {
        for key in &keys {
            match source {
                None => drop(redis.told(&["SET", key, "{\"schema\": 1}"])),
                Some(source) => drop(redis.told(&["COPY", source, key, "REPLACE"])),
            }
        }
        let next = Replica::start(&truth.registry.host, "", &redis.cache());
        let again = [0, 1].map(|index| said(&next.verify(&images[index], Duration::from_mins(1))).1);
        assert_eq!(again, found, "{source:?}");
        assert!(next.metric("plimsoll_verify_seconds_count") >= 1, "{source:?}");
    }
}

#[test]
fn replicas_and_store_that_are_killed_under_load_admit_nothing_bad() {
    if !has(&PROGRAMS) {
        return;
    }
    let (truth, mut redis) = (Truth::start(), RedisServer::start());
    let mut first = Replica::start(&truth.registry.host, "deadline = '10s'", &redis.cache());
    let second = Replica::start(&truth.registry.host, "deadline = '10s'", &redis.cache());
    let is_done = AtomicBool::new(false);
    thread::scope(|scope| {
        let gates = [first.gate(), second.gate()];
        let loads = [0, 1, 2, 3].map(|load| {
            let (truth, is_done) = (&truth, &is_done);
            // two clients of each replica; those of one work on the same manifests as those of the other
            scope.spawn(move || truth.push_all(gates[load % 2], load / 2 * 100_000, is_done))
        });
        let pause = || thread::sleep(Duration::from_millis(1_500));
        pause();
        redis.kill();
        until("503 of /readyz", || (!second.is_ready()).then_some(()));
        pause();
        redis.restart();
        until("200 of /readyz", || second.is_ready().then_some(()));
        pause();
        first.kill();
        pause();
        redis.kill();
        pause();
        redis.restart();
        pause();
        is_done.store(true, Ordering::SeqCst);
        let counts = loads.map(|load| load.join().unwrap());
        for load in [1, 3] {
            let (admitted, refused, open) = counts[load];
            assert!(admitted > 10 && refused > 10, "{counts:?}");
            assert!(open * 10 < admitted, "the replica that lives answers: {counts:?}");
        }
    });
}

#[test]
fn work_that_a_replica_died_over_is_done_by_the_other() {
    if !has(&["redis-server"]) {
        return;
    }
    let (store, redis) = (Store::image(), RedisServer::start());
    let (image, largest, is_slow) = (store.root.clone(), store.largest(), Arc::new(AtomicBool::new(true)));
    let slow = Arc::clone(&is_slow);
    let server = Server::start(move |seen| {
        let answer = store.answer(seen);
        let is_stuck = slow.load(Ordering::SeqCst) && seen.target.ends_with(&largest);
        if is_stuck { answer.sent(Sent::Dripping(Duration::from_millis(5))) } else { answer }
    });
    let image = format!("{}/shop/cart@{image}", server.host);
    let mut first = Replica::start(&server.host, "", &redis.cache());
    let second = Replica::start(&server.host, "", &redis.cache());
    assert_eq!(first.verify(&image, Duration::ZERO).status, 202);
    until("the work", || (server.count("/blobs/") > 0).then_some(()));
    thread::scope(|scope| {
        let waiting = scope.spawn(|| second.verify(&image, Duration::from_secs(50)));
        thread::sleep(Duration::from_millis(500));
        assert!(!waiting.is_finished());
        is_slow.store(false, Ordering::SeqCst);
        first.kill();
        let reply = waiting.join().unwrap();
        assert_eq!(said(&reply), (200, "pass".into(), "allow".into()), "{}", reply.text());
    });
}
