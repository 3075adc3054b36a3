//! From the name of a policy to the [`Policy`]: read, extended, verified.
//!
//! This room does no I/O: the caller reads the files, and bounds them.

use std::path::Path;

use serde::Deserialize as _;

use super::chain::{Chain, Origin};
use super::effective::Effective;
use super::error::PolicyError;
use super::file::PolicyFile;
use super::place::Place;
use super::resolve;
use super::{Policy, Rule};

/// Reads a policy file: its text, or why it cannot be read.
pub type Read<'r> = dyn FnMut(&Path) -> Result<String, String> + 'r;

/// Whether the expression of an own rule can be understood; what is wrong with it otherwise.
pub type Compile = fn(&Rule) -> Result<(), String>;

/// A policy, and where its values come from.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// The policy.
    pub policy: Policy,
    /// Its values with their places.
    pub effective: Effective,
}

/// Loads a shipped policy by its name, or a file by its path (which ends with `.toml` or holds a slash), with all that it extends.
///
/// Err tells everything that is wrong once every file can be read and understood by itself, and else the first such fault.
pub fn load(name_or_path: &str, read: &mut Read<'_>, compile: Compile) -> Result<Loaded, Vec<PolicyError>> {
    let origin = Origin::of(name_or_path, None);
    let mut chain = Chain::new(read);
    chain.lay(&origin, None, 1).map_err(|error| vec![error])?;
    let Chain { texts, merged, .. } = chain;
    let default_name = match &origin {
        Origin::Shipped(name) => name.clone(),
        Origin::File(path) => path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
    };
    let malformed = |problem: String| vec![PolicyError::Malformed { place: Place::start_of(&origin.name()), problem }];
    let tree = merged.ok_or_else(|| malformed("there is nothing here".to_owned()))?;
    // every file was held by the same structs: what is laid over one another is too
    let file = PolicyFile::deserialize(tree.to_json()).map_err(|error| malformed(error.to_string()))?;
    let policy = resolve::resolve(file, &tree, &texts, default_name, compile)?;
    Ok(Loaded { policy, effective: Effective::new(tree, &texts) })
}

impl Policy {
    /// A shipped policy, by its name: `default`, `strict`, `admission`, `cis-docker`.
    pub fn shipped(name: &str) -> Result<Self, PolicyError> {
        let mut no_file = |_: &Path| Err("a shipped policy extends only shipped ones".to_owned());
        load(name, &mut no_file, |_| Ok(())).map(|loaded| loaded.policy).map_err(|errors| {
            let unknown = || PolicyError::UnknownPolicy { place: None, name: name.to_owned(), advice: String::new() };
            errors.into_iter().next().unwrap_or_else(unknown)
        })
    }
}
