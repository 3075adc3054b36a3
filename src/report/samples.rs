//! Reports made by hand, for the tests of every format.

mod located;
mod policy;
mod reach;
mod score;
mod whys;

pub(crate) use located::located;
pub(crate) use policy::{all_waived, by_policy};
use reach::reach;
pub(crate) use score::score;
pub(crate) use whys::whys;

use super::model::{
    DifferenceReport, EntryReport, ErrorReport, EvidenceReport, Examined, FindingReport, HealthcheckReport, ImageReport,
    LayerReport, LimitReport, Measurements, NotExaminedReport, PlaceReport, PlatformReport, PolicyReport, Report, Schema,
    SourceReport, Tool, UserReport, Verdict,
};
use crate::checks::{Check, Family, Reference};
use crate::finding::Severity;
use crate::oci::escape;

const MIB: u64 = 1024 * 1024;

/// Two checks as the catalogue holds them, so that its own growth does not change these snapshots.
pub(crate) const CHECKS: &[&Check] = &[
    &Check {
        id: "compiler",
        title: "A compiler can be run",
        family: Family::Toolchain,
        severity: Severity::High,
        what: "A program that turns source into machine code or bytecode is in the final filesystem: `gcc`, `clang`, `rustc`, \
               `go`, `javac` and their like, under whatever name.",
        why: "An intruder who finds a compiler need not bring one.",
        fix: "Build in one stage and copy only the result into the last.",
        example: "FROM rust:1.95 AS build\nRUN cargo build --release\n\nFROM debian:13-slim\nCOPY --from=build /app /app\n",
        references: &[Reference { name: "NIST SP 800-190 4.1.2", url: "https://doi.org/10.6028/NIST.SP.800-190" }],
        since: "0.1.0",
        run: |_| Vec::new(),
    },
    &Check {
        id: "missing-healthcheck",
        title: "There is no health check | or it is switched off",
        family: Family::Config,
        severity: Severity::Medium,
        what: "The config has no `Healthcheck`, or one that is `NONE`.",
        why: "Nobody notices a process that hangs.",
        fix: "Add a HEALTHCHECK instruction.",
        example: "",
        references: &[],
        since: "0.1.0",
        run: |_| Vec::new(),
    },
];

fn digest(byte: u8) -> String {
    format!("sha256:{}", format!("{byte:02x}").repeat(32))
}

fn report(images: Vec<ImageReport>, verdict: Verdict) -> Report {
    Report {
        schema: Schema::current(),
        tool: Tool { version: "0.0.0".into(), ..Tool::current() },
        source: SourceReport { kind: Some("docker-archive".into()), name: "shop.tar".into() },
        policy: PolicyReport { name: "default".into(), fail_on: "high".into(), ..PolicyReport::default() },
        images,
        errors: Vec::new(),
        verdict,
    }
}

fn layer(index: usize, instruction: Option<&str>) -> LayerReport {
    LayerReport {
        index,
        diff_id: digest(0x10),
        digest: Some(digest(0x20)),
        media_type: Some("application/vnd.oci.image.layer.v1.tar+gzip".into()),
        uncompressed_bytes: 100 * MIB,
        compressed_bytes: Some(40 * MIB),
        instruction: instruction.map(str::to_owned),
        origin: None,
        location: None,
    }
}

fn image(verdict: Verdict) -> ImageReport {
    ImageReport {
        reference: Some("registry.example/shop/cart:1.4.2".into()),
        platform: Some(PlatformReport { os: "linux".into(), architecture: "amd64".into(), variant: None }),
        manifest_digest: Some(digest(0xab)),
        config_digest: Some(digest(0xcd)),
        distribution: Some("Debian GNU/Linux 13 (trixie)".into()),
        layers: vec![
            layer(0, Some("ADD rootfs.tar.xz / # buildkit")),
            layer(
                1,
                Some(
                    "RUN /bin/sh -c apt-get update && apt-get install -y --no-install-recommends build-essential ca-certificates \
                     curl git make pkg-config     && rm -rf /var/lib/apt/lists/* && ldconfig && true # buildkit",
                ),
            ),
            layer(2, None),
            layer(3, Some("COPY --chown=app:app . /srv/app ::set-output name=x::y ##[add-path]/x # buildkit")),
        ],
        base: None,
        dockerfile: None,
        user: Some(UserReport { configured: "10001".into(), uid: Some(10001), gid: Some(0), groups: vec![27], resolved: true }),
        healthcheck: Some(HealthcheckReport { present: true, test: vec!["CMD".into(), "/srv/app/health".into()] }),
        measurements: Some(Measurements {
            shipped_bytes: 400 * MIB,
            compressed_bytes: Some(160 * MIB),
            final_bytes: 362 * MIB,
            buried_bytes: 38 * MIB,
            entries: 34_210,
            os_packages: 412,
            executables: 1_204,
            ..Measurements::default()
        }),
        ballast: None,
        filesystem: None,
        reach: (verdict != Verdict::Unverifiable).then(reach),
        components: Vec::new(),
        score: None,
        findings: Vec::new(),
        left_out: Vec::new(),
        controls: Vec::new(),
        notes: Vec::new(),
        trees_differ: Vec::new(),
        verdict,
        errors: Vec::new(),
        examined: Examined { layers: 4, entries: 40_017, bytes: 400 * MIB, files_inspected: 29_050, not_examined: Vec::new() },
    }
}

