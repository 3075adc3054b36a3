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

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{Request, Response, StatusCode};
use axum::routing::post;
use axum::{Extension, Router};

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
    body: axum::body::Bytes,
    began: Instant,
    deadline: Instant,
}

async fn validate(
    State(desk): State<Desk>,
    Extension(peer): Extension<Peer>,
    Path(profile): Path<String>,
    RawQuery(query): RawQuery,
    request: Request<Body>,
) -> Response<Body> {
    let received = match receive(&desk, &peer, &profile, query.as_deref(), request).await {
        Ok(received) => received,
        Err(refused) => return refused,
    };
    match review::Request::parse(&received.body) {
        Ok(request) => {
            json(StatusCode::OK, &admit::answer(&desk, &received.by, request, received.began, received.deadline).await)
        }
        Err(why) => error(StatusCode::BAD_REQUEST, "review-malformed", &why),
    }
}

async fn review_images(
    State(desk): State<Desk>,
    Extension(peer): Extension<Peer>,
    Path(profile): Path<String>,
    RawQuery(query): RawQuery,
    request: Request<Body>,
) -> Response<Body> {
    let received = match receive(&desk, &peer, &profile, query.as_deref(), request).await {
        Ok(received) => received,
        Err(refused) => return refused,
    };
    match image_review::Review::parse(&received.body) {
        Ok(review) => {
            let Received { by, began, deadline, .. } = &received;
            json(StatusCode::OK, &image_review::answer(&desk, by, &review, *began, *deadline).await)
        }
        Err(why) => error(StatusCode::BAD_REQUEST, "review-malformed", &why),
    }
}

/// Lets the caller in and reads what it sends; Err is the answer to give. What is wrong with the way it asks is an error of HTTP:
/// the API server's `failurePolicy` says what follows.
async fn receive(
    desk: &Desk,
    peer: &Peer,
    profile: &str,
    query: Option<&str>,
    request: Request<Body>,
) -> Result<Received, Response<Body>> {
    let began = Instant::now();
    let deadline = began.checked_add(review::patience(query)).unwrap_or(began);
    let (parts, body) = request.into_parts();
    let config = desk.context.live.config();
    // most API servers cannot be given a certificate or a token: they are asked for one only where there is an authority for it
    if config.server.tls.as_ref().is_some_and(|tls| tls.client_ca.is_some()) {
        auth::admit(&desk.context, peer, &parts.headers).await?;
    }
    let Some(by) = By::named(&config, profile) else {
        let advice = "the path ends with the name of a [profiles.NAME], or with auto";
        return Err(error(StatusCode::NOT_FOUND, "unknown-profile", advice));
    };
    let late = || error(StatusCode::REQUEST_TIMEOUT, "body-timeout", "the request's body did not arrive in time");
    let body = tokio::time::timeout_at(deadline.into(), bytes(body)).await.map_err(|_| late())??;
    Ok(Received { by, body, began, deadline })
}
