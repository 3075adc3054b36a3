//! Why a path is in an image, for `plimsoll why`: who wrote it, who owns it, who needs that, and what removing it would free.

mod owner;
mod place;

use super::asked::{Found, did_you_mean, find, follow, meant, near, tidy};
use super::image::Examined;
use super::listing::{line, name, several};
use super::{Progress, Reading, Request, Whence, masking, run, translate};
use crate::facts::versions::{Version, at, versions};
use crate::facts::{Image, weights};
use crate::layer::LayerIndex;
use crate::oci::{escape, escape_text};
use crate::report::model::why::{HopReport, LinkReport, NamedFinding, RemovalReport, VersionReport, Why, WriterReport};
use crate::report::model::{ImageReport, Report, Schema, Tool};
use crate::rootfs::{Fate, NodeId, ResolveError, Rootfs, each_stage};

/// Other names of a file that are listed.
const NAMES: usize = 20;
/// Findings that are listed.
const FINDINGS: usize = 50;

/// What became of the asking.
#[derive(Debug)]
pub enum Answer {
    /// The path is, or was, there.
    Told(Box<Why>),
    /// No layer has such a path: what to do instead, one or two clauses.
    NoPath(String),
    /// The image could not be read: the report says why.
    Unverifiable(Box<Report>),
}

/// Tells why the one image that `request` selects has `path`.
#[must_use]
pub fn why(request: &Request, path: &[u8], progress: &Progress) -> Answer {
    let mut told = None;
    let mut names = Vec::new();
    let report = run(request, &Reading::default(), progress, |report, examined, whence| {
        names.push(name(report));
        if whence.source.images().len() == 1
            && let Some(image) = &examined.image
        {
            told = Some(Asking { request, report, examined: &examined, image, whence }.tell(path));
        }
    });
    match (several(request, names, "why is about one"), told) {
        (Some(report), _) => Answer::Unverifiable(Box::new(report)),
        (None, None) => Answer::Unverifiable(Box::new(report)),
        (None, Some(Ok(why))) => Answer::Told(Box::new(why)),
        (None, Some(Err(reason))) => Answer::NoPath(reason),
    }
}

/// One image that is asked about.
struct Asking<'a> {
    request: &'a Request,
    report: &'a ImageReport,
    examined: &'a Examined,
    image: &'a Image,
    whence: Whence<'a>,
}

