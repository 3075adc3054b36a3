//! Images made in memory, and what a faithful registry answers about them.

use std::collections::BTreeMap;
use std::io::Write as _;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{Reply, Seen};

pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";

pub(crate) fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold("sha256:".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}

/// What a registry holds: manifests with their types, and blobs, by digest; and what its one tag names.
#[derive(Debug, Clone, Default)]
pub(crate) struct Store {
    pub(crate) manifests: BTreeMap<String, (String, Vec<u8>)>,
    pub(crate) blobs: BTreeMap<String, Vec<u8>>,
    pub(crate) root: String,
}

/// A layer of some files whose content does not compress, as a tar in gzip and its diff_id.
fn layer(name: &str, files: usize, bytes: usize) -> (Vec<u8>, String) {
    let mut tar = tar::Builder::new(Vec::new());
    let mut state = 88_172_645_463_325_252_u64;
    for file in 0..files {
        let mut content = Vec::with_capacity(bytes);
        while content.len() < bytes {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            content.extend_from_slice(&state.to_le_bytes());
        }
        content.truncate(bytes);
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, format!("{name}{file}"), content.as_slice()).unwrap();
    }
    let tar = tar.into_inner().unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&tar).unwrap();
    (gzip.finish().unwrap(), digest(&tar))
}

impl Store {
    /// One image of two layers, the larger of about 400 KB.
    pub(crate) fn image() -> Self {
        Self::salted("")
    }

    /// The same with a word in the names of its files: of another word, nothing is the same but its shape.
    pub(crate) fn salted(salt: &str) -> Self {
        let mut store = Self::default();
        let (large, small) = (format!("app/{salt}a"), format!("app/{salt}b"));
        let manifest = store.add_image("amd64", &[(&large, 4, 100_000), (&small, 2, 50)]);
        manifest["digest"].as_str().unwrap().clone_into(&mut store.root);
        store
    }

    /// An index of these platforms' images and an attestation about the first.
    pub(crate) fn index(architectures: &[&str]) -> Self {
        let mut store = Self::default();
        let mut entries = Vec::new();
        for architecture in architectures {
            let mut entry = store.add_image(architecture, &[(&format!("app/{architecture}"), 1, 100)]);
            entry["platform"] = json!({"os": "linux", "architecture": architecture});
            entries.push(entry);
        }
        let statement =
            store.add_blob(br#"{"_type":"https://in-toto.io/Statement/v0.1","predicateType":"x","subject":[],"predicate":{}}"#);
        let config = store.add_blob(b"{}");
        let attestation = json!({"schemaVersion": 2, "mediaType": MANIFEST,
            "config": described(&config, "application/vnd.oci.image.config.v1+json"),
            "layers": [described(&statement, "application/vnd.in-toto+json")]});
        let mut entry = store.add_manifest(MANIFEST, &attestation);
        entry["platform"] = json!({"os": "unknown", "architecture": "unknown"});
        entry["annotations"] =
            json!({"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": entries[0]["digest"]});
        entries.push(entry);
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries});
        let root = store.add_manifest(INDEX, &index);
        root["digest"].as_str().unwrap().clone_into(&mut store.root);
        store
    }

    fn add_image(&mut self, architecture: &str, layers: &[(&str, usize, usize)]) -> Value {
        let made: Vec<_> = layers.iter().map(|(name, files, bytes)| layer(name, *files, *bytes)).collect();
        let diff_ids: Vec<&String> = made.iter().map(|(_, diff_id)| diff_id).collect();
        let config = json!({"os": "linux", "architecture": architecture, "config": {"User": "1000", "Cmd": ["/proc/self/exe"]},
            "rootfs": {"type": "layers", "diff_ids": diff_ids}});
        let config = self.add_blob(config.to_string().as_bytes());
        let layers: Vec<Value> = made
            .iter()
            .map(|(bytes, _)| described(&self.add_blob(bytes), "application/vnd.oci.image.layer.v1.tar+gzip"))
            .collect();
        let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST,
            "config": described(&config, "application/vnd.oci.image.config.v1+json"), "layers": layers});
        self.add_manifest(MANIFEST, &manifest)
    }

    pub(crate) fn add_manifest(&mut self, kind: &str, manifest: &Value) -> Value {
        let bytes = manifest.to_string().into_bytes();
        let described = described(&(digest(&bytes), bytes.len()), kind);
        self.manifests.insert(digest(&bytes), (kind.to_owned(), bytes));
        described
    }

    fn add_blob(&mut self, bytes: &[u8]) -> (String, usize) {
        self.blobs.insert(digest(bytes), bytes.to_vec());
        (digest(bytes), bytes.len())
    }

    /// The digest of the largest blob.
    pub(crate) fn largest(&self) -> String {
        self.blobs.iter().max_by_key(|(_, bytes)| bytes.len()).unwrap().0.clone()
    }

    /// What a faithful registry answers.
    pub(crate) fn answer(&self, seen: &Seen) -> Reply {
        let path = seen.target.split('?').next().unwrap();
        let last = path.rsplit('/').next().unwrap();
        if seen.is_manifest() {
            let digest = if last.starts_with("sha256:") { last } else { &self.root };
            let Some((kind, bytes)) = self.manifests.get(digest).filter(|_| last != "missing") else {
                return Reply::new(404, r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}"#);
            };
            return Reply::new(200, bytes.clone()).with("Content-Type", kind).with("Docker-Content-Digest", digest);
        }
        let Some(bytes) = self.blobs.get(last) else {
            return Reply::new(404, r#"{"errors":[{"code":"BLOB_UNKNOWN","message":"blob unknown"}]}"#);
        };
        let from = seen.header("range").strip_prefix("bytes=").and_then(|range| range.strip_suffix('-')?.parse::<usize>().ok());
        match from {
            None => Reply::new(200, bytes.clone()),
            Some(from) => {
                let range = format!("bytes {from}-{}/{}", bytes.len() - 1, bytes.len());
                Reply::new(206, &bytes[from..]).with("Content-Range", range)
            }
        }
    }
}

fn described((digest, size): &(String, usize), kind: &str) -> Value {
    json!({"mediaType": kind, "digest": digest, "size": size})
}
