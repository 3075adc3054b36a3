//! The server that a real API server talks to, which writes down what it is asked. `tests/kubernetes.sh` runs it.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, Response};
use axum::middleware::{Next, from_fn};
use plimsoll::serve::context::Context;
use plimsoll::serve::host::Host;
use plimsoll::serve::kubernetes;
use plimsoll::serve::live::Live;
use plimsoll::serve::metrics::Metrics;
use plimsoll::serve::run::Parts;
use serde_json::{Value, json};

use super::Named;
use crate::in_process::InProcess;

/// The folder with `plimsoll.toml`, where the server writes `requests/` and which it leaves when there is a file `stop`.
const FOLDER: &str = "PLIMSOLL_LIVE";

#[test]
#[ignore = "run by tests/kubernetes.sh, beside an API server"]
fn it_serves_an_api_server_and_writes_down_what_it_is_asked() {
    let folder = folder();
    std::fs::create_dir_all(folder.join("requests")).unwrap();
    let running = InProcess::start(&folder.join("plimsoll.toml"), recording);
    std::fs::write(folder.join("address"), running.at.api.to_string()).unwrap();
    let began = Instant::now();
    while !folder.join("stop").exists() && began.elapsed() < Duration::from_mins(30) {
        sleep(Duration::from_millis(200));
    }
}

fn folder() -> PathBuf {
    PathBuf::from(std::env::var_os(FOLDER).unwrap_or_else(|| panic!("set {FOLDER}")))
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of what a server is assembled by")]
fn recording(_: &Live, _: &Arc<Metrics>, _: &Host) -> Result<Parts, String> {
    let hook: fn(Context) -> Router = |context| kubernetes::routes(context).layer(from_fn(record));
    Ok(Parts { hooks: vec![hook], ..Parts::new(Arc::new(Named)) })
}

async fn record(request: Request<Body>, next: Next) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 8 << 20).await.unwrap();
    let path = parts.uri.to_string();
    let response = next.run(Request::from_parts(parts, Body::from(body.clone()))).await;
    let (parts, answer) = response.into_parts();
    let answer = to_bytes(answer, 8 << 20).await.unwrap();
    let read = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).unwrap_or_default();
    let (asked, said) = (read(&body), read(&answer));
    let recorded = json!({ "path": path, "body": asked, "expect": expectation(parts.status.as_u16(), &said) });
    let file = folder().join(format!("requests/{}.json", name(&asked, &said)));
    std::fs::write(file, serde_json::to_string_pretty(&recorded).unwrap() + "\n").unwrap();
    Response::from_parts(parts, Body::from(answer))
}

/// What a replay must answer again.
fn expectation(status: u16, said: &Value) -> Value {
    let allowed = said.pointer("/response/allowed").or_else(|| said.pointer("/status/allowed"));
    let warnings = said.pointer("/response/warnings").and_then(Value::as_array).map_or(0, Vec::len);
    let message = said.pointer("/response/status/message").or_else(|| said.pointer("/status/reason"));
    json!({ "status": status, "allowed": allowed, "warnings": warnings, "message": message })
}

/// Names a request by what it is about: the same one is written once.
fn name(asked: &Value, said: &Value) -> String {
    let text = |pointer: &str| asked.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_lowercase();
    let request = &asked["request"];
    let object = if request["object"].is_object() { "/request/object" } else { "/request/oldObject" };
    let own = match text(&format!("{object}/metadata/name")) {
        empty if empty.is_empty() => text(&format!("{object}/metadata/generateName")),
        name => name,
    };
    let dry = if request["dryRun"] == true { "dry-run" } else { "" };
    let sub = text("/request/subResource");
    let image = asked.pointer("/spec/containers/0/image").and_then(Value::as_str).unwrap_or_default();
    let image = image.rsplit('/').next().unwrap_or_default().replace([':', '@'], "-");
    let refused = if said.to_string().contains("\"allowed\":false") { "refused" } else { "allowed" };
    let kind = match text("/request/kind/kind") {
        empty if empty.is_empty() => text("/kind"),
        kind => kind,
    };
    let parts = [kind, text("/request/operation"), sub, own, dry.to_owned(), image, refused.to_owned()];
    let parts: Vec<String> =
        parts.into_iter().map(|part| part.trim_matches('-').to_owned()).filter(|part| !part.is_empty()).collect();
    parts.join("-")
}
