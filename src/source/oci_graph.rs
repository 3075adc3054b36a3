//! The graph from `index.json` down to the image manifests: nested indexes, attestations, what is skipped and why.

use std::collections::{BTreeMap, BTreeSet};

use super::candidate::{Candidate, empty_record};
use super::members::{Members, read_all};
use super::oci_image::{self, DOCKER_MANIFEST, OCI_MANIFEST};
use super::verified::{self, json_error, wrong};
use super::{Error, ImageRecord};
use crate::limits::Limits;
use crate::oci::document::{self, Descriptor, Graph};
use crate::oci::{BlobDigest, Code, Place, Platform, Remark, escape_text, json};

const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
/// What an image's graph is made of.
#[cfg(feature = "registry")]
pub(super) const MANIFEST_TYPES: [&str; 4] = [OCI_INDEX, OCI_MANIFEST, DOCKER_LIST, DOCKER_MANIFEST];
/// The annotation that bears an image's name in a layout.
pub(super) const REF_NAME: &str = "org.opencontainers.image.ref.name";
const SCHEMA_1: &str = "application/vnd.docker.distribution.manifest.v1+json";
const SCHEMA_1_SIGNED: &str = "application/vnd.docker.distribution.manifest.v1+prettyjws";
const REFERENCE_TYPE: &str = "vnd.docker.reference.type";
const REFERENCE_DIGEST: &str = "vnd.docker.reference.digest";
const IN_TOTO: &str = "application/vnd.in-toto+json";

/// The images of an index, and what was not examined.
#[derive(Debug, Default)]
pub(super) struct Walked {
    pub(super) candidates: Vec<Candidate>,
    pub(super) remarks: Vec<Remark>,
}

/// An entry of an index that waits.
struct Task {
    entry: Result<Descriptor, json::Error>,
    depth: u64,
    group: usize,
    index: usize,
    names: Vec<String>,
    above: Vec<BlobDigest>,
}

struct Attestation {
    of: Option<BlobDigest>,
    statements: Vec<Result<Vec<u8>, Error>>,
}

struct Walker<'a> {
    members: &'a dyn Members,
    limits: &'a Limits,
    walked: Walked,
    attestations: Vec<Attestation>,
    stack: Vec<Task>,
    /// The platforms that are wanted of a source where looking at others costs time; empty: all.
    platforms: &'a [Platform],
    /// Manifests of other platforms, which were not fetched.
    skipped: BTreeSet<BlobDigest>,
    /// Where the image of a manifest digest is among the candidates.
    seen: BTreeMap<BlobDigest, usize>,
    indexes: usize,
    entries: u64,
    attestation_bytes: u64,
}

/// Reads `index.json` and every image below it.
pub(super) fn walk(members: &dyn Members, limits: &Limits) -> Result<Walked, Error> {
    check_layout(members, limits)?;
    let missing = || wrong(Code::NotAnImage, "index.json", "there is no index.json".into());
    let found = members.find("index.json")?.ok_or_else(missing)?;
    let bytes = read_all(members, &found, Limits::document_bytes, limits)?;
    let graph = document::graph(&bytes, verified::bounds(limits)).map_err(|error| json_error("index.json", error, limits))?;
    oci_image::check_kind(&graph, "index.json", None)?;
    if graph.layers.is_some() || graph.config.is_some() || !is_index_type(graph.media_type.as_deref()) {
        return Err(wrong(Code::ManifestAmbiguous, "index.json", "index.json is a manifest, not an index".into()));
    }
    Walker::new(members, &[], limits).run(graph)
}

/// Reads what a descriptor names and every image below it; of images whose descriptor says another platform than those
/// that are wanted, no more than that is read.
#[cfg(feature = "registry")]
pub(super) fn walk_from(
    members: &dyn Members,
    root: Descriptor,
    platforms: &[Platform],
    limits: &Limits,
) -> Result<Walked, Error> {
    let graph = Graph { manifests: Some(vec![Ok(root)]), ..Graph::default() };
    Walker::new(members, platforms, limits).run(graph)
}

