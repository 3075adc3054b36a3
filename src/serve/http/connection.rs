//! One connection, from its handshake to its end.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;

use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulConnection;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_rustls::TlsAcceptor;

use super::guard::{Activity, Guard};
use super::listener::Phase;
use super::{Peer, Rules};
use crate::serve::tls::Current;

/// Bytes of a request's head.
const HEAD_BYTES: usize = 64 * 1024;
/// Requests at once over one connection of HTTP/2: clients begin with up to 100 before they have been told (RFC 9113, 6.5.2).
const STREAMS: u32 = 128;

/// What a connection needs of its listener.
pub(super) struct Ground {
    pub(super) address: SocketAddr,
    pub(super) tls: Option<Arc<Current>>,
    pub(super) rules: Rules,
    pub(super) guard: Guard,
}

/// Serves a connection to its end. What goes wrong with it is the caller's affair alone.
pub(super) async fn serve(ground: Arc<Ground>, stream: TcpStream, address: SocketAddr, phase: watch::Receiver<Phase>) {
    // answers are small and waited for; where this cannot be set they are only slower
    let _ = stream.set_nodelay(true);
    let Some(current) = &ground.tls else {
        let peer = Peer { address, listener: ground.address, client: None };
        return http_1(ground, stream, peer, phase).await;
    };
    let acceptor = TlsAcceptor::from(current.loaded().config);
    let mut ending = phase.clone();
    let handshake = timeout(ground.rules.head, acceptor.accept(stream));
    let accepted = tokio::select! {
        accepted = handshake => accepted,
        // a handshake is nothing that could be lost
        _ = ending.wait_for(|phase| *phase != Phase::Serving) => return,
    };
    let Ok(Ok(stream)) = accepted else { return };
    let (_, session) = stream.get_ref();
    let client = session.peer_certificates().and_then(|chain| chain.first()).map(|shown| current.client(shown));
    let is_2 = session.alpn_protocol() == Some(b"h2");
    let peer = Peer { address, listener: ground.address, client };
    if is_2 { http_2(ground, stream, peer, phase).await } else { http_1(ground, stream, peer, phase).await }
}

async fn http_1(
    ground: Arc<Ground>,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: Peer,
    phase: watch::Receiver<Phase>,
) {
    let (activity, rules) = (Activity::new(), ground.rules);
    let service = service_fn(|request| answered(Arc::clone(&ground), request, peer.clone(), Arc::clone(&activity)));
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(rules.head).max_buf_size(HEAD_BYTES).half_close(false);
    drive(builder.serve_connection(TokioIo::new(stream), service), &activity, rules, phase).await;
}

async fn http_2(
    ground: Arc<Ground>,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: Peer,
    phase: watch::Receiver<Phase>,
) {
    let (activity, rules) = (Activity::new(), ground.rules);
    let of_requests = Arc::clone(&activity);
    let service = service_fn(move |request| answered(Arc::clone(&ground), request, peer.clone(), Arc::clone(&of_requests)));
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder.timer(TokioTimer::new()).keep_alive_interval(rules.head).keep_alive_timeout(rules.head);
    builder.max_concurrent_streams(STREAMS).max_header_list_size(u32::try_from(HEAD_BYTES).unwrap_or(u32::MAX));
    drive(builder.serve_connection(TokioIo::new(stream), service), &activity, rules, phase).await;
}

async fn answered(
    ground: Arc<Ground>,
    request: Request<Incoming>,
    peer: Peer,
    activity: Arc<Activity>,
) -> Result<axum::http::Response<axum::body::Body>, Infallible> {
    Ok(ground.guard.answer(request, peer, activity).await)
}

/// Until the connection ends: by itself, by being idle, because the server ends, or because its patience does.
async fn drive<C: GracefulConnection>(connection: C, activity: &Activity, rules: Rules, mut phase: watch::Receiver<Phase>) {
    let mut connection = pin!(connection);
    let mut is_ending = false;
    let mut looks = interval(rules.idle.min(rules.head));
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    looks.reset_at(Instant::now().checked_add(looks.period()).unwrap_or_else(Instant::now));
    loop {
        tokio::select! {
            _ = std::future::poll_fn(|context| connection.as_mut().poll(context)) => return,
            changed = phase.changed() => match *phase.borrow_and_update() {
                _ if changed.is_err() => return,
                Phase::Cut => return,
                Phase::Draining if !is_ending => {
                    is_ending = true;
                    connection.as_mut().graceful_shutdown();
                }
                Phase::Serving | Phase::Draining => {}
            },
            _ = looks.tick() => {
                if activity.idle() >= rules.idle {
                    return;
                }
            }
        }
    }
}
