//! Registries that are down, slow, busy, cut off, lying, or end a token too early; clients that go away. Nothing of it is ever a pass,
//! nothing of it is remembered, and the next honest answer counts.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::Shutdown;
use std::sync::{Arc, Mutex};

use super::*;
use crate::gate::real::{Registry, has};
use crate::gate::{OCI_MANIFEST, connected, head};
use crate::registry_server::image::Store;
use crate::registry_server::{Reply as Answer, Seen, Sent, Server};

/// Many repositories with an image each, in a registry that is honest but for its fault.
struct Faulty {
    server: Server,
    stores: BTreeMap<String, Store>,
    fault: Arc<Mutex<Option<Fault>>>,
}

/// How an answer goes wrong.
type Way = fn(Answer) -> Answer;
type Fault = Box<dyn Fn(&Seen, Answer) -> Answer + Send>;

impl Faulty {
    fn start(repositories: &[&str]) -> Self {
        let stores: BTreeMap<String, Store> = repositories.iter().map(|name| ((*name).to_owned(), Store::salted(name))).collect();
        let fault = Arc::new(Mutex::new(None::<Fault>));
        let (held, of) = (stores.clone(), Arc::clone(&fault));
        let server = Server::start(move |seen| {
            let answer = honest(&held, seen);
            match &*of.lock().unwrap() {
                Some(fault) => fault(seen, answer),
                None => answer,
            }
        });
        Self { server, stores, fault }
    }

    fn fails(&self, fault: impl Fn(&Seen, Answer) -> Answer + Send + 'static) {
        *self.fault.lock().unwrap() = Some(Box::new(fault));
    }

    fn is_honest_again(&self) {
        *self.fault.lock().unwrap() = None;
    }

    fn manifest(&self, repository: &str) -> &[u8] {
        let store = &self.stores[repository];
        &store.manifests[&store.root].1
    }

    /// Config and layers of a repository's image.
    fn blobs(&self, repository: &str) -> Vec<String> {
        self.stores[repository].blobs.keys().cloned().collect()
    }

    /// How many manifests of a repository were put.
    fn puts(&self, repository: &str) -> usize {
        let is_put = |seen: &&Seen| seen.method == "PUT" && seen.target.contains(&format!("/{repository}/manifests/"));
        self.server.seen().iter().filter(is_put).count()
    }

    fn image(&self, repository: &str) -> String {
        format!("{}/{repository}@{}", self.server.host, self.stores[repository].root)
    }

    fn push(&self, replica: &Replica, repository: &str) -> Reply {
        let headers = [("Content-Type", OCI_MANIFEST), ("Authorization", "Bearer of-the-caller")];
        ask(replica.gate(), "PUT", &format!("/v2/{repository}/manifests/1"), &headers, self.manifest(repository))
    }
}

fn honest(stores: &BTreeMap<String, Store>, seen: &Seen) -> Answer {
    let repository = seen.target.split('/').nth(2).unwrap_or_default();
    match (seen.method.as_str(), stores.get(repository)) {
        ("PUT", _) => Answer::new(201, ""),
        ("POST", _) => Answer::new(202, "").with("Location", format!("/v2/{repository}/blobs/uploads/u")),
        ("DELETE", _) => Answer::new(204, ""),
        (_, Some(store)) => store.answer(seen),
        (_, None) => Answer::new(200, "{}"),
    }
}

/// What a test of a fault need not wait for.
const HURRY: &str = "[limits]\nregistry-tries = 2\nregistry-resumes = 1\nregistry-wait-seconds = 1\nregistry-stall-seconds = 1\n";

fn passes(replica: &Replica, faulty: &Faulty, repository: &str) {
    let image = faulty.image(repository);
    until("the verdict", || (said(&replica.verify(&image, Duration::from_secs(20))).1 == "pass").then_some(()));
    assert_eq!(faulty.push(replica, repository).status, 201);
    assert_eq!(faulty.puts(repository), 1);
}

fn admits_nothing(replica: &Replica, faulty: &Faulty, repository: &str, what: &str) {
    let pushed = faulty.push(replica, repository);
    assert!(matches!(pushed.status, 403 | 503) && faulty.puts(repository) == 0, "{what}: {} {}", pushed.status, pushed.text());
    let reply = replica.verify(&faulty.image(repository), Duration::from_secs(20));
    let (status, verdict, decision) = said(&reply);
    assert!(verdict != "pass" && decision != "allow", "{what}: {status} {}", reply.text());
}

