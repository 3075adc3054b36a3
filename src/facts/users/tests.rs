//! The rules of formats 1.6, one test each.

use proptest::prelude::*;

use super::database::{Malformed, atoi};
use super::*;
use crate::rootfs::{Inode, InodeKind};

const PASSWD_FILE: &[u8] = b"root:x:0:0:root:/root:/bin/sh\napp:x:1000:1001::/:/bin/sh\n";
const GROUP_FILE: &[u8] = b"root:x:0:\nwww:x:33:app,other\nadm:x:4:app\n";

fn run(configured: &str, passwd: &[u8], group: &[u8]) -> Result<Effective, UserProblem> {
    effective(configured, Some(passwd), Some(group))
}

#[test]
fn an_unset_user_is_root_with_the_group_and_groups_of_the_first_account_with_uid_0() {
    assert_eq!(effective("", None, None), Ok((0, 0, vec![])));
    assert_eq!(run("", PASSWD_FILE, GROUP_FILE), Ok((0, 0, vec![])));
    assert_eq!(run("", b"root:x:0:7\n", b"bin:x:2:root\nbin:x:1:root,daemon\n"), Ok((0, 7, vec![1, 2])));
    assert_eq!(run(":33", PASSWD_FILE, GROUP_FILE), Ok((0, 33, vec![])));
}

#[test]
fn a_name_takes_its_group_and_its_supplementary_groups() {
    assert_eq!(run("app", PASSWD_FILE, GROUP_FILE), Ok((1000, 1001, vec![4, 33])));
    assert_eq!(run("app:", PASSWD_FILE, GROUP_FILE), Ok((1000, 1001, vec![4, 33])));
}

#[test]
fn the_first_line_of_a_name_wins() {
    assert_eq!(run("a", b"a:x:0:0\na:x:1000:1000\n", b""), Ok((0, 0, vec![])));
}

#[test]
fn an_explicit_group_drops_the_supplementary_ones() {
    assert_eq!(run("app:www", PASSWD_FILE, GROUP_FILE), Ok((1000, 33, vec![])));
    assert_eq!(run("app:5", PASSWD_FILE, GROUP_FILE), Ok((1000, 5, vec![])));
}

#[test]
fn a_known_number_takes_its_group_and_an_unknown_one_gets_group_0() {
    assert_eq!(run("1000", PASSWD_FILE, GROUP_FILE), Ok((1000, 1001, vec![4, 33])));
    assert_eq!(run("4242", PASSWD_FILE, GROUP_FILE), Ok((4242, 0, vec![])));
    assert_eq!(effective("4242", None, None), Ok((4242, 0, vec![])));
}

#[test]
fn a_number_is_never_a_name() {
    assert_eq!(run("1000", b"1000:x:0:0\napp:x:1000:7\n", b""), Ok((1000, 7, vec![])));
    assert_eq!(run("4294967296", b"4294967296:x:0:0\n", b""), Err(UserProblem::OutOfRange("4294967296".into())));
    assert_eq!(run("app:1001", PASSWD_FILE, b"1001:x:0:\n"), Ok((1000, 1001, vec![])));
}

#[test]
fn every_spelling_of_zero_is_root() {
    for text in ["0", "+0", "-0", "000", "0:0", "0:", "root", "root:app", "+000:+0"] {
        assert_eq!(run(text, PASSWD_FILE, b"app:x:5:\n").map(|found| found.0), Ok(0), "{text}");
    }
}

#[test]
fn numbers_outside_31_bits_are_refused() {
    for text in ["-1", "2147483648", "4294967295", "99999999999999999999", "1:-1", "1:2147483648"] {
        assert!(matches!(run(text, b"", b""), Err(UserProblem::OutOfRange(_))), "{text}");
    }
    assert_eq!(run("2147483647:2147483647", b"", b""), Ok((2_147_483_647, 2_147_483_647, vec![])));
    assert_eq!(run("a", b"a:x:4294967296:1\n", b""), Err(UserProblem::OutOfRange("4294967296".into())));
}

#[test]
fn fields_that_are_no_numbers_read_as_0() {
    assert_eq!(run("a", b"a:x:none:7\n", b""), Ok((0, 7, vec![])));
    assert_eq!(run("a", b"a\n", b""), Ok((0, 0, vec![])));
    assert_eq!(run("a", b"a:x:0x10: 5\n", b""), Ok((0, 0, vec![])));
    assert_eq!(run("", b"# a comment\nroot:x:0:5\n", b""), Ok((0, 0, vec![])));
}

