//! What cannot be verified ends with exit code 3, a code that says why, and no panic.

use std::path::Path;

use crate::program;
use crate::recipe;

/// The shared malformed images with the codes that may be given for them.
const SHARED: [(&str, &[&str]); 21] = [
    ("m-config-json", &["json-malformed", "json-trailing-data", "not-an-image"]),
    ("m-diffid", &["diff-id-mismatch"]),
    ("m-digest-algo", &["digest-malformed"]),
    ("m-digest-path", &["digest-malformed"]),
    ("m-docker-no-manifest", &["not-an-image"]),
    ("m-docker-truncated", &["archive-malformed", "tar-truncated", "blob-missing"]),
    ("m-empty-index", &["not-an-image", "image-not-found"]),
    ("m-encrypted", &["layer-media-type"]),
    ("m-foreign-layer", &["blob-missing", "layer-nondistributable"]),
    ("m-layer-altered", &["digest-mismatch"]),
    ("m-layer-count", &["diff-ids-count"]),
    ("m-layer-missing", &["blob-missing"]),
    ("m-layer-not-tar", &["tar-malformed", "tar-truncated"]),
    ("m-layer-size", &["size-mismatch"]),
    ("m-layer-truncated", &["size-mismatch", "digest-mismatch", "gzip-malformed"]),
    ("m-no-index", &["not-an-image", "blob-missing"]),
    ("m-tar-checksum", &["tar-malformed"]),
    ("m-tar-cut-entry", &["tar-truncated"]),
    ("m-tar-neg-size", &["tar-malformed", "tar-truncated", "limit-exceeded"]),
    ("m-tar-through-link", &["path-escapes-root"]),
    ("m-tar-traversal", &["path-escapes-root"]),
];

/// What is wrong with the refusal of `container`, if anything.
fn refusal(container: &Path, codes: &[&str]) -> Option<String> {
    let checked = program::check(container, &[]);
    let found = checked.error_codes();
    let refused = checked.exit == Some(3) && checked.report["verdict"] == "unverifiable";
    let fits = codes.iter().any(|code| found.contains(*code));
    (!refused || !fits).then(|| format!("{}: exit {:?}, {found:?}, expected one of {codes:?}", container.display(), checked.exit))
}

#[test]
fn the_shared_malformed_images_are_refused() {
    let Some(shared) = program::shared_images() else { return };
    let mut wrong = Vec::new();
    for (name, codes) in SHARED {
        for container in std::fs::read_dir(shared.join("small/malformed").join(name)).unwrap() {
            wrong.extend(refusal(&container.unwrap().path(), codes));
        }
    }
    program::assert_none(&wrong);
}

/// Writes `bytes` to a file and returns what is wrong with its refusal.
fn refused_bytes(bytes: &[u8], codes: &[&str]) -> Option<String> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    refusal(file.path(), codes)
}

#[test]
fn what_is_no_container_is_refused() {
    let wrong = [b"".as_slice(), b"hello", &[0; 1024], &[0xff; 4096], b"{}", b"\x1f\x8b"];
    let wrong: Vec<String> = wrong
        .iter()
        .filter_map(|bytes| refused_bytes(bytes, &["not-an-image", "archive-malformed", "gzip-malformed", "tar-malformed"]))
        .collect();
    program::assert_none(&wrong);
}

#[test]
fn an_empty_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    program::assert_none(&refusal(folder.path(), &["not-an-image"]).into_iter().collect::<Vec<_>>());
}

#[test]
fn an_archive_cut_anywhere_is_refused() {
    let recipe = recipe::named("opq_first");
    let mut wrong = Vec::new();
    for archive in [recipe::docker_archive(&recipe), recipe::oci_archive(&recipe)] {
        // The last two blocks are the end marker, which may be missing.
        for cut in (0..archive.len() - 1536).step_by(776) {
            let checked = {
                let file = tempfile::NamedTempFile::new().unwrap();
                std::fs::write(file.path(), &archive[..cut]).unwrap();
                program::check(file.path(), &[])
            };
            if checked.exit != Some(3) {
                wrong.push(format!("cut at {cut} of {}: exit {:?}", archive.len(), checked.exit));
            }
        }
    }
    program::assert_none(&wrong);
}

#[test]
fn a_member_that_stands_twice_in_the_archive_is_refused() {
    let recipe = recipe::named("opq_first");
    for archive in [recipe::docker_archive(&recipe), recipe::oci_archive(&recipe)] {
        let members = &archive[..archive.len() - 1024];
        let twice = [members, &archive].concat();
        program::assert_none(&refused_bytes(&twice, &["archive-duplicate-member"]).into_iter().collect::<Vec<_>>());
    }
}
