//! Takes values that are known to be secrets out of every text of a report that quotes the image's maker: an instruction may use a value
//! under no name that would tell it.

use aho_corasick::{AhoCorasick, MatchKind};

use crate::facts::exposed_values;
use crate::oci::{ImageConfig, escape_text};
use crate::report::model::{FindingReport, ImageReport, LocationReport};

/// What stands in for a value.
const MASK: &str = "****";
/// Shorter values would be found in other words.
const LEAST: usize = 6;
/// Longer ones are no passwords; keys and tokens are masked by their form.
const MOST: usize = 512;

/// Masks the values of the config's secrets in instructions and in the health check.
pub(super) fn mask(report: &mut ImageReport, config: &ImageConfig) {
    let Some(search) = searcher(config) else { return };
    let masked = |text: &mut String| *text = without(text, &search);
    for layer in &mut report.layers {
        layer.instruction.iter_mut().for_each(masked);
        layer.location.iter_mut().for_each(|location| of_location(location, masked));
    }
    let said = report.findings.iter_mut().chain(&mut report.notes);
    for location in said.flat_map(|finding: &mut FindingReport| &mut finding.locations) {
        of_location(location, masked);
    }
    report.healthcheck.iter_mut().flat_map(|healthcheck| &mut healthcheck.test).for_each(masked);
}

/// Masks them in one line of a Dockerfile.
pub(super) fn mask_location(location: &mut LocationReport, config: &ImageConfig) {
    if let Some(search) = searcher(config) {
        of_location(location, |text| *text = without(text, &search));
    }
}

/// Finds the values of the config's secrets; None when there are none to find.
fn searcher(config: &ImageConfig) -> Option<AhoCorasick> {
    let values = exposed_values(config);
    let escaped = values.iter().map(|value| escape_text(value)).collect::<Vec<_>>();
    let wanted: Vec<&String> = values.iter().chain(&escaped).filter(|value| (LEAST..=MOST).contains(&value.len())).collect();
    if wanted.is_empty() {
        return None;
    }
    AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(wanted).ok()
}

fn of_location(location: &mut LocationReport, masked: impl Fn(&mut String)) {
    masked(&mut location.instruction);
    location.related.iter_mut().for_each(|related| masked(&mut related.instruction));
}

/// The text without the values, where they are no part of a longer word.
fn without(text: &str, search: &AhoCorasick) -> String {
    let is_part = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for found in search.find_iter(text) {
        let bytes = text.as_bytes();
        let before = found.start().checked_sub(1).and_then(|before| bytes.get(before));
        if is_part(before) || is_part(bytes.get(found.end())) {
            continue;
        }
        out.push_str(text.get(at..found.start()).unwrap_or_default());
        out.push_str(MASK);
        at = found.end();
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_masked_where_they_stand_by_themselves() {
        let search = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(["hunter2", "hunter2-long"]).unwrap();
        assert_eq!(without("echo hunter2-long 'hunter2' xhunter2 hunter22", &search), "echo **** '****' xhunter2 hunter22");
    }
}
