//! `AdmissionReview` of `admission.k8s.io/v1`: what an API server asks.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

const API_VERSION: &str = "admission.k8s.io/v1";
const KIND: &str = "AdmissionReview";
/// Letters of a `uid`; API servers send 36.
const MOST_UID_BYTES: usize = 256;
/// What an API server waits where its configuration does not say.
const PLAIN_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest that an API server may be told to wait.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(30);
/// How long before the caller gives up the answer is on its way.
const AHEAD: Duration = Duration::from_millis(500);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    api_version: String,
    kind: String,
    request: Option<Request>,
}

/// What is about to happen to an object.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    /// Names the question; the answer repeats it.
    pub(super) uid: String,
    /// What the object is.
    pub(super) kind: Kind,
    /// `status`, `ephemeralcontainers`, ...
    #[serde(default)]
    pub(super) sub_resource: Option<String>,
    #[serde(default)]
    pub(super) namespace: Option<String>,
    /// `CREATE`, `UPDATE`, `DELETE`, `CONNECT`.
    pub(super) operation: String,
    #[serde(default)]
    pub(super) user_info: Option<User>,
    #[serde(default)]
    pub(super) object: Value,
    #[serde(default)]
    pub(super) old_object: Value,
    #[serde(default)]
    pub(super) dry_run: Option<bool>,
}

/// What an object is.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Kind {
    #[serde(default)]
    pub(super) group: String,
    pub(super) kind: String,
}

/// Who asks.
#[derive(Debug, Default, Deserialize)]
pub(super) struct User {
    #[serde(default)]
    username: Option<String>,
    #[serde(default)]
    groups: Option<Vec<String>>,
}

impl Request {
    /// Reads a review; Err is a sentence.
    pub(super) fn parse(body: &[u8]) -> Result<Self, String> {
        let read: Result<Envelope, _> = serde_json::from_slice(body);
        let envelope = read.map_err(|error| crate::oci::escape_text(&format!("the body is no AdmissionReview: {error}")))?;
        if envelope.api_version != API_VERSION || envelope.kind != KIND {
            return Err(format!("the body is no {KIND} of {API_VERSION}"));
        }
        let request = envelope.request.ok_or("the review holds no `request`")?;
        if request.uid.is_empty() || request.uid.len() > MOST_UID_BYTES {
            return Err(format!("`request.uid` has 1 to {MOST_UID_BYTES} bytes"));
        }
        if request.kind.kind.is_empty() || request.operation.is_empty() {
            return Err("`request.kind.kind` and `request.operation` are needed".to_owned());
        }
        Ok(request)
    }

    pub(super) fn namespace(&self) -> &str {
        self.namespace.as_deref().unwrap_or_default()
    }

    /// The name of who asks; empty when it is not said.
    pub(super) fn user(&self) -> &str {
        self.user_info.as_ref().and_then(|user| user.username.as_deref()).unwrap_or_default()
    }

    /// Whether who asks is in one of these groups.
    pub(super) fn is_in(&self, groups: &[String]) -> bool {
        let own = self.user_info.as_ref().and_then(|user| user.groups.as_deref()).unwrap_or_default();
        own.iter().any(|group| groups.contains(group))
    }

    /// Whether nothing new can run because of it: images are asked about for everything else.
    pub(super) fn runs_nothing(&self) -> bool {
        let sub_resource = self.sub_resource.as_deref().unwrap_or_default();
        matches!(self.operation.as_str(), "DELETE" | "CONNECT") || matches!(sub_resource, "status" | "scale")
    }
}

/// How long the answer may take: a little less than the caller waits, which it says as `timeout=10s` in the query.
pub(super) fn patience(query: Option<&str>) -> Duration {
    let said = query.unwrap_or_default().split('&').find_map(|pair| pair.strip_prefix("timeout="));
    let timeout = said.and_then(duration).filter(|timeout| !timeout.is_zero()).unwrap_or(PLAIN_TIMEOUT).min(LONGEST_TIMEOUT);
    // whoever waits for less than a second is not left without an answer either
    timeout.saturating_sub(AHEAD.min(timeout.checked_div(2).unwrap_or_default()))
}

/// Durations as Go writes them: `10s`, `1m30s`, `1.5s`, `500ms`.
fn duration(text: &str) -> Option<Duration> {
    const UNITS: [(&str, f64); 6] = [("ns", 1e-9), ("us", 1e-6), ("ms", 1e-3), ("h", 3_600.0), ("m", 60.0), ("s", 1.0)];
    if text.is_empty() || text.len() > 32 {
        return None;
    }
    let (mut rest, mut total) = (text, 0.0);
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at_checked(end)?;
        let (unit, seconds) = UNITS.iter().find(|(unit, _)| after.starts_with(unit))?;
        total += number.parse::<f64>().ok()? * seconds;
        rest = after.strip_prefix(unit)?;
    }
    Duration::try_from_secs_f64(total).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_comes_half_a_second_before_the_caller_gives_up() {
        for (query, expected) in [
            (Some("timeout=10s"), 9_500),
            (Some("timeout=2s"), 1_500),
            (Some("a=b&timeout=1m30s"), 29_500),
            (Some("timeout=1.5s"), 1_000),
            (Some("timeout=500ms"), 250),
            (Some("timeout=1h"), 29_500),
            (None, 9_500),
            (Some("timeout="), 9_500),
            (Some("timeout=0s"), 9_500),
            (Some("timeout=soon"), 9_500),
            (Some("timeout=-3s"), 9_500),
            (Some("timeout=3"), 9_500),
            (Some("timeout=.s"), 9_500),
            (Some("timeout=99999999999999999999999999999h"), 9_500),
        ] {
            assert_eq!(patience(query), Duration::from_millis(expected), "{query:?}");
        }
    }

    #[test]
    fn what_is_no_review_is_refused_with_the_reason() {
        let whole = |version: &str, kind: &str, request: &str| {
            format!(r#"{{"apiVersion":"{version}","kind":"{kind}","request":{request}}}"#)
        };
        let request = r#"{"uid":"1","kind":{"group":"","version":"v1","kind":"Pod"},"operation":"CREATE","object":null}"#;
        assert!(Request::parse(whole(API_VERSION, KIND, request).as_bytes()).is_ok());
        for bad in [
            String::new(),
            "{}".into(),
            "[]".into(),
            "[".repeat(100_000),
            whole("admission.k8s.io/v1beta1", KIND, request),
            whole(API_VERSION, "Pod", request),
            whole(API_VERSION, KIND, "null"),
            whole(API_VERSION, KIND, "{}"),
            whole(API_VERSION, KIND, &request.replace("\"1\"", "\"\"")),
            whole(API_VERSION, KIND, &request.replace("\"1\"", "7")),
            whole(API_VERSION, KIND, &request.replace("\"1\"", &format!("\"{}\"", "x".repeat(300)))),
            whole(API_VERSION, KIND, &request.replace("Pod", "")),
            whole(API_VERSION, KIND, &request.replace("CREATE", "")),
        ] {
            let error = Request::parse(bad.as_bytes()).unwrap_err();
            assert!(!error.is_empty() && error.len() < 1_000, "{error}");
        }
    }
}
