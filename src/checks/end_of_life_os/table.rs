//! When releases of distributions end, as their makers publish it. Where a release has two ends, the later one that is free of charge:
//! Debian's LTS counts, Ubuntu Pro does not. Where only a month is published, its last day.
//!
//! Compared on 2026-11-21, row by row, with what was published by then: Debian's package `distro-info-data` 0.58+deb12u7 for Debian and
//! Ubuntu; stored copies of the wikis of AlmaLinux and Rocky Linux and of Amazon's documentation; and for the rest the product files
//! of endoflife.date, of which the newest was of July 2026. Where two of these differ in a day, the later stands here. Not found in any
//! of them: `rhel 10` and `rocky 10`, for which the ten years of their forerunners are counted.

/// A release.
#[derive(Debug, Clone, Copy)]
pub(super) struct Release {
    /// `ID` of os-release(5); `centos-stream` for what calls itself `centos` and Stream.
    pub(super) id: &'static str,
    /// `VERSION_ID`, or what it starts with up to a dot.
    pub(super) version: &'static str,
    /// The last day of support, `YYYY-MM-DD`.
    pub(super) end: &'static str,
    /// Where that is published.
    pub(super) source: &'static str,
}

const ALPINE: &str = "https://alpinelinux.org/releases/";
const DEBIAN: &str = "https://wiki.debian.org/LTS";
const UBUNTU: &str = "https://ubuntu.com/about/release-cycle";
const CENTOS: &str = "https://www.centos.org/cl-vs-cs/";
const RHEL: &str = "https://access.redhat.com/support/policy/updates/errata";
const ROCKY: &str = "https://wiki.rockylinux.org/rocky/version/";
const ALMA: &str = "https://wiki.almalinux.org/release-notes/";
const ORACLE: &str = "https://www.oracle.com/a/ocom/docs/elsp-lifetime-069338.pdf";
const FEDORA: &str = "https://docs.fedoraproject.org/en-US/releases/eol/";
const AMAZON_1: &str = "https://aws.amazon.com/blogs/aws/update-on-amazon-linux-ami-end-of-life/";
const AMAZON_2023: &str = "https://docs.aws.amazon.com/linux/al2023/ug/release-cadence.html";
const AMAZON_2: &str = "https://aws.amazon.com/amazon-linux-2/faqs/";
const OPENSUSE: &str = "https://en.opensuse.org/Lifetime";
const SUSE: &str = "https://www.suse.com/lifecycle";
const MARINER: &str = "https://learn.microsoft.com/azure/azure-linux/release-cadence-lifecycle";

const fn row(id: &'static str, version: &'static str, end: &'static str, source: &'static str) -> Release {
    Release { id, version, end, source }
}

