//! A repository as what holds an image's documents and blobs, like a folder or an archive: what the reference resolves to is
//! the one entry of an index that is made up, and the rest is found by digest.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::sync::{Arc, Mutex, PoisonError};

use super::Asked;
use super::blob::BlobReader;
use super::client::{Ask, Client, document, header};
use super::failure;
use super::retry::{Failure, retried};
use crate::limits::Limits;
use crate::oci::document::Descriptor;
use crate::oci::{Algorithm, BlobDigest, Code, Reference};
use crate::source::members::{Found, Members};
use crate::source::oci_graph::{MANIFEST_TYPES, REF_NAME};
use crate::source::verified::{digest_of, wrong};
use crate::source::{BlobId, Error};

/// The repository of one reference.
#[derive(Debug)]
pub(super) struct Repository {
    client: Client,
    limits: Limits,
    documents: Mutex<Documents>,
    /// What the descriptors say of blobs; of two that differ the first counts, and the second is then found to be wrong.
    blobs: Mutex<BTreeMap<BlobId, (BlobDigest, u64)>>,
    /// A manifest that was at hand, and need not be in the registry.
    given: Option<(BlobId, Arc<[u8]>)>,
}

/// Manifests that were fetched to see whether they are there, until they are read.
#[derive(Debug, Default)]
struct Documents {
    kept: BTreeMap<BlobId, Vec<u8>>,
    kept_bytes: u64,
}

impl Repository {
    fn new(client: Client, limits: &Limits) -> Self {
        Self { client, limits: limits.clone(), documents: Mutex::default(), blobs: Mutex::default(), given: None }
    }

    /// Resolves the reference, and hands back its repository and what it resolves to.
    pub(super) fn open(client: Client, asked: &Asked, name: &str, limits: &Limits) -> Result<(Self, Descriptor), Error> {
        let mut repository = Self::new(client, limits);
        if let Some(manifest) = &asked.manifest {
            let digest = digest_of(Algorithm::Sha256, &manifest.bytes);
            repository.given = Some((manifest_id(&digest), Arc::clone(&manifest.bytes)));
            return Ok((repository, descriptor(manifest.media_type.clone(), digest, &manifest.bytes, name)));
        }
        let (bytes, descriptor) = retried(limits, || repository.resolve(&asked.reference, name))?;
        repository.keep(manifest_id(&descriptor.digest), bytes);
        Ok((repository, descriptor))
    }

    /// The manifest or index that the reference names.
    pub(super) fn fetched(client: Client, reference: &Reference, limits: &Limits) -> Result<(Vec<u8>, Descriptor), Error> {
        let repository = Self::new(client, limits);
        retried(limits, || repository.resolve(reference, ""))
    }

    /// One manifest and its descriptor, whose digest is that of the bytes that came: the registry's word for it must agree.
    fn resolve(&self, reference: &Reference, name: &str) -> Result<(Vec<u8>, Descriptor), Failure> {
        let asked = reference.digest().map(ToString::to_string);
        let asked = asked.as_deref().or(reference.tag()).unwrap_or("latest");
        let answer = self.client.get(Ask::Manifest(asked)).map_err(Failure::lasting)?;
        let media_type = media_type(header(&answer.headers, "content-type"), &answer.host)?;
        let stated = header(&answer.headers, "docker-content-digest").map(str::to_owned);
        let bytes = document(answer.body, &answer.host, &self.limits)?;
        let algorithm = reference.digest().map_or(Algorithm::Sha256, |digest| digest.0.algorithm());
        let digest = digest_of(algorithm, &bytes);
        let differs = |said: &dyn std::fmt::Display, who: &str| {
            let detail = format!("{who} {said}, and the manifest that {} sends has the digest {digest}", answer.host);
            Failure::lasting(wrong(Code::DigestMismatch, "manifest", detail))
        };
        if let Some(wanted) = reference.digest().filter(|wanted| **wanted != digest) {
            return Err(differs(wanted, "the reference names"));
        }
        if let Some(stated) = stated {
            let stated: BlobDigest = stated.parse().map_err(|error| differs(&error, "its Docker-Content-Digest is wrong:"))?;
            if digest_of(stated.0.algorithm(), &bytes) != stated {
                return Err(differs(&stated, "its Docker-Content-Digest is"));
            }
        }
        let descriptor = descriptor(media_type, digest, &bytes, name);
        Ok((bytes, descriptor))
    }

    fn keep(&self, id: BlobId, bytes: Vec<u8>) {
        let mut documents = self.documents.lock().unwrap_or_else(PoisonError::into_inner);
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let total = documents.kept_bytes.saturating_add(size);
        // what is too much is asked for again when it is read
        if self.limits.archive_kept_bytes(total).is_ok() && !documents.kept.contains_key(&id) {
            documents.kept_bytes = total;
            documents.kept.insert(id, bytes);
        }
    }

