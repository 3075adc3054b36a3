//! Entries and leases that replicas share, in Redis or Valkey.
//!
//! Six commands (`AUTH`, `SELECT`, `GET`, `SET`, `DEL`, `EVAL`) over the first version of the protocol, written here because no client
//! bounds what a server may answer: replies have a largest size, and every call a deadline for all of it (`wire`). No TLS.

mod address;
#[cfg(test)]
mod tests;
mod wire;

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

pub use address::MalformedAddress;

use self::address::Address;
use self::wire::{Connection, Reply};
use super::{Claim, Fault, Key, Leases, Store, Token};

/// Entries over this stay out: a server holds other things too.
const MOST_ENTRY_BYTES: usize = 64 * 1_024 * 1_024;
/// Connections that are kept open.
const MOST_IDLE: usize = 8;
/// How long an entry is kept.
const KEPT: Duration = Duration::from_hours(30 * 24);
/// Deletes a key if it still holds our token.
const RELEASE: &str = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) else return 0 end";

/// A server.
#[derive(Debug)]
pub struct Redis {
    address: Address,
    /// For one call, connecting included.
    patience: Duration,
    idle: Mutex<Vec<Connection>>,
}

impl Redis {
    /// The server at `redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE]` or `redis+unix:///PATH`; `valkey` does as well. Nothing is
    /// connected yet. Each call takes at most `patience`.
    pub fn new(address: &str, patience: Duration) -> Result<Self, MalformedAddress> {
        Ok(Self { address: address.parse()?, patience, idle: Mutex::default() })
    }

    /// One command and its reply. A connection that the server closed while it was idle is replaced once.
    fn call(&self, command: &[&[u8]]) -> Result<Reply, Fault> {
        let deadline = Instant::now().checked_add(self.patience).ok_or_else(|| wire::failed("no such deadline"))?;
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if let Some(mut connection) = idle {
            match connection.call(command, deadline) {
                Ok(reply) => return self.answered(connection, reply),
                Err(wire::Failure::Closed) => {}
                Err(wire::Failure::Fault(fault)) => return Err(fault),
            }
        }
        let mut connection = Connection::open(&self.address, deadline)?;
        let reply = connection.call(command, deadline).map_err(Fault::from)?;
        self.answered(connection, reply)
    }

    fn answered(&self, connection: Connection, reply: Reply) -> Result<Reply, Fault> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < MOST_IDLE && connection.is_clean() {
            idle.push(connection);
        }
        match reply {
            Reply::Error(error) => Err(wire::failed(&format!("it refuses: {error}"))),
            reply => Ok(reply),
        }
    }
}

/// `plimsoll:layers:NAME`, and for leases `plimsoll:lease:verdicts:NAME`.
fn name(prefix: &str, key: &Key) -> String {
    format!("plimsoll:{prefix}{}:{}", key.kind().as_str(), key.name())
}

fn milliseconds(time: Duration) -> String {
    time.as_millis().max(1).to_string()
}

impl Store for Redis {
    fn name(&self) -> &'static str {
        "Redis server"
    }

    fn get(&self, key: &Key) -> Result<Option<Vec<u8>>, Fault> {
        match self.call(&[b"GET", name("", key).as_bytes()])? {
            Reply::Bytes(entry) => Ok(Some(entry)),
            Reply::Nothing => Ok(None),
            other => Err(wire::unexpected(&other)),
        }
    }

    fn put(&self, key: &Key, entry: &[u8]) -> Result<(), Fault> {
        if entry.len() > MOST_ENTRY_BYTES {
            return Ok(());
        }
        self.call(&[b"SET", name("", key).as_bytes(), entry, b"PX", milliseconds(KEPT).as_bytes()]).map(drop)
    }

    fn remove(&self, key: &Key) {
        // what is damaged is found again, and removed then
        let _ = self.call(&[b"DEL", name("", key).as_bytes()]);
    }
}

impl Leases for Redis {
    fn claim(&self, key: &Key, hold: Duration) -> Claim {
        let token = Token::random();
        let lease = name("lease:", key);
        match self.call(&[b"SET", lease.as_bytes(), token.as_str().as_bytes(), b"NX", b"PX", milliseconds(hold).as_bytes()]) {
            Ok(Reply::Nothing) => Claim::Theirs,
            Ok(Reply::Text(_)) => Claim::Mine(token),
            Ok(_) | Err(_) => Claim::Unknown,
        }
    }

    fn release(&self, key: &Key, token: &Token) {
        // otherwise it runs out
        let _ = self.call(&[b"EVAL", RELEASE.as_bytes(), b"1", name("lease:", key).as_bytes(), token.as_str().as_bytes()]);
    }
}
