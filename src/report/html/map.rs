//! Where the bytes are: a map of the final filesystem, a legend by class, and the heaviest ballast.

use maud::{Markup, html};

use super::treemap::{Area, squarified};
use super::{brief, shown};
use crate::report::model::{BallastReport, FilesystemPart, FilesystemReport, ImageReport};
use crate::report::quantity::{bytes, count};
use crate::report::text::page::columns;
use crate::score::Class;

/// A map's width and height, and the size of its letters; parts whose area is less than `least` are drawn as one.
#[derive(Debug, Clone, Copy)]
struct Sheet {
    kind: &'static str,
    width: f64,
    height: f64,
    letters: f64,
    least: f64,
}

const SHEETS: [Sheet; 2] = [
    Sheet { kind: "on-desk", width: 1040.0, height: 460.0, letters: 11.0, least: 40.0 },
    Sheet { kind: "on-phone", width: 360.0, height: 420.0, letters: 11.0, least: 60.0 },
];

/// What one rectangle shows.
struct Tile<'p> {
    part: Option<&'p FilesystemPart>,
    bytes: u64,
    places: usize,
}

pub(super) fn section(image: &ImageReport, number: usize) -> Markup {
    html! {
        @if image.filesystem.is_some() || image.ballast.is_some() {
            section.card aria-labelledby={ "map-" (number) } {
                h3 #{ "map-" (number) } { "Where the bytes are" }
                @if let Some(filesystem) = &image.filesystem {
                    p.lead { (bytes(filesystem.bytes)) " in the files of the final filesystem, by what they are. Areas are as bytes; hover over one for its path." }
                    @for sheet in SHEETS { (draw(filesystem, sheet, number)) }
                }
                @if let Some(ballast) = &image.ballast {
                    (legend(ballast, number))
                    (heaviest(ballast))
                }
            }
        }
    }
}

/// The class of a name in the report; None for one that only newer reports have.
fn class(name: &str) -> Option<Class> {
    Class::ALL.into_iter().find(|class| class.as_str() == name)
}

fn colour(name: &str) -> String {
    format!("c-{}", class(name).map_or("other", Class::as_str))
}

fn draw(filesystem: &FilesystemReport, sheet: Sheet, number: usize) -> Markup {
    let mut groups: Vec<(&str, Vec<&FilesystemPart>, u64)> = Vec::new();
    for part in filesystem.parts.iter().filter(|part| part.bytes > 0) {
        match groups.iter_mut().find(|group| group.0 == part.class) {
            Some(group) => {
                group.1.push(part);
                group.2 = group.2.saturating_add(part.bytes);
            }
            None => groups.push((&part.class, vec![part], part.bytes)),
        }
    }
    groups.sort_by_key(|group| std::cmp::Reverse(group.2));
    let weights: Vec<f64> = groups.iter().map(|group| real(group.2)).collect();
    let area = Area { x: 0.0, y: 0.0, width: sheet.width, height: sheet.height };
    let (title, id) = (format!("{}-{number}", sheet.kind), format!("map-{}-{number}", sheet.kind));
    html! {
        @if !groups.is_empty() {
            svg.map.(sheet.kind) viewBox={ "0 0 " (sheet.width) " " (sheet.height) } role="img" aria-labelledby={ (title) " " (id) } {
                title #(title) { "Map of the final filesystem" }
                desc #(id) { "A rectangle for each folder or file, as large as its bytes, coloured by class. The table below has the sums." }
                @for (group, area) in groups.iter().zip(squarified(&weights, area)) { (draw_group(group.0, &group.1, area.inset(1.0), sheet)) }
            }
        }
    }
}

/// The parts of one class in its area.
fn draw_group(class: &str, parts: &[&FilesystemPart], area: Area, sheet: Sheet) -> Markup {
    let total = parts.iter().fold(0_u64, |sum, part| sum.saturating_add(part.bytes));
    let surface = |bytes: u64| real(bytes) / real(total.max(1)) * area.width * area.height;
    let (large, small): (Vec<&&FilesystemPart>, Vec<&&FilesystemPart>) =
        parts.iter().partition(|part| surface(part.bytes) >= sheet.least);
    let mut tiles: Vec<Tile<'_>> = large.iter().map(|part| Tile { part: Some(part), bytes: part.bytes, places: 1 }).collect();
    if !small.is_empty() {
        let bytes = small.iter().fold(0_u64, |sum, part| sum.saturating_add(part.bytes));
        tiles.push(Tile { part: small.first().filter(|_| small.len() == 1).map(|part| **part), bytes, places: small.len() });
    }
    tiles.sort_by_key(|tile| std::cmp::Reverse(tile.bytes));
    let weights: Vec<f64> = tiles.iter().map(|tile| real(tile.bytes)).collect();
    html! {
        g.(colour(class)) {
            @for (tile, area) in tiles.iter().zip(squarified(&weights, area)) { (draw_tile(class, tile, area.inset(0.5), sheet)) }
        }
    }
}

fn draw_tile(class: &str, tile: &Tile<'_>, area: Area, sheet: Sheet) -> Markup {
    let name = match tile.part {
        Some(part) => brief(&part.path),
        None => format!("{} smaller places", tile.places),
    };
    let told = tile.part.map(|part| format!(", {} files, layer {}", count(part.files), part.layer)).unwrap_or_default();
    let px = |number: f64| format!("{number:.1}");
    html! {
        g {
            title { (name) ": " (bytes(tile.bytes)) ", " (shown(class)) (told) }
            rect x=(px(area.x)) y=(px(area.y)) width=(px(area.width)) height=(px(area.height)) {}
            @if let Some(label) = label(&name, area, sheet) {
                // a picture of its own: what is wider than measured is cut off, not drawn over the neighbours
                svg x=(px(area.x)) y=(px(area.y)) width=(px(area.width)) height=(px(area.height)) {
                    text x="5" y=(px(sheet.letters + 4.0)) { (label) }
                    @if area.height >= sheet.letters * 2.0 + 14.0 && width_of(&bytes(tile.bytes), sheet) < area.width - 10.0 {
                        text.size x="5" y=(px(sheet.letters * 2.0 + 8.0)) { (bytes(tile.bytes)) }
                    }
                }
            }
        }
    }
}

