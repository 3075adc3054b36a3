//! `/v1`: every status, tokens, and many at once.

use std::thread;

use super::{REGISTRY, Reply, Running, START, exchange, get_from, question, until, verify};

fn good(wait: u32) -> String {
    format!("{{\"image\": \"registry.example/good:1\", \"wait_ms\": {wait}}}")
}

#[test]
fn an_image_is_verified_and_its_verdict_stays_known() {
    let server = Running::with(&format!("{START}public_url = 'https://p.example/'\n{REGISTRY}"), &[]);
    let reply = verify(server.at.api, &good(20_000));
    let said = reply.json();
    assert_eq!((reply.status, said["verdict"].as_str(), said["decision"].as_str()), (200, Some("pass"), Some("allow")));
    let digest = said["digest"].as_str().unwrap();
    assert_eq!(said["report"].as_str().unwrap(), format!("https://p.example/v1/verdicts/{digest}"));
    let known = get_from(server.at.api, &format!("/v1/verdicts/{digest}?profile=default"));
    assert_eq!((known.status, &known.json()["verdict"]), (200, &said["verdict"]));
    assert_eq!(known.json()["report"]["images"].as_array().unwrap().len(), 1);
    assert_eq!(get_from(server.at.api, &format!("/v1/verdicts/{digest}/sarif")).code(), (404, "no-sarif".into()));
    assert_eq!(verify(server.at.api, &good(0)).status, 200);
    let page = server.metrics();
    assert!(page.contains("plimsoll_verdict_cache_total{tier=\"l1\",result=\"hit\"}"), "{page}");
    assert!(page.contains("plimsoll_admission_requests_total{hook=\"api\",profile=\"default\",decision=\"allow\"} 2"), "{page}");
    assert!(page.contains("plimsoll_verify_seconds_count 1") && !page.contains("registry.example/good"), "{page}");
}

