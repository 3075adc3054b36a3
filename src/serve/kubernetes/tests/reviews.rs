//! `ImageReview`.

use super::*;

#[expect(clippy::needless_pass_by_value, reason = "it is mostly made for the call")]
fn image_review(images: &[&str], annotations: Value) -> Value {
    let containers: Vec<Value> = images.iter().map(|image| json!({ "image": image })).collect();
    json!({ "apiVersion": "imagepolicy.k8s.io/v1alpha1", "kind": "ImageReview",
        "spec": { "containers": containers, "annotations": annotations, "namespace": "shop" } })
}

fn status(hooks: &Hooks, profile: &str, review: &Value) -> Value {
    let (code, answer) = hooks.post(&format!("/k8s/v1/imagereview/{profile}"), review.to_string());
    assert_eq!(code, 200, "{answer}");
    assert_eq!((&answer["apiVersion"], &answer["kind"]), (&review["apiVersion"], &review["kind"]));
    answer["status"].clone()
}

#[test]
fn images_are_judged_as_those_of_pods_are() {
    let hooks = Hooks::new();
    for (images, profile, is_allowed) in [
        (vec!["r.example/good"], "default", true),
        (vec!["r.example/good", "r.example/bad"], "default", false),
        (vec!["r.example/bad"], "warn", true),
        (vec!["r.example/bad"], "off", true),
        (vec!["NGINX"], "default", false),
        (vec![], "default", false),
    ] {
        let status = status(&hooks, profile, &image_review(&images, json!(null)));
        assert_eq!(status["allowed"], is_allowed, "{images:?} {profile}");
        assert_eq!(status.get("reason").is_some(), !is_allowed, "{status}");
    }
    let warned = status(&hooks, "warn", &image_review(&["r.example/bad"], json!({})));
    assert!(warned["auditAnnotations"]["message"].as_str().unwrap().contains("compiler"));
}

#[test]
fn glass_is_broken_only_where_the_profile_takes_it_from_image_reviews() {
    let glass = |is_for_image_reviews| {
        let glass = BreakGlass { annotation: "a".into(), groups: vec!["g".into()], is_for_image_reviews };
        Profile { break_glass: Some(glass), ..profile("own", Mode::Enforce) }
    };
    for (annotations, takes, is_allowed) in [
        (json!({ "shop.image-policy.k8s.io/break-glass": "ticket 7" }), true, true),
        (json!({ "shop.image-policy.k8s.io/break-glass": "ticket 7" }), false, false),
        (json!({ "shop.image-policy.k8s.io/break-glass": " " }), true, false),
        (json!({ "shop.image-policy.k8s.io/other": "ticket 7" }), true, false),
        (json!({ "break-glass": "ticket 7", "a": "ticket 7" }), true, false),
        (json!({}), true, false),
    ] {
        let hooks = Hooks::with(vec![glass(takes)]);
        let status = status(&hooks, "own", &image_review(&["r.example/bad"], annotations.clone()));
        assert_eq!(status["allowed"], is_allowed, "{annotations} {takes}");
        if is_allowed {
            assert_eq!(status["auditAnnotations"]["break-glass"], "ticket 7");
        }
    }
}

#[test]
fn a_container_without_an_image_is_refused() {
    let hooks = Hooks::new();
    let mut review = image_review(&["r.example/good"], json!({}));
    review["spec"]["containers"] = json!([{ "image": "r.example/good" }, {}]);
    assert_eq!(status(&hooks, "default", &review)["allowed"], false);
    for bad in [json!({ "kind": "ImageReview" }), json!({ "apiVersion": "imagepolicy.k8s.io/v1alpha1", "kind": "ImageReview" })] {
        assert_eq!(hooks.post("/k8s/v1/imagereview/default", bad.to_string()).0, 400);
    }
}
