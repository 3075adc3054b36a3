//! Images of a source before one is chosen, with every name they go by.

use std::collections::BTreeMap;

use super::{Error, ImageRecord, Request};
use crate::oci::{BlobDigest, Code, Remark};

/// An image, and what the user may call it.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) record: ImageRecord,
    /// Names out of annotations and `RepoTags`.
    pub(super) names: Vec<String>,
    /// Digests of the manifest, of the indexes above it, and of the config.
    pub(super) digests: Vec<BlobDigest>,
    /// Which entry of `index.json` or `manifest.json` it comes from.
    pub(super) group: usize,
    /// Number of the index that lists it.
    pub(super) index: usize,
    /// `platform.os.version` of the index's descriptor.
    pub(super) os_version: Option<String>,
}

/// An image of which nothing is known yet.
pub(super) fn empty_record() -> ImageRecord {
    ImageRecord {
        reference: None,
        index_platform: None,
        manifest_digest: None,
        annotations: BTreeMap::new(),
        config_digest: None,
        config: None,
        layers: Vec::new(),
        attestations: Vec::new(),
        remarks: Vec::new(),
        errors: Vec::new(),
    }
}

/// The images that the request asks for, in order. Remarks about the source as a whole go to the first.
pub(super) fn select(candidates: Vec<Candidate>, remarks: Vec<Remark>, request: &Request) -> Result<Vec<ImageRecord>, Error> {
    let mut candidates = match &request.image {
        Some(asked) => by_name(candidates, asked)?,
        None => candidates,
    };
    mark_ambiguous_platforms(&mut candidates);
    if !request.platforms.is_empty() {
        candidates = by_platforms(candidates, request)?;
    }
    let mut records: Vec<ImageRecord> = candidates.into_iter().map(with_reference).collect();
    if let Some(first) = records.first_mut() {
        first.remarks.extend(remarks);
    }
    Ok(records)
}

fn with_reference(candidate: Candidate) -> ImageRecord {
    let mut record = candidate.record;
    // a full name says more than a tag alone
    let full = candidate.names.iter().find(|name| name.contains(['/', ':']));
    record.reference = full.or(candidate.names.first()).cloned();
    record
}

/// A name as Docker completes it, without the parts that it adds.
fn short(name: &str) -> String {
    let name = name.strip_prefix("docker.io/library/").or_else(|| name.strip_prefix("docker.io/")).unwrap_or(name);
    let name = name.strip_prefix("index.docker.io/library/").unwrap_or(name);
    let last = name.rsplit('/').next().unwrap_or(name);
    if last.contains([':', '@']) { name.to_owned() } else { format!("{name}:latest") }
}

fn by_name(candidates: Vec<Candidate>, asked: &str) -> Result<Vec<Candidate>, Error> {
    let is_named = |candidate: &Candidate| candidate.names.iter().any(|name| name == asked || short(name) == short(asked));
    let mut matching: Vec<bool> = candidates.iter().map(is_named).collect();
    if !matching.contains(&true) {
        let is_digest = |candidate: &Candidate| candidate.digests.iter().any(|digest| is_prefix(asked, digest));
        matching = candidates.iter().map(is_digest).collect();
    }
    let choices = choices(&candidates);
    let mut matching = matching.into_iter();
    let selected: Vec<Candidate> = candidates.into_iter().filter(|_| matching.next() == Some(true)).collect();
    let asked = crate::oci::escape_text(asked);
    let mut groups: Vec<usize> = selected.iter().map(|candidate| candidate.group).collect();
    groups.dedup();
    match groups.len() {
        0 => Err(Error::Choice {
            code: Code::ImageNotFound,
            detail: format!("no image here is called \"{asked}\""),
            option: "--image",
            choices,
        }),
        1 => Ok(selected),
        _ => Err(Error::Choice {
            code: Code::ArchiveSeveralImages,
            detail: format!("\"{asked}\" fits {} images", groups.len()),
            option: "--image",
            choices,
        }),
    }
}