fn finding(check: &str, severity: &str, message: &str, fix: &str) -> FindingReport {
    FindingReport {
        check: check.into(),
        code: None,
        severity: Some(severity.into()),
        subject: String::new(),
        message: message.into(),
        fix: fix.into(),
        evidence: Vec::new(),
        locations: Vec::new(),
        bytes: None,
        gain: None,
        origin: None,
        allowed: None,
        waived: None,
        fails: matches!(severity, "critical" | "high"),
    }
}

fn at(path: &str, layer: usize) -> EvidenceReport {
    EvidenceReport { path: Some(path.into()), layer: Some(layer), ..EvidenceReport::default() }
}

/// Nothing to complain about.
pub(crate) fn good() -> Report {
    let mut image = image(Verdict::Pass);
    image.notes.push(FindingReport {
        severity: None,
        code: Some("pax-global-record".into()),
        fails: false,
        ..finding("ambiguous-layer", "low", "2 layers start with a global header that holds a comment", "Nothing to do")
    });
    report(vec![image], Verdict::Pass)
}

/// Every severity, long and hostile names, a compiler of 24 files.
pub(crate) fn bad() -> Report {
    let mut image = image(Verdict::Fail);
    image.user = Some(UserReport { configured: String::new(), uid: Some(0), gid: Some(0), groups: Vec::new(), resolved: true });
    image.healthcheck = Some(HealthcheckReport { present: false, test: Vec::new() });
    image.findings = vec![empty_password(), compiler(), opaque_root(), setuid(), root_user(), apt_lists(), pip()];
    image.trees_differ = vec![DifferenceReport {
        path: "/etc/app/secrets".into(),
        stacked: "directory 0755 0:0 of layer 0".into(),
        sequential: "absent".into(),
    }];
    report(vec![score::scored(image)], Verdict::Fail)
}

fn empty_password() -> FindingReport {
    FindingReport {
        evidence: vec![at("/etc/shadow", 3)],
        ..finding("empty-password", "critical", "the account deploy has an empty password", "Lock the account: passwd -l deploy")
    }
}

fn compiler() -> FindingReport {
    let mut evidence: Vec<EvidenceReport> = (0..21)
        .map(|n| EvidenceReport {
            package: Some("gcc-14-x86-64-linux-gnu".into()),
            bytes: Some(1024 * (n + 1)),
            ..at(&format!("/usr/libexec/gcc/x86_64-linux-gnu/14/tool{n:02}"), 1)
        })
        .collect();
    evidence.push(EvidenceReport { linkname: Some("/etc/alternatives/cc".into()), ..at("/usr/bin/cc", 1) });
    evidence.push(EvidenceReport {
        bytes: Some(31 * MIB),
        package: Some("cpp-14-x86-64-linux-gnu".into()),
        ..at("/usr/libexec/gcc/x86_64-linux-gnu/14/cc1plus", 1)
    });
    evidence.push(EvidenceReport { bytes: Some(2 * MIB), ..at("/opt/tools/renamed", 2) });
    FindingReport {
        evidence,
        bytes: Some(182 * MIB + 400 * 1024),
        ..finding(
            "compiler",
            "high",
            "GCC can be run: 24 files",
            "Build in one stage and copy only the result into the last: COPY --from=build",
        )
    }
}

fn opaque_root() -> FindingReport {
    FindingReport {
        code: Some("opaque-root".into()),
        evidence: vec![at("/", 3)],
        ..finding(
            "ambiguous-layer",
            "high",
            "an opaque whiteout at the root: the kernel ignores it, other readers delete everything below",
            "Rebuild the image with an ordinary builder",
        )
    }
}

fn setuid() -> FindingReport {
    let long = format!("/srv/app/node_modules/{}/bin/helper", "@scope/very-long-package-name".repeat(3));
    let hostile = escape(b"/srv/app/\x1b[2J\xff\xe2\x80\xae::error::\n\\x");
    FindingReport {
        evidence: vec![
            EvidenceReport { bytes: Some(9000), ..at(&hostile, 3) },
            EvidenceReport { bytes: Some(8000), ..at(&long, 3) },
            at("/srv/app/中文/工具", 0),
            at("/usr/bin/passwd", 0),
        ],
        ..finding("setuid-file", "high", "4 setuid files that no package owns", "Clear the bit: chmod u-s PATH")
    }
}

fn root_user() -> FindingReport {
    FindingReport {
        code: Some("user-is-root".into()),
        evidence: vec![EvidenceReport { config: Some("config.User".into()), ..EvidenceReport::default() }],
        ..finding("root-user", "high", "the container runs as root, because USER is not set", "Add USER 10001 before CMD")
    }
}

