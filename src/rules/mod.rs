//! The policy's own rules, written in CEL, evaluated over the facts of an image.
//!
//! ```text
//! text ──cel's parser──▶ tree ──check: names, types──▶ expression ──eval: counted steps──▶ value ──▶ finding
//! ```
//!
//! The grammar is that of the `cel` crate. The evaluation is ours, since neither that crate's nor another's keeps a promise that this
//! room makes: that a rule ends after a number of steps that image and policy alone decide, in memory that they bound. In the crate, a
//! built-in (`+`, `in`, `contains`) on large values is one step, `map(x, x + x)` thirty times fills the memory, an unknown name is
//! found only where evaluation comes by, and a value of the wrong type is unequal to everything: a rule that never fires.
//! `docs/rules.md` says what is offered of the language, and tests hold the two evaluations against each other.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

#[cfg(not(feature = "rules"))]
mod absent;
#[cfg(feature = "rules")]
mod check;
#[cfg(feature = "rules")]
mod compile;
#[cfg(feature = "rules")]
mod error;
#[cfg(feature = "rules")]
mod eval;
#[cfg(feature = "rules")]
mod expression;
#[cfg(feature = "rules")]
mod facts;
#[cfg(feature = "rules")]
mod outcome;
#[cfg(feature = "rules")]
mod run;
#[cfg(feature = "rules")]
mod schema;
#[cfg(feature = "rules")]
mod types;

#[cfg(test)]
#[cfg(feature = "rules")]
mod examples;
#[cfg(test)]
#[cfg(feature = "rules")]
mod oracle;
#[cfg(test)]
#[cfg(feature = "rules")]
mod testing;
#[cfg(test)]
#[cfg(feature = "rules")]
mod tests;

#[cfg(not(feature = "rules"))]
pub use absent::{Compiled, compile, evaluate_compiled};
#[cfg(feature = "rules")]
pub use compile::{Compiled, compile};
#[cfg(feature = "rules")]
pub use run::evaluate_compiled;

use crate::facts::Image;
use crate::finding::Finding;
use crate::limits::Limits;
use crate::policy::Rule;

/// A rule that does not compile: wrong use, not a verdict on an image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("rule {rule}: line {line}, column {column} of `when`: {reason}")]
pub struct RuleError {
    /// The rule's id, escaped.
    pub rule: String,
    /// Line of the expression, from 1.
    pub line: usize,
    /// Character of the line, from 1.
    pub column: usize,
    /// What is wrong, one clause; the policy's words in it are escaped and cut.
    pub reason: String,
}

/// What the rules said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Evaluated {
    /// One finding for each rule that holds.
    pub findings: Vec<Finding>,
    /// Rules that could not be evaluated on this image, and why: never a pass.
    pub not_evaluated: Vec<(String, String)>,
}

/// Compiles every rule of a policy; all that is wrong with them, in order, when anything is. A policy with such rules is wrong use.
pub fn compile_all(rules: &[Rule], limits: &Limits) -> Result<Vec<Compiled>, Vec<RuleError>> {
    let mut compiled = Vec::with_capacity(rules.len());
    let mut errors = Vec::new();
    for rule in rules {
        match compile(rule, limits) {
            Ok(rule) => compiled.push(rule),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(compiled) } else { Err(errors) }
}

/// Compiles and evaluates every rule. A rule that does not compile is not evaluated.
#[must_use]
pub fn evaluate(rules: &[Rule], image: &Image, limits: &Limits) -> Evaluated {
    let mut not_compiled = Vec::new();
    let mut compiled = Vec::with_capacity(rules.len());
    for rule in rules {
        match compile(rule, limits) {
            Ok(rule) => compiled.push(rule),
            Err(RuleError { rule, line, column, reason }) => {
                not_compiled.push((rule, format!("line {line}, column {column} of `when`: {reason}")));
            }
        }
    }
    let mut evaluated = evaluate_compiled(&compiled, image, limits);
    evaluated.not_evaluated.extend(not_compiled);
    evaluated
}
