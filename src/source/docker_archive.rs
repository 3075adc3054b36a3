//! `manifest.json`: docker save of every age, podman, kaniko, ko, crane, jib, nix, BuildKit; alone, or beside an `index.json`.

use super::candidate::{Candidate, empty_record};
use super::members::{Members, read_all};
use super::oci_graph::Walked;
use super::oci_image::diff_ids_count;
use super::verified::{bounds, digest_of, json_error, wrong};
use super::{BlobId, Error, ImageRecord, LayerRecord, Request};
use crate::limits::Limits;
use crate::oci::document::{self, DockerManifest};
use crate::oci::{Algorithm, BlobDigest, Code, Place, Remark, escape_text};

const DOCUMENT: &str = "manifest.json";

/// Reads `manifest.json`; an image that it lists twice counts once.
pub(super) fn manifests(members: &dyn Members, limits: &Limits) -> Result<Vec<DockerManifest>, Error> {
    let missing = || wrong(Code::NotAnImage, DOCUMENT, "there is no manifest.json".into());
    let found = members.find(DOCUMENT)?.ok_or_else(missing)?;
    let bytes = read_all(members, &found, Limits::document_bytes, limits)?;
    let listed = document::docker_manifests(&bytes, bounds(limits)).map_err(|error| json_error(DOCUMENT, error, limits))?;
    limits.index_manifests(u64::try_from(listed.len()).unwrap_or(u64::MAX))?;
    let mut images: Vec<DockerManifest> = Vec::new();
    for image in listed {
        match images.iter_mut().find(|other| other.config == image.config && other.layers == image.layers) {
            Some(other) => other.repo_tags.extend(image.repo_tags),
            None => images.push(image),
        }
    }
    if images.is_empty() {
        let found = "a manifest.json that lists no image".into();
        return Err(Error::NotAnImage { place: Place::document(DOCUMENT), found, advice: String::new() });
    }
    Ok(images)
}

/// Several images need a name.
pub(super) fn check_one(images: &[DockerManifest], request: &Request) -> Result<(), Error> {
    if images.len() < 2 || request.image.is_some() {
        return Ok(());
    }
    let name = |image: &DockerManifest| match image.repo_tags.first() {
        Some(tag) => escape_text(tag),
        None => escape_text(&digest_in_name(&image.config).map_or_else(|| image.config.clone(), |digest| digest.to_string())),
    };
    let mut choices: Vec<String> = images.iter().map(name).collect();
    choices.sort();
    Err(Error::Choice {
        code: Code::ArchiveSeveralImages,
        detail: format!("the archive holds {} images", images.len()),
        option: "--image",
        choices,
    })
}

/// The images of an archive that has no `index.json`.
pub(super) fn candidates(members: &dyn Members, images: Vec<DockerManifest>, limits: &Limits) -> Vec<Candidate> {
    let candidate = |(group, image): (usize, DockerManifest)| {
        let mut record = empty_record();
        if let Err(error) = fill(members, &image, &mut record, limits) {
            record.errors.push(error);
        }
        let digests = record.config_digest.iter().cloned().collect();
        // each image of manifest.json stands for itself: `index` keeps equal platforms apart
        Candidate { record, names: image.repo_tags, digests, group, index: group, os_version: None }
    };
    images.into_iter().enumerate().map(candidate).collect()
}

/// Reads the config that `manifest.json` names: its digest and bytes.
fn config(members: &dyn Members, image: &DockerManifest, limits: &Limits) -> Result<(BlobDigest, Vec<u8>), Error> {
    let Some(found) = members.find(&image.config)? else {
        let detail = format!("the config \"{}\" is not in the archive", escape_text(&image.config));
        return Err(wrong(Code::BlobMissing, "config", detail));
    };
    let bytes = read_all(members, &found, Limits::document_bytes, limits)?;
    Ok((digest_of(Algorithm::Sha256, &bytes), bytes))
}

/// The digest that a config's name claims: `<hex>.json`, `sha256:<hex>`, `blobs/sha256/<hex>`, `<hex>`.
fn digest_in_name(name: &str) -> Option<BlobDigest> {
    let last = name.rsplit('/').next().unwrap_or(name);
    let hex = last.strip_suffix(".json").unwrap_or(last);
    let hex = hex.strip_prefix("sha256:").unwrap_or(hex);
    format!("sha256:{hex}").parse().ok()
}

