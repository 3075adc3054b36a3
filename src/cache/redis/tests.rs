//! Against a real server where one is installed, and against false ones that answer what no server should.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

use super::*;
use crate::cache::{Kind, Tiers};

const PATIENCE: Duration = Duration::from_secs(5);

fn key() -> Key {
    Key::new(Kind::Verdict, "subject")
}

/// A server of its own, on a socket in a scratch folder. It ends with the test, and after a minute in any case.
struct Server {
    folder: tempfile::TempDir,
    child: Child,
}

impl Server {
    /// None, with a message, where no server is installed.
    fn start(more: &[&str]) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let child = Self::spawn(folder.path(), more)?;
        Some(Self { folder, child })
    }

    fn spawn(folder: &Path, more: &[&str]) -> Option<Child> {
        let program = ["redis-server", "valkey-server"]
            .into_iter()
            .find(|program| Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success()));
        let Some(program) = program else {
            eprintln!("skipped: neither redis-server nor valkey-server is installed");
            return None;
        };
        let socket = folder.join("socket");
        let mut command = Command::new("timeout");
        command.args(["60", program, "--port", "0", "--save", "", "--unixsocket"]).arg(&socket);
        command.arg("--pidfile").arg(folder.join("pid")).arg("--dir").arg(folder).args(more);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let is_up = (0..200).any(|_| {
            thread::sleep(Duration::from_millis(25));
            std::os::unix::net::UnixStream::connect(&socket).is_ok()
        });
        assert!(is_up, "the server does not come up");
        Some(child)
    }

    fn client(&self) -> Redis {
        Redis::new(&format!("redis+unix://{}", self.folder.path().join("socket").display()), PATIENCE).unwrap()
    }

    /// As the kernel's out-of-memory killer does it.
    fn kill(&mut self) {
        let pid = std::fs::read_to_string(self.folder.path().join("pid")).unwrap();
        assert!(Command::new("kill").args(["-9", pid.trim()]).status().unwrap().success());
        self.child.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let pid = std::fs::read_to_string(self.folder.path().join("pid")).unwrap_or_default();
        if self.child.try_wait().is_ok_and(|ended| ended.is_none()) {
            let _ = Command::new("kill").arg(pid.trim()).stderr(Stdio::null()).status();
            let _ = self.child.wait();
        }
    }
}

#[test]
fn entries_are_kept_found_and_removed() {
    let Some(server) = Server::start(&[]) else { return };
    let client = server.client();
    let entry: Vec<u8> = (0..3_000_000_u32).flat_map(u32::to_le_bytes).collect();
    assert_eq!(client.get(&key()).unwrap(), None);
    client.put(&key(), &entry).unwrap();
    assert_eq!(client.get(&key()).unwrap().as_deref(), Some(&entry[..]));
    client.put(&key(), b"").unwrap();
    assert_eq!(server.client().get(&key()).unwrap().as_deref(), Some(&b""[..]), "another client sees it");
    client.remove(&key());
    assert_eq!(client.get(&key()).unwrap(), None);
    client.put(&key(), &vec![0; MOST_ENTRY_BYTES + 1]).unwrap();
    assert_eq!(client.get(&key()).unwrap(), None, "too large to be kept");
}

#[test]
fn a_lease_has_one_holder_until_it_is_released_or_runs_out() {
    let Some(server) = Server::start(&[]) else { return };
    let (one, other) = (server.client(), server.client());
    let Claim::Mine(token) = one.claim(&key(), Duration::from_mins(1)) else { panic!("nobody holds it") };
    assert_eq!(other.claim(&key(), Duration::from_mins(1)), Claim::Theirs);
    other.release(&key(), &Token::random());
    assert_eq!(other.claim(&key(), Duration::from_mins(1)), Claim::Theirs, "only the holder releases it");
    one.release(&key(), &token);
    let Claim::Mine(token) = other.claim(&key(), Duration::from_millis(50)) else { panic!("it was released") };
    thread::sleep(Duration::from_millis(120));
    assert!(matches!(one.claim(&key(), Duration::from_mins(1)), Claim::Mine(_)), "it ran out");
    other.release(&key(), &token);
    assert_eq!(other.claim(&key(), Duration::from_mins(1)), Claim::Theirs, "what ran out is not ours to release");
}

#[test]
fn many_claim_at_once_and_one_gets_it() {
    let Some(server) = Server::start(&[]) else { return };
    let client = server.client();
    let claims: Vec<Claim> = thread::scope(|scope| {
        let claim = || client.claim(&key(), Duration::from_mins(1));
        let claims: Vec<_> = (0..16).map(|_| scope.spawn(claim)).collect();
        claims.into_iter().map(|claim| claim.join().unwrap()).collect()
    });
    assert_eq!(claims.iter().filter(|claim| matches!(claim, Claim::Mine(_))).count(), 1);
    assert!(client.idle.lock().unwrap().len() <= MOST_IDLE);
}

