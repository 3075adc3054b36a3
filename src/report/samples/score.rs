//! A score made by hand.

use crate::report::model::{
    BallastReport, BaselineReport, CapReport, ImageReport, OffenderReport, PairReport, PartReport, ScoreReport,
};

use super::{MIB, digest};

/// Four parts: bytes, a count, yes or no, and one that does not count.
pub(crate) fn score() -> ScoreReport {
    let part = |measurement: &str, group: &str, unit: &str, numbers: [u64; 3], points: [f64; 3]| PartReport {
        measurement: measurement.to_owned(),
        group: group.to_owned(),
        unit: unit.to_owned(),
        weight: points[2],
        counts: numbers[0] > numbers[1],
        single: numbers[0],
        multi: numbers[1],
        image: numbers[2],
        position: points[0],
        points: points[1],
        most: points[2],
    };
    let baseline = |stage: &str| BaselineReport {
        recipe: format!("policies/baselines/python/Dockerfile.{stage}-stage"),
        digest: digest(0xee),
        date: "2026-11-21".to_owned(),
    };
    ScoreReport {
        value: 61.7,
        grade: "C".to_owned(),
        cap: Some(CapReport {
            uncapped: "B".to_owned(),
            checks: vec!["compiler".to_owned()],
            reason: "no better than C with compiler".to_owned(),
        }),
        baseline: PairReport {
            name: "python".to_owned(),
            chosen_by: "its entry point /usr/bin/python3.13 is an interpreter of Python".to_owned(),
            single: baseline("single"),
            multi: baseline("multi"),
        },
        parts: vec![
            part("toolchain_bytes", "build tools", "bytes", [320 * MIB, 0, 12 * MIB], [0.554, 36.9, 66.7]),
            part("root", "privilege", "yes-no", [1, 0, 0], [1.0, 23.3, 23.3]),
            part("os_packages", "packages and surface", "count", [261, 63, 412], [0.15, 1.5, 10.0]),
            part("healthcheck_missing", "operation", "yes-no", [0, 0, 0], [1.0, 0.0, 0.0]),
        ],
    }
}

/// Gives an image a score and ballast.
pub(super) fn scored(mut image: ImageReport) -> ImageReport {
    let classes =
        [("toolchain", 12 * MIB), ("buried", 38 * MIB), ("application", 40 * MIB), ("system", 290 * MIB), ("archive", 20 * MIB)];
    image.ballast = Some(BallastReport {
        bytes: 50 * MIB,
        by_class: classes.into_iter().map(|(class, bytes)| (class.to_owned(), bytes)).collect(),
        biggest: vec![OffenderReport {
            class: "toolchain".to_owned(),
            path: "/usr/lib/gcc/".to_owned(),
            layer: 1,
            bytes: 12 * MIB,
            files: 120,
        }],
    });
    image.score = Some(score());
    image
}
