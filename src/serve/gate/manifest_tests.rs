//! What each kind of manifest is taken for.

use proptest::prelude::*;
use serde_json::json;

use super::*;

const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
const DSSE: &str = "application/vnd.dsse.envelope.v1+json";

fn descriptor(kind: &str) -> Value {
    json!({ "mediaType": kind, "digest": format!("sha256:{}", "0".repeat(64)), "size": 3 })
}

fn manifest(config: &str, layers: &[&str]) -> Value {
    let layers: Vec<Value> = layers.iter().map(|kind| descriptor(kind)).collect();
    json!({ "schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": descriptor(config), "layers": layers })
}

fn list(children: &[Value]) -> Value {
    json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": children })
}

fn of(kind: &str, value: &Value) -> Result<Content, Fault> {
    read(kind, value.to_string().as_bytes(), &["application/vnd.example.chart".to_owned()], &Limits::default())
}

fn is_malformed(kind: &str, text: &str) -> bool {
    matches!(read(kind, text.as_bytes(), &[], &Limits::default()), Err(Fault::Malformed(_)))
}

#[test]
fn images_are_told_by_their_layers() {
    for layer in [
        LAYER,
        "application/vnd.oci.image.layer.v1.tar",
        "application/vnd.oci.image.layer.v1.tar+zstd",
        "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
        "application/vnd.oci.image.layer.v1.tar+gzip+encrypted",
        "application/vnd.docker.image.rootfs.diff.tar.gzip",
        "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
        "Application/VND.oci.image.LAYER.v1.tar",
    ] {
        assert_eq!(of(OCI_MANIFEST, &manifest(CONFIG, &[layer])), Ok(Content::Judged), "{layer}");
        // whatever the config and the artifact type say
        let mut artifact = manifest(EMPTY_CONFIG, &[layer]);
        artifact["artifactType"] = "application/vnd.example.sbom".into();
        assert_eq!(of(OCI_MANIFEST, &artifact), Ok(Content::Judged), "{layer}");
    }
    assert_eq!(of(OCI_MANIFEST, &manifest(CONFIG, &[])), Ok(Content::Judged));
}

#[test]
fn a_manifest_without_its_media_type_is_what_its_content_type_says() {
    let mut plain = manifest(CONFIG, &[LAYER]);
    plain.as_object_mut().unwrap().remove("mediaType");
    assert_eq!(of(OCI_MANIFEST, &plain), Ok(Content::Judged));
    assert!(matches!(of(OCI_INDEX, &plain), Err(Fault::Malformed(_))));
    // Docker's are never without
    assert!(matches!(of(DOCKER_MANIFEST, &plain), Err(Fault::Malformed(_))));
    plain["mediaType"] = DOCKER_MANIFEST.into();
    assert_eq!(of(DOCKER_MANIFEST, &plain), Ok(Content::Judged));
}

#[test]
fn statements_with_an_image_config_are_looked_at() {
    for kind in [
        DSSE,
        "application/vnd.in-toto+json",
        "application/vnd.dev.cosign.simplesigning.v1+json",
        "application/vnd.dev.sigstore.bundle.v0.3+json",
        "application/vnd.example.chart",
    ] {
        assert!(
            matches!(of(OCI_MANIFEST, &manifest(CONFIG, &[kind, kind])), Ok(Content::Statements(layers)) if layers.len() == 2)
        );
        // Docker takes these for an image's
        for config in ["application/octet-stream", "text/html", "", "application/json", "application/vnd.docker.plugin.v1+json"] {
            assert!(matches!(of(OCI_MANIFEST, &manifest(config, &[kind])), Ok(Content::Statements(_))), "{config}");
        }
        let mut artifact = manifest("application/vnd.example.config", &[kind]);
        assert_eq!(of(OCI_MANIFEST, &artifact), Ok(Content::Inert));
        artifact["mediaType"] = DOCKER_MANIFEST.into();
        assert!(matches!(of(DOCKER_MANIFEST, &artifact), Ok(Content::Statements(_))));
    }
}

#[test]
fn an_artifact_with_an_empty_config_and_no_image_layer_passes() {
    let mut artifact = manifest(EMPTY_CONFIG, &["application/spdx+json"]);
    assert!(matches!(of(OCI_MANIFEST, &artifact), Err(Fault::Forbidden(_))));
    artifact["artifactType"] = "application/spdx+json".into();
    assert_eq!(of(OCI_MANIFEST, &artifact), Ok(Content::Inert));
    artifact["config"]["mediaType"] = CONFIG.into();
    assert!(matches!(of(OCI_MANIFEST, &artifact), Err(Fault::Forbidden(_))));
}