    fn given(&self, id: &BlobId) -> Option<&[u8]> {
        self.given.as_ref().filter(|(given, _)| given == id).map(|(_, bytes)| bytes.as_ref())
    }

    fn fetch(&self, digest: &BlobDigest) -> Result<Option<Vec<u8>>, Error> {
        let text = digest.to_string();
        let attempt = || {
            let answer = self.client.get(Ask::Manifest(&text)).map_err(Failure::lasting)?;
            document(answer.body, &answer.host, &self.limits)
        };
        match retried(&self.limits, attempt) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.code() == Code::RegistryNotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// The entry of an index that is made up.
fn descriptor(media_type: String, digest: BlobDigest, bytes: &[u8], name: &str) -> Descriptor {
    Descriptor {
        media_type,
        digest,
        size: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
        urls: Vec::new(),
        annotations: [(REF_NAME.to_owned(), name.to_owned())].into(),
        platform: None,
        os_version: None,
        data: None,
    }
}

/// Whether entries of this type are looked into.
fn is_read(media_type: &str) -> bool {
    media_type.is_empty() || MANIFEST_TYPES.contains(&media_type)
}

fn manifest_id(digest: &BlobDigest) -> BlobId {
    BlobId(format!("manifests/{digest}"))
}

fn blob_id(digest: &BlobDigest) -> BlobId {
    BlobId(format!("blobs/{digest}"))
}

/// The media type of a manifest's answer; empty, so that its fields tell, when a server says nothing of worth.
fn media_type(content_type: Option<&str>, host: &str) -> Result<String, Failure> {
    let kind = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if kind == "text/html" {
        return Err(failure::nonsense(
            host,
            "answers with a web page, not with an image: is there a registry, and no login page before it?",
        ));
    }
    let is_manifest =
        MANIFEST_TYPES.contains(&kind.as_str()) || kind.starts_with("application/vnd.docker.distribution.manifest.v1+");
    Ok(if is_manifest { kind } else { String::new() })
}

impl Members for Repository {
    fn find(&self, _: &str) -> Result<Option<Found>, Error> {
        Ok(None)
    }

    fn find_manifest(&self, descriptor: &Descriptor) -> Result<Option<Found>, Error> {
        let id = manifest_id(&descriptor.digest);
        if !is_read(&descriptor.media_type) {
            // it is refused or passed over by its type
            return Ok(Some(Found { id, bytes: descriptor.size }));
        }
        let kept = if let Some(bytes) = self.given(&id) {
            Some(bytes.len())
        } else {
            let documents = self.documents.lock().unwrap_or_else(PoisonError::into_inner);
            documents.kept.get(&id).map(Vec::len)
        };
        let length = if let Some(length) = kept {
            length
        } else {
            let Some(bytes) = self.fetch(&descriptor.digest)? else { return Ok(None) };
            let length = bytes.len();
            self.keep(id.clone(), bytes);
            length
        };
        Ok(Some(Found { id, bytes: u64::try_from(length).unwrap_or(u64::MAX) }))
    }

    fn find_blob(&self, descriptor: &Descriptor) -> Result<Option<Found>, Error> {
        let id = blob_id(&descriptor.digest);
        let mut blobs = self.blobs.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, bytes) = blobs.entry(id.clone()).or_insert_with(|| (descriptor.digest.clone(), descriptor.size));
        Ok(Some(Found { id, bytes: *bytes }))
    }

    fn open(&self, id: &BlobId) -> Result<Box<dyn Read + Send + '_>, Error> {
        let blob = self.blobs.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned();
        if let Some((digest, size)) = blob {
            return Ok(Box::new(BlobReader::open(&self.client, digest, size)?));
        }
        if let Some(bytes) = self.given(id) {
            return Ok(Box::new(bytes));
        }
        let missing = || Error::Io { what: id.0.clone(), cause: std::io::ErrorKind::NotFound.into() };
        let kept = {
            let mut documents = self.documents.lock().unwrap_or_else(PoisonError::into_inner);
            let kept = documents.kept.remove(id);
            let bytes = kept.as_ref().map_or(0, |bytes| u64::try_from(bytes.len()).unwrap_or(u64::MAX));
            documents.kept_bytes = documents.kept_bytes.saturating_sub(bytes);
            kept
        };
        let bytes = if let Some(bytes) = kept {
            bytes
        } else {
            let digest = id.0.strip_prefix("manifests/").and_then(|digest| digest.parse().ok()).ok_or_else(missing)?;
            self.fetch(&digest)?.ok_or_else(missing)?
        };
        Ok(Box::new(Cursor::new(bytes)))
    }

    fn bytes(&self, id: &BlobId) -> Option<u64> {
        self.blobs.lock().unwrap_or_else(PoisonError::into_inner).get(id).map(|(_, bytes)| *bytes)
    }

    fn sample(&self) -> Vec<String> {
        Vec::new()
    }

    fn holder(&self) -> &'static str {
        "this repository"
    }
}
