//! Which layers are read when something is known of them.

use std::path::Path;
use std::sync::atomic::AtomicUsize;

use super::*;
use crate::cache::Tiers;
use crate::oci::DiffId;
use crate::source::{self, Kind};

/// Blobs in memory, one image; counts what is opened.
struct Blobs {
    stored: BTreeMap<BlobId, Vec<u8>>,
    images: Vec<ImageRecord>,
    is_content_addressed: bool,
    opened: AtomicUsize,
}

impl Source for Blobs {
    fn kind(&self) -> Kind {
        Kind::OciLayout
    }

    fn name(&self) -> &'static str {
        "blobs"
    }

    fn images(&self) -> &[ImageRecord] {
        &self.images
    }

    fn open_blob(&self, id: &BlobId) -> Result<Box<dyn Read + Send + '_>, Error> {
        self.opened.fetch_add(1, Ordering::Relaxed);
        Ok(Box::new(self.stored[id].as_slice()))
    }

    fn blob_bytes(&self, id: &BlobId) -> Option<u64> {
        Some(self.stored[id].len() as u64)
    }

    fn is_content_addressed(&self) -> bool {
        self.is_content_addressed
    }
}

fn digest(bytes: &[u8]) -> BlobDigest {
    Digesting::new(bytes, Algorithm::Sha256).finish().unwrap()
}

/// A layer of one file.
fn layer(path: &str, body: &[u8]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_size(body.len() as u64);
    header.set_mode(0o644);
    tar.append_data(&mut header, Path::new(path), body).unwrap();
    tar.into_inner().unwrap()
}

/// An image whose one layer holds `bytes`; its descriptor, if it has one, names those of `pinned`, its config those of `claimed`.
fn image(bytes: &[u8], pinned: Option<&[u8]>, claimed: &[u8]) -> Blobs {
    let id = BlobId("layer.tar".into());
    let record = LayerRecord {
        blob: Some(id.clone()),
        media_type: String::new(),
        digest: pinned.map(digest),
        size: None,
        diff_id: DiffId(digest(claimed).0),
    };
    let image = ImageRecord {
        reference: None,
        index_platform: None,
        manifest_digest: None,
        annotations: BTreeMap::new(),
        config_digest: None,
        config: None,
        layers: vec![record],
        attestations: Vec::new(),
        remarks: Vec::new(),
        errors: Vec::new(),
    };
    let stored = BTreeMap::from([(id, bytes.to_vec())]);
    Blobs { stored, images: vec![image], is_content_addressed: false, opened: AtomicUsize::default() }
}

fn request() -> Request {
    Request { cache: Layers::new(100_000_000, Tiers::default()), source: source::Request::default(), ..Request::default() }
}

/// The index of the image's layer, and how often its blob was opened.
fn read(source: &Blobs, request: &Request) -> (Arc<LayerIndex>, usize) {
    let progress = Progress::default();
    let reading = Reading::default();
    let mut store = LayerStore::new(request, &reading, &progress);
    store.expect(source);
    let record = &source.images[0];
    assert!(store.read(record, source).is_empty());
    assert_eq!(progress.layers_done.load(Ordering::Relaxed), 1);
    (store.get(&record.layers[0]).unwrap(), source.opened.load(Ordering::Relaxed))
}

#[test]
fn a_known_layer_of_a_registry_is_not_fetched() {
    let (request, bytes) = (request(), layer("a", b"one"));
    let remote = || Blobs { is_content_addressed: true, ..image(&bytes, Some(&bytes), &bytes) };
    let (first, opened) = read(&remote(), &request);
    assert_eq!(opened, 1);
    let (second, opened) = read(&remote(), &request);
    assert_eq!(opened, 0);
    assert!(Arc::ptr_eq(&first, &second));
}

#[test]
fn a_known_layer_of_a_file_is_digested_whatever_its_name_says() {
    let (request, harmless, other) = (request(), layer("a", b"harmless"), layer("a", b"something else"));
    read(&image(&harmless, Some(&harmless), &harmless), &request);
    let (_, opened) = read(&image(&harmless, Some(&harmless), &harmless), &request);
    assert_eq!(opened, 1, "one pass over its bytes");
    // the descriptor or the config lies: the layer is what its bytes are, and the lie is seen
    for lying in [image(&other, Some(&harmless), &other), image(&other, None, &harmless)] {
        let (index, _) = read(&lying, &request);
        assert!(index.has_digest(&digest(&other)) && !index.has_digest(&digest(&harmless)));
        assert!(!index.has_diff_id(&DiffId(digest(&harmless).0)));
    }
}

#[test]
fn a_config_that_claims_a_known_layer_gets_nothing_of_it_from_a_registry_either() {
    let (request, harmless, other) = (request(), layer("a", b"harmless"), layer("a", b"something else"));
    read(&image(&harmless, Some(&harmless), &harmless), &request);
    let remote = Blobs { is_content_addressed: true, ..image(&other, Some(&other), &harmless) };
    let (index, opened) = read(&remote, &request);
    assert_eq!(opened, 1);
    assert!(index.has_diff_id(&DiffId(digest(&other).0)));
    // nor does a hint that no descriptor names spare the pass
    let unpinned = Blobs { is_content_addressed: true, ..image(&other, None, &harmless) };
    assert!(read(&unpinned, &request).0.has_digest(&digest(&other)));
}

