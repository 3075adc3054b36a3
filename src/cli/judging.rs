//! The policy and the day that images are judged by.

use std::time::{SystemTime, UNIX_EPOCH};

use super::USAGE;
use super::policy::{open, told};
use super::reference::Refusal;
use crate::policy::{Date, Policy};

/// The policy of those who ask for none.
pub(super) const DEFAULT: &str = "default";

/// The policy that `--policy` names: a shipped one, or a file with all that it extends.
pub(super) fn policy(name: &str) -> Result<Policy, Refusal> {
    open(name).map(|loaded| loaded.policy).map_err(|errors| (USAGE, told(&errors)))
}

/// Today in UTC. With a clock that is before 1970 every waiver has expired.
pub(super) fn today() -> Date {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or_else(|_| Date::default(), |time| Date::of_unix_seconds(time.as_secs()))
}

/// Reads `--as-of`.
pub(super) fn date(text: &str) -> Result<Date, String> {
    Date::parse(text).ok_or_else(|| "write YEAR-MONTH-DAY, such as 2026-11-21".to_owned())
}
