//! What stands in the way of a verdict: errors, places that were not examined, paths on which runtimes disagree.

use super::page::{ALARM, Page, WARNING};
use crate::oci::Code;
use crate::report::model::{DifferenceReport, ErrorReport, NotExaminedReport, PlaceReport, Verdict};
use crate::report::quantity::{count, counted};

/// Lines of one list that are shown; JSON has all of them.
const SHOWN: usize = 5;

pub(super) fn errors(page: &mut Page, errors: &[ErrorReport]) {
    for error in errors {
        page.headline(ALARM, "ERROR", &error.code, "");
        page.text(2, &error.message);
        let place = place(&error.place);
        if !place.is_empty() {
            page.field("where", &place);
        }
        if let Some(path) = &error.place.path {
            page.item("path", path, "");
        }
        if let Some(code) = Code::ALL.iter().find(|code| code.as_str() == error.code) {
            page.field("means", code.meaning());
        }
        page.blank();
    }
}

/// Document, layer and offset; the path has a line of its own.
pub(in crate::report) fn place(place: &PlaceReport) -> String {
    let layer = place.layer.map(|layer| format!("layer {layer}"));
    let offset = place.offset.map(|offset| format!("byte {}", count(offset)));
    [place.document.clone(), layer, offset].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

pub(super) fn differences(page: &mut Page, differences: &[DifferenceReport]) {
    if differences.is_empty() {
        return;
    }
    page.headline(WARNING, "TREES DIFFER", &counted(differences.len(), "path"), "");
    page.text(
        2,
        "Runtimes that mount layers as overlays and runtimes that unpack them one after the other show different files.",
    );
    for difference in differences.iter().take(SHOWN) {
        page.item("path", &difference.path, "");
        page.field("overlay", &difference.stacked);
        page.field("unpacked", &difference.sequential);
    }
    more(page, differences.len());
    page.blank();
}

pub(super) fn not_examined(page: &mut Page, places: &[NotExaminedReport], verdict: Verdict) {
    if places.is_empty() {
        return;
    }
    page.headline(WARNING, "NOT EXAMINED", &counted(places.len(), "place"), "");
    page.text(2, "What was not examined is not judged.");
    if verdict == Verdict::Unverifiable {
        page.text(2, "An image is not passed for what nobody saw; --allow-incomplete does so where no error stands in the way.");
    }
    for place in places.iter().take(SHOWN) {
        match (&place.path, place.layer) {
            (Some(path), Some(layer)) => page.item("path", path, &format!("(layer {layer})")),
            (Some(path), None) => page.item("path", path, ""),
            (None, Some(layer)) => page.field("layer", &layer.to_string()),
            (None, None) => page.field("image", "as a whole"),
        }
        page.field("reason", &place.reason);
    }
    more(page, places.len());
    page.blank();
}

fn more(page: &mut Page, all: usize) {
    let more = all.saturating_sub(SHOWN);
    if more > 0 {
        page.field("", &format!("and {more} more"));
    }
}
