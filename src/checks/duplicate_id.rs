//! `duplicate-id`: two names for one user.

use std::collections::{BTreeMap, BTreeSet};

use super::{Check, Family, Reference, evidence, tools, wording};
use crate::facts::Image;
use crate::finding::{Evidence, Observation, Severity};

/// Where accounts are.
const PASSWD: &[u8] = b"/etc/passwd";

/// The check.
pub(super) static CHECK: Check = Check {
    id: "duplicate-id",
    title: "Accounts that share a number",
    family: Family::Privilege,
    severity: Severity::Medium,
    what: "Two accounts of `/etc/passwd` with different names have the same uid; of uid 0, a second account is a second root.",
    why: "The kernel knows numbers only: both names are one user, with all its files and processes, and a second root passes for an \
          ordinary account wherever names are read.",
    fix: "Give every account a number of its own.",
    example: "RUN useradd --uid 10001 --no-create-home app\n",
    references: &[
        Reference { name: "passwd(5)", url: "https://man7.org/linux/man-pages/man5/passwd.5.html" },
        Reference { name: "CWE-694", url: "https://cwe.mitre.org/data/definitions/694.html" },
    ],
    since: "0.1.0",
    run,
};

fn run(image: &Image) -> Vec<Observation> {
    let mut names: BTreeMap<u32, BTreeSet<&[u8]>> = BTreeMap::new();
    for account in &image.accounts {
        if let Some(uid) = account.uid {
            names.entry(uid).or_default().insert(&account.name);
        }
    }
    let node = tools::entry(&image.rootfs, PASSWD);
    let evidence: Vec<_> =
        node.map(|node| Evidence { bytes: 0, ..evidence::of_node(image, PASSWD.to_vec(), node) }).into_iter().collect();
    let shared = names.into_iter().filter(|(_, names)| names.len() > 1);
    shared
        .map(|(uid, names)| {
            let what = if uid == 0 { "more than one account is root" } else { "accounts share it" };
            let message = format!("uid {uid}: {what}: {}", wording::names(names.into_iter()));
            Observation { subject: format!("uid {uid}"), message, evidence: evidence.clone(), ..Observation::default() }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::Builder;
    use super::*;
    use crate::facts::Account;

    fn messages(accounts: &[(&str, Option<u32>)]) -> Vec<String> {
        let account = |(name, uid): &(&str, Option<u32>)| Account { name: name.as_bytes().to_vec(), uid: *uid, open_in: None };
        let change = |image: &mut Image| image.accounts = accounts.iter().map(account).collect();
        Builder::default().file("/etc/passwd", 9).run_with(&CHECK, change).into_iter().map(|one| one.message).collect()
    }

    #[test]
    fn fires_on_a_second_root_and_on_shared_numbers() {
        let accounts = [("root", Some(0)), ("toor", Some(0)), ("a", Some(7)), ("b", Some(7)), ("c", Some(8))];
        assert_eq!(messages(&accounts), ["uid 0: more than one account is root: root, toor", "uid 7: accounts share it: a, b"]);
    }

    #[test]
    fn is_silent_on_a_line_that_stands_twice_and_on_numbers_that_cannot_be_read() {
        assert!(messages(&[("a", Some(7)), ("a", Some(7)), ("b", None), ("c", None)]).is_empty());
    }
}
