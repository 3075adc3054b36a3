//! The base as a builder states it: BuildKit's provenance with `mode=max` (in-toto statements, SLSA 0.2 and 1).
//!
//! The statement holds the build as steps (`llbDefinition`), and for each step the descriptors of the layers that it ended
//! with (`metadata.layers`). From the last step one goes back along the root filesystem to the source it came from: that is
//! the `FROM` of the last stage, whatever other stages there are.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Base, Confidence, Making, ToldBy};
use crate::limits::Limits;
use crate::oci::json::{self, Bounds, Shape};

const PREDICATES: &str = "https://slsa.dev/provenance/";
const METADATA_0_2: &str = "https://mobyproject.org/buildkit@v1#metadata";
const IMAGE_SOURCE: &str = "docker-image://";

/// The base that the first statement with one names.
pub(super) fn base(making: &Making<'_>) -> Option<Base> {
    let digests: Vec<&str> = making.layer_digests.iter().map_while(Option::as_deref).collect();
    if digests.is_empty() {
        return None;
    }
    making.attestations.iter().find_map(|statement| of_statement(statement, &digests))
}

fn of_statement(statement: &[u8], digests: &[&str]) -> Option<Base> {
    let limits = Limits::default();
    let bounds = Bounds { depth: limits.json_depth, members: limits.json_members };
    // a statement that cannot be read claims nothing
    let statement = json::read(statement, &Shape::Any, bounds).ok()?;
    statement.get("predicateType").and_then(Value::as_str).filter(|kind| kind.starts_with(PREDICATES))?;
    let predicate = statement.get("predicate")?;
    let (build, metadata) = match predicate.get("buildDefinition") {
        Some(definition) => {
            (definition.pointer("/internalParameters/buildConfig")?, predicate.pointer("/runDetails/metadata/buildkit_metadata")?)
        }
        None => (predicate.get("buildConfig")?, predicate.get("metadata")?.get(METADATA_0_2)?),
    };
    let (step, image) = base_step(build.get("llbDefinition")?.as_array()?)?;
    let chains = metadata.get("layers")?.get(step)?.as_array()?;
    let layers = chains.iter().find_map(|chain| matching(chain, digests))?;
    let plural = if layers == 1 { "" } else { "s" };
    Some(Base {
        name: Some(image.to_owned()),
        layers,
        told_by: ToldBy::Provenance,
        confidence: Confidence::Likely,
        reason: format!(
            "BuildKit's provenance says that the last stage is FROM this image, and the image begins with its {layers} layer{plural}"
        ),
    })
}

/// The number of layers of `chain`, when they are the image's first ones.
fn matching(chain: &Value, digests: &[&str]) -> Option<usize> {
    let chain = chain.as_array().filter(|chain| !chain.is_empty() && chain.len() <= digests.len())?;
    let digest = |layer: &Value, expected: &str| layer.get("digest").and_then(Value::as_str) == Some(expected);
    chain.iter().zip(digests).all(|(layer, expected)| digest(layer, expected)).then_some(chain.len())
}

/// The output of the step that the last stage's root filesystem came from, such as `step0:0`, and the image's name.
fn base_step(steps: &[Value]) -> Option<(&str, &str)> {
    let by_id: BTreeMap<&str, &Value> =
        steps.iter().filter_map(|step| Some((step.get("id").and_then(Value::as_str)?, step))).collect();
    let last = steps.last()?;
    let mut output = inputs(last).next()?;
    let mut seen = BTreeSet::new();
    // a circle of steps is no build
    while seen.insert(output) {
        let step = by_id.get(output.split_once(':')?.0)?;
        let operation = step.pointer("/op/Op")?;
        if let Some(source) = operation.get("source") {
            let image = source.get("identifier").and_then(Value::as_str)?.strip_prefix(IMAGE_SOURCE)?;
            return Some((output, image));
        }
        output = inputs(step).nth(root_input(operation)?)?;
    }
    None
}

fn inputs(step: &Value) -> impl DoubleEndedIterator<Item = &str> {
    step.get("inputs").and_then(Value::as_array).into_iter().flatten().map(|input| input.as_str().unwrap_or_default())
}

/// Which input of a step is the root filesystem that it changes; None for `FROM scratch` and for operations unknown here.
fn root_input(operation: &Value) -> Option<usize> {
    // numbers that are 0 may be left out; -1 is no input
    let number = |value: &Value, name: &str| match value.get(name) {
        None => Some(0),
        Some(number) => number.as_u64().and_then(|number| usize::try_from(number).ok()),
    };
    if let Some(exec) = operation.get("exec") {
        let mounts = exec.get("mounts")?.as_array()?;
        return number(mounts.iter().find(|mount| mount.get("dest").and_then(Value::as_str) == Some("/"))?, "input");
    }
    if let Some(file) = operation.get("file") {
        // later actions go on from the outputs of earlier ones
        return number(file.get("actions")?.as_array()?.first()?, "input");
    }
    if let Some(merge) = operation.get("merge") {
        return number(merge.get("inputs")?.as_array()?.first()?, "input");
    }
    None
}

#[cfg(test)]
#[path = "provenance_tests.rs"]
mod tests;
