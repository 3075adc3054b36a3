//! `POST /k8s/v1/validate/{profile}`: may this object be?

use std::collections::BTreeMap;

use serde::Serialize;

use super::images::{self, Found};
use super::judge::{Question, Said, judge};
use super::reference::{Reference, shown};
use super::review::Request;
use super::ruling::{Lenience, Ruling, cut};
use super::{Desk, Received};
use crate::oci::escape_text;
use crate::serve::decision::{Answer, Hook};

/// Set by a kubelet on the pods that it runs from its own files.
const MIRROR: &str = "kubernetes.io/config.mirror";
/// The group of kubelets.
const NODES: &str = "system:nodes";
/// Bytes of a reason for the audit log.
const MOST_REASON_BYTES: usize = 256;

/// The answer to an API server. It never holds a patch.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Answered {
    api_version: &'static str,
    kind: &'static str,
    response: Response,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Response {
    uid: String,
    allowed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Status>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
    audit_annotations: BTreeMap<&'static str, String>,
}

#[derive(Debug, Serialize)]
struct Status {
    code: u16,
    reason: &'static str,
    message: String,
}

/// Judges the request and says what becomes of it.
pub(super) async fn answer(desk: &Desk, received: &Received, request: Request) -> Answered {
    let ruling = rule(desk, received, &request).await;
    desk.context.decided(Hook::Kubernetes, &ruling.profiles, &ruling.digest, &ruling.decision, received.began);
    if ruling.is_glass_broken {
        desk.context.metrics.broke_glass();
        tracing::warn!(
            request = crate::serve::request::id(),
            user = escape_text(request.user()),
            namespace = escape_text(request.namespace()),
            "a refusal was overridden"
        );
    }
    let allowed = ruling.decision.answer == Answer::Allow;
    let status = (!allowed).then_some(Status { code: 403, reason: "Forbidden", message: ruling.decision.message });
    let response = Response { uid: request.uid, allowed, status, warnings: ruling.warnings, audit_annotations: ruling.audit };
    Answered { api_version: "admission.k8s.io/v1", kind: "AdmissionReview", response }
}

async fn rule(desk: &Desk, received: &Received, request: &Request) -> Ruling {
    let own = received.by.profile(Hook::Kubernetes, request.namespace(), "");
    if request.runs_nothing() {
        return Ruling::unasked("nothing new runs", &own.name);
    }
    let (group, kind) = (request.kind.group.as_str(), request.kind.kind.as_str());
    let found = images::find(group, kind, &request.object);
    if found == Found::default() {
        return Ruling::unasked("no images", &own.name);
    }
    let found =
        if request.operation == "UPDATE" { without(found, &images::find(group, kind, &request.old_object)) } else { found };
    if found == Found::default() {
        return Ruling::unasked("the images are those of before", &own.name);
    }
    let question = Question {
        hook: Hook::Kubernetes,
        by: &received.by,
        namespace: request.namespace(),
        deadline: received.deadline,
        may_enqueue: !request.dry_run.unwrap_or_default(),
    };
    let said = judge(&desk.context, desk.verdicts.as_ref(), &question, &found.images, &found.problems).await;
    let is_pod = images::is_pod(group, kind);
    let is_mirror = is_pod && annotation(request, MIRROR).is_some() && request.is_in(&[NODES.to_owned()]);
    let lenience = |one: &Said| match () {
        () if is_mirror => Some(Lenience::MirrorPod),
        () if !is_pod && !one.profile.enforces_workloads => Some(Lenience::Workload),
        () => None,
    };
    Ruling::of(said, lenience, |one| broken_glass(request, one))
}

/// What an object names that it did not name before: what it named runs already.
fn without(mut found: Found, before: &Found) -> Found {
    let whole = |name: &String| Reference::parse(name).map_or_else(|_| name.clone(), |reference| reference.whole());
    let known: Vec<String> = before.images.iter().map(whole).collect();
    found.images.retain(|name| !known.contains(&whole(name)));
    found.problems.retain(|problem| !before.problems.contains(problem));
    found
}

fn annotation<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    images::annotations(&request.kind.group, &request.kind.kind, &request.object)?.get(name)?.as_str()
}

/// The reason of somebody who overrides a refusal, and may: the annotation alone proves nothing.
fn broken_glass(request: &Request, one: &Said) -> Option<String> {
    let glass = one.profile.break_glass.as_ref()?;
    let reason = annotation(request, &glass.annotation).map(str::trim).filter(|reason| !reason.is_empty())?;
    let reason = cut(&escape_text(reason), MOST_REASON_BYTES);
    request.is_in(&glass.groups).then(|| format!("{reason} (by {})", shown(request.user())))
}
