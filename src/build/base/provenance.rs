//! The base as a builder states it: one goes from the last step back along the root filesystem to the image it came from: that
//! is the `FROM` of the last stage, whatever other stages there are.

use super::{Base, Confidence, Making, ToldBy};
use crate::build::provenance::{Operation, Provenance};

/// The base that the first statement with one names.
pub(super) fn base(making: &Making<'_>) -> Option<Base> {
    let digests: Vec<&str> = making.layer_digests.iter().map_while(Option::as_deref).collect();
    if digests.is_empty() {
        return None;
    }
    making.provenance.iter().find_map(|statement| of_statement(statement, &digests))
}

fn of_statement(statement: &Provenance, digests: &[&str]) -> Option<Base> {
    let chain = statement.root_chain();
    let (output, first) = chain.outputs.first()?;
    let Operation::Image(image) = &first.operation else { return None };
    let layers = statement.layers.get(*output)?.iter().find_map(|chain| matching(chain, digests))?;
    let plural = if layers == 1 { "" } else { "s" };
    Some(Base {
        name: Some(image.clone()),
        layers,
        told_by: ToldBy::Provenance,
        confidence: Confidence::Likely,
        reason: format!(
            "BuildKit's provenance says that the last stage is FROM this image, and the image begins with its {layers} layer{plural}"
        ),
    })
}

/// The number of layers of `chain`, when they are the image's first ones.
fn matching(chain: &[String], digests: &[&str]) -> Option<usize> {
    let is_first = !chain.is_empty() && chain.len() <= digests.len() && chain.iter().zip(digests).all(|(a, b)| a == b);
    is_first.then_some(chain.len())
}

#[cfg(test)]
#[path = "provenance_tests.rs"]
mod tests;
