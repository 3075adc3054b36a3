//! Measurements, ballast and score, from what was counted to what is published.

use crate::oci::{escape, escape_text};
use crate::policy::Measure;
use crate::report::model as out;
use crate::score::{Baseline, Class, Offender, Part};
use crate::verify::image::Examined;
use crate::verify::judgement::{Scored, as_points};

pub(super) fn measurements(examined: &Examined) -> out::Measurements {
    let judgement = &examined.judgement;
    let of = |measure| judgement.measured.of(measure);
    out::Measurements {
        shipped_bytes: of(Measure::ShippedBytes),
        compressed_bytes: examined.compressed_bytes(),
        file_bytes: of(Measure::FileBytes),
        final_bytes: judgement.ballast.final_bytes(),
        toolchain_bytes: of(Measure::ToolchainBytes),
        cache_bytes: of(Measure::CacheBytes),
        documentation_bytes: of(Measure::DocumentationBytes),
        buried_bytes: of(Measure::BuriedBytes),
        entries: judgement.ballast.entries,
        compilers: of(Measure::Compilers),
        package_managers: of(Measure::PackageManagers),
        os_packages: of(Measure::OsPackages),
        executables: of(Measure::Executables),
        setuid_files: of(Measure::SetuidFiles),
        root: of(Measure::Root),
        healthcheck_missing: of(Measure::HealthcheckMissing),
    }
}

pub(super) fn ballast(examined: &Examined) -> out::BallastReport {
    let ballast = &examined.judgement.ballast;
    let offender = |offender: &Offender| out::OffenderReport {
        class: offender.class.as_str().to_owned(),
        path: escape(&offender.path),
        layer: offender.layer,
        bytes: offender.bytes,
        files: offender.files,
    };
    out::BallastReport {
        bytes: ballast.total(),
        by_class: Class::ALL.into_iter().map(|class| (class.as_str().to_owned(), ballast.of(class))).collect(),
        biggest: ballast.biggest.iter().map(offender).collect(),
    }
}

pub(super) fn score(scored: &Scored) -> out::ScoreReport {
    let graded = &scored.graded;
    let cap = (graded.grade != graded.by_points).then(|| out::CapReport {
        uncapped: graded.by_points.as_str().to_owned(),
        checks: graded.capped_by.iter().cloned().collect(),
        reason: graded.reason.clone(),
    });
    out::ScoreReport {
        value: as_points(scored.points.tenths),
        grade: graded.grade.as_str().to_owned(),
        cap,
        baseline: out::PairReport {
            name: scored.pair.name.clone(),
            chosen_by: scored.chosen_by.clone(),
            single: baseline(&scored.pair.single),
            multi: baseline(&scored.pair.multi),
        },
        parts: scored.points.parts.iter().map(part).collect(),
    }
}

fn baseline(baseline: &Baseline) -> out::BaselineReport {
    out::BaselineReport { recipe: escape_text(&baseline.recipe), digest: baseline.digest.clone(), date: baseline.date.clone() }
}

fn part(part: &Part) -> out::PartReport {
    out::PartReport {
        measurement: part.measure.as_str().to_owned(),
        group: part.group.clone(),
        unit: part.measure.unit().as_str().to_owned(),
        weight: part.weight,
        counts: part.counts,
        single: part.single,
        multi: part.multi,
        image: part.image,
        position: (part.position * 1_000.0).round() / 1_000.0,
        points: as_points(part.tenths),
        most: as_points(part.most_tenths),
    }
}
