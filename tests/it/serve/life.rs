//! Reload and end, with requests under way.

use std::io::Write as _;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use super::{REGISTRY, Reply, Running, START, connected, get_from, question, rest, until, verify};

const SLOW: &str = r#"{"image": "registry.example/slow:1", "wait_ms": 60000}"#;

#[test]
fn what_runs_is_answered_before_the_end_and_nothing_new_is_taken() {
    let server = Running::start();
    let (api, operations) = (server.at.api, server.at.operations);
    let running = thread::spawn(move || verify(api, SLOW));
    thread::sleep(Duration::from_millis(300));
    server.end.send_modify(|count| *count += 1);
    until("503 of /readyz", || (get_from(operations, "/readyz").status == 503).then_some(()));
    until("the end of the listener", || TcpStream::connect(api).is_err().then_some(()));
    assert_eq!(running.join().unwrap().status, 200);
    server.finish();
}

#[test]
fn a_second_signal_cuts_off_what_does_not_end() {
    let server = Running::start();
    let mut stream = connected(server.at.api);
    // a body that never ends
    stream.write_all(b"POST /v1/verify HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{").unwrap();
    thread::sleep(Duration::from_millis(200));
    server.end.send_modify(|count| *count += 1);
    thread::sleep(Duration::from_millis(200));
    let began = std::time::Instant::now();
    server.finish();
    assert!(began.elapsed() < Duration::from_secs(5));
    assert!(rest(&mut stream).is_empty());
}

#[test]
fn a_new_configuration_is_used_once_it_is_in_order_and_no_request_is_lost() {
    let server = Running::start();
    let at = server.at.api;
    let path = server.file("plimsoll.toml");
    let text = format!("{START}{REGISTRY}");
    let asks = |profile: &str| {
        verify(at, &format!("{{\"image\": \"registry.example/good:1\", \"wait_ms\": 60000, \"profile\": \"{profile}\"}}"))
    };
    assert_eq!(asks("shop").status, 400);
    let is_done = AtomicBool::new(false);
    thread::scope(|scope| {
        let load = || {
            let mut count = 0;
            while !is_done.load(Ordering::SeqCst) {
                assert_eq!(asks("default").status, 200);
                count += 1;
            }
            count
        };
        let loads = [scope.spawn(load), scope.spawn(load)];
        for broken in ["[profiles.shop]\nmode = 'enforced'\n", "[", "[profiles.shop]\npolicy = 'none.toml'\n"] {
            std::fs::write(&path, format!("{text}{broken}")).unwrap();
            server.again.notify_one();
            thread::sleep(Duration::from_millis(200));
            assert_eq!(asks("shop").status, 400);
        }
        std::fs::write(&path, format!("{text}[profiles.shop]\npolicy = 'own.toml'\n")).unwrap();
        std::fs::write(server.file("own.toml"), "extends = 'strict'\n").unwrap();
        server.again.notify_one();
        until("the new profile", || (asks("shop").status == 200).then_some(()));
        is_done.store(true, Ordering::SeqCst);
        assert!(loads.into_iter().all(|load| load.join().unwrap() > 0));
    });
    let page = server.metrics();
    assert!(page.contains("plimsoll_config_reload_total{result=\"ok\"} 1"), "{page}");
    assert!(page.contains("plimsoll_config_reload_total{result=\"refused\"}"), "{page}");
}

#[test]
fn a_policy_that_changes_makes_new_verdicts_without_a_signal() {
    let text = format!("{START}{REGISTRY}[profiles.default]\npolicy = 'own.toml'\n");
    let server = Running::with(&text, &[("own.toml", "extends = 'default'\n")]);
    let asked = || verify(server.at.api, r#"{"image": "registry.example/good:1", "wait_ms": 60000}"#).json()["verdict"].clone();
    assert_eq!(asked(), "pass");
    std::fs::write(
        server.file("own.toml"),
        "extends = 'default'\n[labels.owner]\n[checks.required-label]\nseverity = 'critical'\n",
    )
    .unwrap();
    until("the new verdict", || (asked() == "fail").then_some(()));
}

#[test]
fn a_request_that_began_under_the_old_configuration_ends_under_it() {
    let server = Running::start();
    let mut stream = connected(server.at.api);
    stream.write_all(question(SLOW, "").as_bytes()).unwrap();
    thread::sleep(Duration::from_millis(300));
    // the registry is taken away while its image is verified
    std::fs::write(server.file("plimsoll.toml"), START).unwrap();
    server.again.notify_one();
    until("the new configuration", || (verify(server.at.api, SLOW).status == 403).then_some(()));
    assert_eq!(Reply::read(&rest(&mut stream)).status, 200);
}
