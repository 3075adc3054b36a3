//! Documents, read whole and checked against what names them: size, digest, embedded data, media type.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256, Sha512};

use super::members::{Found, Members, read_all};
use super::{BlobId, Error};
use crate::limits::{LimitHit, Limits};
use crate::oci::document::Descriptor;
use crate::oci::json::{self, Bounds};
use crate::oci::{Algorithm, BlobDigest, Code, Digest, Place};

/// The digest of `bytes`.
pub(super) fn digest_of(algorithm: Algorithm, bytes: &[u8]) -> BlobDigest {
    BlobDigest(match algorithm {
        Algorithm::Sha256 => Digest::of_bytes(algorithm, &Sha256::digest(bytes)),
        Algorithm::Sha512 => Digest::of_bytes(algorithm, &Sha512::digest(bytes)),
    })
}

/// Where the image layout keeps a blob.
pub(super) fn blob_name(digest: &BlobDigest) -> String {
    format!("blobs/{}/{}", digest.0.algorithm().as_str(), digest.0.hex())
}

/// An error of the graph.
pub(super) fn wrong(code: Code, document: &str, detail: String) -> Error {
    Error::Graph { code, place: Place::document(document), detail }
}

/// Caps on JSON documents.
pub(super) fn bounds(limits: &Limits) -> Bounds {
    Bounds { depth: limits.json_depth, members: limits.json_members }
}

/// The strict reader's error, in `document`.
pub(super) fn json_error(document: &str, error: json::Error, limits: &Limits) -> Error {
    match error {
        json::Error::Wrong { code, at, detail } => {
            let at = if at.is_empty() { String::new() } else { format!(" {at}") };
            wrong(code, document, format!("{document}{at}: {detail}"))
        }
        json::Error::TooDeep { found } => Error::Limit(LimitHit { name: "json-depth", limit: limits.json_depth, found }),
        json::Error::TooManyMembers { found } => {
            Error::Limit(LimitHit { name: "json-members", limit: limits.json_members, found })
        }
    }
}

/// Takes what was found of the blob that a descriptor names, and compares its size.
fn check_found(members: &dyn Members, found: Option<Found>, descriptor: &Descriptor, document: &str) -> Result<Found, Error> {
    let digest = &descriptor.digest;
    let Some(found) = found else {
        let detail = format!("the {document} {digest} is not in {}", members.holder());
        return Err(wrong(Code::BlobMissing, document, detail));
    };
    if found.bytes != descriptor.size {
        let detail = format!("the {document} {digest} has {} bytes, its descriptor says {}", found.bytes, descriptor.size);
        return Err(wrong(Code::SizeMismatch, document, detail));
    }
    Ok(found)
}

/// Reads a blob whole, and verifies it.
pub(super) fn read(
    members: &dyn Members,
    descriptor: &Descriptor,
    document: &str,
    limit: fn(&Limits, u64) -> Result<(), LimitHit>,
    limits: &Limits,
) -> Result<Vec<u8>, Error> {
    read_found(members, members.find_blob(descriptor)?, descriptor, document, limit, limits)
}

/// The same of a manifest or index.
pub(super) fn read_manifest(
    members: &dyn Members,
    descriptor: &Descriptor,
    document: &str,
    limits: &Limits,
) -> Result<Vec<u8>, Error> {
    read_found(members, members.find_manifest(descriptor)?, descriptor, document, Limits::document_bytes, limits)
}

fn read_found(
    members: &dyn Members,
    found: Option<Found>,
    descriptor: &Descriptor,
    document: &str,
    limit: fn(&Limits, u64) -> Result<(), LimitHit>,
    limits: &Limits,
) -> Result<Vec<u8>, Error> {
    let found = check_found(members, found, descriptor, document)?;
    let bytes = read_all(members, &found, limit, limits)?;
    let digest = digest_of(descriptor.digest.0.algorithm(), &bytes);
    if digest != descriptor.digest {
        let detail = format!("the {document} {} has the digest {digest}", descriptor.digest);
        return Err(wrong(Code::DigestMismatch, document, detail));
    }
    check_data(&bytes, descriptor, document)?;
    Ok(bytes)
}

/// Compares a descriptor's embedded data with the blob.
pub(super) fn check_data(bytes: &[u8], descriptor: &Descriptor, document: &str) -> Result<(), Error> {
    match &descriptor.data {
        Some(data) if *data != STANDARD.encode(bytes) => {
            let detail = format!("the data embedded in the descriptor of {} is not that blob", descriptor.digest);
            Err(wrong(Code::DescriptorDataMismatch, document, detail))
        }
        _ => Ok(()),
    }
}

/// Compares the embedded data of a layer with its blob, when a descriptor has any: at most a document's bytes, since the
/// descriptor lies in one.
pub(super) fn check_layer_data(
    members: &dyn Members,
    id: &BlobId,
    descriptor: &Descriptor,
    limits: &Limits,
) -> Result<(), Error> {
    if descriptor.data.is_none() {
        return Ok(());
    }
    let found = Found { id: id.clone(), bytes: descriptor.size };
    let bytes = read_all(members, &found, Limits::document_bytes, limits)?;
    check_data(&bytes, descriptor, "manifest")
}
