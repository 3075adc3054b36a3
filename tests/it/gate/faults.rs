//! Registries that are down, slow, cut off or lying; clients that go away in every phase. Nothing is admitted unverified.

use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::time::Instant;

use super::stand_ins::{Scripted, asked, body, say};
use super::*;

/// Answers 200 with nothing, and takes what is put.
fn taking() -> Scripted {
    Scripted::start(|head, stream, after| {
        body(head, stream, after);
        say(stream, if head.starts_with("PUT") { "201 Created" } else { "200 OK" }, "", b"");
    })
}

fn idle(gate: &Gate) {
    until("the end of all requests", || gate.metrics().contains("plimsoll_inflight{listener=\"gate\"} 0").then_some(()));
}

#[test]
fn a_registry_that_is_down_is_told_of_and_not_asked_around() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let gate = Gate::before(&free.to_string());
    for (method, path) in
        [("GET", "/v2/"), ("GET", "/v2/a/manifests/1"), ("POST", "/v2/a/blobs/uploads/"), ("GET", "/v2/_catalog")]
    {
        assert_eq!(gate.ask(method, path, &[], b"").code(), (502, "UNAVAILABLE".into()), "{method} {path}");
    }
    for authorization in [&[][..], &[("Authorization", "Bearer x")]] {
        for (repository, status) in [("down/good", 502), ("down/bad", if authorization.is_empty() { 502 } else { 403 })] {
            let headers = [&[("Content-Type", OCI_MANIFEST)], authorization].concat();
            let reply = gate.ask("PUT", &format!("/v2/{repository}/manifests/1"), &headers, &image("down"));
            assert_eq!(reply.status, status, "{repository} {authorization:?} {}", reply.text());
        }
    }
}

#[test]
fn a_registry_that_breaks_off_is_never_taken_for_one_that_has_answered() {
    for script in [
        (|_, _, _| ()) as super::stand_ins::Script,
        |_, stream, _| drop(stream.write_all(b"HTTP/1.1 20")),
        |_, stream, _| drop(stream.write_all(b"no HTTP at all\r\n\r\n")),
    ] {
        let registry = Scripted::start(script);
        let gate = Gate::before(&registry.host());
        let headers = [("Content-Type", OCI_MANIFEST), ("Authorization", "Bearer x")];
        let reply = gate.ask("PUT", "/v2/breaks/good/manifests/1", &headers, &image("breaks"));
        assert_eq!(reply.code(), (502, "UNAVAILABLE".into()));
        assert_eq!(gate.ask("GET", "/v2/", &[], b"").status, 502);
    }
}

#[test]
fn a_download_that_breaks_off_breaks_off_for_the_client_too() {
    let registry = Scripted::start(|_, stream, _| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
        let _ = stream.write_all(&vec![b'x'; 500_000]);
    });
    let gate = Gate::before(&registry.host());
    let reply = gate.ask("GET", &format!("/v2/a/blobs/{}", sha256(b"")), &[], b"");
    assert_eq!((reply.status, reply.header("content-length")), (200, Some("1000000")));
    assert_eq!(reply.body.len(), 500_000);
    idle(&gate);
}

#[test]
fn an_upload_whose_registry_dies_fails() {
    let registry = Scripted::start(|_, stream, _| {
        let mut buffer = vec![0; 100_000];
        let _ = stream.read_exact(&mut buffer);
    });
    let gate = Gate::before(&registry.host());
    let reply = exchange(
        gate.address(),
        &[head("PATCH", "/v2/a/blobs/uploads/u", "x", &[], Some(8 << 20)).as_bytes(), &vec![0; 8 << 20]].concat(),
    );
    // the client may find the door closed before it has read why
    assert!(reply.is_none_or(|reply| reply.status == 502));
    idle(&gate);
}

