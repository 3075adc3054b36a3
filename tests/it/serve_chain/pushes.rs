//! Pushes and pulls through the gate, each image as it is, and the verdicts that can be read afterwards.

use std::collections::BTreeMap;

use super::*;
use crate::gate::OCI_MANIFEST;
use crate::gate::real::{Registry, has, layout};
use crate::program;
use crate::recipe;

/// Every file of a layout's blobs.
fn blobs(layout: &Path) -> BTreeMap<String, Vec<u8>> {
    let folder = std::fs::read_dir(layout.join("blobs/sha256")).unwrap();
    let read = |entry: std::fs::DirEntry| (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap());
    folder.map(|entry| read(entry.unwrap())).collect()
}

#[test]
fn a_good_image_goes_in_and_comes_out_byte_for_byte() {
    if !has(&["docker-registry", "skopeo"]) {
        return;
    }
    let registry = Registry::start(false);
    let replica = Replica::start(&registry.host, "", "");
    let (gate, folder) = (replica.gate().to_string(), tempfile::tempdir().unwrap());
    let (sent, back) = (folder.path().join("sent"), folder.path().join("back"));
    let sent_name = format!("oci:{}:x", sent.display());
    assert!(skopeo(&["copy", &archive("good"), &sent_name]).status.success());
    let (is_done, told) = push(&sent_name, &gate, "shop/good:1", &[]);
    assert!(is_done, "{told}");
    let pulled = skopeo(&[
        "copy",
        "--src-tls-verify=false",
        &format!("docker://{gate}/shop/good:1"),
        &format!("oci:{}:x", back.display()),
    ]);
    assert!(pulled.status.success(), "{}", String::from_utf8_lossy(&pulled.stderr));
    assert_eq!(blobs(&sent), blobs(&back));
    // a second tag is a second push of what is known
    let before = replica.metric("plimsoll_verify_seconds_count");
    let (is_done, told) = push(&format!("docker://{gate}/shop/good:1"), &gate, "shop/good:2", &[]);
    assert!(is_done, "{told}");
    assert_eq!((before, replica.metric("plimsoll_verify_seconds_count")), (1, 1));
    assert_eq!(registry.manifest("shop/good", "2").body, registry.manifest("shop/good", "1").body);
    // another repository takes the blobs over without seeing them, and its manifest is judged all the same
    let manifest = registry.manifest("shop/good", "1");
    let document: Value = serde_json::from_slice(&manifest.body).unwrap();
    for blob in document["layers"].as_array().unwrap().iter().chain([&document["config"]]) {
        let path = format!("/v2/other/good/blobs/uploads/?mount={}&from=shop/good", blob["digest"].as_str().unwrap());
        assert_eq!(ask(replica.gate(), "POST", &path, &[], b"").status, 201);
    }
    let put = ask(replica.gate(), "PUT", "/v2/other/good/manifests/1", &[("Content-Type", OCI_MANIFEST)], &manifest.body);
    assert_eq!(put.status, 201, "{}", put.text());
}

#[test]
fn every_image_is_taken_or_refused_as_the_command_line_judges_it() {
    if !has(&["docker-registry", "skopeo"]) {
        return;
    }
    let registry = Registry::start(false);
    let replica = Replica::start(&registry.host, "", "");
    let gate = replica.gate().to_string();
    let (mut taken, mut refused) = (Vec::new(), Vec::new());
    let checks = ["compiler", "setuid-file", "setgid-file", "root-user", "os-package-manager", "unknown-user", "package-cache"];
    let recipes = checks.iter().flat_map(|check| [recipe::of_check(check, "fires"), recipe::of_check(check, "silent")]);
    for recipe in recipes {
        let folder = tempfile::tempdir().unwrap();
        let Some(layout) = recipe::write(&recipe, folder.path()).into_iter().find(|path| path.is_dir()) else { continue };
        let expected = program::check(&layout, &["--policy", "admission"]);
        if expected.images().len() != 1 {
            continue;
        }
        let name = recipe.name.replace('.', "-");
        // the bytes as they are, so that the command line and the gate judge the same
        let (is_done, told) =
            push(&format!("oci:{}", layout.display()), &gate, &format!("checks/{name}:1"), &["--preserve-digests"]);
        if expected.report["verdict"] == "pass" {
            assert!(is_done && !registry.is_empty(&format!("checks/{name}")), "{name}: {told}");
            taken.push(name);
        } else {
            let fails = expected.images()[0]["findings"].as_array().unwrap().iter().filter(|finding| finding["fails"] == true);
            let checks: Vec<&str> = fails.map(|finding| finding["check"].as_str().unwrap()).collect();
            let is_told = checks.iter().any(|check| told.contains(check)) || expected.report["verdict"] == "unverifiable";
            assert!(!is_done && told.contains("denied") && is_told, "{name}: {checks:?} {told}");
            assert!(registry.is_empty(&format!("checks/{name}")), "{name}");
            refused.push(name);
        }
    }
    assert!(taken.len() >= 2 && refused.len() >= 4, "{taken:?} {refused:?}");
    // what failed is denied in Docker's own format too, and its message says why and names no more than it should
    for format in ["oci", "v2s2"] {
        let (is_done, told) = push(&archive("demo"), &gate, "shop/demo:1", &["--format", format]);
        assert!(!is_done && told.contains("denied: shop/demo:1 fails the policy admission: "), "{told}");
        assert!(registry.is_empty("shop/demo"));
    }
}

