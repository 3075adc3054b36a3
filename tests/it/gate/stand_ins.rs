//! Who stands in: for the engine, one that goes by the repository's name; for the registry, a script.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use plimsoll::report::model::Verdict;
use plimsoll::serve::engine::Registries;
use plimsoll::serve::host::Host;
use plimsoll::serve::key::sha256;
use plimsoll::serve::live::Live;
use plimsoll::serve::metrics::Metrics;
use plimsoll::serve::run::Parts;
use plimsoll::serve::verdict::{Answering, Subject};
use plimsoll::serve::{Access, Ask, Judged, Outcome, Verdicts, gate};

/// What was asked of the stand-in.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) repository: String,
    pub(super) media_type: String,
    pub(super) bytes: Vec<u8>,
    pub(super) access: Access,
}

static ASKED: Mutex<Vec<Asked>> = Mutex::new(Vec::new());

/// Everything that was asked about a repository.
pub(super) fn asked(repository: &str) -> Vec<Asked> {
    ASKED.lock().unwrap().iter().filter(|asked| asked.repository == repository).cloned().collect()
}

struct ByName;

impl Verdicts for ByName {
    fn verdict(&self, ask: Ask) -> Answering<'_> {
        Box::pin(async move {
            let Subject::Manifest { media_type, bytes } = &ask.subject else { panic!("{:?}", ask.subject) };
            ASKED.lock().unwrap().push(Asked {
                repository: ask.repository.clone(),
                media_type: media_type.clone(),
                bytes: bytes.to_vec(),
                access: ask.access.clone(),
            });
            let seconds = Duration::from_secs;
            match ask.repository.rsplit('/').next().unwrap() {
                "bad" => judged(bytes, Verdict::Fail, None),
                "bomb" => judged(bytes, Verdict::Unverifiable, Some("layer-bytes")),
                "broken" => judged(bytes, Verdict::Unverifiable, None),
                "late" => Outcome::NotReady { retry_after: seconds(7) },
                "refused" => Outcome::Refused { reason: "the registry answers 401".into() },
                "down" => Outcome::Unavailable { reason: "the registry answers 503".into(), retry_after: Some(seconds(9)) },
                "fault" => Outcome::Fault { request: "0-0".into() },
                "panics" => panic!("of the test"),
                "slow" => {
                    tokio::time::sleep(seconds(1)).await;
                    judged(bytes, Verdict::Pass, None)
                }
                "hangs" => std::future::pending().await,
                _ => judged(bytes, Verdict::Pass, None),
            }
        })
    }
}

fn judged(bytes: &[u8], verdict: Verdict, limit: Option<&str>) -> Outcome {
    let failing = if verdict == Verdict::Pass { &[][..] } else { &["secret", "root-user", "compiler", "shell"] };
    Outcome::Judged(Arc::new(Judged {
        digest: sha256(bytes),
        verdict,
        score: Some(50.0),
        failing: failing.iter().map(|&id| id.to_owned()).collect(),
        limit: limit.map(str::to_owned),
        report: Arc::from([].as_slice()),
    }))
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of what a server is assembled by")]
pub(super) fn parts(live: &Live, metrics: &Arc<Metrics>, host: &Host) -> Result<Parts, String> {
    let gate = |context| gate::behind(context, Arc::new(ByName));
    let images = Arc::new(Registries::new(live.clone(), *host, Arc::clone(metrics)));
    Ok(Parts { gate: Some(gate), ..Parts::new(images) })
}

/// What a script is told of one connection's request: its head, and the connection to answer on, with what came after the head.
pub(super) type Script = fn(&str, &mut TcpStream, Vec<u8>);

/// A registry that does as its script says, one connection after another; every head is kept. It ends with its value.
pub(super) struct Scripted {
    pub(super) address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
    is_done: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Scripted {
    pub(super) fn start(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (heads, is_done) = (Arc::<Mutex<Vec<String>>>::default(), Arc::<AtomicBool>::default());
        let (kept, ended) = (Arc::clone(&heads), Arc::clone(&is_done));
        let thread = thread::spawn(move || {
            let mut serving = Vec::new();
            for stream in listener.incoming() {
                if ended.load(Ordering::SeqCst) {
                    break;
                }
                let (mut stream, kept) = (stream.unwrap(), Arc::clone(&kept));
                stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
                serving.push(thread::spawn(move || {
                    let Some((head, after)) = head_of(&mut stream) else { return };
                    kept.lock().unwrap().push(head.clone());
                    script(&head, &mut stream, after);
                }));
            }
            for thread in serving {
                let _ = thread.join();
            }
        });
        Self { address, heads, is_done, thread: Some(thread) }
    }

    pub(super) fn host(&self) -> String {
        self.address.to_string()
    }

    /// The heads of all requests, as they came.
    pub(super) fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }

    /// Whether a manifest was put.
    pub(super) fn has_put(&self) -> bool {
        self.heads().iter().any(|head| head.starts_with("PUT ") && head.contains("/manifests/"))
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.is_done.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn head_of(stream: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    loop {
        let mut buffer = [0; 4096];
        let read = stream.read(&mut buffer).ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&buffer[..read]);
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let after = bytes.split_off(end + 4);
            return Some((String::from_utf8_lossy(&bytes).into_owned(), after));
        }
    }
}

/// Answers, and ends the connection.
pub(super) fn say(stream: &mut TcpStream, status: &str, headers: &str, body: &[u8]) {
    let head = format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n", body.len());
    let _ = stream.write_all(&[head.as_bytes(), body].concat());
}

/// Reads a body of the length that its head says.
pub(super) fn body(head: &str, stream: &mut TcpStream, mut bytes: Vec<u8>) -> Vec<u8> {
    let length = head
        .to_lowercase()
        .split("content-length: ")
        .nth(1)
        .map_or(0, |rest| rest.split("\r\n").next().unwrap().parse().unwrap());
    while bytes.len() < length {
        let mut buffer = [0; 8_192];
        match stream.read(&mut buffer) {
            Ok(read) if read > 0 => bytes.extend_from_slice(&buffer[..read]),
            _ => break,
        }
    }
    bytes
}
