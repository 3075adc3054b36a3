//! What a score promises, over random measurements, pairs and weights.

use proptest::prelude::*;

use super::*;
use crate::finding::{Finding, Observation, Severity};
use crate::policy::{Cap, Grade, Group, Measure, ScoreRule};

fn numbers() -> impl Strategy<Value = Measurements> {
    let number = prop_oneof![0_u64..3, 0_u64..1_000, 0_u64..5_000_000_000, Just(u64::MAX)];
    proptest::collection::vec(number, Measure::ALL.len()).prop_map(|numbers| {
        let mut measured = Measurements::default();
        for (measure, number) in Measure::ALL.iter().zip(numbers) {
            measured.set(*measure, number);
        }
        measured
    })
}

fn rule() -> impl Strategy<Value = ScoreRule> {
    (proptest::collection::vec(0_u32..40, Measure::ALL.len()), 1_u64..1 << 21, 1_u64..5).prop_map(
        |(weights, bytes_unit, count_unit)| {
            let weights = Measure::ALL.iter().copied().zip(weights.into_iter().map(|weight| f64::from(weight) / 2.0)).collect();
            ScoreRule {
                groups: vec![Group { name: "all".to_owned(), weights }],
                bytes_unit,
                count_unit,
                grades: vec![(Grade::A, 90.0), (Grade::B, 75.0), (Grade::C, 60.0), (Grade::D, 40.0)],
                caps: vec![
                    Cap { grade: Grade::F, checks: vec![], severity: Some(Severity::Critical) },
                    Cap { grade: Grade::C, checks: vec!["root-user".to_owned()], severity: None },
                    Cap { grade: Grade::B, checks: vec![], severity: Some(Severity::High) },
                ],
            }
        },
    )
}

proptest! {
    #[test]
    fn the_single_stage_baseline_has_0_and_the_multi_stage_one_100(single in numbers(), multi in numbers(), rule in rule()) {
        let zero = points(&single, &single, &multi, &rule);
        let full = points(&multi, &single, &multi, &rule);
        prop_assert_eq!(zero.is_some(), full.is_some());
        if let (Some(zero), Some(full)) = (zero, full) {
            prop_assert_eq!((zero.tenths, full.tenths), (0, 1_000));
        }
    }

    #[test]
    fn less_of_anything_never_lowers_the_score(
        image in numbers(), single in numbers(), multi in numbers(), rule in rule(), at in 0..Measure::ALL.len(), by: u64,
    ) {
        let mut less = image.clone();
        less.lower(Measure::ALL[at], by);
        let before = points(&image, &single, &multi, &rule).map(|points| points.tenths);
        prop_assert!(points(&less, &single, &multi, &rule).map(|points| points.tenths) >= before);
    }

    #[test]
    fn the_points_add_up(image in numbers(), single in numbers(), multi in numbers(), rule in rule()) {
        if let Some(points) = points(&image, &single, &multi, &rule) {
            prop_assert_eq!(points.parts.iter().map(|part| part.tenths).sum::<u64>(), points.tenths);
            prop_assert_eq!(points.parts.iter().map(|part| part.most_tenths).sum::<u64>(), 1_000);
            // a tenth may go to the neighbour so that the sum holds
            prop_assert!(points.parts.iter().all(|part| part.tenths.saturating_sub(1) <= part.most_tenths));
            prop_assert!(points.parts.iter().all(|part| part.counts || part.tenths == 0 && part.most_tenths == 0));
        }
    }

    #[test]
    fn a_baseline_is_read_back_as_it_was_written(measurements in numbers(), text: String, packages: Vec<String>) {
        let baseline = Baseline {
            family: text.clone(),
            stage: "multi".to_owned(),
            recipe: text.clone(),
            date: "2026-11-21".to_owned(),
            digest: text,
            packages,
            measurements: Measurements::default(),
        };
        let mut baseline = baseline;
        for measure in Measure::ALL {
            // TOML's numbers end at i64
            baseline.measurements.set(*measure, measurements.of(*measure).min(i64::MAX as u64));
        }
        prop_assert_eq!(Baseline::parse(&baseline.write(), "it").unwrap(), baseline);
    }

    #[test]
    fn arbitrary_text_is_no_baseline_and_never_panics(text: String) {
        prop_assert!(Baseline::parse(&text, "it").is_err());
    }
}

