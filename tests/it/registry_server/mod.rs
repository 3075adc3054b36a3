//! A registry in the test's own process that does what a script says: one thread for each connection, on loopback, for a
//! bounded time. It keeps what it was asked, so that tests see what a client gave away.

pub(crate) mod image;

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// However a test goes, a server lives no longer.
const LIFE: Duration = Duration::from_mins(2);
/// Longest request that is read.
const MAX_REQUEST: u64 = 256 * 1024;

/// A request.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    /// By lower-case name.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
    /// Requests for the same target before this one.
    pub(crate) before: usize,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    pub(crate) fn is_blob(&self) -> bool {
        self.target.contains("/blobs/")
    }

    pub(crate) fn is_manifest(&self) -> bool {
        self.target.contains("/manifests/")
    }
}

/// How a body is sent.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Sent {
    /// With its length.
    Whole,
    /// With the length of all of it, and no more than these bytes.
    CutAfter(usize),
    /// Ended by the end of the connection.
    WithoutLength,
    /// Again and again, without a length.
    Endlessly,
    /// One byte at a time, with this pause.
    Dripping(Duration),
    /// Nothing at all comes, for as long as the client waits.
    Never,
    /// The connection is closed before an answer.
    Closed,
    /// These bytes instead of an answer of HTTP.
    Raw(Vec<u8>),
}

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) sent: Sent,
}

impl Reply {
    pub(crate) fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into(), sent: Sent::Whole }
    }

    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn sent(self, sent: Sent) -> Self {
        Self { sent, ..self }
    }
}

/// A running server; it ends when it is dropped.
pub(crate) struct Server {
    /// `127.0.0.1:PORT`.
    pub(crate) host: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    is_done: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub(crate) fn start(script: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let (seen, is_done) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let thread = std::thread::spawn({
            let (seen, is_done) = (Arc::clone(&seen), Arc::clone(&is_done));
            let script = Arc::new(script);
            move || {
                let started = Instant::now();
                for stream in listener.incoming().flatten() {
                    if is_done.load(Ordering::SeqCst) || started.elapsed() > LIFE {
                        return;
                    }
                    let (seen, is_done, script) = (Arc::clone(&seen), Arc::clone(&is_done), Arc::clone(&script));
                    std::thread::spawn(move || drop(answer(&stream, &seen, &is_done, script.as_ref())));
                }
            }
        });
        Self { host, seen, is_done, thread: Some(thread) }
    }

    /// What was asked so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// How often something like this was asked for.
    pub(crate) fn count(&self, part: &str) -> usize {
        self.seen().iter().filter(|seen| seen.target.contains(part)).count()
    }

    /// Every `Authorization` that arrived.
    pub(crate) fn authorizations(&self) -> Vec<String> {
        self.seen().iter().filter_map(|seen| seen.headers.get("authorization").cloned()).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.is_done.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(&self.host));
        drop(self.thread.take().map(JoinHandle::join));
    }
}

fn read(stream: &TcpStream, seen: &Mutex<Vec<Seen>>) -> std::io::Result<Seen> {
    let mut input = BufReader::new(stream.take(MAX_REQUEST));
    let mut line = String::new();
    input.read_line(&mut line)?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        input.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length: u64 = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = String::new();
    input.take(length).read_to_string(&mut body)?;
    let mut all = seen.lock().unwrap();
    let before = all.iter().filter(|seen| seen.target == target).count();
    let request = Seen { method, target, headers, body, before };
    all.push(request.clone());
    Ok(request)
}

fn answer(
    mut stream: &TcpStream,
    seen: &Mutex<Vec<Seen>>,
    is_done: &AtomicBool,
    script: &dyn Fn(&Seen) -> Reply,
) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    stream.set_write_timeout(Some(Duration::from_secs(10)))?;
    let started = Instant::now();
    let is_over = || is_done.load(Ordering::SeqCst) || started.elapsed() > LIFE;
    let reply = script(&read(stream, seen)?);
    let mut head = format!("HTTP/1.1 {} X\r\nConnection: close\r\n", reply.status);
    for (name, value) in &reply.headers {
        head += &[name, ": ", value, "\r\n"].concat();
    }
    if !matches!(reply.sent, Sent::WithoutLength | Sent::Endlessly) && !head.contains("Content-Length") {
        head += &["Content-Length: ", &reply.body.len().to_string(), "\r\n"].concat();
    }
    head.push_str("\r\n");
    match reply.sent {
        Sent::Closed => return Ok(()),
        Sent::Raw(bytes) => return stream.write_all(&bytes),
        Sent::Never => {
            while !is_over() && stream.peek(&mut [0]).map_or(true, |count| count > 0) {
                std::thread::sleep(Duration::from_millis(20));
            }
            return Ok(());
        }
        _ => stream.write_all(head.as_bytes())?,
    }
    match reply.sent {
        Sent::CutAfter(bytes) => stream.write_all(&reply.body[..bytes.min(reply.body.len())])?,
        Sent::Endlessly => {
            while !is_over() {
                stream.write_all(&reply.body)?;
            }
        }
        Sent::Dripping(pause) => {
            for byte in reply.body {
                if is_over() {
                    break;
                }
                stream.write_all(&[byte])?;
                std::thread::sleep(pause);
            }
        }
        _ => stream.write_all(&reply.body)?,
    }
    stream.shutdown(Shutdown::Write)
}
