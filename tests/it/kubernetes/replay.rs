//! Every request in `testdata/admission` gets the answer that stands beside it: written by hand after the API's types, or recorded
//! from a real API server by `tests/kubernetes.sh`.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

use super::{PROFILES, parts, root};
use crate::in_process::InProcess;

fn exchange(address: SocketAddr, path: &str, body: &str) -> (u64, Value) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nUser-Agent: kube-apiserver-admission\r\nContent-Type: application/json\r\n\
         Connection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), serde_json::from_str(body).unwrap_or_default())
}

#[test]
fn every_request_gets_the_answer_that_stands_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plimsoll.toml");
    let start = "[server]\napi = '127.0.0.1:0'\noperations = '127.0.0.1:0'\n";
    std::fs::write(&path, format!("{start}{PROFILES}")).unwrap();
    let running = InProcess::start(&path, parts);
    let mut files = Vec::new();
    for kind in ["written", "recorded", "recorded-1.33"] {
        let entries = std::fs::read_dir(root().join("testdata/admission").join(kind)).unwrap();
        files.extend(entries.map(|entry| entry.unwrap().path()));
    }
    files.sort();
    assert!(files.len() > 10, "requests are missing");
    let mut wrong = Vec::new();
    for file in files {
        let case: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        let (status, answer) = exchange(running.at.api, case["path"].as_str().unwrap(), &case["body"].to_string());
        let expect = &case["expect"];
        let allowed = answer.pointer("/response/allowed").or_else(|| answer.pointer("/status/allowed"));
        let warnings = answer.pointer("/response/warnings").and_then(Value::as_array).map_or(0, Vec::len);
        let message = answer.pointer("/response/status/message").or_else(|| answer.pointer("/status/reason"));
        let is_told =
            expect["message"].as_str().is_none_or(|part| message.and_then(Value::as_str).unwrap_or_default().contains(part));
        let is_same = expect["status"] == status && expect.get("allowed") == Some(allowed.unwrap_or(&Value::Null));
        let is_named = status != 200 || answer["response"]["uid"] == case["body"]["request"]["uid"];
        if !(is_same && is_told && is_named && expect["warnings"] == warnings) {
            wrong.push(format!("{}: {status} {answer}", file.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