#[test]
fn a_registry_that_lies_about_a_digest_is_not_believed_and_its_lie_is_not_kept() {
    let faulty = Faulty::start(&["small", "large", "config"]);
    let replica = Replica::start(&faulty.server.host, "", HURRY);
    for (index, repository) in ["small", "large", "config"].into_iter().enumerate() {
        let mut blobs = faulty.blobs(repository);
        blobs.sort_by_key(|digest| faulty.stores[repository].blobs[digest].len());
        let lied_about = blobs[index].clone();
        faulty.fails(move |seen, mut answer| {
            if seen.target.ends_with(&lied_about) {
                let middle = answer.body.len() / 2;
                answer.body[middle] ^= 1;
            }
            answer
        });
        admits_nothing(&replica, &faulty, repository, repository);
        faulty.is_honest_again();
        passes(&replica, &faulty, repository);
    }
    // a manifest of another digest than was asked for
    let other = Faulty::start(&["a"]);
    let replica = Replica::start(&other.server.host, "", HURRY);
    other.fails(|seen, mut answer| {
        if seen.is_manifest() {
            answer.body.push(b' ');
        }
        answer
    });
    let reply = replica.verify(&other.image("a"), Duration::from_secs(20));
    assert_ne!(said(&reply).1, "pass", "{}", reply.text());
    other.is_honest_again();
    passes(&replica, &other, "a");
}

#[test]
fn a_connection_that_is_cut_in_any_phase_admits_nothing() {
    let ways: [(&str, Way); 4] = [
        ("closed", |answer| answer.sent(Sent::Closed)),
        ("cut", |answer| {
            let half = answer.body.len() / 2;
            answer.sent(Sent::CutAfter(half))
        }),
        ("short", |answer| {
            let most = answer.body.len() - 1;
            answer.sent(Sent::CutAfter(most))
        }),
        ("garbage", |answer| answer.sent(Sent::Raw(b"\x16\x03\x01 no HTTP\r\n\r\n".to_vec()))),
    ];
    let names: Vec<String> = ways.iter().flat_map(|(way, _)| (0..3).map(move |blob| format!("{way}{blob}"))).collect();
    let faulty = Faulty::start(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let replica = Replica::start(&faulty.server.host, "", HURRY);
    for (way, broken) in ways {
        for blob in 0..3 {
            let repository = format!("{way}{blob}");
            let cut = faulty.blobs(&repository)[blob].clone();
            faulty.fails(move |seen, answer| if seen.target.ends_with(&cut) { broken(answer) } else { answer });
            admits_nothing(&replica, &faulty, &repository, &repository);
            faulty.is_honest_again();
            passes(&replica, &faulty, &repository);
        }
    }
}

#[test]
fn a_burst_of_429_is_waited_out_and_a_long_one_is_no_verdict() {
    let faulty = Faulty::start(&["burst", "flood"]);
    let replica = Replica::start(&faulty.server.host, "", "");
    // every first request for anything
    faulty.fails(
        |seen, answer| {
            if seen.method == "GET" && seen.before == 0 { Answer::new(429, "{}").with("Retry-After", "1") } else { answer }
        },
    );
    assert_eq!(said(&replica.verify(&faulty.image("burst"), Duration::from_secs(30))), (200, "pass".into(), "allow".into()));
    faulty.fails(|seen, answer| if seen.method == "GET" { Answer::new(429, "{}").with("Retry-After", "1") } else { answer });
    let reply = replica.verify(&faulty.image("flood"), Duration::from_secs(20));
    assert_eq!((reply.status, reply.text().contains("429")), (502, true), "{}", reply.text());
    let pushed = faulty.push(&replica, "flood");
    assert!(pushed.status == 503 && pushed.header("retry-after").is_some(), "{} {}", pushed.status, pushed.text());
    assert_eq!(faulty.puts("flood"), 0);
    faulty.is_honest_again();
    passes(&replica, &faulty, "flood");
    assert!(
        replica.metrics().contains(&format!("plimsoll_registry_requests_total{{host=\"{}\",code=\"429\"}}", faulty.server.host))
    );
}

#[test]
fn a_registry_that_stands_still_costs_nobody_more_than_his_patience() {
    let faulty = Faulty::start(&["slow"]);
    let replica = Replica::start(&faulty.server.host, "deadline = '2s'", HURRY);
    faulty.fails(|seen, answer| if seen.is_blob() && seen.method == "GET" { answer.sent(Sent::Never) } else { answer });
    let began = Instant::now();
    let pending = replica.verify(&faulty.image("slow"), Duration::from_millis(500));
    assert!(pending.status == 202 && pending.header("retry-after").is_some(), "{}", pending.text());
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    let began = Instant::now();
    let pushed = faulty.push(&replica, "slow");
    assert!(pushed.status == 503 && pushed.header("retry-after").is_some(), "{}", pushed.text());
    assert!(began.elapsed() < Duration::from_secs(6), "{:?}", began.elapsed());
    let pod = json!({ "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": "1", "kind": { "group": "", "version": "v1", "kind": "Pod" }, "namespace": "shop", "operation": "CREATE",
        "object": { "spec": { "containers": [{ "name": "c", "image": faulty.image("slow") }] } } } });
    let began = Instant::now();
    let path = "/k8s/v1/validate/default?timeout=2s";
    let review = ask(replica.serving.api, "POST", path, &[("Content-Type", "application/json")], pod.to_string().as_bytes());
    assert!(review.text().contains("\"allowed\":false") && began.elapsed() < Duration::from_secs(2), "{}", review.text());
    assert_eq!(faulty.puts("slow"), 0);
    faulty.is_honest_again();
    passes(&replica, &faulty, "slow");
}