impl Asking<'_> {
    fn tell(&self, asked: &[u8]) -> Result<Why, String> {
        let (rootfs, limits) = (&self.image.rootfs, &self.request.limits);
        let asked = meant(asked, |path| find(rootfs, path, limits).is_ok());
        match find(rootfs, &asked, limits) {
            Ok(found) => Ok(self.present(&asked, &found)),
            Err(error) => self.gone(&asked).ok_or_else(|| self.absent(&asked, error)),
        }
    }

    /// A path of the final tree.
    fn present(&self, asked: &[u8], found: &Found) -> Why {
        let rootfs = &self.image.rootfs;
        let inode = rootfs.inode(found.node);
        let versions = self.versions(&found.path);
        // a directory is written by the layer that made it, whoever touched it later
        let layer = versions.last().filter(|last| last.ended.is_none()).map_or(inode.layer, |last| last.layer);
        let (names, name_count) =
            if inode.is_directory() { (Vec::new(), 0) } else { weights::other_names(rootfs, found.node, NAMES) };
        let package = self.owner(found.node);
        let name = package.as_ref().map(|owner| owner.package.name.clone());
        Why {
            present: true,
            entry: line(escape(&found.path), None, inode),
            link: inode.target().map(|_| self.link(found.clone())),
            names: names.iter().map(|name| escape(name)).collect(),
            name_count,
            written_by: self.writer(layer, Some(&found.path), name.as_deref()),
            folder: inode.is_directory().then(|| self.folder(rootfs, found.node)),
            findings: self.findings(&found.path, &names, inode.is_directory()),
            removal: RemovalReport {
                bytes: weights::freed(rootfs, found.node),
                earlier_bytes: earlier_bytes(&versions),
                package: self.removal(found.node),
            },
            package,
            component: self.image.applications.owner_of(rootfs, found.node).map(|one| translate::component(self.image, one)),
            ..self.plain(asked, &found.path, layer, &versions)
        }
    }

    /// A path that only lower layers have.
    fn gone(&self, asked: &[u8]) -> Option<Why> {
        let (rootfs, limits) = (&self.image.rootfs, &self.request.limits);
        let tidied = tidy(asked);
        // its folder may be reached through links that are still there
        let cut = tidied.iter().rposition(|byte| *byte == b'/').unwrap_or_default();
        let (folder, last) = tidied.split_at_checked(cut)?;
        let through = rootfs.resolve(folder, limits).map(|folder| [rootfs.path(folder), last.to_vec()].concat());
        let candidates = [Some(tidied.clone()), through.ok().map(|path| tidy(&path))];
        let (path, versions) = candidates
            .into_iter()
            .flatten()
            .map(|path| (path.clone(), self.versions(&path)))
            .find(|(_, found)| !found.is_empty())?;
        let last = versions.last()?;
        let (ended_by, _) = last.ended?;
        let mut folder = None;
        let mut bytes = last.inode.size();
        if last.inode.is_directory() {
            let layers = self.layers();
            // as the last layer that had it left it; a limit was not hit before, and is not now
            let _ = each_stage(layers.get(..ended_by).unwrap_or_default(), limits, |stage, tree| {
                if stage.saturating_add(1) == ended_by
                    && let Some(node) = at(tree, &path)
                {
                    folder = Some(self.folder(tree, node));
                    bytes = weights::freed(tree, node);
                }
            });
        }
        Some(Why {
            entry: line(escape(&path), None, &last.inode),
            written_by: self.writer(last.layer, Some(&path), None),
            deleted_by: Some(self.writer(ended_by, Some(&path), None)),
            folder,
            findings: self.findings(&path, &[], last.inode.is_directory()),
            removal: RemovalReport { bytes, earlier_bytes: earlier_bytes(&versions), package: None },
            ..self.plain(asked, &path, last.layer, &versions)
        })
    }

    /// What is told of every path.
    fn plain(&self, asked: &[u8], path: &[u8], layer: usize, versions: &[Version]) -> Why {
        let earlier: Vec<VersionReport> = versions
            .split_last()
            .map(|(_, earlier)| earlier.iter().filter_map(|version| self.version(version)).collect())
            .unwrap_or_default();
        Why {
            schema: Schema::of_why(),
            tool: Tool::current(),
            source: escape_text(self.whence.source.name()),
            reference: self.report.reference.clone(),
            platform: self.report.platform.as_ref().map(|platform| format!("{}/{}", platform.os, platform.architecture)),
            layers: self.report.layers.len(),
            asked: escape(&tidy(asked)),
            present: false,
            entry: line(escape(path), None, self.image.rootfs.inode(self.image.rootfs.root())),
            link: None,
            names: Vec::new(),
            name_count: 0,
            written_by: self.writer(layer, None, None),
            earlier,
            deleted_by: None,
            package: None,
            component: None,
            layer_files: self.layer_files(layer),
            folder: None,
            findings: Vec::new(),
            removal: RemovalReport::default(),
        }
    }

    fn layers(&self) -> Vec<&LayerIndex> {
        self.examined.layers.iter().flatten().map(AsRef::as_ref).collect()
    }

    /// None of a path that is no path of a layer. The merge has kept within the limits that bound this, too.
    fn versions(&self, path: &[u8]) -> Vec<Version> {
        versions(&self.layers(), path, &self.request.limits).unwrap_or_default()
    }

    fn version(&self, version: &Version) -> Option<VersionReport> {
        let (ended_by, fate) = version.ended?;
        let entry = line(String::new(), None, &version.inode);
        let fate = match fate {
            Fate::Deleted => "deleted",
            Fate::Replaced => "replaced",
            Fate::Copied => "copied",
        };
        Some(VersionReport {
            written_by: self.writer(version.layer, None, None),
            r#type: entry.r#type,
            mode: entry.mode,
            uid: entry.uid,
            gid: entry.gid,
            size: entry.size,
            fate: fate.to_owned(),
            ended_by,
        })
    }

    /// The layer, its instruction, and its line: for a path the one that names it or its package, where one does.
    fn writer(&self, layer: usize, path: Option<&[u8]>, package: Option<&str>) -> WriterReport {
        let known = self.report.layers.get(layer);
        let refined = path.and_then(|path| {
            let attribution = &self.examined.judgement.attribution;
            let mut location = super::locations::of_path(attribution, layer, path, package)?;
            masking::mask_location(&mut location, &self.image.config);
            Some(location)
        });
        WriterReport {
            layer,
            instruction: known.and_then(|layer| layer.instruction.clone()),
            origin: known.and_then(|layer| layer.origin.clone()),
            location: refined.or_else(|| known.and_then(|layer| layer.location.clone())),
        }
    }

    fn link(&self, found: Found) -> LinkReport {
        let rootfs = &self.image.rootfs;
        let (links, end) = follow(rootfs, found, &self.request.limits);
        let hop = |(path, target): &(Vec<u8>, Vec<u8>)| HopReport { path: escape(path), target: escape(target) };
        let problem = end.as_ref().err().map(|error| match error {
            ResolveError::TooManyLinks => "more links than a kernel follows".to_owned(),
            error => error.to_string(),
        });
        let end = end.ok();
        let owner = end.as_ref().and_then(|end| self.image.packages.owner(rootfs, end.node));
        LinkReport {
            hops: links.iter().map(hop).collect(),
            end: end.as_ref().map(|end| line(escape(&end.path), None, rootfs.inode(end.node))),
            package: owner.map(|(package, _)| escape_text(&format!("{} {}", package.name, package.version))),
            problem,
        }
    }

    /// Findings that name the path or one of its other names; for a folder, what is in it.
    fn findings(&self, path: &[u8], names: &[Vec<u8>], is_folder: bool) -> Vec<NamedFinding> {
        let escaped = escape(path);
        let inside = format!("{}/", escaped.trim_end_matches('/'));
        let names: Vec<String> = names.iter().map(|name| escape(name)).collect();
        let is_meant =
            |found: &str| found == escaped || names.iter().any(|name| name == found) || is_folder && found.starts_with(&inside);
        let named = self
            .report
            .findings
            .iter()
            .filter(|finding| finding.evidence.iter().any(|evidence| evidence.path.as_deref().is_some_and(is_meant)));
        let told = named.map(|finding| NamedFinding {
            check: finding.check.clone(),
            severity: finding.severity.clone().unwrap_or_default(),
            message: finding.message.clone(),
        });
        told.take(FINDINGS).collect()
    }

    fn absent(&self, asked: &[u8], error: ResolveError) -> String {
        let shown = escape(&tidy(asked));
        match error {
            ResolveError::TooManyLinks => format!("{shown} leads through more links than a kernel follows"),
            ResolveError::NotADirectory => format!("{shown} cannot be: a name on the way to it is no folder"),
            ResolveError::NotFound => {
                let advice = did_you_mean(&near(&self.image.rootfs, asked, &self.request.limits));
                let advice = if advice.is_empty() { "; plimsoll ls lists what there is".to_owned() } else { advice };
                format!("no layer has {shown}{advice}")
            }
        }
    }

    fn owned_by(&self, node: NodeId) -> Option<usize> {
        let rootfs: &Rootfs = &self.image.rootfs;
        self.image.packages.owned.get(&rootfs.inode_number(node)).map(|owned| owned.package)
    }
}

/// What layers ship of all versions but the last.
fn earlier_bytes(versions: &[Version]) -> u64 {
    let earlier = versions.split_last().map(|(_, earlier)| earlier).unwrap_or_default();
    earlier.iter().fold(0, |sum, version| sum.saturating_add(version.inode.size()))
}
