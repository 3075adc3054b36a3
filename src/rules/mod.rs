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

mod check;
mod compile;
mod error;
mod eval;
mod expression;
mod facts;
mod outcome;
mod schema;
mod types;

#[cfg(test)]
mod examples;
#[cfg(test)]
mod oracle;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use compile::{Compiled, compile};
pub use error::RuleError;

use self::error::{Failure, place};
use self::eval::Evaluator;
use self::facts::Facts;
use crate::facts::Image;
use crate::finding::Finding;
use crate::limits::{LimitHit, Limits};
use crate::policy::Rule;

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
            Err(error) => not_compiled.push((error.rule.clone(), error.to_string())),
        }
    }
    let mut evaluated = evaluate_compiled(&compiled, image, limits);
    evaluated.not_evaluated.extend(not_compiled);
    evaluated
}

/// Evaluates rules, in order, each with steps of its own.
#[must_use]
pub fn evaluate_compiled(rules: &[Compiled], image: &Image, limits: &Limits) -> Evaluated {
    if rules.is_empty() {
        return Evaluated::default();
    }
    let longest = rules.iter().map(|rule| rule.when.len()).max().unwrap_or(0);
    compile::on_large_stack(longest, || evaluate_here(rules, image, limits)).unwrap_or_else(|| {
        let not_evaluated = rules.iter().map(|rule| (rule.id.clone(), "its evaluation gave up".to_owned())).collect();
        Evaluated { findings: Vec::new(), not_evaluated }
    })
}

fn evaluate_here(rules: &[Compiled], image: &Image, limits: &Limits) -> Evaluated {
    let mut evaluated = Evaluated::default();
    let facts = Facts::of(image, |root| rules.iter().any(|rule| rule.uses(root)));
    for rule in rules {
        match Evaluator::new(&facts, limits.rule_steps).value(&rule.expression) {
            Ok(value) => evaluated.findings.extend(outcome::finding(rule, &value, &facts)),
            Err(failure) => evaluated.not_evaluated.push((rule.id.clone(), reason(rule, &failure, limits))),
        }
    }
    evaluated
}

fn reason(rule: &Compiled, failure: &Failure, limits: &Limits) -> String {
    match failure {
        Failure::Steps => {
            let limit = limits.rule_steps;
            LimitHit { name: "rule-steps", limit, found: limit.saturating_add(1) }.to_string()
        }
        Failure::Lacking(fault) => {
            let (line, column) = place(&rule.when, fault.at);
            format!("line {line}, column {column} of `when`: {}", fault.reason)
        }
    }
}
