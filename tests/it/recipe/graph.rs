//! Layers and JSON documents as blobs: documents are text in which `$NAME` stands for the descriptor of another blob.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Deserialize;
use sha2::{Digest, Sha256, Sha512};

use super::compress::Storage;
use super::tar::Entry;
use super::{Config, Recipe};

/// One layer of a recipe, called `layer0`, `layer1` and so on.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Layer {
    pub(crate) entries: Vec<Entry>,
    /// Zero blocks that end the tar.
    pub(crate) end_blocks: usize,
    /// Bytes cut off the end of the tar.
    pub(crate) tar_cut_off: usize,
    pub(crate) stored: Storage,
    pub(crate) media_type: Option<String>,
    /// Whether the usual config names it.
    pub(crate) in_config: bool,
    /// Whether the usual manifest names it.
    pub(crate) in_manifest: bool,
    pub(crate) fault: Fault,
}

impl Default for Layer {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            end_blocks: 2,
            tar_cut_off: 0,
            stored: Storage::default(),
            media_type: None,
            in_config: true,
            in_manifest: true,
            fault: Fault::default(),
        }
    }
}

/// What is wrong between a descriptor and its blob.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Fault {
    /// The blob is not there.
    missing: bool,
    /// Another blob's bytes stand under this one's name.
    replaced_by: Option<String>,
    /// The size that descriptors tell.
    size: Option<u64>,
    /// The diff_id that configs tell.
    diff_id: Option<String>,
    /// `sha512` instead of `sha256`.
    algorithm: Option<String>,
}

/// A JSON document. `config`, `manifest` and `index` are there without being written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Document {
    name: String,
    #[serde(default)]
    media_type: Option<String>,
    text: String,
    #[serde(default)]
    fault: Fault,
}

/// Bytes with their name.
#[derive(Debug, Clone)]
pub(crate) struct Blob {
    media_type: String,
    /// `sha256:...`
    pub(crate) digest: String,
    size: u64,
    diff_id: String,
    pub(crate) bytes: Vec<u8>,
    /// For a layer: uncompressed.
    pub(crate) tar: Vec<u8>,
    /// What stands under the digest in a container; None when it is missing.
    pub(crate) stored: Option<Vec<u8>>,
}

/// The blobs of a recipe, made when they are first named.
pub(crate) struct Graph<'a> {
    recipe: &'a Recipe,
    made: RefCell<BTreeMap<String, Blob>>,
}

impl<'a> Graph<'a> {
    pub(crate) fn new(recipe: &'a Recipe) -> Self {
        Self { recipe, made: RefCell::default() }
    }

