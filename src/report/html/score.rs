//! The table behind the score: every measurement, its baselines and its points.

use maud::{Markup, html};

use super::{brief, shown};
use crate::report::model::{PartReport, ScoreReport};
use crate::report::text::score::{label, number};

/// Rows that are shown; policies have far fewer measurements.
const ROWS: usize = 100;

pub(super) fn table(score: &ScoreReport, image: usize) -> Markup {
    html! {
        section.card aria-labelledby={ "score-" (image) } {
            h3 #{ "score-" (image) } { "Score" }
            p.lead {
                "Each measurement earns points by where it lies between the single-stage baseline (0) and the multi-stage baseline (all). "
                "Chosen because " (brief(&score.baseline.chosen_by)) "."
            }
            div.wide {
                table.rows.score {
                    caption.unseen { "Points by measurement" }
                    thead { tr {
                        th scope="col" { "Measurement" } th.number scope="col" { "This image" } th.number scope="col" { "Single-stage" }
                        th.number scope="col" { "Multi-stage" } th scope="col" { "Points" }
                    } }
                    tbody { @for part in score.parts.iter().take(ROWS) { (row(part)) } }
                }
            }
            p.note {
                "Baselines: " code { (shown(&score.baseline.single.recipe)) } " " span.date { "(" (shown(&score.baseline.single.date)) ")" } " and "
                code { (shown(&score.baseline.multi.recipe)) } " " span.date { "(" (shown(&score.baseline.multi.date)) ")." }
            }
        }
    }
}

fn row(part: &PartReport) -> Markup {
    let share = if part.most > 0.0 { (part.points / part.most * 100.0).clamp(0.0, 100.0) } else { 0.0 };
    html! {
        tr {
            th scope="row" { (shown(label(part))) " " small { (shown(&part.group)) } }
            td.number data-head="This image" { b { (shown(&number(part, part.image))) } }
            td.number data-head="Single-stage" { (shown(&number(part, part.single))) }
            td.number data-head="Multi-stage" { (shown(&number(part, part.multi))) }
            td data-head="Points" {
                @if part.counts {
                    span.meter { span.bar style={ "width:" (format!("{share:.1}")) "%" } {} }
                    span.amount { (format!("{:.1}", part.points)) " of " (format!("{:.1}", part.most)) }
                } @else { span.quiet { "does not count" } }
            }
        }
    }
}
