//! `GET /v1/verdicts/{digest}`: what is known already; nothing is read for it.

use std::sync::Arc;
use std::time::Instant;

use axum::Extension;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, Response, StatusCode};
use serde::Deserialize;

use super::verify::{Said, profile};
use crate::oci::{Digest, Platform};
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

type Asked = Result<Query<Under>, QueryRejection>;

pub(super) async fn answer(
    State(context): State<Context>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    Path(digest): Path<String>,
    under: Asked,
) -> Response<Body> {
    match known(&context, &peer, &headers, &digest, under).await {
        Ok((judged, profile)) => whole(&context, &judged, &profile),
        Err(refused) => refused,
    }
}

pub(super) async fn sarif(
    State(context): State<Context>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    Path(digest): Path<String>,
    under: Asked,
) -> Response<Body> {
    let (judged, _) = match known(&context, &peer, &headers, &digest, under).await {
        Ok(known) => known,
        Err(refused) => return refused,
    };
    let Some(write) = context.sarif else {
        return error(StatusCode::NOT_FOUND, "no-sarif", "this program writes no SARIF; the verdict itself holds the report");
    };
    match serde_json::from_slice::<Report>(&judged.report) {
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

async fn known(
    context: &Context,
    peer: &Peer,
    headers: &HeaderMap,
    digest: &str,
    under: Asked,
) -> Result<(Arc<Judged>, Arc<Profile>), Response<Body>> {
    auth::admit(context, peer, headers).await?;
    let wrong = |code: &str, message: &str| error(StatusCode::BAD_REQUEST, code, message);
    let Query(under) = under.map_err(|_| wrong("query-malformed", "the query takes `profile`, `repository` and `platforms`"))?;
    let digest: Digest =
        digest.parse().map_err(|why: crate::oci::MalformedDigest| wrong("digest-malformed", &why.to_string()))?;
    let config = context.live.config();
    let profile = profile(&config, under.profile.as_deref(), &under.repository).map_err(|why| wrong("unknown-profile", &why))?;
    let platforms =
        under.platforms.split(',').filter(|text| !text.is_empty()).map(str::parse::<Platform>).collect::<Result<Vec<_>, _>>();
    let platforms = platforms.map_err(|_| wrong("platform-malformed", "`platforms` holds os/architecture[/variant]"))?;
    let ask = Ask {
        repository: under.repository,
        subject: Subject::Digest(digest.to_string()),
        platforms: if platforms.is_empty() { profile.platforms.clone() } else { platforms },
        profile: Arc::clone(&profile),
        access: Access::Configured,
        deadline: Instant::now(),
        may_enqueue: false,
    };
    match context.engine.known(&ask, &digest.to_string()).await {
        Some(judged) => Ok((judged, profile)),
        None => Err(error(
            StatusCode::NOT_FOUND,
            "no-verdict",
            "there is no verdict on this digest under this profile; POST /v1/verify makes one",
        )),
    }
}
