//! The documents of an image, decoded from strictly read JSON: descriptors, manifests, indexes, configs, `manifest.json`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::json::{self, Bounds, Error};
use super::{BlobDigest, Code, DiffId, Healthcheck, History, ImageConfig, Platform, RuntimeConfig, shapes};

/// What a manifest or index says of one blob (image-spec descriptor.md).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Descriptor {
    /// Media type, empty when unset.
    pub media_type: String,
    /// Digest of the blob.
    pub digest: BlobDigest,
    /// Bytes of the blob.
    pub size: u64,
    /// Where else the blob may be had.
    pub urls: Vec<String>,
    /// Annotations.
    pub annotations: BTreeMap<String, String>,
    /// Platform, in an index.
    pub platform: Option<Platform>,
    /// `platform.os.version`: two Windows images may differ by it alone.
    pub os_version: Option<String>,
    /// The blob itself, base64.
    pub data: Option<String>,
}

/// A manifest or an index: which one is told by its fields, and must be told by its media type too.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    /// `mediaType` inside the document.
    pub media_type: Option<String>,
    /// `artifactType`.
    pub artifact_type: Option<String>,
    /// `config`.
    pub config: Option<Result<Descriptor, Error>>,
    /// `layers`; None when absent or null.
    pub layers: Option<Vec<Result<Descriptor, Error>>>,
    /// `manifests`; None when absent or null.
    pub manifests: Option<Vec<Result<Descriptor, Error>>>,
    /// `annotations`.
    pub annotations: BTreeMap<String, String>,
    /// Whether it has the fields of Docker's schema 1.
    pub is_schema_1: bool,
}

/// One image of `manifest.json`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DockerManifest {
    /// Name of the config's member.
    #[serde(default)]
    pub config: String,
    /// Names of the image.
    #[serde(default)]
    pub repo_tags: Vec<String>,
    /// Names of the layers' members, base first.
    #[serde(default)]
    pub layers: Vec<String>,
}

/// Decodes a manifest or an index. A descriptor that is malformed is an error of its own, so that its neighbours can be read.
pub fn graph(bytes: &[u8], bounds: Bounds) -> Result<Graph, Error> {
    let mut value = json::read(bytes, &shapes::GRAPH, bounds)?;
    let mut descriptors = |name: &str| match value.get_mut(name).map(Value::take) {
        Some(Value::Array(values)) => {
            let decode = |(index, value)| descriptor(value, &format!("{name}[{index}]"));
            Some(values.into_iter().enumerate().map(decode).collect::<Vec<_>>())
        }
        _ => None,
    };
    let layers = descriptors("layers");
    let manifests = descriptors("manifests");
    let config = value.get_mut("config").map(Value::take).filter(|config| !config.is_null());
    Ok(Graph {
        media_type: text(&value, "mediaType"),
        artifact_type: text(&value, "artifactType"),
        config: config.map(|config| descriptor(config, "config")),
        layers,
        manifests,
        annotations: annotations(&value),
        is_schema_1: value.get("fsLayers").is_some(),
    })
}

/// Annotations that have a value.
fn annotations(value: &Value) -> BTreeMap<String, String> {
    let fields = value.get("annotations").and_then(Value::as_object);
    let pairs = fields.into_iter().flatten();
    pairs.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect()
}

