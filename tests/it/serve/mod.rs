//! `plimsoll serve` over real sockets: in this process with images that behave as they are called, and as the built program.

mod api;
mod life;
pub(crate) mod program;
mod tls;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::get;
use plimsoll::serve::Ask;
use plimsoll::serve::engine::{Images, Opened, Problem, Resolved};
use plimsoll::serve::host::Host;
use plimsoll::serve::live::Live;
use plimsoll::serve::metrics::Metrics;
use plimsoll::serve::run::Parts;
use serde_json::Value;
use tempfile::TempDir;

use crate::in_process::{InProcess, last, opened, resolved};

/// Images of `registry.example`, each as its repository is called: a file of testdata, or a fault.
struct Named;

impl Images for Named {
    fn resolve(&self, ask: &Ask) -> Result<Resolved, Problem> {
        match last(ask) {
            "missing" => Err(Problem::Refused { reason: "registry.example has no such image".into() }),
            "down" => Err(Problem::Unavailable {
                reason: "registry.example answers 503".into(),
                retry_after: Some(Duration::from_secs(7)),
            }),
            _ => resolved(ask),
        }
    }

    fn open(&self, ask: &Ask, _: &str) -> Result<Opened, Problem> {
        opened(match last(ask) {
            "slow" => {
                sleep(Duration::from_secs(1));
                "good"
            }
            "panics" => panic!("of the test"),
            "demo" => "demo",
            _ => "good",
        })
    }
}

/// A server, and the folder of its configuration.
struct Running {
    server: InProcess,
    folder: TempDir,
}

impl Deref for Running {
    type Target = InProcess;

    fn deref(&self) -> &InProcess {
        &self.server
    }
}

/// What every configuration of the tests begins with.
const START: &str = "\
    [server]\napi = '127.0.0.1:0'\noperations = '127.0.0.1:0'\nmax_body = '64KiB'\ndrain = '10s'\n";
const REGISTRY: &str = "[registries.'registry.example']\n";

impl Running {
    fn start() -> Self {
        Self::with(&format!("{START}{REGISTRY}"), &[])
    }

    /// With this configuration, and these files beside it.
    fn with(text: &str, files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            std::fs::write(folder.path().join(name), content).unwrap();
        }
        let path = folder.path().join("plimsoll.toml");
        std::fs::write(&path, text).unwrap();
        Self { server: InProcess::start(&path, parts), folder }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn metrics(&self) -> String {
        get_from(self.at.operations, "/metrics").body
    }

    /// Tells it to end, and waits until it has.
    fn finish(self) {
        self.server.finish();
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of what a server is assembled by")]
fn parts(_: &Live, _: &Arc<Metrics>, _: &Host) -> Result<Parts, String> {
    let panics: fn(_) -> Router = |_| Router::new().route("/panic", get(async || -> String { panic!("of the test") }));
    Ok(Parts { hooks: vec![panics], ..Parts::new(Arc::new(Named)) })
}

/// An answer.
#[derive(Debug)]
struct Reply {
    status: u16,
    head: String,
    body: String,
}

impl Reply {
    fn read(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Self { status, head: head.to_lowercase(), body: body.to_owned() }
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Status and code of an error.
    fn code(&self) -> (u16, String) {
        (self.status, self.json()["error"]["code"].as_str().unwrap_or_default().to_owned())
    }
}

fn connected(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    stream
}

/// Reads to the end; whatever was read before a cut counts.
fn rest(stream: &mut impl Read) -> Vec<u8> {
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    answer
}

fn exchange(address: SocketAddr, sent: &str) -> Reply {
    let mut stream = connected(address);
    let _ = stream.write_all(sent.as_bytes());
    Reply::read(&rest(&mut stream))
}

fn get_from(address: SocketAddr, path: &str) -> Reply {
    exchange(address, &format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
}

/// The head and body of `POST /v1/verify`.
fn question(body: &str, more: &str) -> String {
    format!("POST /v1/verify HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{more}Content-Length: {}\r\n\r\n{body}", body.len())
}

fn verify(address: SocketAddr, body: &str) -> Reply {
    exchange(address, &question(body, ""))
}

/// Asks until the answer is as wanted, for ten seconds.
fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = ask() {
            return found;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{what} did not come");
        sleep(Duration::from_millis(50));
    }
}
