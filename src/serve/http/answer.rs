//! Bodies in, JSON out.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, Response, StatusCode};
use http_body_util::{BodyExt as _, LengthLimitError};
use serde::Serialize;

use crate::serve::request;

/// How long a body that fits may take to arrive.
const BODY_PATIENCE: Duration = Duration::from_secs(30);

/// An answer in JSON.
pub fn json(status: StatusCode, value: &impl Serialize) -> Response<Body> {
    match serde_json::to_vec(value) {
        Ok(bytes) => raw(status, "application/json", bytes),
        Err(_) => raw(StatusCode::INTERNAL_SERVER_ERROR, "application/json", "{}"),
    }
}

/// An answer of a type of its own; nothing may keep it.
pub(in crate::serve) fn raw(status: StatusCode, kind: &'static str, body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// `{"error": {"code", "message", "request"}}`: a code for programs, a sentence for people, an id for the log.
#[must_use]
pub fn error(status: StatusCode, code: &str, message: &str) -> Response<Body> {
    let request = request::id();
    json(status, &serde_json::json!({ "error": { "code": code, "message": message, "request": request } }))
}

/// Says when to come again.
pub(in crate::serve) fn later(mut response: Response<Body>, after: Duration) -> Response<Body> {
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(after.as_secs().max(1)));
    response
}

/// The whole of a request's body; Err is the answer to give.
pub async fn bytes(body: Body) -> Result<Bytes, Response<Body>> {
    let collected = tokio::time::timeout(BODY_PATIENCE, body.collect()).await;
    let Ok(collected) = collected else {
        return Err(error(StatusCode::REQUEST_TIMEOUT, "body-timeout", "the request's body did not arrive in time"));
    };
    collected.map(http_body_util::Collected::to_bytes).map_err(|broken| {
        let is_long = std::iter::successors(Some(&broken as &dyn std::error::Error), |error| error.source())
            .any(<dyn std::error::Error>::is::<LengthLimitError>);
        if is_long { too_long() } else { error(StatusCode::BAD_REQUEST, "body-broken", "the request's body is cut short") }
    })
}

pub(super) fn too_long() -> Response<Body> {
    error(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", "the request's body is longer than `max_body` of [server]")
}
