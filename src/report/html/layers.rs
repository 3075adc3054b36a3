//! Layers, base first: the instruction that made each, and how much it weighs.

use maud::{Markup, html};

use super::{brief, shown};
use crate::report::model::{ImageReport, LayerReport};
use crate::report::quantity::{bytes, counted};

/// Layers that are shown; JSON has all of them.
const ROWS: usize = 200;

pub(super) fn table(image: &ImageReport, number: usize) -> Markup {
    let heaviest = image.layers.iter().map(|layer| layer.uncompressed_bytes).max().unwrap_or(0);
    let more = image.layers.len().saturating_sub(ROWS);
    html! {
        @if !image.layers.is_empty() {
            section.card aria-labelledby={ "layers-" (number) } {
                h3 #{ "layers-" (number) } { "Layers " span.total { (image.layers.len()) } }
                div.wide {
                    table.rows.layers {
                        caption.unseen { "Layers, the base first" }
                        thead { tr { th.number scope="col" { "No." } th scope="col" { "Instruction" } th scope="col" { "Size" } } }
                        tbody { @for layer in image.layers.iter().take(ROWS) { (row(layer, heaviest)) } }
                    }
                }
                @if more > 0 { p.more { "And " (counted(more, "more layer")) "; the JSON report has all of them." } }
            }
        }
    }
}

fn row(layer: &LayerReport, heaviest: u64) -> Markup {
    let share = super::map::percent(layer.uncompressed_bytes, heaviest);
    let kind = match layer.origin.as_deref() {
        Some("inherited") => Some("inherited"),
        Some("yours") => Some("yours"),
        _ => None,
    };
    html! {
        tr.{ "of-" (kind.unwrap_or("nobody")) } {
            td.number data-head="No." { (layer.index) }
            th scope="row" {
                @match &layer.instruction {
                    Some(instruction) => code { (brief(instruction)) },
                    None => span.quiet { "the image's history does not tell what made it" },
                }
                span.under {
                    @if let Some(kind) = kind { span.origin.{ "is-" (kind) } { (kind) } }
                    @if let Some(at) = &layer.location { span { (shown(&at.file)) ":" (at.line) " (" (shown(&at.confidence)) ")" } }
                }
            }
            td data-head="Size" {
                span.meter { span.bar style={ "width:" (format!("{share:.1}")) "%" } {} }
                span.amount {
                    (bytes(layer.uncompressed_bytes))
                    @if let Some(stored) = layer.compressed_bytes { span.quiet { " (" (bytes(stored)) " stored)" } }
                }
            }
        }
    }
}
