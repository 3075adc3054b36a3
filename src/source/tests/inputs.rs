//! Kinds of input, streams, and what is said of what is no image.

use std::io::Write as _;

use super::build::*;
use crate::limits::Limits;
use crate::oci::{Algorithm, Code};
use crate::source::{Kind, Request, open};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn image_with(layer: &str) -> Files {
    let mut files = Files::default();
    let image = files.image("amd64", &[layer]);
    files.index(&[image]);
    files
}

#[test]
fn the_same_image_has_one_config_digest_in_every_container() {
    let files = image_with("layer");
    let folder = open_layout(&files, Request::default()).unwrap();
    let plain = open_bytes(&files.tar(), Request::default()).unwrap();
    let packed = open_bytes(&gzip(&files.tar()), Request::default()).unwrap();
    assert_eq!([folder.kind(), plain.kind(), packed.kind()], [Kind::OciLayout, Kind::OciArchive, Kind::OciArchive]);
    let digest = folder.images()[0].config_digest.clone();
    assert!(digest.is_some());
    assert_eq!(plain.images()[0].config_digest, digest);
    assert_eq!(packed.images()[0].config_digest, digest);
    assert!(packed.open_blob(packed.images()[0].layers[0].blob.as_ref().unwrap()).is_ok(), "a small layer is kept");
}

#[test]
fn what_streams_by_is_visited_once_under_the_layer_s_blob_id() {
    let mut files = image_with(&"x".repeat(70_000));
    files.put("blobs/sha512/any", "y".repeat(70_000));
    files.put("note.json", format!("{{{}", " ".repeat(70_000)));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.tar.gz");
    #[expect(clippy::disallowed_methods, reason = "a scratch folder")]
    std::fs::write(&path, gzip(&files.tar())).unwrap();
    let mut visits = Visits::default();
    let opened = open(&Request { input: path, ..Request::default() }, &mut visits, &Limits::default()).unwrap();
    let layer = opened.images()[0].layers[0].blob.clone().unwrap();
    visits.0.sort();
    let expected = [(layer.0.clone(), Algorithm::Sha256, 70_000), ("blobs/sha512/any".into(), Algorithm::Sha512, 70_000)];
    assert_eq!(visits.0, expected);
    assert!(opened.open_blob(&layer).is_err());
    assert_eq!(opened.blob_bytes(&layer), Some(70_000));
}

#[test]
fn a_stream_that_is_cut_short_is_an_error() {
    let tar = image_with(&"x".repeat(70_000)).tar();
    for length in [600, 5_000, 60_000] {
        let error = failure(open_bytes(&gzip(&tar[..length]), Request::default()));
        assert_eq!(error.code(), Code::ArchiveMalformed, "{length}: {error}");
    }
    let packed = gzip(&tar);
    let error = failure(open_bytes(&packed[..packed.len() - 9], Request::default()));
    assert_eq!(error.code(), Code::GzipMalformed, "{error}");
}

#[test]
fn what_is_no_image_is_named() {
    let mut other = Files::default();
    other.put("etc/passwd", "root");
    let said = |bytes: &[u8]| {
        let error = failure(open_bytes(bytes, Request::default()));
        assert_eq!(error.code(), Code::NotAnImage);
        error.to_string()
    };
    assert!(said(b"").contains("empty file"));
    assert!(said(b"PK\x03\x04....").contains("zip"));
    assert!(said(b"QFI\xfb....").contains("QCOW2"));
    assert!(said(b"{}").contains("JSON"));
    assert!(said(b"hello").contains("no tar"));
    assert!(said(&other.tar()).contains("etc/passwd"));
    assert!(said(&gzip(&other.tar())).contains("etc/passwd"));
    assert!(said(&[0; 1024]).contains("holds nothing"));
    other.put("repositories", "{}");
    assert!(said(&other.tar()).contains("docker save 1.9"));
}

#[test]
fn what_is_no_file_is_answered_with_what_to_type() {
    let said = |input: &str| {
        let request = Request { input: input.into(), ..Request::default() };
        let error = failure(open(&request, &mut Visits::default(), &Limits::default()));
        (error.code(), error.to_string())
    };
    for input in ["debian", "debian:12", "docker://debian:12", "org/app", "docker-daemon:debian:12"] {
        let (code, message) = said(input);
        assert_eq!(code, Code::NotAnImage, "{input}");
        assert!(message.contains("docker save") && message.contains("| plimsoll check -"), "{message}");
    }
    assert!(said("docker-archive:x.tar").1.contains("plimsoll check x.tar"));
    assert!(said("debian:12").1.contains("plimsoll check docker.io/library/debian:12"));
    assert!(said("https://r.example/a").1.contains("plimsoll check r.example/a"));
    for input in ["localhost:5000/x@sha256:00", "ghcr.io/Org/app", "docker://me:secret@r.example/a"] {
        let (code, message) = said(input);
        assert_eq!(code, Code::NotAnImage, "{input}");
        assert!(message.contains("no reference of an image") && !message.contains("secret"), "{message}");
    }
    for input in ["./x", "missing.tar", "/no/such/file", "out.d/shop.tar", "../x.d/y"] {
        assert_eq!(said(input).0, Code::InputUnreadable, "{input}");
    }
}

#[test]
fn folders_that_are_no_layouts_are_named() {
    let mut files = Files::default();
    files.put("x", "");
    assert!(failure(open_layout(&files, Request::default())).to_string().contains("no OCI layout"));
    files.put("manifest.json", "[]");
    assert!(failure(open_layout(&files, Request::default())).to_string().contains("-c . | plimsoll check -"));
    files.put("oci-layout", "{}");
    assert!(failure(open_layout(&files, Request::default())).to_string().contains("without its index.json"));
}

#[test]
fn a_layout_s_blobs_may_be_links_to_regular_files_only() {
    let files = image_with("layer");
    let store = tempfile::tempdir().unwrap();
    files.write(store.path());
    let layout = tempfile::tempdir().unwrap();
    for name in ["oci-layout", "index.json", "blobs"] {
        std::os::unix::fs::symlink(store.path().join(name), layout.path().join(name)).unwrap();
    }
    assert_eq!(errors(open_path(layout.path(), Request::default())), []);
    std::fs::remove_file(layout.path().join("index.json")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", layout.path().join("index.json")).unwrap();
    assert_eq!(failure(open_path(layout.path(), Request::default())).code(), Code::InputUnreadable);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]
    #[test]
    fn arbitrary_changes_to_an_archive_never_panic(at: proptest::sample::Index, byte: u8, cut: proptest::sample::Index) {
        let mut bytes = image_with("layer").tar();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let _ = open_bytes(&bytes, Request::default());
        let _ = open_bytes(&gzip(&bytes), Request::default());
        bytes.truncate(cut.index(bytes.len()));
        let _ = open_bytes(&bytes, Request::default());
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes: Vec<u8>) {
        let _ = open_bytes(&bytes, Request::default());
    }
}
