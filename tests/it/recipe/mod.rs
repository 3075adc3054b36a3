//! Recipes: small texts in `testdata/hostile` that say which bytes make an image, and what is to be said of it.
//! `testdata/README.md` describes the fields.

mod compress;
mod container;
mod expect;
mod graph;
mod tar;
mod text;

use std::path::{Path, PathBuf};

use serde::Deserialize;

pub(crate) use container::{docker_archive, oci_archive, write};
pub(crate) use expect::{Expect, User, Verdict, lines};
pub(crate) use graph::hex;

/// One case.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Recipe {
    /// File name without its ending.
    #[serde(skip)]
    pub(crate) name: String,
    /// One or two sentences: what is odd, and who is fooled.
    #[expect(dead_code, reason = "for readers of the recipe; required")]
    about: String,
    /// `oci`, `docker`, or both.
    containers: Vec<String>,
    #[serde(default)]
    config: Config,
    #[serde(default)]
    layer: Vec<graph::Layer>,
    #[serde(default)]
    document: Vec<graph::Document>,
    #[serde(default)]
    member: Vec<container::ArchiveMember>,
    pub(crate) expect: Expect,
}

/// What the usual image config says.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    user: Option<String>,
    architecture: Option<String>,
    /// More JSON for the `config` object, beginning with a comma.
    extra: String,
}

impl Recipe {
    /// Whether it is to be tried in this kind of container.
    pub(crate) fn is_for(&self, kind: &str) -> bool {
        self.containers.iter().any(|container| container == kind)
    }

    /// Digests of the uncompressed layers.
    pub(crate) fn diff_ids(&self) -> Vec<String> {
        let graph = graph::Graph::new(self);
        (0..self.layer.len())
            .map(|index| {
                let tar = graph.blob(&format!("layer{index}")).tar;
                hex(&<sha2::Sha256 as sha2::Digest>::digest(&tar))
            })
            .collect()
    }
}

/// The folder of the recipes.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/hostile")
}

/// Every recipe, by name.
pub(crate) fn all() -> Vec<Recipe> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "toml"))
        .collect();
    paths.sort();
    paths.iter().map(|path| read(path)).collect()
}

/// The recipe called `name`.
pub(crate) fn named(name: &str) -> Recipe {
    read(&folder().join(format!("{name}.toml")))
}

/// The recipe of `testdata/checks` on which a check `fires` or is `silent`.
pub(crate) fn of_check(id: &str, kind: &str) -> Recipe {
    read(&folder().join(format!("../checks/{id}.{kind}.toml")))
}

/// The recipe that `text` is.
pub(crate) fn of_text(text: &str) -> Recipe {
    toml::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn read(path: &Path) -> Recipe {
    let text = std::fs::read_to_string(path).unwrap();
    let mut recipe: Recipe = toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    path.file_stem().unwrap().to_str().unwrap().clone_into(&mut recipe.name);
    recipe
}