impl Walked {
    /// Err when there is no image: what was found instead.
    pub(super) fn check_any(&self) -> Result<(), Error> {
        if !self.candidates.is_empty() {
            return Ok(());
        }
        let found = match self.remarks.first() {
            None => "the index lists no image".to_owned(),
            Some(remark) => format!("the index lists no image: {}", remark.detail),
        };
        Err(Error::NotAnImage { place: Place::document("index.json"), found, advice: String::new() })
    }
}

fn check_layout(members: &dyn Members, limits: &Limits) -> Result<(), Error> {
    let Some(found) = members.find("oci-layout")? else { return Ok(()) };
    let bytes = read_all(members, &found, Limits::document_bytes, limits)?;
    let version =
        document::layout_version(&bytes, verified::bounds(limits)).map_err(|error| json_error("oci-layout", error, limits))?;
    if version.starts_with("1.") {
        return Ok(());
    }
    let found = format!("an image layout of version \"{}\"; 1.0.0 is read", escape_text(&version));
    Err(Error::NotAnImage { place: Place::document("oci-layout"), found, advice: String::new() })
}

fn is_index_type(media_type: Option<&str>) -> bool {
    matches!(media_type, None | Some(OCI_INDEX | DOCKER_LIST))
}

impl<'a> Walker<'a> {
    fn new(members: &'a dyn Members, platforms: &'a [Platform], limits: &'a Limits) -> Self {
        Self {
            members,
            limits,
            walked: Walked::default(),
            attestations: Vec::new(),
            stack: Vec::new(),
            platforms,
            skipped: BTreeSet::new(),
            seen: BTreeMap::new(),
            indexes: 0,
            entries: 0,
            attestation_bytes: 0,
        }
    }

    fn run(mut self, graph: Graph) -> Result<Walked, Error> {
        self.push_entries(graph, None)?;
        while let Some(task) = self.stack.pop() {
            self.step(task)?;
        }
        self.attach();
        Ok(self.walked)
    }

    /// Whether an entry need not be looked at: it is of another platform, or says something about such a one.
    fn is_skipped(&self, entry: &Descriptor) -> bool {
        if is_marked(entry) {
            return reference_of(entry).is_some_and(|of| self.skipped.contains(&of));
        }
        let is_image = matches!(entry.media_type.as_str(), OCI_MANIFEST | DOCKER_MANIFEST);
        let is_other = |platform: &Platform| self.platforms.iter().all(|wanted| platform.distance(wanted).is_none());
        !self.platforms.is_empty() && is_image && entry.platform.as_ref().is_some_and(is_other)
    }

    /// Puts an index's entries on the stack, so that they are taken in their order.
    fn push_entries(&mut self, graph: Graph, parent: Option<&Task>) -> Result<(), Error> {
        let entries = graph.manifests.unwrap_or_default();
        self.entries = self.entries.saturating_add(u64::try_from(entries.len()).unwrap_or(u64::MAX));
        self.limits.index_manifests(self.entries)?;
        let index = self.indexes;
        self.indexes = self.indexes.saturating_add(1);
        for entry in entries.iter().flatten().filter(|entry| !is_marked(entry)) {
            if self.is_skipped(entry) {
                self.skipped.insert(entry.digest.clone());
            }
        }
        let present = |entry: &Result<Descriptor, json::Error>| match entry {
            Ok(entry) if self.is_skipped(entry) => Ok(true),
            Ok(entry) => Ok::<_, Error>(self.members.find_manifest(entry)?.is_some()),
            Err(_) => Ok(true),
        };
        let presence = entries.iter().map(present).collect::<Result<Vec<_>, _>>()?;
        let is_image =
            |entry: &Result<Descriptor, json::Error>| entry.as_ref().is_ok_and(|entry| is_known(entry) && !is_marked(entry));
        let has_image = entries.iter().zip(&presence).any(|(entry, present)| *present && is_image(entry));
        let mut tasks = Vec::new();
        for (position, (entry, is_present)) in entries.into_iter().zip(presence).enumerate() {
            if let Ok(absent) = &entry
                && !is_present
                && (has_image || is_marked(absent))
            {
                self.not_examined(absent, &format!("its manifest is not in {}", self.members.holder()));
                continue;
            }
            let mut names = parent.map(|parent| parent.names.clone()).unwrap_or_default();
            names.extend(entry.iter().flat_map(names_of));
            names.dedup();
            tasks.push(Task {
                entry,
                depth: parent.map_or(1, |parent| parent.depth.saturating_add(1)),
                group: parent.map_or(position, |parent| parent.group),
                index,
                names,
                above: parent.map(|parent| parent.above.clone()).unwrap_or_default(),
            });
        }
        self.stack.extend(tasks.into_iter().rev());
        Ok(())
    }

