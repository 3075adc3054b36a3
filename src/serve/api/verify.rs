//! `POST /v1/verify`: the verdict on an image, if it is there within the time that the caller waits.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, Request, Response, StatusCode};
use serde::{Deserialize, Serialize};

use crate::oci::{MalformedReference, Platform, Reference};
use crate::policy::likest;
use crate::serve::config::{Config, OnUnknown, Profile};
use crate::serve::context::Context;
use crate::serve::decision::{Decision, Hook, decide};
use crate::serve::engine;
use crate::serve::http::answer::later;
use crate::serve::http::{Peer, bytes, error, json};
use crate::serve::metrics;
use crate::serve::verdict::{Access, Ask, Judged, Outcome, Subject, Verdicts as _};
use crate::serve::{auth, request};

/// The longest that a caller may wait.
const LONGEST_WAIT: Duration = Duration::from_mins(5);
/// How long one waits who does not say.
const DEFAULT_WAIT: Duration = Duration::from_secs(10);
/// Platforms of one request.
const MOST_PLATFORMS: usize = 16;

/// What is asked.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    image: String,
    profile: Option<String>,
    wait_ms: Option<u64>,
    #[serde(default)]
    platforms: Vec<String>,
}

/// What is said of an image under a profile.
#[derive(Debug, Serialize)]
pub(super) struct Said<'a> {
    digest: &'a str,
    verdict: crate::report::model::Verdict,
    score: Option<f64>,
    failing: &'a [String],
    limit: Option<&'a str>,
    profile: &'a str,
    /// What the profile makes of it: `allow`, `warn`, `deny` or `not-yet`.
    decision: &'static str,
    message: &'a str,
    /// Where the report is.
    report: String,
}

impl<'a> Said<'a> {
    pub(super) fn new(judged: &'a Judged, profile: &'a Profile, decision: &'a Decision, place: String) -> Self {
        Self {
            digest: &judged.digest,
            verdict: judged.verdict,
            score: judged.score,
            failing: &judged.failing,
            limit: judged.limit.as_deref(),
            profile: &profile.name,
            decision: metrics::name(decision),
            message: &decision.message,
            report: place,
        }
    }
}

