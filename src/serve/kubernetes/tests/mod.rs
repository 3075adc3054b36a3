//! The hooks against somebody who gives verdicts as images are called.

mod answers;
mod lenience;
mod places;
mod properties;
mod reviews;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::Request as HttpRequest;
use http_body_util::BodyExt as _;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use serde_json::{Value, json};

use super::*;
use crate::policy::Date;
use crate::report::model::Verdict;
use crate::serve::config::{BreakGlass, Config, Match, Mode, Profile, Server};
use crate::serve::engine::{Engine, Registries};
use crate::serve::host::Host;
use crate::serve::live::Live;
use crate::serve::metrics::Metrics;
use crate::serve::verdict::{Answering, Ask, Judged, Outcome};

const HOST: Host = Host { read: |_, _| Err("no files".into()), open_policy: |_| Err(vec![]), today: Date::default };

/// Says of an image what its repository is called.
#[derive(Default)]
struct Oracle(Mutex<Vec<Ask>>);

impl Verdicts for Oracle {
    fn verdict(&self, ask: Ask) -> Answering<'_> {
        let name = ask.repository.rsplit('/').next().unwrap().to_owned();
        let digest = match ask.subject.to_string() {
            digest if digest.starts_with("sha256:") => digest,
            _ => format!("sha256:{}", "d".repeat(64)),
        };
        self.0.lock().unwrap().push(ask);
        let judged = |verdict, failing: &[&str], limit: Option<&str>, score| {
            Outcome::Judged(Arc::new(Judged {
                digest,
                verdict,
                score: Some(score),
                failing: failing.iter().map(|&id| id.to_owned()).collect(),
                limit: limit.map(str::to_owned),
                report: Arc::from([].as_slice()),
            }))
        };
        Box::pin(async move {
            match name.as_str() {
                "good" => judged(Verdict::Pass, &[], None, 97.0),
                "bad" => judged(Verdict::Fail, &["compiler", "root-user", "shell", "setuid"], None, 41.0),
                "bomb" => judged(Verdict::Unverifiable, &[], Some("image-bytes"), 0.0),
                "unready" => Outcome::NotReady { retry_after: Duration::from_secs(9) },
                "missing" => Outcome::Refused { reason: "the registry says 404".into() },
                "down" => Outcome::Unavailable { reason: "the registry says 503".into(), retry_after: None },
                "never" => std::future::pending().await,
                _ => Outcome::Fault { request: "7".into() },
            }
        })
    }
}

/// The hooks, and who was asked.
struct Hooks {
    router: Router,
    oracle: Arc<Oracle>,
    context: Context,
}

fn profile(name: &str, mode: Mode) -> Profile {
    Profile { name: name.into(), mode, ..Profile::default() }
}

impl Hooks {
    fn new() -> Self {
        Self::with(vec![])
    }

    /// With these profiles besides `default`, which enforces, `warn` and `off`.
    fn with(profiles: Vec<Profile>) -> Self {
        Self::on(Server::default(), profiles)
    }

    fn on(server: Server, profiles: Vec<Profile>) -> Self {
        let plain = [profile("default", Mode::Enforce), profile("warn", Mode::Warn), profile("off", Mode::Off)];
        let matches =
            vec![Match { hooks: vec![], namespaces: vec!["lax-*".into()], repositories: vec![], profile: "warn".into() }];
        let profiles = plain.into_iter().chain(profiles).map(|one| (one.name.clone(), Arc::new(one))).collect();
        let (_, live) = Live::new(Config { server, profiles, matches, ..Config::default() });
        let metrics = Arc::new(Metrics::default());
        let engine = {
            let images = Arc::new(Registries::new(live.clone(), HOST, Arc::clone(&metrics)));
            Engine::start(live.clone(), HOST, images, Default::default(), Arc::clone(&metrics)).unwrap()
        };
        let context = Context::new(live, engine, metrics, HOST, None);
        let oracle = Arc::new(Oracle::default());
        Self { router: asking(context.clone(), Arc::clone(&oracle) as Arc<dyn Verdicts>), oracle, context }
    }

    fn post(&self, path: &str, body: impl Into<Body>) -> (u16, Value) {
        self.post_to([127, 0, 0, 1], path, body)
    }

    /// As if the server listened there.
    fn post_to(&self, listener: [u8; 4], path: &str, body: impl Into<Body>) -> (u16, Value) {
        let mut request = HttpRequest::post(path).body(body.into()).unwrap();
        let address = std::net::SocketAddr::from((listener, 1));
        request.extensions_mut().insert(Peer { address, listener: address, client: None });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let response = TowerToHyperService::new(self.router.clone()).call(request).await.unwrap();
            let status = response.status().as_u16();
            let bytes = response.into_body().collect().await.unwrap().to_bytes();
            (status, serde_json::from_slice(&bytes).unwrap_or_default())
        })
    }

    /// The `response` to a review under a profile.
    fn answer(&self, profile: &str, review: &Value) -> Value {
        let (status, answer) = self.post(&format!("/k8s/v1/validate/{profile}?timeout=10s"), review.to_string());
        assert_eq!(status, 200, "{answer}");
        assert_eq!((&answer["apiVersion"], &answer["kind"]), (&json!("admission.k8s.io/v1"), &json!("AdmissionReview")));
        assert_eq!(answer["response"]["uid"], review["request"]["uid"]);
        assert!(answer["response"].get("patch").is_none() && answer["response"].get("patchType").is_none());
        answer["response"].clone()
    }

    fn is_allowed(&self, profile: &str, review: &Value) -> bool {
        self.answer(profile, review)["allowed"].as_bool().unwrap()
    }

    /// Repositories that were asked about, with what names the manifest; forgets them.
    fn asked(&self) -> Vec<String> {
        let asked = std::mem::take(&mut *self.oracle.0.lock().unwrap());
        asked.iter().map(|ask| format!("{} {}", ask.repository, ask.subject)).collect()
    }
}

/// A request about an object of this kind, as an API server sends it.
#[expect(clippy::needless_pass_by_value, reason = "it is mostly made for the call")]
fn review(group: &str, kind: &str, object: Value) -> Value {
    json!({
        "kind": "AdmissionReview",
        "apiVersion": "admission.k8s.io/v1",
        "request": {
            "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
            "kind": { "group": group, "version": "v1", "kind": kind },
            "resource": { "group": group, "version": "v1", "resource": "things" },
            "name": "shop",
            "namespace": "shop",
            "operation": "CREATE",
            "userInfo": { "username": "alice", "groups": ["developers", "system:authenticated"] },
            "object": object,
            "oldObject": null,
            "dryRun": false,
            "options": null,
        }
    })
}

/// A pod with these images, each in a container.
fn pod(images: &[&str]) -> Value {
    let containers: Vec<Value> = images.iter().map(|image| json!({ "name": "c", "image": image })).collect();
    json!({ "metadata": { "name": "shop" }, "spec": { "containers": containers } })
}

fn pod_review(images: &[&str]) -> Value {
    review("", "Pod", pod(images))
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(|text| text.as_str().unwrap().to_owned()).collect()
}