    fn not_examined(&mut self, entry: &Descriptor, reason: &str) {
        let platform = entry.platform.as_ref().map(|platform| format!(" for {}", escape_text(&platform.to_string())));
        let kind = escape_text(&entry.media_type);
        let detail = format!("{} of type \"{kind}\"{}: {reason}", entry.digest, platform.unwrap_or_default());
        self.walked.remarks.push(Remark::on(Code::IndexEntryNotExamined, "index", detail));
    }

    fn step(&mut self, mut task: Task) -> Result<(), Error> {
        let entry = match &task.entry {
            Ok(entry) => entry.clone(),
            Err(error) => {
                let error = json_error("index", error.clone(), self.limits);
                self.push_failed(task, None, error);
                return Ok(());
            }
        };
        if self.is_skipped(&entry) {
            // the choice by platform, which is to follow, leaves it out, and names it when it finds no other
            if !is_marked(&entry) {
                let record = ImageRecord { index_platform: entry.platform.clone(), ..empty_record() };
                self.push(task, Some(&entry), record);
            }
            return Ok(());
        }
        if let Some(at) = self.seen.get(&entry.digest) {
            if let Some(candidate) = self.walked.candidates.get_mut(*at) {
                candidate.names.append(&mut task.names);
                candidate.names.dedup();
            }
            return Ok(());
        }
        match entry.media_type.as_str() {
            OCI_INDEX | DOCKER_LIST => self.step_index(task, &entry),
            OCI_MANIFEST | DOCKER_MANIFEST => {
                self.step_manifest(task, &entry);
                Ok(())
            }
            SCHEMA_1 | SCHEMA_1_SIGNED => {
                let found = "a manifest of Docker's schema 1, which has no diff_ids and which no runtime takes any more".into();
                let error = Error::NotAnImage { place: Place::document("manifest"), found, advice: String::new() };
                self.push_failed(task, Some(&entry), error);
                Ok(())
            }
            "" => {
                // untyped, as some writers leave it: the fields tell
                match oci_image::read_graph(self.members, &entry, "manifest", self.limits) {
                    Ok(graph) if graph.manifests.is_some() => self.step_index(task, &entry),
                    _ => {
                        self.step_manifest(task, &entry);
                        Ok(())
                    }
                }
            }
            _ => {
                self.not_examined(&entry, "entries of this type are no images");
                Ok(())
            }
        }
    }

    fn step_index(&mut self, mut task: Task, entry: &Descriptor) -> Result<(), Error> {
        let found = task.depth.saturating_add(1);
        if found > self.limits.index_depth {
            let detail = format!("an index {found} deep; {} are followed", self.limits.index_depth);
            self.push_failed(task, Some(entry), wrong(Code::IndexTooDeep, "index", detail));
            return Ok(());
        }
        match oci_image::read_graph(self.members, entry, "index", self.limits) {
            Ok(graph) if graph.layers.is_some() || graph.config.is_some() || graph.is_schema_1 => {
                let detail = "an index that has the fields of a manifest".to_owned();
                self.push_failed(task, Some(entry), wrong(Code::ManifestAmbiguous, "index", detail));
            }
            Ok(graph) if graph.manifests.as_ref().is_none_or(Vec::is_empty) => {
                self.not_examined(entry, "this index lists nothing");
            }
            Ok(graph) => {
                task.above.push(entry.digest.clone());
                self.push_entries(graph, Some(&task))?;
            }
            Err(error) => self.push_failed(task, Some(entry), error),
        }
        Ok(())
    }

    fn step_manifest(&mut self, task: Task, entry: &Descriptor) {
        if !is_marked(entry) {
            let record = oci_image::image(self.members, entry, self.limits);
            self.push(task, Some(entry), record);
            return;
        }
        let mut record = empty_record();
        record.index_platform.clone_from(&entry.platform);
        record.manifest_digest = Some(entry.digest.clone());
        match oci_image::read_graph(self.members, entry, "manifest", self.limits) {
            Ok(graph) if is_attestation(&graph) => {
                let layers = graph.layers.unwrap_or_default();
                let statements = layers.into_iter().map(|layer| self.statement(layer)).collect();
                let of = reference_of(entry);
                self.attestations.push(Attestation { of, statements });
                return;
            }
            Ok(graph) => oci_image::image_of_graph(self.members, entry, graph, &mut record, self.limits),
            Err(error) => record.errors.push(error),
        }
        self.push(task, Some(entry), record);
    }

