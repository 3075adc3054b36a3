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
mod permits;
#[cfg(feature = "registry")]
mod reach;
#[cfg(feature = "registry")]
mod repository;
#[cfg(feature = "registry")]
mod retry;
#[cfg(feature = "registry")]
mod url;

pub use access::{Access, AuthFile, Credential, Mirror, Networks, Observer, Secret};
#[cfg(feature = "registry")]
pub use reach::Connections;

use std::sync::Arc;

use super::{Error, Opened, Request};
use crate::limits::Limits;
use crate::oci::{BlobDigest, Reference};

/// What is asked of a registry.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The image, or the repository that `manifest` is of.
    pub reference: Reference,
    /// The manifest itself, where it is at hand and perhaps not in the registry yet; what it names is.
    pub manifest: Option<Manifest>,
}

/// A manifest or index as it was sent.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// Its `Content-Type`, without parameters.
    pub media_type: String,
    /// Its bytes, whose digest is its name.
    pub bytes: Arc<[u8]>,
}

/// What a reference names now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The digest of the manifest or index.
    pub digest: BlobDigest,
    /// Compressed bytes of an image's layers, as its manifest says; None for an index.
    pub layer_bytes: Option<u64>,
}

/// Opens the image that is asked for; `name` is what reports call it.
#[cfg(feature = "registry")]
pub(super) fn open(asked: &Asked, name: &str, request: &Request, limits: &Limits) -> Result<Opened, Error> {
    use super::{Kind, candidate, oci_graph};
    let client = client::Client::new(&request.access, &asked.reference, limits)?;
    let (repository, root) = repository::Repository::open(client, asked, name, limits)?;
    let walked = oci_graph::walk_from(&repository, root, &request.platforms, limits)?;
    walked.check_any()?;
    let images = candidate::select(walked.candidates, walked.remarks, request)?;
    Ok(Opened { kind: Kind::Registry, name: name.to_owned(), images, members: Box::new(repository) })
}

/// What a reference names now; one manifest is fetched, and its digest checked.
#[cfg(feature = "registry")]
pub fn resolve(reference: &Reference, access: &Access, limits: &Limits) -> Result<Named, Error> {
    let client = client::Client::new(access, reference, limits)?;
    let (bytes, descriptor) = repository::Repository::fetched(client, reference, limits)?;
    let graph = crate::oci::document::graph(&bytes, super::verified::bounds(limits));
    let layers = graph.ok().and_then(|graph| graph.layers);
    let layer_bytes = layers.map(|layers| layers.iter().flatten().fold(0, |sum: u64, layer| sum.saturating_add(layer.size)));
    Ok(Named { digest: descriptor.digest, layer_bytes })
}

/// Says that this program was built without what speaks to registries.
#[cfg(not(feature = "registry"))]
pub(super) fn open(_: &Asked, name: &str, _: &Request, _: &Limits) -> Result<Opened, Error> {
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