#[test]
fn a_bad_image_is_denied_by_the_names_of_its_checks() {
    let server = Running::start();
    let reply = verify(server.at.api, r#"{"image": "registry.example/demo:1", "wait_ms": 60000}"#);
    let said = reply.json();
    assert_eq!((reply.status, said["verdict"].as_str(), said["decision"].as_str()), (200, Some("fail"), Some("deny")), "{said}");
    let first = said["failing"][0].as_str().unwrap();
    assert!(said["message"].as_str().unwrap().contains(&format!("fails the policy admission: {first}")), "{said}");
}

#[test]
fn who_does_not_wait_is_told_where_the_verdict_will_be() {
    let server = Running::start();
    let reply = verify(server.at.api, r#"{"image": "registry.example/slow:1", "wait_ms": 300}"#);
    assert!(reply.status == 202 && reply.head.contains("retry-after: "), "{reply:?}");
    let id = reply.json()["id"].as_str().unwrap().to_owned();
    until("the verdict", || (get_from(server.at.api, &format!("/v1/verdicts/{id}")).status == 200).then_some(()));
}

#[test]
fn each_wrong_question_has_its_status_and_its_code() {
    let server = Running::start();
    let at = server.at.api;
    let digest = format!("sha256:{}", "0".repeat(64));
    for (body, status, code) in [
        ("", 400, "body-malformed"),
        ("{", 400, "body-malformed"),
        ("[]", 400, "body-malformed"),
        (r#"{"image": 1}"#, 400, "body-malformed"),
        (r#"{"image": "registry.example/good", "wait": 1}"#, 400, "body-malformed"),
        (r#"{"image": "registry.example/good", "wait_ms": -1}"#, 400, "body-malformed"),
        (r#"{"image": "registry.example/good", "wait_ms": 300001}"#, 400, "wait-too-long"),
        (r#"{"image": "good"}"#, 400, "image-malformed"),
        (r#"{"image": "registry.example/good", "platforms": ["arm"]}"#, 400, "platform-malformed"),
        (r#"{"image": "registry.example/good", "profile": "defalt"}"#, 400, "unknown-profile"),
        (r#"{"image": "evil.example/good"}"#, 403, "registry-not-allowed"),
        (r#"{"image": "127.0.0.1:22/good"}"#, 403, "registry-not-allowed"),
        (r#"{"image": "registry.example/missing", "wait_ms": 5000}"#, 404, "image-not-found"),
        (r#"{"image": "registry.example/down", "wait_ms": 5000}"#, 502, "registry-unavailable"),
        (r#"{"image": "registry.example/panics", "wait_ms": 5000}"#, 500, "fault"),
    ] {
        assert_eq!(verify(at, body).code(), (status, code.to_owned()), "{body}");
    }
    assert!(verify(at, r#"{"image": "registry.example/down", "wait_ms": 5000}"#).head.contains("retry-after: 7"));
    let escaped = verify(at, "{\"\\u001b\u{202e}\": 1}");
    assert!(!escaped.body.contains('\u{202e}') && !escaped.body.contains('\u{1b}'), "{escaped:?}");
    for (path, status, code) in [
        ("/", 404, "not-found"),
        ("/v1/verify", 405, "method"),
        ("/v1/verdicts/x", 400, "digest-malformed"),
        ("/v1/verdicts/sha256:..%2f..%2fetc", 400, "digest-malformed"),
        (&format!("/v1/verdicts/{digest}"), 404, "no-verdict"),
        (&format!("/v1/verdicts/{digest}?profil=x"), 400, "query-malformed"),
        (&format!("/v1/verdicts/{digest}?profile=x"), 400, "unknown-profile"),
        (&format!("/v1/verdicts/{digest}/sarif"), 404, "no-verdict"),
    ] {
        assert_eq!(get_from(at, path).code(), (status, code.to_owned()), "{path}");
    }
    let typed = exchange(at, &question(&good(0), "Content-Type: text/plain\r\n"));
    assert_eq!(typed.code(), (415, "media-type".into()));
    let long = verify(at, &" ".repeat(70_000));
    assert_eq!(long.code(), (413, "body-too-large".into()));
    assert_eq!(verify(at, &good(20_000)).status, 200);
}

#[test]
fn a_panic_is_an_error_with_an_id_and_not_the_end() {
    let server = Running::start();
    let reply = get_from(server.at.api, "/panic");
    let id = reply.json()["error"]["request"].as_str().unwrap().to_owned();
    assert_eq!(reply.code(), (500, "fault".into()));
    assert!(reply.head.contains(&format!("x-request-id: {id}")) && !reply.body.contains("of the test"), "{reply:?}");
    assert_eq!(verify(server.at.api, &good(20_000)).status, 200);
}

#[test]
fn without_the_token_nobody_asks_and_a_new_one_holds_at_once() {
    let files = [("token", "0123456789abcdef\n")];
    let server = Running::with(&format!("{START}token_file = 'token'\n{REGISTRY}"), &files);
    let with = |header: &str| exchange(server.at.api, &question(&good(20_000), header));
    for header in [
        "",
        "Authorization: Bearer 0123456789abcdeF\r\n",
        "Authorization: Basic 0123456789abcdef\r\n",
        "Authorization: Bearer\r\n",
    ] {
        let refused = with(header);
        assert_eq!(refused.code(), (401, "unauthorized".into()), "{header}");
        assert!(refused.head.contains("www-authenticate: bearer") && !refused.body.contains("0123456789"));
    }
    assert_eq!(with("Authorization: Bearer 0123456789abcdef\r\n").status, 200);
    assert_eq!(get_from(server.at.api, &format!("/v1/verdicts/sha256:{}", "0".repeat(64))).status, 401);
    std::fs::write(server.file("token"), "fedcba9876543210").unwrap();
    assert_eq!(with("Authorization: Bearer 0123456789abcdef\r\n").status, 401);
    assert_eq!(with("Authorization: Bearer fedcba9876543210\r\n").status, 200);
    std::fs::write(server.file("token"), "").unwrap();
    assert_eq!(with("Authorization: Bearer \r\n").status, 401);
    std::fs::remove_file(server.file("token")).unwrap();
    assert_eq!(with("Authorization: Bearer fedcba9876543210\r\n").status, 503);
}

#[test]
fn a_thousand_at_once_are_all_answered_and_one_image_is_verified_once() {
    let server = Running::start();
    let at = server.at.api;
    let body = r#"{"image": "registry.example/slow:1", "wait_ms": 60000}"#;
    let replies: Vec<Reply> = thread::scope(|scope| {
        let ask = || (0..20).map(|_| verify(at, body)).collect::<Vec<_>>();
        let asking: Vec<_> = (0..50).map(|_| scope.spawn(ask)).collect();
        asking.into_iter().flat_map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(replies.len(), 1_000);
    assert!(replies.iter().all(|reply| reply.status == 200), "{:?}", replies.iter().find(|reply| reply.status != 200));
    let page = server.metrics();
    assert!(page.contains("plimsoll_verify_seconds_count 1"), "{page}");
}

#[test]
fn one_caller_has_so_many_places_and_no_more() {
    let server = Running::with(&format!("{START}max_inflight_per_caller = 1\n{REGISTRY}"), &[]);
    let at = server.at.api;
    let body = r#"{"image": "registry.example/slow:1", "wait_ms": 60000}"#;
    thread::scope(|scope| {
        let first = scope.spawn(|| verify(at, body));
        until("the first", || server.metrics().contains("plimsoll_inflight{listener=\"api\"} 1").then_some(()));
        let refused = verify(at, &good(0));
        assert_eq!(refused.code(), (429, "too-many-requests".into()));
        assert!(refused.head.contains("retry-after: 1\r\n"), "{refused:?}");
        // another listener is not meant
        assert_eq!(get_from(server.at.operations, "/readyz").status, 200);
        assert_eq!(first.join().unwrap().status, 200);
    });
    assert_eq!(verify(at, &good(60_000)).status, 200);
    assert!(server.metrics().contains("plimsoll_turned_away_total{bound=\"caller\"}"));
}

#[test]
fn operators_are_told_on_a_listener_of_their_own() {
    let server = Running::start();
    let at = server.at.operations;
    assert_eq!([get_from(at, "/livez").status, get_from(at, "/readyz").status, get_from(at, "/x").status], [200, 200, 404]);
    assert!(get_from(at, "/metrics").head.contains("application/openmetrics-text"));
    assert_eq!(exchange(at, "POST /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n").status, 405);
    assert_eq!(get_from(server.at.api, "/metrics").status, 404);
}