fn text(value: &Value, name: &str) -> Option<String> {
    value.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// Decodes a descriptor with the image-spec's own type, after the checks that the type does not make.
fn descriptor(mut value: Value, at: &str) -> Result<Descriptor, Error> {
    let digest = value.get("digest").and_then(Value::as_str).unwrap_or_default();
    let digest: BlobDigest = digest.parse().map_err(|error: super::MalformedDigest| Error::Wrong {
        code: Code::DigestMalformed,
        at: format!("{at}.digest"),
        detail: error.to_string(),
    })?;
    let os_version = value.get("platform").and_then(|platform| text(platform, "os.version"));
    let platform = value.get("platform").map(|platform| Platform {
        os: text(platform, "os").unwrap_or_default(),
        architecture: text(platform, "architecture").unwrap_or_default(),
        variant: text(platform, "variant"),
    });
    let annotations = annotations(&value);
    if let Some(fields) = value.as_object_mut() {
        // Go leaves an absent media type empty, the image-spec's type refuses it; platforms are read above, where
        // `os.version` keeps its dot and an empty platform is one too
        fields.entry("mediaType").or_insert_with(|| "".into());
        fields.remove("platform");
        fields.remove("annotations");
    }
    let spec: oci_spec::image::Descriptor =
        serde_json::from_value(value).map_err(|error| Error::malformed(at, super::escape_text(&error.to_string())))?;
    Ok(Descriptor {
        media_type: spec.media_type().to_string(),
        digest,
        size: spec.size(),
        urls: spec.urls().clone().unwrap_or_default(),
        annotations,
        platform,
        os_version,
        data: spec.data().clone(),
    })
}

/// Decodes `oci-layout` to its version.
pub fn layout_version(bytes: &[u8], bounds: Bounds) -> Result<String, Error> {
    let value = json::read(bytes, &shapes::LAYOUT, bounds)?;
    Ok(text(&value, "imageLayoutVersion").unwrap_or_default())
}

/// Decodes `manifest.json`.
pub fn docker_manifests(bytes: &[u8], bounds: Bounds) -> Result<Vec<DockerManifest>, Error> {
    let value = json::read(bytes, &shapes::DOCKER_MANIFEST, bounds)?;
    serde_json::from_value(value).map_err(|error| Error::malformed("", super::escape_text(&error.to_string())))
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawConfig {
    created: Option<String>,
    author: Option<String>,
    architecture: String,
    os: String,
    variant: Option<String>,
    config: RawRuntime,
    rootfs: RawRootfs,
    history: Vec<RawHistory>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawRootfs {
    r#type: Option<String>,
    diff_ids: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawHistory {
    created_by: String,
    empty_layer: bool,
    comment: String,
    author: String,
    created: String,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "PascalCase")]
struct RawRuntime {
    user: String,
    env: Vec<String>,
    entrypoint: Texts,
    cmd: Texts,
    working_dir: String,
    labels: BTreeMap<String, Option<String>>,
    exposed_ports: BTreeMap<String, Value>,
    volumes: BTreeMap<String, Value>,
    stop_signal: Option<String>,
    healthcheck: Option<RawHealthcheck>,
    shell: Texts,
    on_build: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "PascalCase")]
struct RawHealthcheck {
    test: Vec<String>,
    interval: i64,
    timeout: i64,
    start_period: i64,
    retries: i64,
}

/// Docker's `StrSlice`.
#[derive(Deserialize)]
#[serde(untagged)]
enum Texts {
    One(String),
    Many(Vec<String>),
}

impl Default for Texts {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl From<Texts> for Vec<String> {
    fn from(texts: Texts) -> Self {
        match texts {
            Texts::One(text) => vec![text],
            Texts::Many(texts) => texts,
        }
    }
}

/// Decodes an image config.
pub fn config(bytes: &[u8], bounds: Bounds) -> Result<ImageConfig, Error> {
    let value = json::read(bytes, &shapes::CONFIG, bounds)?;
    let raw: RawConfig =
        serde_json::from_value(value).map_err(|error| Error::malformed("", super::escape_text(&error.to_string())))?;
    if let Some(other) = raw.rootfs.r#type.filter(|kind| kind != "layers") {
        let detail = format!("rootfs of type \"{}\" is not made of layers", super::escape_text(&other));
        return Err(Error::Wrong { code: Code::NotAnImage, at: "rootfs.type".into(), detail });
    }
    let diff_id = |(index, text): (usize, String)| {
        text.parse::<DiffId>().map_err(|error| Error::Wrong {
            code: Code::DigestMalformed,
            at: format!("rootfs.diff_ids[{index}]"),
            detail: error.to_string(),
        })
    };
    Ok(ImageConfig {
        platform: Platform { os: raw.os, architecture: raw.architecture, variant: raw.variant.filter(|text| !text.is_empty()) },
        runtime: runtime(raw.config),
        diff_ids: raw.rootfs.diff_ids.into_iter().enumerate().map(diff_id).collect::<Result<_, _>>()?,
        history: raw.history.into_iter().map(history).collect(),
        created: raw.created,
        author: raw.author,
    })
}

fn history(raw: RawHistory) -> History {
    History {
        created_by: raw.created_by,
        empty_layer: raw.empty_layer,
        comment: raw.comment,
        author: raw.author,
        created: raw.created,
    }
}

fn runtime(raw: RawRuntime) -> RuntimeConfig {
    RuntimeConfig {
        user: raw.user,
        env: raw.env,
        entrypoint: raw.entrypoint.into(),
        cmd: raw.cmd.into(),
        working_dir: raw.working_dir,
        labels: raw.labels.into_iter().map(|(name, value)| (name, value.unwrap_or_default())).collect(),
        exposed_ports: raw.exposed_ports.into_keys().collect(),
        volumes: raw.volumes.into_keys().collect(),
        stop_signal: raw.stop_signal.filter(|signal| !signal.is_empty()),
        healthcheck: raw.healthcheck.map(|raw| Healthcheck {
            test: raw.test,
            interval: raw.interval,
            timeout: raw.timeout,
            start_period: raw.start_period,
            retries: raw.retries,
        }),
        shell: raw.shell.into(),
        on_build: raw.on_build,
    }
}

#[cfg(test)]
#[path = "document_tests.rs"]
mod tests;
