//! What a policy asks of the image as a whole: labels, base, sizes, score. What is not met becomes a finding.

use std::collections::BTreeMap;

use super::glob::{self, Slash};
use super::{Grade, LabelRule, Policy, Severity};
use crate::finding::{Evidence, Finding, Observation};
use crate::oci::escape_text;

/// The image as a whole.
#[derive(Debug, Clone, Default)]
pub struct Whole {
    /// Labels of the config, raw.
    pub labels: BTreeMap<String, String>,
    /// The layers' diff_ids, base first.
    pub diff_ids: Vec<String>,
    /// Bytes of the uncompressed layers.
    pub shipped_bytes: u64,
    /// Bytes of the stored layers; None when they are not compressed.
    pub compressed_bytes: Option<u64>,
    /// Bytes of ballast.
    pub ballast_bytes: u64,
    /// Score, 0 to 100; None when there is none.
    pub score: Option<f64>,
    /// Grade; None when there is no score.
    pub grade: Option<Grade>,
}

/// A requirement, with all that is said about it anywhere: reports, `plimsoll explain`, `docs/checks.md`.
#[derive(Debug)]
pub struct Requirement {
    /// Kebab-case, names the bad thing, for ever; no check has it.
    pub id: &'static str,
    /// A few words, as a heading.
    pub title: &'static str,
    /// The severity, where the policy says nothing else.
    pub severity: Severity,
    /// When it fires, in Markdown.
    pub what: &'static str,
    /// Why it matters.
    pub why: &'static str,
    /// How to mend it: one sentence.
    pub fix: &'static str,
    /// The release that brought it.
    pub since: &'static str,
}

const TOO_LARGE: &str = "image-too-large";
const LABEL: &str = "required-label";
const SCORE: &str = "score-too-low";
const BASE: &str = "unapproved-base";

/// Every requirement that a policy can make, sorted by id.
pub static REQUIREMENTS: &[Requirement] = &[
    Requirement {
        id: TOO_LARGE,
        title: "The image weighs more than the policy allows",
        severity: Severity::High,
        what: "The uncompressed layers, the stored layers or the ballast weigh more than `shipped`, `compressed` or `ballast` of the \
               policy's `[sizes]`. One finding for each. Where the layers are stored uncompressed, their stored size is compared with \
               `compressed`: what they would weigh in a registry is not known.",
        why: "Every byte is stored, copied, started and patched many times, and what is not there cannot be attacked.",
        fix: "Look at the biggest ballast in the report, and build in several stages so that it stays behind.",
        since: "0.2.0",
    },
    Requirement {
        id: LABEL,
        title: "A label that the policy requires is missing or wrong",
        severity: Severity::High,
        what: "The config has no label of that name, or its value is empty or does not fit the policy's glob. One finding for each \
               label. In these globs `*` fits any characters, `/` too.",
        why: "Labels tell who answers for an image and where its source is, long after it was built.",
        fix: "Set the label in the Dockerfile, such as `LABEL org.opencontainers.image.source=https://example.com/shop`, or with \
              `docker build --label`.",
        since: "0.2.0",
    },
    Requirement {
        id: SCORE,
        title: "The score is lower than the policy's floor",
        severity: Severity::High,
        what: "The score or the grade is lower than the policy's `[floors]`. One finding for each. An image without a score is below \
               every floor.",
        why: "A floor keeps an image from getting worse in many small steps, none of which would fail by itself.",
        fix: "Mend the findings with the highest gain first: the report sorts them so.",
        since: "0.2.0",
    },
    Requirement {
        id: BASE,
        title: "The image is built on no base that the policy allows",
        severity: Severity::High,
        what: "The policy requires a known base, and the image's first layers are those of none of them. Layers are compared by diff_id, \
               so that no name and no label can pretend.",
        why: "A base that nobody chose is patched by nobody; one that only bears the name of a good one may be anything.",
        fix: "Build on one of the policy's bases, or add the diff_ids of the new base to the policy.",
        since: "0.2.0",
    },
];

/// The requirement called `id`.
#[must_use]
pub fn find(id: &str) -> Option<&'static Requirement> {
    REQUIREMENTS.iter().find(|requirement| requirement.id == id)
}

/// Whether the policy makes the requirement called `id`.
#[must_use]
pub fn is_made(policy: &Policy, id: &str) -> bool {
    let sizes = &policy.sizes;
    match id {
        TOO_LARGE => [sizes.shipped, sizes.compressed, sizes.ballast].iter().any(Option::is_some),
        LABEL => !policy.labels.is_empty(),
        SCORE => policy.floors.score.is_some() || policy.floors.grade.is_some(),
        BASE => policy.base.is_required,
        _ => false,
    }
}

/// One finding for each requirement that is not met, in a fixed order. Severities and waivers are applied by `judge`.
#[must_use]
pub fn unmet(policy: &Policy, image: &Whole) -> Vec<Finding> {
    let seen =
        labels(policy, image).into_iter().chain(base(policy, image)).chain(sizes(policy, image)).chain(floors(policy, image));
    seen.map(|(id, observation)| {
        let severity = find(id).map_or(Severity::High, |requirement| requirement.severity);
        Finding::new(id, severity, observation)
    })
    .collect()
}

