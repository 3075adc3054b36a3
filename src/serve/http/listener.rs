//! A listener: accepts as many connections as it may, and ends them in order.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

use super::Rules;
use super::connection::{self, Ground};
use super::guard::Guard;
use crate::serve::metrics::Metrics;
use crate::serve::tls::Current;

/// How long to wait before accepting again, where the system has no more to give.
const BREATH: Duration = Duration::from_millis(50);

/// How far the server is with its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::serve) enum Phase {
    /// It is not ending.
    Serving,
    /// Nothing new is taken; what runs goes on.
    Draining,
    /// What still runs is cut off.
    Cut,
}

/// A bound listener.
pub(in crate::serve) struct Listener {
    socket: TcpListener,
    connections: usize,
    ground: Arc<Ground>,
    name: &'static str,
}

impl Listener {
    /// Binds an address.
    pub(in crate::serve) async fn bind(
        name: &'static str,
        address: SocketAddr,
        tls: Option<Arc<Current>>,
        rules: Rules,
        router: Router,
        metrics: Arc<Metrics>,
    ) -> io::Result<Self> {
        let socket = TcpListener::bind(address).await?;
        let ground = Ground { address: socket.local_addr()?, tls, rules, guard: Guard::new(name, rules, router, metrics) };
        Ok(Self { socket, connections: rules.connections, ground: Arc::new(ground), name })
    }

    /// Where it listens; of port 0, the port that the system chose.
    pub(in crate::serve) fn address(&self) -> SocketAddr {
        self.ground.address
    }

    /// Serves until the phase is [`Phase::Draining`], then until every connection has ended.
    pub(in crate::serve) async fn serve(self, mut phase: watch::Receiver<Phase>) {
        let places = Arc::new(Semaphore::new(self.connections));
        loop {
            let place = tokio::select! {
                place = Arc::clone(&places).acquire_owned() => place,
                _ = phase.wait_for(|phase| *phase != Phase::Serving) => break,
            };
            let Ok(place) = place else { break };
            let accepted = tokio::select! {
                accepted = self.socket.accept() => accepted,
                _ = phase.wait_for(|phase| *phase != Phase::Serving) => break,
            };
            match accepted {
                Ok((stream, address)) => {
                    let (ground, phase) = (Arc::clone(&self.ground), phase.clone());
                    tokio::spawn(async move {
                        connection::serve(ground, stream, address, phase).await;
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!(listener = self.name, error = error.to_string(), "a connection could not be accepted");
                    tokio::time::sleep(BREATH).await;
                }
            }
        }
        // whoever comes now is refused by the system, and goes to another replica
        drop(self.socket);
        let all = u32::try_from(self.connections).unwrap_or(u32::MAX);
        // the semaphore is never closed
        let _ = places.acquire_many(all).await;
    }
}
