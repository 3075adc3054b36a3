//! Compiled rules on one image.

use super::compile::{Compiled, on_large_stack};
use super::error::{Failure, place};
use super::eval::Evaluator;
use super::facts::Facts;
use super::{Evaluated, outcome};
use crate::facts::Image;
use crate::limits::{LimitHit, Limits};

/// Evaluates rules, in order, each with steps of its own.
#[must_use]
pub fn evaluate_compiled(rules: &[Compiled], image: &Image, limits: &Limits) -> Evaluated {
    if rules.is_empty() {
        return Evaluated::default();
    }
    let longest = rules.iter().map(|rule| rule.when.len()).max().unwrap_or(0);
    on_large_stack(longest, || evaluate_here(rules, image, limits)).unwrap_or_else(|| {
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
