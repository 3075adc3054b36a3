//! Images through standard input whose layers are too large to keep: they are read as they pass, before the documents that name them.

use std::io::Write as _;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::program::{self, Checked, checked};
use crate::recipe::hex;

/// A body that no probe takes for a user database: its first line is a comment.
const ODD_ACCOUNTS: &[u8] = b"# accounts\nme:x:1000:1000::/:/bin/sh\n";
const ACCOUNTS: &[u8] = b"me:x:1000:1000::/:/bin/sh\n";

/// A layer of more than 64 KiB whose `/etc/passwd` is a link to another file.
fn layer(accounts: &[u8]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    let header = |size: usize| {
        let mut header = tar::Header::new_ustar();
        header.set_size(size as u64);
        header.set_mode(0o644);
        header
    };
    tar.append_data(&mut header(accounts.len()), "data/list", accounts).unwrap();
    tar.append_data(&mut header(100_000), "data/zeros", vec![0; 100_000].as_slice()).unwrap();
    let mut link = header(0);
    link.set_entry_type(tar::EntryType::Symlink);
    tar.append_link(&mut link, "etc/passwd", "../data/list").unwrap();
    tar.into_inner().unwrap()
}

fn digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn config(layer: &[u8]) -> Vec<u8> {
    let diff_id = format!("sha256:{}", digest(layer));
    let config = json!({"os": "linux", "architecture": "amd64", "config": {"User": "me"},
        "rootfs": {"type": "layers", "diff_ids": [diff_id]}});
    config.to_string().into_bytes()
}

fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, *bytes).unwrap();
    }
    tar.into_inner().unwrap()
}

/// The layer comes first, `manifest.json` last.
fn docker(layer: &[u8]) -> Vec<u8> {
    let config = config(layer);
    let name = format!("{}.json", digest(&config));
    let manifest = json!([{"Config": name, "RepoTags": null, "Layers": ["0/layer.tar"]}]).to_string();
    archive(&[("0/layer.tar", layer), (&name, &config), ("manifest.json", manifest.as_bytes())])
}

/// The layer comes first, `index.json` last.
fn oci(layer: &[u8]) -> Vec<u8> {
    let config = config(layer);
    let descriptor = |kind: &str, bytes: &[u8]| json!({"mediaType": format!("application/vnd.oci.image.{kind}"), "digest": format!("sha256:{}", digest(bytes)), "size": bytes.len()});
    let manifest = json!({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": descriptor("config.v1+json", &config), "layers": [descriptor("layer.v1.tar", layer)]})
    .to_string();
    let index = json!({"schemaVersion": 2, "manifests": [descriptor("manifest.v1+json", manifest.as_bytes())]}).to_string();
    let name = |bytes: &[u8]| format!("blobs/sha256/{}", digest(bytes));
    archive(&[
        (&name(layer), layer),
        (&name(&config), &config),
        (&name(manifest.as_bytes()), manifest.as_bytes()),
        ("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#),
        ("index.json", index.as_bytes()),
    ])
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn through_pipe(bytes: &[u8]) -> Checked {
    checked(&program::run_with_stdin(&["check", "-", "--format", "json"], bytes))
}

fn as_file(bytes: &[u8]) -> Checked {
    let file = tempfile::NamedTempFile::new().unwrap();
    file.as_file().write_all(bytes).unwrap();
    program::check(file.path(), &[])
}

fn images(mut checked: Checked) -> Value {
    checked.report["images"].take()
}

#[test]
fn layers_that_pass_before_the_documents_give_the_report_of_the_file() {
    for archive in [docker(&layer(ACCOUNTS)), oci(&layer(ACCOUNTS))] {
        let of_file = as_file(&archive);
        let exit = of_file.exit;
        let expected = images(of_file);
        assert_eq!(expected[0]["user"]["uid"], 1000, "{expected}");
        for piped in [archive.clone(), gzip(&archive)] {
            let found = through_pipe(&piped);
            assert_eq!((found.exit, found.error_codes().len()), (exit, 0));
            assert_eq!(images(found), expected);
        }
    }
}

#[test]
fn an_image_of_no_layers_is_an_empty_tree() {
    let config = br#"{"os":"linux","architecture":"amd64","rootfs":{"type":"layers","diff_ids":null},"config":{"Env":null}}"#;
    let manifest = json!([{"Config": "c.json", "RepoTags": null, "Layers": null}]).to_string();
    let found = as_file(&archive(&[("c.json", config), ("manifest.json", manifest.as_bytes())]));
    assert_eq!((found.exit, found.error_codes().len()), (Some(1), 0), "{}", found.report);
    assert_eq!(found.images()[0]["measurements"]["entries"], 0);
}

#[test]
fn a_file_that_decides_and_was_not_known_to_while_it_passed_is_no_verdict() {
    for archive in [docker(&layer(ODD_ACCOUNTS)), oci(&layer(ODD_ACCOUNTS))] {
        let of_file = as_file(&archive);
        assert_eq!((of_file.error_codes().len(), &of_file.images()[0]["user"]["uid"]), (0, &json!(1000)));
        for piped in [archive.clone(), gzip(&archive)] {
            let found = through_pipe(&piped);
            assert_eq!(found.exit, Some(3));
            assert_eq!(found.error_codes().into_iter().collect::<Vec<_>>(), ["content-not-kept"]);
            let said = found.images()[0]["errors"][0].to_string();
            assert!(said.contains("write the image to a file that is not compressed") && said.contains("data/list"), "{said}");
        }
        // a file that is compressed as a whole streams too
        assert_eq!(as_file(&gzip(&archive)).exit, Some(3));
    }
}
