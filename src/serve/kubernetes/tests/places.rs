//! Where images hide.

use super::*;
use crate::serve::kubernetes::images::{Found, find};

/// A pod with `value` at `place` of its spec, and a good container besides.
fn pod_with(place: &str, value: &Value) -> Value {
    let mut pod = pod(&["r.example/good"]);
    pod["spec"][place] = value.clone();
    pod
}

#[test]
fn every_place_that_holds_an_image_is_asked_about() {
    let hooks = Hooks::new();
    let bad = json!({ "name": "b", "image": "r.example/bad" });
    let by_reference = |name: &str| json!([{ "name": "v", "image": { "reference": name, "pullPolicy": "Always" } }]);
    for (place, value) in [
        ("initContainers", json!([bad])),
        ("initContainers", json!([{ "name": "b", "image": "r.example/bad", "restartPolicy": "Always" }])),
        ("ephemeralContainers", json!([bad])),
        ("volumes", by_reference("r.example/bad")),
        ("volumes", json!([{ "name": "a", "emptyDir": {} }, { "name": "v", "image": { "reference": "r.example/bad" } }])),
        ("volumes", json!([{ "name": "v", "csi": { "driver": "d", "volumeAttributes": { "image": "r.example/bad" } } }])),
        // not there yet
        ("sidecarContainers", json!([bad])),
        ("debugContainer", bad.clone()),
        ("checkpoint", json!({ "image": { "reference": "r.example/bad" } })),
        ("later", json!({ "groups": [{ "containers": [bad] }] })),
        ("later", json!({ "rbd": { "image": "r.example/bad" } })),
        ("later", json!({ "labels": { "image": "r.example/bad" } })),
        ("later", json!({ "nodeSelector": { "image": "r.example/bad" } })),
    ] {
        let response = hooks.answer("default", &review("", "Pod", pod_with(place, &value)));
        assert_eq!(response["allowed"], false, "{place} {value}");
        assert!(response["status"]["message"].as_str().unwrap().starts_with("r.example/bad fails"), "{response}");
        let strict = Hooks::with(vec![Profile { enforces_workloads: true, ..profile("strict", Mode::Enforce) }]);
        let cron = json!({ "spec": { "jobTemplate": { "spec": { "template": pod_with(place, &value) } } } });
        assert!(!strict.is_allowed("strict", &review("batch", "CronJob", cron)), "{place} {value}");
    }
}

#[test]
fn labels_and_block_devices_are_no_images() {
    let hooks = Hooks::new();
    for (place, value) in [
        ("nodeSelector", json!({ "image": "any" })),
        ("volumes", json!([{ "name": "v", "rbd": { "monitors": ["m"], "image": "disk-7" } }])),
        ("volumes", json!([{ "ephemeral": { "volumeClaimTemplate": { "metadata": { "labels": { "image": "x" } } } } }])),
        ("topologySpreadConstraints", json!([{ "labelSelector": { "matchLabels": { "image": "x" } } }])),
        ("initContainers", json!(null)),
        ("volumes", json!(null)),
    ] {
        assert!(hooks.is_allowed("default", &review("", "Pod", pod_with(place, &value))), "{place} {value}");
        assert_eq!(hooks.asked(), ["r.example/good latest"]);
    }
}

