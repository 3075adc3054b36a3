//! What an image is: digests, system, base, user, sizes.

use maud::{Markup, html};

use super::shown;
use crate::report::model::{ImageReport, Report};
use crate::report::text::{header, score};

pub(super) fn list(report: &Report, image: &ImageReport) -> Markup {
    html! {
        dl.facts {
            @for (label, digest) in [("Manifest", &image.manifest_digest), ("Config", &image.config_digest)] {
                @if let Some(digest) = digest { (mono(label, digest)) }
            }
            @if report.images.len() > 1 { (fact("Source", &header::source(report))) }
            @if let Some(system) = &image.distribution { (fact("System", system)) }
            @if let Some(base) = &image.base { (fact("Base", &header::base_of(base, image.layers.len()))) }
            @if let Some(file) = &image.dockerfile {
                (fact("Dockerfile", &format!("{} ({}: {})", file.file, file.confidence, file.detail)))
            }
            (fact("Size", &header::size(&image.layers, image.measurements.as_ref())))
            @if let Some(measured) = &image.measurements {
                (fact("Contents", &header::contents(measured)))
                @if let Some(ballast) = &image.ballast { (fact("Ballast", &score::ballast_line(ballast, measured.shipped_bytes))) }
            }
            @if let Some(user) = &image.user { (fact("User", &header::effective(user))) }
            @if let Some(check) = &image.healthcheck { (fact("Health check", &header::health(check))) }
        }
    }
}

fn fact(label: &str, text: &str) -> Markup {
    html! { div { dt { (label) } dd { (super::brief(text)) } } }
}

fn mono(label: &str, text: &str) -> Markup {
    html! { div { dt { (label) } dd { code { (shown(text)) } } } }
}
