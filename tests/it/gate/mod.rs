//! The push gate over real sockets: before the distribution project's own registry, and before registries that misbehave by script.
//! Verdicts are a stand-in's, which goes by the repository's name; what is tested is what the gate makes of them.

mod faults;
mod pushes;
pub(crate) mod real;
mod smuggling;
mod stand_ins;
mod streams;
mod tls;

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use plimsoll::serve::key::sha256;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::in_process::InProcess;

pub(crate) const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// A gate in this process; it ends with its value.
struct Gate {
    server: InProcess,
    _folder: TempDir,
}

impl Gate {
    /// Before a registry at this address.
    fn before(upstream: &str) -> Self {
        Self::with(upstream, "", "")
    }

    /// With more of `[gate]`, and more tables.
    fn with(upstream: &str, gate: &str, more: &str) -> Self {
        Self::of(upstream, "", gate, more)
    }

    /// With more of `[server]` too.
    fn of(upstream: &str, server: &str, gate: &str, more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plimsoll.toml");
        let upstream = if upstream.contains("://") { upstream.to_owned() } else { format!("http://{upstream}") };
        let text = format!(
            "[server]\napi = '127.0.0.1:0'\noperations = '127.0.0.1:0'\ndrain = '1s'\npublic_url = 'https://plimsoll.example'\n{server}\n\
             [gate]\nlisten = '127.0.0.1:0'\nupstream = '{upstream}'\n{gate}\n\
             [profiles.warned]\nmode = 'warn'\n[profiles.off]\nmode = 'off'\n\
             [[match]]\nrepositories = ['*/warn/**']\nprofile = 'warned'\n\
             [[match]]\nrepositories = ['*/off/**']\nprofile = 'off'\n{more}\n"
        );
        std::fs::write(&path, text).unwrap();
        Self { server: InProcess::start(&path, stand_ins::parts), _folder: folder }
    }

    fn address(&self) -> SocketAddr {
        self.server.at.gate.unwrap()
    }

    fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        ask(self.address(), method, path, headers, body)
    }

    /// Puts a manifest.
    fn put(&self, path: &str, kind: &str, body: &[u8]) -> Reply {
        self.ask("PUT", path, &[("Content-Type", kind)], body)
    }

    fn metrics(&self) -> String {
        ask(self.server.at.operations, "GET", "/metrics", &[], b"").text()
    }
}

/// An answer over HTTP/1.1.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    reason: String,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let mut lines = head.split("\r\n");
        let mut first = lines.next()?.splitn(3, ' ').skip(1);
        let status = first.next()?.parse().ok()?;
        if status == 100 {
            return Self::read(&bytes[end + 4..]);
        }
        let headers = lines.filter_map(|line| line.split_once(": ")).map(|(name, value)| (name.to_lowercase(), value.to_owned()));
        let headers: Vec<(String, String)> = headers.collect();
        let is_chunked = headers.iter().any(|(name, value)| name == "transfer-encoding" && value == "chunked");
        let body = &bytes[end + 4..];
        let body = if is_chunked { dechunked(body) } else { body.to_vec() };
        Some(Self { status, reason: first.next().unwrap_or_default().to_owned(), headers, body })
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Status, code and message of an error of the distribution API.
    pub(crate) fn error(&self) -> (u16, String, String) {
        let value: Value = serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?} {}", self.text()));
        let text = |key: &str| value["errors"][0][key].as_str().unwrap_or_else(|| panic!("{value}")).to_owned();
        (self.status, text("code"), text("message"))
    }

    pub(crate) fn code(&self) -> (u16, String) {
        let (status, code, _) = self.error();
        (status, code)
    }
}

fn dechunked(mut bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    while let Some(end) = bytes.windows(2).position(|window| window == b"\r\n") {
        let size = usize::from_str_radix(std::str::from_utf8(&bytes[..end]).unwrap().trim(), 16).unwrap();
        let from = end + 2;
        let to = (from + size).min(bytes.len());
        out.extend_from_slice(&bytes[from..to]);
        if size == 0 || to + 2 > bytes.len() {
            break;
        }
        bytes = &bytes[to + 2..];
    }
    out
}

pub(crate) fn head(method: &str, path: &str, host: &str, headers: &[(&str, &str)], length: Option<usize>) -> String {
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
    for (name, value) in headers {
        write!(head, "{name}: {value}\r\n").unwrap();
    }
    if let Some(length) = length {
        write!(head, "Content-Length: {length}\r\n").unwrap();
    }
    head + "\r\n"
}

pub(crate) fn connected(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    stream
}

/// Everything that comes until the other end closes.
pub(crate) fn rest(mut stream: &TcpStream) -> Vec<u8> {
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    answer
}

pub(crate) fn ask(address: SocketAddr, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
    let length = (!body.is_empty() || matches!(method, "PUT" | "POST")).then_some(body.len());
    exchange(address, &[head(method, path, &address.to_string(), headers, length).as_bytes(), body].concat())
        .unwrap_or_else(|| panic!("no answer to {method} {path}"))
}

/// Sends bytes as they are.
fn exchange(address: SocketAddr, sent: &[u8]) -> Option<Reply> {
    let mut stream = connected(address);
    // who is refused early may find the door closed while still talking
    let _ = stream.write_all(sent);
    Reply::read(&rest(&stream))
}

pub(crate) fn descriptor(kind: &str, blob: &[u8]) -> Value {
    json!({ "mediaType": kind, "digest": sha256(blob), "size": blob.len() })
}

fn manifest(config: &Value, layers: &[Value]) -> Vec<u8> {
    let value = json!({ "schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": layers });
    value.to_string().into_bytes()
}

/// A manifest of an image whose blobs need not exist.
fn image(salt: &str) -> Vec<u8> {
    manifest(&descriptor(CONFIG, salt.as_bytes()), &[descriptor(LAYER, b"layer")])
}

/// Asks until the answer is as wanted, for twenty seconds.
pub(crate) fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let began = std::time::Instant::now();
    loop {
        if let Some(found) = ask() {
            return found;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{what} did not come");
        thread::sleep(Duration::from_millis(20));
    }
}