#[test]
fn what_cannot_be_verified_is_forbidden() {
    for layers in [
        &["application/x-tar"][..],
        &[LAYER, "application/vnd.example"],
        &[LAYER, DSSE],
        &["application/vnd.oci.image.config.v1+json"],
        &[""],
    ] {
        assert!(matches!(of(OCI_MANIFEST, &manifest(CONFIG, layers)), Err(Fault::Forbidden(_))), "{layers:?}");
    }
    let mut foreign = manifest(CONFIG, &[LAYER]);
    foreign["layers"][0]["urls"] = json!(["https://elsewhere.example/layer"]);
    assert!(matches!(of(OCI_MANIFEST, &foreign), Err(Fault::Forbidden(_))));
    let mut foreign = manifest(CONFIG, &[LAYER]);
    foreign["config"]["urls"] = json!(["https://elsewhere.example/config"]);
    assert!(matches!(of(OCI_MANIFEST, &foreign), Err(Fault::Forbidden(_))));
    for kind in [
        "application/vnd.docker.distribution.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v1+prettyjws",
        "application/vnd.oci.artifact.manifest.v1+json",
        "application/json",
        "application/vnd.oci.image.manifest.v1+json; charset=utf-8",
        "Application/vnd.oci.image.manifest.v1+json",
        "",
    ] {
        assert!(matches!(of(kind, &manifest(CONFIG, &[LAYER])), Err(Fault::Forbidden(_))), "{kind}");
    }
}

#[test]
fn a_document_with_two_meanings_is_malformed() {
    let image = manifest(CONFIG, &[LAYER]);
    let text = image.to_string();
    assert!(is_malformed(DOCKER_MANIFEST, &text), "another type than the header's");
    let mut both = image.clone();
    both["manifests"] = json!([descriptor(OCI_MANIFEST)]);
    assert!(is_malformed(OCI_MANIFEST, &both.to_string()));
    both["mediaType"] = OCI_INDEX.into();
    assert!(is_malformed(OCI_INDEX, &both.to_string()));
    for (kind, text) in [
        (OCI_MANIFEST, text.replacen("\"layers\"", "\"layers\":[],\"layers\"", 1)),
        (OCI_MANIFEST, text.replacen("\"layers\"", "\"Layers\"", 1)),
        (OCI_MANIFEST, text.replacen("\"config\"", "\"fsLayers\":[],\"config\"", 1)),
        (OCI_MANIFEST, text.replacen("\"mediaType\"", "\"mediatype\":\"x\",\"mediaType\"", 1)),
        (OCI_MANIFEST, format!("{text}{text}")),
        (OCI_MANIFEST, format!("\u{feff}{text}")),
        (OCI_MANIFEST, text.replace("\"size\":3", "\"size\":3.5")),
        (OCI_MANIFEST, text.replace("sha256:0", "sha256:Z")),
        (OCI_MANIFEST, "{}".to_owned()),
        (OCI_MANIFEST, "[]".to_owned()),
        (OCI_MANIFEST, String::new()),
        (OCI_INDEX, "{\"manifests\":null}".to_owned()),
        (OCI_INDEX, "[".repeat(100_000)),
    ] {
        assert!(is_malformed(kind, &text), "{kind} {}", text.chars().take(200).collect::<String>());
    }
}

#[test]
fn a_list_of_artifacts_is_looked_into_and_any_other_is_judged() {
    let image = descriptor(OCI_MANIFEST);
    let mut artifact = descriptor(OCI_MANIFEST);
    artifact["artifactType"] = "application/vnd.example.sbom".into();
    let mut nested = descriptor(OCI_INDEX);
    nested["artifactType"] = "application/vnd.example.sbom".into();
    assert_eq!(of(OCI_INDEX, &list(&[])), Ok(Content::Inert));
    assert!(
        matches!(of(OCI_INDEX, &list(&[artifact.clone(), artifact.clone()])), Ok(Content::Artifacts(found)) if found.len() == 2)
    );
    for children in [vec![image.clone()], vec![artifact.clone(), image], vec![nested.clone()], vec![artifact, nested]] {
        assert_eq!(of(OCI_INDEX, &list(&children)), Ok(Content::Judged));
    }
    let mut unlabelled = descriptor(OCI_MANIFEST);
    unlabelled["artifactType"] = "".into();
    assert_eq!(of(OCI_INDEX, &list(&[unlabelled])), Ok(Content::Judged));
    let mut foreign = descriptor(OCI_MANIFEST);
    foreign["urls"] = json!(["https://elsewhere.example/manifest"]);
    assert!(matches!(of(OCI_INDEX, &list(&[foreign])), Err(Fault::Forbidden(_))));
}

proptest! {
    #[test]
    fn bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        for kind in [OCI_MANIFEST, OCI_INDEX, DOCKER_LIST, "x"] {
            let _ = read(kind, &bytes, &[], &Limits::default());
        }
    }

    #[test]
    fn an_image_layer_anywhere_never_passes_unjudged(at in 0_usize..4, config in "[a-z/.+]{0,12}", kind in "[a-z/.+]{0,12}") {
        let mut layers = vec![kind.as_str(); 3];
        layers.insert(at, LAYER);
        let mut value = manifest(&config, &layers);
        value["artifactType"] = "application/vnd.example".into();
        prop_assert!(!matches!(of(OCI_MANIFEST, &value), Ok(Content::Inert | Content::Statements(_) | Content::Artifacts(_))));
    }
}
