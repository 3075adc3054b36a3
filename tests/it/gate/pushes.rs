//! What becomes of a manifest that is put: every outcome, every mode, every kind.

use serde_json::{Value, json};

use super::stand_ins::{Scripted, asked, body, say};
use super::*;
use plimsoll::serve::Access;

/// Takes whatever is put, and says by a header what it got.
fn taking() -> Scripted {
    Scripted::start(|head, stream, after| {
        let digest = plimsoll::serve::key::sha256(&body(head, stream, after));
        let status = if head.starts_with("PUT") { "201 Created" } else { "200 OK" };
        say(stream, status, &format!("X-Got: {digest}\r\nWarning: 299 - \"of the registry\"\r\n"), b"");
    })
}

fn put(gate: &Gate, repository: &str, bytes: &[u8]) -> Reply {
    gate.put(&format!("/v2/{repository}/manifests/1"), OCI_MANIFEST, bytes)
}

#[test]
fn what_passes_is_forwarded_as_exactly_the_bytes_that_were_judged() {
    let registry = taking();
    let gate = Gate::before(&registry.host());
    // spaces and order are the client's own
    let bytes = format!(" {}\n", String::from_utf8(image("exact")).unwrap()).into_bytes();
    let headers =
        [("Content-Type", OCI_MANIFEST), ("Authorization", "Bearer of-the-caller"), ("Accept", "a/b"), ("Accept", "c/d")];
    let reply = gate.ask("PUT", "/v2/exact/good/manifests/1.0?tag=a&tag=b", &headers, &bytes);
    assert_eq!((reply.status, reply.header("x-got")), (201, Some(sha256(&bytes).as_str())));
    let questions = asked(&format!("{}/exact/good", registry.host()));
    assert_eq!(questions.len(), 1);
    assert_eq!((questions[0].bytes.as_slice(), questions[0].media_type.as_str()), (bytes.as_slice(), OCI_MANIFEST));
    assert_eq!(questions[0].access, Access::Caller("Bearer of-the-caller".into()));
    let heads = registry.heads();
    assert_eq!(heads.len(), 1, "{heads:?}");
    let head = heads[0].to_lowercase();
    assert!(heads[0].starts_with("PUT /v2/exact/good/manifests/1.0?tag=a&tag=b HTTP/1.1\r\n"), "{head}");
    for line in [
        format!("content-type: {OCI_MANIFEST}"),
        format!("content-length: {}", bytes.len()),
        "authorization: bearer of-the-caller".into(),
        "accept: a/b".into(),
        "accept: c/d".into(),
        format!("host: {}", registry.host()),
        format!("x-forwarded-host: {}", gate.address()),
        "x-forwarded-proto: http".into(),
        "x-forwarded-for: 127.0.0.1".into(),
    ] {
        assert!(head.contains(&format!("\r\n{line}\r\n")), "{line}: {head}");
    }
    assert!(!head.contains("connection: close") && !head.contains("transfer-encoding"), "{head}");
}

#[test]
fn what_fails_is_refused_with_its_checks_and_the_place_of_its_report() {
    let registry = taking();
    let gate = Gate::before(&registry.host());
    let bytes = image("fails");
    let reply = put(&gate, "fails/bad", &bytes);
    let message = format!(
        "fails/bad:1 fails the policy admission: secret, root-user, compiler and 1 more; see \
         https://plimsoll.example/v1/verdicts/{}?profile=default",
        sha256(&bytes)
    );
    assert_eq!(reply.error(), (403, "DENIED".into(), message.clone()));
    // the line is cut where lines must end
    assert!(reply.reason.starts_with("Forbidden: fails/bad:1 fails the policy admission: secret"), "{reply:?}");
    assert!(message.starts_with(reply.reason.strip_prefix("Forbidden: ").unwrap()));
    assert!(!registry.has_put());
    let quiet = Gate::with(&registry.host(), "reason_phrase = false", "");
    assert_eq!(put(&quiet, "quiet/bad", &bytes).reason, "Forbidden");
    let page = gate.metrics();
    assert!(page.contains("plimsoll_admission_requests_total{hook=\"gate\",profile=\"default\",decision=\"deny\"} 1"), "{page}");
}

