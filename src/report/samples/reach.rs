//! A reach, with names as a hostile package database may hold them.

use super::MIB;
use crate::report::model::{ReachReport, UnreachedReport};

pub(super) fn reach() -> ReachReport {
    let package = |name: &str, bytes, layer| UnreachedReport { name: name.into(), version: "12.2.0-14".into(), bytes, layer };
    ReachReport {
        packages: 412,
        reached: Some(31),
        unreached_bytes: Some(212 * MIB),
        unknown: None,
        at_least: true,
        not_known: vec![
            "which command a shell runs: $RUN...".into(),
            "in the health check: what /srv/app/health starts: it is long".into(),
        ],
        biggest: vec![
            package("gcc-12", 88 * MIB, Some(1)),
            package("<b>|`::stop", 2 * MIB, Some(0)),
            package("usr-is-merged", 0, None),
        ],
    }
}
