//! `/v1`: verify an image now, read what is known of one.

mod verdicts;
mod verify;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};

use super::context::Context;
use super::http::error;

/// The routes of the API; hooks add theirs.
pub(super) fn router(context: Context) -> Router {
    Router::new()
        .route("/v1/verify", post(verify::answer))
        .route("/v1/verdicts/{digest}", get(verdicts::answer))
        .route("/v1/verdicts/{digest}/sarif", get(verdicts::sarif))
        .with_state(context)
}

/// Answers what no route does.
pub(super) fn otherwise(router: Router, context: Context) -> Router {
    let missing = async |State(_): State<Context>| error(StatusCode::NOT_FOUND, "not-found", "there is nothing at this path");
    let wrong = async || error(StatusCode::METHOD_NOT_ALLOWED, "method", "this path takes another method");
    let unmatched: Router = Router::new().fallback(missing).with_state(context);
    router.fallback_service(unmatched).method_not_allowed_fallback(wrong)
}
