//! From what is known of an image to what the caller is told: the one table of failures, for all hooks.

use std::fmt::Write as _;
use std::time::Duration;

use super::config::{Mode, OnProblem, OnUnknown, Profile};
use super::verdict::{Judged, Outcome};
use crate::report::model::Verdict;

/// Checks that a message names; the report has all.
const NAMED: usize = 3;
/// When to ask again, where nobody says.
const RETRY_AFTER: Duration = Duration::from_secs(10);

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Hook {
    /// A push.
    Gate,
    /// A `ValidatingAdmissionWebhook` of Kubernetes.
    Kubernetes,
    /// An `ImagePolicyWebhook` of Kubernetes.
    ImageReview,
    /// `POST /v1/verify`.
    Api,
}

impl Hook {
    /// The name in configuration, metrics and logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gate => "gate",
            Self::Kubernetes => "kubernetes",
            Self::ImageReview => "imagereview",
            Self::Api => "api",
        }
    }
}

/// What becomes of the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It goes on.
    Allow,
    /// It is refused.
    Deny,
    /// It is refused for now: there is no verdict yet.
    NotYet {
        /// After which time asking again is worth while.
        retry_after: Duration,
    },
}

/// What becomes of the request, and what the caller is told.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// What becomes of it.
    pub answer: Answer,
    /// One sentence without a full stop: why it is refused, or what it is warned of. Empty when there is nothing to say.
    pub message: String,
    /// Why it goes on although nothing says that the image is good; counted.
    pub failed_open: Option<&'static str>,
    /// The score, for the audit log.
    pub score: Option<f64>,
}

impl Decision {
    /// Whether the message is a warning: the request goes on.
    #[must_use]
    pub fn is_warning(&self) -> bool {
        self.answer == Answer::Allow && !self.message.is_empty()
    }

    fn of(answer: Answer, message: String) -> Self {
        Self { answer, message, failed_open: None, score: None }
    }

    fn open(message: String, reason: &'static str) -> Self {
        Self { failed_open: Some(reason), ..Self::of(Answer::Allow, message) }
    }
}

/// Decides. `image` is what the caller called it, already escaped; `place` is where the report can be read, empty when nowhere.
#[must_use]
pub fn decide(profile: &Profile, hook: Hook, image: &str, place: &str, outcome: &Outcome) -> Decision {
    let is_enforced = match profile.mode {
        Mode::Off => return Decision::open(String::new(), "mode-off"),
        Mode::Warn => false,
        Mode::Enforce => true,
    };
    match outcome {
        Outcome::Judged(judged) => of_verdict(profile, hook, image, place, judged),
        Outcome::NotReady { retry_after } => not_ready(profile, image, *retry_after, is_enforced),
        Outcome::Refused { reason } => {
            let message = format!("{image} cannot be verified: {reason}");
            if is_enforced { Decision::of(Answer::Deny, message) } else { Decision::open(message, "refused") }
        }
        Outcome::Unavailable { reason, retry_after } => {
            let message = format!("{image} cannot be verified now: {reason}");
            on_error(profile, hook, message, *retry_after, is_enforced, "unavailable")
        }
        Outcome::Fault { request } => {
            let message = format!("{image} could not be verified: internal error, request {request}");
            on_error(profile, hook, message, None, is_enforced, "fault")
        }
    }
}

fn of_verdict(profile: &Profile, hook: Hook, image: &str, place: &str, judged: &Judged) -> Decision {
    let decision = match judged.verdict {
        Verdict::Pass => Decision::of(Answer::Allow, String::new()),
        Verdict::Fail => {
            let message = format!("{image} fails the policy {}: {}{}", profile.policy_name, named(&judged.failing), see(place));
            enforced(profile, message, "fail")
        }
        Verdict::Unverifiable => {
            let what = match &judged.limit {
                Some(limit) => format!("the limit {limit} was hit"),
                None => named(&judged.failing),
            };
            let message = format!("{image} cannot be verified: {what}{}", see(place));
            // a bomb is refused at the door, whatever the mode: who stores it has it
            if judged.limit.is_some() && hook == Hook::Gate {
                Decision::of(Answer::Deny, message)
            } else {
                enforced(profile, message, "unverifiable")
            }
        }
    };
    Decision { score: judged.score, ..decision }
}

fn enforced(profile: &Profile, message: String, reason: &'static str) -> Decision {
    match profile.mode {
        Mode::Enforce => Decision::of(Answer::Deny, message),
        Mode::Warn | Mode::Off => Decision::open(message, reason),
    }
}

fn not_ready(profile: &Profile, image: &str, retry_after: Duration, is_enforced: bool) -> Decision {
    let message = format!("{image} is not verified yet: try again in {} s", retry_after.as_secs().max(1));
    match profile.on_unknown {
        _ if !is_enforced => Decision::open(message, "unknown"),
        OnUnknown::Allow => Decision::open(String::new(), "unknown"),
        OnUnknown::Warn => Decision::open(message, "unknown"),
        OnUnknown::Deny | OnUnknown::Verify => Decision::of(Answer::NotYet { retry_after }, message),
    }
}

fn on_error(
    profile: &Profile,
    hook: Hook,
    message: String,
    retry_after: Option<Duration>,
    is_enforced: bool,
    reason: &'static str,
) -> Decision {
    match profile.on_error {
        _ if !is_enforced => Decision::open(message, reason),
        OnProblem::Allow => Decision::open(String::new(), reason),
        OnProblem::Warn => Decision::open(message, reason),
        // a client that pushes may come again; who creates a pod is told at once
        OnProblem::Deny if hook == Hook::Gate => {
            Decision::of(Answer::NotYet { retry_after: retry_after.unwrap_or(RETRY_AFTER) }, message)
        }
        OnProblem::Deny => Decision::of(Answer::Deny, message),
    }
}

