//! What tags name, remembered for moments: a hundred pods of one deployment ask the registry once.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::images::{Problem, Resolved};
use crate::serve::verdict::{Access, Ask};

/// How long an answer holds, be it a digest or a refusal.
const FRESH: Duration = Duration::from_secs(5);
/// Answers that are held; beyond it all are forgotten, which costs requests and nothing else.
const MOST: usize = 10_000;

/// What a registry said.
pub(super) type Said = Result<Resolved, Problem>;

/// What registries said within the last moments.
#[derive(Debug, Default)]
pub(super) struct Tags {
    held: Mutex<HashMap<(String, String), (Instant, Said)>>,
}

impl Tags {
    pub(super) fn find(&self, ask: &Ask, now: Instant) -> Option<Said> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let (said_at, said) = held.get(&name(ask)?)?;
        (now.saturating_duration_since(*said_at) < FRESH).then(|| said.clone())
    }

    pub(super) fn put(&self, ask: &Ask, said: &Said, now: Instant) {
        let is_lasting = !matches!(said, Err(Problem::Unavailable { .. }));
        let Some(name) = name(ask).filter(|_| is_lasting) else { return };
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.len() >= MOST {
            held.clear();
        }
        held.insert(name, (now, said.clone()));
    }
}

/// What a caller's own rights found is nobody else's business.
fn name(ask: &Ask) -> Option<(String, String)> {
    (ask.access == Access::Configured).then(|| (ask.repository.clone(), ask.subject.to_string()))
}
