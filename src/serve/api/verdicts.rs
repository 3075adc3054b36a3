//! `GET /v1/verdicts/{digest}`: what is known already; nothing is read for it.

use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{FromRequestParts, Path, Query, State};
use axum::http::request::Parts;
use axum::http::{Response, StatusCode};
use axum::response::IntoResponse;
use axum::{Extension, RequestPartsExt as _};
use serde::Deserialize;

use super::verify::{Said, profile};
use crate::oci::{Digest, MalformedDigest, Platform};
use crate::report::model::Report;
use crate::serve::auth;
use crate::serve::config::Profile;
use crate::serve::context::Context;
use crate::serve::decision::{Hook, decide};
use crate::serve::http::{Peer, answer, error};
use crate::serve::verdict::{Access, Ask, Judged, Outcome, Subject};

/// Whose verdict is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Under {
    profile: Option<String>,
    /// `host/repository`, for policies that waive by the image's name.
    #[serde(default)]
    repository: String,
    /// Separated by commas; none: those of the profile.
    #[serde(default)]
    platforms: String,
}

/// A verdict that is known, and what it was made under.
pub(super) struct Known {
    judged: Arc<Judged>,
    profile: Arc<Profile>,
}

pub(super) async fn answer(State(context): State<Context>, known: Known) -> Response<Body> {
    whole(&context, &known.judged, &known.profile)
}

pub(super) async fn sarif(State(context): State<Context>, known: Known) -> Response<Body> {
    let Some(write) = context.sarif else {
        return error(StatusCode::NOT_FOUND, "no-sarif", "this program writes no SARIF; the verdict itself holds the report");
    };
    match serde_json::from_slice::<Report>(&known.judged.report) {
        Ok(report) => answer::raw(StatusCode::OK, "application/sarif+json", write(&report)),
        Err(_) => error(StatusCode::INTERNAL_SERVER_ERROR, "fault", "the report that was kept cannot be read"),
    }
}

/// The verdict, its decision and its report in one document.
fn whole(context: &Context, judged: &Arc<Judged>, profile: &Profile) -> Response<Body> {
    let place = context.place(&judged.digest);
    let decision = decide(profile, Hook::Api, &judged.digest, "", &Outcome::Judged(Arc::clone(judged)));
    let mut value = match serde_json::to_value(Said::new(judged, profile, &decision, place)) {
        Ok(serde_json::Value::Object(object)) => object,
        _ => serde_json::Map::new(),
    };
    value.insert("report".to_owned(), serde_json::from_slice(&judged.report).unwrap_or_default());
    answer::json(StatusCode::OK, &value)
}

/// Err is the answer to who may not ask, or asks for what is not known.
impl FromRequestParts<Context> for Known {
    type Rejection = Response<Body>;

    async fn from_request_parts(parts: &mut Parts, context: &Context) -> Result<Self, Response<Body>> {
        let Extension(peer) = parts.extract::<Extension<Peer>>().await.map_err(IntoResponse::into_response)?;
        auth::admit(context, &peer, &parts.headers).await?;
        let Path(digest) = parts.extract::<Path<String>>().await.map_err(IntoResponse::into_response)?;
        let under = parts.extract::<Query<Under>>().await;
        let under = under.map_err(|_| wrong("query-malformed", "the query takes `profile`, `repository` and `platforms`"))?;
        let ask = question(context, &digest, under.0)?;
        let profile = Arc::clone(&ask.profile);
        match context.engine.known(&ask, &digest).await {
            Some(judged) => Ok(Self { judged, profile }),
            None => Err(error(
                StatusCode::NOT_FOUND,
                "no-verdict",
                "there is no verdict on this digest under this profile; POST /v1/verify makes one",
            )),
        }
    }
}

fn wrong(code: &str, message: &str) -> Response<Body> {
    error(StatusCode::BAD_REQUEST, code, message)
}

fn question(context: &Context, digest: &str, under: Under) -> Result<Ask, Response<Body>> {
    let digest: Digest = digest.parse().map_err(|why: MalformedDigest| wrong("digest-malformed", &why.to_string()))?;
    let config = context.live.config();
    let profile = profile(&config, under.profile.as_deref(), &under.repository).map_err(|why| wrong("unknown-profile", &why))?;
    let platforms =
        under.platforms.split(',').filter(|text| !text.is_empty()).map(str::parse::<Platform>).collect::<Result<Vec<_>, _>>();
    let platforms = platforms.map_err(|_| wrong("platform-malformed", "`platforms` holds os/architecture[/variant]"))?;
    Ok(Ask {
        repository: under.repository,
        subject: Subject::Digest(digest.to_string()),
        platforms: if platforms.is_empty() { profile.platforms.clone() } else { platforms },
        profile,
        access: Access::Configured,
        deadline: Instant::now(),
        may_enqueue: false,
    })
}