    fn statement(&mut self, layer: Result<Descriptor, json::Error>) -> Result<Vec<u8>, Error> {
        let layer = layer.map_err(|error| json_error("attestation", error, self.limits))?;
        self.attestation_bytes = self.attestation_bytes.saturating_add(layer.size);
        self.limits.attestation_bytes(self.attestation_bytes)?;
        verified::read(self.members, &layer, "attestation", Limits::attestation_bytes, self.limits)
    }

    fn push_failed(&mut self, task: Task, entry: Option<&Descriptor>, error: Error) {
        let mut record = empty_record();
        record.index_platform = entry.and_then(|entry| entry.platform.clone());
        record.manifest_digest = entry.map(|entry| entry.digest.clone());
        record.errors.push(error);
        self.push(task, entry, record);
    }

    fn push(&mut self, task: Task, entry: Option<&Descriptor>, record: ImageRecord) {
        if let Some(entry) = entry {
            self.seen.insert(entry.digest.clone(), self.walked.candidates.len());
        }
        let mut digests: Vec<BlobDigest> = record.manifest_digest.iter().cloned().collect();
        digests.extend(record.config_digest.clone());
        digests.extend(task.above);
        let os_version = entry.and_then(|entry| entry.os_version.clone());
        self.walked.candidates.push(Candidate {
            record,
            names: task.names,
            digests,
            group: task.group,
            index: task.index,
            os_version,
        });
    }

    /// Gives each attestation to the image it is about.
    fn attach(&mut self) {
        for attestation in std::mem::take(&mut self.attestations) {
            let is_of =
                |candidate: &&mut Candidate| attestation.of.is_some() && candidate.record.manifest_digest == attestation.of;
            let Some(candidate) = self.walked.candidates.iter_mut().find(is_of) else {
                let detail = format!("an attestation about an image that is not in {}", self.members.holder());
                self.walked.remarks.push(Remark::on(Code::IndexEntryNotExamined, "index", detail));
                continue;
            };
            for statement in attestation.statements {
                match statement {
                    Ok(bytes) => candidate.record.attestations.push(bytes),
                    Err(Error::Graph { code: Code::BlobMissing, detail, .. }) => {
                        candidate.record.remarks.push(Remark::on(Code::IndexEntryNotExamined, "attestation", detail));
                    }
                    Err(error) => candidate.record.errors.push(error),
                }
            }
        }
    }
}

fn is_known(entry: &Descriptor) -> bool {
    matches!(entry.media_type.as_str(), "" | OCI_INDEX | DOCKER_LIST | OCI_MANIFEST | DOCKER_MANIFEST)
}

/// The two marks of an attestation manifest that its descriptor bears.
fn is_marked(entry: &Descriptor) -> bool {
    let is_unknown = |platform: &Platform| platform.os == "unknown" && platform.architecture == "unknown";
    entry.annotations.get(REFERENCE_TYPE).is_some_and(|kind| kind == "attestation-manifest")
        && entry.platform.as_ref().is_some_and(is_unknown)
}

/// Which image an attestation is about.
fn reference_of(entry: &Descriptor) -> Option<BlobDigest> {
    entry.annotations.get(REFERENCE_DIGEST).and_then(|digest| digest.parse().ok())
}

/// The third mark: every layer is an in-toto statement.
fn is_attestation(graph: &Graph) -> bool {
    let layers = graph.layers.as_deref().unwrap_or_default();
    !layers.is_empty() && layers.iter().all(|layer| layer.as_ref().is_ok_and(|layer| layer.media_type == IN_TOTO))
}

fn names_of(entry: &Descriptor) -> Vec<String> {
    let keys = ["io.containerd.image.name", REF_NAME];
    keys.iter().filter_map(|key| entry.annotations.get(*key)).filter(|name| !name.is_empty()).cloned().collect()
}
