//! The rules of the graph, on layout folders.

use serde_json::{Value, json};

use super::build::*;
use crate::oci::Code;
use crate::source::{Kind, Request};

/// The only image's errors, after `change` was made to its manifest.
fn errors_of(change: impl FnOnce(&mut Files, &mut Value)) -> Vec<Code> {
    errors(open_changed(change))
}

fn open_changed(change: impl FnOnce(&mut Files, &mut Value)) -> Opening {
    let mut files = Files::default();
    let mut manifest = files.manifest("amd64", &["one", "two"]);
    change(&mut files, &mut manifest);
    let image = files.blob(MANIFEST, manifest.to_string());
    files.index(&[image]);
    open_layout(&files, Request::default())
}

#[test]
fn a_sound_image_has_no_errors_and_its_layers_in_order() {
    let source = open_changed(|_, _| {}).unwrap();
    assert_eq!(source.kind(), Kind::OciLayout);
    let image = &source.images()[0];
    assert!(image.errors.is_empty() && image.remarks.is_empty(), "{image:?}");
    assert_eq!(image.layers.len(), 2);
    assert_eq!(image.layers[0].diff_id.0, image.layers[0].digest.as_ref().unwrap().0);
    assert_ne!(image.layers[0].blob, image.layers[1].blob);
}

#[test]
fn annotations_are_those_of_the_manifest_and_of_its_entry_in_the_index() {
    let mut files = Files::default();
    let mut manifest = files.manifest("amd64", &["one"]);
    manifest["annotations"] = json!({"revision": "1", "none": null, "both": "manifest"});
    let image = files.blob(MANIFEST, manifest.to_string());
    let mut image = named(image, "edge");
    image["annotations"]["both"] = json!("entry");
    files.index(&[image]);
    let source = open_layout(&files, Request::default()).unwrap();
    let expected = [("both", "manifest"), ("org.opencontainers.image.ref.name", "edge"), ("revision", "1")];
    let annotations = &source.images()[0].annotations;
    assert!(annotations.iter().map(|(name, value)| (name.as_str(), value.as_str())).eq(expected), "{annotations:?}");
}

#[test]
fn what_a_descriptor_says_of_a_layer_is_checked() {
    assert_eq!(errors_of(|_, m| m["layers"][1]["size"] = json!(4)), [Code::SizeMismatch]);
    assert_eq!(errors_of(|files, m| files.remove(&m["layers"][0])), [Code::BlobMissing]);
    assert_eq!(errors_of(|_, m| m["layers"][0]["digest"] = json!("sha256:../../index.json")), [Code::DigestMalformed]);
    assert_eq!(errors_of(|_, m| m["layers"][0]["mediaType"] = json!(format!("{LAYER}+gzip+encrypted"))), [Code::LayerMediaType]);
    assert_eq!(errors_of(|_, m| m["layers"][0]["mediaType"] = json!("application/vnd.erofs.layer.v1")), [Code::LayerMediaType]);
    assert_eq!(errors_of(|_, m| m["layers"][0]["data"] = json!("b25l")), []);
    assert_eq!(errors_of(|_, m| m["layers"][0]["data"] = json!("dHdv")), [Code::DescriptorDataMismatch]);
    assert_eq!(errors_of(|_, m| drop(m["layers"].as_array_mut().unwrap().pop())), [Code::DiffIdsCount]);
}

#[test]
fn an_encrypted_or_erofs_layer_is_named() {
    let opened = open_changed(|_, m| m["layers"][0]["mediaType"] = json!("application/vnd.erofs.layer.v1")).unwrap();
    assert!(opened.images()[0].errors[0].to_string().contains("EROFS"));
}

#[test]
fn what_is_no_image_is_told_from_one() {
    let helm = json!("application/vnd.cncf.helm.config.v1+json");
    assert_eq!(errors_of(|_, m| m["config"]["mediaType"] = helm), [Code::NotAnImage]);
    assert_eq!(errors_of(|_, m| *m = json!({"schemaVersion": 1, "fsLayers": []})), [Code::NotAnImage]);
    assert_eq!(errors_of(|_, m| m["manifests"] = json!([])), [Code::ManifestAmbiguous]);
    assert_eq!(errors_of(|_, m| m["mediaType"] = json!(INDEX)), [Code::ManifestAmbiguous]);
}

#[test]
fn documents_are_verified() {
    let digest = |files: &mut Files, m: &Value| {
        let name = format!("blobs/sha256/{}", m["config"]["digest"].as_str().unwrap().strip_prefix("sha256:").unwrap());
        let bytes = files.0.get_mut(&name).unwrap();
        let changed = String::from_utf8(bytes.clone()).unwrap().replace("amd64", "arm64");
        *bytes = changed.into_bytes();
    };
    assert_eq!(errors_of(|files, m| digest(files, m)), [Code::DigestMismatch]);
    assert_eq!(errors_of(|_, m| m["config"]["size"] = json!(1)), [Code::SizeMismatch]);
    assert_eq!(errors_of(|files, m| files.remove(&m["config"])), [Code::BlobMissing]);
    assert_eq!(errors_of(|_, m| m["config"]["data"] = json!("e30=")), [Code::DescriptorDataMismatch]);
    assert_eq!(errors_of(|_, m| m["Layers"] = json!([])), [Code::JsonCaseVariantKey]);
}

