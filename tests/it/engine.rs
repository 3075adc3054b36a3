//! The server's engine and registries: with whose rights they are asked, for what, and what comes of their answers.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use plimsoll::cache::Layers;
use plimsoll::limits::Limits;
use plimsoll::policy::{Date, Policy, Waiver};
use plimsoll::serve::config::{Auth, Config, Gate, Profile, Registry, limits};
use plimsoll::serve::engine::{Engine, Registries};
use plimsoll::serve::host::Host;
use plimsoll::serve::live::Live;
use plimsoll::serve::metrics::Metrics;
use plimsoll::serve::{Access, Ask, Outcome, Verdicts as _, verdict::Subject};

use crate::registry_server::image::{MANIFEST, Store};
use crate::registry_server::{Reply, Seen, Sent, Server};

const HOST: Host = Host {
    read: |path, _| std::fs::read_to_string(path).map_err(|error| error.kind().to_string()),
    open_policy: |_| Err(vec![]),
    today: || Date::of_unix_seconds(1_795_000_000),
};

/// A server's engine over one registry, and what it counts.
struct World {
    engine: Engine,
    metrics: Arc<Metrics>,
    repository: String,
}

impl World {
    fn new(server: &Server, change: impl Fn(&mut Config, &mut Registry)) -> Self {
        let mut config = Config { limits: Limits { registry_wait_seconds: 0, ..limits() }, ..Config::default() };
        let mut registry = Registry { allows_private: true, is_insecure: true, ..Registry::default() };
        change(&mut config, &mut registry);
        if config.gate.is_none() {
            config.registries.insert(server.host.clone(), registry);
        }
        let (_, live) = Live::new(config);
        let metrics = Arc::new(Metrics::default());
        let images = Arc::new(Registries::new(live.clone(), HOST, Arc::clone(&metrics)));
        let layers = Layers::new(1 << 20, plimsoll::cache::Tiers::default());
        let engine = Engine::start(live, HOST, images, (None, layers), Arc::clone(&metrics)).unwrap();
        Self { engine, metrics, repository: format!("{}/shop/cart", server.host) }
    }

    fn ask(&self, subject: Subject) -> Ask {
        Ask {
            repository: self.repository.clone(),
            subject,
            profile: Arc::new(Profile::default()),
            platforms: Vec::new(),
            access: Access::Configured,
            deadline: Instant::now() + Duration::from_mins(1),
            may_enqueue: true,
        }
    }

    fn outcome(&self, ask: Ask) -> Outcome {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let outcome = runtime.block_on(self.engine.verdict(ask));
        runtime.shutdown_timeout(Duration::from_millis(10));
        outcome
    }
}

fn tag() -> Subject {
    Subject::Tag("1".into())
}

fn as_caller(authorization: &str, ask: Ask) -> Ask {
    Ask { access: Access::Caller(authorization.into()), ..ask }
}

/// A manifest that the registry does not have, while it has what the manifest names.
fn unpushed(store: &mut Store) -> Subject {
    let (media_type, bytes) = store.manifests.remove(&store.root).unwrap();
    Subject::Manifest { media_type: format!("{media_type}; charset=utf-8"), bytes: bytes.into() }
}

fn images_of(outcome: &Outcome) -> Vec<serde_json::Value> {
    let Outcome::Judged(judged) = outcome else { panic!("{outcome:?}") };
    let report: serde_json::Value = serde_json::from_slice(&judged.report).unwrap();
    report["images"].as_array().unwrap().clone()
}

fn refusal(outcome: &Outcome) -> &str {
    let Outcome::Refused { reason } = outcome else { panic!("{outcome:?}") };
    reason
}

fn trouble(outcome: &Outcome) -> &str {
    let Outcome::Unavailable { reason, .. } = outcome else { panic!("{outcome:?}") };
    reason
}

/// Answers those who show one of these.
fn open_to(store: Store, wanted: &'static [&'static str]) -> impl Fn(&Seen) -> Reply + Send + Sync + 'static {
    move |seen| {
        if wanted.contains(&seen.header("authorization")) {
            return store.answer(seen);
        }
        Reply::new(401, "{}").with("WWW-Authenticate", "Basic realm=\"x\"")
    }
}

