//! One image manifest and its config: everything that can be verified without reading the layers.

use super::candidate::empty_record;
use super::members::Members;
use super::verified::{self, json_error, wrong};
use super::{Error, ImageRecord, LayerRecord};
use crate::limits::Limits;
use crate::oci::document::{self, Descriptor, Graph};
use crate::oci::{Code, Place, Remark, escape_text};

/// image-spec manifest.
pub(super) const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// Docker's schema 2.
pub(super) const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";

/// How a layer's media type is dealt with.
enum LayerType {
    Layer { is_docker: bool },
    Nondistributable { is_docker: bool },
    Unreadable(&'static str),
}

fn layer_type(media_type: &str) -> LayerType {
    match media_type {
        "application/vnd.oci.image.layer.v1.tar"
        | "application/vnd.oci.image.layer.v1.tar+gzip"
        | "application/vnd.oci.image.layer.v1.tar+zstd" => LayerType::Layer { is_docker: false },
        "application/vnd.docker.image.rootfs.diff.tar"
        | "application/vnd.docker.image.rootfs.diff.tar.gzip"
        | "application/vnd.docker.image.rootfs.diff.tar.zstd" => LayerType::Layer { is_docker: true },
        "application/vnd.oci.image.layer.nondistributable.v1.tar"
        | "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
        | "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd" => LayerType::Nondistributable { is_docker: false },
        "application/vnd.docker.image.rootfs.foreign.diff.tar" | "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip" => {
            LayerType::Nondistributable { is_docker: true }
        }
        other if other.ends_with("+encrypted") => {
            LayerType::Unreadable("the layer is encrypted; verify the image before it is encrypted")
        }
        other if other.contains(".erofs.") => LayerType::Unreadable("EROFS layers are not read"),
        _ => LayerType::Unreadable("this type of layer is not known"),
    }
}

/// Reads and decodes a manifest or index, and checks that it is what its descriptor says.
pub(super) fn read_graph(members: &dyn Members, descriptor: &Descriptor, what: &str, limits: &Limits) -> Result<Graph, Error> {
    let bytes = verified::read_manifest(members, descriptor, what, limits)?;
    let graph = document::graph(&bytes, verified::bounds(limits)).map_err(|error| json_error(what, error, limits))?;
    check_kind(&graph, what, Some(&descriptor.media_type).filter(|media_type| !media_type.is_empty()))?;
    Ok(graph)
}

/// Refuses a document that can be taken for two kinds (CVE-2021-41190).
pub(super) fn check_kind(graph: &Graph, what: &str, outer: Option<&String>) -> Result<(), Error> {
    let ambiguous = |detail| Err(wrong(Code::ManifestAmbiguous, what, detail));
    let is_manifest = graph.layers.is_some() || graph.config.is_some();
    if graph.manifests.is_some() && (is_manifest || graph.is_schema_1) {
        return ambiguous(format!("the {what} has the fields of a manifest and of an index"));
    }
    if let (Some(inner), Some(outer)) = (&graph.media_type, outer)
        && inner != outer
    {
        let (inner, outer) = (escape_text(inner), escape_text(outer));
        return ambiguous(format!("the {what} calls itself {inner}, its descriptor says {outer}"));
    }
    Ok(())
}

/// Reads the image of a manifest descriptor; what is wrong with it is in the record's errors.
pub(super) fn image(members: &dyn Members, descriptor: &Descriptor, limits: &Limits) -> ImageRecord {
    let mut record = empty_record();
    record.index_platform.clone_from(&descriptor.platform);
    record.manifest_digest = Some(descriptor.digest.clone());
    match read_graph(members, descriptor, "manifest", limits) {
        Ok(graph) => image_of_graph(members, descriptor, graph, &mut record, limits),
        Err(error) => record.errors.push(error),
    }
    record
}

/// The same, of a manifest that has been read.
pub(super) fn image_of_graph(
    members: &dyn Members,
    descriptor: &Descriptor,
    graph: Graph,
    record: &mut ImageRecord,
    limits: &Limits,
) {
    record.annotations.clone_from(&descriptor.annotations);
    record.annotations.extend(graph.annotations.clone());
    if let Err(error) = fill(members, descriptor, graph, record, limits) {
        record.errors.push(error);
    }
}

fn fill(
    members: &dyn Members,
    descriptor: &Descriptor,
    graph: Graph,
    record: &mut ImageRecord,
    limits: &Limits,
) -> Result<(), Error> {
    let Some(config) = graph.config else { return Err(no_config(&graph)) };
    let config = config.map_err(|error| json_error("manifest", error, limits))?;
    if !matches!(config.media_type.as_str(), OCI_CONFIG | DOCKER_CONFIG) {
        let artifact = graph.artifact_type.as_ref().map(|kind| format!(" (artifact of type {})", escape_text(kind)));
        let kind = if config.media_type.is_empty() { "no type".to_owned() } else { escape_text(&config.media_type) };
        return Err(not_an_image(format!(
            "the manifest's config is of type {kind}, not an image config{}",
            artifact.unwrap_or_default()
        )));
    }
    let layers = graph.layers.unwrap_or_default();
    limits.layers(u64::try_from(layers.len()).unwrap_or(u64::MAX))?;
    let layers = layers.into_iter().collect::<Result<Vec<_>, _>>().map_err(|error| json_error("manifest", error, limits))?;
    limits.stored_bytes(layers.iter().fold(0, |sum: u64, layer| sum.saturating_add(layer.size)))?;
    check_mixed(descriptor, &config, &layers, record);

    let bytes = verified::read(members, &config, "config", Limits::document_bytes, limits)?;
    record.config_digest = Some(config.digest.clone());
    let decoded = document::config(&bytes, verified::bounds(limits)).map_err(|error| json_error("config", error, limits))?;
    check_platform(record, &decoded);
    let diff_ids = decoded.diff_ids.clone();
    record.config = Some(decoded);
    if diff_ids.len() != layers.len() {
        return Err(diff_ids_count(diff_ids.len(), layers.len()));
    }
    for (index, (layer, diff_id)) in layers.iter().zip(diff_ids).enumerate() {
        let blob = check_layer(members, layer, index, record, limits);
        record.layers.push(LayerRecord {
            blob,
            media_type: layer.media_type.clone(),
            digest: Some(layer.digest.clone()),
            size: Some(layer.size),
            diff_id,
        });
    }
    Ok(())
}

fn not_an_image(found: String) -> Error {
    Error::NotAnImage { place: Place::document("manifest"), found, advice: String::new() }
}

fn no_config(graph: &Graph) -> Error {
    not_an_image(if graph.is_schema_1 {
        "a manifest of Docker's schema 1, which has no diff_ids and which no runtime takes any more".into()
    } else {
        "the manifest names no config".into()
    })
}

pub(super) fn diff_ids_count(diff_ids: usize, layers: usize) -> Error {
    wrong(Code::DiffIdsCount, "config", format!("the config lists {diff_ids} diff_ids, the manifest {layers} layers"))
}

fn check_mixed(descriptor: &Descriptor, config: &Descriptor, layers: &[Descriptor], record: &mut ImageRecord) {
    let of_layer = |layer: &Descriptor| match layer_type(&layer.media_type) {
        LayerType::Layer { is_docker } | LayerType::Nondistributable { is_docker } => Some(is_docker),
        LayerType::Unreadable(_) => None,
    };
    let of_manifest = (!descriptor.media_type.is_empty()).then_some(descriptor.media_type == DOCKER_MANIFEST);
    let kinds: Vec<bool> =
        layers.iter().map(of_layer).chain([of_manifest, Some(config.media_type == DOCKER_CONFIG)]).flatten().collect();
    if kinds.contains(&true) && kinds.contains(&false) {
        record.remarks.push(Remark::on(Code::MediaTypesMixed, "manifest", String::new()));
    }
}

/// A variant that only one side writes is no contradiction: configs of arm images often leave it out.
fn check_platform(record: &mut ImageRecord, config: &crate::oci::ImageConfig) {
    let Some(index) = &record.index_platform else { return };
    let own = &config.platform;
    let is_variant_same = index.variant.is_none() || own.variant.is_none() || index.variant == own.variant;
    if index.os != own.os || index.architecture != own.architecture || !is_variant_same {
        let detail = format!("the index says {}, the config {}", escape_text(&index.to_string()), escape_text(&own.to_string()));
        record.remarks.push(Remark::on(Code::PlatformMismatch, "index", detail));
    }
}

/// Checks what a layer's descriptor says; Some when its blob is there, of the right size and of a type that is read.
fn check_layer(
    members: &dyn Members,
    layer: &Descriptor,
    index: usize,
    record: &mut ImageRecord,
    limits: &Limits,
) -> Option<super::BlobId> {
    let place = Place::document("manifest").in_layer(index);
    let digest = &layer.digest;
    let mut fail = |code, detail| record.errors.push(Error::Graph { code, place: place.clone(), detail });
    let remark = |code, detail: String| Remark { code, place: place.clone(), detail };
    match layer_type(&layer.media_type) {
        LayerType::Layer { .. } => {}
        LayerType::Nondistributable { .. } => {
            record.remarks.push(remark(Code::LayerNondistributable, escape_text(&layer.media_type)));
        }
        LayerType::Unreadable(reason) => {
            fail(Code::LayerMediaType, format!("layer {index} is of type \"{}\": {reason}", escape_text(&layer.media_type)));
            return None;
        }
    }
    if let Some(kind) = lazy_toc(layer) {
        record.remarks.push(remark(Code::LazyTocUnchecked, kind.to_owned()));
    }
    let mut fail = |code, detail| record.errors.push(Error::Graph { code, place: place.clone(), detail });
    match members.find_blob(layer) {
        Ok(Some(found)) if found.bytes != layer.size => {
            fail(Code::SizeMismatch, format!("layer {index} has {} bytes, its descriptor says {}", found.bytes, layer.size));
            None
        }
        Ok(Some(found)) => {
            if let Err(error) = verified::check_layer_data(members, &found.id, layer, limits) {
                record.errors.push(error);
            }
            Some(found.id)
        }
        Ok(None) => {
            let urls: Vec<String> = layer.urls.iter().take(3).map(|url| escape_text(url)).collect();
            let elsewhere = if urls.is_empty() { String::new() } else { format!("; it is said to be at {}", urls.join(", ")) };
            fail(Code::BlobMissing, format!("layer {index}, {digest}, is not in {}{elsewhere}", members.holder()));
            None
        }
        Err(error) => {
            record.errors.push(error);
            None
        }
    }
}

/// eStargz and zstd:chunked: a lazy puller runs what the table of contents says, not the tar.
fn lazy_toc(layer: &Descriptor) -> Option<&'static str> {
    let keys = [
        ("containerd.io/snapshot/stargz/toc.digest", "eStargz"),
        ("io.github.containers.zstd-chunked.manifest-checksum", "zstd:chunked"),
        ("io.containers.zstd-chunked.manifest-checksum", "zstd:chunked"),
    ];
    keys.iter().find(|(key, _)| layer.annotations.contains_key(*key)).map(|(_, kind)| *kind)
}
