//! `POST /k8s/v1/imagereview/{profile}`: `ImageReview` of `imagepolicy.k8s.io/v1alpha1`, for control planes that ask by
//! `ImagePolicyWebhook`. It names neither user nor kind, and takes no warnings.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::judge::{Question, Said, judge};
use super::reference::shown;
use super::ruling::{Ruling, cut};
use super::{Desk, Received};
use crate::oci::escape_text;
use crate::serve::decision::{Answer, Hook};

const API_VERSION: &str = "imagepolicy.k8s.io/v1alpha1";
const KIND: &str = "ImageReview";
/// What every annotation holds that an API server passes on.
const PASSED_ON: &str = ".image-policy.k8s.io/";
/// How the annotation ends that overrides a refusal.
const BREAK_GLASS: &str = ".image-policy.k8s.io/break-glass";
/// Images of one pod.
const MOST_IMAGES: usize = 128;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    api_version: String,
    kind: String,
    spec: Option<Review>,
}

/// A pod's images.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Review {
    #[serde(default)]
    containers: Option<Vec<Container>>,
    #[serde(default)]
    annotations: Option<BTreeMap<String, String>>,
    #[serde(default)]
    namespace: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Container {
    #[serde(default)]
    image: Option<String>,
}

/// The answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Answered {
    api_version: &'static str,
    kind: &'static str,
    status: Status,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    allowed: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    reason: String,
    audit_annotations: BTreeMap<&'static str, String>,
}

impl Review {
    /// Reads a review; Err is a sentence.
    pub(super) fn parse(body: &[u8]) -> Result<Self, String> {
        let read: Result<Envelope, _> = serde_json::from_slice(body);
        let envelope = read.map_err(|error| escape_text(&format!("the body is no ImageReview: {error}")))?;
        if envelope.api_version != API_VERSION || envelope.kind != KIND {
            return Err(format!("the body is no {KIND} of {API_VERSION}"));
        }
        envelope.spec.ok_or_else(|| "the review holds no `spec`".to_owned())
    }

    /// The reason for overriding a refusal: any annotation of the standard ending.
    fn break_glass(&self) -> Option<String> {
        let annotations = self.annotations.as_ref()?;
        let given = |(key, reason): (&String, &String)| {
            (key.contains(PASSED_ON) && key.ends_with(BREAK_GLASS) && !reason.trim().is_empty()).then(|| reason.trim().to_owned())
        };
        annotations.iter().find_map(given).map(|reason| shown(&reason))
    }
}

/// Judges the images and says whether they may run.
pub(super) async fn answer(desk: &Desk, received: &Received, review: &Review) -> Answered {
    let namespace = review.namespace.as_deref().unwrap_or_default();
    let question =
        Question { hook: Hook::ImageReview, by: &received.by, namespace, deadline: received.deadline, may_enqueue: true };
    let mut images: Vec<String> = Vec::new();
    let mut problems = Vec::new();
    let containers = review.containers.as_deref().unwrap_or_default();
    for (index, container) in containers.iter().enumerate() {
        match &container.image {
            Some(image) if images.contains(image) => {}
            Some(_) if images.len() >= MOST_IMAGES => problems = vec![format!("the pod names more than {MOST_IMAGES} images")],
            Some(image) => images.push(image.clone()),
            None => problems = vec![format!("spec.containers[{index}] names no image")],
        }
    }
    if containers.is_empty() {
        problems.push("the review names no image".to_owned());
    }
    let said = judge(&desk.context, desk.verdicts.as_ref(), &question, &images, &problems).await;
    let glass = |one: &Said| {
        let is_taken = one.profile.break_glass.as_ref().is_some_and(|glass| glass.is_for_image_reviews);
        is_taken.then(|| review.break_glass()).flatten()
    };
    let ruling = Ruling::of(said, |_| None, glass);
    desk.context.decided(Hook::ImageReview, &ruling.profiles, &ruling.digest, &ruling.decision, received.began);
    if ruling.is_glass_broken {
        desk.context.metrics.broke_glass();
        tracing::warn!(request = crate::serve::request::id(), namespace = escape_text(namespace), "a refusal was overridden");
    }
    let allowed = ruling.decision.answer == Answer::Allow;
    // there is no place for warnings but the audit log
    let reason = if allowed { String::new() } else { cut(&ruling.decision.message, 1_024) };
    Answered { api_version: API_VERSION, kind: KIND, status: Status { allowed, reason, audit_annotations: ruling.audit } }
}
