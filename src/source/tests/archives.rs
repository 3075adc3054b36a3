//! The rules of outer archives: members, links, both views.

use serde_json::json;

use super::build::*;
use crate::limits::Limits;
use crate::oci::Code;
use crate::source::members::clean;
use crate::source::{Kind, Request};

/// An archive as docker save up to 24 writes it; the config's name.
fn legacy(layers: &[&str], tags: &[&str]) -> (Files, String) {
    let mut files = Files::default();
    let mut scratch = Files::default();
    let manifest = scratch.manifest("amd64", layers);
    let digest = manifest["config"]["digest"].as_str().unwrap().to_owned();
    let hex = digest.strip_prefix("sha256:").unwrap().to_owned();
    let name = format!("{hex}.json");
    files.put(&name, scratch.0[&format!("blobs/sha256/{hex}")].clone());
    let members: Vec<String> = (0..layers.len()).map(|index| format!("{index}/layer.tar")).collect();
    for (member, layer) in members.iter().zip(layers) {
        files.put(member, layer.as_bytes());
    }
    files.put("manifest.json", json!([{"Config": name, "RepoTags": tags, "Layers": members}]).to_string());
    (files, name)
}

fn builder(files: &Files) -> tar::Builder<Vec<u8>> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in &files.0 {
        append(&mut builder, name, bytes);
    }
    builder
}

#[test]
fn an_archive_of_old_docker_is_read() {
    let (files, _) = legacy(&["a", "b"], &["app:1"]);
    let opened = open_bytes(&files.tar(), Request::default()).unwrap();
    assert_eq!((opened.kind(), opened.name()), (Kind::DockerArchive, "input"));
    let image = &opened.images()[0];
    assert!(image.errors.is_empty() && image.remarks.is_empty());
    assert_eq!(image.reference.as_deref(), Some("app:1"));
    assert_eq!(image.layers[1].blob.as_ref().unwrap().0, "1/layer.tar");
    let mut text = String::new();
    opened.open_blob(image.layers[1].blob.as_ref().unwrap()).unwrap().read_to_string(&mut text).unwrap();
    assert_eq!((text.as_str(), opened.blob_bytes(image.layers[1].blob.as_ref().unwrap())), ("b", Some(1)));
}

#[test]
fn names_of_members_are_cleaned() {
    assert_eq!(clean(b"./a//b/../c").as_deref(), Some("a/c"));
    assert_eq!(clean(b"/a").as_deref(), Some("a"));
    assert_eq!(clean(b"a/../../b"), None);
    let (files, _) = legacy(&["a"], &[]);
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in &files.0 {
        append(&mut builder, &format!("./{name}"), bytes);
    }
    assert_eq!(errors(open_bytes(&builder.into_inner().unwrap(), Request::default())), []);
}

#[test]
fn a_link_is_followed_once_and_inside_the_archive_only() {
    let (mut files, _) = legacy(&["a", "a"], &[]);
    files.0.remove("1/layer.tar").unwrap();
    let open_with = |target: &str, more: Option<(&str, &str)>| {
        let mut builder = builder(&files);
        append_link(&mut builder, tar::EntryType::Symlink, "1/layer.tar", target);
        if let Some((name, target)) = more {
            append_link(&mut builder, tar::EntryType::Symlink, name, target);
        }
        open_bytes(&builder.into_inner().unwrap(), Request::default())
    };
    let opened = open_with("../0/layer.tar", None).unwrap();
    assert_eq!(opened.images()[0].layers[0].blob, opened.images()[0].layers[1].blob);
    assert_eq!(errors(open_with("../../etc/passwd", None)), [Code::ArchiveLinkEscapes]);
    assert_eq!(errors(open_with("/etc/passwd", None)), [Code::ArchiveLinkEscapes]);
    assert_eq!(errors(open_with("../nowhere", None)), [Code::BlobMissing]);
    assert_eq!(errors(open_with("../hop", Some(("hop", "0/layer.tar")))), [Code::ArchiveMalformed]);
}

