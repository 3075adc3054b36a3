//! What is answered, and when.

use std::time::Instant;

use super::*;
use crate::serve::config::{OnProblem, RequireDigest, Tls};

#[test]
fn a_good_image_is_allowed_and_the_audit_log_is_told() {
    let response = Hooks::new().answer("default", &pod_review(&["r.example/good:1"]));
    assert_eq!(response["allowed"], true);
    assert_eq!((response.get("status"), response.get("warnings")), (None, None));
    let digest = "d".repeat(64);
    assert_eq!(
        response["auditAnnotations"],
        json!({ "decision": "allow", "profile": "default", "policy": "admission", "score": "97.0",
            "images": format!("r.example/good:1@sha256:{digest}") })
    );
}

#[test]
fn a_bad_image_is_refused_by_a_sentence_that_names_the_checks() {
    let response = Hooks::new().answer("default", &pod_review(&["r.example/good", "r.example/bad:1"]));
    assert_eq!(response["allowed"], false);
    assert_eq!(
        response["status"],
        json!({ "code": 403, "reason": "Forbidden",
            "message": "r.example/bad:1 fails the policy admission: compiler, root-user, shell and 1 more" })
    );
    assert_eq!(response["auditAnnotations"]["decision"], "deny");
    assert_eq!(response["auditAnnotations"]["score"], "41.0");
}

#[test]
fn by_default_everything_but_a_pass_is_refused() {
    let hooks = Hooks::new();
    for name in ["bad", "bomb", "unready", "missing", "down", "other"] {
        let response = hooks.answer("default", &pod_review(&["r.example/good", &format!("r.example/{name}")]));
        assert_eq!(response["allowed"], false, "{name}");
        assert!(response["status"]["message"].as_str().unwrap().contains(name), "{response}");
    }
}

#[test]
fn a_profile_that_warns_allows_and_says_why() {
    let hooks = Hooks::new();
    for name in ["bad", "bomb", "unready", "missing", "down", "other"] {
        let response = hooks.answer("warn", &pod_review(&[&format!("r.example/{name}")]));
        assert_eq!((&response["allowed"], texts(&response["warnings"]).len()), (&json!(true), 1), "{name}");
        assert_eq!(response["auditAnnotations"]["decision"], "warn");
    }
    assert!(hooks.context.metrics.page().contains("plimsoll_fail_open_total{reason=\"unavailable\"} 1"));
}

#[test]
fn a_profile_that_is_off_asks_nothing() {
    let hooks = Hooks::new();
    for image in ["r.example/bad", "NO IMAGE"] {
        let response = hooks.answer("off", &pod_review(&[image]));
        assert_eq!((&response["allowed"], response.get("warnings")), (&json!(true), None));
    }
    assert!(hooks.asked().is_empty());
    assert!(hooks.context.metrics.page().contains("plimsoll_fail_open_total{reason=\"mode-off\"} 2"));
}

#[test]
fn what_the_profile_says_of_errors_holds() {
    let on_error = |on_error| Profile { on_error, ..profile("own", Mode::Enforce) };
    for (on, warnings) in [(OnProblem::Allow, 0), (OnProblem::Warn, 1)] {
        let response = Hooks::with(vec![on_error(on)]).answer("own", &pod_review(&["r.example/down"]));
        assert_eq!((&response["allowed"], texts(&response["warnings"]).len()), (&json!(true), warnings), "{on:?}");
    }
}

#[test]
fn every_image_is_asked_about_once_under_the_name_of_a_runtime() {
    let hooks = Hooks::new();
    let digest = format!("sha256:{}", "0a".repeat(32));
    let pinned = format!("good:1@{digest}");
    hooks.answer("default", &pod_review(&["good", "good:latest", "docker.io/good", "docker.io/library/good:latest", &pinned]));
    assert_eq!(hooks.asked(), ["docker.io/library/good latest", &format!("docker.io/library/good {digest}")]);
}

#[test]
fn the_answer_comes_before_the_caller_gives_up() {
    let hooks = Hooks::new();
    let review = pod_review(&["r.example/never", "r.example/good", "r.example/never-two"]);
    for (profile, is_allowed) in [("default", false), ("warn", true)] {
        let began = Instant::now();
        let (status, answer) = hooks.post(&format!("/k8s/v1/validate/{profile}?timeout=1s"), review.to_string());
        let took = began.elapsed();
        assert_eq!((status, answer["response"]["allowed"].as_bool()), (200, Some(is_allowed)));
        assert!(took >= Duration::from_millis(450) && took < Duration::from_millis(900), "{took:?}");
        assert!(answer.to_string().contains("r.example/never is not verified yet: try again in 5 s"), "{answer}");
    }
}

#[test]
fn dry_runs_ask_but_start_no_work() {
    let hooks = Hooks::new();
    let mut review = pod_review(&["r.example/good"]);
    review["request"]["dryRun"] = json!(true);
    assert!(hooks.is_allowed("default", &review));
    assert!(hooks.is_allowed("default", &pod_review(&["r.example/good"])));
    let may: Vec<bool> = hooks.oracle.0.lock().unwrap().iter().map(|ask| ask.may_enqueue).collect();
    assert_eq!(may, [false, true]);
}

