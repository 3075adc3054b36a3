//! The inventory of applications, as it is published.

use crate::facts::{Component, Image};
use crate::oci::{escape, escape_text};
use crate::report::model as out;

pub(super) fn components(image: &Image) -> Vec<out::ComponentReport> {
    image.applications.list.iter().map(|one| component(image, one)).collect()
}

/// One of them.
pub(in crate::verify) fn component(image: &Image, component: &Component) -> out::ComponentReport {
    let owner = |index: usize| image.packages.list.get(index).map(|package| escape_text(&package.name));
    out::ComponentReport {
        kind: component.kind.as_str().to_owned(),
        name: escape_text(&component.name),
        version: component.version.as_deref().map(escape_text),
        path: escape(&component.path),
        layer: component.layer,
        bytes: component.bytes,
        package: component.package.and_then(owner),
        details: component.details.iter().map(|(name, value)| ((*name).to_owned(), escape_text(value))).collect(),
        problem: component.problem.clone(),
    }
}