type Seen = (&'static str, Observation);

fn seen(id: &'static str, subject: &str, message: String, field: Option<&str>) -> Seen {
    let evidence = field.map(Evidence::of_config).into_iter().collect();
    (id, Observation { subject: subject.to_owned(), message, evidence, ..Observation::default() })
}

fn labels(policy: &Policy, image: &Whole) -> Vec<Seen> {
    let unmet = |(name, rule): (&String, &LabelRule)| {
        let value = image.labels.get(name).map(String::as_str);
        let shown = escape_text(name);
        let message = match (value, rule.value.as_deref()) {
            (None, _) => format!("the label {shown} is not set"),
            (Some(""), None) => format!("the label {shown} is empty"),
            (Some(value), Some(glob)) if !glob::fits(glob, value.as_bytes(), Slash::IsPlain) => {
                format!("the value of the label {shown} does not fit {}", escape_text(glob))
            }
            (Some(_), _) => return None,
        };
        Some(seen(LABEL, name, message, Some("config.Labels")))
    };
    policy.labels.iter().filter_map(unmet).collect()
}

/// Names of bases that a message shows.
const SHOWN: usize = 4;

fn base(policy: &Policy, image: &Whole) -> Option<Seen> {
    let allowed = &policy.base.allowed;
    // no layers at all are the start of every image, and no base
    let is_under = |diff_ids: &[String]| !diff_ids.is_empty() && image.diff_ids.starts_with(diff_ids);
    if !policy.base.is_required || allowed.iter().any(|base| is_under(&base.diff_ids)) {
        return None;
    }
    let mut names: Vec<String> = allowed.iter().take(SHOWN).map(|base| escape_text(&base.name)).collect();
    let more = allowed.len().saturating_sub(SHOWN);
    if more > 0 {
        names.push(format!("{more} more"));
    }
    let message = if names.is_empty() {
        "the policy requires a known base and lists none".to_owned()
    } else {
        format!("the first layers are those of no base that the policy allows: {}", names.join(", "))
    };
    Some(seen(BASE, "", message, Some("rootfs.diff_ids")))
}

fn sizes(policy: &Policy, image: &Whole) -> Vec<Seen> {
    let sizes = &policy.sizes;
    let (stored, stored_as) = match image.compressed_bytes {
        Some(bytes) => (bytes, "the layers as stored weigh"),
        None => (image.shipped_bytes, "the layers are stored uncompressed and weigh"),
    };
    let unmet = |(subject, most, weight, what): (&str, Option<u64>, u64, &str)| {
        let most = most.filter(|most| weight > *most)?;
        Some(seen(TOO_LARGE, subject, format!("{what} {weight} bytes; the policy allows {most}"), None))
    };
    [
        ("shipped", sizes.shipped, image.shipped_bytes, "the uncompressed layers weigh"),
        ("compressed", sizes.compressed, stored, stored_as),
        ("ballast", sizes.ballast, image.ballast_bytes, "the ballast weighs"),
    ]
    .into_iter()
    .filter_map(unmet)
    .collect()
}

fn floors(policy: &Policy, image: &Whole) -> Vec<Seen> {
    let floors = &policy.floors;
    let score = floors.score.and_then(|floor| match image.score {
        // a score that is no number is below every floor
        Some(score) if score >= floor => None,
        Some(score) => Some(format!("the score is {score}; the policy asks for {floor} at least")),
        None => Some(format!("there is no score; the policy asks for {floor} at least")),
    });
    let grade = floors.grade.and_then(|floor| match image.grade {
        Some(grade) if grade >= floor => None,
        Some(grade) => Some(format!("the grade is {}; the policy asks for {} at least", grade.as_str(), floor.as_str())),
        None => Some(format!("there is no grade; the policy asks for {} at least", floor.as_str())),
    });
    let named = [("score", score), ("grade", grade)];
    named.into_iter().filter_map(|(subject, message)| Some(seen(SCORE, subject, message?, None))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{BaseRule, Floors, KnownBase, SizeRule};
    use super::*;
    use crate::checks;

    fn messages(policy: &Policy, image: &Whole) -> Vec<String> {
        unmet(policy, image).into_iter().map(|finding| finding.observation.message).collect()
    }

    #[test]
    fn a_policy_that_asks_nothing_gets_nothing() {
        assert!(unmet(&Policy::default(), &Whole::default()).is_empty());
        assert!(REQUIREMENTS.iter().all(|requirement| !is_made(&Policy::default(), requirement.id)));
    }

    #[test]
    fn labels_must_be_there_and_fit() {
        let mut policy = Policy::default();
        let rule = |value: Option<&str>| LabelRule { value: value.map(str::to_owned) };
        for (name, value) in
            [("a", None), ("b", None), ("c\u{1b}", None), ("d", Some("https://*")), ("e", Some("[")), ("f", Some(""))]
        {
            policy.labels.insert(name.into(), rule(value));
        }
        let mut image = Whole::default();
        for (name, value) in [("a", "x"), ("b", ""), ("d", "https://example.com/a/b"), ("e", "["), ("f", "")] {
            image.labels.insert(name.into(), value.into());
        }
        let expected = ["the label b is empty", "the label c\\x1b is not set", "the value of the label e does not fit ["];
        assert_eq!(messages(&policy, &image), expected);
        image.labels.insert("d".into(), "http://example.com".into());
        let found = unmet(&policy, &image);
        assert_eq!((found[2].check.as_str(), found[2].severity), ("required-label", Severity::High));
        assert_eq!(found[2].observation.subject, "d");
        assert_eq!(found[2].observation.evidence, [Evidence::of_config("config.Labels")]);
    }

    #[test]
    fn the_first_layers_must_be_those_of_an_allowed_base() {
        let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
        let base = |name: &str, diff_ids: &[&str]| KnownBase { name: name.into(), diff_ids: ids(diff_ids) };
        let of = |allowed: Vec<KnownBase>, layers: &[&str]| {
            let policy = Policy { base: BaseRule { is_required: true, allowed }, ..Policy::default() };
            messages(&policy, &Whole { diff_ids: ids(layers), ..Whole::default() })
        };
        assert!(of(vec![base("x", &["9"]), base("y", &["1", "2"])], &["1", "2", "3"]).is_empty());
        assert!(of(vec![base("y", &["1"])], &["1"]).is_empty(), "a base is built on itself");
        let none = "the first layers are those of no base that the policy allows";
        assert_eq!(of(vec![base("y\n", &["2"])], &["1", "2"]), [format!("{none}: y\\x0a")]);
        assert_eq!(of(vec![base("y", &["1", "2"])], &["1"]), [format!("{none}: y")]);
        assert_eq!(of(vec![base("y", &[])], &["1"]), [format!("{none}: y")], "no layers are no base");
        assert_eq!(of(vec![base("y", &["1"]); 6], &[]), [format!("{none}: y, y, y, y, 2 more")]);
        assert_eq!(of(vec![], &["1"]), ["the policy requires a known base and lists none"]);
    }

    #[test]
    fn every_size_has_its_own_limit() {
        let sizes = SizeRule { shipped: Some(10), compressed: Some(5), ballast: Some(0) };
        let policy = Policy { sizes, ..Policy::default() };
        let mut image = Whole { shipped_bytes: 11, compressed_bytes: Some(6), ballast_bytes: 1, ..Whole::default() };
        let found = unmet(&policy, &image);
        let subjects: Vec<&str> = found.iter().map(|finding| finding.observation.subject.as_str()).collect();
        assert_eq!(subjects, ["shipped", "compressed", "ballast"]);
        assert_eq!(found[0].observation.message, "the uncompressed layers weigh 11 bytes; the policy allows 10");
        image = Whole { shipped_bytes: 10, compressed_bytes: Some(5), ballast_bytes: 0, ..image };
        assert!(unmet(&policy, &image).is_empty(), "as much as is allowed is allowed");
        image.compressed_bytes = None;
        let expected = "the layers are stored uncompressed and weigh 10 bytes; the policy allows 5";
        assert_eq!(messages(&policy, &image), [expected], "what is not compressed is no way around the limit");
    }

    #[test]
    fn score_and_grade_have_floors_and_no_score_is_below_them() {
        let floors = Floors { score: Some(75.0), grade: Some(Grade::B) };
        let policy = Policy { floors, ..Policy::default() };
        let of = |score, grade| messages(&policy, &Whole { score, grade, ..Whole::default() });
        assert!(of(Some(75.0), Some(Grade::B)).is_empty());
        let low = ["the score is 74.9; the policy asks for 75 at least", "the grade is C; the policy asks for B at least"];
        assert_eq!(of(Some(74.9), Some(Grade::C)), low);
        let none = ["there is no score; the policy asks for 75 at least", "there is no grade; the policy asks for B at least"];
        assert_eq!(of(None, None), none);
        assert_eq!(of(Some(f64::NAN), Some(Grade::A)).len(), 1);
    }

    #[test]
    fn requirements_are_sorted_documented_in_whole_sentences_and_no_checks() {
        assert!(REQUIREMENTS.is_sorted_by_key(|requirement| requirement.id));
        for requirement in REQUIREMENTS {
            for text in [requirement.what, requirement.why, requirement.fix] {
                assert!(text.ends_with('.') && !text.contains("  "), "{}: {text}", requirement.id);
            }
            assert!(!requirement.title.ends_with('.'));
            assert!(checks::find(requirement.id).is_none());
            assert_eq!(find(requirement.id).map(|found| found.id), Some(requirement.id));
        }
        assert!(find("compiler").is_none());
    }

    #[test]
    fn a_score_just_below_the_floor_is_not_rounded_up_to_it() {
        let policy = Policy { floors: Floors { score: Some(75.0), grade: None }, ..Policy::default() };
        let image = Whole { score: Some(74.96), ..Whole::default() };
        assert_eq!(messages(&policy, &image), ["the score is 74.96; the policy asks for 75 at least"]);
    }
}
