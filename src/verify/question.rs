//! What a verdict depends on besides the image, for those who keep verdicts.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::Request;
use crate::oci::{Algorithm, Date, Digest};
use crate::report::model::{Report, Verdict};

/// Digest of everything in `request` that decides the report of an image, other than which image it is: the policy, the waivers that
/// hold and the releases of distributions that have ended on the request's day, known bases, baselines, limits. The day itself is not part of it: a report that was kept says the day
/// that it was made, and on all days on which the same waivers hold and the same
/// releases have ended the rest is the same.
#[must_use]
pub fn judged_by(request: &Request) -> String {
    let mut text = String::new();
    // writing to a String cannot fail
    let _ = writeln!(text, "policy {}", request.policy.digest());
    let _ = writeln!(text, "waivers after {:?}", request.policy.last_expiry(request.as_of).map(|day| day.to_string()));
    let as_of = Some(request.as_of).filter(|day| *day != Date::default());
    let ended = as_of.and_then(crate::checks::last_end_of_life);
    let _ = writeln!(text, "releases ended by {:?}", ended.map(|day| day.to_string()));
    // plain data: the same program writes the same text of it
    let _ = writeln!(text, "bases {:?}", request.bases);
    let _ = writeln!(text, "baselines {:?}", request.baselines);
    for (name, value) in request.limits.values() {
        let _ = writeln!(text, "{name}={value}");
    }
    Digest::of_bytes(Algorithm::Sha256, &Sha256::digest(text)).to_string()
}

/// Whether a report may be kept: its verdict is pass or fail. One that could not be reached may be reached the next time.
#[must_use]
pub fn is_settled(report: &Report) -> bool {
    report.verdict != Verdict::Unverifiable && report.errors.is_empty() && !report.images.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::base::{Known, ToldBy};
    use crate::limits::Limits;
    use crate::policy::{Policy, Severity, Waiver};

    fn day(text: &str) -> Date {
        Date::parse(text).unwrap()
    }

    fn waiver(expires: &str) -> Waiver {
        Waiver {
            check: "root-user".into(),
            path: None,
            image: None,
            digest: None,
            reason: "because".into(),
            expires: day(expires),
            owner: None,
            place: "policy.toml:1".into(),
        }
    }

    fn on(as_of: &str) -> String {
        let policy = Policy { waivers: vec![waiver("2026-11-20"), waiver("2026-12-24")], ..Policy::default() };
        judged_by(&Request { policy, as_of: day(as_of), ..Request::default() })
    }

    #[test]
    fn days_on_which_the_same_waivers_hold_are_judged_alike() {
        assert_eq!(on("2026-11-02"), on("2026-11-20"));
        assert_ne!(on("2026-11-20"), on("2026-11-21"), "one has expired");
        assert_ne!(on("2026-12-24"), on("2026-12-25"));
        assert_eq!(on("2026-12-25"), on("2026-12-31"));
    }

    #[test]
    fn days_between_which_a_release_ends_are_judged_apart() {
        let on = |day_text: &str| judged_by(&Request { as_of: day(day_text), ..Request::default() });
        assert_eq!(on("2026-09-01"), on("2026-10-31"));
        assert_ne!(on("2026-08-31"), on("2026-09-01"), "Debian 11");
    }

    #[test]
    fn everything_that_decides_counts() {
        let plain = judged_by(&Request::default());
        let policy = Policy { fail_on: Severity::Low, ..Policy::default() };
        let known = Known { name: "base".into(), diff_ids: vec!["sha256:1".into()], told_by: ToldBy::Given };
        for request in [
            Request { policy, ..Request::default() },
            Request { bases: vec![known], ..Request::default() },
            Request { limits: Limits { layers: 3, ..Limits::default() }, ..Request::default() },
        ] {
            assert_ne!(judged_by(&request), plain, "{request:?}");
        }
        assert_eq!(judged_by(&Request::default()), plain);
    }

    #[test]
    fn shipped_policies_have_digests_of_their_own() {
        let digests: std::collections::BTreeSet<String> =
            crate::policy::SHIPPED.iter().map(|shipped| Policy::shipped(shipped.0).unwrap().digest().to_string()).collect();
        assert_eq!(digests.len(), crate::policy::SHIPPED.len());
    }
}
