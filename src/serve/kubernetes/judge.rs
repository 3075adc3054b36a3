//! From the names of images to what is said of each: every image is asked about once, all at the same time, until the answer is due.

use std::future::Future as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use super::reference::{Reference, shown};
use crate::serve::config::{BY_MATCH, Config, Mode, Profile, RequireDigest};
use crate::serve::context::Context;
use crate::serve::decision::{Answer, Decision, Hook, decide};
use crate::serve::request;
use crate::serve::verdict::{Access, Answering, Ask, Outcome, Verdicts};

/// When to ask again, where the answer was not there in time.
const RETRY_AFTER: Duration = Duration::from_secs(5);
/// Letters that a warning should have at most.
const SHORT: usize = 120;

/// By what images are judged.
#[derive(Debug, Clone)]
pub(super) enum By {
    /// The profile that the path names.
    One(Arc<Profile>),
    /// The profile of the configuration's matches.
    Matches(Arc<Config>),
}

impl By {
    /// The profile that `name` stands for; None: there is none.
    pub(super) fn named(config: &Arc<Config>, name: &str) -> Option<Self> {
        match name {
            BY_MATCH => Some(Self::Matches(Arc::clone(config))),
            name => config.profiles.get(name).cloned().map(Self::One),
        }
    }

    /// The profile for a repository; it is empty where an object as a whole is meant.
    pub(super) fn profile(&self, hook: Hook, namespace: &str, repository: &str) -> Arc<Profile> {
        match self {
            Self::One(profile) => Arc::clone(profile),
            // `default` is always there; were it not, its strict defaults would do
            Self::Matches(config) => config.profile(hook, namespace, repository).unwrap_or_default(),
        }
    }
}

/// What is asked, whoever asks.
#[derive(Debug, Clone)]
pub(super) struct Question<'a> {
    pub(super) hook: Hook,
    pub(super) by: &'a By,
    pub(super) namespace: &'a str,
    pub(super) deadline: Instant,
    /// False for dry runs.
    pub(super) may_enqueue: bool,
}

/// What is said of one image, or of one place where there should be one.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) profile: Arc<Profile>,
    pub(super) decision: Decision,
    /// The decision's message for people who are warned: short where that is possible.
    pub(super) short: String,
    /// The image and the digest that was judged; None where there is no verdict.
    pub(super) judged: Option<(String, String)>,
    /// What is to be known beside the decision; empty: nothing.
    pub(super) hint: String,
}

/// An image that is asked about.
struct Pending {
    name: String,
    reference: Reference,
    profile: Arc<Profile>,
    hint: String,
}

/// What is said of these images and of these problems.
pub(super) async fn judge(
    context: &Context,
    verdicts: &dyn Verdicts,
    question: &Question<'_>,
    images: &[String],
    problems: &[String],
) -> Vec<Said> {
    let whole = |problem: &String| refused(question.by.profile(question.hook, question.namespace, ""), problem.clone());
    let mut said: Vec<Said> = problems.iter().map(whole).collect();
    let mut pending: Vec<Pending> = Vec::new();
    for name in images {
        match Reference::parse(name) {
            Ok(reference) => match asked(question, name, reference) {
                Ok(one) if pending.iter().all(|other| other.reference.whole() != one.reference.whole()) => pending.push(one),
                Ok(_) => {}
                Err(without) => said.push(without),
            },
            Err(why) => {
                let profile = question.by.profile(question.hook, question.namespace, "");
                said.push(refused(profile, format!("'{}' names no image: {why}", shown(name))));
            }
        }
    }
    let place = context.place_of(question.namespace);
    let now = Question { deadline: Instant::now(), may_enqueue: false, ..question.clone() };
    let question = if place.is_some() { question } else { &now };
    let asking = pending.iter().map(|one| verdicts.verdict(ask(question, one))).collect();
    let outcomes = all(asking, question.deadline).await;
    said.extend(pending.into_iter().zip(outcomes).map(|(one, outcome)| said_of(context, question.hook, one, &outcome)));
    if place.is_none() {
        tracing::warn!(request = request::id(), namespace = shown(question.namespace), "too many reviews of a namespace at once");
    }
    said
}

/// What is to be asked about an image; Err: nothing is, and what is said of it without that.
fn asked(question: &Question<'_>, name: &str, reference: Reference) -> Result<Pending, Said> {
    let profile = question.by.profile(question.hook, question.namespace, &reference.repository());
    let name = shown(name);
    let mut hint = String::new();
    match (profile.mode, profile.require_digest) {
        (Mode::Off, _) => return Err(refused(profile, String::new())),
        _ if reference.has_digest() => {}
        (_, RequireDigest::Resolve) => {}
        (Mode::Enforce, RequireDigest::Deny) => {
            return Err(refused(profile, format!("{name} is named without a digest; write it as {name}@sha256:...")));
        }
        (_, RequireDigest::Deny | RequireDigest::Warn) => {
            hint = format!("{name} is named without a digest: another image may run than was judged");
        }
    }
    Ok(Pending { name, reference, profile, hint })
}

fn ask(question: &Question<'_>, one: &Pending) -> Ask {
    Ask {
        repository: one.reference.repository(),
        subject: one.reference.subject(),
        profile: Arc::clone(&one.profile),
        platforms: one.profile.platforms.clone(),
        access: Access::Configured,
        deadline: question.deadline,
        may_enqueue: question.may_enqueue,
    }
}

/// Waits for all, or until the answer is due: what is not there then is not ready.
async fn all(mut asking: Vec<Answering<'_>>, deadline: Instant) -> Vec<Outcome> {
    let mut outcomes: Vec<Option<Outcome>> = asking.iter().map(|_| None).collect();
    let waiting = std::future::poll_fn(|context| {
        for (one, outcome) in asking.iter_mut().zip(&mut outcomes).filter(|(_, outcome)| outcome.is_none()) {
            if let Poll::Ready(answer) = Pin::new(one).poll(context) {
                *outcome = Some(answer);
            }
        }
        if outcomes.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    });
    // who is late is told below
    let _ = tokio::time::timeout_at(deadline.into(), waiting).await;
    outcomes.into_iter().map(|outcome| outcome.unwrap_or(Outcome::NotReady { retry_after: RETRY_AFTER })).collect()
}

fn said_of(context: &Context, hook: Hook, one: Pending, outcome: &Outcome) -> Said {
    let digest = match outcome {
        Outcome::Judged(judged) => judged.digest.as_str(),
        _ => "",
    };
    let decision = decide(&one.profile, hook, &one.name, &context.place(digest), outcome);
    let short = if decision.message.len() > SHORT {
        decide(&one.profile, hook, &one.name, "", outcome).message
    } else {
        decision.message.clone()
    };
    let judged = (!digest.is_empty()).then(|| (one.reference.whole(), digest.to_owned()));
    Said { profile: one.profile, decision, short, judged, hint: one.hint }
}

/// What cannot be asked about: refused, or what the profile's mode makes of it.
fn refused(profile: Arc<Profile>, message: String) -> Said {
    let plain = Decision { answer: Answer::Allow, message, failed_open: None, score: None };
    let decision = match profile.mode {
        Mode::Enforce => Decision { answer: Answer::Deny, ..plain },
        Mode::Warn => Decision { failed_open: Some("unreadable"), ..plain },
        Mode::Off => Decision { message: String::new(), failed_open: Some("mode-off"), ..plain },
    };
    Said { profile, short: decision.message.clone(), decision, judged: None, hint: String::new() }
}
