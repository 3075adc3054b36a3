//! The conductor: source, layers, tree, facts, checks, verdict. The only room that names every stage.

mod asked;
mod bases;
mod cat;
mod comparison;
mod image;
mod judgement;
mod layers;
mod listing;
mod locations;
mod masking;
mod measuring;
mod policy_report;
mod question;
mod stage;
mod translate;
mod why;

use std::collections::BTreeSet;
use std::sync::atomic::AtomicU64;

use crate::build::base::Known;
use crate::cache;
use crate::limits::Limits;
use crate::policy::{Date, Policy};
use crate::report::model::{ImageReport, PolicyReport, Report, Schema, Tool, Verdict};
use crate::score;
use crate::source::{self, ImageRecord, Source};

use image::Examined;
use layers::LayerStore;

pub use crate::build::attribution::{AtHand, Dockerfiles, FoundBy};
pub use bases::known as known_bases;
pub use cat::{Cat, cat};
pub use comparison::{Compared, compare};
pub use listing::{Listing, Tree, list};
pub use measuring::{Measuring, measure};
pub use question::{is_settled, judged_by};
pub use stage::{Moment, Stage, Watcher};
pub use why::{Answer, why};

/// What to verify, and how.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The input and the choice of image and platform.
    pub source: source::Request,
    /// What fails.
    pub policy: Policy,
    /// The day by which waivers and ends of support are judged. The default is no day that anybody lives on: it judges no end of
    /// support, and every waiver has expired.
    pub as_of: Date,
    /// Base images that the user gave.
    pub bases: Vec<Known>,
    /// Dockerfiles that the image may have been built from.
    pub dockerfiles: Dockerfiles,
    /// What images are compared with.
    pub baselines: score::Choice,
    /// Caps.
    pub limits: Limits,
    /// What was learnt from layers before; by default nothing is asked and nothing kept.
    pub cache: cache::Layers,
}

/// How far the work is; counters only grow.
#[derive(Debug, Default)]
pub struct Progress {
    /// Uncompressed bytes of layers read.
    pub bytes: AtomicU64,
    /// Layers read to the end.
    pub layers_done: AtomicU64,
    /// Layers to read, as far as known.
    pub layers_total: AtomicU64,
    /// Who wants to know which stage is at hand.
    pub watcher: Option<Watcher>,
}

impl Progress {
    fn enter(&self, stage: Stage) {
        self.tell(Moment::Begins(stage));
    }

    fn tell(&self, moment: Moment) {
        if let Some(watcher) = &self.watcher {
            (watcher.0)(moment);
        }
    }
}

/// Verifies the images that `request` selects. Never fails: what cannot be verified is in the report.
#[must_use]
pub fn verify(request: &Request, progress: &Progress) -> Report {
    run(request, &Reading::default(), progress, |_, _, _| {})
}

/// What is wanted of the layers beyond what checks look at.
#[derive(Debug, Clone, Default)]
struct Reading {
    /// The SHA-256 of every regular file.
    digest_files: bool,
    /// The bodies of files of this name, of layers that stream by and cannot be read again.
    name: Option<Vec<u8>>,
}

/// Where an image that was examined came from.
#[derive(Clone, Copy)]
struct Whence<'a> {
    record: &'a ImageRecord,
    source: &'a dyn Source,
    store: &'a LayerStore<'a>,
}

/// The whole flow; `each` sees every image with its examination before it is dropped.
fn run(
    request: &Request,
    reading: &Reading,
    progress: &Progress,
    mut each: impl FnMut(&ImageReport, Examined, Whence<'_>),
) -> Report {
    let mut store = LayerStore::new(request, reading, progress);
    progress.enter(Stage::Open);
    let source = match source::open(&request.source, &mut store, &request.limits) {
        Ok(source) => source,
        Err(error) => return translate::refused(request, &error),
    };
    let mut images = Vec::with_capacity(source.images().len());
    store.expect(source.as_ref());
    let mut entries = 0_u64;
    let mut used_waivers = BTreeSet::new();
    for record in source.images() {
        let examined = match request.limits.source_entries(entries) {
            Ok(()) => image::examine(record, source.as_ref(), &mut store, request, progress),
            Err(hit) => Examined::not_reached(hit),
        };
        entries = entries.saturating_add(examined.entries());
        used_waivers.extend(&examined.judgement.used_waivers);
        progress.enter(Stage::Report);
        let mut report = translate::image(record, &examined, request);
        if let Some(config) = &record.config {
            masking::mask(&mut report, config);
        }
        each(&report, examined, Whence { record, source: source.as_ref(), store: &store });
        images.push(report);
        store.release(record);
    }
    assemble(source.as_ref(), images, policy_report::policy(request, &used_waivers))
}

fn assemble(source: &dyn Source, images: Vec<ImageReport>, policy: PolicyReport) -> Report {
    let verdict = images.iter().map(|image| image.verdict).max().unwrap_or(Verdict::Unverifiable);
    Report {
        schema: Schema::current(),
        tool: Tool::current(),
        source: translate::source(source),
        policy,
        images,
        errors: Vec::new(),
        verdict,
    }
}
