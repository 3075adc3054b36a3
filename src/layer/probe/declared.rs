//! What a file says of the software that it describes: `package.json` of npm, `METADATA` and `PKG-INFO` of Python, `*.deps.json` of .NET,
//! `installed.json` of Composer. Read when the last byte has streamed by, so that names and versions are kept and bodies are not.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::limits::Limits;

/// Bytes at the start of Python's metadata that hold name and version, which stand before the description.
const HEADER_BYTES: usize = 64 * 1024;

/// Longest name and longest version that are taken.
const MOST_NAME_BYTES: usize = 1_024;

/// What a file says of the software that it describes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declared {
    /// The software that it names: one, or what others list, in the file's order.
    pub named: Vec<Named>,
    /// Why that is not all, one clause.
    pub fault: Option<Box<str>>,
}

/// A name with a version.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Named {
    /// As it is written.
    pub name: Box<str>,
    /// As it is written; None when the file names none.
    pub version: Option<Box<str>>,
}

/// The forms of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// npm's `package.json`.
    Npm,
    /// Core metadata of Python (PEP 566): headers as of mail.
    Python,
    /// .NET's `*.deps.json`.
    DotNet,
    /// Composer's `vendor/composer/installed.json`.
    Composer,
}

fn form(path: &[u8]) -> Option<Form> {
    let slash = path.iter().rposition(|byte| *byte == b'/')?;
    let (folder, name) = path.split_at_checked(slash)?;
    match name.get(1..)? {
        b"package.json" => Some(Form::Npm),
        b"METADATA" if folder.ends_with(b".dist-info") => Some(Form::Python),
        b"PKG-INFO" if folder.ends_with(b".egg-info") || folder.ends_with(b"/EGG-INFO") => Some(Form::Python),
        b"installed.json" if folder.ends_with(b"/composer") => Some(Form::Composer),
        name if name.ends_with(b".egg-info") => Some(Form::Python),
        name if name.ends_with(b".deps.json") => Some(Form::DotNet),
        _ => None,
    }
}

/// Collects one file after the other; its buffer is used again.
#[derive(Debug, Default)]
pub(super) struct DeclaredProbe {
    form: Option<Form>,
    /// Why it is not read.
    refused: Option<Box<str>>,
    bytes: Vec<u8>,
}

impl DeclaredProbe {
    /// A file begins.
    pub(super) fn start(&mut self, path: &[u8], size: u64, limits: &Limits) {
        self.form = form(path);
        self.bytes.clear();
        let is_whole = self.form.is_some_and(|form| form != Form::Python);
        self.refused = if is_whole { limits.declared_bytes(size).err().map(|hit| hit.to_string().into()) } else { None };
    }

    /// Whether further bytes are wanted.
    pub(super) fn is_active(&self) -> bool {
        let is_full = self.form == Some(Form::Python) && self.bytes.len() >= HEADER_BYTES;
        self.form.is_some() && self.refused.is_none() && !is_full
    }

    /// Its next bytes.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        if self.is_active() {
            self.bytes.extend_from_slice(bytes);
        }
    }

    /// The file is complete.
    pub(super) fn finish(&mut self) -> Option<Box<Declared>> {
        let form = self.form.take()?;
        if let Some(fault) = self.refused.take() {
            return Some(Box::new(Declared { named: Vec::new(), fault: Some(fault) }));
        }
        let text = self.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&self.bytes);
        let declared = match form {
            Form::Npm => npm(text),
            Form::Python => python(text.get(..HEADER_BYTES).unwrap_or(text)),
            Form::DotNet => dot_net(text),
            Form::Composer => composer(text),
        };
        Some(Box::new(declared.unwrap_or_else(|error| Declared {
            named: Vec::new(),
            fault: Some(format!("it is malformed JSON at line {}", error.line()).into()),
        })))
    }
}

/// Adds a name; what is longer than any real one is a fault.
fn add(declared: &mut Declared, name: &str, version: Option<&str>) {
    if name.is_empty() {
        return;
    }
    if name.len() > MOST_NAME_BYTES || version.is_some_and(|version| version.len() > MOST_NAME_BYTES) {
        declared.fault = Some(format!("a name or version is longer than {MOST_NAME_BYTES} bytes").into());
        return;
    }
    let version = version.filter(|version| !version.is_empty()).map(Into::into);
    declared.named.push(Named { name: name.into(), version });
}

#[derive(Deserialize)]
struct NpmPackage {
    name: Option<Value>,
    version: Option<Value>,
}

fn npm(text: &[u8]) -> serde_json::Result<Declared> {
    let package: NpmPackage = serde_json::from_slice(text)?;
    let mut declared = Declared::default();
    let name = package.name.as_ref().and_then(Value::as_str).unwrap_or_default();
    add(&mut declared, name, package.version.as_ref().and_then(Value::as_str));
    Ok(declared)
}

#[derive(Deserialize)]
struct DotNetDependencies {
    #[serde(default)]
    libraries: BTreeMap<String, DotNetLibrary>,
}

#[derive(Deserialize)]
struct DotNetLibrary {
    r#type: Option<String>,
}

/// The packages of NuGet; `project` is the application itself, `runtimepack` a framework that it carries.
fn dot_net(text: &[u8]) -> serde_json::Result<Declared> {
    let dependencies: DotNetDependencies = serde_json::from_slice(text)?;
    let mut declared = Declared::default();
    for (library, what) in &dependencies.libraries {
        if matches!(what.r#type.as_deref(), Some("package" | "runtimepack")) {
            let (name, version) = library.split_once('/').unwrap_or((library, ""));
            add(&mut declared, name, Some(version));
        }
    }
    Ok(declared)
}

#[derive(Deserialize)]
struct ComposerPackage {
    name: Option<String>,
    version: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum ComposerPackages {
    /// Composer 2.
    Object { packages: Vec<ComposerPackage> },
    /// Composer 1.
    List(Vec<ComposerPackage>),
}

fn composer(text: &[u8]) -> serde_json::Result<Declared> {
    let (ComposerPackages::Object { packages } | ComposerPackages::List(packages)) = serde_json::from_slice(text)?;
    let mut declared = Declared::default();
    for package in &packages {
        add(&mut declared, package.name.as_deref().unwrap_or_default(), package.version.as_deref());
    }
    Ok(declared)
}

/// `Name` and `Version` of the headers, which end at an empty line.
#[expect(clippy::unnecessary_wraps, reason = "as of the other forms")]
fn python(text: &[u8]) -> serde_json::Result<Declared> {
    let mut declared = Declared::default();
    let (mut name, mut version) = (None, None);
    for line in text.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() || (name.is_some() && version.is_some()) {
            break;
        }
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let (key, value) = line.split_at_checked(colon).unwrap_or_default();
        let value = std::str::from_utf8(value.get(1..).unwrap_or_default()).ok().map(str::trim);
        if key.eq_ignore_ascii_case(b"name") {
            name = name.or(value);
        } else if key.eq_ignore_ascii_case(b"version") {
            version = version.or(value);
        }
    }
    match name.filter(|name| !name.is_empty()) {
        Some(name) => add(&mut declared, name, version),
        None => declared.fault = Some("it names no name".into()),
    }
    Ok(declared)
}

#[cfg(test)]
#[path = "declared_tests.rs"]
mod tests;
