//! A recipe as the containers it is made for: an OCI layout folder, the same as a tar, a docker-save tar.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::Recipe;
use super::graph::Graph;

/// A member of a docker-save tar, where the usual ones will not do. Strings may hold `$NAME`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ArchiveMember {
    path: String,
    #[serde(default)]
    text: Option<String>,
    /// A blob as it is stored.
    #[serde(default)]
    blob: Option<String>,
    /// A layer's uncompressed tar.
    #[serde(default)]
    tar: Option<String>,
    /// A symbolic link.
    #[serde(default)]
    link: Option<String>,
}

/// Members of a container by path.
type Members = Vec<(String, Content)>;

enum Content {
    Bytes(Vec<u8>),
    Link(String),
}

/// Writes every container of `recipe` below `folder`; returns their paths.
pub(crate) fn write(recipe: &Recipe, folder: &Path) -> Vec<PathBuf> {
    let mut written = Vec::new();
    if recipe.is_for("oci") {
        let members = oci(recipe);
        let layout = folder.join("oci");
        for (path, content) in &members {
            let Content::Bytes(bytes) = content else { unreachable!("layouts have no links") };
            let path = layout.join(path);
            std::fs::create_dir_all(path.parent().expect("members lie in the layout")).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        std::fs::write(folder.join("oci.tar"), tar(&members)).unwrap();
        written.extend([layout, folder.join("oci.tar")]);
    }
    if recipe.is_for("docker") {
        std::fs::write(folder.join("docker.tar"), docker_archive(recipe)).unwrap();
        written.push(folder.join("docker.tar"));
    }
    written
}

/// The docker-save tar of a recipe.
pub(crate) fn docker_archive(recipe: &Recipe) -> Vec<u8> {
    tar(&docker(recipe))
}

/// The OCI archive of a recipe.
pub(crate) fn oci_archive(recipe: &Recipe) -> Vec<u8> {
    tar(&oci(recipe))
}

fn oci(recipe: &Recipe) -> Members {
    let graph = Graph::new(recipe);
    let index = graph.index();
    let mut members = vec![
        ("oci-layout".to_owned(), Content::Bytes(br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec())),
        ("index.json".to_owned(), Content::Bytes(index.into_bytes())),
    ];
    for blob in graph.made() {
        if let Some(bytes) = blob.stored {
            members.push((format!("blobs/{}", blob.digest.replace(':', "/")), Content::Bytes(bytes)));
        }
    }
    members.sort_by(|a, b| a.0.cmp(&b.0));
    members.dedup_by(|a, b| a.0 == b.0);
    members
}

fn docker(recipe: &Recipe) -> Members {
    let graph = Graph::new(recipe);
    if !recipe.member.is_empty() {
        return recipe.member.iter().map(|member| (graph.fill(&member.path), content(member, &graph))).collect();
    }
    let config = graph.blob("config");
    let config_name = graph.fill("$config.hex.json");
    let names: Vec<String> = (0..recipe.layer.len()).map(|index| format!("layer{index}")).collect();
    let listed: Vec<String> = names.iter().map(|name| format!(r#""{name}/layer.tar""#)).collect();
    let manifest =
        format!(r#"[{{"Config":"{config_name}","RepoTags":["localhost/edge:edge"],"Layers":[{}]}}]"#, listed.join(","));
    let mut members = vec![(config_name, Content::Bytes(config.bytes))];
    members.extend(names.iter().map(|name| (format!("{name}/layer.tar"), Content::Bytes(graph.blob(name).tar))));
    members.push(("manifest.json".to_owned(), Content::Bytes(manifest.into_bytes())));
    members
}

fn content(member: &ArchiveMember, graph: &Graph<'_>) -> Content {
    let ArchiveMember { text, blob, tar, link, .. } = member;
    match (text, blob, tar, link) {
        (Some(text), None, None, None) => Content::Bytes(graph.fill(text).into_bytes()),
        (None, Some(name), None, None) => Content::Bytes(graph.blob(name).bytes),
        (None, None, Some(name), None) => Content::Bytes(graph.blob(name).tar),
        (None, None, None, Some(target)) => Content::Link(graph.fill(target)),
        _ => panic!("member {} needs one of text, blob, tar, link", member.path),
    }
}

fn tar(members: &Members) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, content) in members {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        match content {
            Content::Bytes(bytes) => {
                header.set_size(bytes.len() as u64);
                builder.append_data(&mut header, path, Cursor::new(bytes)).unwrap();
            }
            Content::Link(target) => {
                header.set_entry_type(tar::EntryType::Symlink);
                header.set_size(0);
                builder.append_link(&mut header, path, target).unwrap();
            }
        }
    }
    builder.into_inner().unwrap()
}
