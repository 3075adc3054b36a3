//! Names that a policy may speak of.

use super::requirement::REQUIREMENTS;
use crate::checks;

/// Ids of built-in checks and of requirements.
pub(super) fn built_in() -> impl Iterator<Item = &'static str> {
    checks::ALL.iter().map(|check| check.id).chain(REQUIREMENTS.iter().map(|requirement| requirement.id))
}
