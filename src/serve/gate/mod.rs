//! The push gate: a streaming reverse proxy in front of a registry, which decides when a manifest is put.
//!
//! Blobs, mounts and uploads pass untouched: nothing of them can be run until a manifest names it. A manifest is held, judged by its
//! bytes with the caller's own rights, and forwarded as exactly these bytes, or not at all.

mod answer;
mod body;
mod decide;
mod forward;
mod headers;
mod manifest;
mod path;
mod push;
mod statements;
mod upstream;

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::{Method, Request, Response};
use axum::{Extension, Router};

use self::answer::Refusal;
use self::forward::Errand;
use self::headers::Facade;
use self::path::Target;
use self::upstream::Upstream;
use super::auth::NOT_LISTED;
use super::config::{Config, Gate};
use super::context::Context;
use super::http::Peer;
use super::http::answer::later;
use super::request;
use super::verdict::Verdicts;

/// The gate, as [`super::run::Parts`] takes it: it asks the server's own engine.
pub fn router(context: Context) -> Router {
    let engine = Arc::new(context.engine.clone());
    behind(context, engine)
}

/// The gate with somebody else to ask.
pub fn behind(context: Context, verdicts: Arc<dyn Verdicts>) -> Router {
    let door = Door { context, verdicts, upstream: Arc::default() };
    // a route of its own would decode paths; the one reading of them is ours
    Router::new().fallback(answer).with_state(door)
}

#[derive(Clone)]
struct Door {
    context: Context,
    verdicts: Arc<dyn Verdicts>,
    upstream: Arc<upstream::Current>,
}

/// What one request is answered with, from beginning to end.
struct Ground {
    config: Arc<Config>,
    gate: Gate,
    upstream: Arc<Upstream>,
    facade: Facade,
}

async fn answer(State(door): State<Door>, Extension(peer): Extension<Peer>, request: Request<Body>) -> Response<Body> {
    if !door.context.has_place(&peer) {
        return later(Refusal::crowd().answer(), Duration::from_secs(1));
    }
    match errand(&door, &peer, &request) {
        Err(refused) => {
            let (request, code) = (request::id(), refused.code);
            tracing::debug!(request, hook = "gate", code, detail = refused.message, "refused");
            refused.answer()
        }
        Ok((ground, Errand { target: Target::Manifest(name, reference), path, headers, .. }))
            if *request.method() == Method::PUT =>
        {
            let push = push::Push { name, reference, path, headers };
            push::answer(&door, &ground, push, request).await
        }
        Ok((ground, errand)) => forward::answer(&ground, errand, request.into_body()).await,
    }
}

/// Reads all of a request but its body.
fn errand(door: &Door, peer: &Peer, request: &Request<Body>) -> Result<(Ground, Errand), Refusal> {
    let target = Target::parse(request.uri().path())?;
    if !target.takes(request.method()) {
        return Err(Refusal::method());
    }
    let path = target.with_query(request.uri())?;
    let config = door.context.live.config();
    let unready = |message: &str| Refusal::unready(message);
    let gate = config.gate.clone().ok_or_else(|| unready("there is no gate"))?;
    if gate.tls.as_ref().is_some_and(|tls| tls.client_ca.is_some()) {
        match peer.client {
            Some(client) if client.is_listed() => {}
            Some(_) => return Err(Refusal::client(NOT_LISTED)),
            None => return Err(Refusal::client("show a client certificate: the gate asks for one")),
        }
    }
    let facade = Facade::of(request.headers(), request.uri(), gate.tls.is_some())
        .ok_or_else(|| Refusal::malformed("UNSUPPORTED", "the request names no host, or more than one"))?;
    let upstream = door.upstream.of(&config, &door.context.host).map_err(|problem| {
        tracing::error!(hook = "gate", problem, "the registry cannot be asked");
        unready("the registry behind the gate cannot be asked; the log tells why")
    })?;
    let headers = headers::onward(request.headers(), &facade, peer, &upstream.authority);
    let errand = Errand { target, method: request.method().clone(), path, headers };
    Ok((Ground { config, gate, upstream, facade }, errand))
}
