//! Where blobs come from: docker-save archives, OCI archives, OCI layouts, standard input, registries. The kind is detected,
//! never asked for.
//!
//! The only room that opens files and connections. It never looks inside a layer: layers are handed on as readers.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]
#![expect(clippy::disallowed_methods, reason = "the room that opens the input")]

mod archive_members;
mod candidate;
mod detect;
mod docker_archive;
mod error;
mod layout;
mod members;
mod oci_graph;
mod oci_image;
pub mod registry;
mod stream;
mod verified;
mod walk;

pub use error::Error;

use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;

use crate::limits::Limits;
use crate::oci::{Algorithm, BlobDigest, DiffId, ImageConfig, Platform, Remark};

/// What the user asked for.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// A file, a folder, `-` for standard input, or the complete reference of an image in a registry. What exists as a file
    /// is never taken for a reference.
    pub input: PathBuf,
    /// One of several images: a tag, a full reference, a manifest or config digest, or the start of one.
    pub image: Option<String>,
    /// Platforms of an index: of each the image that fits best; empty: all images.
    pub platforms: Vec<Platform>,
    /// Whether `platforms` chooses among the entries of indexes only: an image that was named itself is then taken whatever it is for.
    pub takes_any_single: bool,
    /// How registries may be reached, and as whom.
    pub access: registry::Access,
    /// An image in a registry, whatever files there are; `input` is then no more than what reports call it.
    pub in_registry: Option<registry::Asked>,
}

impl Request {
    /// What reports call the input: a reference as it was asked for, a file or folder without its folder, or `-`; escaped.
    #[must_use]
    pub fn name(&self) -> String {
        detect::name(&self.input)
    }
}

/// The container that was detected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `manifest.json` (docker save, podman save, kaniko, jib, nix, BuildKit `type=docker`).
    DockerArchive,
    /// An OCI layout in a tar.
    OciArchive,
    /// An OCI layout folder.
    OciLayout,
    /// A repository in a registry.
    Registry,
}

impl Kind {
    /// The name in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DockerArchive => "docker-archive",
            Self::OciArchive => "oci-archive",
            Self::OciLayout => "oci-layout",
            Self::Registry => "registry",
        }
    }
}

/// Names a blob within its source; compares equal exactly when the bytes are those of one stored blob.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobId(pub String);

/// A layer as the manifest and the config name it.
#[derive(Debug, Clone)]
pub struct LayerRecord {
    /// Where its bytes are; None when the blob is not there (then `ImageRecord::errors` says so).
    pub blob: Option<BlobId>,
    /// The descriptor's media type, empty for archives without one.
    pub media_type: String,
    /// The descriptor's digest; None for archives without descriptors.
    pub digest: Option<BlobDigest>,
    /// The descriptor's size in bytes; None for archives without descriptors.
    pub size: Option<u64>,
    /// The config's diff_id.
    pub diff_id: DiffId,
}

/// One image manifest of the source that was selected, as far as it could be read without its layers.
#[derive(Debug)]
pub struct ImageRecord {
    /// Name as asked or annotated.
    pub reference: Option<String>,
    /// The index descriptor's platform, when there is one.
    pub index_platform: Option<Platform>,
    /// None for archives without one.
    pub manifest_digest: Option<BlobDigest>,
    /// Annotations of the manifest and of the index's entry for it; of one that both have, the manifest's value.
    pub annotations: BTreeMap<String, String>,
    /// Digest of the config blob; None when the config could not be read.
    pub config_digest: Option<BlobDigest>,
    /// None when it could not be read: then `errors` says why.
    pub config: Option<ImageConfig>,
    /// Layers, base first; empty when manifest and config disagree on their number.
    pub layers: Vec<LayerRecord>,
    /// Statements that BuildKit attached to this image, raw JSON, verified by digest.
    pub attestations: Vec<Vec<u8>>,
    /// What is remarkable about the graph (tiers fail, flag, info).
    pub remarks: Vec<Remark>,
    /// Why no verdict is possible, as far as known before the layers are read.
    pub errors: Vec<Error>,
}

/// Receives blobs that can be read only once, while an archive streams by.
pub trait BlobVisitor {
    /// A member that may be a layer. The reader may be left unread. `algorithm` is the one that the member's name gives.
    fn visit(&mut self, id: &BlobId, algorithm: Algorithm, reader: &mut (dyn Read + Send));
}

/// An opened source: the images asked for, and their layers' bytes.
pub trait Source: Send + Sync {
    /// The container.
    fn kind(&self) -> Kind;
    /// The input's file or folder name, without its folder; `-` for standard input; a reference as it was asked for.
    fn name(&self) -> &str;
    /// The images selected, in the order of the index; never empty.
    fn images(&self) -> &[ImageRecord];
    /// A reader of the stored bytes of a blob from its first byte. Err for a blob that streamed by and is gone.
    fn open_blob(&self, id: &BlobId) -> Result<Box<dyn Read + Send + '_>, Error>;
    /// Whether a blob that a descriptor names is, for whoever fetches it, exactly the bytes of that digest: a registry, whose clients
    /// all check it. What is known of such bytes need not be fetched again. A file holds whatever somebody wrote into it.
    fn is_content_addressed(&self) -> bool {
        false
    }
    /// Stored bytes of a blob, when known.
    fn blob_bytes(&self, id: &BlobId) -> Option<u64>;
}

/// Opens `request.input`, detects its kind and reads its documents. Blobs of inputs that cannot be read twice are handed
/// to `visitor` as they pass.
pub fn open(request: &Request, visitor: &mut dyn BlobVisitor, limits: &Limits) -> Result<Box<dyn Source>, Error> {
    detect::open(request, visitor, limits).map(|opened| Box::new(opened) as Box<dyn Source>)
}

/// An opened source of any kind.
struct Opened {
    kind: Kind,
    name: String,
    images: Vec<ImageRecord>,
    members: Box<dyn members::Members>,
}

impl Source for Opened {
    fn kind(&self) -> Kind {
        self.kind
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn images(&self) -> &[ImageRecord] {
        &self.images
    }

    fn open_blob(&self, id: &BlobId) -> Result<Box<dyn Read + Send + '_>, Error> {
        self.members.open(id)
    }

    fn is_content_addressed(&self) -> bool {
        self.kind == Kind::Registry
    }

    fn blob_bytes(&self, id: &BlobId) -> Option<u64> {
        self.members.bytes(id)
    }
}

#[cfg(test)]
mod tests;
