//! Images of a few files, made in memory for the fuzz targets: a tar, its layer index, the tree, the facts.

use std::sync::atomic::AtomicU64;

use plimsoll::build::Step;
use plimsoll::facts::{self, Image, NotExamined, Parts};
use plimsoll::layer::{self, LayerIndex, Options};
use plimsoll::limits::Limits;
use plimsoll::oci::{Algorithm, ImageConfig, Platform, RuntimeConfig};
use plimsoll::rootfs;

const BLOCK: usize = 512;

/// A file of the image: absolute path of at most 99 bytes, body.
pub type File<'f> = (&'f str, &'f [u8]);

/// The facts of an image of one layer that holds `files`, all of mode 0755, and runs as `user`.
pub fn facts_of(files: &[File<'_>], user: &str) -> (Image, Vec<NotExamined>) {
    facts_with(files, RuntimeConfig { user: user.into(), ..RuntimeConfig::default() })
}

/// The same of an image whose entry point is `program`.
pub fn facts_started_by(files: &[File<'_>], program: &str) -> (Image, Vec<NotExamined>) {
    facts_with(files, RuntimeConfig { entrypoint: vec![program.into()], ..RuntimeConfig::default() })
}

fn facts_with(files: &[File<'_>], runtime: RuntimeConfig) -> (Image, Vec<NotExamined>) {
    let limits = Limits::default();
    let index = index_of(files, &limits);
    assert!(index.errors.is_empty(), "the tar is sound: {:?}", index.errors);
    let merged = rootfs::merge(&[&index], &limits);
    assert!(merged.errors.is_empty(), "so is the tree: {:?}", merged.errors);
    let config = ImageConfig {
        platform: Platform { os: "linux".into(), architecture: "amd64".into(), variant: None },
        runtime,
        diff_ids: Vec::new(),
        history: Vec::new(),
        created: None,
        author: None,
    };
    let parts = Parts {
        config,
        rootfs: merged.stacked,
        differences: merged.differences,
        remarks: merged.remarks,
        steps: vec![Step::default()],
        buried: (merged.buried, 0),
        as_of: None,
        hidden: merged.hidden,
    };
    facts::gather(parts, &limits)
}

/// The index of a layer that holds `files`.
pub fn index_of(files: &[File<'_>], limits: &Limits) -> LayerIndex {
    let progress = AtomicU64::new(0);
    let options = Options { algorithm: Algorithm::Sha256, digest_files: false, progress: &progress, kept: &AtomicU64::new(0) };
    layer::index(&mut tar_of(files).as_slice(), options, limits)
}

fn tar_of(files: &[File<'_>]) -> Vec<u8> {
    let mut tar = Vec::new();
    for (path, body) in files {
        let mut header = [0; BLOCK];
        let mut field = |at: usize, bytes: &[u8]| header[at..at + bytes.len()].copy_from_slice(bytes);
        field(0, path.trim_start_matches('/').as_bytes());
        field(100, b"0000755\0" as &[u8]);
        field(108, b"0000000\0");
        field(116, b"0000000\0");
        field(124, format!("{:011o}\0", body.len()).as_bytes());
        field(136, b"00000000000\0");
        field(148, b"        ");
        field(156, b"0");
        field(257, b"ustar\x0000");
        let sum: u32 = header.iter().copied().map(u32::from).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        tar.extend_from_slice(&header);
        tar.extend_from_slice(body);
        tar.resize(tar.len().next_multiple_of(BLOCK), 0);
    }
    tar.resize(tar.len() + 2 * BLOCK, 0);
    tar
}