fn fill(members: &dyn Members, image: &DockerManifest, record: &mut ImageRecord, limits: &Limits) -> Result<(), Error> {
    limits.layers(u64::try_from(image.layers.len()).unwrap_or(u64::MAX))?;
    let (digest, bytes) = config(members, image, limits)?;
    if let Some(claimed) = digest_in_name(&image.config).filter(|claimed| *claimed != digest) {
        let detail = format!("it is called {claimed} and is {digest}");
        record.remarks.push(Remark::on(Code::ConfigNameMismatch, "config", detail));
    }
    record.config_digest = Some(digest);
    let decoded = document::config(&bytes, bounds(limits)).map_err(|error| json_error("config", error, limits))?;
    let diff_ids = decoded.diff_ids.clone();
    record.config = Some(decoded);
    if diff_ids.len() != image.layers.len() {
        return Err(diff_ids_count(diff_ids.len(), image.layers.len()));
    }
    for (index, (name, diff_id)) in image.layers.iter().zip(diff_ids).enumerate() {
        let blob = layer(members, name, index, record);
        record.layers.push(LayerRecord { blob, media_type: String::new(), digest: None, size: None, diff_id });
    }
    Ok(())
}

fn layer(members: &dyn Members, name: &str, index: usize, record: &mut ImageRecord) -> Option<BlobId> {
    let error = match members.find(name) {
        Ok(Some(found)) => return Some(found.id),
        Ok(None) => Error::Graph {
            code: Code::BlobMissing,
            place: Place::document(DOCUMENT).in_layer(index),
            detail: format!("layer {index}, \"{}\", is not in the archive", escape_text(name)),
        },
        Err(error) => error,
    };
    record.errors.push(error);
    None
}

/// An archive with both views: they must name the same images, since Docker loads the one and containerd the other.
/// Gives the images of the index the names of `manifest.json`.
pub(super) fn reconcile(
    members: &dyn Members,
    images: &[DockerManifest],
    walked: &mut Walked,
    limits: &Limits,
) -> Result<(), Error> {
    let mut agreed: Vec<usize> = Vec::new();
    for image in images {
        let (digest, _) = config(members, image, limits)?;
        let layers = image.layers.iter().map(|name| members.find(name)).collect::<Result<Vec<_>, _>>()?;
        let layers: Vec<Option<BlobId>> = layers.into_iter().map(|found| found.map(|found| found.id)).collect();
        let is_same = |candidate: &&Candidate| {
            candidate.record.config_digest.as_ref() == Some(&digest)
                && (!candidate.record.errors.is_empty()
                    || candidate.record.layers.iter().map(|layer| &layer.blob).eq(layers.iter()))
        };
        match walked.candidates.iter().find(is_same) {
            Some(candidate) => {
                let group = candidate.group;
                agreed.push(group);
                for candidate in walked.candidates.iter_mut().filter(|candidate| candidate.group == group) {
                    candidate.names.extend(image.repo_tags.iter().cloned());
                    candidate.names.dedup();
                }
            }
            // an image of the index that cannot be read is no verdict already, and says why
            None if walked.candidates.iter().any(|candidate| candidate.record.config_digest.is_none()) => return Ok(()),
            None => {
                let detail =
                    format!("manifest.json names an image with the config {digest}, index.json does not, or with other layers");
                return Err(wrong(Code::ArchiveAmbiguous, DOCUMENT, detail));
            }
        }
    }
    let other = walked.candidates.iter().find(|candidate| !agreed.contains(&candidate.group));
    match other.map(|candidate| &candidate.record) {
        Some(record) if record.config_digest.is_some() => {
            let digest = record.manifest_digest.as_ref().map(ToString::to_string).unwrap_or_default();
            let detail = format!("index.json names the image {digest}, manifest.json does not");
            Err(wrong(Code::ArchiveAmbiguous, "index.json", detail))
        }
        _ => Ok(()),
    }
}