#[test]
fn oddities_of_layers_are_remarks() {
    let kind = json!("application/vnd.oci.image.layer.nondistributable.v1.tar");
    assert_eq!(remarks(open_changed(|_, m| m["layers"][0]["mediaType"] = kind)), [Code::LayerNondistributable]);
    let kind = json!("application/vnd.docker.image.rootfs.diff.tar");
    assert_eq!(remarks(open_changed(|_, m| m["layers"][0]["mediaType"] = kind)), [Code::MediaTypesMixed]);
    let toc = json!({"containerd.io/snapshot/stargz/toc.digest": "sha256:x"});
    assert_eq!(remarks(open_changed(|_, m| m["layers"][0]["annotations"] = toc)), [Code::LazyTocUnchecked]);
}

#[test]
fn the_index_s_platform_is_compared_with_the_config_s() {
    let mut files = Files::default();
    let image = files.image("arm64", &["a"]);
    files.index(&[on(image.clone(), "amd64")]);
    assert_eq!(remarks(open_layout(&files, Request::default())), [Code::PlatformMismatch]);
    let mut v8 = on(image, "arm64");
    v8["platform"]["variant"] = json!("v8");
    files.index(&[v8]);
    assert_eq!(remarks(open_layout(&files, Request::default())), []);
}

#[test]
fn two_images_for_one_platform_are_both_read_and_marked() {
    let mut files = Files::default();
    let images = [files.image("amd64", &["a"]), files.image("amd64", &["b"])];
    files.index(&images.clone().map(|image| on(image, "amd64")));
    assert_eq!(remarks(open_layout(&files, Request::default())), [Code::IndexAmbiguousPlatform; 2]);
    let platform = Some("linux/amd64".parse().unwrap());
    assert_eq!(
        remarks(open_layout(&files, Request { platforms: platform.into_iter().collect(), ..Request::default() })),
        [Code::IndexAmbiguousPlatform]
    );
    let [a, b] = images;
    files.index(&[named(a.clone(), "a"), named(b, "b"), named(a, "c")]);
    let opened = open_layout(&files, Request::default());
    assert_eq!(opened.as_ref().map(|source| source.images().len()).ok(), Some(2), "a manifest listed twice counts once");
    assert_eq!(remarks(opened), []);
}

#[test]
fn one_of_several_images_is_picked_by_tag_digest_or_platform() {
    let mut files = Files::default();
    let (amd, arm) = (files.image("amd64", &["a"]), files.image("arm64", &["b"]));
    let nested = files.nested(&[on(amd.clone(), "amd64"), on(arm, "arm64")]);
    let other = files.image("amd64", &["c"]);
    files.index(&[named(nested.clone(), "localhost/app:1"), named(other, "docker.io/library/debian:latest")]);
    let pick = |image: Option<&str>, platform: Option<&str>| {
        let platform = platform.map(|platform| platform.parse().unwrap());
        let opened = open_layout(
            &files,
            Request { image: image.map(str::to_owned), platforms: platform.into_iter().collect(), ..Request::default() },
        );
        opened.map(|source| source.images().len()).map_err(|error| (error.code(), error.to_string()))
    };
    assert_eq!(pick(None, None), Ok(3));
    assert_eq!(pick(Some("localhost/app:1"), None), Ok(2));
    assert_eq!(pick(Some("localhost/app:1"), Some("linux/arm64/v8")), Ok(1));
    assert_eq!(pick(Some("debian"), None), Ok(1));
    assert_eq!(pick(Some("docker.io/library/debian:latest"), None), Ok(1));
    assert_eq!(pick(nested["digest"].as_str(), None), Ok(2));
    let digest = amd["digest"].as_str().unwrap();
    assert_eq!(pick(Some(&digest[..20]), None), Ok(1));
    assert_eq!(pick(Some(&digest[7..15]), None), Ok(1));
    let (code, message) = pick(Some("debian:12"), None).unwrap_err();
    assert_eq!(code, Code::ImageNotFound);
    assert!(message.contains("--image: docker.io/library/debian:latest, localhost/app:1"), "{message}");
    let (code, message) = pick(None, Some("linux/s390x")).unwrap_err();
    assert_eq!(code, Code::ImageNotFound);
    assert!(message.contains("--platform: linux/amd64, linux/arm64"), "{message}");
}

