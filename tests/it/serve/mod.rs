//! `plimsoll serve` over real sockets: in this process with images that behave as they are called, and as the built program.

mod api;
mod life;
mod load;
mod program;
mod tls;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::{self, JoinHandle, sleep};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::routing::get;
use plimsoll::policy::{self, Date};
use plimsoll::serve::config;
use plimsoll::serve::engine::{Images, Opened, Problem, Resolved};
use plimsoll::serve::host::Host;
use plimsoll::serve::key::sha256;
use plimsoll::serve::run::{Addresses, Parts, Server};
use plimsoll::serve::{Ask, verdict::Subject};
use plimsoll::source;
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::{Notify, watch};

/// The world as the command line has it.
const HOST: Host = Host {
    read: |path, _| std::fs::read_to_string(path).map_err(|error| error.to_string()),
    open_policy: |name| {
        policy::load(name, &mut |path| std::fs::read_to_string(path).map_err(|error| error.to_string()), |_| Ok(()))
    },
    today: || Date::of_unix_seconds(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()),
};

/// Images of `registry.example`, each as its repository is called: a file of testdata, or a fault.
struct Named;

impl Images for Named {
    fn resolve(&self, ask: &Ask) -> Result<Resolved, Problem> {
        match ask.repository.rsplit('/').next().unwrap() {
            "missing" => Err(Problem::Refused { reason: "registry.example has no such image".into() }),
            "down" => Err(Problem::Unavailable {
                reason: "registry.example answers 503".into(),
                retry_after: Some(Duration::from_secs(7)),
            }),
            _ => {
                let digest = match &ask.subject {
                    Subject::Digest(digest) => digest.clone(),
                    other => sha256(format!("{} {other}", ask.repository).as_bytes()),
                };
                Ok(Resolved { digest, bytes: None })
            }
        }
    }

    fn open(&self, ask: &Ask, _: &str) -> Result<Opened, Problem> {
        let file = match ask.repository.rsplit('/').next().unwrap() {
            "slow" => {
                sleep(Duration::from_secs(1));
                "good"
            }
            "panics" => panic!("of the test"),
            "demo" => "demo",
            _ => "good",
        };
        let input = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("testdata/images/{file}.tar"));
        Ok(Opened::Request(Box::new(source::Request { input, ..source::Request::default() })))
    }
}

/// A server in this process; it ends with its value.
struct Running {
    at: Addresses,
    folder: TempDir,
    again: Arc<Notify>,
    end: watch::Sender<u32>,
    thread: Option<JoinHandle<()>>,
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
        let config = config::load(&path, &HOST).unwrap_or_else(|faults| panic!("{faults:?}"));
        let (end, ending) = watch::channel(0);
        let (bound, started) = mpsc::channel();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            runtime.block_on(async {
                let server = Server::bind(&path, config, HOST, parts).await.unwrap();
                bound.send((server.addresses(), Arc::clone(&server.again))).unwrap();
                let mut asked = 0;
                server
                    .serve(move || {
                        asked += 1;
                        let (mut ending, wanted) = (ending.clone(), asked);
                        async move { drop(ending.wait_for(|count| *count >= wanted).await) }
                    })
                    .await;
            });
            runtime.shutdown_timeout(Duration::from_millis(100));
        });
        let (at, again) = started.recv().unwrap();
        Self { at, folder, again, end, thread: Some(thread) }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn metrics(&self) -> String {
        get_from(self.at.operations, "/metrics").body
    }

    /// Tells it to end, and waits until it has.
    fn finish(mut self) {
        self.end.send_modify(|count| *count += 1);
        self.thread.take().unwrap().join().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end.send_modify(|count| *count += 2);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of what a server is assembled by")]
fn parts(_: &plimsoll::serve::live::Live, _: &Arc<plimsoll::serve::metrics::Metrics>, _: &Host) -> Result<Parts, String> {
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