/// The longest form of a path that fits: all of it, then ever fewer of its last names. None when not even the last one does.
fn label(path: &str, area: Area, sheet: Sheet) -> Option<String> {
    if area.height < sheet.letters + 8.0 {
        return None;
    }
    let fits = |text: &str| width_of(text, sheet) <= area.width - 10.0;
    if fits(path) {
        return Some(path.to_owned());
    }
    // the names after each slash, but for the one that ends a folder
    let starts = path.char_indices().filter(|(at, character)| *character == '/' && *at > 0 && path.len() > at.saturating_add(1));
    let tails = starts.filter_map(|(at, _)| path.get(at.saturating_add(1)..));
    let last = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let fitting: Option<String> = tails.map(str::to_owned).find(|tail| fits(tail));
    fitting.or_else(|| cut(last, area.width - 10.0, sheet))
}

/// The start of a name, when enough of it fits to tell something.
fn cut(name: &str, width: f64, sheet: Sheet) -> Option<String> {
    const LEAST: usize = 6;
    let most = name.chars().count().saturating_sub(1);
    let cuts = (LEAST..=most).rev().map(|length| name.chars().take(length).chain(['\u{2026}']).collect::<String>());
    cuts.take(400).find(|cut| width_of(cut, sheet) <= width)
}

/// How wide a text of fixed-width letters is.
fn width_of(text: &str, sheet: Sheet) -> f64 {
    real(u64::try_from(columns(text)).unwrap_or(u64::MAX)) * sheet.letters * 0.62
}

/// Bytes of every class, with its colour on the map.
fn legend(ballast: &BallastReport, number: usize) -> Markup {
    let mut classes: Vec<(&str, u64)> = ballast.by_class.iter().map(|(class, bytes)| (class.as_str(), *bytes)).collect();
    classes.retain(|(_, bytes)| *bytes > 0);
    classes.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
    let all = classes.iter().fold(0_u64, |sum, (_, bytes)| sum.saturating_add(*bytes));
    html! {
        div.wide {
            table.rows.legend aria-describedby={ "map-" (number) } {
                caption.unseen { "Bytes by class" }
                thead { tr { th scope="col" { "Class" } th scope="col" { "What it is" } th scope="col" { "Bytes" } } }
                tbody {
                    @for (class, weight) in classes.iter().take(Class::ALL.len().saturating_add(3)) {
                        tr {
                            th scope="row" { span.swatch.(colour(class)) {} (shown(class)) }
                            td data-head="What it is" { (meaning(class)) @if is_ballast(class) { " " span.tag.is-ballast { "ballast" } } }
                            td data-head="Bytes" {
                                span.meter { span.bar.(colour(class)) style={ "width:" (format!("{:.1}", percent(*weight, all))) "%" } {} }
                                span.amount { (bytes(*weight)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn is_ballast(name: &str) -> bool {
    class(name).is_some_and(Class::is_ballast)
}

fn meaning(name: &str) -> &'static str {
    match class(name) {
        Some(Class::Toolchain) => "Compilers, build tools, debuggers, version control, headers, static libraries",
        Some(Class::Cache) => "Package lists, package caches, temporary files, logs",
        Some(Class::Documentation) => "Documentation, manuals, translations",
        Some(Class::Buried) => "Shipped in a layer, deleted or replaced by a later one: not on the map",
        Some(Class::PackageManager) => "Package managers and what they bring for themselves",
        Some(Class::TestDependency) => "Test and lint tools, test suites",
        Some(Class::System) => "Owned by a package of the operating system, its databases, /etc",
        Some(Class::Application) => "Every other file",
        Some(Class::Archive) => "Headers and padding of the layers' archives: not on the map",
        None => "",
    }
}

/// The folders and files of ballast that weigh most.
fn heaviest(ballast: &BallastReport) -> Markup {
    html! {
        @if !ballast.biggest.is_empty() {
            h4 { "Heaviest ballast" }
            div.wide {
                table.rows {
                    caption.unseen { "Folders and files of ballast that weigh most" }
                    thead { tr { th scope="col" { "Place" } th scope="col" { "Class" } th.number scope="col" { "Layer" } th.number scope="col" { "Files" } th.number scope="col" { "Bytes" } } }
                    tbody {
                        @for one in ballast.biggest.iter().take(20) {
                            tr {
                                th scope="row" { code { (brief(&one.path)) } }
                                td data-head="Class" { span.swatch.(colour(&one.class)) {} (shown(&one.class)) }
                                td.number data-head="Layer" { (one.layer) }
                                td.number data-head="Files" { (count(one.files)) }
                                td.number data-head="Bytes" { (bytes(one.bytes)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// How much of `all` this is, 0 to 100.
pub(super) fn percent(bytes: u64, all: u64) -> f64 {
    if all == 0 { 0.0 } else { (real(bytes) / real(all) * 100.0).clamp(0.0, 100.0) }
}

#[expect(clippy::cast_precision_loss, reason = "pictures are no more exact than a pixel")]
fn real(number: u64) -> f64 {
    number as f64
}
