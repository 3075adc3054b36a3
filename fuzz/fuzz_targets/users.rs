//! Arbitrary user strings over arbitrary user databases: no panic, and a user has numbers or a problem. The input is split at
//! NULs into `config.User`, `/etc/passwd` and `/etc/group`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll_fuzz::facts_of;

fuzz_target!(|data: &[u8]| {
    let mut parts = data.splitn(3, |byte| *byte == 0);
    let mut part = || parts.next().unwrap_or_default();
    let (user, passwd, group) = (String::from_utf8_lossy(part()), part(), part());
    let (image, _) = facts_of(&[("/etc/passwd", passwd), ("/etc/group", group)], &user);
    let user = image.user;
    assert_eq!(user.uid.is_some(), user.problem.is_none());
    assert_eq!(user.gid.is_some(), user.problem.is_none());
    assert!(user.uid.is_none_or(|uid| i32::try_from(uid).is_ok()));
    assert!(user.groups.is_sorted());
});
