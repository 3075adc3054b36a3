//! `umoci unpack` on the spot, and what it made compared with our sequential tree, entry by entry.

use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::Path;
use std::process::Command;

use sha2::{Digest, Sha256};

use crate::program;
use crate::recipe::{self, Verdict};

/// Recipes that pass and that umoci unpacks otherwise, with the reason.
const UMOCI_DIFFERS: [(&str, &str); 5] = [
    ("index_with_attestation", "umoci does not choose among the manifests of an index"),
    ("zstd_frames", "umoci does not read zstd"),
    ("pax_global_comment", "umoci fails on any global PAX header"),
    ("digest_sha512", "umoci does not take this algorithm"),
    ("uid_large", "needs a filesystem that takes such ids"),
];

/// Whether umoci can be run as root here; in CI it must.
fn umoci() -> bool {
    let there = Command::new("umoci").arg("--version").output().is_ok_and(|output| output.status.success());
    let root = std::fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0);
    if !there || !root {
        eprintln!("skipped: needs umoci (found: {there}) and root (is: {root})");
        assert!(std::env::var_os("CI").is_none() || !root, "in CI umoci must be installed");
    }
    there && root
}

/// Unpacks the image called `tag` of a layout and lists the result.
fn unpack(layout: &Path, tag: &str, bundle: &Path) -> Result<Vec<String>, String> {
    let image = format!("{}:{tag}", layout.display());
    let output = Command::new("umoci").args(["unpack", "--image", &image]).arg(bundle).output().unwrap();
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let root = bundle.join("rootfs");
    let mut lines = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            lines.push(line(&root, &path));
            if path.symlink_metadata().unwrap().is_dir() {
                folders.push(path);
            }
        }
    }
    lines.sort();
    Ok(lines)
}

/// An entry on disk as a line of a listing.
fn line(root: &Path, path: &Path) -> String {
    let metadata = path.symlink_metadata().unwrap();
    let kind = metadata.file_type();
    let name = std::os::unix::ffi::OsStrExt::as_bytes(path.strip_prefix(root).unwrap().as_os_str());
    let device = metadata.rdev();
    let (major, minor) = ((device >> 8) & 0xfff, (device & 0xff) | ((device >> 12) & 0xf_ff00));
    let (word, rest) = if kind.is_dir() {
        ("dir", String::new())
    } else if kind.is_symlink() {
        let target = path.read_link().unwrap().into_os_string().into_encoded_bytes();
        ("symlink", format!(" -> {}", plimsoll::oci::escape(&target)))
    } else if kind.is_char_device() {
        ("char", format!(" {major},{minor}"))
    } else if kind.is_block_device() {
        ("block", format!(" {major},{minor}"))
    } else if kind.is_fifo() {
        ("fifo", String::new())
    } else {
        ("file", format!(" {} {}", metadata.len(), recipe::hex(&Sha256::digest(std::fs::read(path).unwrap()))))
    };
    // Linux gives every symbolic link the mode 0777.
    let mode = metadata.mode() & 0o7777;
    format!("/{} {word} {mode:04o} {}:{}{rest}", plimsoll::oci::escape(name), metadata.uid(), metadata.gid())
}

#[test]
fn recipes_that_pass_are_unpacked_by_umoci_as_they_say() {
    if !umoci() {
        return;
    }
    let mut wrong = Vec::new();
    let mut compared = 0;
    for recipe in recipe::all() {
        let differs = UMOCI_DIFFERS.iter().any(|(name, _)| *name == recipe.name);
        if recipe.expect.verdict != Verdict::Accept || !recipe.is_for("oci") || differs {
            continue;
        }
        let folder = tempfile::tempdir().unwrap();
        recipe::write(&recipe, folder.path());
        let expected = recipe::lines(recipe.expect.sequential.as_ref().unwrap_or(&recipe.expect.tree));
        match unpack(&folder.path().join("oci"), "edge", &folder.path().join("bundle")) {
            Ok(found) => {
                wrong.extend(program::difference(&expected, &found).into_iter().map(|line| format!("{}: {line}", recipe.name)));
            }
            Err(error) => wrong.push(format!("{}: {error}", recipe.name)),
        }
        compared += 1;
    }
    assert!(compared > 30);
    program::assert_none(&wrong);
}

#[test]
fn the_images_in_testdata_are_unpacked_by_umoci_as_listed() {
    if !umoci() {
        return;
    }
    for name in ["demo.tar", "good.tar"] {
        let folder = tempfile::tempdir().unwrap();
        let archive = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/images").join(name);
        let layout = folder.path().join("layout");
        tar::Archive::new(std::fs::File::open(&archive).unwrap()).unpack(&layout).unwrap();
        let found = unpack(&layout, "latest", &folder.path().join("bundle")).unwrap();
        let expected = program::listing(&archive, &["--sequential"]);
        program::assert_none(&program::difference(&expected, &found));
    }
}
