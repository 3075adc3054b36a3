//! What streams through as it is.

use std::time::{Duration, Instant};

use axum::body::{Body, HttpBody as _};
use axum::http::header::CONTENT_LENGTH;
use axum::http::{HeaderMap, HeaderValue, Method, Request, Response};
use hyper::body::Incoming;

use super::answer::{no_upstream, not_now};
use super::body::{Pace, Received, Sent};
use super::path::Target;
use super::upstream::Failure;
use super::{Ground, headers};
use crate::serve::request;

/// When asking a registry again is worth while that stood still.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// A request as it goes on, but for its body.
#[derive(Debug)]
pub(super) struct Errand {
    pub(super) target: Target,
    pub(super) method: Method,
    /// Path and query.
    pub(super) path: String,
    pub(super) headers: HeaderMap,
}

/// The registry's answer, or why there is none.
pub(super) async fn answer(ground: &Ground, errand: Errand, body: Body) -> Response<Body> {
    let pace = Pace::new();
    let length = body.size_hint().exact();
    let has_body = !matches!(errand.method, Method::GET | Method::HEAD | Method::DELETE);
    let mut request = Request::new(Body::empty());
    *request.method_mut() = errand.method;
    *request.headers_mut() = errand.headers;
    if let Some(length) = length.filter(|length| has_body || *length > 0) {
        request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    if length != Some(0) {
        *request.body_mut() = Body::new(Sent { body, pace: pace.clone() });
    }
    match ground.upstream.ask(request, &errand.path, &pace, None).await {
        Ok(answer) => handed_on(ground, answer),
        Err(failure) => failed(&failure),
    }
}

/// Puts bytes, and nothing but these; the answer is the registry's.
pub(super) async fn put(
    ground: &Ground,
    headers: HeaderMap,
    path: &str,
    body: axum::body::Bytes,
    deadline: Instant,
) -> Result<Response<Incoming>, Failure> {
    let length = HeaderValue::from(body.len());
    let mut request = Request::new(Body::from(body));
    *request.method_mut() = Method::PUT;
    *request.headers_mut() = headers;
    request.headers_mut().insert(CONTENT_LENGTH, length);
    ground.upstream.ask(request, path, &Pace::new(), Some(deadline)).await
}

/// The registry's answer as the client gets it.
pub(super) fn handed_on(ground: &Ground, answer: Response<Incoming>) -> Response<Body> {
    let (parts, body) = answer.into_parts();
    let is_sized = parts.headers.contains_key(CONTENT_LENGTH);
    let mut response = Response::new(Body::new(Received::new(body, is_sized)));
    *response.status_mut() = parts.status;
    *response.headers_mut() = headers::back(&parts.headers, &ground.facade, &ground.upstream.authority);
    response
}

/// What the client is told when there is no answer.
pub(super) fn failed(failure: &Failure) -> Response<Body> {
    let (request, problem) = (request::id(), failure.to_string());
    tracing::warn!(request, hook = "gate", problem, "the registry does not answer");
    match failure {
        Failure::Broken(_) => no_upstream("the registry behind the gate cannot be reached"),
        Failure::Silent => not_now("the registry behind the gate does not answer in time", RETRY_AFTER),
    }
}