#[test]
fn what_cannot_be_read_is_refused_and_said() {
    let hooks = Hooks::new();
    let spec = |spec: Value| json!({ "spec": spec });
    for (object, place) in [
        (json!(null), "spec"),
        (json!({}), "spec"),
        (spec(json!([])), "spec"),
        (spec(json!({})), "spec.containers"),
        (spec(json!({ "containers": [] })), "spec.containers"),
        (spec(json!({ "containers": {} })), "spec.containers"),
        (spec(json!({ "containers": ["r.example/good"] })), "spec.containers"),
        (spec(json!({ "containers": [{ "name": "c" }] })), "spec.containers[0]"),
        (spec(json!({ "containers": [{ "name": "c", "image": null }] })), "spec.containers[0]"),
        (spec(json!({ "containers": [{ "name": "c", "image": 7 }] })), "spec.containers[0].image"),
        (spec(json!({ "containers": [{ "name": "c", "image": ["r.example/good"] }] })), "spec.containers[0].image"),
        (spec(json!({ "containers": [{ "name": "c", "image": {} }] })), "spec.containers[0].image"),
        (pod_with("initContainers", &json!({})), "spec.initContainers"),
        (pod_with("initContainers", &json!([{}])), "spec.initContainers[0]"),
        (pod_with("ephemeralContainers", &json!([7])), "spec.ephemeralContainers"),
        (pod_with("volumes", &json!([{ "image": {} }])), "spec.volumes[0].image"),
        (pod_with("volumes", &json!([{ "image": { "reference": 7 } }])), "spec.volumes[0].image"),
    ] {
        let response = hooks.answer("default", &review("", "Pod", object.clone()));
        assert_eq!(response["allowed"], false, "{object}");
        let message = response["status"]["message"].as_str().unwrap();
        assert!(message.contains(place), "{object}: {message}");
        let warned = hooks.answer("warn", &review("", "Pod", object.clone()));
        assert_eq!((&warned["allowed"], texts(&warned["warnings"]).is_empty()), (&json!(true), false), "{object}");
    }
}

#[test]
fn names_that_name_nothing_are_refused_with_the_reason() {
    let hooks = Hooks::new();
    for name in ["", "NGINX", "r.example/bad image", &"0a".repeat(32), &format!("sha256:{}", "0a".repeat(32))] {
        let response = hooks.answer("default", &pod_review(&["r.example/good", name]));
        assert_eq!(response["allowed"], false, "{name}");
        assert!(response["status"]["message"].as_str().unwrap().contains("names no image"), "{response}");
    }
}

#[test]
fn the_subresource_of_old_is_read() {
    let hooks = Hooks::new();
    let of = |image: &str| json!({ "ephemeralContainers": [{ "name": "debug", "image": image }] });
    let mut ask = review("", "EphemeralContainers", of("r.example/bad"));
    ask["request"]["operation"] = json!("UPDATE");
    ask["request"]["subResource"] = json!("ephemeralcontainers");
    ask["request"]["oldObject"] = json!({ "ephemeralContainers": [] });
    assert!(!hooks.is_allowed("default", &ask));
    ask["request"]["object"] = of("r.example/good");
    assert!(hooks.is_allowed("default", &ask));
    ask["request"]["object"] = json!({});
    assert!(!hooks.is_allowed("default", &ask));
}

#[test]
fn more_images_than_a_pod_has_are_refused() {
    let names: Vec<String> = (0..129).map(|index| format!("r.example/good:{index}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let hooks = Hooks::new();
    assert!(hooks.is_allowed("default", &pod_review(&names[..128])));
    let response = hooks.answer("default", &pod_review(&names));
    assert_eq!(response["status"]["message"], "the object names more than 128 images");
}

#[test]
fn a_flood_of_values_ends() {
    let many = json!(vec![json!({}); 250_000]);
    let found = find("", "Pod", &pod_with("later", &many));
    assert_eq!(found.problems, ["the pod spec holds more than 200000 values"]);
}

#[test]
fn a_kind_of_somebody_else_is_read_where_pods_are_made() {
    for (place, object) in [
        ("template", json!({ "spec": { "template": { "spec": { "containers": [{ "image": "a" }] } } } })),
        ("itself", json!({ "spec": { "containers": [{ "image": "a" }] } })),
        ("machine", json!({ "spec": { "template": { "spec": { "volumes": [{ "containerDisk": { "image": "a" } }] } } } })),
    ] {
        assert_eq!(find("x.example", "Deployment", &object).images, ["a"], "{place}");
    }
    assert_eq!(find("x.example", "Thing", &json!({ "spec": { "template": { "metadata": {} } } })), Found::default());
}
