//! Which packages the start-up path needs.

use crate::facts::{Image, Unreached};
use crate::oci::escape_text;
use crate::report::model as out;

/// Packages that are told by name.
const MOST: usize = 500;

pub(super) fn reach(image: &Image) -> out::ReachReport {
    let packages = image.packages.list.len();
    let reach = match &image.reach {
        Ok(reach) => reach,
        Err(reason) => {
            let not_known = image.startup.not_known.clone();
            return out::ReachReport { packages, unknown: Some(reason.clone()), not_known, ..out::ReachReport::default() };
        }
    };
    let told = |one: &Unreached| {
        let package = image.packages.list.get(one.package)?;
        let (name, version) = (escape_text(&package.name), escape_text(&package.version));
        Some(out::UnreachedReport { name, version, bytes: one.bytes, layer: one.layer })
    };
    out::ReachReport {
        packages,
        reached: Some(reach.reached.len()),
        unreached_bytes: Some(reach.unreached_bytes),
        unknown: None,
        at_least: !reach.not_known.is_empty(),
        not_known: reach.not_known.clone(),
        biggest: reach.unreached.iter().take(MOST).filter_map(told).collect(),
    }
}
