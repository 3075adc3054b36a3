//! `/v1`: verify an image now, read what is known of one.

mod verdicts;
mod verify;

use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, Response, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::routing::{get, post};
use axum::{Extension, Router};

use super::context::Context;
use super::http::answer::later;
use super::http::{Peer, error};

/// The routes of the API; hooks add theirs.
pub(super) fn router(context: Context) -> Router {
    Router::new()
        .route("/v1/verify", post(verify::answer))
        .route("/v1/verdicts/{digest}", get(verdicts::answer))
        .route("/v1/verdicts/{digest}/sarif", get(verdicts::sarif))
        .layer(from_fn_with_state(context.clone(), bounded))
        .with_state(context)
}

/// So that one caller does not take the places of all others.
async fn bounded(
    State(context): State<Context>,
    Extension(peer): Extension<Peer>,
    request: Request<Body>,
    next: Next,
) -> Response<Body> {
    if context.has_place(&peer) {
        return next.run(request).await;
    }
    let busy = error(StatusCode::TOO_MANY_REQUESTS, "too-many-requests", "too many requests of this caller at once");
    later(busy, Duration::from_secs(1))
}

/// Answers what no route does.
pub(super) fn otherwise(router: Router, context: Context) -> Router {
    let missing = async |State(_): State<Context>| error(StatusCode::NOT_FOUND, "not-found", "there is nothing at this path");
    let wrong = async || error(StatusCode::METHOD_NOT_ALLOWED, "method", "this path takes another method");
    let unmatched: Router = Router::new().fallback(missing).with_state(context);
    router.fallback_service(unmatched).method_not_allowed_fallback(wrong)
}
