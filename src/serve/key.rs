//! What a verdict is kept under: all that it is a function of, and nothing else.

use sha2::{Digest as _, Sha256};

use super::verdict::Ask;
use crate::limits::Limits;
use crate::oci::{Algorithm, Digest, Platform};
use crate::policy::{Date, Policy};

/// The same key, the same verdict.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// Digest of the manifest or index.
    pub digest: String,
    /// Digest over engine version, policy, limits, platforms, and what else the policy makes the verdict depend on.
    pub judged_by: String,
}

impl Key {
    /// The key of a verdict on `digest`, for this question on this day.
    #[must_use]
    pub fn of(ask: &Ask, digest: &str, limits: &Limits, today: Date) -> Self {
        let profile = &ask.profile;
        let policy =
            if profile.policy_digest.is_empty() { policy_digest(&profile.policy) } else { profile.policy_digest.clone() };
        let mut platforms: Vec<String> = ask.platforms.iter().map(Platform::to_string).collect();
        platforms.sort();
        platforms.dedup();
        let conditions = conditions(&profile.policy, &ask.repository, &ask.subject.to_string(), today);
        let text = format!("{}\n{policy}\n{limits:?}\n{platforms:?}\n{conditions:?}", env!("CARGO_PKG_VERSION"));
        Self { digest: digest.to_owned(), judged_by: sha256(text.as_bytes()) }
    }

    /// One word for a store: 64 hex digits over both parts.
    #[must_use]
    pub fn name(&self) -> String {
        sha256(format!("{}\n{}", self.digest, self.judged_by).as_bytes()).split_off("sha256:".len())
    }
}

/// Names all that a policy says.
#[must_use]
pub fn policy_digest(policy: &Policy) -> String {
    // every field of every part derives Debug, and its maps are sorted
    sha256(format!("{policy:?}").as_bytes())
}

/// Whatever beside its bytes decides on an image: waivers and releases of distributions that end, and waivers for images of a name.
fn conditions(policy: &Policy, repository: &str, subject: &str, today: Date) -> (Vec<bool>, Option<Date>, Option<String>) {
    let holding = policy.waivers.iter().map(|waiver| waiver.holds(today)).collect();
    let is_by_name = policy.waivers.iter().any(|waiver| waiver.image.is_some());
    (holding, crate::checks::last_end_of_life(today), is_by_name.then(|| format!("{repository} {subject}")))
}

/// `sha256:` and the digest of these bytes.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    Digest::of_bytes(Algorithm::Sha256, &Sha256::digest(bytes)).to_string()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Instant;

    use super::*;
    use crate::policy::Waiver;
    use crate::serve::config::Profile;
    use crate::serve::verdict::{Access, Subject};

    fn ask(repository: &str, policy: Policy) -> Ask {
        Ask {
            repository: repository.to_owned(),
            subject: Subject::Tag("1".into()),
            profile: Arc::new(Profile { policy: Arc::new(policy), ..Profile::default() }),
            platforms: Vec::new(),
            access: Access::Configured,
            deadline: Instant::now(),
            may_enqueue: true,
        }
    }

    fn key(ask: &Ask, day: &str) -> Key {
        Key::of(ask, "sha256:aa", &Limits::default(), Date::parse(day).unwrap())
    }

    fn waiver(image: Option<&str>) -> Waiver {
        Waiver {
            check: "compiler".into(),
            path: None,
            image: image.map(str::to_owned),
            digest: None,
            reason: "r".into(),
            expires: Date::parse("2026-11-30").unwrap(),
            owner: None,
            place: String::new(),
        }
    }

    #[test]
    fn a_verdict_is_kept_under_all_that_it_depends_on() {
        let plain = ask("a/b", Policy::default());
        let same = key(&plain, "2026-11-21");
        assert_eq!(same, key(&ask("c/d", Policy::default()), "2026-11-22"));
        let mut others = vec![same];
        others.push(key(&ask("a/b", Policy { allow_incomplete: true, ..Policy::default() }), "2026-11-21"));
        others.push(key(&Ask { platforms: vec!["linux/arm64".parse().unwrap()], ..plain.clone() }, "2026-11-21"));
        others.push(Key::of(&plain, "sha256:bb", &Limits::default(), Date::default()));
        others.push(Key::of(&plain, "sha256:aa", &Limits { layers: 1, ..Limits::default() }, Date::default()));
        let names: std::collections::BTreeSet<String> = others.iter().map(Key::name).collect();
        assert_eq!(names.len(), others.len());
    }

    #[test]
    fn a_waiver_that_ended_or_holds_for_another_name_makes_another_verdict() {
        let ending = || Policy { waivers: vec![waiver(None)], ..Policy::default() };
        assert_eq!(key(&ask("a/b", ending()), "2026-11-21"), key(&ask("c/d", ending()), "2026-11-30"));
        assert_ne!(key(&ask("a/b", ending()), "2026-11-30"), key(&ask("a/b", ending()), "2026-12-01"));
        let named = || Policy { waivers: vec![waiver(Some("a/*"))], ..Policy::default() };
        assert_ne!(key(&ask("a/b", named()), "2026-11-21"), key(&ask("c/d", named()), "2026-11-21"));
    }

    #[test]
    fn the_order_of_platforms_makes_no_other_verdict() {
        let of = |platforms: [&str; 2]| {
            let platforms = platforms.map(|one| one.parse().unwrap()).to_vec();
            key(&Ask { platforms, ..ask("a/b", Policy::default()) }, "2026-11-21")
        };
        assert_eq!(of(["linux/arm64", "linux/amd64"]), of(["linux/amd64", "linux/arm64"]));
    }
}
