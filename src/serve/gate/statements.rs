//! Signatures and attestations, by their bytes: some runtimes unpack every layer of what has an image's config, whatever the layer's
//! type says. What is text and begins as JSON does holds no program, and none of the compressions that runtimes know.

use axum::body::{Body, Bytes};
use axum::http::header::{ACCEPT, AUTHORIZATION, HOST, LOCATION};
use axum::http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use sha2::{Digest as _, Sha256, Sha512};

use super::Ground;
use super::body::Pace;
use super::decide::Candidate;
use super::manifest::{self, Content};
use super::upstream::Failure;
use crate::limits::MIB;
use crate::oci::document::Descriptor;
use crate::oci::{Algorithm, Digest};
use crate::serve::verdict::Outcome;

/// Bytes of all statements of one push.
const STATEMENT_BYTES: u64 = 256 * MIB;
/// Bytes of one manifest in a list.
const MANIFEST_BYTES: u64 = 4 * MIB;
/// Manifests of one list that are looked at; a longer one is asked about as images are.
const MOST_CHILDREN: usize = 64;
/// Times that a registry may send us elsewhere for one blob.
const MOST_HOPS: usize = 3;

/// What looking has shown.
pub(super) enum Looked {
    /// Nothing in it could be run.
    Inert,
    /// A layer is not the statement that it is called.
    NoStatement,
    /// There is an image.
    HasImage,
    /// The registry could not be asked.
    Failed(Outcome),
}

/// Looks at layers that are said to be statements.
pub(super) async fn look(ground: &Ground, candidate: &Candidate<'_>, layers: &[Descriptor]) -> Looked {
    let all = layers.iter().fold(0_u64, |sum, layer| sum.saturating_add(layer.size));
    if all > STATEMENT_BYTES {
        return Looked::NoStatement;
    }
    for layer in layers {
        match read(ground, candidate, "blobs", layer, &mut Text::default()).await {
            Ok(true) => {}
            Ok(false) => return Looked::NoStatement,
            Err(outcome) => return Looked::Failed(outcome),
        }
    }
    Looked::Inert
}

/// Looks at the manifests of an index that is said to list artifacts alone.
pub(super) async fn look_below(ground: &Ground, candidate: &Candidate<'_>, children: &[Descriptor]) -> Looked {
    if children.len() > MOST_CHILDREN || children.iter().any(|child| child.size > MANIFEST_BYTES) {
        return Looked::HasImage;
    }
    for child in children {
        let mut bytes = Kept::default();
        if let Err(outcome) = read(ground, candidate, "manifests", child, &mut bytes).await {
            return Looked::Failed(outcome);
        }
        let looked = match manifest::read(&child.media_type, &bytes.0, &ground.gate.pass_types, &ground.config.limits) {
            Ok(Content::Inert) => Looked::Inert,
            Ok(Content::Statements(layers)) => look(ground, candidate, &layers).await,
            // the verdict on the index tells what is wrong with them
            Ok(Content::Judged | Content::Artifacts(_)) | Err(_) => Looked::HasImage,
        };
        if !matches!(looked, Looked::Inert) {
            return looked;
        }
    }
    Looked::Inert
}

/// What is done with the bytes of a blob as they come.
trait Sink {
    /// Takes some; false when nothing more need be read.
    fn take(&mut self, bytes: &[u8]) -> bool;
}

/// Whether all of it is text that begins as a JSON object or list does.
#[derive(Default)]
struct Text {
    has_begun: bool,
}

impl Sink for Text {
    fn take(&mut self, bytes: &[u8]) -> bool {
        let is_space = |byte: u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
        if !self.has_begun
            && let Some(first) = bytes.iter().find(|byte| !is_space(**byte))
        {
            if !matches!(first, b'{' | b'[') {
                return false;
            }
            self.has_begun = true;
        }
        bytes.iter().all(|byte| *byte >= 0x20 || is_space(*byte))
    }
}

/// All of it.
#[derive(Default)]
struct Kept(Vec<u8>);

impl Sink for Kept {
    fn take(&mut self, bytes: &[u8]) -> bool {
        self.0.extend_from_slice(bytes);
        true
    }
}

/// Reads what a descriptor names with the caller's rights, checked by its size and digest; whether the sink took all of it.
async fn read(
    ground: &Ground,
    candidate: &Candidate<'_>,
    what: &str,
    descriptor: &Descriptor,
    sink: &mut (impl Sink + Send),
) -> Result<bool, Outcome> {
    let path = format!("/v2/{}/{what}/{}", candidate.name, descriptor.digest);
    let answer = fetched(ground, candidate, &path, descriptor).await.map_err(|failure| unavailable(&failure.to_string()))?;
    match answer.status() {
        StatusCode::OK => {}
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND => {
            let reason = format!("the registry answers {} for {}", answer.status().as_u16(), descriptor.digest);
            return Err(Outcome::Refused { reason });
        }
        status => return Err(unavailable(&format!("the registry answers {}", status.as_u16()))),
    }
    let (mut hasher, mut left) = (Hasher::new(descriptor.digest.0.algorithm()), descriptor.size);
    let mut body = answer.into_body();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| unavailable("a blob breaks off"))?;
        let Ok(bytes) = frame.into_data() else { continue };
        let is_short = u64::try_from(bytes.len()).is_ok_and(|length| length <= left);
        if !is_short {
            return Err(unavailable("a blob is longer than its descriptor says"));
        }
        left = left.saturating_sub(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        hasher.update(&bytes);
        if !sink.take(&bytes) {
            return Ok(false);
        }
    }
    if left == 0 && hasher.digest() == descriptor.digest.0 {
        Ok(true)
    } else {
        Err(unavailable("a blob is not what its descriptor says"))
    }
}

