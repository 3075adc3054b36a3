//! What a request is for, by its method and path. There is one reading of a path: it is decoded once, parsed strictly, and what is
//! forwarded is written anew from what was parsed.

use std::fmt;
use std::str::FromStr as _;

use axum::http::{Method, Uri};

use super::answer::Refusal;
use crate::oci::{Digest, is_repository, is_tag};

/// Longest id of an upload.
const UPLOAD_BYTES: usize = 1024;
/// Longest query.
const QUERY_BYTES: usize = 16 * 1024;
/// Tags of one push.
const MOST_TAGS: usize = 100;

/// What is asked for, of the distribution-spec's endpoints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// `/v2/`
    Base,
    /// `/v2/_catalog`
    Catalog,
    /// `/v2/<name>/tags/list`
    Tags(String),
    /// `/v2/<name>/manifests/<reference>`
    Manifest(String, Reference),
    /// `/v2/<name>/blobs/<digest>`
    Blob(String, String),
    /// `/v2/<name>/blobs/uploads/`
    Uploads(String),
    /// `/v2/<name>/blobs/uploads/<id>`; some registries write `upload`.
    Upload(String, &'static str, String),
    /// `/v2/<name>/referrers/<digest>`
    Referrers(String, String),
}

/// What names a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reference {
    /// A tag.
    Tag(String),
    /// A digest of an algorithm that can be verified here.
    Digest(Digest),
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => f.write_str(tag),
            Self::Digest(digest) => fmt::Display::fmt(digest, f),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Base => f.write_str("/v2/"),
            Self::Catalog => f.write_str("/v2/_catalog"),
            Self::Tags(name) => write!(f, "/v2/{name}/tags/list"),
            Self::Manifest(name, reference) => write!(f, "/v2/{name}/manifests/{reference}"),
            Self::Blob(name, digest) => write!(f, "/v2/{name}/blobs/{digest}"),
            Self::Uploads(name) => write!(f, "/v2/{name}/blobs/uploads/"),
            Self::Upload(name, word, id) => write!(f, "/v2/{name}/blobs/{word}/{id}"),
            Self::Referrers(name, digest) => write!(f, "/v2/{name}/referrers/{digest}"),
        }
    }
}

impl Target {
    /// Reads a path as it stands in the request line.
    pub(super) fn parse(path: &str) -> Result<Self, Refusal> {
        if path == "/v2" || path == "/v2/" {
            return Ok(Self::Base);
        }
        let inside = path.strip_prefix("/v2/").ok_or_else(|| Refusal::no_endpoint("only /v2/ is served here"))?;
        let segments = inside.split('/').map(decoded).collect::<Option<Vec<String>>>().ok_or_else(unsafe_path)?;
        let mut parts: Vec<&str> = segments.iter().map(String::as_str).collect();
        // the start of an upload is the one path that ends with a slash; some clients leave it out
        if let [.., "blobs", "uploads", ""] = parts.as_slice() {
            parts.pop();
        }
        match parts.as_slice() {
            ["_catalog"] => Ok(Self::Catalog),
            [name @ .., "tags", "list"] => Ok(Self::Tags(name_of(name)?)),
            [name @ .., "manifests", reference] => Ok(Self::Manifest(name_of(name)?, self::reference(reference)?)),
            [name @ .., "blobs", "uploads"] => Ok(Self::Uploads(name_of(name)?)),
            [name @ .., "blobs", "uploads", id] => Ok(Self::Upload(name_of(name)?, "uploads", upload(id)?)),
            [name @ .., "blobs", "upload", id] => Ok(Self::Upload(name_of(name)?, "upload", upload(id)?)),
            [name @ .., "blobs", digest] => Ok(Self::Blob(name_of(name)?, self::digest(digest)?)),
            [name @ .., "referrers", digest] => Ok(Self::Referrers(name_of(name)?, self::digest(digest)?)),
            _ if parts.iter().any(|part| part.is_empty() || part.starts_with('.')) => Err(unsafe_path()),
            _ => Err(Refusal::no_endpoint("this is no path of the distribution API")),
        }
    }

