//! What a pushed manifest is, by its bytes alone: an image, a list of images, or something that no runtime unpacks.
//!
//! It is told by the media types of its layers and of its config, never by its tag: whoever names the tag is whoever pushes.

use serde_json::Value;

use crate::limits::Limits;
use crate::oci::document::{self, Descriptor, Graph};
use crate::oci::escape_text;
use crate::oci::json::{self, Bounds};

const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
/// Docker's schema 1, signed or not.
const SCHEMA_1: &str = "application/vnd.docker.distribution.manifest.v1+";
const EMPTY_CONFIG: &str = "application/vnd.oci.empty.v1+json";
/// Configs that some runtime takes for an image's or a plugin's: Docker still takes the last four, which old registries made up.
const RUNNABLE: [&str; 7] = [
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.docker.container.image.v1+json",
    "application/vnd.docker.plugin.v1+json",
    "application/octet-stream",
    "application/json",
    "text/html",
    "",
];
/// What layers of images begin with.
const IMAGE_LAYERS: [&str; 2] = ["application/vnd.oci.image.layer.", "application/vnd.docker.image.rootfs."];
/// Signatures and attestations: all of them JSON.
const STATEMENTS: [&str; 3] =
    ["application/vnd.dsse.envelope.v1+json", "application/vnd.in-toto+json", "application/vnd.dev.cosign.simplesigning.v1+json"];
/// Bundles of sigstore have their version in their type.
const BUNDLES: &str = "application/vnd.dev.sigstore.bundle";

/// What becomes of a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Content {
    /// There is something to run: a verdict is asked for.
    Judged,
    /// Nothing in it could be run.
    Inert,
    /// Its layers are said to be statements, but its config is one that runtimes take, and some of them unpack layers whatever
    /// their type says: their bytes must be looked at.
    Statements(Vec<Descriptor>),
    /// An index whose every child is said to be an artifact: they must be looked at.
    Artifacts(Vec<Descriptor>),
}

/// Why a manifest is refused in a profile that enforces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is not one document with one meaning.
    Malformed(String),
    /// It has what cannot be verified.
    Forbidden(String),
}

/// Reads a manifest as it is sent under this `Content-Type`.
pub(super) fn read(kind: &str, bytes: &[u8], pass_types: &[String], limits: &Limits) -> Result<Content, Fault> {
    if kind.to_ascii_lowercase().starts_with(SCHEMA_1) {
        return Err(Fault::Forbidden("a manifest of Docker's schema 1 cannot be verified; push it as an OCI image".into()));
    }
    if ![OCI_MANIFEST, DOCKER_MANIFEST, OCI_INDEX, DOCKER_LIST].contains(&kind) {
        let kind: String = escape_text(kind).chars().take(120).collect();
        return Err(Fault::Forbidden(format!("manifests of type {kind} cannot be verified")));
    }
    let bounds = Bounds { depth: limits.json_depth, members: limits.json_members };
    let graph = document::graph(bytes, bounds).map_err(|error| match error {
        json::Error::TooDeep { .. } | json::Error::TooManyMembers { .. } => Fault::Malformed(error.to_string()),
        error => Fault::Malformed(format!("the manifest is not read alike by all: {error}")),
    })?;
    check_kind(kind, &graph)?;
    if matches!(kind, OCI_INDEX | DOCKER_LIST) { index(bytes, graph) } else { manifest(kind, graph, pass_types) }
}