#[test]
fn an_index_is_judged_child_by_child() {
    if !has(&["docker-registry", "skopeo"]) {
        return;
    }
    let registry = Registry::start(false);
    let replica = Replica::start(&registry.host, "", "");
    let (gate, folder) = (replica.gate().to_string(), tempfile::tempdir().unwrap());
    let source = format!("oci:{}:list", layout(folder.path()).display());
    let (is_done, told) = push(&source, &gate, "shop/list:1", &["--all"]);
    assert!(is_done, "{told}");
    assert_eq!(registry.manifest("shop/list", "1").header("content-type"), Some(crate::gate::OCI_INDEX));
    // one bad child is enough: it is there already, as if it had been pushed around the gate
    let (is_done, told) = push(&archive("demo"), &registry.host, "shop/list:bad", &["--format", "oci"]);
    assert!(is_done, "{told}");
    let bad = registry.manifest("shop/list", "bad");
    let mut index: Value = serde_json::from_slice(&registry.manifest("shop/list", "1").body).unwrap();
    let child = json!({ "mediaType": OCI_MANIFEST, "digest": plimsoll::serve::key::sha256(&bad.body), "size": bad.body.len(),
        "platform": { "os": "linux", "architecture": "riscv64" } });
    index["manifests"].as_array_mut().unwrap().push(child);
    let kind = [("Content-Type", crate::gate::OCI_INDEX)];
    let put = ask(replica.gate(), "PUT", "/v2/shop/list/manifests/2", &kind, index.to_string().as_bytes());
    assert_eq!(put.code(), (403, "DENIED".into()));
    assert_eq!(registry.manifest("shop/list", "2").status, 404);
}

#[test]
fn verdicts_and_reports_are_those_of_the_command_line() {
    if !has(&["docker-registry", "skopeo"]) {
        return;
    }
    let registry = Registry::start(false);
    let replica = Replica::start(&registry.host, "", "");
    for (name, verdict, decision) in [("good", "pass", "allow"), ("demo", "fail", "deny")] {
        place(&archive(name), &registry.host, &format!("shop/{name}:1"));
        let image = format!("{}/shop/{name}:1", registry.host);
        let reply = replica.verify(&image, Duration::from_mins(1));
        assert_eq!(said(&reply), (200, verdict.into(), decision.into()), "{}", reply.text());
        let value: Value = serde_json::from_slice(&reply.body).unwrap();
        let digest = value["digest"].as_str().unwrap();
        let known = replica.get(&format!("/v1/verdicts/{digest}"));
        let known: Value = serde_json::from_slice(&known.body).unwrap();
        let expected = program::check(Path::new(&image), &["--policy", "admission"]);
        assert_eq!(known["report"]["verdict"], verdict);
        for part in ["findings", "score", "notes"] {
            assert_eq!(known["report"]["images"][0][part], expected.images()[0][part], "{part}");
        }
        let sarif = replica.get(&format!("/v1/verdicts/{digest}/sarif"));
        assert_eq!((sarif.status, sarif.header("content-type")), (200, Some("application/sarif+json")));
        let sarif: Value = serde_json::from_slice(&sarif.body).unwrap();
        let results = sarif["runs"][0]["results"].as_array().unwrap().len();
        assert!(sarif["version"] == "2.1.0" && (verdict == "pass" || results > 0), "{results}");
    }
    assert_eq!(replica.verify(&format!("{}/shop/none:1", registry.host), Duration::from_secs(20)).status, 404);
}
