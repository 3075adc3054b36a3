//! `empty-password`: an account without a password.

use super::{Check, Family, Reference, evidence, tools, wording};
use crate::facts::Image;
use crate::finding::{Evidence, Observation, Severity};
use crate::oci::escape;

/// The check.
pub(super) static CHECK: Check = Check {
    id: "empty-password",
    title: "An account without a password",
    family: Family::Privilege,
    severity: Severity::Critical,
    what: "An account of `/etc/passwd` has an empty password field there or in `/etc/shadow`. `x`, `*`, `!` and hashes are not empty.",
    why: "su, login and everything else that asks PAM let anybody in as that account. Alpine 3.3 to 3.9 shipped root like this, which \
          was CVE-2019-5021.",
    fix: "Lock the account.",
    example: "RUN passwd -l root\n# without passwd: sed -i 's/^root::/root:!:/' /etc/shadow\n",
    references: &[
        Reference { name: "CWE-258", url: "https://cwe.mitre.org/data/definitions/258.html" },
        Reference { name: "CVE-2019-5021", url: "https://nvd.nist.gov/vuln/detail/CVE-2019-5021" },
        Reference { name: "shadow(5)", url: "https://man7.org/linux/man-pages/man5/shadow.5.html" },
    ],
    since: "0.1.0",
    run,
};

fn run(image: &Image) -> Vec<Observation> {
    let mut seen: Vec<Observation> = Vec::new();
    for account in &image.accounts {
        let Some(file) = account.open_in else { continue };
        let subject = wording::path_key(&account.name);
        if seen.iter().any(|one| one.subject == subject) {
            continue;
        }
        let message = format!("The account {} has no password in {}", escape(&account.name), escape(file));
        seen.push(Observation { subject, message, evidence: evidence_of(image, file), ..Observation::default() });
    }
    seen
}

/// The file of accounts, whose bytes stay.
fn evidence_of(image: &Image, file: &[u8]) -> Vec<Evidence> {
    let node = tools::entry(&image.rootfs, file);
    node.map(|node| Evidence { bytes: 0, ..evidence::of_node(image, file.to_vec(), node) }).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Builder, paths};
    use super::*;
    use crate::facts::Account;

    fn seen(accounts: &[(&str, Option<&'static [u8]>)]) -> Vec<Observation> {
        let account = |(name, open_in): &(&str, Option<&'static [u8]>)| Account {
            name: name.as_bytes().to_vec(),
            uid: Some(0),
            open_in: *open_in,
        };
        let mut builder = Builder::default();
        builder.file("/etc/shadow", 9);
        builder.run_with(&CHECK, |image| image.accounts = accounts.iter().map(account).collect())
    }

    #[test]
    fn fires_on_every_open_account_once() {
        let seen = seen(&[("root", Some(b"/etc/shadow")), ("root", Some(b"/etc/shadow")), ("a\x1b", Some(b"/etc/passwd"))]);
        let messages: Vec<_> = seen.iter().map(|one| one.message.as_str()).collect();
        assert_eq!(
            messages,
            ["The account root has no password in /etc/shadow", "The account a\\x1b has no password in /etc/passwd"]
        );
        assert_eq!(paths(&seen[0]), ["/etc/shadow"]);
    }

    #[test]
    fn is_silent_on_locked_accounts() {
        assert!(seen(&[("root", None)]).is_empty());
    }
}