fn check_kind(kind: &str, graph: &Graph) -> Result<(), Fault> {
    let malformed = |message: &str| Err(Fault::Malformed(message.to_owned()));
    match graph.media_type.as_deref() {
        Some(inside) if inside != kind => {
            return malformed("the Content-Type of the manifest is not its mediaType");
        }
        None if matches!(kind, DOCKER_MANIFEST | DOCKER_LIST) => return malformed("the manifest has no mediaType"),
        Some(_) | None => {}
    }
    if graph.is_schema_1 {
        return malformed("the manifest has fields of Docker's schema 1");
    }
    let is_list = matches!(kind, OCI_INDEX | DOCKER_LIST);
    match (is_list, &graph.manifests, &graph.layers, &graph.config) {
        (true, Some(_), None, None) | (false, None, Some(_), Some(_)) => Ok(()),
        (_, Some(_), Some(_), _) => malformed("the manifest has both layers and manifests"),
        (true, ..) => malformed("an index has manifests, and neither layers nor a config"),
        (false, ..) => malformed("a manifest has layers and a config, and no manifests"),
    }
}

fn index(bytes: &[u8], graph: Graph) -> Result<Content, Fault> {
    let children = descriptors(graph.manifests)?;
    // read strictly already: no key is there twice
    let raw: Value = serde_json::from_slice(bytes).unwrap_or_default();
    let is_artifact = |child: &Value| child.get("artifactType").and_then(Value::as_str).is_some_and(|kind| !kind.is_empty());
    let all = raw.get("manifests").and_then(Value::as_array).is_some_and(|children| children.iter().all(is_artifact));
    Ok(match children {
        children if children.is_empty() => Content::Inert,
        children if all && children.iter().all(|child| child.media_type == OCI_MANIFEST) => Content::Artifacts(children),
        _ => Content::Judged,
    })
}

fn manifest(kind: &str, graph: Graph, pass_types: &[String]) -> Result<Content, Fault> {
    let has_artifact_type = graph.artifact_type.is_some();
    let mut config = descriptors(graph.config.map(|config| vec![config]))?;
    let layers = descriptors(graph.layers)?;
    let config = config.pop().map(|config| essence(&config.media_type)).unwrap_or_default();
    // artifacts are OCI's: not every reader of Docker's manifests looks at the type of the config
    let is_runnable = RUNNABLE.contains(&config.as_str()) || kind == DOCKER_MANIFEST;
    let kinds: Vec<String> = layers.iter().map(|layer| essence(&layer.media_type)).collect();
    let is_image = |kind: &String| IMAGE_LAYERS.iter().any(|start| kind.starts_with(start));
    let is_pass = |kind: &String| {
        let is_known = STATEMENTS.contains(&kind.as_str()) || kind.starts_with(BUNDLES);
        is_known || pass_types.iter().any(|pass| essence(pass) == *kind)
    };
    if !kinds.iter().any(is_image) {
        if !is_runnable && (kinds.iter().all(is_pass) || (has_artifact_type && config == EMPTY_CONFIG)) {
            return Ok(Content::Inert);
        }
        if !kinds.is_empty() && kinds.iter().all(is_pass) {
            return Ok(Content::Statements(layers));
        }
    }
    match kinds.iter().find(|kind| !is_image(kind)) {
        None => Ok(Content::Judged),
        Some(unknown) => {
            let unknown: String = escape_text(unknown).chars().take(120).collect();
            Err(Fault::Forbidden(format!("a layer of type {unknown} cannot be verified; `pass_types` of [gate] may allow it")))
        }
    }
}

/// The descriptors, all of which must be readable, and none of which may be had elsewhere.
fn descriptors(found: Option<Vec<Result<Descriptor, json::Error>>>) -> Result<Vec<Descriptor>, Fault> {
    let found = found.unwrap_or_default().into_iter().collect::<Result<Vec<_>, _>>();
    let found = found.map_err(|error| Fault::Malformed(format!("a descriptor is malformed: {error}")))?;
    if found.iter().any(|one| !one.urls.is_empty()) {
        return Err(Fault::Forbidden("a blob that is to be had from other URLs cannot be verified".to_owned()));
    }
    Ok(found)
}

/// A media type without parameters, in lower case: as the most tolerant reader takes it.
fn essence(kind: &str) -> String {
    kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

#[cfg(test)]
#[path = "manifest_tests.rs"]
mod tests;