fn apt_lists() -> FindingReport {
    FindingReport {
        evidence: (0..5).map(|n| at(&format!("/var/lib/apt/lists/list{n}"), n)).collect(),
        bytes: Some(19 * MIB),
        ..finding(
            "apt-lists",
            "medium",
            "5 downloaded package lists are left in the image",
            "Remove them in the RUN that fetched them: rm -rf /var/lib/apt/lists/*",
        )
    }
}

fn pip() -> FindingReport {
    FindingReport {
        evidence: vec![EvidenceReport { package: Some("python3-pip".into()), bytes: Some(230), ..at("/usr/bin/pip", 1) }],
        ..finding("language-package-manager", "low", "pip can be run", "Leave it in the stage that builds")
    }
}

/// Errors within an image, and content that was not examined.
pub(crate) fn unverifiable() -> Report {
    let mut image = image(Verdict::Unverifiable);
    image.measurements = None;
    image.user = None;
    image.errors = vec![
        ErrorReport {
            code: "digest-mismatch".into(),
            message: format!("the blob's bytes have the digest {}, the manifest names {}", digest(0x33), digest(0x44)),
            place: PlaceReport { document: Some("blobs/sha256/4444".into()), layer: Some(2), path: None, offset: None },
            limit: None,
        },
        ErrorReport {
            code: "limit-exceeded".into(),
            message: "limit path-bytes is 4095, found 70000; raise it with --limit path-bytes=N if you trust the image".into(),
            place: PlaceReport { layer: Some(3), path: Some("/srv/a/b".into()), offset: Some(1_048_576), document: None },
            limit: Some(LimitReport { name: "path-bytes".into(), limit: 4095, found: 70_000 }),
        },
    ];
    image.examined.not_examined = vec![
        NotExaminedReport {
            path: Some("/var/lib/rpm/Packages".into()),
            layer: Some(0),
            reason: "the package database cannot be parsed".into(),
        },
        NotExaminedReport { path: None, layer: Some(2), reason: "the layer was not read to its end".into() },
    ];
    report(vec![image], Verdict::Unverifiable)
}

/// No image at all.
pub(crate) fn refused() -> Report {
    let mut report = report(Vec::new(), Verdict::Unverifiable);
    report.source = SourceReport { kind: None, name: "Dockerfile".into() };
    report.errors.push(ErrorReport {
        code: "not-an-image".into(),
        message: "this is a text file: build the image, write it with docker save -o image.tar IMAGE, and give image.tar".into(),
        place: PlaceReport::default(),
        limit: None,
    });
    report
}

/// Two platforms, one good and one bad.
pub(crate) fn two_platforms() -> Report {
    let mut good = image(Verdict::Pass);
    good.findings.push(pip());
    let mut arm = image(Verdict::Fail);
    arm.platform = Some(PlatformReport { os: "linux".into(), architecture: "arm64".into(), variant: Some("v8".into()) });
    arm.manifest_digest = Some(digest(0xef));
    arm.findings.push(root_user());
    let mut report = report(vec![good, arm], Verdict::Fail);
    report.source = SourceReport { kind: Some("oci-layout".into()), name: "-".into() };
    report
}

/// Every sample with its name.
pub(crate) fn all() -> Vec<(&'static str, Report)> {
    vec![
        ("good", good()),
        ("bad", bad()),
        ("unverifiable", unverifiable()),
        ("refused", refused()),
        ("two_platforms", two_platforms()),
        ("by_policy", by_policy()),
        ("all_waived", all_waived()),
    ]
}

/// An entry with nothing special.
pub(crate) fn entry(path: &str) -> EntryReport {
    EntryReport {
        path: path.into(),
        r#type: "file".into(),
        mode: "0644".into(),
        uid: 0,
        gid: 0,
        size: None,
        linktarget: None,
        dev: None,
        sha256: None,
        xattrs: std::collections::BTreeMap::new(),
        hardlink_of: None,
        implied: false,
        layer: 0,
    }
}

/// One entry of every kind.
pub(crate) fn entries() -> Vec<EntryReport> {
    let of = |path: &str, r#type: &str, mode: &str| EntryReport { r#type: r#type.into(), mode: mode.into(), ..entry(path) };
    let sha256 = Some("5e".repeat(32));
    vec![
        EntryReport { dev: Some([1, 3]), ..of("/dev/null", "char", "0666") },
        EntryReport { implied: true, ..of("/opt", "dir", "0755") },
        EntryReport { uid: 10001, gid: 10001, layer: 12, ..of("/srv/app", "dir", "1770") },
        EntryReport { linktarget: Some("dash".into()), ..of("/usr/bin/sh", "symlink", "0777") },
        EntryReport { size: Some(64_152), sha256: sha256.clone(), ..of("/usr/bin/passwd", "file", "4755") },
        EntryReport {
            size: Some(64_152),
            sha256,
            hardlink_of: Some("/usr/bin/passwd".into()),
            xattrs: [("security.capability".to_owned(), "01000002".to_owned())].into(),
            ..of("/usr/bin/passwd2", "file", "4755")
        },
    ]
}
