//! `end-of-life-os`: the distribution's release gets no security updates any more.

mod table;

use self::table::{RELEASES, Release};
use super::{Check, Family, Reference, evidence, tools};
use crate::facts::{Image, OsRelease};
use crate::finding::{Evidence, Observation, Severity};
use crate::oci::{Date, escape_text};

/// The check.
pub(super) static CHECK: Check = Check {
    id: "end-of-life-os",
    title: "The distribution's release is past its end",
    family: Family::Packages,
    severity: Severity::Medium,
    what: "`os-release` names a release whose support has ended on the day that the image is judged on (`--as-of`, by default today). The \
           dates are those that the distributions publish and stand in plimsoll itself; paid extensions do not count, Debian's LTS does. \
           A release that is not in the table is not judged.",
    why: "Faults that are found from then on stay in the image, and scanners that follow the distribution's own advisories no longer \
          name them.",
    fix: "Build on a release that is supported.",
    example: "FROM debian:13-slim\n",
    references: &[
        Reference { name: "NIST SP 800-190 4.1.1", url: "https://doi.org/10.6028/NIST.SP.800-190" },
        Reference { name: "CWE-1104", url: "https://cwe.mitre.org/data/definitions/1104.html" },
        Reference { name: "os-release(5)", url: "https://man7.org/linux/man-pages/man5/os-release.5.html" },
    ],
    since: "0.1.0",
    run,
};

/// Where a release says what it is, in the order of os-release(5).
const PATHS: [&[u8]; 2] = [b"/etc/os-release", b"/usr/lib/os-release"];

/// The last end of a release before `day`: what was judged on two days with the same one is judged alike.
#[must_use]
pub fn last_end(day: Date) -> Option<Date> {
    RELEASES.iter().filter_map(|release| Date::parse(release.end)).filter(|end| *end < day).max()
}

fn run(image: &Image) -> Vec<Observation> {
    let (Some(day), Some(os)) = (image.as_of, &image.os_release) else { return Vec::new() };
    let Some(release) = release_of(os).filter(|release| Date::parse(release.end).is_some_and(|end| end < day)) else {
        return Vec::new();
    };
    let name = match &os.pretty_name {
        Some(name) if !name.is_empty() => escape_text(name),
        _ => format!("{} {}", release.id, release.version),
    };
    let message = format!("Support of {name} ended on {}", release.end);
    let node = PATHS.into_iter().find_map(|path| tools::entry(&image.rootfs, path).map(|node| (path, node)));
    let evidence = node.map(|(path, node)| Evidence { bytes: 0, ..evidence::of_node(image, path.to_vec(), node) });
    let fix = Some(format!("Build on a release that is supported; the dates of this distribution: {}", release.source));
    let subject = format!("{} {}", release.id, release.version);
    vec![Observation { subject, message, evidence: evidence.into_iter().collect(), fix, ..Observation::default() }]
}

/// The release that os-release names: `12`, `3.18` of `3.18.4`, `8` of `8.9`.
fn release_of(os: &OsRelease) -> Option<&'static Release> {
    let version = os.version_id.as_deref()?;
    let is_stream = os.id == "centos" && os.pretty_name.as_deref().is_some_and(|name| name.contains("Stream"));
    let id = if is_stream { "centos-stream" } else { os.id.as_str() };
    let is_version =
        |release: &&Release| version.strip_prefix(release.version).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    RELEASES.iter().filter(|release| release.id == id).find(is_version)
}

#[cfg(test)]
mod tests {
    use super::super::testing::Builder;
    use super::*;

    fn messages(id: &str, version: &str, pretty: Option<&str>, day: Option<&str>) -> Vec<String> {
        let mut builder = Builder::default();
        builder.file("/etc/os-release", 9);
        builder.os_release = Some(OsRelease {
            id: id.to_owned(),
            version_id: Some(version.to_owned()),
            pretty_name: pretty.map(str::to_owned),
            ..OsRelease::default()
        });
        let seen = builder.run_with(&CHECK, |image| image.as_of = day.map(|day| Date::parse(day).unwrap()));
        seen.into_iter().map(|one| one.message).collect()
    }

    #[test]
    fn fires_after_the_last_day_and_not_on_it() {
        let pretty = Some("Debian GNU/Linux 11 (bullseye)");
        assert!(messages("debian", "11", pretty, Some("2026-08-31")).is_empty());
        assert_eq!(
            messages("debian", "11", pretty, Some("2026-09-01")),
            ["Support of Debian GNU/Linux 11 (bullseye) ended on 2026-08-31"]
        );
    }

    #[test]
    fn fires_on_point_releases_of_their_release() {
        assert_eq!(messages("alpine", "3.18.4", None, Some("2026-01-01")), ["Support of alpine 3.18 ended on 2025-05-09"]);
        assert_eq!(messages("rhel", "7.9", None, Some("2026-01-01")).len(), 1);
        assert_eq!(messages("centos", "8", Some("CentOS Linux 8"), Some("2022-06-01")).len(), 1);
        assert_eq!(messages("amzn", "2023", None, Some("2029-07-01")), ["Support of amzn 2023 ended on 2029-06-30"]);
        assert_eq!(messages("azurelinux", "3.0.20260616", None, Some("2027-09-01")).len(), 1);
    }

    #[test]
    fn is_silent_on_what_is_supported_or_unknown() {
        for (id, version) in [
            ("debian", "12"),
            ("alpine", "3.22.1"),
            ("alpine", "3.1"),
            ("debian", "110"),
            ("nixos", "11"),
            ("wolfi", "20230201"),
            ("amzn", "2023"),
            ("azurelinux", "3.0"),
        ] {
            assert!(messages(id, version, None, Some("2026-11-21")).is_empty(), "{id} {version}");
        }
        assert!(messages("centos", "8", Some("CentOS Stream 8"), Some("2022-06-01")).is_empty());
    }

    #[test]
    fn is_silent_when_nobody_says_what_day_it_is() {
        assert!(messages("debian", "6", None, None).is_empty());
        let mut builder = Builder::default();
        assert!(builder.run_with(&CHECK, |image| image.as_of = Date::parse("2026-11-21")).is_empty(), "no os-release");
    }

    #[test]
    fn the_table_holds_days_and_sources_each_release_once() {
        let keys: Vec<_> = RELEASES.iter().map(|release| (release.id, release.version)).collect();
        assert!(keys.is_sorted_by(|a, b| a < b));
        for release in RELEASES {
            assert!(Date::parse(release.end).is_some() && release.source.starts_with("https://"), "{release:?}");
        }
    }

    #[test]
    fn days_between_the_same_ends_are_judged_alike() {
        let end = |day| last_end(Date::parse(day).unwrap()).map(|end| end.to_string());
        assert_eq!(end("2026-08-31"), end("2026-08-01"));
        assert_eq!(end("2026-09-01").as_deref(), Some("2026-08-31"));
        assert_eq!(end("2000-01-01"), None);
    }
}
