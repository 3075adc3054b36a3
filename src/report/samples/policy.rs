//! Reports of a policy that does everything a policy can: waivers, left-out findings, controls, a base image.

use super::{apt_lists, at, compiler, digest, image, opaque_root, pip, report, root_user, setuid};
use crate::report::model::{
    BaseReport, ControlReport, FindingReport, LeftOutReport, PolicyReport, Report, Verdict, WaivedReport, WaiverReport,
};

fn waiver(check: &str, line: usize, state: &str) -> WaiverReport {
    WaiverReport {
        check: check.into(),
        path: None,
        image: None,
        digest: None,
        reason: "the vendor's agent compiles its own probes; tracked as SEC-112".into(),
        expires: "2026-12-31".into(),
        owner: Some("security@example.com".into()),
        place: format!("shop.toml:{line}"),
        state: state.into(),
    }
}

fn waived(finding: FindingReport, index: usize, by: &WaiverReport) -> FindingReport {
    let waived = WaivedReport { waiver: index, reason: by.reason.clone(), expires: by.expires.clone(), owner: by.owner.clone() };
    FindingReport { waived: Some(waived), fails: false, ..finding }
}

fn left_out(check: &str, reason: &str, findings: usize) -> LeftOutReport {
    LeftOutReport { check: check.into(), reason: reason.into(), findings }
}

fn control(framework: &str, id: &str, title: &str, status: &str, findings: usize) -> ControlReport {
    ControlReport {
        framework: framework.into(),
        id: id.into(),
        title: title.into(),
        status: status.into(),
        checks: vec!["root-user".into()],
        findings,
        note: "what an image cannot tell".into(),
    }
}

/// Waivers that are used, unused and expired; controls of two guides; an inherited finding.
pub(crate) fn by_policy() -> Report {
    let mut expired = waiver("root-user", 20, "expired");
    expired.expires = "2026-10-01".into();
    expired.image = Some("registry.example/shop/*".into());
    let mut unused = waiver("setuid-file", 31, "unused");
    unused.path = Some("/usr/bin/{mount,umount}".into());
    unused.owner = None;
    unused.digest = Some(digest(0xab));
    let waivers = vec![waiver("compiler", 12, "used"), expired, unused];
    let mut image = image(Verdict::Fail);
    image.base = Some(BaseReport {
        name: Some("debian:13-slim".into()),
        layers: 1,
        told_by: "policy".into(),
        confidence: "certain".into(),
        reason: "the diff_ids are equal".into(),
    });
    let mut inherited = setuid();
    inherited.evidence = vec![at("/usr/bin/passwd", 0)];
    inherited.origin = Some("inherited".into());
    inherited.allowed = Some(2);
    inherited.message = "/usr/bin/passwd is set-user-ID; 2 places allowed by the policy".into();
    let nameless = WaiverReport { owner: None, ..waivers[0].clone() };
    image.findings = vec![
        waived(compiler(), 0, &waivers[0]),
        opaque_root(),
        inherited,
        waived(root_user(), 0, &nameless),
        apt_lists(),
        waived(pip(), 0, &waivers[0]),
    ];
    image.left_out = vec![left_out("build-tool", "allowed", 2), left_out("package-cache", "below-threshold", 1)];
    image.left_out.push(left_out("setgid-file", "off", 4));
    let (cis, nist) = ("CIS Docker Benchmark 1.7.0", "NIST SP 800-190");
    let long = "Images hold no package that the application does not need, and no program that builds other programs";
    image.controls = vec![
        control(cis, "4.1", "A user for the container is set", "waived", 0),
        control(cis, "4.3", long, "fail", 2),
        control(nist, "4.1.2", "Images are configured securely", "pass", 0),
        control(cis, "4.10", "No secrets are stored in the Dockerfile", "not-verifiable", 0),
    ];
    let mut report = report(vec![image], Verdict::Fail);
    report.policy = PolicyReport {
        name: "shop.toml".into(),
        fail_on: "high".into(),
        as_of: Some("2026-11-21".into()),
        waivers,
        rules: Vec::new(),
    };
    report
}

/// Everything that was found is waived.
pub(crate) fn all_waived() -> Report {
    let mut report = by_policy();
    let waiver = report.policy.waivers[0].clone();
    report.policy.waivers.truncate(1);
    report.verdict = Verdict::Pass;
    for image in &mut report.images {
        image.verdict = Verdict::Pass;
        image.controls.clear();
        image.left_out.clear();
        image.findings = vec![waived(compiler(), 0, &waiver)];
    }
    report
}