#[test]
fn an_older_variant_of_arm_is_picked_where_the_one_asked_for_is_absent() {
    let mut files = Files::default();
    let variants = [("v5", "a"), ("v6", "b"), ("v7", "c")].map(|(variant, layer)| {
        let mut descriptor = on(files.image("arm", &[layer]), "arm");
        descriptor["platform"]["variant"] = json!(variant);
        descriptor
    });
    let pick = |files: &Files, asked: &str| {
        let opened = open_layout(files, Request { platforms: vec![asked.parse().unwrap()], ..Request::default() });
        let images = opened.map_err(|error| error.code())?;
        assert_eq!(images.images().len(), 1, "{asked}");
        Ok::<_, Code>(images.images()[0].index_platform.clone().unwrap().to_string())
    };
    files.index(&variants);
    assert_eq!(pick(&files, "linux/arm").as_deref(), Ok("linux/arm/v7"));
    assert_eq!(pick(&files, "linux/arm/v8").as_deref(), Ok("linux/arm/v7"));
    assert_eq!(pick(&files, "linux/arm/v6").as_deref(), Ok("linux/arm/v6"));
    files.index(&variants[..2]);
    assert_eq!(pick(&files, "linux/arm").as_deref(), Ok("linux/arm/v6"));
    assert_eq!(pick(&files, "linux/arm/v5").as_deref(), Ok("linux/arm/v5"));
    files.index(&variants[1..2]);
    assert_eq!(pick(&files, "linux/arm/v5"), Err(Code::ImageNotFound));
    assert_eq!(pick(&files, "linux/arm64"), Err(Code::ImageNotFound));
}

#[test]
fn indexes_nest_four_deep() {
    let mut files = Files::default();
    let mut descriptor = files.image("amd64", &["a"]);
    for _ in 0..3 {
        descriptor = files.nested(&[descriptor]);
    }
    files.index(&[descriptor.clone()]);
    assert_eq!(errors(open_layout(&files, Request::default())), []);
    let deeper = files.nested(&[descriptor]);
    files.index(&[deeper]);
    assert_eq!(errors(open_layout(&files, Request::default())), [Code::IndexTooDeep]);
}

#[test]
fn a_platform_that_is_absent_beside_one_that_is_there_is_a_remark() {
    let mut files = Files::default();
    let (amd, arm) = (files.image("amd64", &["a"]), files.image("arm64", &["b"]));
    let nested = files.nested(&[on(amd.clone(), "amd64"), on(arm.clone(), "arm64")]);
    files.index(&[nested]);
    files.remove(&arm);
    assert_eq!(remarks(open_layout(&files, Request::default())), [Code::IndexEntryNotExamined]);
    files.remove(&amd);
    let opened = open_layout(&files, Request::default()).unwrap();
    let codes: Vec<_> = opened.images().iter().map(|image| image.errors[0].code()).collect();
    assert_eq!(codes, [Code::BlobMissing; 2]);
}

#[test]
fn an_error_of_one_image_is_not_the_other_s() {
    let mut files = Files::default();
    let (amd, mut arm) = (files.image("amd64", &["a"]), files.image("arm64", &["b"]));
    arm["digest"] = json!("sha256:short");
    let odd = json!({"mediaType": "application/example", "digest": amd["digest"], "size": amd["size"]});
    files.index(&[arm, amd, odd.clone()]);
    let opened = open_layout(&files, Request::default()).unwrap();
    assert_eq!(opened.images()[0].errors[0].code(), Code::DigestMalformed);
    assert!(opened.images()[1].errors.is_empty());
    files.index(&[odd]);
    let error = failure(open_layout(&files, Request::default()));
    assert_eq!(error.code(), Code::NotAnImage);
    assert!(error.to_string().contains("application/example"), "{error}");
    files.index(&[]);
    assert_eq!(failure(open_layout(&files, Request::default())).code(), Code::NotAnImage);
}

#[test]
fn an_attestation_is_one_by_all_three_marks_only() {
    let mut files = Files::default();
    let image = files.image("amd64", &["a"]);
    let statement = files.blob("application/vnd.in-toto+json", r#"{"_type":"https://in-toto.io/Statement/v1"}"#);
    let mut manifest = files.manifest("unknown", &[]);
    manifest["layers"] = json!([statement]);
    let descriptor = files.blob(MANIFEST, manifest.to_string());
    files.index(&[on(image.clone(), "amd64"), attestation_of(descriptor.clone(), &image)]);
    let opened = open_layout(&files, Request::default()).unwrap();
    assert_eq!(opened.images().len(), 1);
    assert_eq!(opened.images()[0].attestations, [br#"{"_type":"https://in-toto.io/Statement/v1"}"#]);
    assert!(opened.images()[0].errors.is_empty());

    let mut lacks_platform = attestation_of(descriptor.clone(), &image);
    lacks_platform["platform"] = json!({"os": "linux", "architecture": "amd64"});
    let mut lacks_annotation = attestation_of(descriptor, &image);
    lacks_annotation["annotations"] = json!({});
    let hidden = files.image("riscv64", &["hidden"]);
    let lacks_layers = attestation_of(hidden, &image);
    for disguised in [lacks_platform, lacks_annotation, lacks_layers] {
        files.index(&[on(image.clone(), "amd64"), disguised]);
        assert_eq!(open_layout(&files, Request::default()).unwrap().images().len(), 2);
    }
}
