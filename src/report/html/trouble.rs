//! What stands in the way of a verdict: errors, places that were not examined, paths on which runtimes disagree.

use maud::{Markup, html};

use super::{brief, shown};
use crate::oci::Code;
use crate::report::model::{DifferenceReport, ErrorReport, NotExaminedReport, Verdict};
use crate::report::quantity::counted;
use crate::report::text::trouble;

/// Lines of one list that are shown; JSON has all of them.
const SHOWN: usize = 50;

pub(super) fn errors(errors: &[ErrorReport]) -> Markup {
    html! {
        @if !errors.is_empty() {
            div.errors {
                h3 { "Why it could not be verified" }
                p { "Nothing that this page says of the image is a pass: what could not be read was not judged." }
                ul {
                    @for error in errors.iter().take(SHOWN) {
                        li {
                            p.what { code { (shown(&error.code)) } " " (shown(&error.message)) }
                            @let place = trouble::place(&error.place);
                            @if !place.is_empty() || error.place.path.is_some() {
                                p.where { (shown(&place)) " " @if let Some(path) = &error.place.path { code { (brief(path)) } } }
                            }
                            @if let Some(code) = Code::ALL.iter().find(|code| code.as_str() == error.code) { p.means { (code.meaning()) } }
                        }
                    }
                }
                (more(errors.len(), "error"))
            }
        }
    }
}

pub(super) fn not_examined(places: &[NotExaminedReport], verdict: Verdict) -> Markup {
    html! {
        @if !places.is_empty() {
            div.unseen-places {
                h3 { "Not examined: " (counted(places.len(), "place")) }
                p {
                    "What was not examined is not judged."
                    @if verdict == Verdict::Unverifiable { " An image is not passed for what nobody saw." }
                }
                ul {
                    @for place in places.iter().take(SHOWN) {
                        li {
                            @match (&place.path, place.layer) {
                                (Some(path), Some(layer)) => { code { (brief(path)) } " in layer " (layer) }
                                (Some(path), None) => code { (brief(path)) },
                                (None, Some(layer)) => { "layer " (layer) }
                                (None, None) => "the image as a whole",
                            }
                            ": " (brief(&place.reason))
                        }
                    }
                }
                (more(places.len(), "place"))
            }
        }
    }
}

pub(super) fn differences(differences: &[DifferenceReport], number: usize) -> Markup {
    html! {
        @if !differences.is_empty() {
            section.card aria-labelledby={ "trees-" (number) } {
                h3 #{ "trees-" (number) } { "Two trees: " (counted(differences.len(), "path")) }
                p.lead { "Runtimes that mount layers as overlays and runtimes that unpack them one after the other show different files." }
                div.wide {
                    table.rows {
                        caption.unseen { "Paths on which runtimes disagree" }
                        thead { tr { th scope="col" { "Path" } th scope="col" { "Overlay" } th scope="col" { "Unpacked" } } }
                        tbody {
                            @for one in differences.iter().take(SHOWN) {
                                tr {
                                    th scope="row" { code { (brief(&one.path)) } }
                                    td data-head="Overlay" { (brief(&one.stacked)) }
                                    td data-head="Unpacked" { (brief(&one.sequential)) }
                                }
                            }
                        }
                    }
                }
                (more(differences.len(), "path"))
            }
        }
    }
}

fn more(all: usize, noun: &str) -> Markup {
    let more = all.saturating_sub(SHOWN);
    html! { @if more > 0 { p.more { "And " (counted(more, &format!("more {noun}"))) "; the JSON report lists all of them." } } }
}
