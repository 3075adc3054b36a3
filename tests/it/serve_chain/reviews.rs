//! Reviews as a real API server has sent them, about images in a real registry.

use super::*;
use crate::gate::real::{Registry, has};

const PROFILES: &str = "\
[profiles.default]
[profiles.warn]
mode = 'warn'
[profiles.guarded.break_glass]
annotation = 'plimsoll.example/break-glass'
groups = ['on-call']
image_reviews = true
";

fn post(replica: &Replica, path: &str, body: &str) -> Value {
    let reply = ask(replica.serving.api, "POST", path, &[("Content-Type", "application/json")], body.as_bytes());
    assert_eq!(reply.status, 200, "{}", reply.text());
    serde_json::from_slice(&reply.body).unwrap()
}

fn is_allowed(answer: &Value) -> bool {
    answer.pointer("/response/allowed").or_else(|| answer.pointer("/status/allowed")).unwrap().as_bool().unwrap()
}

/// The body of a recorded request, about another image.
fn recorded(name: &str, from: &str, to: &str) -> String {
    let path = root().join(format!("testdata/admission/recorded/{name}.json"));
    let case: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    case["body"].to_string().replace(from, to)
}

#[test]
fn recorded_reviews_are_answered_alike_about_images_in_a_registry() {
    if !has(&["docker-registry", "skopeo"]) {
        return;
    }
    let registry = Registry::start(false);
    let replica = Replica::start(&registry.host, "", PROFILES);
    for tag in 1..=5 {
        place(&archive("good"), &registry.host, &format!("good:{tag}"));
        place(&archive("demo"), &registry.host, &format!("bad:{tag}"));
    }
    // verified once, known ever after: all five tags are one image
    for name in ["good", "bad"] {
        assert_eq!(replica.verify(&format!("{}/{name}:1", registry.host), Duration::from_mins(1)).status, 200);
    }
    let (mut allowed, mut denied) = (0, 0);
    for entry in std::fs::read_dir(root().join("testdata/admission/recorded")).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap().replace("registry.example/", &format!("{}/", registry.host));
        let case: Value = serde_json::from_str(&text).unwrap();
        let answer = post(&replica, case["path"].as_str().unwrap(), &case["body"].to_string());
        assert_eq!(is_allowed(&answer), case["expect"]["allowed"], "{}: {answer}", path.display());
        if is_allowed(&answer) { allowed += 1 } else { denied += 1 }
    }
    assert!(allowed >= 15 && denied >= 5, "{allowed} {denied}");
    assert_eq!(replica.metric("plimsoll_verify_seconds_count"), 2);
}

#[test]
fn a_cold_image_is_verified_while_the_api_server_waits_and_the_second_answer_is_warm() {
    if !has(&["docker-registry", "skopeo"]) {
        return;
    }
    let registry = Registry::start(false);
    let replica = Replica::start(&registry.host, "", PROFILES);
    for (name, archived, request, expected) in
        [("fresh/good", "good", "pod-create-good-allowed", true), ("fresh/bad", "demo", "pod-create-bad-refused", false)]
    {
        place(&archive(archived), &registry.host, &format!("{name}:1"));
        let old = format!("registry.example/{}:1", name.rsplit('/').next().unwrap());
        let body = recorded(request, &old, &format!("{}/{name}:1", registry.host));
        let before = replica.metric("plimsoll_verify_seconds_count");
        let path = "/k8s/v1/validate/default?timeout=30s";
        let cold = post(&replica, path, &body);
        assert_eq!(is_allowed(&cold), expected, "{cold}");
        let began = Instant::now();
        let warm = post(&replica, path, &body);
        assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
        assert_eq!(warm["response"]["allowed"], cold["response"]["allowed"]);
        assert_eq!(warm["response"]["auditAnnotations"]["images"], cold["response"]["auditAnnotations"]["images"]);
        assert_eq!(replica.metric("plimsoll_verify_seconds_count"), before + 1);
    }
    let warm = "plimsoll_admission_duration_seconds_count{hook=\"kubernetes\",source=\"l1\"}";
    assert_eq!(replica.metric(warm), 2, "{}", replica.metrics());
    // by another name the same bytes are known already
    place(&archive("demo"), &registry.host, "elsewhere/fine:9");
    let body = recorded("pod-create-good-allowed", "registry.example/good:1", &format!("{}/elsewhere/fine:9", registry.host));
    assert!(!is_allowed(&post(&replica, "/k8s/v1/validate/default?timeout=2s", &body)));
    assert_eq!(replica.metric("plimsoll_verify_seconds_count"), 2);
}

#[test]
fn what_cannot_be_verified_in_time_is_denied_and_verified_meanwhile() {
    if !has(&["docker-registry", "skopeo"]) {
        return;
    }
    let registry = Registry::start(false);
    let replica = Replica::start(&registry.host, "", "[profiles.default]\non_unknown = 'deny'");
    place(&archive("good"), &registry.host, "late/good:1");
    let body = recorded("pod-create-good-allowed", "registry.example/good:1", &format!("{}/late/good:1", registry.host));
    let dry = body.replace("\"dryRun\":false", "\"dryRun\":true");
    assert_ne!(body, dry);
    let path = "/k8s/v1/validate/default?timeout=10s";
    assert!(!is_allowed(&post(&replica, path, &dry)));
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(replica.metric("plimsoll_verify_seconds_count"), 0, "a dry run begins no work");
    let first = post(&replica, path, &body);
    assert!(!is_allowed(&first) && first.to_string().contains("not verified yet"), "{first}");
    until("the verdict", || is_allowed(&post(&replica, path, &body)).then_some(()));
}
