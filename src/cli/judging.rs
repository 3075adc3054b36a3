//! The policy and the day that images are judged by.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::oci::escape_text;
use crate::policy::{Date, Policy};

/// The policy of those who ask for none.
pub(super) const DEFAULT: &str = "default";

/// Why a policy cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// No policy is shipped under that name.
    #[error("there is no policy '{0}'; the one that is shipped is {DEFAULT}")]
    Unknown(String),
}

/// The policy that `--policy` names.
pub(super) fn policy(name: &str) -> Result<Policy, Error> {
    if name == DEFAULT { Ok(Policy::default()) } else { Err(Error::Unknown(escape_text(name))) }
}

/// Today in UTC. With a clock that is before 1970 every waiver has expired.
pub(super) fn today() -> Date {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or_else(|_| Date::default(), |time| Date::of_unix_seconds(time.as_secs()))
}

/// Reads `--as-of`.
pub(super) fn date(text: &str) -> Result<Date, String> {
    Date::parse(text).ok_or_else(|| "write YEAR-MONTH-DAY, such as 2026-11-21".to_owned())
}
