//! A program that is built without own rules refuses every policy that has some: none is ever passed over.

use super::{Evaluated, RuleError};
use crate::facts::Image;
use crate::limits::Limits;
use crate::oci::escape_text;
use crate::policy::Rule;

/// A rule that can be evaluated: there is none.
#[derive(Debug)]
pub enum Compiled {}

/// Refuses the rule.
pub fn compile(rule: &Rule, _limits: &Limits) -> Result<Compiled, RuleError> {
    let reason = "this program was built without the feature `rules`".to_owned();
    Err(RuleError { rule: escape_text(&rule.id), line: 1, column: 1, reason })
}

/// Says nothing of no rules.
#[must_use]
pub fn evaluate_compiled(_rules: &[Compiled], _image: &Image, _limits: &Limits) -> Evaluated {
    Evaluated::default()
}