#[test]
fn a_namespace_with_too_many_reviews_gets_what_is_known_and_no_work_is_begun_for_it() {
    let hooks = Hooks::on(Server { max_inflight_per_namespace: 1, ..Server::default() }, vec![]);
    let place = hooks.context.place_of("shop").unwrap();
    assert!(hooks.is_allowed("default", &pod_review(&["r.example/good"])));
    let mut other = pod_review(&["r.example/good"]);
    other["request"]["namespace"] = json!("other");
    assert!(hooks.is_allowed("default", &other));
    // who would have to be waited for is not
    let began = Instant::now();
    let denied = hooks.answer("default", &pod_review(&["r.example/never"]));
    assert!(began.elapsed() < Duration::from_secs(5));
    assert!(denied["allowed"] == false && denied["status"]["message"].as_str().unwrap().contains("not verified yet"), "{denied}");
    drop(place);
    assert!(hooks.is_allowed("default", &pod_review(&["r.example/good"])));
    let may: Vec<bool> = hooks.oracle.0.lock().unwrap().iter().map(|ask| ask.may_enqueue).collect();
    assert_eq!(may, [false, true, false, true]);
    assert!(hooks.context.metrics.page().contains("plimsoll_turned_away_total{bound=\"namespace\"} 2"));
}

#[test]
fn names_without_a_digest_are_treated_as_the_profile_says() {
    let digest = format!("r.example/good@sha256:{}", "0a".repeat(32));
    let own = |mode, require_digest| Hooks::with(vec![Profile { require_digest, ..profile("own", mode) }]);
    for (mode, require, is_allowed, warnings, asked) in [
        (Mode::Enforce, RequireDigest::Resolve, true, 0, 1),
        (Mode::Enforce, RequireDigest::Warn, true, 1, 1),
        (Mode::Enforce, RequireDigest::Deny, false, 0, 0),
        (Mode::Warn, RequireDigest::Deny, true, 1, 1),
    ] {
        let hooks = own(mode, require);
        let response = hooks.answer("own", &pod_review(&["r.example/good:1"]));
        let told = texts(&response["warnings"]);
        assert_eq!((&response["allowed"], told.len()), (&json!(is_allowed), warnings), "{mode:?} {require:?}");
        assert!(told.iter().all(|text| text.contains("without a digest")), "{told:?}");
        assert_eq!(hooks.asked().len(), asked);
        let pinned = hooks.answer("own", &pod_review(&[&digest]));
        assert_eq!((&pinned["allowed"], pinned.get("warnings")), (&json!(true), None));
    }
}

#[test]
fn auto_takes_the_profile_of_the_matches() {
    let hooks = Hooks::new();
    let mut review = pod_review(&["r.example/bad"]);
    assert!(!hooks.is_allowed("auto", &review));
    review["request"]["namespace"] = json!("lax-1");
    let response = hooks.answer("auto", &review);
    assert_eq!((&response["allowed"], &response["auditAnnotations"]["profile"]), (&json!(true), &json!("warn")));
}

#[test]
fn warnings_fit_what_an_api_server_passes_on() {
    let hooks = Hooks::new();
    let names: Vec<String> = (0..40).map(|index| format!("r.example/{index}-{}/bad", "x".repeat(90))).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).chain(["a\u{1b}[2J\n\u{202e}b", "ü"]).collect();
    let warnings = texts(&hooks.answer("warn", &pod_review(&names))["warnings"]);
    assert_eq!(warnings.len(), 11);
    assert!(warnings.iter().all(|text| text.len() <= 256 && !text.chars().any(char::is_control)), "{warnings:?}");
    assert_eq!(super::super::ruling::cut(&"ü".repeat(200), 256).len(), 255);
    assert_eq!(warnings[10], "32 more images are warned of");
}

#[test]
fn what_is_no_review_is_400_and_what_is_no_profile_404() {
    let hooks = Hooks::new();
    for bad in ["", "{}", "null", "[1,2", "{\"apiVersion\":\"v1\",\"kind\":\"Pod\"}"] {
        assert_eq!(hooks.post("/k8s/v1/validate/default", bad).0, 400, "{bad}");
        assert_eq!(hooks.post("/k8s/v1/imagereview/default", bad).0, 400, "{bad}");
    }
    let review = pod_review(&["r.example/good"]).to_string();
    assert_eq!(hooks.post("/k8s/v1/validate/nothing", review.clone()).0, 404);
    assert_eq!(hooks.post("/k8s/v1/validate/default/more", review).0, 404);
}

#[test]
fn answers_do_not_mix_images_up() {
    let hooks = Hooks::new();
    for (images, is_allowed) in [(["r.example/good", "r.example/bad"], false), (["r.example/good:1", "r.example/good:2"], true)] {
        let response = hooks.answer("default", &pod_review(&images));
        assert_eq!(response["allowed"], is_allowed);
        let asked = hooks.asked();
        for (index, image) in images.iter().enumerate() {
            assert!(asked[index].starts_with(image.rsplit_once(':').map_or(*image, |(name, _)| name)));
            assert!(response["auditAnnotations"]["images"].as_str().unwrap().contains(image));
        }
    }
}

#[test]
fn callers_show_who_they_are_where_there_is_an_authority_for_it() {
    let review = pod_review(&["r.example/good"]).to_string();
    let asked = |client_ca: Option<&str>| {
        let tls = Tls { cert: "cert".into(), key: "key".into(), client_ca: client_ca.map(Into::into), client_names: vec![] };
        let hooks = Hooks::on(Server { tls: Some(tls), ..Server::default() }, vec![]);
        ["validate", "imagereview"]
            .map(|hook| hooks.post_to([192, 0, 2, 1], &format!("/k8s/v1/{hook}/default"), review.clone()).0)
    };
    assert_eq!(asked(None), [200, 400], "most API servers have nothing to show");
    assert_eq!(asked(Some("ca")), [403, 403]);
}