#[test]
fn a_manifest_that_is_not_pushed_yet_is_judged_as_it_was_sent() {
    let mut store = Store::image();
    let digest = store.root.clone();
    let subject = unpushed(&mut store);
    let server = Server::start(move |seen| store.answer(seen));
    let world = World::new(&server, |_, _| {});
    let outcome = world.outcome(as_caller("", world.ask(subject)));
    let Outcome::Judged(judged) = &outcome else { panic!("{outcome:?}") };
    assert_eq!(judged.digest, digest);
    assert_eq!(images_of(&outcome)[0]["manifest_digest"], digest);
    assert!(server.seen().iter().all(Seen::is_blob), "{:?}", server.seen());
    for line in ["plimsoll_layer_bytes_total{kind=\"compressed\"}", "plimsoll_layer_bytes_total{kind=\"uncompressed\"}"] {
        let page = world.metrics.page();
        let value: u64 = page.lines().find_map(|text| text.strip_prefix(line)).unwrap().trim().parse().unwrap();
        assert!(value > 400_000, "{page}");
    }
}

#[test]
fn a_caller_s_authorization_is_sent_as_it_is_and_ours_never() {
    let mut store = Store::image();
    let subject = unpushed(&mut store);
    let server = Server::start(open_to(store, &["Bearer callers", "Bearer ours"]));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "ours\n").unwrap();
    let world = World::new(&server, |_, registry| registry.auth = Auth::TokenFile(file.clone()));
    for (authorization, advice) in [("", ""), ("Bearer wrong", "who pushes must be allowed to pull, too")] {
        let outcome = world.outcome(as_caller(authorization, world.ask(subject.clone())));
        let reason = refusal(&outcome);
        assert!(reason.starts_with("registry-unauthorized") && reason.contains(advice) && !reason.contains("docker login"));
    }
    assert!(matches!(world.outcome(as_caller("Bearer callers", world.ask(subject))), Outcome::Judged(_)));
    let sent = server.authorizations();
    assert!(sent.iter().all(|one| one == "Bearer callers" || one == "Bearer wrong"), "{sent:?}");
}