#[test]
fn every_outcome_has_its_answer_and_nothing_unjudged_goes_on() {
    let registry = taking();
    let gate = Gate::before(&registry.host());
    for (repository, status, code, retry_after) in [
        ("x/bomb", 403, "DENIED", None),
        ("x/broken", 403, "DENIED", None),
        ("x/late", 503, "UNAVAILABLE", Some("7")),
        ("x/refused", 403, "DENIED", None),
        ("x/down", 503, "UNAVAILABLE", Some("9")),
        ("x/fault", 503, "UNAVAILABLE", Some("10")),
        // in warn, what would fill the registry is refused as well
        ("warn/bomb", 403, "DENIED", None),
    ] {
        let reply = put(&gate, repository, &image(repository));
        assert_eq!(reply.code(), (status, code.to_owned()), "{repository}");
        assert_eq!(reply.header("retry-after"), retry_after, "{repository}");
    }
    let reply = put(&gate, "x/panics", &image("panics"));
    assert_eq!(reply.status, 500);
    assert!(!registry.has_put());
}

#[test]
fn a_verdict_that_does_not_come_in_time_is_one_that_is_not_there() {
    let registry = taking();
    let gate = Gate::with(&registry.host(), "deadline = '500ms'", "");
    let began = std::time::Instant::now();
    let reply = put(&gate, "x/hangs", &image("hangs"));
    assert_eq!(reply.code(), (503, "UNAVAILABLE".into()));
    assert!(reply.header("retry-after").is_some() && began.elapsed() < Duration::from_secs(5));
    assert!(!registry.has_put());
}

#[test]
fn a_profile_that_warns_lets_go_on_and_tells_beside_what_the_registry_says() {
    let registry = taking();
    let gate = Gate::before(&registry.host());
    for repository in ["warn/bad", "warn/broken", "warn/late", "warn/refused", "warn/down", "warn/fault"] {
        let reply = put(&gate, repository, &image(repository));
        let warnings: Vec<&str> =
            reply.headers.iter().filter(|(name, _)| name == "warning").map(|(_, value)| value.as_str()).collect();
        assert_eq!((reply.status, warnings.len(), warnings[0]), (201, 2, "299 - \"of the registry\""), "{reply:?}");
        assert!(warnings[1].starts_with(&format!("299 - \"{repository}:1 ")), "{warnings:?}");
    }
    assert_eq!(put(&gate, "warn/good", &image("g")).headers.iter().filter(|(name, _)| name == "warning").count(), 1);
    // what cannot be read is the registry's to refuse
    let reply = put(&gate, "warn/unread", b"{}");
    assert!(reply.headers.iter().any(|(name, value)| name == "warning" && value.contains("is not taken")), "{reply:?}");
    assert!(asked(&format!("{}/warn/unread", registry.host())).is_empty());
    assert!(gate.metrics().contains("plimsoll_fail_open_total{reason=\"fail\"} 1"));
}

#[test]
fn a_profile_that_is_off_asks_nothing() {
    let registry = taking();
    let gate = Gate::before(&registry.host());
    for bytes in [image("off"), b"not even JSON".to_vec()] {
        let reply = put(&gate, "off/bad", &bytes);
        assert_eq!((reply.status, reply.header("x-got")), (201, Some(sha256(&bytes).as_str())));
    }
    assert!(asked(&format!("{}/off/bad", registry.host())).is_empty());
}

#[test]
fn what_has_two_meanings_or_none_is_refused_before_anybody_is_asked() {
    let registry = taking();
    let gate = Gate::before(&registry.host());
    let good = String::from_utf8(image("twice")).unwrap();
    let malformed = [
        (OCI_INDEX, good.clone()),
        ("application/vnd.docker.distribution.manifest.v2+json", good.clone()),
        (OCI_MANIFEST, good.replacen("\"layers\"", "\"layers\":[],\"layers\"", 1)),
        (OCI_MANIFEST, good.replacen("\"layers\"", "\"Layers\"", 1)),
        (OCI_MANIFEST, good.replacen("\"layers\"", "\"manifests\":[],\"layers\"", 1)),
        (OCI_MANIFEST, good.replacen('{', "", 1)),
        (OCI_MANIFEST, format!("{good}{good}")),
    ];
    for (kind, text) in malformed {
        let reply = gate.put("/v2/twice/good/manifests/1", kind, text.as_bytes());
        assert_eq!(reply.code(), (400, "MANIFEST_INVALID".into()), "{text}");
    }
    let mut foreign: Value = serde_json::from_str(&good).unwrap();
    foreign["layers"][0]["urls"] = json!(["https://elsewhere.example/x"]);
    let mut unknown: Value = serde_json::from_str(&good).unwrap();
    unknown["layers"][0]["mediaType"] = "application/x-tar".into();
    for (kind, text) in [
        (OCI_MANIFEST, foreign.to_string()),
        (OCI_MANIFEST, unknown.to_string()),
        ("application/vnd.docker.distribution.manifest.v1+prettyjws", "{\"fsLayers\":[]}".to_owned()),
        ("application/vnd.oci.artifact.manifest.v1+json", good.clone()),
    ] {
        let reply = gate.put("/v2/twice/good/manifests/1", kind, text.as_bytes());
        assert_eq!(reply.code(), (403, "DENIED".into()), "{kind} {text}");
    }
    for headers in [
        &[][..],
        &[("Content-Type", OCI_MANIFEST), ("Content-Type", OCI_INDEX)],
        &[("Content-Type", OCI_MANIFEST), ("Content-Encoding", "gzip")],
        &[("Content-Type", OCI_MANIFEST), ("Content-Range", "bytes 0-3/9")],
        &[("Content-Type", OCI_MANIFEST), ("Authorization", "Bearer a"), ("Authorization", "Bearer b")],
    ] {
        let reply = gate.ask("PUT", "/v2/twice/good/manifests/1", headers, good.as_bytes());
        assert_eq!(reply.code(), (400, "MANIFEST_INVALID".into()), "{headers:?}");
    }
    assert!(!registry.has_put() && asked(&format!("{}/twice/good", registry.host())).is_empty());
}

