//! What was verified: names, digests, sizes, user, health check.

use super::page::{Page, STRONG};
use crate::report::model::{
    BaseReport, HealthcheckReport, ImageReport, LayerReport, Measurements, PlatformReport, ReachReport, Report, UserReport,
};
use crate::report::quantity::{bytes, count, counted};
use crate::report::wording::reach;

/// Hex digits of a digest that are shown.
const DIGITS: usize = 12;
/// Supplementary groups that are shown; JSON has all of them.
const GROUPS: usize = 20;

pub(super) fn write(page: &mut Page, report: &Report, image: &ImageReport, index: usize) {
    let place = match report.images.len() {
        0 | 1 => String::new(),
        images => format!("image {} of {images}", index.saturating_add(1)),
    };
    page.headline(STRONG, "image", &title(report, image), &place);
    page.field("source", &source(report));
    for (label, digest) in [("manifest", &image.manifest_digest), ("config", &image.config_digest)] {
        if let Some(digest) = digest {
            page.field(label, &short(digest));
        }
    }
    if let Some(distribution) = &image.distribution {
        page.field("system", distribution);
    }
    if let Some(base) = &image.base {
        page.field("base", &base_of(base, image.layers.len()));
    }
    if let Some(lines) = lines(image) {
        page.field("lines", &lines);
    }
    page.field("size", &size(&image.layers, image.measurements.as_ref()));
    if let Some(measured) = &image.measurements {
        page.field("contents", &contents(measured));
    }
    if let Some(found) = &image.reach {
        page.field_cut("reach", &reached(found), 4);
    }
    if !image.components.is_empty() {
        page.field("installed", &super::components::line(&image.components));
    }
    if let Some(user) = &image.user {
        page.field("user", &effective(user));
    }
    if let Some(healthcheck) = &image.healthcheck {
        page.field_cut("health", &health(healthcheck), 2);
    }
    super::score::write(page, image);
    page.blank();
}

/// How many packages the start-up path needs, and what of it is not known.
fn reached(found: &ReachReport) -> String {
    let more = match found.not_known.len() {
        0 | 1 => String::new(),
        reasons => format!(" and {} more", reasons.saturating_sub(1)),
    };
    let reason = found.not_known.first().filter(|_| found.reached.is_some());
    let reason = reason.map(|reason| format!("; not known: {reason}{more}")).unwrap_or_default();
    format!("{}{reason}", reach(found))
}

/// For a source of which no image could be read.
pub(super) fn of_source(page: &mut Page, report: &Report) {
    page.headline(STRONG, "source", &source(report), "");
    page.blank();
}

/// The image's name, or the file's where it has none, and its platform.
pub(in crate::report) fn title(report: &Report, image: &ImageReport) -> String {
    let name = image.reference.as_ref().unwrap_or(&report.source.name);
    match &image.platform {
        Some(it) => format!("{name} {}", platform(it)),
        None => name.clone(),
    }
}

pub(in crate::report) fn platform(platform: &PlatformReport) -> String {
    let variant = platform.variant.as_ref().map(|variant| format!("/{variant}")).unwrap_or_default();
    format!("{}/{}{variant}", platform.os, platform.architecture)
}

pub(in crate::report) fn short(digest: &str) -> String {
    match digest.split_once(':') {
        Some((algorithm, hex)) => format!("{algorithm}:{}", hex.get(..DIGITS).unwrap_or(hex)),
        None => digest.to_owned(),
    }
}

pub(in crate::report) fn source(report: &Report) -> String {
    let name = if report.source.name == "-" { "standard input" } else { &report.source.name };
    match &report.source.kind {
        Some(kind) => format!("{name} ({kind})"),
        None => name.to_owned(),
    }
}

/// `debian:13-slim, the first 3 of 9 layers; certain: the diff_ids are equal`.
pub(in crate::report) fn base_of(base: &BaseReport, layers: usize) -> String {
    let name = base.name.as_deref().unwrap_or("no name is known");
    let first = if base.layers == 1 { "the first".to_owned() } else { format!("the first {}", base.layers) };
    format!("{name}, {first} of {}; {}: {}", counted(layers, "layer"), base.confidence, base.reason)
}

/// `docker/Dockerfile, stage runtime; exact: BuildKit's provenance names the line of every layer`. Without a Dockerfile, how to get
/// lines, when the image was built from one.
fn lines(image: &ImageReport) -> Option<String> {
    let Some(found) = &image.dockerfile else {
        const KEYWORDS: [&str; 4] = ["RUN ", "COPY ", "ADD ", "WORKDIR "];
        let last = image.layers.last().and_then(|layer| layer.instruction.as_deref()).unwrap_or_default();
        let is_of_dockerfile = KEYWORDS.iter().any(|keyword| last.starts_with(keyword));
        return is_of_dockerfile.then(|| "not known: name the Dockerfile with --dockerfile PATH".to_owned());
    };
    let stage = found.target.as_ref().map(|target| format!(", stage {target}")).unwrap_or_default();
    let sure = if found.confidence == "none" { "no lines are known" } else { &found.confidence };
    Some(format!("{}{stage}; {sure}: {}", found.file, found.detail))
}

pub(in crate::report) fn size(layers: &[LayerReport], measured: Option<&Measurements>) -> String {
    let layer_count = counted(layers.len(), "layer");
    let Some(measured) = measured else {
        return layer_count;
    };
    let compressed = measured.compressed_bytes.map(|it| format!(" ({} compressed)", bytes(it))).unwrap_or_default();
    let buried = match measured.buried_bytes {
        0 => String::new(),
        buried => format!(", {} of it deleted or replaced by later layers", bytes(buried)),
    };
    format!("{layer_count}, {}{compressed}{buried}", bytes(measured.shipped_bytes))
}

pub(in crate::report) fn contents(measured: &Measurements) -> String {
    format!(
        "{} entries, {} of files, {} OS packages, {}",
        count(measured.entries),
        bytes(measured.final_bytes),
        count(measured.os_packages),
        counted(usize::try_from(measured.executables).unwrap_or(usize::MAX), "executable")
    )
}

pub(in crate::report) fn effective(user: &UserReport) -> String {
    let configured = if user.configured.is_empty() { "not set" } else { &user.configured };
    let (Some(uid), true) = (user.uid, user.resolved) else {
        return format!("{configured}: not in the image's user databases");
    };
    let group = user.gid.map(|gid| format!(", gid {gid}")).unwrap_or_default();
    let shown: Vec<String> = user.groups.iter().take(GROUPS).map(u32::to_string).collect();
    let more = match user.groups.len().saturating_sub(GROUPS) {
        0 => String::new(),
        more => format!(" and {} more", count(u64::try_from(more).unwrap_or(u64::MAX))),
    };
    let groups = if shown.is_empty() { String::new() } else { format!(", groups {}{more}", shown.join(" ")) };
    let root = if uid == 0 { " (root)" } else { "" };
    format!("{configured}: uid {uid}{group}{groups}{root}")
}

pub(in crate::report) fn health(healthcheck: &HealthcheckReport) -> String {
    match (healthcheck.present, healthcheck.test.as_slice()) {
        (true, test) => test.join(" "),
        (false, []) => "no health check".to_owned(),
        (false, [word, ..]) if word == "NONE" => "switched off (NONE)".to_owned(),
        (false, test) => format!("none that runs anything ({})", test.join(" ")),
    }
}
