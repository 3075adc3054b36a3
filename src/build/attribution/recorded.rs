//! Lines that BuildKit's provenance records.
//!
//! The step that made layer k is the first on the way of the root filesystem that ends with k + 1 layers. Digests only confirm it:
//! an export with another compression has other ones. The kind of the step must fit the instruction on its line: BuildKit before
//! October 2024 puts what ONBUILD of the base sets off on line 1.

use std::collections::BTreeMap;

use super::plan::{Plan, Spot};
use super::{Confidence, Mark};
use crate::build::provenance::{Lines, Operation, Provenance, Source, Step};
use crate::limits::Limits;

/// What one statement tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Recorded {
    /// The Dockerfile inside the statement; its path is the one in the repository, as far as told.
    pub(super) plan: Plan,
    pub(super) stage: usize,
    /// By layer; None where nothing is told. Err says why none is.
    pub(super) marks: Result<Vec<Option<Mark>>, String>,
}

/// Err says why the statement tells no lines, one clause.
pub(super) fn read(
    statement: &Provenance,
    digests: &[Option<String>],
    layers: usize,
    limits: &Limits,
) -> Result<Recorded, String> {
    let chain = statement.root_chain();
    let places = |step: &Step| statement.locations.get(&step.id).into_iter().flatten();
    let main = chain.outputs.iter().rev().find_map(|(_, step)| places(step).next()).map_or(0, |lines| lines.source);
    let source = statement.sources.get(main).ok_or("BuildKit's provenance holds no Dockerfile (it needs mode=max)")?;
    let text = source.text.as_ref().ok_or("the Dockerfile in BuildKit's provenance cannot be read")?;
    let path = path(statement, source).unwrap_or_default();
    let plan = Plan::read(&path, text, &statement.arguments, limits)
        .map_err(|error| format!("the Dockerfile in BuildKit's provenance cannot be read: {error}"))?;
    let target = statement.target.as_deref();
    let stage = plan.target(target).ok_or("BuildKit's provenance names a target that its Dockerfile does not have")?;
    let marks = Reader { statement, plan: &plan, stage, source: main, digests }.marks(layers);
    Ok(Recorded { plan, stage, marks })
}

/// The Dockerfile's path in the repository: a folder that the client told, and the file's name in it. None when it leads out of
/// the repository, or is no path that every format can show.
fn path(statement: &Provenance, source: &Source) -> Option<String> {
    let folder = statement.folder.as_deref().unwrap_or(".");
    repository_path(&format!("{folder}/{}", source.filename))
}

/// A relative path in its plain form; None when it is absolute, leads out, or has characters that no such path needs.
#[must_use]
pub fn repository_path(text: &str) -> Option<String> {
    const LONGEST: usize = 1_024;
    let has_drive = text.split('/').next().is_some_and(|first| first.ends_with(':') || first.contains("://"));
    if text.starts_with('/') || has_drive || text.len() > LONGEST || text.contains(|c: char| c.is_control() || c == '\\') {
        return None;
    }
    let parts: Vec<&str> = text.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    (!parts.is_empty() && !parts.contains(&"..")).then(|| parts.join("/"))
}

struct Reader<'a> {
    statement: &'a Provenance,
    plan: &'a Plan,
    stage: usize,
    /// The source that the plan is of.
    source: usize,
    digests: &'a [Option<String>],
}

impl Reader<'_> {
    fn marks(&self, layers: usize) -> Result<Vec<Option<Mark>>, String> {
        let chain = self.statement.root_chain();
        let lengths: Vec<(usize, &Step)> =
            chain.outputs.iter().filter_map(|(output, step)| Some((self.length(output)?, *step))).collect();
        let Some(most) = lengths.iter().map(|(length, _)| *length).max() else {
            return Err("BuildKit's provenance does not tell the layers of its steps".to_owned());
        };
        if most != layers {
            return Err(format!("BuildKit's provenance tells of {most} layers, and the image has {layers}"));
        }
        let is_source = |step: &Step| matches!(step.operation, Operation::Image(_) | Operation::Source);
        let first = chain.outputs.first().map(|(_, step)| *step);
        let base = match (lengths.first(), first) {
            (Some((length, step)), Some(first)) if is_source(first) && step.id == first.id => *length,
            // the base's own entry may be missing: the step after it made one layer
            (Some((length, _)), Some(first)) if is_source(first) => length.saturating_sub(1),
            _ => 0,
        };
        let mut makers: BTreeMap<usize, &Step> = BTreeMap::new();
        for (length, step) in lengths.iter().filter(|(_, step)| !is_source(step)) {
            makers.entry(*length).or_insert(*step);
        }
        let from = self.plan.outermost(self.stage);
        let mark = |layer: usize| {
            if layer < base {
                return Some(Mark::of(from, Confidence::Base));
            }
            makers.get(&layer.saturating_add(1)).and_then(|step| self.mark(step))
        };
        Ok((0..layers).map(mark).collect())
    }

    /// How many layers an output has: of the chain that is the image's own, else of the first.
    fn length(&self, output: &str) -> Option<usize> {
        let chains = self.statement.layers.get(output)?;
        let is_own = |chain: &&Vec<String>| {
            let pairs = chain.iter().zip(self.digests);
            !chain.is_empty() && pairs.into_iter().all(|(found, own)| own.as_ref() == Some(found))
        };
        let chain = chains.iter().find(is_own).or_else(|| chains.first())?;
        Some(chain.len()).filter(|length| *length > 0)
    }

    /// The instruction of a step. None when no line is told, or one whose instruction is of another kind.
    fn mark(&self, step: &Step) -> Option<Mark> {
        let places: Vec<Lines> =
            self.statement.locations.get(&step.id)?.iter().filter(|it| it.source == self.source).copied().collect();
        if places.is_empty() {
            return None;
        }
        let stages = self.plan.chain(self.stage);
        let spots: Vec<Spot> = places
            .iter()
            .filter_map(|place| self.plan.spot_on(place.start).filter(|spot| self.covers(*spot, place)))
            .filter(|spot| stages.contains(&spot.stage))
            .collect();
        let fitting =
            spots.iter().find(|spot| self.plan.instruction(**spot).is_some_and(|found| fits(&step.operation, found.keyword)));
        if let Some(spot) = fitting {
            return Some(Mark::of(*spot, Confidence::Exact));
        }
        // what ONBUILD of the base set off: newer BuildKit says the FROM, older line 1
        let from = spots.iter().find(|spot| spot.at.is_none()).copied();
        let is_top = places.iter().any(|place| (place.start, place.end) == (1, 1));
        from.or_else(|| is_top.then(|| self.plan.outermost(self.stage))).map(|from| Mark::of(from, Confidence::Base))
    }

    /// Whether an instruction reaches over all of a place, as a step is of one instruction.
    fn covers(&self, spot: Spot, place: &Lines) -> bool {
        self.plan.instruction(spot).is_some_and(|found| found.start <= place.start && place.end <= found.end)
    }
}

/// Whether a step of this kind can be an instruction's.
fn fits(operation: &Operation, keyword: &str) -> bool {
    match operation {
        Operation::Exec { .. } => keyword == "RUN",
        Operation::Copy { .. } | Operation::Merge { .. } => matches!(keyword, "ADD" | "COPY"),
        Operation::Folder { .. } => keyword == "WORKDIR",
        Operation::Image(_) | Operation::Source | Operation::Other => false,
    }
}