#[test]
fn the_worked_example_of_the_documentation_is_right() {
    // one measurement in MiB: 1,023 single, 0 multi; an image of 31 is half way on the logarithmic scale
    let of = |mib: u64| {
        let mut measured = Measurements::default();
        measured.set(Measure::ToolchainBytes, mib << 20);
        measured
    };
    let groups = vec![Group { name: "build tools".to_owned(), weights: vec![(Measure::ToolchainBytes, 30.0)] }];
    let rule = ScoreRule { groups, bytes_unit: 1 << 20, count_unit: 1, ..ScoreRule::default() };
    assert_eq!(points(&of(31), &of(1_023), &of(0), &rule).unwrap().tenths, 500);
    // the size of a Django image between the python baselines
    let size = |bytes: u64| {
        let mut measured = Measurements::default();
        measured.set(Measure::FileBytes, bytes);
        measured
    };
    let groups = vec![Group { name: "size".to_owned(), weights: vec![(Measure::FileBytes, 10.0)] }];
    let rule = ScoreRule { groups, ..rule };
    assert_eq!(points(&size(242_662_278), &size(861_324_716), &size(71_659_132), &rule).unwrap().tenths, 511);
}

#[test]
fn a_pair_that_differs_in_nothing_has_no_score() {
    let measured = Measurements::default();
    let rule = ScoreRule { groups: vec![], ..ScoreRule::default() };
    assert_eq!(points(&measured, &measured, &measured, &rule), None);
}

#[test]
fn every_shipped_pair_can_be_read_and_its_ends_differ() {
    let policy = crate::policy::Policy::shipped("default").unwrap();
    for name in Pair::names() {
        let pair = Pair::shipped(name).unwrap();
        let (single, multi) = (&pair.single.measurements, &pair.multi.measurements);
        assert_eq!(points(single, single, multi, &policy.score).map(|points| points.tenths), Some(0), "{name}");
        assert_eq!(points(multi, single, multi, &policy.score).map(|points| points.tenths), Some(1_000), "{name}");
        assert_eq!((pair.single.stage.as_str(), pair.multi.stage.as_str()), ("single", "multi"), "{name}");
        assert_eq!((pair.single.family.as_str(), pair.multi.family.as_str()), (name, name));
        assert!(pair.single.digest.starts_with("sha256:") && !pair.multi.recipe.is_empty(), "{name}");
    }
    assert!(matches!(Pair::shipped("cobol"), Err(BaselineError::Unknown { .. })));
}

fn finding(check: &str, severity: Severity) -> Finding {
    Finding::new(check, severity, Observation::default())
}

#[test]
fn caps_are_not_averaged_away_and_the_worst_one_is_named() {
    let caps = proptest::strategy::ValueTree::current(
        &rule().new_tree(&mut proptest::test_runner::TestRunner::deterministic()).unwrap(),
    );
    let graded = |findings: &[Finding]| grade(950, findings, &caps);
    assert_eq!((graded(&[]).grade, graded(&[]).capped_by.len()), (Grade::A, 0));
    assert_eq!(graded(&[finding("setuid-file", Severity::High)]).grade, Grade::B);
    let worst =
        graded(&[finding("setuid-file", Severity::High), finding("root-user", Severity::High), finding("x", Severity::Low)]);
    assert_eq!((worst.grade, worst.by_points, worst.reason.as_str()), (Grade::C, Grade::A, "no better than C with root-user"));
    let waived = Finding { waiver: Some(0), ..finding("root-user", Severity::High) };
    assert_eq!(graded(&[waived]).grade, Grade::A);
    assert_eq!(
        grade(500, &[finding("setuid-file", Severity::High)], &caps).capped_by.len(),
        0,
        "a cap above the grade caps nothing"
    );
}