#[test]
fn an_upload_whose_client_goes_away_is_no_whole_one_for_the_registry() {
    static GOT: std::sync::Mutex<Vec<(bool, Vec<u8>)>> = std::sync::Mutex::new(Vec::new());
    let registry = Scripted::start(|head, stream, mut after| {
        let _ = stream.read_to_end(&mut after);
        GOT.lock().unwrap().push((head.to_lowercase().contains("transfer-encoding: chunked"), after));
    });
    let gate = Gate::before(&registry.host());
    let address = gate.address().to_string();
    for (headers, length, sent) in [
        (&[][..], Some(2_000_000), vec![b'x'; 1_000_000]),
        (&[("Transfer-Encoding", "chunked")], None, [b"f4240\r\n", vec![b'x'; 1_000_000].as_slice(), b"\r\n"].concat()),
    ] {
        let mut stream = connected(gate.address());
        stream.write_all(head("PATCH", "/v2/a/blobs/uploads/u", &address, headers, length).as_bytes()).unwrap();
        stream.write_all(&sent).unwrap();
        thread::sleep(Duration::from_millis(100));
        drop(stream);
    }
    let got = until("both uploads", || Some(GOT.lock().unwrap().clone()).filter(|got| got.len() == 2));
    for (is_chunked, bytes) in got {
        assert!(bytes.len() < 1_100_000);
        assert!(!is_chunked || !bytes.ends_with(b"0\r\n\r\n"));
    }
    idle(&gate);
}

#[test]
fn a_client_that_goes_away_while_it_sends_a_manifest_has_sent_none() {
    let registry = taking();
    let gate = Gate::before(&registry.host());
    let bytes = image("cut");
    for sent in [0, 1, bytes.len() / 2, bytes.len() - 1] {
        for how in [Shutdown::Write, Shutdown::Both] {
            let mut stream = connected(gate.address());
            let headers = [("Content-Type", OCI_MANIFEST), ("Authorization", "Bearer x")];
            stream.write_all(head("PUT", "/v2/cut/good/manifests/1", "x", &headers, Some(bytes.len())).as_bytes()).unwrap();
            stream.write_all(&bytes[..sent]).unwrap();
            stream.shutdown(how).unwrap();
            let reply = Reply::read(&rest(&stream));
            assert!(reply.is_none_or(|reply| reply.status == 400));
        }
    }
    // chunks that do not end
    let mut stream = connected(gate.address());
    let headers = [("Content-Type", OCI_MANIFEST), ("Transfer-Encoding", "chunked")];
    stream.write_all(head("PUT", "/v2/cut/good/manifests/1", "x", &headers, None).as_bytes()).unwrap();
    stream.write_all(&[format!("{:x}\r\n", bytes.len()).as_bytes(), &bytes, b"\r\n"].concat()).unwrap();
    stream.shutdown(Shutdown::Both).unwrap();
    idle(&gate);
    assert!(asked(&format!("{}/cut/good", registry.host())).is_empty() && !registry.has_put());
}

#[test]
fn a_client_that_goes_away_while_its_image_is_judged_pushes_nothing() {
    let registry = taking();
    let gate = Gate::before(&registry.host());
    for repository in ["away/slow", "away/hangs"] {
        let mut stream = connected(gate.address());
        let bytes = image("away");
        let headers = [("Content-Type", OCI_MANIFEST), ("Authorization", "Bearer x")];
        let path = format!("/v2/{repository}/manifests/1");
        stream.write_all(&[head("PUT", &path, "x", &headers, Some(bytes.len())).as_bytes(), &bytes].concat()).unwrap();
        let name = format!("{}/{repository}", registry.host());
        until("the question", || (!asked(&name).is_empty()).then_some(()));
        drop(stream);
    }
    idle(&gate);
    thread::sleep(Duration::from_millis(1_200));
    assert!(!registry.has_put());
}

#[test]
fn a_manifest_that_trickles_in_has_the_time_of_the_push_and_no_more() {
    let registry = taking();
    let gate = Gate::with(&registry.host(), "deadline = '500ms'", "");
    let mut stream = connected(gate.address());
    let headers = [("Content-Type", OCI_MANIFEST), ("Authorization", "Bearer x")];
    stream.write_all(head("PUT", "/v2/trickle/good/manifests/1", "x", &headers, Some(1_000)).as_bytes()).unwrap();
    let began = Instant::now();
    assert_eq!(Reply::read(&rest(&stream)).unwrap().code(), (408, "MANIFEST_INVALID".into()));
    assert!(began.elapsed() < Duration::from_secs(5) && !registry.has_put());
}

#[test]
fn a_registry_that_does_not_answer_a_push_costs_it_a_while_and_is_told_of() {
    let registry = Scripted::start(|head, stream, after| {
        body(head, stream, after);
        let _ = stream.read(&mut [0]);
    });
    let gate = Gate::with(&registry.host(), "deadline = '500ms'", "");
    let began = Instant::now();
    let headers = [("Content-Type", OCI_MANIFEST), ("Authorization", "Bearer x")];
    let reply = gate.ask("PUT", "/v2/silent/good/manifests/1", &headers, &image("silent"));
    assert_eq!(reply.code(), (503, "UNAVAILABLE".into()));
    assert!(reply.header("retry-after").is_some() && began.elapsed() < Duration::from_secs(20));
}

