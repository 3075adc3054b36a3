//! What all listeners share: connections with ends, requests with ids, answers in JSON.

pub(super) mod answer;
mod connection;
mod guard;
mod listener;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::time::Duration;

pub use answer::{bytes, error, json};
pub(super) use listener::{Listener, Phase};

use super::client::Client;

/// Who is at the other end of a connection; every request carries it in its extensions.
#[derive(Debug, Clone)]
pub struct Peer {
    /// Where it comes from.
    pub address: SocketAddr,
    /// Where it was let in.
    pub listener: SocketAddr,
    /// What is to be known of its certificate, where it has shown one that the authority of `client_ca` signed.
    pub client: Option<Client>,
}

/// How much, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// Requests that are answered at once; more wait for a moment, and are then told to come again.
    pub requests: usize,
    /// Connections at once; more wait to be accepted.
    pub connections: usize,
    /// Bytes of a request's body; None: as many as it likes.
    pub body: Option<u64>,
    /// How long an answer may take to begin; None: as long as it likes.
    pub answer: Option<Duration>,
    /// How long a handshake, and the head of a request, may take; a connection may be idle for as long over HTTP/1.
    pub head: Duration,
    /// How long a connection may be idle over HTTP/2: longer than clients keep theirs, so that it is they who close.
    pub idle: Duration,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            requests: 256,
            connections: 2_048,
            body: None,
            answer: None,
            head: Duration::from_secs(30),
            idle: Duration::from_mins(2),
        }
    }
}