#[test]
fn members_that_readers_see_differently_are_refused() {
    let (files, _) = legacy(&["a"], &[]);
    let open_with = |add: &dyn Fn(&mut tar::Builder<Vec<u8>>)| {
        let mut builder = builder(&files);
        add(&mut builder);
        failure(open_bytes(&builder.into_inner().unwrap(), Request::default())).code()
    };
    assert_eq!(open_with(&|b| append(b, "./manifest.json", b"[]")), Code::ArchiveDuplicateMember);
    assert_eq!(open_with(&|b| append_link(b, tar::EntryType::Link, "x", "0/layer.tar")), Code::ArchiveMalformed);
    let mut cut = files.tar();
    cut.truncate(1_124);
    assert_eq!(failure(open_bytes(&cut, Request::default())).code(), Code::ArchiveMalformed);
}

#[test]
fn a_config_under_another_digest_s_name_is_marked() {
    let (mut files, name) = legacy(&["a"], &[]);
    let mut config = files.0[&name].clone();
    config.push(b' ');
    files.put(&name, config);
    assert_eq!(remarks(open_bytes(&files.tar(), Request::default())), [Code::ConfigNameMismatch]);
}

#[test]
fn several_images_need_a_name() {
    let (mut files, _) = legacy(&["a"], &[]);
    let (more, _) = legacy(&["a", "b"], &[]);
    files.0.extend(more.0);
    let config = |layers: &[&str]| legacy(layers, &[]).1;
    let images = json!([
        {"Config": config(&["a"]), "RepoTags": ["one:1"], "Layers": ["0/layer.tar"]},
        {"Config": config(&["a", "b"]), "RepoTags": null, "Layers": ["0/layer.tar", "1/layer.tar"]},
    ]);
    files.put("manifest.json", images.to_string());
    let error = failure(open_bytes(&files.tar(), Request::default()));
    assert_eq!(error.code(), Code::ArchiveSeveralImages);
    assert!(error.to_string().contains("one:1, sha256:"), "{error}");
    let pick = |image: &str| open_bytes(&files.tar(), Request { image: Some(image.into()), ..Request::default() });
    assert_eq!(pick("docker.io/library/one:1").unwrap().images()[0].layers.len(), 1);
    assert_eq!(pick(&config(&["a", "b"])[..12]).unwrap().images()[0].layers.len(), 2);
    assert_eq!(failure(pick("two")).code(), Code::ImageNotFound);
}

#[test]
fn both_views_of_an_archive_must_agree() {
    let mut files = Files::default();
    let manifest = files.manifest("amd64", &["good"]);
    let good = files.blob(MANIFEST, manifest.to_string());
    let evil = files.image("amd64", &["evil"]);
    let path = |digest: &serde_json::Value| digest.as_str().unwrap().replace("sha256:", "blobs/sha256/");
    let (config, layer) = (path(&manifest["config"]["digest"]), path(&manifest["layers"][0]["digest"]));
    files.put("manifest.json", json!([{"Config": config, "RepoTags": ["x:1"], "Layers": [layer]}]).to_string());
    files.index(std::slice::from_ref(&good));
    let opened = open_bytes(&files.tar(), Request::default()).unwrap();
    assert_eq!(opened.kind(), Kind::DockerArchive);
    assert_eq!(opened.images()[0].reference.as_deref(), Some("x:1"));
    assert!(opened.images()[0].layers[0].digest.is_some(), "the index's descriptors are kept");
    files.index(std::slice::from_ref(&evil));
    assert_eq!(failure(open_bytes(&files.tar(), Request::default())).code(), Code::ArchiveAmbiguous);
    files.index(&[good.clone(), evil]);
    assert_eq!(failure(open_bytes(&files.tar(), Request::default())).code(), Code::ArchiveAmbiguous);
    files.index(&[]);
    assert_eq!(errors(open_bytes(&files.tar(), Request::default())), [], "docker save of an untagged image");
    files.index(&[good]);
    files.put("other", "good");
    files.put("manifest.json", json!([{"Config": config, "RepoTags": ["x:1"], "Layers": ["other"]}]).to_string());
    assert_eq!(failure(open_bytes(&files.tar(), Request::default())).code(), Code::ArchiveAmbiguous);
}

#[test]
fn members_are_counted() {
    let (files, _) = legacy(&["a"], &[]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.tar");
    #[expect(clippy::disallowed_methods, reason = "a scratch folder")]
    std::fs::write(&path, files.tar()).unwrap();
    let limits = Limits { archive_members: 2, ..Limits::default() };
    let request = Request { input: path, ..Request::default() };
    let error = failure(crate::source::open(&request, &mut Visits::default(), &limits));
    assert_eq!(error.code(), Code::LimitExceeded);
}
