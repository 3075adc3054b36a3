//! Which packages nothing on the start-up path needs.

use maud::{Markup, html};

use super::brief;
use crate::report::model::ImageReport;
use crate::report::quantity::{bytes, counted};
use crate::report::wording::reach;

/// Packages that are shown; JSON has more.
const PACKAGES: usize = 15;
/// Reasons that are shown, likewise.
const REASONS: usize = 10;

pub(super) fn section(image: &ImageReport, number: usize) -> Markup {
    let Some(found) = &image.reach else { return html! {} };
    let others = found.packages.saturating_sub(found.reached.unwrap_or(found.packages));
    let more = others.saturating_sub(found.biggest.len().min(PACKAGES));
    html! {
        section.card aria-labelledby={ "reach-" (number) } {
            h2 #{ "reach-" (number) } { "Reach" }
            p { (brief(&reach(found))) }
            @if !found.not_known.is_empty() {
                p { "Not known, and so more may be needed:" }
                ul {
                    @for reason in found.not_known.iter().take(REASONS) { li { (brief(reason)) } }
                    @if found.not_known.len() > REASONS { li { "and " (counted(found.not_known.len().saturating_sub(REASONS), "more reason")) } }
                }
            }
            @if !found.biggest.is_empty() {
                div.wide {
                    table.rows {
                        caption.unseen { "The heaviest packages that the start-up path does not need" }
                        thead { tr { th scope="col" { "Not reached" } th scope="col" { "Version" } th scope="col" { "Bytes" } th scope="col" { "Layer" } } }
                        tbody {
                            @for one in found.biggest.iter().take(PACKAGES) {
                                tr {
                                    th scope="row" { (brief(&one.name)) }
                                    td data-head="Version" { (brief(&one.version)) }
                                    td data-head="Bytes" { (bytes(one.bytes)) }
                                    td data-head="Layer" { @if let Some(layer) = one.layer { (layer) } }
                                }
                            }
                        }
                    }
                }
                @if more > 0 { p { "And " (counted(more, "lighter package")) "." } }
            }
        }
    }
}
