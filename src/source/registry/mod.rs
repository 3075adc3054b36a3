//! Images in registries, over the protocol of the distribution project (OCI distribution-spec 1.1, Docker's Registry v2).
//!
//! Everything that a registry says is hostile: sizes, digests, statuses, addresses. Blobs stream into the layer room and are
//! verified there, by the same digests as those of files.

mod access;
#[cfg(feature = "registry")]
mod auth;
#[cfg(feature = "registry")]
mod blob;
#[cfg(feature = "registry")]
mod challenge;
#[cfg(feature = "registry")]
mod client;
#[cfg(feature = "registry")]
mod credential_program;
#[cfg(feature = "registry")]
mod credentials;
#[cfg(feature = "registry")]
mod failure;
#[cfg(feature = "registry")]
mod reach;
#[cfg(feature = "registry")]
mod repository;
#[cfg(feature = "registry")]
mod retry;
#[cfg(feature = "registry")]
mod url;

pub use access::{Access, AuthFile, Credential, Mirror, Secret};

use super::{Error, Opened, Request};
use crate::limits::Limits;
use crate::oci::Reference;

/// Opens the image that a reference names; `name` is the reference as it was asked for.
#[cfg(feature = "registry")]
pub(super) fn open(reference: &Reference, name: &str, request: &Request, limits: &Limits) -> Result<Opened, Error> {
    use super::{Kind, candidate, oci_graph};
    let client = client::Client::new(&request.access, reference, limits)?;
    let (repository, root) = repository::Repository::open(client, reference, name, limits)?;
    let walked = oci_graph::walk_from(&repository, root, request.platform.as_ref(), limits)?;
    walked.check_any()?;
    let images = candidate::select(walked.candidates, walked.remarks, request)?;
    Ok(Opened { kind: Kind::Registry, name: name.to_owned(), images, members: Box::new(repository) })
}

/// Says that this program was built without what speaks to registries.
#[cfg(not(feature = "registry"))]
pub(super) fn open(_: &Reference, name: &str, _: &Request, _: &Limits) -> Result<Opened, Error> {
    Err(Error::NotAnImage {
        place: crate::oci::Place::document(name),
        found: format!("{name} is in a registry, which this program was built without (feature `registry`)"),
        advice: format!("type `docker save {name} | plimsoll check -`"),
    })
}

/// For the fuzzer: reads what registries and files of credentials say.
#[cfg(feature = "registry")]
pub fn probe(bytes: &[u8]) {
    credentials::probe(bytes);
    failure::said(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        challenge::probe(text);
        drop(url::Url::parse(text));
        drop(text.parse::<Reference>());
    }
}