fn named(failing: &[String]) -> String {
    let mut text = failing.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    let more = failing.len().saturating_sub(NAMED);
    if more > 0 {
        // writing to a String does not fail
        let _ = write!(text, " and {more} more");
    }
    if text.is_empty() { "its report says why".to_owned() } else { text }
}

fn see(place: &str) -> String {
    if place.is_empty() { String::new() } else { format!("; see {place}") }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn judged(verdict: Verdict, failing: &[&str], limit: Option<&str>) -> Outcome {
        Outcome::Judged(Arc::new(Judged {
            digest: "sha256:00".into(),
            verdict,
            score: Some(41.0),
            failing: failing.iter().map(|&id| id.to_owned()).collect(),
            limit: limit.map(str::to_owned),
            report: Arc::from([].as_slice()),
        }))
    }

    fn profile(mode: Mode) -> Profile {
        Profile { mode, ..Profile::default() }
    }

    fn on(profile: &Profile, hook: Hook, outcome: &Outcome) -> Decision {
        decide(profile, hook, "shop:1", "", outcome)
    }

    const HOOKS: [Hook; 4] = [Hook::Gate, Hook::Kubernetes, Hook::ImageReview, Hook::Api];

    fn every_outcome() -> Vec<Outcome> {
        vec![
            judged(Verdict::Fail, &["compiler"], None),
            judged(Verdict::Unverifiable, &["digest-mismatch"], None),
            judged(Verdict::Unverifiable, &["limit-exceeded"], Some("layers")),
            Outcome::NotReady { retry_after: Duration::from_secs(5) },
            Outcome::Refused { reason: "the registry says 404".into() },
            Outcome::Unavailable { reason: "the registry says 503".into(), retry_after: None },
            Outcome::Fault { request: "1".into() },
        ]
    }

    #[test]
    fn by_default_an_enforced_profile_lets_nothing_through_but_a_pass() {
        for hook in HOOKS {
            for outcome in every_outcome() {
                let decision = on(&profile(Mode::Enforce), hook, &outcome);
                assert_ne!(decision.answer, Answer::Allow, "{hook:?} {outcome:?}");
                assert!(!decision.message.is_empty());
            }
            let decision = on(&profile(Mode::Enforce), hook, &judged(Verdict::Pass, &[], None));
            assert_eq!((decision.answer, decision.failed_open, decision.score), (Answer::Allow, None, Some(41.0)));
        }
    }

    #[test]
    fn a_warning_profile_lets_all_through_and_says_why_but_a_bomb_at_the_gate() {
        for hook in HOOKS {
            for outcome in every_outcome() {
                let decision = on(&profile(Mode::Warn), hook, &outcome);
                let is_bomb = matches!(&outcome, Outcome::Judged(judged) if judged.limit.is_some());
                if hook == Hook::Gate && is_bomb {
                    assert_eq!(decision.answer, Answer::Deny);
                } else {
                    assert!(decision.is_warning() && decision.failed_open.is_some(), "{hook:?} {outcome:?}");
                }
            }
        }
    }

    #[test]
    fn a_profile_that_is_off_says_nothing_and_is_counted() {
        for outcome in every_outcome() {
            let decision = on(&profile(Mode::Off), Hook::Gate, &outcome);
            assert_eq!((decision.answer, decision.failed_open, decision.message.as_str()), (Answer::Allow, Some("mode-off"), ""));
        }
    }

    #[test]
    fn errors_and_missing_verdicts_do_as_the_profile_says() {
        let unknown = Outcome::NotReady { retry_after: Duration::from_secs(5) };
        let broken = Outcome::Unavailable { reason: "the registry says 503".into(), retry_after: None };
        let with = |on_unknown, on_error| Profile { on_error, on_unknown, ..profile(Mode::Enforce) };
        for (profile, allows, tells) in [
            (with(OnUnknown::Allow, OnProblem::Allow), true, false),
            (with(OnUnknown::Warn, OnProblem::Warn), true, true),
            (with(OnUnknown::Deny, OnProblem::Deny), false, true),
        ] {
            for outcome in [&unknown, &broken] {
                let decision = on(&profile, Hook::Kubernetes, outcome);
                assert_eq!(decision.answer == Answer::Allow, allows);
                assert_eq!(decision.failed_open.is_some(), allows);
                assert_eq!(!decision.message.is_empty(), tells);
            }
        }
    }

    #[test]
    fn a_push_may_come_again_when_the_registry_cannot_be_asked() {
        let busy = Outcome::Unavailable { reason: "429".into(), retry_after: Some(Duration::from_secs(7)) };
        let enforce = profile(Mode::Enforce);
        assert_eq!(on(&enforce, Hook::Gate, &busy).answer, Answer::NotYet { retry_after: Duration::from_secs(7) });
        assert_eq!(on(&enforce, Hook::Kubernetes, &busy).answer, Answer::Deny);
    }

    #[test]
    fn a_message_names_three_checks_and_where_the_rest_is() {
        let outcome = judged(Verdict::Fail, &["a", "b", "c", "d", "e"], None);
        let decision = decide(&profile(Mode::Enforce), Hook::Gate, "shop:1", "https://plimsoll.example/v1/verdicts/x", &outcome);
        assert_eq!(
            decision.message,
            "shop:1 fails the policy admission: a, b, c and 2 more; see https://plimsoll.example/v1/verdicts/x"
        );
    }
}
