//! The accounts of passwd(5), and which of them shadow(5) or passwd itself lets in without a password.

use super::bodies::Bodies;
use super::users::lines;

const PASSWD: &[u8] = b"/etc/passwd";
const SHADOW: &[u8] = b"/etc/shadow";

/// Accounts that are read; real files have tens.
const MOST_ACCOUNTS: usize = 100_000;

/// A line of `/etc/passwd`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Login name, raw.
    pub name: Vec<u8>,
    /// None when it is no number that fits.
    pub uid: Option<u32>,
    /// The file that gives it an empty password field, if one does.
    pub open_in: Option<&'static [u8]>,
}

/// All accounts, in the order of the file. Lines of NIS (`+`, `-`), comments and lines without an id are no accounts.
pub(super) fn read(bodies: &mut Bodies<'_>) -> Vec<Account> {
    let passwd = bodies.body(PASSWD, crate::limits::Limits::user_database_bytes);
    let Some(Ok(passwd)) = passwd else { return Vec::new() };
    let shadow = bodies.user_database(SHADOW).unwrap_or_default();
    if lines(passwd).count() > MOST_ACCOUNTS {
        bodies.report(PASSWD, format!("only the first {MOST_ACCOUNTS} accounts were looked at"));
    }
    let open: std::collections::BTreeSet<&[u8]> =
        lines(shadow).filter(|line| line.has(2) && line.text(1).is_empty()).map(|line| line.text(0)).collect();
    let is_account =
        |name: &[u8]| !name.is_empty() && !name.starts_with(b"#") && !name.starts_with(b"+") && !name.starts_with(b"-");
    lines(passwd)
        .take(MOST_ACCOUNTS)
        .filter(|line| line.has(3) && is_account(line.text(0)))
        .map(|line| {
            let name = line.text(0);
            let in_shadow = open.contains(name).then_some(SHADOW);
            // an empty field of passwd is believed before shadow is looked at
            let open_in = if line.text(1).is_empty() { Some(PASSWD) } else { in_shadow };
            Account { name: name.to_vec(), uid: std::str::from_utf8(line.text(2)).ok().and_then(|id| id.parse().ok()), open_in }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::bodies::file_with;
    use super::*;
    use crate::limits::Limits;
    use crate::rootfs::Rootfs;

    fn accounts(passwd: &[u8], shadow: &[u8]) -> Vec<(String, Option<u32>, bool)> {
        let mut rootfs = Rootfs::default();
        rootfs.insert(PASSWD, file_with(passwd));
        rootfs.insert(SHADOW, file_with(shadow));
        let limits = Limits::default();
        let found = read(&mut Bodies::new(&rootfs, &limits));
        found.into_iter().map(|one| (String::from_utf8_lossy(&one.name).into_owned(), one.uid, one.open_in.is_some())).collect()
    }

    #[test]
    fn an_empty_field_of_either_file_lets_in() {
        let found =
            accounts(b"root:x:0:0::/:/bin/sh\nopen::7:7::/:\nlocked:x:8:8::/:\n", b"root::19000:0:::::\nlocked:!:19000::::::\n");
        assert_eq!(found, [("root".into(), Some(0), true), ("open".into(), Some(7), true), ("locked".into(), Some(8), false)]);
    }

    #[test]
    fn what_is_no_account_is_passed_over() {
        assert_eq!(accounts(b"+::::::\n# note\n\nroot:x:0:0\nshort:x\nodd:x:y:0\n", b"gone::1:\nroot\n").len(), 2);
    }

    #[test]
    fn nothing_is_known_without_passwd() {
        let (rootfs, limits) = (Rootfs::default(), Limits::default());
        assert!(read(&mut Bodies::new(&rootfs, &limits)).is_empty());
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read(passwd: Vec<u8>, shadow: Vec<u8>) {
            accounts(&passwd, &shadow);
        }
    }
}