/// Sorted by name and version, as text.
pub(super) const RELEASES: &[Release] = &[
    row("almalinux", "10", "2035-05-31", ALMA),
    row("almalinux", "8", "2029-03-01", ALMA),
    row("almalinux", "9", "2032-05-31", ALMA),
    row("alpine", "3.10", "2021-05-01", ALPINE),
    row("alpine", "3.11", "2021-11-01", ALPINE),
    row("alpine", "3.12", "2022-05-01", ALPINE),
    row("alpine", "3.13", "2022-11-01", ALPINE),
    row("alpine", "3.14", "2023-05-01", ALPINE),
    row("alpine", "3.15", "2023-11-01", ALPINE),
    row("alpine", "3.16", "2024-05-23", ALPINE),
    row("alpine", "3.17", "2024-11-22", ALPINE),
    row("alpine", "3.18", "2025-05-09", ALPINE),
    row("alpine", "3.19", "2025-11-01", ALPINE),
    row("alpine", "3.2", "2017-05-01", ALPINE),
    row("alpine", "3.20", "2026-04-01", ALPINE),
    row("alpine", "3.21", "2026-11-01", ALPINE),
    row("alpine", "3.22", "2027-05-01", ALPINE),
    row("alpine", "3.23", "2027-11-01", ALPINE),
    row("alpine", "3.3", "2017-11-01", ALPINE),
    row("alpine", "3.4", "2018-05-01", ALPINE),
    row("alpine", "3.5", "2018-11-01", ALPINE),
    row("alpine", "3.6", "2019-05-01", ALPINE),
    row("alpine", "3.7", "2019-11-01", ALPINE),
    row("alpine", "3.8", "2020-05-01", ALPINE),
    row("alpine", "3.9", "2020-11-01", ALPINE),
    row("amzn", "2", "2026-06-30", AMAZON_2),
    row("amzn", "2016.09", "2023-12-31", AMAZON_1),
    row("amzn", "2017.03", "2023-12-31", AMAZON_1),
    row("amzn", "2017.09", "2023-12-31", AMAZON_1),
    row("amzn", "2018.03", "2023-12-31", AMAZON_1),
    row("amzn", "2023", "2029-06-30", AMAZON_2023),
    row("azurelinux", "3.0", "2027-08-31", MARINER),
    row("centos", "6", "2020-11-30", CENTOS),
    row("centos", "7", "2024-06-30", CENTOS),
    row("centos", "8", "2021-12-31", CENTOS),
    row("centos-stream", "8", "2024-05-31", CENTOS),
    row("centos-stream", "9", "2027-05-31", CENTOS),
    row("debian", "10", "2024-06-30", DEBIAN),
    row("debian", "11", "2026-08-31", DEBIAN),
    row("debian", "12", "2028-06-30", DEBIAN),
    row("debian", "13", "2030-06-30", DEBIAN),
    row("debian", "6", "2016-02-29", DEBIAN),
    row("debian", "7", "2018-05-31", DEBIAN),
    row("debian", "8", "2020-06-30", DEBIAN),
    row("debian", "9", "2022-07-01", DEBIAN),
    row("fedora", "30", "2020-05-26", FEDORA),
    row("fedora", "31", "2020-11-24", FEDORA),
    row("fedora", "32", "2021-05-25", FEDORA),
    row("fedora", "33", "2021-11-30", FEDORA),
    row("fedora", "34", "2022-06-07", FEDORA),
    row("fedora", "35", "2022-12-13", FEDORA),
    row("fedora", "36", "2023-05-16", FEDORA),
    row("fedora", "37", "2023-12-05", FEDORA),
    row("fedora", "38", "2024-05-21", FEDORA),
    row("fedora", "39", "2024-11-26", FEDORA),
    row("fedora", "40", "2025-05-13", FEDORA),
    row("fedora", "41", "2025-12-15", FEDORA),
    row("fedora", "42", "2026-05-13", FEDORA),
    row("fedora", "43", "2026-12-09", FEDORA),
    row("mariner", "1.0", "2023-08-31", MARINER),
    row("mariner", "2.0", "2025-07-31", MARINER),
    row("ol", "6", "2021-03-31", ORACLE),
    row("ol", "7", "2024-12-31", ORACLE),
    row("ol", "8", "2029-07-31", ORACLE),
    row("ol", "9", "2032-06-30", ORACLE),
    row("opensuse", "42.1", "2017-05-17", OPENSUSE),
    row("opensuse", "42.2", "2018-01-26", OPENSUSE),
    row("opensuse", "42.3", "2019-07-01", OPENSUSE),
    row("opensuse-leap", "15.0", "2019-12-03", OPENSUSE),
    row("opensuse-leap", "15.1", "2021-02-02", OPENSUSE),
    row("opensuse-leap", "15.2", "2022-01-04", OPENSUSE),
    row("opensuse-leap", "15.3", "2022-12-31", OPENSUSE),
    row("opensuse-leap", "15.4", "2023-12-07", OPENSUSE),
    row("opensuse-leap", "15.5", "2024-12-31", OPENSUSE),
    row("opensuse-leap", "15.6", "2026-04-30", OPENSUSE),
    row("opensuse-leap", "16.0", "2027-10-31", OPENSUSE),
    row("rhel", "10", "2035-05-31", RHEL),
    row("rhel", "6", "2020-11-30", RHEL),
    row("rhel", "7", "2024-06-30", RHEL),
    row("rhel", "8", "2029-05-31", RHEL),
    row("rhel", "9", "2032-05-31", RHEL),
    row("rocky", "10", "2035-05-31", ROCKY),
    row("rocky", "8", "2029-05-31", ROCKY),
    row("rocky", "9", "2032-05-31", ROCKY),
    row("sles", "12.5", "2024-10-31", SUSE),
    row("sles", "15.3", "2022-12-31", SUSE),
    row("sles", "15.4", "2023-12-31", SUSE),
    row("sles", "15.5", "2024-12-31", SUSE),
    row("sles", "15.6", "2025-12-31", SUSE),
    row("ubuntu", "12.04", "2017-04-28", UBUNTU),
    row("ubuntu", "14.04", "2019-04-25", UBUNTU),
    row("ubuntu", "16.04", "2021-04-30", UBUNTU),
    row("ubuntu", "17.10", "2018-07-19", UBUNTU),
    row("ubuntu", "18.04", "2023-05-31", UBUNTU),
    row("ubuntu", "18.10", "2019-07-18", UBUNTU),
    row("ubuntu", "19.04", "2020-01-23", UBUNTU),
    row("ubuntu", "19.10", "2020-07-17", UBUNTU),
    row("ubuntu", "20.04", "2025-05-31", UBUNTU),
    row("ubuntu", "20.10", "2021-07-22", UBUNTU),
    row("ubuntu", "21.04", "2022-01-20", UBUNTU),
    row("ubuntu", "21.10", "2022-07-14", UBUNTU),
    row("ubuntu", "22.04", "2027-06-30", UBUNTU),
    row("ubuntu", "22.10", "2023-07-20", UBUNTU),
    row("ubuntu", "23.04", "2024-01-25", UBUNTU),
    row("ubuntu", "23.10", "2024-07-12", UBUNTU),
    row("ubuntu", "24.04", "2029-05-31", UBUNTU),
    row("ubuntu", "24.10", "2025-07-10", UBUNTU),
    row("ubuntu", "25.04", "2026-01-17", UBUNTU),
    row("ubuntu", "25.10", "2026-07-09", UBUNTU),
    row("ubuntu", "26.04", "2031-05-29", UBUNTU),
];
