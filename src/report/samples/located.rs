//! A report whose findings have lines of a Dockerfile.

use super::{MIB, at, bad};
use crate::report::model::{
    DockerfileReport, FilesystemPart, FilesystemReport, LocationReport, RelatedReport, Report, RuleReport,
};

fn location(file: &str, line: usize, lines: (usize, usize), confidence: &str, instruction: &str) -> LocationReport {
    LocationReport {
        file: file.into(),
        line,
        start_line: lines.0,
        end_line: lines.1,
        confidence: confidence.into(),
        instruction: instruction.into(),
        line_hash: Some(format!("{:016x}:1", 0xafc0_909c_5d2b_0000_u64 + u64::try_from(line).unwrap())),
        related: Vec::new(),
    }
}

/// The bad image, with lines: several of one finding, a stage behind a COPY, the FROM, a name that fits no URI as it is.
pub(crate) fn located() -> Report {
    let mut report = bad();
    let file = "services/cart ü/Dockerfile";
    let image = &mut report.images[0];
    image.dockerfile = Some(DockerfileReport {
        file: file.into(),
        found_by: "provenance".into(),
        target: Some("runtime".into()),
        confidence: "exact".into(),
        detail: "BuildKit's provenance names the line of every layer".into(),
    });
    let from = location(file, 9, (9, 9), "base", "FROM debian:13-slim AS runtime");
    let run = location(file, 12, (11, 14), "exact", "RUN apt-get update && apt-get install -y build-essential");
    let copy = LocationReport {
        related: vec![RelatedReport {
            file: file.into(),
            start_line: 4,
            end_line: 6,
            instruction: "RUN make install DESTDIR=/out && echo '[x](y) | `<b>`'".into(),
        }],
        ..location(file, 16, (16, 16), "exact", "COPY --from=build /out /opt/tools")
    };
    for (layer, found) in image.layers.iter_mut().zip([&from, &run, &copy]) {
        layer.location = Some(found.clone());
    }
    for finding in &mut image.findings {
        let mut used: Vec<&LocationReport> = Vec::new();
        if finding.evidence.is_empty() {
            used.push(&from);
        }
        for evidence in &mut finding.evidence {
            let found = match evidence.layer {
                Some(0) | None => &from,
                Some(1) => &run,
                Some(2) => &copy,
                Some(_) => continue,
            };
            let at = used.iter().position(|one| *one == found).unwrap_or_else(|| {
                used.push(found);
                used.len() - 1
            });
            evidence.location = Some(at);
        }
        finding.locations = used.into_iter().cloned().collect();
    }
    image.findings[0].evidence.push(at("/etc/<script>alert(1)</script>\\x0a::error::x", 0));
    image.filesystem = Some(filesystem());
    report.policy.rules.push(RuleReport {
        id: "no-test-data".into(),
        title: "Test data is shipped".into(),
        severity: "medium".into(),
        message: "the image holds test data".into(),
        fix: "Add the folder to .dockerignore".into(),
    });
    report
}

fn filesystem() -> FilesystemReport {
    FilesystemReport {
        bytes: 362 * MIB,
        parts: [
            ("/opt/tools/", "toolchain", 2, 31, 24),
            ("/srv/app/", "application", 3, 40, 120),
            ("/usr/lib/gcc/", "toolchain", 1, 182, 800),
            ("/usr/share/", "documentation", 0, 20, 3_000),
            ("/var/lib/apt/lists/", "cache", 1, 38, 14),
            ("/", "system", 0, 51, 9_000),
        ]
        .map(|(path, class, layer, mib, files)| FilesystemPart {
            path: path.into(),
            class: class.into(),
            layer,
            bytes: mib * MIB,
            files,
        })
        .into(),
    }
}
