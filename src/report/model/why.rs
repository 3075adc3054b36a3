//! What `plimsoll why` tells of one path, as `--format json` publishes it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ComponentReport, EntryReport, LocationReport, Schema, Tool};

/// Why a path is in an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Why {
    /// Version and address of this format.
    pub schema: Schema,
    /// The program that wrote it.
    pub tool: Tool,
    /// File name of the image or its reference, escaped.
    pub source: String,
    /// The image's name, escaped; null when it has none.
    pub reference: Option<String>,
    /// Operating system and architecture, escaped; null when unknown.
    pub platform: Option<String>,
    /// Number of the image's layers.
    pub layers: usize,
    /// The path that was asked for, absolute, escaped.
    pub asked: String,
    /// Whether the final filesystem has it; else it is in lower layers only, and all that follows is about its last version there.
    pub present: bool,
    /// What it is; its path is the one that was asked for with links among its folders followed.
    pub entry: EntryReport,
    /// Where it leads when it is a symbolic link.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub link: Option<LinkReport>,
    /// Other names of the same file (hard links), sorted, escaped, at most 20.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub names: Vec<String>,
    /// How many other names there are.
    pub name_count: u64,
    /// The layer that wrote it.
    pub written_by: WriterReport,
    /// Its earlier versions, base first: layers still ship them.
    pub earlier: Vec<VersionReport>,
    /// The layer that deleted it; null while it is there.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub deleted_by: Option<WriterReport>,
    /// The package that owns it; null when no package does, or it is a folder.
    pub package: Option<OwnerReport>,
    /// What it is part of beside the packages of the system: a distribution of Python, a package of npm and their like.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub component: Option<ComponentReport>,
    /// All files of the layer that wrote it that the final filesystem shows.
    pub layer_files: PartReport,
    /// What is in it when it is a folder.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub folder: Option<FolderReport>,
    /// Findings of checks that name it, or something in it when it is a folder; most severe first, at most 50.
    pub findings: Vec<NamedFinding>,
    /// What removing it would free.
    pub removal: RemovalReport,
}

/// Where a symbolic link leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LinkReport {
    /// Every link on the way, this one first.
    pub hops: Vec<HopReport>,
    /// What is at the end; null when it leads nowhere.
    pub end: Option<EntryReport>,
    /// The package that owns what is at the end: its name and version, escaped.
    pub package: Option<String>,
    /// Why it leads nowhere, one clause.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub problem: Option<String>,
}

/// One symbolic link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HopReport {
    /// Its path, escaped.
    pub path: String,
    /// Its target as written, escaped.
    pub target: String,
}

/// A layer and what made it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WriterReport {
    /// Index of the layer, the base is 0.
    pub layer: usize,
    /// The instruction, escaped; null when the history does not tell.
    pub instruction: Option<String>,
    /// `inherited` or `yours`; null when the base image is not known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub origin: Option<String>,
    /// The line of the Dockerfile, when one is known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub location: Option<LocationReport>,
}

/// What the path was for some layers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VersionReport {
    /// The layer that wrote it, and ships it.
    pub written_by: WriterReport,
    /// `file`, `dir`, `symlink`, `char`, `block` or `fifo`.
    pub r#type: String,
    /// Four octal digits.
    pub mode: String,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Bytes of a regular file.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub size: Option<u64>,
    /// What became of it: `deleted`, `replaced`, or `copied` (the same size with another mode or owner: chmod and chown copy).
    pub fate: String,
    /// The layer that did so.
    pub ended_by: usize,
}

/// The package that owns a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OwnerReport {
    /// The package.
    #[serde(flatten)]
    pub package: PackageReport,
    /// Its files in the final filesystem, this one included.
    pub files: PartReport,
    /// Why it is there: `asked-for`, `base` (of the base system), `needed` (other packages require it), `top` (nothing requires it,
    /// and nothing tells who asked for what), `left` (it came for another package, and none requires it now), or `unknown`.
    pub standing: String,
    /// Ways up to packages that were asked for, are of the base system, or are required by nothing: this package first, shortest
    /// first, at most 5. Of several that end in one package the shortest. Empty when it is such a package itself.
    pub chains: Vec<ChainReport>,
    /// There are more.
    pub more_chains: bool,
    /// Packages that require it directly.
    pub required_by: PackagesReport,
    /// Why it is not known which package requires which.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub problem: Option<String>,
}

/// A package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PackageReport {
    /// Name, escaped.
    pub name: String,
    /// Version, escaped.
    pub version: String,
    /// Architecture, escaped; may be empty.
    pub architecture: String,
}

/// A way from a package up to one that stands for itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChainReport {
    /// Names, escaped; each is required by the next.
    pub packages: Vec<String>,
    /// Why the last one is there: `asked-for`, `base` or `top`.
    pub root: String,
}

/// Some packages.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PackagesReport {
    /// How many.
    pub count: u64,
    /// Bytes of their files.
    pub bytes: u64,
    /// Names, escaped, sorted, at most 50.
    pub names: Vec<String>,
}

/// Some files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PartReport {
    /// How many; what is no directory counts.
    pub files: u64,
    /// Their bytes, hard links counted once.
    pub bytes: u64,
    /// The biggest of them.
    pub biggest: Vec<SizedFile>,
}

/// A file and its size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SizedFile {
    /// Path, escaped.
    pub path: String,
    /// Bytes.
    pub bytes: u64,
}

/// What is in a folder, at any depth.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FolderReport {
    /// All its files.
    pub files: PartReport,
    /// The layers that wrote them, heaviest first.
    pub layers: Vec<LayerShareReport>,
    /// Packages that own files in it, heaviest first, at most 10.
    pub owners: Vec<ShareReport>,
    /// How many packages own files in it.
    pub owner_count: u64,
    /// Files in it that no package owns.
    pub unowned: PartReport,
}

/// What one layer wrote of a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LayerShareReport {
    /// The layer.
    pub written_by: WriterReport,
    /// Its files in the folder.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// What one package owns of a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ShareReport {
    /// Its name, escaped.
    pub package: String,
    /// Its files in the folder.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// A finding that names a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NamedFinding {
    /// The check's id.
    pub check: String,
    /// How much it matters.
    pub severity: String,
    /// One sentence.
    pub message: String,
}

/// What removing a path would free, from the instruction that wrote it: removing it in a later layer frees nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RemovalReport {
    /// Bytes of the path alone: 0 for a link, and for a file that has another name.
    pub bytes: u64,
    /// Bytes that lower layers ship of its earlier versions, which stay.
    pub earlier_bytes: u64,
    /// With the whole package that owns it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub package: Option<PackageRemoval>,
}

/// What removing a package would free.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PackageRemoval {
    /// Bytes of its own files.
    pub bytes: u64,
    /// Packages that cannot stay without it, as they require it, directly or through others.
    pub dependents: PackagesReport,
    /// Packages that nothing needs once these are gone, and nobody asked for.
    pub orphans: PackagesReport,
    /// All of these together.
    pub total_bytes: u64,
}
