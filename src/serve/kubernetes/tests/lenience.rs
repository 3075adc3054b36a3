//! What is not asked, what is only warned of, and who may override a refusal.

use super::*;

const WORKLOADS: [(&str, &str, &str); 9] = [
    ("apps", "Deployment", "/spec/template"),
    ("apps", "ReplicaSet", "/spec/template"),
    ("apps", "StatefulSet", "/spec/template"),
    ("apps", "DaemonSet", "/spec/template"),
    ("extensions", "Deployment", "/spec/template"),
    ("batch", "Job", "/spec/template"),
    ("", "ReplicationController", "/spec/template"),
    ("batch", "CronJob", "/spec/jobTemplate/spec/template"),
    ("", "PodTemplate", "/template"),
];

/// An object with a pod at this place.
fn at(place: &str, pod: &Value) -> Value {
    let mut whole = pod.clone();
    for key in place.split('/').rev().filter(|key| !key.is_empty()) {
        whole = json!({ key: whole });
    }
    whole
}

fn updated(mut review: Value, old: Value) -> Value {
    review["request"]["operation"] = json!("UPDATE");
    review["request"]["oldObject"] = old;
    review
}

#[test]
fn what_runs_nothing_new_is_allowed_without_asking() {
    let hooks = Hooks::new();
    let bad = pod(&["r.example/bad"]);
    let with = |key: &str, value: &str| {
        let mut review = review("", "Pod", bad.clone());
        review["request"][key] = json!(value);
        review
    };
    let unchanged = updated(review("", "Pod", bad.clone()), bad.clone());
    let fewer = updated(review("", "Pod", bad.clone()), pod(&["r.example/bad", "r.example/good"]));
    let same = updated(review("", "Pod", pod(&["docker.io/library/bad:latest"])), pod(&["bad"]));
    let broken = updated(review("", "Pod", json!({})), json!({}));
    for review in [
        with("operation", "DELETE"),
        with("operation", "CONNECT"),
        with("subResource", "status"),
        with("subResource", "scale"),
        unchanged,
        fewer,
        same,
        broken,
        review("autoscaling", "Scale", json!({ "spec": { "replicas": 3 } })),
    ] {
        let response = hooks.answer("default", &review);
        assert_eq!(response["allowed"], true, "{review}");
        assert!(response["auditAnnotations"]["skipped"].is_string());
    }
    assert!(hooks.asked().is_empty());
}

#[test]
fn an_update_is_asked_about_for_what_is_new() {
    let hooks = Hooks::new();
    let review = updated(review("", "Pod", pod(&["r.example/bad", "r.example/good"])), pod(&["r.example/bad"]));
    assert!(hooks.is_allowed("default", &review));
    assert_eq!(hooks.asked(), ["r.example/good latest"]);
    let review = updated(review_of_pod("r.example/bad:2"), pod(&["r.example/bad:1"]));
    assert!(!hooks.is_allowed("default", &review));
    let review = updated(review_of_pod("r.example/bad"), json!(null));
    assert!(!hooks.is_allowed("default", &review), "nothing is known of before");
}

fn review_of_pod(image: &str) -> Value {
    review("", "Pod", pod(&[image]))
}

#[test]
fn workloads_are_warned_of_and_their_pods_refused() {
    let strict = Profile { enforces_workloads: true, ..profile("strict", Mode::Enforce) };
    let hooks = Hooks::with(vec![strict]);
    for (group, kind, place) in WORKLOADS {
        for (image, is_good) in [("r.example/good", true), ("r.example/bad", false), ("NO IMAGE", false)] {
            let review = review(group, kind, at(place, &pod(&[image])));
            let response = hooks.answer("default", &review);
            assert_eq!(response["allowed"], true, "{kind}");
            assert_eq!(texts(&response["warnings"]).len(), usize::from(!is_good), "{kind} {image}");
            assert_eq!(hooks.is_allowed("strict", &review), is_good, "{kind} {image}");
        }
        assert!(!hooks.is_allowed("strict", &review(group, kind, json!({}))), "{kind} without pods");
        assert!(hooks.is_allowed("default", &review(group, kind, json!({}))));
    }
    let unknown = review("argoproj.io", "Rollout", at("/spec/template", &pod(&["r.example/bad"])));
    assert_eq!(texts(&hooks.answer("default", &unknown)["warnings"]).len(), 1);
    assert!(!hooks.is_allowed("strict", &unknown));
}

