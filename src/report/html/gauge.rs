//! The score as a Plimsoll mark: a hull, the disc with its line, load lines from 0 to 100, and how deep the image lies.
//!
//! The more an image carries that it does not need, the deeper it lies: the water of a low score stands high on the hull.

use maud::{Markup, html};

use super::shown;
use crate::report::model::ScoreReport;

/// Where the load lines of 0 and of 100 points are.
const SINGLE: f64 = 46.0;
const MULTI: f64 = 206.0;
/// The hull's edges.
const LEFT: f64 = 92.0;
const RIGHT: f64 = 292.0;
const BOTTOM: f64 = 246.0;
/// How far beyond the load lines the water is drawn.
const BEYOND: f64 = 12.0;

pub(super) fn mark(score: Option<&ScoreReport>, number: usize) -> Markup {
    let level = score.map(|score| level(score.value));
    html! {
        figure.gauge {
            svg viewBox="0 0 400 252" role="img" aria-labelledby={ "mark-" (number) " mark-text-" (number) } {
                title #{ "mark-" (number) } { (headline(score)) }
                desc #{ "mark-text-" (number) } { (description(score)) }
                clipPath #{ "hull-" (number) } { path d=(HULL) {} }
                path.plating d=(HULL) {}
                @if let Some(level) = level {
                    g clip-path={ "url(#hull-" (number) ")" } { path.water d=(water(level)) {} }
                }
                path.hull-edge d=(HULL) {}
                rect.deck x="82" y="4" width="220" height="9" rx="3" {}
                (disc())
                (load_lines())
                @match (score, level) {
                    (Some(score), Some(level)) => (own_line(score, level)),
                    _ => text.no-score x="80" y="130" text-anchor="end" { "no score" },
                }
            }
            figcaption { (caption(score)) }
        }
    }
}

/// A midship section: flat sides, a round bilge.
const HULL: &str = "M92 12H292V150Q288 246 192 246Q96 246 92 150Z";

/// Height of a score's water line.
fn level(value: f64) -> f64 {
    let value = if value.is_finite() { value } else { 0.0 };
    (SINGLE + (MULTI - SINGLE) * value / 100.0).clamp(SINGLE - BEYOND, MULTI + BEYOND)
}

fn water(level: f64) -> String {
    let waves = "q12.5 -5 25 0t25 0t25 0t25 0t25 0t25 0t25 0t25 0";
    format!("M{LEFT} {level:.1}{waves}V{BOTTOM}H{LEFT}Z")
}

/// The circle with the line through it.
fn disc() -> Markup {
    html! {
        g.disc {
            circle cx="160" cy="126" r="34" {}
            path d="M112 126H208" {}
        }
    }
}

/// The ladder beside the disc, and what its lines mean.
fn load_lines() -> Markup {
    html! {
        g.ladder {
            path d={ "M236 " (SINGLE) "V" (MULTI) } {}
            @for (points, length) in [(0, 30), (25, 14), (50, 22), (75, 14), (100, 30)] {
                @let y = level(f64::from(points));
                path d={ "M236 " (format!("{y:.1}")) "h" (length) } {}
            }
        }
        g.scale {
            @for (points, what) in [(0, "single-stage"), (100, "multi-stage")] {
                @let y = level(f64::from(points));
                text.points x="302" y={ (format!("{:.1}", y + 1.0)) } { (points) }
                text.what x="302" y={ (format!("{:.1}", y + 15.0)) } { (what) }
            }
            @for points in [25, 50, 75] {
                text.points x="302" y={ (format!("{:.1}", level(f64::from(points)) + 4.5)) } { (points) }
            }
        }
    }
}

/// Where the image lies.
fn own_line(score: &ScoreReport, level: f64) -> Markup {
    let text = level.clamp(SINGLE - 4.0, MULTI + 4.0);
    html! {
        g.own {
            path.line d={ "M" (format!("{LEFT}")) " " (format!("{level:.1}")) "H" (RIGHT) } {}
            path.pointer d={ "M" (format!("{LEFT}")) " " (format!("{level:.1}")) "l-10 -6v12z" } {}
            text.value x="78" y={ (format!("{:.1}", text + 8.0)) } text-anchor="end" { (format!("{:.0}", score.value)) }
            text.grade x="78" y={ (format!("{:.1}", text + 25.0)) } text-anchor="end" { "grade " (grade(score)) }
        }
    }
}

/// The grade: a letter, whatever a report says.
fn grade(score: &ScoreReport) -> String {
    shown(&score.grade).chars().take(2).collect()
}

fn headline(score: Option<&ScoreReport>) -> String {
    score.map_or_else(|| "No score".to_owned(), |score| format!("Score {:.0} of 100, grade {}", score.value, shown(&score.grade)))
}

fn description(score: Option<&ScoreReport>) -> &'static str {
    match score {
        Some(_) => {
            "A Plimsoll mark on a hull. The load line of 0 is the single-stage baseline, that of 100 the multi-stage one; the water \
             stands at the image's score. The less ballast, the lower the water."
        }
        None => "A Plimsoll mark on a hull without water: the image was not weighed.",
    }
}

fn caption(score: Option<&ScoreReport>) -> Markup {
    html! {
        @match score {
            Some(score) => {
                b { (format!("{:.1} of 100", score.value)) } " between the " b { (shown(&score.baseline.name)) } " baselines"
                @if let Some(cap) = &score.cap { span.cap { "Grade " (shown(&cap.uncapped)) " by points; " (super::brief(&cap.reason)) "." } }
            }
            None => "No score: without a known filesystem, or a policy with baselines, there is nothing to weigh."
        }
    }
}
