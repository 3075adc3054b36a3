//! What is installed beside the packages of the operating system.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A distribution of Python, a package of npm, a Java runtime, a module of a Go program and their like.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ComponentReport {
    /// `python-distribution`, `python-environment`, `python-bytecode`, `npm-package`, `java-runtime`, `java-archive`, `go-module`,
    /// `rust-program`, `dotnet-framework`, `dotnet-sdk`, `nuget-package`, `ruby-gem`, `composer-package`; others may come.
    pub kind: String,
    /// As it calls itself, else as its folder or file is called; escaped.
    pub name: String,
    /// As it says, escaped; absent when nothing tells.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub version: Option<String>,
    /// The folder or file that tells of it: absolute in the image, escaped.
    pub path: String,
    /// Index of the layer that last wrote what tells of it.
    pub layer: usize,
    /// Bytes of its files; absent where it has none of its own, or nothing lists them.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub bytes: Option<u64>,
    /// The package of the operating system that owns what tells of it, escaped; absent when none does.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub package: Option<String>,
    /// What else is known, by name, escaped; absent when nothing is.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub details: BTreeMap<String, String>,
    /// What could not be read of it; absent when all was.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub problem: Option<String>,
}