pub(super) async fn answer(
    State(context): State<Context>,
    Extension(peer): Extension<Peer>,
    request: Request<Body>,
) -> Response<Body> {
    let began = Instant::now();
    let (parts, body) = request.into_parts();
    if let Err(refused) = auth::admit(&context, &peer, &parts.headers).await {
        return refused;
    }
    if context.is_draining() {
        let ending = error(StatusCode::SERVICE_UNAVAILABLE, "draining", "the server is ending; ask another replica");
        return later(ending, Duration::from_secs(1));
    }
    if !is_json(&parts.headers) {
        return error(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media-type", "send JSON: `Content-Type: application/json`");
    }
    let body = match bytes(body).await {
        Ok(body) => body,
        Err(refused) => return refused,
    };
    match ask(&context.live.config(), &body, began) {
        Ok((ask, image)) => verdict(&context, ask, &image, began).await,
        Err(refused) => refused,
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(kind) = headers.get(CONTENT_TYPE) else { return true };
    let kind = kind.to_str().unwrap_or_default();
    kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

/// Reads the question; Err is the answer to one that cannot be asked.
fn ask(config: &Config, body: &[u8], began: Instant) -> Result<(Ask, String), Response<Body>> {
    let wrong = |code: &str, message: &str| error(StatusCode::BAD_REQUEST, code, message);
    let question: Question = serde_json::from_slice(body).map_err(|error| {
        wrong("body-malformed", &crate::oci::escape_text(&format!("the body is not what is asked for: {error}")))
    })?;
    let reference = question.image.parse().map_err(|why: MalformedReference| {
        wrong("image-malformed", &format!("{why}; write the image as registry.example/shop:1.4 or docker.io/library/debian:13"))
    })?;
    let (repository, subject) = named(&reference);
    if let Some(reason) = engine::refused(config, &repository) {
        return Err(error(StatusCode::FORBIDDEN, "registry-not-allowed", &reason));
    }
    let wait = question.wait_ms.map_or(DEFAULT_WAIT, Duration::from_millis);
    if wait > LONGEST_WAIT {
        return Err(wrong("wait-too-long", "`wait_ms` is at most 300000; ask again instead of waiting longer"));
    }
    if question.platforms.len() > MOST_PLATFORMS {
        return Err(wrong("too-many-platforms", "`platforms` holds at most 16"));
    }
    let platforms = question.platforms.iter().map(|text| text.parse()).collect::<Result<Vec<Platform>, _>>();
    let platforms =
        platforms.map_err(|_| wrong("platform-malformed", "`platforms` holds os/architecture[/variant], such as linux/amd64"))?;
    let profile = profile(config, question.profile.as_deref(), &repository).map_err(|why| wrong("unknown-profile", &why))?;
    let platforms = if platforms.is_empty() { profile.platforms.clone() } else { platforms };
    // who asks here says how long to wait: the profile's patience is that of hooks
    let profile = Arc::new(Profile { on_unknown: OnUnknown::Verify, sync_max_bytes: u64::MAX, ..profile.as_ref().clone() });
    let deadline = began.checked_add(wait).unwrap_or(began);
    let ask = Ask { repository, subject, profile, platforms, access: Access::Configured, deadline, may_enqueue: true };
    Ok((ask, crate::oci::escape_text(&question.image)))
}

/// `host/repository`, and what names the manifest in it.
fn named(reference: &Reference) -> (String, Subject) {
    (format!("{}/{}", reference.host(), reference.repository()), Subject::of(reference))
}

/// The profile of this name, or that of the configuration's matches.
pub(super) fn profile(config: &Config, name: Option<&str>, repository: &str) -> Result<Arc<Profile>, String> {
    let Some(name) = name else {
        return config.profile(Hook::Api, "", repository).ok_or_else(|| "there is no profile called default".to_owned());
    };
    config.profiles.get(name).cloned().ok_or_else(|| {
        let alike = likest(name, config.profiles.keys().map(String::as_str));
        let advice = if alike.is_empty() { String::new() } else { format!("; did you mean {}?", alike.join(" or ")) };
        let shown: String = name.chars().take(100).collect();
        format!("there is no profile '{}'{advice}", crate::oci::escape_text(&shown))
    })
}

async fn verdict(context: &Context, ask: Ask, image: &str, began: Instant) -> Response<Body> {
    let profile = Arc::clone(&ask.profile);
    let outcome = context.engine.verdict(ask).await;
    let known = request::current();
    let digest = known.as_ref().and_then(|known| known.digest()).unwrap_or_default().to_owned();
    let place = context.place(&digest);
    let decision = decide(&profile, Hook::Api, image, &place, &outcome);
    context.decided(Hook::Api, &profile.name, &digest, &decision, began);
    match &outcome {
        Outcome::Judged(judged) => {
            let status = if judged.limit.is_some() { StatusCode::PAYLOAD_TOO_LARGE } else { StatusCode::OK };
            json(status, &Said::new(judged, &profile, &decision, place))
        }
        Outcome::NotReady { retry_after } if known.is_some_and(|known| known.was_turned_away()) => {
            later(error(StatusCode::TOO_MANY_REQUESTS, "queue-full", "too many images wait to be verified"), *retry_after)
        }
        Outcome::NotReady { retry_after } => {
            let id = (!digest.is_empty()).then_some(digest);
            let pending = serde_json::json!({ "id": id, "status": "pending", "message": decision.message, "report": place });
            later(json(StatusCode::ACCEPTED, &pending), *retry_after)
        }
        Outcome::Refused { reason } => error(StatusCode::NOT_FOUND, "image-not-found", reason),
        Outcome::Unavailable { reason, retry_after } => {
            let failed = error(StatusCode::BAD_GATEWAY, "registry-unavailable", reason);
            match retry_after {
                Some(after) => later(failed, *after),
                None => failed,
            }
        }
        Outcome::Fault { .. } => error(StatusCode::INTERNAL_SERVER_ERROR, "fault", &decision.message),
    }
}
