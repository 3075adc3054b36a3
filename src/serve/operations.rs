//! `/livez`, `/readyz`, `/metrics`: for those who keep the server running.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode};
use axum::routing::get;

use super::context::Context;
use super::http::{answer, error, json};

/// How long the shared store may take to say that it is there.
const PATIENCE: Duration = Duration::from_secs(1);
/// What Prometheus calls the format.
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

pub(super) fn router(context: Context) -> Router {
    Router::new()
        .route("/livez", get(async || json(StatusCode::OK, &serde_json::json!({ "status": "live" }))))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .fallback(async || error(StatusCode::NOT_FOUND, "not-found", "there are /livez, /readyz and /metrics"))
        .method_not_allowed_fallback(async || error(StatusCode::METHOD_NOT_ALLOWED, "method", "use GET"))
        .with_state(context)
}

/// Ready is who can decide: not ending, and its store there. Registries may be down: the table of failures says what follows.
async fn ready(State(context): State<Context>) -> Response<Body> {
    if context.is_draining() {
        return error(StatusCode::SERVICE_UNAVAILABLE, "draining", "the server is ending");
    }
    let engine = context.engine.clone();
    let store = tokio::task::spawn_blocking(move || engine.is_store_reachable());
    match tokio::time::timeout(PATIENCE, store).await {
        Ok(Ok(true)) => json(StatusCode::OK, &serde_json::json!({ "status": "ready" })),
        _ => error(StatusCode::SERVICE_UNAVAILABLE, "store-unreachable", "the store of verdicts cannot be asked"),
    }
}

async fn metrics(State(context): State<Context>) -> Response<Body> {
    answer::raw(StatusCode::OK, OPENMETRICS, context.metrics.page())
}
