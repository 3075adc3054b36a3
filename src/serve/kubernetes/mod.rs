//! Kubernetes: `ValidatingAdmissionWebhook` and `ImagePolicyWebhook` over the same verdicts as every other hook.
//!
//! It reads what is known of the images that an object names, has small ones verified while the API server waits, and always
//! answers before that gives up, so that people read a sentence and not an error of the API server.

mod admit;
mod image_review;
mod images;
mod judge;
mod reference;
mod review;
mod ruling;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Instant;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Path, State};
use axum::http::{Request, Response, StatusCode};
use axum::response::IntoResponse;
use axum::routing::post;
use axum::{Extension, RequestPartsExt as _, Router};

use super::auth;
use super::context::Context;
use super::http::{Peer, bytes, error, json};
use super::verdict::Verdicts;
use judge::By;

/// What the routes need: the server, and who is asked for verdicts.
#[derive(Clone)]
struct Desk {
    context: Context,
    verdicts: Arc<dyn Verdicts>,
}

/// The routes, asking the server's own engine.
pub fn routes(context: Context) -> Router {
    let engine = Arc::new(context.engine.clone());
    asking(context, engine)
}

/// The routes, asking somebody else for verdicts.
pub fn asking(context: Context, verdicts: Arc<dyn Verdicts>) -> Router {
    Router::new()
        .route("/k8s/v1/validate/{profile}", post(validate))
        .route("/k8s/v1/imagereview/{profile}", post(review_images))
        .with_state(Desk { context, verdicts })
}

/// A request that was let in: by what it is judged, what it says, and when it is due.
struct Received {
    by: By,
    body: Bytes,
    began: Instant,
    deadline: Instant,
}

async fn validate(State(desk): State<Desk>, received: Received) -> Response<Body> {
    match review::Request::parse(&received.body) {
        Ok(request) => json(StatusCode::OK, &admit::answer(&desk, &received, request).await),
        Err(why) => malformed(&why),
    }
}

async fn review_images(State(desk): State<Desk>, received: Received) -> Response<Body> {
    match image_review::Review::parse(&received.body) {
        Ok(review) => json(StatusCode::OK, &image_review::answer(&desk, &received, &review).await),
        Err(why) => malformed(&why),
    }
}

fn malformed(why: &str) -> Response<Body> {
    error(StatusCode::BAD_REQUEST, "review-malformed", why)
}

/// What is wrong with the way somebody asks is an error of HTTP: the API server's `failurePolicy` says what follows.
impl FromRequest<Desk> for Received {
    type Rejection = Response<Body>;

    async fn from_request(request: Request<Body>, desk: &Desk) -> Result<Self, Response<Body>> {
        let began = Instant::now();
        let (mut parts, body) = request.into_parts();
        let deadline = began.checked_add(review::patience(parts.uri.query())).unwrap_or(began);
        let Extension(peer) = parts.extract::<Extension<Peer>>().await.map_err(IntoResponse::into_response)?;
        let Path(profile) = parts.extract::<Path<String>>().await.map_err(IntoResponse::into_response)?;
        let config = desk.context.live.config();
        // most API servers cannot be given a certificate or a token: they are asked for one only where there is an authority for it
        if config.server.tls.as_ref().is_some_and(|tls| tls.client_ca.is_some()) {
            auth::admit(&desk.context, &peer, &parts.headers).await?;
        }
        let Some(by) = By::named(&config, &profile) else {
            let advice = "the path ends with the name of a [profiles.NAME], or with auto";
            return Err(error(StatusCode::NOT_FOUND, "unknown-profile", advice));
        };
        let late = || error(StatusCode::REQUEST_TIMEOUT, "body-timeout", "the request's body did not arrive in time");
        let body = tokio::time::timeout_at(deadline.into(), bytes(body)).await.map_err(|_| late())??;
        Ok(Self { by, body, began, deadline })
    }
}
