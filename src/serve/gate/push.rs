//! `PUT /v2/<name>/manifests/<reference>`: held, judged, and forwarded as exactly the bytes that were judged.

use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::http::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_RANGE, CONTENT_TYPE, LOCATION};
use axum::http::{HeaderMap, HeaderName, Method, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Incoming;
use sha2::Digest as _;

use super::answer::{Refusal, denied, not_now, warn};
use super::body::Pace;
use super::decide::{Candidate, decided};
use super::path::{Reference, Target, tags};
use super::upstream::Failure;
use super::{Door, Ground, forward};
use crate::limits::MIB;
use crate::oci::{Algorithm, Digest};
use crate::serve::decision::{Answer, Hook};
use crate::serve::key;

/// Bytes of a manifest: what registries take.
const MANIFEST_BYTES: u64 = 4 * MIB;
/// How long the registry may take for a manifest that came late.
const LAST_PATIENCE: Duration = Duration::from_secs(10);
/// How long a registry may take to say whether a caller may push at all.
const PROBE_PATIENCE: Duration = Duration::from_secs(5);

/// A push, but for its body.
pub(super) struct Push {
    pub(super) name: String,
    pub(super) reference: Reference,
    /// Path and query.
    pub(super) path: String,
    pub(super) headers: HeaderMap,
}

pub(super) async fn answer(door: &Door, ground: &Ground, push: Push, request: Request<Body>) -> Response<Body> {
    let began = Instant::now();
    let deadline = began.checked_add(ground.gate.deadline).unwrap_or(began);
    if !push.headers.contains_key(AUTHORIZATION)
        && let Some(refused) = challenge(ground, &push).await
    {
        return refused;
    }
    let (parts, body) = request.into_parts();
    let read = read(&parts.headers, &parts.uri, &push, body, deadline).await;
    let (media_type, bytes, image) = match read {
        Ok(read) => read,
        Err(refused) => return refused.answer(),
    };
    let Some(profile) = ground.config.profile(Hook::Gate, "", &format!("{}/{}", ground.upstream.authority, push.name)) else {
        return Refusal::unready("there is no profile for this repository").answer();
    };
    let digest = key::sha256(&bytes);
    let candidate = Candidate { name: &push.name, image, media_type, bytes, digest, headers: &push.headers, deadline };
    let found = decided(door, ground, &profile, &candidate).await;
    let decision = found.decision;
    door.context.decided(Hook::Gate, &profile.name, &candidate.digest, &decision, began);
    if decision.answer != Answer::Allow {
        // details are for those who may push: others are told what the registry tells them
        if let Some(refused) = refusal_of_registry(ground, &push).await {
            return refused;
        }
    }
    match decision.answer {
        Answer::Deny if found.is_malformed => Refusal::malformed("MANIFEST_INVALID", decision.message).answer(),
        Answer::Deny => denied(&decision.message, ground.gate.has_reason_phrase),
        Answer::NotYet { retry_after } => not_now(&decision.message, retry_after),
        Answer::Allow => {
            let last = Instant::now().checked_add(LAST_PATIENCE).unwrap_or(deadline).max(deadline);
            let mut response = admitted(ground, &push, candidate.bytes, &candidate.media_type, last).await;
            if decision.is_warning() {
                warn(response.headers_mut(), &decision.message);
            }
            response
        }
    }
}

/// The media type, the bytes, and what the image is called; Err when the request is no push of one manifest.
async fn read(
    headers: &HeaderMap,
    uri: &Uri,
    push: &Push,
    body: Body,
    deadline: Instant,
) -> Result<(String, Bytes, String), Refusal> {
    let invalid = |message: &str| Refusal::malformed("MANIFEST_INVALID", message);
    let mut names = tags(uri)?;
    if let Reference::Tag(tag) = &push.reference {
        names.insert(0, tag.clone());
    }
    let mut kinds = headers.get_all(CONTENT_TYPE).iter();
    let (Some(kind), None) = (kinds.next().and_then(|kind| kind.to_str().ok()), kinds.next()) else {
        return Err(invalid("a manifest is sent with one Content-Type"));
    };
    let is_whole = !headers.contains_key(CONTENT_ENCODING) && !headers.contains_key(CONTENT_RANGE);
    if !is_whole {
        return Err(invalid("a manifest is sent as it is and as a whole"));
    }
    // the one that the image is read with is the one that it is pushed with
    if headers.get_all(AUTHORIZATION).iter().count() > 1 {
        return Err(invalid("a manifest is sent with one Authorization"));
    }
    let bytes = collected(body, deadline).await?;
    if let Reference::Digest(digest) = &push.reference
        && *digest != digest_of(digest.algorithm(), &bytes)
    {
        return Err(Refusal::malformed("DIGEST_INVALID", "the manifest has another digest than its path says"));
    }
    let image = match names.as_slice() {
        [] => format!("{}@{}", push.name, push.reference),
        names => names.iter().take(3).map(|tag| format!("{}:{tag}", push.name)).collect::<Vec<_>>().join(", "),
    };
    Ok((kind.to_owned(), bytes, image))
}

fn digest_of(algorithm: Algorithm, bytes: &[u8]) -> Digest {
    match algorithm {
        Algorithm::Sha256 => Digest::of_bytes(algorithm, &sha2::Sha256::digest(bytes)),
        Algorithm::Sha512 => Digest::of_bytes(algorithm, &sha2::Sha512::digest(bytes)),
    }
}

async fn collected(body: Body, deadline: Instant) -> Result<Bytes, Refusal> {
    let most = usize::try_from(MANIFEST_BYTES).unwrap_or(usize::MAX);
    let late = Refusal {
        status: StatusCode::REQUEST_TIMEOUT,
        code: "MANIFEST_INVALID",
        message: "the manifest did not arrive in time".to_owned(),
    };
    let collected = tokio::time::timeout_at(deadline.into(), Limited::new(body, most).collect()).await.map_err(|_| late)?;
    collected.map(http_body_util::Collected::to_bytes).map_err(|broken| {
        if broken.is::<LengthLimitError>() {
            return Refusal::too_long();
        }
        Refusal::malformed("MANIFEST_INVALID", "the manifest is cut short")
    })
}

/// Puts what was judged.
async fn admitted(ground: &Ground, push: &Push, bytes: Bytes, media_type: &str, last: Instant) -> Response<Body> {
    let mut headers = push.headers.clone();
    // as it was judged, whatever a `Connection` header had taken away
    match axum::http::HeaderValue::from_str(media_type) {
        Ok(kind) => headers.insert(CONTENT_TYPE, kind),
        Err(_) => return Refusal::malformed("MANIFEST_INVALID", "a manifest is sent with one Content-Type").answer(),
    };
    match forward::put(ground, headers, &push.path, bytes, last).await {
        Ok(answer) => forward::handed_on(ground, answer),
        Err(failure) => forward::failed(&failure),
    }
}

/// The registry's challenge to a caller who shows nothing, before any work is done for him.
async fn challenge(ground: &Ground, push: &Push) -> Option<Response<Body>> {
    let request = probe(Method::GET, push);
    match probed(ground, request, "/v2/").await {
        Ok(answer) if answer.status() == StatusCode::UNAUTHORIZED => Some(forward::handed_on(ground, answer)),
        Ok(_) => None,
        Err(failure) => Some(forward::failed(&failure)),
    }
}

/// What the registry itself says to a caller who may not push: an upload is begun, and given up at once.
async fn refusal_of_registry(ground: &Ground, push: &Push) -> Option<Response<Body>> {
    let path = Target::Uploads(push.name.clone()).to_string();
    let answer = probed(ground, probe(Method::POST, push), &path).await.ok()?;
    match answer.status() {
        // some say 404 of what a caller may not see
        status if status.is_client_error() => Some(forward::handed_on(ground, answer)),
        StatusCode::ACCEPTED => {
            let location = answer
                .headers()
                .get(LOCATION)
                .and_then(|location| location.to_str().ok())
                .and_then(|location| own(ground, location));
            if let Some(location) = location {
                // what stays is cleared away by the registry in time
                let _ = probed(ground, probe(Method::DELETE, push), &location).await;
            }
            None
        }
        _ => None,
    }
}

async fn probed(ground: &Ground, request: Request<Body>, path: &str) -> Result<Response<Incoming>, Failure> {
    let deadline = Instant::now().checked_add(PROBE_PATIENCE);
    ground.upstream.ask(request, path, &Pace::new(), deadline).await
}

fn probe(method: Method, push: &Push) -> Request<Body> {
    const KEPT: [&str; 7] =
        ["authorization", "host", "user-agent", "x-forwarded-host", "x-forwarded-proto", "x-forwarded-for", "accept"];
    let mut request = Request::new(Body::empty());
    if method == Method::POST {
        request.headers_mut().insert(axum::http::header::CONTENT_LENGTH, axum::http::HeaderValue::from(0));
    }
    *request.method_mut() = method;
    for name in KEPT {
        let name = HeaderName::from_static(name);
        for value in push.headers.get_all(&name) {
            request.headers_mut().append(name.clone(), value.clone());
        }
    }
    request
}

/// Path and query of an upload at the registry, which may call itself what the client calls it.
fn own(ground: &Ground, location: &str) -> Option<String> {
    let uri: Uri = location.parse().ok()?;
    let authority = uri.authority().map(axum::http::uri::Authority::as_str);
    let is_own =
        authority.is_none_or(|name| name == ground.upstream.authority || name.as_bytes() == ground.facade.authority.as_bytes());
    match Target::parse(uri.path()) {
        Ok(target @ Target::Upload(..)) if is_own => target.with_query(&uri).ok(),
        _ => None,
    }
}