#[test]
fn a_server_that_is_killed_is_a_miss_and_comes_back() {
    let Some(mut server) = Server::start(&[]) else { return };
    let client = server.client();
    client.put(&key(), b"entry").unwrap();
    server.kill();
    assert!(matches!(client.get(&key()), Err(Fault::Server { .. })));
    assert_eq!(client.claim(&key(), PATIENCE), Claim::Unknown);
    client.remove(&key());
    std::fs::remove_file(server.folder.path().join("socket")).unwrap();
    server.child = Server::spawn(server.folder.path(), &[]).unwrap();
    assert_eq!(client.get(&key()).unwrap(), None, "it forgot, and answers");
    client.put(&key(), b"entry").unwrap();
    // between two calls: the idle connection is dead, and replaced
    server.kill();
    std::fs::remove_file(server.folder.path().join("socket")).unwrap();
    server.child = Server::spawn(server.folder.path(), &[]).unwrap();
    assert_eq!(client.get(&key()).unwrap(), None);
}

#[test]
fn a_server_killed_under_load_gives_misses_and_never_a_wrong_value() {
    let Some(mut server) = Server::start(&[]) else { return };
    let tiers = Tiers::new(vec![Box::new(server.client())]);
    let value = |number: usize| vec![u8::try_from(number % 251).unwrap(); 200_000];
    let is_over = std::sync::atomic::AtomicBool::new(false);
    thread::scope(|scope| {
        for worker in 0..4_usize {
            let (tiers, is_over) = (tiers.clone(), &is_over);
            scope.spawn(move || {
                for number in (0..).map(|round: usize| worker * 7 + round % 20) {
                    let key = Key::new(Kind::Layer, &number.to_string());
                    tiers.keep(&key, &value(number));
                    assert!(tiers.find(&key, Some).is_none_or(|found| found == value(number)));
                    if is_over.load(std::sync::atomic::Ordering::Relaxed) {
                        return;
                    }
                }
            });
        }
        thread::sleep(Duration::from_millis(300));
        server.kill();
        thread::sleep(Duration::from_millis(100));
        is_over.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    let counts = tiers.counts()[0].1;
    assert!(counts.hits > 0 && counts.faults > 0 && counts.spoilt == 0, "{counts:?}");
    assert_eq!(tiers.take_warnings().len(), 1);
}

#[test]
fn passwords_and_databases_are_used_and_never_told() {
    let Some(server) = Server::start(&["--requirepass", "top-secret"]) else { return };
    let client = |password: Option<&str>, database| {
        let mut client = server.client();
        client.address.password = password.map(str::to_owned);
        client.address.database = database;
        client
    };
    client(Some("top-secret"), 3).put(&key(), b"entry").unwrap();
    assert_eq!(client(Some("top-secret"), 3).get(&key()).unwrap().as_deref(), Some(&b"entry"[..]));
    assert_eq!(client(Some("top-secret"), 4).get(&key()).unwrap(), None);
    for wrong in [Some("wrong-secret"), None] {
        let fault = client(wrong, 0).get(&key()).unwrap_err();
        assert!(!fault.to_string().contains("secret"), "{fault}");
    }
    assert!(client(Some("top-secret"), 9_999).get(&key()).is_err());
}

/// A false server: to each of its first eight connections it says `answer`, whatever it is asked, and then waits or closes.
fn false_server(answer: &'static [u8], then: Duration) -> Redis {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("redis://:top-secret@{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming().take(8).flatten() {
            thread::spawn(move || {
                let mut stream = stream;
                let _ = stream.read(&mut [0; 4_096]);
                let _ = stream.write_all(answer);
                thread::sleep(then);
            });
        }
    });
    let mut client = Redis::new(&address, Duration::from_millis(400)).unwrap();
    client.address.password = None;
    client
}

#[test]
fn answers_that_no_server_gives_are_faults() {
    static ENDLESS: [u8; 5_000] = [b'+'; 5_000];
    for answer in [
        &b""[..],
        b"\r\n",
        b"hello\r\n",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"$99999999999\r\nx",
        b"$-7\r\n",
        b"$x\r\n",
        b"$5\r\nentry..",
        b"$5\r\nentry\r\nmore",
        b"$5\r\nent",
        b"+OK\r\n",
        b":1\r\n",
        b"*1\r\n$1\r\nx\r\n",
        b"-ERR no\r\n",
        &ENDLESS,
    ] {
        let client = false_server(answer, Duration::ZERO);
        let fault = client.get(&key()).expect_err("no answer").to_string();
        assert!(!fault.contains("secret") && fault.len() < 400, "{fault}");
    }
}

#[test]
fn a_server_that_is_slow_costs_no_more_than_the_patience() {
    for answer in [&b""[..], b"$5\r\nent"] {
        let client = false_server(answer, Duration::from_secs(10));
        let started = Instant::now();
        assert!(client.get(&key()).is_err());
        assert_eq!(client.claim(&key(), PATIENCE), Claim::Unknown);
        assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
    }
}

#[test]
fn a_server_that_drips_costs_no_more_than_the_patience() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("redis://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.write_all(b"$1000\r\n");
        for _ in 0..100 {
            thread::sleep(Duration::from_millis(50));
            if stream.write_all(b"x").is_err() {
                return;
            }
        }
    });
    let client = Redis::new(&address, Duration::from_millis(400)).unwrap();
    let started = Instant::now();
    assert!(client.get(&key()).is_err());
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
}

#[test]
fn nobody_there_is_a_fault() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let client = Redis::new(&format!("redis://127.0.0.1:{port}"), PATIENCE).unwrap();
    assert!(client.get(&key()).is_err() && client.put(&key(), b"x").is_err());
}