/// Whether `asked` is a digest or the start of one: with its algorithm, or six hex digits at least.
fn is_prefix(asked: &str, digest: &BlobDigest) -> bool {
    let asked = asked.rsplit_once('@').map_or(asked, |(_, digest)| digest);
    let full = digest.to_string();
    let (algorithm, hex) = (digest.0.algorithm().as_str(), digest.0.hex());
    let is_long = |text: &str| text.len() >= 6;
    match asked.split_once(':') {
        Some((name, start)) => name == algorithm && is_long(start) && full.starts_with(asked),
        None => is_long(asked) && hex.starts_with(asked),
    }
}

/// Values for `--image`: the names, or digests of what has none; escaped, sorted.
pub(super) fn choices(candidates: &[Candidate]) -> Vec<String> {
    let mut choices: Vec<String> = Vec::new();
    for candidate in candidates {
        match candidate.names.first() {
            Some(_) => choices.extend(candidate.names.iter().map(|name| crate::oci::escape_text(name))),
            None => choices.extend(candidate.digests.first().map(ToString::to_string)),
        }
    }
    choices.sort();
    choices.dedup();
    choices
}

fn platform_of(candidate: &Candidate) -> Option<&crate::oci::Platform> {
    let of_config = || candidate.record.config.as_ref().map(|config| &config.platform);
    candidate.record.index_platform.as_ref().or_else(of_config)
}

fn by_platforms(candidates: Vec<Candidate>, request: &Request) -> Result<Vec<Candidate>, Error> {
    let mut choices: Vec<String> =
        candidates.iter().filter_map(platform_of).map(|p| crate::oci::escape_text(&p.to_string())).collect();
    choices.sort();
    choices.dedup();
    // the first match of an index wins, as image-index.md asks; what bears another name is another image
    let mut best: std::collections::BTreeMap<(usize, usize, Vec<String>), (usize, usize)> = std::collections::BTreeMap::new();
    for (position, candidate) in candidates.iter().enumerate() {
        for (order, asked) in request.platforms.iter().enumerate() {
            let fits = platform_of(candidate).and_then(|platform| platform.distance(asked));
            let is_single = request.takes_any_single && candidate.index == 0;
            if let Some(distance) = fits.or(is_single.then_some(0)) {
                let nearest = best.entry((order, candidate.index, candidate.names.clone())).or_insert((distance, position));
                *nearest = (*nearest).min((distance, position));
            }
        }
    }
    let is_best = |position: usize| best.values().any(|(_, chosen)| *chosen == position);
    let numbered = candidates.into_iter().enumerate();
    let selected: Vec<Candidate> = numbered.filter(|(position, _)| is_best(*position)).map(|(_, candidate)| candidate).collect();
    if selected.is_empty() {
        let asked: Vec<String> = request.platforms.iter().map(|asked| crate::oci::escape_text(&asked.to_string())).collect();
        let detail = format!("no image here is for {}", asked.join(" or "));
        return Err(Error::Choice { code: Code::ImageNotFound, detail, option: "--platform", choices });
    }
    Ok(selected)
}

fn mark_ambiguous_platforms(candidates: &mut [Candidate]) {
    let keys: Vec<_> = candidates
        .iter()
        .map(|candidate| {
            let platform = platform_of(candidate)?;
            let variant = platform.normal_variant().map(str::to_owned);
            let platform = (platform.os.clone(), platform.architecture.clone(), variant);
            Some((candidate.index, platform, candidate.os_version.clone(), candidate.names.clone()))
        })
        .collect();
    let mut counts = std::collections::BTreeMap::new();
    for key in keys.iter().flatten() {
        let count: &mut u64 = counts.entry(key).or_default();
        *count = count.saturating_add(1);
    }
    for (candidate, key) in candidates.iter_mut().zip(&keys) {
        let count = key.as_ref().and_then(|key| counts.get(key)).copied().unwrap_or(0);
        if count > 1 {
            let platform = platform_of(candidate).map(|platform| crate::oci::escape_text(&platform.to_string()));
            let detail = format!("{count} images for {}", platform.unwrap_or_default());
            candidate.record.remarks.push(Remark::on(Code::IndexAmbiguousPlatform, "index", detail));
        }
    }
}
