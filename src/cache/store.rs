//! What holds entries.

use std::fmt;
use std::time::Duration;

use super::Key;

/// Holds entries by key. It knows nothing of their form: what it returns may be cut short, altered or of another key.
pub trait Store: fmt::Debug + Send + Sync {
    /// What people call it, such as `cache folder`.
    fn name(&self) -> &'static str;
    /// The entry of a key, if there is one.
    fn get(&self, key: &Key) -> Result<Option<Vec<u8>>, Fault>;
    /// Keeps an entry, or does not: a store may be full, or find it too large.
    fn put(&self, key: &Key, entry: &[u8]) -> Result<(), Fault>;
    /// Removes an entry, if it can.
    fn remove(&self, key: &Key);
    /// How long it is not asked again after a failure.
    fn pause(&self) -> Duration {
        Duration::from_secs(5)
    }
}

/// Why a store could not do as it was asked. Never why an image fails.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// A file or folder.
    #[error("{what}: {cause}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// The system's answer.
        #[source]
        cause: std::io::Error,
    },
    /// A folder that somebody else may write to, or something else in its place.
    #[error("{what} cannot be trusted: {reason}")]
    Distrusted {
        /// Which.
        what: String,
        /// Why.
        reason: &'static str,
    },
    /// A server that is not there, is too slow, or refuses.
    #[error("{what}")]
    Server {
        /// What it did, escaped and without secrets.
        what: String,
    },
}

impl Fault {
    /// Of a system call.
    pub(super) fn io(what: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        move |cause| Self::Io { what, cause }
    }
}
