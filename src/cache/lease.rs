//! Which replica does the work. A lease saves work and decides nothing: without one everybody does it.

use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use super::Key;

/// Says who holds a piece of work.
pub trait Leases: fmt::Debug + Send + Sync {
    /// Claims a piece of work for at most `hold`.
    fn claim(&self, key: &Key, hold: Duration) -> Claim;
    /// Gives it back, if it is still held under this token; a lease that ran out and is somebody else's by now stays.
    fn release(&self, key: &Key, token: &Token);
}

/// What became of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// It is ours until it is released or runs out.
    Mine(Token),
    /// Somebody else holds it: the result will be in the store, or the lease runs out.
    Theirs,
    /// Nobody can tell: the work is to be done.
    Unknown,
}

/// Proves that a lease is ours: 32 random hex digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// A token that nobody else has.
    #[must_use]
    pub fn random() -> Self {
        // the standard library's hashers are keyed with random numbers of the system
        let number = || RandomState::new().build_hasher().finish();
        Self(format!("{:016x}{:016x}", number(), number()))
    }

    /// Its digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_tokens_are_the_same() {
        let tokens: std::collections::BTreeSet<String> = (0..1_000).map(|_| Token::random().0).collect();
        assert_eq!(tokens.len(), 1_000);
        assert!(tokens.iter().all(|token| token.len() == 32));
    }
}
