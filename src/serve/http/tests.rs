//! Connections that behave badly, over real sockets, with rules of short patience.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::routing::{any, get};
use tokio::sync::watch;

use super::*;
use crate::serve::metrics::Metrics;

const HEAD: Duration = Duration::from_millis(300);
const TWICE: Duration = Duration::from_millis(600);

/// A listener with these rules; it ends when the sender of its phase is dropped.
async fn listening(rules: Rules) -> (SocketAddr, watch::Sender<Phase>, std::sync::Arc<Metrics>) {
    let echo = async |body: Body| match bytes(body).await {
        Ok(bytes) => axum::http::Response::new(bytes.len().to_string().into()),
        Err(refused) => refused,
    };
    let router = Router::new()
        .route("/", get(async || "ok"))
        .route("/panic", get(async || -> String { panic!("of the test") }))
        .route("/slow", get(async || tokio::time::sleep(TWICE).await))
        .route("/echo", any(echo));
    let metrics = std::sync::Arc::new(Metrics::default());
    let at = SocketAddr::from(([127, 0, 0, 1], 0));
    let listener = Listener::bind("test", at, None, rules, router, std::sync::Arc::clone(&metrics)).await.unwrap();
    let (sender, phase) = watch::channel(Phase::Serving);
    let address = listener.address();
    tokio::spawn(listener.serve(phase));
    (address, sender, metrics)
}

fn short() -> Rules {
    Rules { head: HEAD, idle: TWICE, body: Some(1_000), ..Rules::default() }
}

/// Sends bytes, and reads until the other end has enough.
async fn exchange(address: SocketAddr, sent: impl AsRef<[u8]> + Send + 'static) -> String {
    let task = tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        // who is refused early may find the door closed while still talking
        let _ = stream.write_all(sent.as_ref());
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    });
    task.await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_does_not_end_ends_the_connection() {
    let (address, _phase, _) = listening(short()).await;
    for sent in ["", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: x\r\nX-A: b"] {
        let began = Instant::now();
        let answer = exchange(address, sent).await;
        assert!(!answer.contains("200 OK"), "{answer}");
        assert!((HEAD..Duration::from_secs(5)).contains(&began.elapsed()), "{sent}: {:?}", began.elapsed());
    }
    let long = format!("GET / HTTP/1.1\r\nHost: x\r\nX-A: {}\r\n\r\n", "b".repeat(200_000));
    assert!(exchange(address, long).await.starts_with("HTTP/1.1 431"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_asks_nothing_more_is_ended() {
    let (address, _phase, _) = listening(short()).await;
    let began = Instant::now();
    let answer = exchange(address, "GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("ok"), "{answer}");
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_is_as_long_as_it_may_be_and_no_longer() {
    let (address, _phase, _) = listening(short()).await;
    let with = |length: usize, sent: usize| {
        format!("POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{}", "a".repeat(sent))
    };
    assert!(exchange(address, with(1_000, 1_000)).await.ends_with("1000"));
    // refused before it is sent
    assert!(exchange(address, with(1_001, 0)).await.starts_with("HTTP/1.1 413"));
    assert!(exchange(address, with(usize::MAX / 4, 10)).await.starts_with("HTTP/1.1 413"));
    let chunks = format!("100\r\n{}\r\n", "a".repeat(256)).repeat(100);
    let endless = format!("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}");
    assert!(exchange(address, endless).await.starts_with("HTTP/1.1 413"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_costs_one_request_its_answer() {
    let (address, _phase, metrics) = listening(short()).await;
    for _ in 0..3 {
        let answer = exchange(address, "GET /panic HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 500") && !answer.contains("of the test"), "{answer}");
        let id = answer.split("x-request-id: ").nth(1).unwrap().split("\r\n").next().unwrap();
        assert!(answer.contains(&format!("\"request\":\"{id}\"")), "{answer}");
    }
    assert!(exchange(address, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.ends_with("ok"));
    assert!(
        metrics.page().contains("plimsoll_panics_total 3") && metrics.page().contains("plimsoll_inflight{listener=\"test\"} 0")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_takes_too_long_is_given_up() {
    let (address, _phase, _) = listening(Rules { answer: Some(Duration::from_millis(50)), ..short() }).await;
    let answer = exchange(address, "GET /slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("\"timeout\""), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_request_is_told_so_and_nothing_else_suffers() {
    let (address, _phase, _) = listening(short()).await;
    for sent in [
        "\0\0\0\0\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "POST /echo HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    ] {
        let answer = exchange(address, sent).await;
        assert!(!answer.contains("200 OK"), "{sent:?}: {answer}");
    }
    assert!(exchange(address, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.ends_with("ok"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_runs_is_answered_while_the_listener_drains() {
    let (address, phase, _) = listening(short()).await;
    let running = tokio::spawn(exchange(address, "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n"));
    tokio::time::sleep(Duration::from_millis(100)).await;
    phase.send_replace(Phase::Draining);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(TcpStream::connect(address).is_err());
    assert!(running.await.unwrap().starts_with("HTTP/1.1 200"));
}