#[test]
fn a_client_that_waits_to_be_told_to_go_on_is() {
    let registry = taking();
    let gate = Gate::before(&registry.host());
    let bytes = image("expects");
    for (path, kind) in
        [("/v2/expects/good/manifests/1", OCI_MANIFEST), ("/v2/expects/good/blobs/uploads/u", "application/octet-stream")]
    {
        let mut stream = connected(gate.address());
        let headers = [("Content-Type", kind), ("Expect", "100-continue"), ("Authorization", "Bearer x")];
        stream.write_all(head("PUT", path, "x", &headers, Some(bytes.len())).as_bytes()).unwrap();
        let mut told = [0; 25];
        stream.read_exact(&mut told).unwrap();
        assert_eq!(&told, b"HTTP/1.1 100 Continue\r\n\r\n");
        stream.write_all(&bytes).unwrap();
        let reply = Reply::read(&rest(&stream)).unwrap();
        assert_eq!((reply.status, reply.header("x-got")), (201, Some(sha256(&bytes).as_str())));
    }
}

#[test]
fn a_push_by_digest_is_of_the_bytes_that_it_names() {
    let registry = taking();
    let gate = Gate::before(&registry.host());
    let bytes = image("by digest");
    let put = |digest: &str| gate.put(&format!("/v2/digest/good/manifests/{digest}"), OCI_MANIFEST, &bytes);
    assert_eq!(put(&sha256(b"other")).code(), (400, "DIGEST_INVALID".into()));
    assert_eq!(put(&format!("sha512:{}", "0".repeat(128))).code(), (400, "DIGEST_INVALID".into()));
    assert_eq!(put("md5:d41d8cd98f00b204e9800998ecf8427e").code(), (400, "DIGEST_INVALID".into()));
    assert!(!registry.has_put() && asked(&format!("{}/digest/good", registry.host())).is_empty());
    assert_eq!(put(&sha256(&bytes)).status, 201);
}

#[test]
fn a_manifest_has_at_most_4_mib_however_it_is_sent() {
    let registry = taking();
    let gate = Gate::before(&registry.host());
    let long = |length: usize| {
        let text = String::from_utf8(image("long")).unwrap();
        format!("{text}{}", " ".repeat(length - text.len())).into_bytes()
    };
    let path = "/v2/long/good/manifests/1";
    assert_eq!(gate.put(path, OCI_MANIFEST, &long(4 << 20)).status, 201);
    assert_eq!(gate.put(path, OCI_MANIFEST, &long((4 << 20) + 1)).code(), (413, "SIZE_INVALID".into()));
    let head = format!("PUT {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: {OCI_MANIFEST}\r\n");
    let chunked = |bytes: &[u8]| {
        let head = format!("{head}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n", bytes.len());
        exchange(gate.address(), &[head.as_bytes(), bytes, b"\r\n0\r\n\r\n"].concat()).unwrap()
    };
    assert_eq!(chunked(&image("chunked")).status, 201);
    assert_eq!(chunked(&long((4 << 20) + 1)).code(), (413, "SIZE_INVALID".into()));
    assert_eq!(asked(&format!("{}/long/good", registry.host())).len(), 2);
}

#[test]
fn an_index_is_asked_about_as_a_whole() {
    let registry = taking();
    let gate = Gate::before(&registry.host());
    let index = json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [descriptor(OCI_MANIFEST, &image("a"))] });
    let index = index.to_string().into_bytes();
    assert_eq!(gate.put("/v2/list/good/manifests/1", OCI_INDEX, &index).status, 201);
    assert_eq!(gate.put("/v2/list/bad/manifests/1", OCI_INDEX, &index).code(), (403, "DENIED".into()));
    assert_eq!(asked(&format!("{}/list/good", registry.host()))[0].bytes, index);
}