fn unavailable(reason: &str) -> Outcome {
    Outcome::Unavailable { reason: reason.to_owned(), retry_after: None }
}

/// Asks for a path, and goes where the registry sends us, without the caller's rights once it is elsewhere.
async fn fetched(
    ground: &Ground,
    candidate: &Candidate<'_>,
    path: &str,
    descriptor: &Descriptor,
) -> Result<Response<Incoming>, Failure> {
    let mut uri = address(&format!("{}{path}", ground.upstream.url))?;
    let is_https = uri.scheme_str() == Some("https");
    for _ in 0..=MOST_HOPS {
        let mut request = Request::new(Body::empty());
        *request.method_mut() = Method::GET;
        let is_own = uri.authority().is_some_and(|authority| authority.as_str() == ground.upstream.authority);
        if is_own {
            for name in [AUTHORIZATION, HeaderName::from_static("x-forwarded-proto"), HeaderName::from_static("x-forwarded-host")]
            {
                if let Some(value) = candidate.headers.get(&name) {
                    request.headers_mut().insert(name, value.clone());
                }
            }
            if let Ok(host) = HeaderValue::from_str(&ground.upstream.authority) {
                request.headers_mut().insert(HOST, host);
            }
        }
        let accepted = HeaderValue::from_str(&descriptor.media_type).unwrap_or(HeaderValue::from_static("*/*"));
        request.headers_mut().insert(ACCEPT, accepted);
        *request.uri_mut() = uri.clone();
        let answer = ground.upstream.send(request, &Pace::new(), Some(candidate.deadline)).await?;
        if !answer.status().is_redirection() {
            return Ok(answer);
        }
        let location = answer.headers().get(LOCATION).and_then(|location| location.to_str().ok()).unwrap_or_default();
        let next = if location.starts_with('/') && !location.starts_with("//") {
            format!("{}://{}{location}", uri.scheme_str().unwrap_or_default(), uri.authority().map_or("", |name| name.as_str()))
        } else {
            location.to_owned()
        };
        uri = address(&next)?;
        if is_https && uri.scheme_str() != Some("https") {
            return Err(Failure::Broken("the registry sends us where there is no TLS".to_owned()));
        }
    }
    Err(Failure::Broken("the registry sends us elsewhere again and again".to_owned()))
}

fn address(text: &str) -> Result<Uri, Failure> {
    let uri: Option<Uri> = text.parse().ok();
    let has_host = |uri: &Uri| uri.authority().is_some_and(|authority| !authority.as_str().contains('@'));
    let is_web = |uri: &Uri| matches!(uri.scheme_str(), Some("http" | "https"));
    uri.filter(|uri| has_host(uri) && is_web(uri)).ok_or_else(|| Failure::Broken("no such address".to_owned()))
}

enum Hasher {
    Sha256(Sha256),
    Sha512(Box<Sha512>),
}

impl Hasher {
    fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Sha256 => Self::Sha256(Sha256::new()),
            Algorithm::Sha512 => Self::Sha512(Box::new(Sha512::new())),
        }
    }

    fn update(&mut self, bytes: &Bytes) {
        match self {
            Self::Sha256(hasher) => hasher.update(bytes),
            Self::Sha512(hasher) => hasher.update(bytes),
        }
    }

    fn digest(self) -> Digest {
        match self {
            Self::Sha256(hasher) => Digest::of_bytes(Algorithm::Sha256, &hasher.finalize()),
            Self::Sha512(hasher) => Digest::of_bytes(Algorithm::Sha512, &hasher.finalize()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_text_that_begins_as_json_does() {
        let all = |parts: &[&[u8]]| {
            let mut text = Text::default();
            parts.iter().all(|part| text.take(part))
        };
        assert!(all(&[b" \n", b"{\"a\":", b"\t1}\r\n"]) && all(&[b"[]"]) && all(&["{\"é\": 1}".as_bytes()]));
        assert!(!all(&[b"\x1f\x8b"]) && !all(&[b"BZh91AY"]) && !all(&[b"\x28\xb5\x2f\xfd"]) && !all(&[b"bin/sh\0"]));
        assert!(!all(&[b"{\"name\":\"", b"bin/sh\0\0"]) && !all(&[b" ", b"x{"]));
    }

    #[test]
    fn addresses_are_those_of_the_web_without_a_user() {
        assert!(address("https://store.example/x?y").is_ok());
        for bad in ["", "/x", "ftp://a/", "file:///x", "https://u:p@store.example/", "//store.example/x"] {
            assert!(address(bad).is_err(), "{bad}");
        }
    }
}