#[test]
fn a_token_that_ends_in_the_middle_is_renewed_where_it_is_ours_and_admits_nothing_where_it_is_the_callers() {
    let faulty = Faulty::start(&["ours", "callers"]);
    let replica = Replica::start(&faulty.server.host, "", HURRY);
    // every token is good for two requests
    let uses = Arc::new(Mutex::new((0, 0)));
    faulty.fails(move |seen, answer| {
        let mut uses = uses.lock().unwrap();
        let (issued, used) = &mut *uses;
        if seen.target.starts_with("/token") {
            (*issued, *used) = (*issued + 1, 0);
            return Answer::new(200, format!("{{\"token\":\"number-{issued}\",\"expires_in\":60}}"));
        }
        if seen.header("authorization") == format!("Bearer number-{issued}") && *used < 2 {
            *used += 1;
            return answer;
        }
        let challenge = format!("Bearer realm=\"http://{}/token\",service=\"s\"", seen.header("host"));
        Answer::new(401, "{}").with("WWW-Authenticate", challenge)
    });
    let reply = replica.verify(&faulty.image("ours"), Duration::from_secs(20));
    assert_eq!(said(&reply), (200, "pass".into(), "allow".into()), "{}", reply.text());
    // the caller's own ends after the first blob
    let used = Mutex::new(0);
    faulty.fails(move |seen, answer| {
        let mut used = used.lock().unwrap();
        *used += usize::from(seen.method == "GET" && seen.is_blob());
        if *used > 1 && seen.method == "GET" { Answer::new(401, "{}") } else { answer }
    });
    let pushed = faulty.push(&replica, "callers");
    assert!(matches!(pushed.status, 403 | 503) && faulty.puts("callers") == 0, "{} {}", pushed.status, pushed.text());
    assert!(!pushed.text().contains("of-the-caller"));
    faulty.is_honest_again();
    passes(&replica, &faulty, "callers");
}

#[test]
fn a_registry_that_is_down_is_told_of_and_makes_nobody_unready() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let replica = Replica::start(&free.to_string(), "", HURRY);
    let reply = replica.verify(&format!("{free}/shop/good:1"), Duration::from_secs(20));
    assert_eq!((reply.status, said(&reply).1.as_str()), (502, ""), "{}", reply.text());
    let put = ask(replica.gate(), "PUT", "/v2/a/manifests/1", &[("Content-Type", OCI_MANIFEST)], b"{}");
    assert_eq!(put.code(), (502, "UNAVAILABLE".into()));
    assert!(replica.is_ready());
}

#[test]
fn a_client_that_goes_away_in_any_phase_leaves_nothing_bad_behind() {
    if !has(&["docker-registry", "skopeo"]) {
        return;
    }
    let registry = Registry::start(false);
    let replica = Replica::start(&registry.host, "", "");
    place(&archive("demo"), &registry.host, "shop/demo:1");
    let manifest = registry.manifest("shop/demo", "1");
    let kind = manifest.header("content-type").unwrap().to_owned();
    let (gate, headers) = (replica.gate(), [("Content-Type", kind.as_str()), ("Authorization", "Basic eDp5")]);
    let head = head("PUT", "/v2/shop/demo/manifests/2", &gate.to_string(), &headers, Some(manifest.body.len()));
    let sent = [head.as_bytes(), &manifest.body].concat();
    for length in [1, head.len() - 2, head.len(), head.len() + 1, sent.len() - 1, sent.len()] {
        for how in [Shutdown::Write, Shutdown::Both] {
            let mut stream = connected(gate);
            stream.write_all(&sent[..length]).unwrap();
            let _ = stream.shutdown(how);
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    until("the end of all requests", || replica.metrics().contains("plimsoll_inflight{listener=\"gate\"} 0").then_some(()));
    assert_eq!(registry.manifest("shop/demo", "2").status, 404);
    let whole = ask(gate, "PUT", "/v2/shop/demo/manifests/2", &headers, &manifest.body);
    assert_eq!(whole.code(), (403, "DENIED".into()));
    assert_eq!(registry.manifest("shop/demo", "2").status, 404);
}