#[test]
fn what_the_registry_refuses_is_handed_on_as_it_is() {
    let registry = Scripted::start(|head, stream, after| {
        body(head, stream, after);
        let wanted = head.contains("authorization: Bearer fresh") || head.contains("Authorization: Bearer fresh");
        if !wanted {
            let challenge = "WWW-Authenticate: Bearer realm=\"https://auth.example/token\",scope=\"repository:a:pull,push\"\r\n";
            return say(stream, "401 Unauthorized", challenge, b"{\"errors\":[]}");
        }
        match head.split(' ').next().unwrap() {
            "POST" if head.contains("/hidden/") => say(stream, "404 Not Found", "", b"hidden"),
            "POST" => say(stream, "202 Accepted", "Location: /v2/auth/bad/blobs/uploads/u?_state=x\r\n", b""),
            "DELETE" => say(stream, "204 No Content", "", b""),
            _ => say(stream, "429 Too Many Requests", "Retry-After: 3\r\n", b"busy"),
        }
    });
    let gate = Gate::before(&registry.host());
    let push = |repository: &str, authorization: Option<&'static str>| {
        let headers = [("Content-Type", OCI_MANIFEST), ("Authorization", authorization.unwrap_or_default())];
        let headers = &headers[..if authorization.is_some() { 2 } else { 1 }];
        gate.ask("PUT", &format!("/v2/{repository}/manifests/1"), headers, &image("auth"))
    };
    let challenge = "Bearer realm=\"https://auth.example/token\",scope=\"repository:a:pull,push\"";
    // nobody is asked for a caller who shows nothing
    let reply = push("auth/bad", None);
    assert_eq!(
        (reply.status, reply.header("www-authenticate"), reply.text().as_str()),
        (401, Some(challenge), "{\"errors\":[]}")
    );
    assert!(asked(&format!("{}/auth/bad", registry.host())).is_empty());
    // a token that has expired is renewed by the client, and why the image is refused is not told to who may not push
    for repository in ["auth/good", "auth/bad", "auth/refused"] {
        let reply = push(repository, Some("Bearer stale"));
        assert_eq!((reply.status, reply.header("www-authenticate")), (401, Some(challenge)), "{repository}");
        assert!(!reply.text().contains("secret"));
    }
    let reply = push("auth/good", Some("Bearer fresh"));
    assert_eq!((reply.status, reply.header("retry-after"), reply.text().as_str()), (429, Some("3"), "busy"));
    assert_eq!(push("auth/bad", Some("Bearer fresh")).code(), (403, "DENIED".into()));
    // the upload that told so is given up
    let last = registry.heads().pop().unwrap();
    assert!(last.starts_with("DELETE /v2/auth/bad/blobs/uploads/u?_state=x HTTP/1.1"), "{last}");
    let reply = push("hidden/bad", Some("Bearer fresh"));
    assert_eq!((reply.status, reply.text().as_str()), (404, "hidden"));
}

#[test]
fn one_client_has_so_many_places_until_the_last_byte_is_sent() {
    let registry = Scripted::start(|head, stream, _| {
        if !head.contains("/blobs/") {
            return say(stream, "200 OK", "", b"{}");
        }
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\nab");
        thread::sleep(Duration::from_secs(2));
        let _ = stream.write_all(b"cd");
    });
    let gate = Gate::of(&registry.host(), "max_inflight_per_caller = 1", "", "");
    let path = format!("/v2/a/blobs/{}", sha256(b"abcd"));
    let mut stream = connected(gate.address());
    stream.write_all(head("GET", &path, &gate.address().to_string(), &[], None).as_bytes()).unwrap();
    // the head of the answer is here, and its end is not
    stream.read_exact(&mut [0; 16]).unwrap();
    let refused = gate.ask("GET", "/v2/", &[], b"");
    assert_eq!((refused.code(), refused.header("retry-after")), ((429, "TOOMANYREQUESTS".into()), Some("1")));
    assert!(rest(&stream).ends_with(b"abcd"));
    idle(&gate);
    assert_eq!(gate.ask("GET", "/v2/", &[], b"").status, 200);
}