#[test]
fn a_mirror_pod_is_warned_of_when_a_node_says_so() {
    let hooks = Hooks::new();
    let mut review = pod_review(&["r.example/bad"]);
    review["request"]["object"]["metadata"]["annotations"] = json!({ "kubernetes.io/config.mirror": "abc" });
    assert!(!hooks.is_allowed("default", &review), "anybody can write an annotation");
    review["request"]["userInfo"] = json!({ "username": "system:node:n1", "groups": ["system:nodes"] });
    let response = hooks.answer("default", &review);
    assert_eq!((&response["allowed"], texts(&response["warnings"]).len()), (&json!(true), 1));
    assert_eq!(response["auditAnnotations"]["failed-open"], "mirror-pod");
    review["request"]["object"]["metadata"]["annotations"] = json!({});
    assert!(!hooks.is_allowed("default", &review), "a node may not run what it likes");
}

fn guarded() -> Profile {
    let glass = BreakGlass {
        annotation: "plimsoll.example/break-glass".into(),
        groups: vec!["on-call".into()],
        is_for_image_reviews: false,
    };
    Profile { break_glass: Some(glass), ..profile("guarded", Mode::Enforce) }
}

#[test]
fn a_refusal_is_overridden_by_a_reason_from_somebody_who_may() {
    let hooks = Hooks::with(vec![guarded()]);
    for (reason, groups, is_allowed) in [
        (json!("ticket 7"), json!(["developers", "on-call"]), true),
        (json!("ticket 7"), json!(["developers"]), false),
        (json!("ticket 7"), json!(null), false),
        (json!("  "), json!(["on-call"]), false),
        (json!(""), json!(["on-call"]), false),
        (json!(7), json!(["on-call"]), false),
        (json!(null), json!(["on-call"]), false),
    ] {
        let mut review = pod_review(&["r.example/bad"]);
        review["request"]["object"]["metadata"]["annotations"] = json!({ "plimsoll.example/break-glass": reason });
        review["request"]["userInfo"]["groups"] = groups.clone();
        let response = hooks.answer("guarded", &review);
        assert_eq!(response["allowed"], is_allowed, "{reason} {groups}");
        assert!(!hooks.is_allowed("default", &review), "another profile has none");
        if is_allowed {
            assert_eq!(response["auditAnnotations"]["break-glass"], "ticket 7 (by alice)");
            assert!(texts(&response["warnings"])[0].starts_with("refusal overridden: r.example/bad fails"), "{response}");
        }
    }
    assert!(hooks.context.metrics.page().contains("plimsoll_break_glass_total 1"));
    assert!(hooks.context.metrics.page().contains("plimsoll_fail_open_total{reason=\"break-glass\"} 1"));
}

#[test]
fn the_reason_stands_on_the_pod_and_is_kept_without_control_characters() {
    let strict = Profile { enforces_workloads: true, ..guarded() };
    let hooks = Hooks::with(vec![strict]);
    let mut pod = pod(&["r.example/bad"]);
    let annotations = json!({ "annotations": { "plimsoll.example/break-glass": "a\u{1b}[2J\nb" } });
    let mut on_template = review("apps", "Deployment", at("/spec/template", &pod));
    on_template["request"]["userInfo"]["groups"] = json!(["on-call"]);
    on_template["request"]["object"]["metadata"] = annotations.clone();
    assert!(!hooks.is_allowed("guarded", &on_template), "on the workload itself it says nothing of its pods");
    pod["metadata"] = annotations;
    on_template["request"]["object"] = at("/spec/template", &pod);
    let response = hooks.answer("guarded", &on_template);
    assert_eq!(response["allowed"], true);
    assert_eq!(response["auditAnnotations"]["break-glass"], "a\\x1b[2J\\x0ab (by alice)");
}

#[test]
fn what_is_good_breaks_no_glass() {
    let hooks = Hooks::with(vec![guarded()]);
    let mut review = pod_review(&["r.example/good"]);
    review["request"]["object"]["metadata"]["annotations"] = json!({ "plimsoll.example/break-glass": "ticket 7" });
    review["request"]["userInfo"]["groups"] = json!(["on-call"]);
    let response = hooks.answer("guarded", &review);
    assert_eq!((response.get("warnings"), response["auditAnnotations"].get("break-glass")), (None, None));
}