#[test]
fn layers_without_descriptors_are_known_by_what_their_bytes_are() {
    let (request, bytes) = (request(), layer("a", b"one"));
    let (first, _) = read(&image(&bytes, None, &bytes), &request);
    let (second, opened) = read(&image(&bytes, None, &bytes), &request);
    assert!(Arc::ptr_eq(&first, &second) && opened == 1);
}

#[test]
fn what_is_not_known_is_read_once() {
    let bytes = layer("a", b"one");
    assert_eq!(read(&image(&bytes, Some(&bytes), &bytes), &request()).1, 1);
    assert_eq!(read(&image(&bytes, Some(&bytes), &bytes), &Request::default()).1, 1, "nor without a cache");
}

#[test]
fn bodies_of_known_layers_count_and_are_left_out_where_there_is_no_room() {
    let bytes = layer("etc/passwd", b"root:x:0:0:root:/root:/bin/sh\n");
    let request = request();
    read(&image(&bytes, Some(&bytes), &bytes), &request);
    let source = image(&bytes, Some(&bytes), &bytes);
    let progress = Progress::default();
    let reading = Reading::default();
    let mut store = LayerStore::new(&request, &reading, &progress);
    store.read(&source.images[0], &source);
    assert_eq!(store.kept.load(Ordering::Relaxed), 30);
    let known = store.get(&source.images[0].layers[0]).unwrap();
    store.kept.store(request.limits.kept_bytes, Ordering::Relaxed);
    let without = store.with_room(Arc::clone(&known));
    assert_eq!((known.body_bytes(), without.body_bytes(), without.bodies_left), (30, 0, 1));
    assert!(store.bodies(&source.images[0].layers[0], &[0], &source).is_ok_and(|bodies| bodies[0].1.len() == 30));
}

#[test]
fn bodies_are_not_taken_from_bytes_that_changed() {
    let bytes = layer("etc/passwd", b"root:x:0:0:root:/root:/bin/sh\n");
    let mut source = image(&bytes, Some(&bytes), &bytes);
    let (request, progress) = (Request::default(), Progress::default());
    let reading = Reading::default();
    let mut store = LayerStore::new(&request, &reading, &progress);
    store.read(&source.images[0], &source);
    source.stored.insert(BlobId("layer.tar".into()), layer("etc/passwd", b"root:x:0:0:root:/root:/bin/no\n"));
    assert!(store.bodies(&source.images[0].layers[0], &[0], &source).unwrap_err().contains("changed"));
}

#[test]
fn no_byte_is_written_of_a_layer_that_changed_and_a_large_body_is_followed_by_an_error() {
    let large = vec![b'l'; usize::try_from(HELD_BYTES).unwrap() + 1];
    for (body, is_held) in [(&b"small"[..], true), (&large, false)] {
        let bytes = layer("etc/f", body);
        let mut source = image(&bytes, Some(&bytes), &bytes);
        let (request, progress, reading) = (Request::default(), Progress::default(), Reading::default());
        let mut store = LayerStore::new(&request, &reading, &progress);
        store.read(&source.images[0], &source);
        let mut out = Vec::new();
        store.write_body(&source.images[0].layers[0], 0, &source, &mut out).unwrap();
        assert!(out == body);
        // what differs comes after the body: only the digest of all stored bytes tells
        let mut changed = bytes.clone();
        *changed.last_mut().unwrap() = 1;
        source.stored.insert(BlobId("layer.tar".into()), changed);
        let mut out = Vec::new();
        let fault = store.write_body(&source.images[0].layers[0], 0, &source, &mut out).unwrap_err();
        assert_eq!(fault.to_string(), "the layer has changed since it was read first");
        assert_eq!(out.is_empty(), is_held);
    }
}

#[test]
fn hints_are_read_from_the_names_that_builders_write() {
    let hex = "0123456789abcdef".repeat(4);
    let hinted = |name: String| {
        let mut record = image(b"", None, b"x").images.remove(0).layers.remove(0);
        record.blob = Some(BlobId(name));
        hints(&record).into_iter().map(|hint| hint.0.hex().to_owned()).collect::<Vec<_>>()
    };
    let plain = digest(b"x").0.hex().to_owned();
    for name in [format!("{hex}.tar.gz"), format!("sha256:{hex}"), format!("blobs/sha256/{hex}"), format!("{hex}.tar")] {
        assert_eq!(hinted(name), [hex.clone(), plain.clone()]);
    }
    assert_eq!(hinted(format!("{plain}/layer.tar")), std::slice::from_ref(&plain));
    assert_eq!(hinted(format!("{plain}.tar")), [plain]);
}
