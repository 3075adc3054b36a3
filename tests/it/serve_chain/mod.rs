//! The whole chain with real parts: the built program as a process, the distribution project's registry, skopeo, Redis. What is judged
//! is judged by the engine itself; what must hold is that nothing is admitted unverified, whatever breaks.

mod clients;
mod faults;
mod pushes;
mod replicas;
mod reviews;

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::gate::real::skopeo;
use crate::gate::{Reply, ask, until};
use crate::serve::program::Serving;

/// A process of ours, and the folder of its configuration.
struct Replica {
    serving: Serving,
    _folder: TempDir,
}

impl Replica {
    /// Before and beside this registry, with more of `[gate]`, and more tables.
    fn start(registry: &str, gate: &str, more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plimsoll.toml");
        let text = format!(
            "[server]\napi = '127.0.0.1:0'\noperations = '127.0.0.1:0'\ndrain = '2s'\n\
             [gate]\nlisten = '127.0.0.1:0'\nupstream = 'http://{registry}'\n{gate}\n\
             [registries.'{registry}']\ninsecure = true\nallow_private = true\n{more}\n"
        );
        std::fs::write(&path, text).unwrap();
        Self { serving: Serving::start(&path), _folder: folder }
    }

    fn gate(&self) -> SocketAddr {
        self.serving.gate()
    }

    /// `POST /v1/verify`, waiting so long.
    fn verify(&self, image: &str, wait: Duration) -> Reply {
        let body = json!({ "image": image, "wait_ms": wait.as_millis() }).to_string();
        ask(self.serving.api, "POST", "/v1/verify", &[("Content-Type", "application/json")], body.as_bytes())
    }

    fn get(&self, path: &str) -> Reply {
        ask(self.serving.api, "GET", path, &[], b"")
    }

    fn is_ready(&self) -> bool {
        ask(self.serving.operations, "GET", "/readyz", &[], b"").status == 200
    }

    fn metrics(&self) -> String {
        ask(self.serving.operations, "GET", "/metrics", &[], b"").text()
    }

    /// The value of a metric with its labels; 0 when there is none.
    fn metric(&self, name: &str) -> u64 {
        let page = self.metrics();
        let line = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.map_or(0, |value| value.parse().unwrap())
    }

    /// Ends it as a power cut does.
    fn kill(&mut self) {
        self.serving.child.kill().unwrap();
        self.serving.child.wait().unwrap();
    }
}

/// A Redis server that keeps nothing on the disk; it ends with its value.
struct RedisServer {
    port: u16,
    child: Child,
    folder: TempDir,
}

impl RedisServer {
    fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let folder = tempfile::tempdir().unwrap();
        let child = Self::child(port, folder.path());
        Self { port, child, folder }
    }

    fn child(port: u16, folder: &Path) -> Child {
        let mut command = Command::new("redis-server");
        command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir"]);
        let child = command.arg(folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(began.elapsed() < Duration::from_secs(20), "redis-server does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        child
    }

    /// What `[cache]` says of it.
    fn cache(&self) -> String {
        format!("[cache]\nredis = 'redis://127.0.0.1:{}'", self.port)
    }

    fn kill(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }

    /// Starts it anew at the same port, and empty.
    fn restart(&mut self) {
        self.child = Self::child(self.port, self.folder.path());
    }

    /// Every key that it holds.
    fn keys(&self) -> Vec<String> {
        self.told(&["--scan"]).lines().map(str::to_owned).collect()
    }

    fn told(&self, arguments: &[&str]) -> String {
        let output = Command::new("redis-cli").args(["-p", &self.port.to_string()]).args(arguments).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}

/// An image of `testdata/images`, as skopeo names it.
fn archive(name: &str) -> String {
    format!("docker-archive:{}", root().join(format!("testdata/images/{name}.tar")).display())
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Pushes an image: whether that went well, and what skopeo said.
fn push(source: &str, at: &str, name: &str, more: &[&str]) -> (bool, String) {
    let target = format!("docker://{at}/{name}");
    let arguments = [&["copy", "--dest-tls-verify=false", "--src-tls-verify=false"], more, &[source, &target]].concat();
    let output = skopeo(&arguments);
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// Pushes an image where nobody judges it.
fn place(source: &str, registry: &str, name: &str) {
    let (is_done, said) = push(source, registry, name, &[]);
    assert!(is_done, "{said}");
}

/// A verdict's word and its decision.
fn said(reply: &Reply) -> (u16, String, String) {
    let value: Value = serde_json::from_slice(&reply.body).unwrap_or_else(|error| panic!("{error}: {}", reply.text()));
    let text = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
    (reply.status, text("verdict"), text("decision"))
}
