//! The remarks about an image's form, gathered by code into observations.

use std::collections::BTreeMap;

use crate::facts::Image;
use crate::finding::{Evidence, Observation, Severity};
use crate::oci::{Code, Place, Remark, Tier};

/// What a code is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject {
    /// Layers and the tree that they make.
    Layer,
    /// Manifest, config, index, archive and user databases.
    Image,
    /// The user, which has checks of its own.
    User,
}

/// What a code is about.
pub(super) fn subject(code: Code) -> Subject {
    match code {
        Code::UserIsRoot | Code::UserUnresolved | Code::UserOutOfRange => Subject::User,
        Code::PlatformMismatch
        | Code::IndexAmbiguousPlatform
        | Code::ConfigNameMismatch
        | Code::MediaTypesMixed
        | Code::LayerMediaTypeMismatch
        | Code::LayerNondistributable
        | Code::LazyTocUnchecked
        | Code::IndexEntryNotExamined
        | Code::UserDbSymlink => Subject::Image,
        _ => Subject::Layer,
    }
}

/// One observation for every code of tiers fail and flag about a subject, with all places; the tier decides the severity.
pub(super) fn observe(image: &Image, about: Subject) -> Vec<Observation> {
    let is_judged = |code: Code| subject(code) == about && matches!(code.tier(), Tier::Fail | Tier::Flag);
    by_code(image, is_judged)
        .into_iter()
        .map(|(code, remarks)| {
            let severity = match code {
                // what a build on a base of Docker's own types gives: every runtime takes it
                Code::MediaTypesMixed => Severity::Low,
                _ if code.tier() == Tier::Fail => Severity::High,
                _ => Severity::Medium,
            };
            Observation { severity: Some(severity), ..observation(image, code, &remarks) }
        })
        .collect()
}

/// One observation for every code of tier info, with the id of the check that speaks of such codes: worth a note, judged by nobody.
#[must_use]
pub fn notes(image: &Image) -> Vec<(&'static str, Observation)> {
    let check = |code| match subject(code) {
        Subject::Image => super::ambiguous_image::CHECK.id,
        Subject::Layer | Subject::User => super::ambiguous_layer::CHECK.id,
    };
    by_code(image, |code| code.tier() == Tier::Info)
        .into_iter()
        .map(|(code, remarks)| (check(code), observation(image, code, &remarks)))
        .collect()
}

fn by_code(image: &Image, is_wanted: impl Fn(Code) -> bool) -> BTreeMap<Code, Vec<&Remark>> {
    let mut codes: BTreeMap<Code, Vec<&Remark>> = BTreeMap::new();
    for remark in image.remarks.iter().filter(|remark| is_wanted(remark.code)) {
        codes.entry(remark.code).or_default().push(remark);
    }
    codes
}

/// The code's meaning, what the first place adds to it, and how many more there are.
fn observation(image: &Image, code: Code, remarks: &[&Remark]) -> Observation {
    let mut message = sentence(code.meaning());
    if let Some(detail) = remarks.iter().map(|remark| remark.detail.as_str()).find(|detail| !detail.is_empty()) {
        message = format!("{message} ({detail})");
    }
    match remarks.len() {
        0 | 1 => {}
        all => message = format!("{message}, at {all} places"),
    }
    let mut evidence: Vec<_> = remarks.iter().map(|remark| of_place(image, &remark.place)).collect();
    evidence.sort();
    evidence.dedup();
    Observation { code: Some(code), message, evidence, ..Observation::default() }
}

fn of_place(image: &Image, place: &Place) -> Evidence {
    let history = place.layer.and_then(|layer| image.steps.get(layer)).and_then(|step| step.history);
    Evidence { path: place.path.clone(), layer: place.layer, history, config: place.document.clone(), ..Evidence::default() }
}

fn sentence(clause: &str) -> String {
    match clause.split_at_checked(1) {
        Some((first, rest)) => format!("{}{rest}", first.to_ascii_uppercase()),
        None => clause.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Builder;
    use super::*;

    #[test]
    fn every_code_below_reject_is_judged_noted_or_the_user_s() {
        for code in Code::ALL.iter().copied().filter(|code| code.tier() != Tier::Reject) {
            let mut builder = Builder::default();
            let image = builder.remark(Remark::at(code, b"/a".to_vec(), "")).image();
            let seen = [
                observe(&image, Subject::Layer),
                observe(&image, Subject::Image),
                observe(&image, Subject::User),
                notes(&image).into_iter().map(|(_, seen)| seen).collect(),
            ];
            assert_eq!(seen.iter().flatten().count(), 1, "{}", code.as_str());
        }
    }

    #[test]
    fn notes_are_gathered_by_code() {
        let mut builder = Builder::default();
        builder.remark(Remark::at(Code::PathNotNormal, b"/a".to_vec(), "")).remark(Remark::at(
            Code::PathNotNormal,
            b"/b".to_vec(),
            "",
        ));
        let seen = notes(&builder.image());
        assert_eq!((seen.len(), seen[0].0, seen[0].1.evidence.len(), seen[0].1.severity), (1, "ambiguous-layer", 2, None));
        let mut builder = Builder::default();
        builder.remark(Remark::on(Code::IndexEntryNotExamined, "index.json", ""));
        assert_eq!(notes(&builder.image())[0].0, "ambiguous-image");
    }
}
