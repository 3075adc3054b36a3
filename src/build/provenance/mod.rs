//! What a builder states of its work: BuildKit's provenance with `mode=max` (in-toto statements, SLSA 0.2 and 1).
//!
//! The statement holds the build as steps (`llbDefinition`), for each step the descriptors of the layers that it ended with
//! (`metadata.layers`), the Dockerfile as it was read, and the lines of it that each step comes from. It is written by the
//! image's maker, unsigned and hostile; a statement that cannot be read states nothing.

mod source;
mod steps;
#[cfg(test)]
pub(super) mod tests;

pub use source::{Lines, Source};
pub use steps::{Operation, Step};

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::limits::Limits;
use crate::oci::json::{self, Bounds, Shape};

const PREDICATES: &str = "https://slsa.dev/provenance/";
const METADATA_0_2: &str = "https://mobyproject.org/buildkit@v1#metadata";

/// One statement about a build of which the steps are known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Provenance {
    /// The steps, in order; the last one stands for the result.
    pub steps: Vec<Step>,
    /// By output (`step0:0`): chains of layers, each a list of blob digests from the base up.
    pub layers: BTreeMap<String, Vec<Vec<String>>>,
    /// By step (`step0`): the places in the sources that it comes from.
    pub locations: BTreeMap<String, Vec<Lines>>,
    /// The files that were read as build definitions.
    pub sources: Vec<Source>,
    /// The stage that was asked for, as written.
    pub target: Option<String>,
    /// Values of build arguments that were asked for.
    pub arguments: BTreeMap<String, String>,
    /// The folder of the Dockerfile in its repository, as the client told it; not checked.
    pub folder: Option<String>,
}

/// Reads in-toto statements; others than BuildKit's with steps are left out.
#[must_use]
pub fn read(statements: &[Vec<u8>], limits: &Limits) -> Vec<Provenance> {
    statements.iter().filter_map(|statement| of_statement(statement, limits)).collect()
}

fn of_statement(statement: &[u8], limits: &Limits) -> Option<Provenance> {
    let bounds = Bounds { depth: limits.json_depth, members: limits.json_members };
    let statement = json::read(statement, &Shape::Any, bounds).ok()?;
    statement.get("predicateType").and_then(Value::as_str).filter(|kind| kind.starts_with(PREDICATES))?;
    let predicate = statement.get("predicate")?;
    let (build, metadata, arguments) = match predicate.get("buildDefinition") {
        Some(definition) => (
            definition.pointer("/internalParameters/buildConfig")?,
            predicate.pointer("/runDetails/metadata/buildkit_metadata"),
            definition.pointer("/externalParameters/request/args"),
        ),
        None => (
            predicate.get("buildConfig")?,
            predicate.get("metadata").and_then(|metadata| metadata.get(METADATA_0_2)),
            predicate.pointer("/invocation/parameters/args"),
        ),
    };
    let steps = build.get("llbDefinition")?.as_array()?.iter().filter_map(Step::read).collect();
    let metadata = metadata.unwrap_or(&Value::Null);
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    Some(Provenance {
        steps,
        layers: layers(metadata.get("layers")),
        locations: source::locations(metadata.pointer("/source/locations")),
        sources: source::sources(metadata.pointer("/source/infos"), limits),
        target: text(arguments.and_then(|arguments| arguments.get("target"))),
        arguments: build_arguments(arguments),
        folder: text(metadata.get("vcs").and_then(|vcs| vcs.get("localdir:dockerfile"))),
    })
}

fn build_arguments(arguments: Option<&Value>) -> BTreeMap<String, String> {
    let members = arguments.and_then(Value::as_object).into_iter().flatten();
    members.filter_map(|(name, value)| Some((name.strip_prefix("build-arg:")?.to_owned(), value.as_str()?.to_owned()))).collect()
}

fn layers(value: Option<&Value>) -> BTreeMap<String, Vec<Vec<String>>> {
    let digest = |layer: &Value| layer.get("digest").and_then(Value::as_str).unwrap_or_default().to_owned();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let chains = |value: &Value| list(value).iter().map(|chain| list(chain).iter().map(digest).collect()).collect();
    let members = value.and_then(Value::as_object).into_iter().flatten();
    members.map(|(output, value)| (output.clone(), chains(value))).collect()
}

/// The outputs that the root filesystem of the result went through, each with its step, the first one first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootChain<'a> {
    /// Output (`step0:0`) and step.
    pub outputs: Vec<(&'a str, &'a Step)>,
    /// Whether it goes back to a source or to an empty filesystem, not to a step of unknown kind.
    pub is_whole: bool,
}

impl Provenance {
    /// The step that an output is of.
    #[must_use]
    pub fn step_of(&self, output: &str) -> Option<&Step> {
        let id = output.split_once(':')?.0;
        // steps are numbered in order, so the place is mostly known
        let guess = id.strip_prefix("step").and_then(|number| number.parse::<usize>().ok());
        let guessed = guess.and_then(|at| self.steps.get(at)).filter(|step| step.id == id);
        guessed.or_else(|| self.steps.iter().find(|step| step.id == id))
    }

    /// Goes from the last step back along the root filesystem; a circle of steps ends it, and it is not whole then.
    #[must_use]
    pub fn root_chain(&self) -> RootChain<'_> {
        let mut chain = RootChain { outputs: Vec::new(), is_whole: false };
        let mut next = self.steps.last().and_then(|last| last.inputs.first());
        let mut seen = BTreeSet::new();
        while let Some(output) = next.filter(|output| seen.insert(output.as_str())) {
            let Some(step) = self.step_of(output) else { break };
            chain.outputs.push((output, step));
            next = match step.operation {
                Operation::Image(_) | Operation::Source => {
                    chain.is_whole = true;
                    None
                }
                Operation::Other => None,
                Operation::Exec { root }
                | Operation::Copy { root, .. }
                | Operation::Folder { root }
                | Operation::Merge { root } => {
                    chain.is_whole = root.is_none();
                    root.and_then(|root| step.inputs.get(root))
                }
            };
        }
        chain.outputs.reverse();
        chain
    }
}