#[test]
fn unknown_names_do_not_resolve() {
    assert_eq!(run("ghost", PASSWD_FILE, GROUP_FILE), Err(UserProblem::UnknownUser("ghost".into())));
    assert_eq!(effective("ghost", None, None), Err(UserProblem::UnknownUser("ghost".into())));
    assert_eq!(run("app:ghost", PASSWD_FILE, GROUP_FILE), Err(UserProblem::UnknownGroup("ghost".into())));
    assert_eq!(effective("5:ghost", None, None), Err(UserProblem::UnknownGroup("ghost".into())));
    assert_eq!(run("#www", b"", b"#www:x:1:\n"), Err(UserProblem::UnknownUser("#www".into())));
    assert_eq!(run("1:#www", b"", b"#www:x:1:\n"), Err(UserProblem::UnknownGroup("#www".into())));
}

#[test]
fn more_than_one_colon_is_malformed() {
    assert_eq!(run("app:www:x", PASSWD_FILE, GROUP_FILE), Err(UserProblem::Malformed("app:www:x".into())));
}

#[test]
fn white_space_around_lines_does_not_count() {
    assert_eq!(run("a", "\u{b}\u{a0} a:x:5:6:\u{a0}\r\n".as_bytes(), b""), Ok((5, 6, vec![])));
    assert_eq!(run("a", b"\n\n \t\na:x:5:6:\xff\n", b""), Ok((5, 6, vec![])));
    assert_eq!(run("a ", b"a:x:5:6\n", b""), Err(UserProblem::UnknownUser("a ".into())));
}

#[test]
fn a_line_that_the_runtimes_cannot_read_makes_the_file_useless() {
    let mut passwd = b"a:x:5:6:".to_vec();
    passwd.extend(std::iter::repeat_n(b'x', PASSWD_LINE_BYTES));
    assert_eq!(run("a", &passwd, b""), Err(UserProblem::UnknownUser("a".into())));
    assert_eq!(run("7", &passwd, b""), Err(UserProblem::UnknownUser("7".into())));
}

#[test]
fn numbers_read_as_go_reads_them() {
    assert_eq!(atoi(b"+12"), Ok(12));
    assert_eq!(atoi(b"-12"), Ok(-12));
    assert_eq!(atoi(b"99999999999999999999"), Ok(i64::MAX));
    assert_eq!(atoi(b"-99999999999999999999x"), Ok(i64::MIN));
    for text in [&b""[..], b"+", b"-", b"1 ", b" 1", b"1_0", b"0x1", b"++1", b"1a"] {
        assert_eq!(atoi(text), Err(Malformed), "{}", text.escape_ascii());
    }
}

fn linked() -> Rootfs {
    let mut rootfs = Rootfs::default();
    for path in [&b"/etc/passwd"[..], b"/etc/group"] {
        rootfs.insert(path, Inode::new(InodeKind::Symlink { target: b"/opt/pw".as_slice().into() }, 0o777, 0));
    }
    rootfs
}

#[test]
fn a_linked_user_database_is_remarked_when_the_user_is_looked_up_in_it() {
    let paths =
        |user: &str| -> Vec<_> { remarks(user, &linked()).into_iter().map(|remark| remark.place.path.unwrap()).collect() };
    assert_eq!(paths("app"), [PASSWD, GROUP]);
    assert_eq!(paths("1000"), [PASSWD, GROUP]);
    assert_eq!(paths("app:5"), [PASSWD]);
    assert_eq!(paths("5:www"), [PASSWD, GROUP]);
    for user in ["", "5:5", ":5"] {
        assert!(paths(user).is_empty(), "{user}");
    }
    assert!(remarks("app", &Rootfs::default()).is_empty());
}

proptest! {
    #[test]
    fn any_bytes_resolve_or_do_not(user: String, passwd: Vec<u8>, group: Vec<u8>) {
        let _ = effective(&user, Some(&passwd), Some(&group));
    }

    #[test]
    fn numbers_in_range_agree_with_the_standard_parser(number: i64) {
        prop_assert_eq!(atoi(number.to_string().as_bytes()), Ok(number));
    }
}