#[test]
fn files_of_credentials_are_read_when_they_are_used() {
    let store = Store::image();
    let root = store.root.clone();
    let server = Server::start(open_to(store, &["Bearer second", "Basic bWU6aHVudGVyMg=="]));
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path: PathBuf = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let token = file("token", "first");
    let world = World::new(&server, |_, registry| registry.auth = Auth::TokenFile(token.clone()));
    let outcome = world.outcome(world.ask(Subject::Digest(root)));
    assert!(refusal(&outcome).contains("see `auth` of [registries."), "{outcome:?}");
    file("token", "second\n");
    // a refusal holds for moments, for what was refused
    assert!(matches!(world.outcome(world.ask(tag())), Outcome::Judged(_)));

    let basic = Auth::BasicFile(file("basic", "me:hunter2"));
    let docker = format!(r#"{{"auths":{{"{}":{{"auth":"bWU6aHVudGVyMg=="}}}}}}"#, server.host);
    let docker = Auth::DockerConfig(file("config.json", &docker));
    for auth in [basic, docker] {
        let world = World::new(&server, |_, registry| registry.auth = auth.clone());
        assert!(matches!(world.outcome(world.ask(tag())), Outcome::Judged(_)), "{auth:?}");
    }
    let missing = World::new(&server, |_, registry| registry.auth = Auth::BasicFile(folder.path().join("none")));
    let outcome = missing.outcome(missing.ask(tag()));
    assert!(trouble(&outcome).contains("cannot be read") && !trouble(&outcome).contains("none"), "{outcome:?}");
}

#[test]
fn a_caller_s_token_that_ends_in_the_middle_is_no_refusal() {
    let mut store = Store::image();
    let subject = unpushed(&mut store);
    let uses = AtomicUsize::new(0);
    let server = Server::start(
        move |seen| {
            if uses.fetch_add(1, Ordering::SeqCst) < 2 { store.answer(seen) } else { Reply::new(401, "{}") }
        },
    );
    let world = World::new(&server, |_, _| {});
    let outcome = world.outcome(as_caller("Bearer short", world.ask(subject)));
    assert!(trouble(&outcome).contains("stopped taking the caller's authorization"), "{outcome:?}");
}

#[test]
fn a_token_service_that_is_neither_the_registry_s_own_nor_listed_is_not_asked() {
    let elsewhere = Server::start(|_| Reply::new(200, r#"{"token":"good"}"#));
    let realm = format!("http://{}/token", elsewhere.host.replace("127.0.0.1", "localhost"));
    let store = Store::image();
    let server = Server::start(move |seen| {
        if seen.header("authorization") == "Bearer good" {
            return store.answer(seen);
        }
        Reply::new(401, "{}").with("WWW-Authenticate", format!("Bearer realm=\"{realm}\""))
    });
    let refused = World::new(&server, |_, _| {});
    let outcome = refused.outcome(refused.ask(tag()));
    assert!(trouble(&outcome).contains("neither its own host nor listed for it"), "{outcome:?}");
    assert!(elsewhere.seen().is_empty());
    let listed = World::new(&server, |_, registry| registry.token_hosts = vec!["localhost".into()]);
    assert!(matches!(listed.outcome(listed.ask(tag())), Outcome::Judged(_)));
}

#[test]
fn a_registry_that_resolves_to_a_private_address_is_asked_when_that_is_allowed_and_pushes_go_there_anyway() {
    let store = Store::image();
    let server = Server::start(move |seen| store.answer(seen));
    let denied = World::new(&server, |_, registry| registry.allows_private = false);
    let outcome = denied.outcome(denied.ask(tag()));
    assert!(trouble(&outcome).contains("not a public address"), "{outcome:?}");
    assert!(server.seen().is_empty());
    let upstream = format!("http://{}", server.host);
    let gate = |config: &mut Config, _: &mut Registry| {
        config.gate = Some(Gate {
            listen: "127.0.0.1:0".parse().unwrap(),
            tls: None,
            upstream: upstream.clone(),
            deadline: Duration::from_secs(50),
            pass_types: Vec::new(),
            has_reason_phrase: true,
        });
    };
    let behind = World::new(&server, gate);
    assert!(matches!(behind.outcome(behind.ask(tag())), Outcome::Judged(_)));
}

#[test]
fn no_redirect_leads_to_a_metadata_service_even_where_private_addresses_are_allowed() {
    let store = Store::image();
    let server = Server::start(move |seen| {
        if seen.is_blob() {
            return Reply::new(307, "").with("Location", "https://169.254.169.254/latest/meta-data");
        }
        store.answer(seen)
    });
    let world = World::new(&server, |_, _| {});
    let outcome = world.outcome(world.ask(tag()));
    assert!(trouble(&outcome).contains("where metadata services are"), "{outcome:?}");
}

#[test]
fn platforms_choose_among_an_index_and_refuse_no_image_that_is_named_itself() {
    let mut store = Store::index(&["amd64", "arm64"]);
    let arm = Profile { platforms: vec!["linux/arm64".parse().unwrap()], ..Profile::default() };
    let children: Vec<String> = store.manifests.keys().filter(|digest| **digest != store.root).cloned().collect();
    let index = unpushed(&mut store);
    let faithful = store.clone();
    let server = Server::start(move |seen| faithful.answer(seen));
    let world = World::new(&server, |_, _| {});
    let with = |subject| Ask { platforms: arm.platforms.clone(), ..world.ask(subject) };
    let outcome = world.outcome(with(index));
    let images = images_of(&outcome);
    assert_eq!((images.len(), &images[0]["platform"]["architecture"]), (1, &"arm64".into()), "{images:?}");
    let judged = children
        .iter()
        .filter(|digest| store.manifests[*digest].0 == MANIFEST)
        .map(|digest| world.outcome(with(Subject::Digest(digest.clone()))))
        .filter(|outcome| matches!(outcome, Outcome::Judged(judged) if judged.limit.is_none()))
        .count();
    assert!(judged >= 2, "both images are judged when they are named");
    let none = Ask { platforms: vec!["linux/riscv64".parse().unwrap()], ..world.ask(Subject::Digest(store.root.clone())) };
    assert!(refusal(&world.outcome(none)).contains("not-found"));
}

#[test]
fn a_report_does_not_tell_where_its_image_lies_unless_the_policy_waives_by_name() {
    let store = Store::image();
    let root = store.root.clone();
    let server = Server::start(move |seen| store.answer(seen));
    let world = World::new(&server, |_, _| {});
    let Outcome::Judged(judged) = world.outcome(world.ask(tag())) else { panic!() };
    let text = String::from_utf8(judged.report.to_vec()).unwrap();
    assert!(text.contains(&root) && !text.contains("shop/cart") && !text.contains(&server.host), "{text}");

    let check = "missing-healthcheck".to_owned();
    let waiver = Waiver {
        check,
        path: None,
        image: Some("**/shop/*".into()),
        digest: None,
        reason: "r".into(),
        expires: Date::parse("2999-01-01").unwrap(),
        owner: None,
        place: String::new(),
    };
    let policy = Policy { waivers: vec![waiver], ..Policy::default() };
    let profile = Arc::new(Profile { policy: Arc::new(policy), ..Profile::default() });
    let outcome = world.outcome(Ask { profile, ..world.ask(tag()) });
    let images = images_of(&outcome);
    let waived = images[0]["findings"].as_array().unwrap().iter().any(|finding| !finding["waived"].is_null());
    assert!(waived, "{images:?}");
}

#[test]
fn a_registry_that_fails_is_left_alone_and_what_is_known_still_answers() {
    let store = Store::image();
    let root = store.root.clone();
    let is_down = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let state = Arc::clone(&is_down);
    let server = Server::start(move |seen| {
        if state.load(Ordering::SeqCst) {
            return Reply::new(429, "{}").with("Retry-After", "1");
        }
        store.answer(seen)
    });
    let world = World::new(&server, |_, _| {});
    assert!(matches!(world.outcome(world.ask(tag())), Outcome::Judged(_)));
    is_down.store(true, Ordering::SeqCst);
    for number in 0..6 {
        let outcome = world.outcome(world.ask(Subject::Tag(format!("t{number}"))));
        assert!(matches!(outcome, Outcome::Unavailable { .. }), "{outcome:?}");
    }
    let asked = server.seen().len();
    let outcome = world.outcome(world.ask(Subject::Tag("later".into())));
    assert!(matches!(&outcome, Outcome::Unavailable { retry_after: Some(_), .. }), "{outcome:?}");
    assert_eq!(server.seen().len(), asked, "nobody asks while it is left alone");
    assert!(matches!(world.outcome(world.ask(Subject::Digest(root))), Outcome::Judged(_)), "what is known needs no registry");
    let page = world.metrics.page();
    let open = format!("plimsoll_registry_breaker_open{{host=\"{}\"}} 1", server.host);
    let counted = format!("plimsoll_registry_requests_total{{host=\"{}\",code=\"429\"}}", server.host);
    assert!(page.contains(&open) && page.contains(&counted), "{page}");
}

#[test]
fn bounds_on_time_and_bytes_hold_for_registries() {
    let store = Store::image();
    let largest = store.largest();
    let slow = store.clone();
    let server = Server::start(move |seen| {
        let reply = slow.answer(seen);
        if seen.target.contains(&largest) { reply.sent(Sent::Dripping(Duration::from_millis(5))) } else { reply }
    });
    let began = Instant::now();
    let world = World::new(&server, |config, _| config.limits.registry_seconds = 1);
    let outcome = world.outcome(world.ask(tag()));
    assert!(trouble(&outcome).contains("registry-seconds"), "{outcome:?}");
    assert!(began.elapsed() < Duration::from_secs(20));

    let server = Server::start(move |seen| store.answer(seen));
    let world = World::new(&server, |config, _| config.limits.stored_bytes = 1_000);
    let Outcome::Judged(judged) = world.outcome(world.ask(tag())) else { panic!() };
    assert_eq!(judged.limit.as_deref(), Some("stored-bytes"));
    assert!(server.seen().iter().all(|seen| !seen.is_blob()), "nothing of it is read");
}

#[test]
fn layers_that_are_known_are_not_read_again_for_another_policy() {
    let store = Store::image();
    let largest = store.largest();
    let server = Server::start(move |seen| store.answer(seen));
    let world = World::new(&server, |_, _| {});
    assert!(matches!(world.outcome(world.ask(tag())), Outcome::Judged(_)));
    let profile = Profile { policy: Arc::new(Policy { allow_incomplete: true, ..Policy::default() }), ..Profile::default() };
    let outcome = world.outcome(Ask { profile: Arc::new(profile), ..world.ask(tag()) });
    assert!(matches!(outcome, Outcome::Judged(_)));
    assert_eq!(server.count(&largest), 1);
}
