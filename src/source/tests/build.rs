//! Small images in any container.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use super::super::verified::{blob_name, digest_of};
use super::super::*;
use crate::oci::Code;

pub(super) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(super) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(super) const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

/// Keeps what is visited.
#[derive(Default)]
pub(super) struct Visits(pub(super) Vec<(String, Algorithm, usize)>);

impl BlobVisitor for Visits {
    fn visit(&mut self, id: &BlobId, algorithm: Algorithm, reader: &mut (dyn Read + Send)) {
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).ok();
        self.0.push((id.0.clone(), algorithm, bytes.len()));
    }
}

/// Files of a layout or archive, by name.
#[derive(Default, Clone)]
pub(super) struct Files(pub(super) BTreeMap<String, Vec<u8>>);

impl Files {
    pub(super) fn put(&mut self, name: &str, bytes: impl Into<Vec<u8>>) {
        self.0.insert(name.to_owned(), bytes.into());
    }

    /// Stores a blob; its descriptor.
    pub(super) fn blob(&mut self, media_type: &str, bytes: impl Into<Vec<u8>>) -> Value {
        let bytes = bytes.into();
        let digest = digest_of(Algorithm::Sha256, &bytes);
        let descriptor = json!({"mediaType": media_type, "digest": digest.to_string(), "size": bytes.len()});
        self.put(&blob_name(&digest), bytes);
        descriptor
    }

    /// Stores an image with one layer per name; its manifest document.
    pub(super) fn manifest(&mut self, architecture: &str, layers: &[&str]) -> Value {
        let layers: Vec<Value> = layers.iter().map(|layer| self.blob(LAYER, layer.as_bytes())).collect();
        let diff_ids: Vec<&Value> = layers.iter().map(|layer| &layer["digest"]).collect();
        let config = json!({"os": "linux", "architecture": architecture, "rootfs": {"type": "layers", "diff_ids": diff_ids}});
        let config = self.blob("application/vnd.oci.image.config.v1+json", config.to_string());
        json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers})
    }

    /// Stores an image; its descriptor.
    pub(super) fn image(&mut self, architecture: &str, layers: &[&str]) -> Value {
        let manifest = self.manifest(architecture, layers);
        self.blob(MANIFEST, manifest.to_string())
    }

    pub(super) fn index(&mut self, manifests: &[Value]) {
        self.put("oci-layout", r#"{"imageLayoutVersion":"1.0.0"}"#);
        self.put("index.json", json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests}).to_string());
    }

    pub(super) fn nested(&mut self, manifests: &[Value]) -> Value {
        self.blob(INDEX, json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests}).to_string())
    }

    pub(super) fn remove(&mut self, descriptor: &Value) {
        let digest = descriptor["digest"].as_str().unwrap().parse().unwrap();
        self.0.remove(&blob_name(&digest)).unwrap();
    }

    pub(super) fn write(&self, folder: &Path) {
        for (name, bytes) in &self.0 {
            let path = folder.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            #[expect(clippy::disallowed_methods, reason = "a scratch folder")]
            std::fs::write(path, bytes).unwrap();
        }
    }

    pub(super) fn tar(&self) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, bytes) in &self.0 {
            append(&mut builder, name, bytes);
        }
        builder.into_inner().unwrap()
    }
}

pub(super) fn append(builder: &mut tar::Builder<Vec<u8>>, name: &str, bytes: &[u8]) {
    let mut header = tar::Header::new_ustar();
    header.set_size(bytes.len() as u64);
    header.set_mode(0o644);
    builder.append_data(&mut header, name, bytes).unwrap();
}

pub(super) fn append_link(builder: &mut tar::Builder<Vec<u8>>, kind: tar::EntryType, name: &str, target: &str) {
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(kind);
    header.set_size(0);
    builder.append_link(&mut header, name, target).unwrap();
}

/// The annotations that BuildKit gives an attestation about `image`.
pub(super) fn attestation_of(mut descriptor: Value, image: &Value) -> Value {
    descriptor["platform"] = json!({"os": "unknown", "architecture": "unknown"});
    descriptor["annotations"] =
        json!({"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": image["digest"]});
    descriptor
}

pub(super) fn named(mut descriptor: Value, name: &str) -> Value {
    descriptor["annotations"] = json!({"org.opencontainers.image.ref.name": name});
    descriptor
}

pub(super) fn on(mut descriptor: Value, architecture: &str) -> Value {
    descriptor["platform"] = json!({"os": "linux", "architecture": architecture});
    descriptor
}

pub(super) type Opening = Result<Box<dyn Source>, Error>;

pub(super) fn open_path(path: &Path, request: Request) -> Opening {
    open(&Request { input: path.to_owned(), ..request }, &mut Visits::default(), &Limits::default())
}

/// Opens the files as a layout folder.
pub(super) fn open_layout(files: &Files, request: Request) -> Opening {
    let folder = tempfile::tempdir().unwrap();
    files.write(folder.path());
    // the folder may go: what the tests ask of an opened source is in memory
    open_path(folder.path(), request)
}

/// Opens bytes as a file.
pub(super) fn open_bytes(bytes: &[u8], request: Request) -> Opening {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("input");
    #[expect(clippy::disallowed_methods, reason = "a scratch folder")]
    std::fs::write(&path, bytes).unwrap();
    open_path(&path, request)
}

pub(super) fn failure(opening: Opening) -> Error {
    match opening {
        Ok(source) => panic!("opened: {:?}", source.images()),
        Err(error) => error,
    }
}

/// Codes of the errors of the only image.
pub(super) fn errors(opening: Opening) -> Vec<Code> {
    let source = opening.unwrap();
    assert_eq!(source.images().len(), 1);
    source.images()[0].errors.iter().map(Error::code).collect()
}

/// Codes of the remarks of all images.
pub(super) fn remarks(opening: Opening) -> Vec<Code> {
    let source = opening.unwrap();
    let images = source.images().iter();
    images.flat_map(|image| image.remarks.iter().map(|remark| remark.code)).collect()
}
