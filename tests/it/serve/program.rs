//! The built program: its exit codes, its log, its signals.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::{REGISTRY, Reply, START, connected, get_from, rest, until, verify};
use crate::program;

/// The program, serving; killed with its value if it still runs.
pub(crate) struct Serving {
    pub(crate) child: Child,
    log: Arc<Mutex<Vec<Value>>>,
    pub(crate) api: SocketAddr,
    pub(crate) operations: SocketAddr,
}

impl Serving {
    pub(crate) fn start(path: &Path) -> Self {
        let mut command = program::command(&["serve", "--config", path.to_str().unwrap(), "--log-level", "debug"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let (lines, stderr) = (Arc::clone(&log), child.stderr.take().unwrap());
        thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let entry = serde_json::from_str(&line).unwrap_or_else(|_| Value::String(line));
                lines.lock().unwrap().push(entry);
            }
        });
        let (api, operations) = (listening(&log, "api"), listening(&log, "operations"));
        Self { child, log, api, operations }
    }

    /// Where clients push to.
    pub(crate) fn gate(&self) -> SocketAddr {
        listening(&self.log, "gate")
    }

    pub(crate) fn signal(&self, name: &str) {
        let told = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status().unwrap();
        assert!(told.success());
    }

    pub(crate) fn has_logged(&self, message: &str) -> bool {
        self.log.lock().unwrap().iter().any(|entry| entry["message"] == message)
    }
}

/// Where a listener is, by the log.
fn listening(log: &Mutex<Vec<Value>>, name: &str) -> SocketAddr {
    until("the address", || {
        let log = log.lock().unwrap();
        let entry = log.iter().find(|entry| entry["message"] == "listening" && entry["listener"] == name)?;
        entry["address"].as_str()?.parse().ok()
    })
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_file_is_checked_and_its_faults_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plimsoll.toml");
    let check = || program::run(&["serve", "--config", path.to_str().unwrap(), "--check-config"]);
    std::fs::write(&path, format!("{START}{REGISTRY}")).unwrap();
    let output = check();
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&output.stdout).ends_with("plimsoll.toml is in order\n"));
    std::fs::write(&path, "[server]\nworkers = 0\ndrian = '1s'\n").unwrap();
    let output = check();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!((output.status.code(), told.lines().count()), (Some(2), 2), "{told}");
    assert!(told.contains("plimsoll.toml:3:1: unknown key 'drian'; did you mean drain?"), "{told}");
    let none = program::run(&["serve", "--config", "no-such.toml"]);
    assert_eq!(none.status.code(), Some(2));
}

#[test]
fn an_address_that_is_taken_is_told() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plimsoll.toml");
    let text = START.replacen("127.0.0.1:0", &taken.local_addr().unwrap().to_string(), 1);
    std::fs::write(&path, text).unwrap();
    let output = program::run(&["serve", "--config", path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&output.stderr).contains("the listener of api cannot have 127.0.0.1:"));
}

#[test]
fn sigterm_lets_what_runs_end_and_sighup_reads_the_file_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plimsoll.toml");
    std::fs::write(&path, format!("{START}{REGISTRY}")).unwrap();
    let mut serving = Serving::start(&path);
    assert_eq!(get_from(serving.operations, "/readyz").status, 200);
    let body = r#"{"image": "other.example/a", "wait_ms": 200}"#;
    assert_eq!(verify(serving.api, body).status, 403);
    std::fs::write(&path, format!("{START}{REGISTRY}[registries.'other.example']\n")).unwrap();
    serving.signal("HUP");
    until("the new registry", || (verify(serving.api, body).status != 403).then_some(()));
    serving.signal("HUP");
    until("its entry", || serving.has_logged("configuration unchanged").then_some(()));
    // half of a request is under way when the end comes
    let mut stream = connected(serving.api);
    let head = format!(
        "POST /v1/verify HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer top-secret-of-mine\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    thread::sleep(Duration::from_millis(300));
    serving.signal("TERM");
    until("503 of /readyz", || (get_from(serving.operations, "/readyz").status == 503).then_some(()));
    stream.write_all(body.as_bytes()).unwrap();
    // answered, though there is no such registry: not yet, or not at all
    assert!([202, 502].contains(&Reply::read(&rest(&mut stream)).status));
    let status = serving.child.wait().unwrap();
    assert_eq!(status.code(), Some(0));
    assert!(serving.has_logged("ended"));
    let log = serving.log.lock().unwrap();
    assert!(log.iter().all(Value::is_object), "{log:?}");
    let decided = log.iter().find(|entry| entry["message"] == "decided").unwrap();
    assert_eq!((&decided["hook"], &decided["profile"]), (&"api".into(), &"default".into()));
    assert!(["not-yet", "deny"].contains(&decided["decision"].as_str().unwrap()), "{decided}");
    assert!(decided["request"].is_string() && decided["ms"].is_u64() && decided["timestamp"].is_string(), "{decided}");
    assert!(!format!("{log:?}").contains("top-secret"), "{log:?}");
}
