//! What becomes of a manifest: by what it is, by the verdict where one is asked for, and by the profile.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;

use super::manifest::{self, Content, Fault};
use super::statements::{self, Looked};
use super::{Door, Ground};
use crate::serve::config::{Mode, Profile};
use crate::serve::decision::{Answer, Decision, Hook, decide};
use crate::serve::verdict::{Access, Ask, Outcome, Subject};

/// What is kept of the time for the answer itself.
const MARGIN: Duration = Duration::from_millis(250);
/// When asking again is worth while for what took too long.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// A manifest that is to be decided on.
pub(super) struct Candidate<'a> {
    pub(super) name: &'a str,
    /// What it is called in messages.
    pub(super) image: String,
    pub(super) media_type: String,
    pub(super) bytes: Bytes,
    pub(super) digest: String,
    /// The client's, as they are forwarded.
    pub(super) headers: &'a HeaderMap,
    pub(super) deadline: Instant,
}

/// A decision, and whether what was sent is no manifest that could be read in one way only.
pub(super) struct Decided {
    pub(super) decision: Decision,
    pub(super) is_malformed: bool,
}

impl From<Decision> for Decided {
    fn from(decision: Decision) -> Self {
        Self { decision, is_malformed: false }
    }
}

pub(super) async fn decided(door: &Door, ground: &Ground, profile: &Arc<Profile>, candidate: &Candidate<'_>) -> Decided {
    if profile.mode == Mode::Off {
        return decide(profile, Hook::Gate, &candidate.image, "", &Outcome::NotReady { retry_after: RETRY_AFTER }).into();
    }
    let limits = &ground.config.limits;
    let content = match manifest::read(&candidate.media_type, &candidate.bytes, &ground.gate.pass_types, limits) {
        Ok(content) => content,
        Err(fault) => return of_fault(profile, &candidate.image, &fault),
    };
    let until = candidate.deadline.checked_sub(MARGIN).unwrap_or(candidate.deadline);
    let looked = async {
        match &content {
            Content::Judged => Looked::HasImage,
            Content::Inert => Looked::Inert,
            Content::Statements(layers) => statements::look(ground, candidate, layers).await,
            Content::Artifacts(children) => statements::look_below(ground, candidate, children).await,
        }
    };
    let place = door.context.place(&candidate.digest);
    let place = if place.is_empty() { place } else { format!("{place}?profile={}", profile.name) };
    let looked = tokio::time::timeout_at(until.into(), looked).await;
    let outcome = match looked {
        Ok(Looked::Inert) => return of(Answer::Allow, String::new(), None),
        Ok(Looked::NoStatement) => {
            let message = "its layers are called statements and are none: some runtimes would unpack them".to_owned();
            return of_fault(profile, &candidate.image, &Fault::Forbidden(message));
        }
        Ok(Looked::HasImage) => verdict(door, ground, profile, candidate, until).await,
        Ok(Looked::Failed(outcome)) => outcome,
        Err(_) => Outcome::NotReady { retry_after: RETRY_AFTER },
    };
    decide(profile, Hook::Gate, &candidate.image, &place, &outcome).into()
}

/// Asks for the verdict with the caller's rights and no others.
async fn verdict(door: &Door, ground: &Ground, profile: &Arc<Profile>, candidate: &Candidate<'_>, until: Instant) -> Outcome {
    let authorization = candidate.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let ask = Ask {
        repository: format!("{}/{}", ground.upstream.authority, candidate.name),
        subject: Subject::Manifest { media_type: candidate.media_type.clone(), bytes: Arc::from(candidate.bytes.as_ref()) },
        profile: Arc::clone(profile),
        platforms: profile.platforms.clone(),
        // who shows nothing is asked for as anybody: never with rights of ours
        access: Access::Caller(Arc::from(authorization)),
        deadline: until,
        may_enqueue: true,
    };
    let asked = door.verdicts.verdict(ask);
    // whoever is asked: the push is answered in time
    let outcome = tokio::time::timeout_at(candidate.deadline.into(), asked).await;
    outcome.unwrap_or(Outcome::NotReady { retry_after: RETRY_AFTER })
}

fn of_fault(profile: &Profile, image: &str, fault: &Fault) -> Decided {
    let (what, is_malformed) = match fault {
        Fault::Malformed(what) => (what, true),
        Fault::Forbidden(what) => (what, false),
    };
    let message = format!("{image} is not taken: {what}");
    let decided = match profile.mode {
        Mode::Enforce => of(Answer::Deny, message, None),
        Mode::Warn => of(Answer::Allow, message, Some("unverifiable")),
        Mode::Off => of(Answer::Allow, String::new(), Some("mode-off")),
    };
    Decided { is_malformed, ..decided }
}

fn of(answer: Answer, message: String, failed_open: Option<&'static str>) -> Decided {
    Decision { answer, message, failed_open, score: None }.into()
}
