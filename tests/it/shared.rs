//! The shared edge cases themselves, unpacked to a scratch folder, and how faithfully the recipes follow them.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use crate::hostile::compare;
use crate::program::{self, list, text};
use crate::recipe::{self, Expect, User, Verdict};

/// Unpacks `edge-cases.tar.zst`: its members are containers, so nothing hostile is unpacked.
pub(crate) fn unpack(folder: &Path) -> Option<Vec<std::path::PathBuf>> {
    let archive = std::fs::File::open(program::shared_images()?.join("edge-cases.tar.zst")).unwrap();
    tar::Archive::new(zstd::Decoder::new(archive).unwrap()).unpack(folder).unwrap();
    let root = folder.join("edge-cases");
    let mut cases: Vec<_> = std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    Some(cases)
}

/// The name of a case.
pub(crate) fn name(case: &Path) -> String {
    case.file_name().unwrap().to_string_lossy().into_owned()
}

/// What the case expects.
pub(crate) fn expect(case: &Path) -> Expect {
    let value: Value = serde_json::from_slice(&std::fs::read(case.join("expected.json")).unwrap()).unwrap();
    let tree = |key: &str| -> Option<String> {
        let entries = value[key].as_array()?;
        Some(entries.iter().filter(|entry| entry["path"] != "/").map(|entry| program::entry_line(entry) + "\n").collect())
    };
    let number = |value: &Value| u32::try_from(value.as_u64().unwrap()).unwrap();
    let user = value["user"].as_object().map(|user| User {
        uid: number(&user["uid"]),
        gid: number(&user["gid"]),
        groups: list(&user["groups"]).map(number).collect(),
    });
    Expect {
        verdict: match value["verdict"].as_str().unwrap() {
            "accept" => Verdict::Accept,
            "flag" => Verdict::Flag,
            _ => Verdict::Reject,
        },
        codes: list(&value["findings"]).filter_map(text).collect(),
        also: recipe::named(&name(case)).expect.also,
        user,
        tree: tree("files").unwrap_or_default(),
        sequential: tree("sequential_files"),
        sequential_unknown: false,
    }
}

#[test]
fn every_shared_edge_case_is_judged_as_expected_from_every_container() {
    let folder = tempfile::tempdir().unwrap();
    let Some(cases) = unpack(folder.path()) else { return };
    assert_eq!(cases.len(), 111);
    let mut wrong = Vec::new();
    for case in cases {
        let expect = expect(&case);
        for container in ["oci", "oci.tar", "docker.tar"].map(|kind| case.join(kind)) {
            if container.exists() {
                wrong.extend(compare(&container, &expect).into_iter().map(|what| format!("{}: {what}", name(&case))));
            }
        }
    }
    program::assert_none(&wrong);
}

#[test]
fn every_shared_edge_case_has_a_recipe_that_makes_the_same_layers() {
    let folder = tempfile::tempdir().unwrap();
    let Some(cases) = unpack(folder.path()) else { return };
    let mut wrong = Vec::new();
    for case in cases {
        let ours: BTreeSet<String> = recipe::named(&name(&case)).diff_ids().into_iter().collect();
        let theirs = diff_ids(&case);
        if !theirs.is_subset(&ours) && !OF_OUR_OWN.contains(&name(&case).as_str()) {
            wrong.push(format!("{}: {theirs:?} {ours:?}", name(&case)));
        }
    }
    program::assert_none(&wrong);
}

/// Recipes whose layers differ from the shared case on purpose.
const OF_OUR_OWN: [&str; 3] = [
    "gzip_bomb_layer",        // smaller, so that the test is quick
    "gzip_of_gzip",           // the diff_id of the shared case is that of the inner gzip
    "index_with_attestation", // the statement counts as a layer there
];

/// The diff_ids of the configs in a case.
fn diff_ids(case: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut read = |bytes: &[u8]| {
        let value: Value = serde_json::from_slice(bytes).unwrap_or_default();
        let ids = list(&value["rootfs"]["diff_ids"]).filter_map(text);
        found.extend(ids.filter_map(|id| Some(id.strip_prefix("sha256:")?.to_owned())));
    };
    let blobs = case.join("oci/blobs/sha256");
    if blobs.is_dir() {
        for blob in std::fs::read_dir(blobs).unwrap() {
            read(&std::fs::read(blob.unwrap().path()).unwrap());
        }
    } else {
        let mut archive = tar::Archive::new(std::fs::File::open(case.join("docker.tar")).unwrap());
        for entry in archive.entries().unwrap() {
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(&mut entry.unwrap(), &mut bytes).unwrap();
            read(&bytes);
        }
    }
    found
}