    /// Whether the API knows this method here.
    pub(super) fn takes(&self, method: &Method) -> bool {
        let reads = matches!(*method, Method::GET | Method::HEAD);
        match self {
            Self::Base | Self::Catalog | Self::Tags(_) | Self::Referrers(..) => reads,
            Self::Manifest(..) => reads || matches!(*method, Method::PUT | Method::DELETE),
            Self::Blob(..) => reads || *method == Method::DELETE,
            Self::Uploads(_) => *method == Method::POST,
            Self::Upload(..) => reads || matches!(*method, Method::PATCH | Method::PUT | Method::DELETE),
        }
    }

    /// Path and query as they are forwarded.
    pub(super) fn with_query(&self, uri: &Uri) -> Result<String, Refusal> {
        match uri.query() {
            None => Ok(self.to_string()),
            Some(query) if query.len() <= QUERY_BYTES => Ok(format!("{self}?{query}")),
            Some(_) => Err(Refusal::malformed("UNSUPPORTED", "the query is too long")),
        }
    }
}

fn unsafe_path() -> Refusal {
    Refusal::malformed("NAME_INVALID", "the path has an encoding, a dot segment or an empty segment that it may not have")
}

/// Decodes once; None for what no path of the API holds. A percent sign that is left, or a slash that comes up, fits no grammar below.
fn decoded(segment: &str) -> Option<String> {
    if !segment.contains('%') {
        return Some(segment.to_owned());
    }
    let mut out = Vec::with_capacity(segment.len());
    let mut bytes = segment.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let digit =
            |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16)).and_then(|digit| u8::try_from(digit).ok());
        let (high, low) = (digit(bytes.next())?, digit(bytes.next())?);
        let value = (high << 4) | low;
        // nothing that separates, ends or escapes may come out of an encoding
        if !value.is_ascii_alphanumeric() && !b"-._~:+=@".contains(&value) {
            return None;
        }
        out.push(value);
    }
    String::from_utf8(out).ok()
}

fn name_of(components: &[&str]) -> Result<String, Refusal> {
    let name = components.join("/");
    // a repository called so could be read as another path by whoever looks from the left
    if !is_repository(&name) || components.contains(&"manifests") {
        return Err(Refusal::malformed("NAME_INVALID", "this is no repository's name"));
    }
    Ok(name)
}

fn reference(text: &str) -> Result<Reference, Refusal> {
    if let Ok(digest) = Digest::from_str(text) {
        return Ok(Reference::Digest(digest));
    }
    if text.contains(':') {
        return Err(Refusal::malformed("DIGEST_INVALID", "sha256 and sha512 digests in lower case are known here"));
    }
    if is_tag(text) { Ok(Reference::Tag(text.to_owned())) } else { Err(Refusal::malformed("TAG_INVALID", "this is no tag")) }
}

fn digest(text: &str) -> Result<String, Refusal> {
    Digest::from_str(text)
        .map(|digest| digest.to_string())
        .map_err(|_| Refusal::malformed("DIGEST_INVALID", "sha256 and sha512 digests in lower case are known here"))
}

fn upload(id: &str) -> Result<String, Refusal> {
    let is_plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~:+=@".contains(&byte));
    if id.is_empty() || id.len() > UPLOAD_BYTES || !is_plain || id.starts_with('.') {
        return Err(Refusal::malformed("BLOB_UPLOAD_INVALID", "this is no upload's id"));
    }
    Ok(id.to_owned())
}

/// The tags that the query of a push adds; anything else that it says is refused, since nobody here knows what it would do.
pub(super) fn tags(uri: &Uri) -> Result<Vec<String>, Refusal> {
    let refused =
        || Refusal::malformed("TAG_INVALID", "the query of a push takes `tag`, each with a tag, and at most 100 of them");
    let mut tags = Vec::new();
    for pair in uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
        match pair.split_once('=') {
            Some(("tag", value)) if is_tag(value) && tags.len() < MOST_TAGS => tags.push(value.to_owned()),
            // containerd names the registry that it means
            Some(("ns", value)) if value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".:-_".contains(&byte)) => {}
            _ => return Err(refused()),
        }
    }
    Ok(tags)
}

#[cfg(test)]
#[path = "path_tests.rs"]
mod tests;