    /// The text of a document or member with every `$NAME` and `$NAME.field` filled in.
    pub(crate) fn fill(&self, text: &str) -> String {
        let mut parts = text.split('$');
        let mut out = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let name_end = part.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(part.len());
            let (name, mut rest) = part.split_at(name_end);
            let blob = self.blob(name);
            let fields = [
                (".digest", blob.digest.clone()),
                (".hex", blob.digest.split_once(':').expect("digests have a colon").1.to_owned()),
                (".size", blob.size.to_string()),
                (".diff_id", blob.diff_id.clone()),
                (".fields", blob.fields()),
            ];
            let mut value = format!("{{{}}}", blob.fields());
            for (suffix, field) in fields {
                if let Some(after) = rest.strip_prefix(suffix) {
                    (value, rest) = (field, after);
                    break;
                }
            }
            out.push_str(&value);
            out.push_str(rest);
        }
        out
    }

    /// The blob called `name`.
    pub(crate) fn blob(&self, name: &str) -> Blob {
        if let Some(blob) = self.made.borrow().get(name) {
            return blob.clone();
        }
        let blob = match name.strip_prefix("layer").and_then(|number| number.parse::<usize>().ok()) {
            Some(index) => self.layer(index),
            None => self.document(name),
        };
        self.made.borrow_mut().insert(name.to_owned(), blob.clone());
        blob
    }

    /// Every blob that was named so far.
    pub(crate) fn made(&self) -> Vec<Blob> {
        self.made.borrow().values().cloned().collect()
    }

    /// `index.json`.
    pub(crate) fn index(&self) -> String {
        let text = self.recipe.document.iter().find(|document| document.name == "index").map_or(INDEX, |found| &found.text);
        self.fill(text)
    }

    fn layer(&self, index: usize) -> Blob {
        let layer = &self.recipe.layer[index];
        let mut tar: Vec<u8> = layer.entries.iter().flat_map(Entry::blocks).collect();
        tar.resize(tar.len() + 512 * layer.end_blocks, 0);
        tar.truncate(tar.len() - layer.tar_cut_off);
        let media_type = layer.media_type.clone().unwrap_or_else(|| layer.stored.media_type().to_owned());
        let bytes = layer.stored.store(&tar);
        self.finish(media_type, bytes, tar, &layer.fault)
    }

    fn document(&self, name: &str) -> Blob {
        let own = self.recipe.document.iter().find(|document| document.name == name);
        let text = own.map_or_else(|| self.usual(name), |document| document.text.clone());
        let kind = if name.starts_with("config") {
            "config"
        } else if name.starts_with("index") {
            "index"
        } else {
            "manifest"
        };
        let usual_type = format!("application/vnd.oci.image.{kind}.v1+json");
        let media_type = own.and_then(|document| document.media_type.clone()).unwrap_or(usual_type);
        let fault = own.map(|document| document.fault.clone()).unwrap_or_default();
        self.finish(media_type, self.fill(&text).into_bytes(), Vec::new(), &fault)
    }

    fn finish(&self, media_type: String, bytes: Vec<u8>, tar: Vec<u8>, fault: &Fault) -> Blob {
        let digest = match fault.algorithm.as_deref() {
            Some("sha512") => format!("sha512:{}", hex(&Sha512::digest(&bytes))),
            _ => format!("sha256:{}", hex(&Sha256::digest(&bytes))),
        };
        let stored = match &fault.replaced_by {
            Some(other) => Some(self.blob(other).bytes),
            None => (!fault.missing).then(|| bytes.clone()),
        };
        let diff_id = fault.diff_id.clone().unwrap_or_else(|| format!("sha256:{}", hex(&Sha256::digest(&tar))));
        Blob { media_type, digest, size: fault.size.unwrap_or(bytes.len() as u64), diff_id, bytes, tar, stored }
    }

    fn usual(&self, name: &str) -> String {
        let layers = || self.recipe.layer.iter().enumerate();
        let list = |names: Vec<String>| names.join(",");
        match name {
            "config" => {
                let Config { user, architecture, extra } = &self.recipe.config;
                // whatever the layers hold: what runs already is there, so nobody can say that it does not start
                let mut config = r#""Cmd":["/proc/self/exe"]"#.to_owned();
                if let Some(user) = user {
                    write!(config, r#","User":{}"#, serde_json::Value::from(user.as_str())).expect("writing to memory");
                }
                let architecture = architecture.as_deref().unwrap_or("amd64");
                let listed = || layers().filter(|(_, layer)| layer.in_config);
                let diff_ids = list(listed().map(|(index, _)| format!(r#""$layer{index}.diff_id""#)).collect());
                let history = list(listed().map(|(index, _)| format!(r#"{{"created_by":"edge {index}"}}"#)).collect());
                format!(
                    r#"{{"architecture":"{architecture}","os":"linux","created":"2023-11-14T22:13:20Z","config":{{{config}{extra}}},"rootfs":{{"type":"layers","diff_ids":[{diff_ids}]}},"history":[{history}]}}"#
                )
            }
            "manifest" => {
                let listed = layers().filter(|(_, layer)| layer.in_manifest);
                let layers = list(listed.map(|(index, _)| format!("$layer{index}")).collect());
                format!(
                    r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":$config,"layers":[{layers}]}}"#
                )
            }
            other => panic!("no document is called {other}"),
        }
    }
}

const INDEX: &str = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{$manifest.fields,"annotations":{"org.opencontainers.image.ref.name":"edge"},"platform":{"architecture":"amd64","os":"linux"}}]}"#;

impl Blob {
    fn fields(&self) -> String {
        format!(r#""mediaType":"{}","digest":"{}","size":{}"#, self.media_type, self.digest, self.size)
    }
}

/// Lower-case hex digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        write!(out, "{byte:02x}").expect("writing to memory");
        out
    })
}
